"""Evaluate the expressions of a spec while its graph is built; record the variables that they read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from archcalc.errors import ArchError, Keys, Span
from archcalc.graph import refusals
from archcalc.graph.effort import Effort
from archcalc.graph.model import Node
from archcalc.graph.scope import Scope
from archcalc.operators.shape import Shape
from archcalc.rationals import settled
from archcalc.spec.evaluate import Lookup, OperandError, evaluate
from archcalc.spec.expressions import ARRIVING, Expression, Value
from archcalc.spec.model import Line, Size
from archcalc.symbols import Int, Symbol


class Expressions:
    """Evaluates expressions; `read` collects the variables that they read."""

    def __init__(self, variables: Mapping[str, Value], nodes: Sequence[Node], effort: Effort) -> None:
        self.variables, self.nodes, self.effort = variables, nodes, effort
        self.read: set[str] = set()
        self.sizes: list[tuple[int, str, Any]] = []  # read, in order: node, `channels` or `shape`, value
        self.seen: list[tuple[str, str]] = []  # variables, with their values as `written`
        self._written: dict[str, str] = {}

    def lookup(self, scope: Scope, x: int) -> Lookup:
        """Return the function that looks up names in a scope in which the tensor of node `x` arrives."""

        def lookup(name: str) -> Value:
            if name in ARRIVING:
                size: Value = _size_of(self.nodes[x].shape, name)
                self.sizes.append((x, name, size))
                return size
            if name in scope.values and scope.values is not self.variables:
                value = scope.values[name]
            else:
                value = self.variables[name]
                self.seen.append((name, self.written(name)))
            self.read.update(scope.read.get(name, (name,)))
            return self._fetched(value)

        return lookup

    def written(self, name: str) -> str:
        """Return a variable's value as a text, in which 1 and True differ; '' for no variable."""
        if name not in self._written:
            self._written[name] = repr(self.variables[name]) if name in self.variables else ""
        return self._written[name]

    def are(self, sizes: Sequence[tuple[int, str, Any]]) -> bool:
        """Return whether nodes have these channels and shapes: (node, `channels` or `shape`, value)."""
        return all(_size_of(self.nodes[x].shape, name) == size for x, name, size in sizes)

    def variable(self, name: str) -> Value:
        """Return the value of a variable where no tensor arrives."""
        self.read.add(name)
        return self._fetched(self.variables[name])

    def shape(self, sizes: Sequence[Size], keys: Keys) -> Shape:
        """Return the shape of the input at `keys` of the TOML.

        Raises:
            ArchError: a size is no positive integer.
        """
        values = [settled(self.size(size, self.variable, keys)) for size in sizes]
        for value, written in zip(values, sizes, strict=True):
            if isinstance(value, bool) or not isinstance(value, int | Symbol) or value < 1:
                raise refusals.bad_input(value, written, keys)
        return Shape(*values)

    def _fetched(self, value: Value) -> Value:
        if isinstance(value, str | list):
            self.effort.work += _length(value)
            if self.effort.exhausted:
                raise OperandError("takes too long")
        return value

    def argument(self, size: Size, lookup: Lookup, keys: Keys) -> tuple[Any, frozenset[str]]:
        """Return the value of an argument, and what it reads: not added to `read` until it is used."""
        if not isinstance(size, Expression):
            return size, frozenset()
        outer, self.read = self.read, set()
        try:
            return self.evaluate(size, lookup, keys), frozenset(self.read)
        finally:
            self.read = outer

    def size(self, size: Size, lookup: Lookup, keys: Keys) -> Any:
        """Return the value of a size, which is an expression or a number."""
        return self.evaluate(size, lookup, keys) if isinstance(size, Expression) else size

    def count(self, line: Line, lookup: Lookup, folds: bool) -> Int:
        """Return the number of rounds of a line; it may be a symbol if the line may fold.

        Raises:
            ArchError: it is no count, or makes too many layers.
        """
        if line.repeat == 1:
            return 1
        count = settled(self.size(line.repeat, lookup, line.keys))
        if isinstance(count, bool) or not isinstance(count, int | Symbol) or count < 0:
            raise refusals.bad_count(count, line)
        if folds and isinstance(count, Symbol) and count.known is None:
            return count
        count = int(count)
        self.effort.allow(count, line)
        return count

    def evaluate(self, expression: Expression, lookup: Lookup, keys: Keys) -> Value:
        """Return the value of an expression at `keys` of the TOML.

        Raises:
            ArchError: it has no value; the error has the place.
        """
        self.effort.work += expression.size
        try:
            return evaluate(expression, lookup)
        except ArchError as error:
            places = (
                d._replace(span=d.span._replace(keys=keys))
                for d in error.diagnostics
                if isinstance(d.span, Span)
            )
            raise ArchError(*places) from None


def _size_of(shape: Shape, name: str) -> Any:
    """Return what `channels` or `shape` is in an expression."""
    return shape.channels if name == "channels" else list(shape)


def _length(value: Value) -> int:
    """Return the number of values in a list, or of characters in a text."""
    if isinstance(value, list):
        return 1 + sum(_length(item) for item in value)
    return len(value) if isinstance(value, str) else 1
