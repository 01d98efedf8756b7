"""Spec → Graph, in one walk: blocks are expanded and shapes propagated together.

They go together because an expression may ask for the `channels` that arrive.
"""

from __future__ import annotations

from collections.abc import Mapping

from archcalc import garbage
from archcalc.errors import ArchError, Diagnostic, Keys, ShapeError, Span, SpecError
from archcalc.graph import refusals
from archcalc.graph.assembly import Assembly
from archcalc.graph.bind import Bound, bind, require_values, unknown_argument, with_defaults
from archcalc.graph.check import check, check_labels
from archcalc.graph.effort import Effort
from archcalc.graph.expressions import Expressions
from archcalc.graph.model import Graph
from archcalc.graph.scope import Names, Scope
from archcalc.operators import TABLE, operator_class
from archcalc.operators.model import Operator
from archcalc.operators.shape import Shape
from archcalc.spec.evaluate import Lookup
from archcalc.spec.expressions import Expression, Value
from archcalc.spec.model import Block, Given, Line, Size, Spec, Step
from archcalc.symbols import Symbol

DEEPEST = 100


def build(
    spec: Spec, values: Mapping[str, Value], input: Shape | None = None, variant: str | None = None
) -> Graph:
    """The graph of a spec with these values of its variables.

    `input` replaces the spec's own. Values may be symbols.

    Raises:
        SpecError: a mistake of the text, or layers that do not fit each other.
    """
    check(spec)
    try:
        with garbage.paused():
            return _Builder(spec, values).graph(input, variant)
    except SpecError:
        raise
    except RecursionError:  # the caller's own stack was deep already
        raise SpecError(Diagnostic("blocks nested too deeply"), source=spec.source) from None
    except ArchError as error:
        raise SpecError(*error.diagnostics, source=spec.source) from None


class _Builder:
    def __init__(self, spec: Spec, values: Mapping[str, Value]) -> None:
        self.spec, self.values = spec, values
        self.made, self.names = Assembly(), Names()
        self.nodes = self.made.nodes
        self.effort = Effort()
        self.expressions = Expressions(values, self.nodes, self.effort)
        self.side_outputs: list[tuple[str, int]] = []
        self._literal: dict[tuple[int, int], tuple[Operator, Span, dict[str, Bound]]] = {}

    def graph(self, input: Shape | None, variant: str | None) -> Graph:
        keys: Keys = ("input",)
        if variant is not None and "input" in self.spec.variants[variant].about:
            keys = ("variants", variant, "input")
        shape = input if input is not None else self._input(self.spec.inputs_of(variant), keys)
        self.made.begin(shape)
        last = self._block(self.spec.body, self.values, {}, (), 0, "", 0)
        return Graph(tuple(self.nodes), last, tuple(self.side_outputs), frozenset(self.expressions.read))

    def _input(self, sizes: tuple[Size, ...], keys: Keys) -> Shape:
        lookup = self.expressions.lookup(
            Scope(self.spec.body, self.values, {}, (), {}, set(), "", frozenset(), 0), 0
        )
        shape = [self.expressions.size(size, lookup, keys) for size in sizes]
        for size, written in zip(shape, sizes, strict=True):
            if isinstance(size, bool) or not isinstance(size, int | Symbol) or size < 1:
                raise refusals.bad_input(size, written, keys)
        return Shape(*shape)

    def _block(
        self,
        block: Block,
        values: Mapping[str, Value],
        read: Mapping[str, frozenset[str]],
        rest: tuple[Bound, ...],
        x: int,
        prefix: str,
        depth: int,
    ) -> int:
        """Expand one instance that begins at node `x`; returns its last node."""
        labels: dict[str, int | None] = {"in": x}
        own = self.names.labels_of(block)
        scope = Scope(block, values, read, rest, labels, set(), prefix, own, depth)
        if not block.join:
            x, _ = self._lines(block.branches[0].lines, x, scope)
        else:
            x = self._branches(block, x, scope)
        x, _ = self._lines(block.then, x, scope)
        return x

    def _branches(self, block: Block, x: int, scope: Scope) -> int:
        ends = []
        for branch in block.branches:
            inner = scope._replace(prefix=f"{scope.prefix}{branch.name}/", set_here=set())
            end, ran = self._lines(branch.lines, x, inner)
            if ran:
                ends.append(end)
        if len(ends) < 2:
            return ends[0] if ends else x
        span = Span((*block.keys, block.join), -1)
        operator = self.made.operator(block.join, {}, self.nodes[ends[0]].shape.rank)
        path = self.names.free(scope, block.join)
        return self._append(path, operator, tuple(ends), span, {})

    def _lines(self, lines: tuple[Line, ...], x: int, scope: Scope) -> tuple[int, bool]:
        ran = False
        for line in lines:
            end = self._line(line, x, scope)
            if end is not None:
                ran = True
                x = x if line.output else end
        return x, ran

    def _line(self, line: Line, x: int, scope: Scope) -> int | None:
        """The node after the line, or None if it is switched off."""
        self.effort.spend(1, line)
        lookup = self.expressions.lookup(scope, x)
        on = line.condition is None or bool(self.expressions.evaluate(line.condition, lookup, line.keys))
        count = self._count(line, lookup) if on else 0
        if count == 0:
            if line.label and line.label not in scope.set_here:
                scope.labels[line.label] = None
            return None
        if line.label in scope.set_here:
            raise refusals.set_twice(line)
        name = line.label
        if line.label and (count > 1 or len(line.steps) > 1):
            scope, name = (
                scope._replace(prefix=f"{scope.prefix}{line.label}/", own_labels=frozenset()),
                "",
            )
        end = self._repeat(line, x, scope, name, count)
        if line.label:
            scope.labels[line.label] = end
            scope.set_here.add(line.label)
        if line.output:
            self.side_outputs.append((line.label, end))
        return end

    def _repeat(self, line: Line, x: int, scope: Scope, name: str, count: int) -> int:
        for _ in self.effort.rounds(line, count):
            for step in line.steps:
                x = self._step(step, line, x, scope, name)
        return x

    def _count(self, line: Line, lookup: Lookup) -> int:
        if line.repeat == 1:
            return 1
        count = self.expressions.size(line.repeat, lookup, line.keys)
        if isinstance(count, bool) or not isinstance(count, int | Symbol) or count < 0:
            raise refusals.bad_count(count, line)
        count = int(count)
        self.effort.allow(count, line)
        return count

    def _step(self, step: Step, line: Line, x: int, scope: Scope, label: str) -> int:
        self.effort.step(len(step.arguments), line)
        if step.target:
            return self._target(step.target, scope, line.span(step.start, step.end))
        literal = self._literal.get((id(step), self.nodes[x].shape.rank))
        if literal is not None:
            operator, place, arguments = literal
            path = scope.prefix + label if label else self.names.free(scope, operator.name)
            return self._append(path, operator, (x,), place, arguments)
        lookup = self.expressions.lookup(scope, x)
        name = step.name
        if isinstance(name, Expression):
            name = self._dynamic_name(name, lookup, line)
        given = self._given(step.arguments, lookup, line.keys, scope)
        path = scope.prefix + label if label else self.names.free(scope, name)
        place = line.span(step.start, step.end)
        if name in self.spec.blocks:
            return self._call_block(self.spec.blocks[name], given, x, scope, path, place)
        return self._call_operator(name, given, step, x, scope, path, place)

    def _dynamic_name(self, expression: Expression, lookup: Lookup, line: Line) -> str:
        name = self.expressions.evaluate(expression, lookup, line.keys)
        if isinstance(name, str) and (name in TABLE or name in self.spec.blocks):
            return name
        raise refusals.no_step(expression, name, self.spec, line)

    def _target(self, label: str, scope: Scope, place: Span) -> int:
        node = scope.labels.get(label)
        if node is not None:
            return node
        raise refusals.no_label(label, scope.labels, place)

    def _given(
        self, arguments: tuple[Given, ...], lookup: Lookup, keys: Keys, scope: Scope
    ) -> list[Bound]:
        bounds: list[Bound] = []
        for given in arguments:
            span = Span(keys, given.start, given.end)
            if given.name == "...":
                bounds.extend(scope.rest)
            elif given.name == "@":
                bounds.append(Bound("@", self._target(str(given.value), scope, span), span))
            else:
                value, read = self.expressions.argument(given.value, lookup, keys)
                bounds.append(Bound(given.name, value, span, read))
        return bounds

    def _call_block(
        self, block: Block, given: list[Bound], x: int, scope: Scope, path: str, place: Span
    ) -> int:
        if scope.depth >= DEEPEST:
            raise refusals.too_deep(DEEPEST, place)
        check_labels(block.name, [g for g in given if g.name == "@"], place)
        bound, rest = bind(block.name, block.parameters, given, place)
        if rest and not block.takes_rest:
            raise unknown_argument(block.name, block.parameters, rest[0])
        values: dict[str, Value] = {}
        read: dict[str, frozenset[str]] = {}
        lookup = self.expressions.lookup(scope._replace(values=values, read=read), x)
        for parameter in block.parameters:
            if parameter.name in bound:
                _, value, _, names = bound[parameter.name]
            else:
                assert parameter.default is not None
                value, names = self.expressions.argument(
                    parameter.default, lookup, (*block.keys, "args")
                )
            values[parameter.name], read[parameter.name] = value, names
        return self._block(block, values, read, tuple(rest), x, f"{path}/", scope.depth + 1)

    def _call_operator(
        self, name: str, given: list[Bound], step: Step, x: int, scope: Scope, path: str, place: Span
    ) -> int:
        cls = operator_class(name)
        labels = [g for g in given if g.name == "@"]
        check_labels(name, labels, place)
        bound, surplus = bind(name, cls.arguments, [g for g in given if g.name != "@"], place)
        if surplus:
            raise unknown_argument(name, cls.arguments, surplus[0])
        require_values(cls.arguments, bound)
        arguments = with_defaults(bound, self._defaults(name, scope, x))
        self.expressions.read.update(*(b.read for b in arguments.values()))
        inputs = (x, *(g.value for g in labels))
        try:
            given_values = {k: b.value for k, b in arguments.items()}
            operator = self.made.operator(name, given_values, self.nodes[x].shape.rank)
        except ShapeError as error:
            raise refusals.misfit(error, self.nodes, path, inputs, place, arguments) from None
        if self._is_literal(step, name):
            self._literal[id(step), operator.rank] = operator, place, arguments
        return self._append(path, operator, inputs, place, arguments)

    def _is_literal(self, step: Step, name: str) -> bool:
        """Whether the step means the same operator wherever it is met."""
        values = [*step.arguments, *self.spec.defaults.get(name, ())]
        fixed = not any(isinstance(g.value, Expression) or g.name in ("@", "...") for g in values)
        return fixed and not isinstance(step.name, Expression)

    def _defaults(self, name: str, scope: Scope, x: int) -> list[Bound]:
        keys: Keys = ("defaults", name)
        lookup = self.expressions.lookup(scope._replace(values=self.values, read={}), x)
        return self._given(self.spec.defaults.get(name, ()), lookup, keys, scope)

    def _append(
        self,
        path: str,
        operator: Operator,
        inputs: tuple[int, ...],
        place: Span,
        arguments: dict[str, Bound],
    ) -> int:
        self.effort.work += len(path) // 8 + len(inputs)
        return self.made.append(path, operator, inputs, place, arguments)
