"""Collect the nodes of a graph: equal operators are one object, and shapes are computed once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import zip_longest
from typing import Any

from archcalc.arithmetic import recorded, require
from archcalc.errors import Keys, ShapeError, Span
from archcalc.graph import refusals
from archcalc.graph.bind import Bound
from archcalc.graph.effort import Effort
from archcalc.graph.model import Node
from archcalc.operators import operator_class
from archcalc.operators.input import Input
from archcalc.operators.model import Operator, Weight
from archcalc.operators.shape import Shape, agree
from archcalc.rationals import Quotient, settled
from archcalc.spec.expressions import LARGEST
from archcalc.symbols import Symbol


class Assembly:
    """The nodes so far, in order.

    Args:
        modules: whether a dot in a path is a level, as in the paths of a model file.
        operators: those of earlier builds, to which new ones are added.
    """

    def __init__(self, effort: Effort, modules: bool, operators: dict[Any, Operator]) -> None:
        self.effort, self._modules = effort, modules
        self.nodes: list[Node] = []
        self._operators, self._symbolic = operators, dict[Any, Operator]()
        self._shapes: dict[tuple[int, tuple[Shape, ...]], Shape] = {}
        self._uses: set[tuple[int, int, tuple[Shape, ...]]] = set()  # of shared weights, checked

    def begin(self, name: str, shape: Shape, keys: Keys) -> int:
        """Add an input, whose place is `keys` of the TOML; the main one is node 0."""
        self.nodes.append(Node(name, Input(shape), (), shape, Span(keys)))
        return len(self.nodes) - 1

    def operator(self, name: str, values: dict[str, Any], rank: int) -> Operator:
        """Return one object for equal operators, so that equal layers can share their analysis.

        `rank` is the number of axes of positions of the tensor that arrives.

        Raises:
            ShapeError: the operator does not take a value.
        """
        cls = operator_class(name)
        for argument in cls.arguments:
            value = values.get(argument.name)
            if argument.kind == "flag" and isinstance(value, Symbol):
                values[argument.name] = bool(value)
            elif value is not None and argument.kind != "number":
                values[argument.name] = settled(value)
        if any(isinstance(value, Symbol) for value in values.values()):
            return cls(**values, rank=rank)
        key = (name, rank, repr(values))
        known = self._symbolic if has_symbols(values.values()) else self._operators
        operator = known.get(key)
        if operator is None:
            operator = known[key] = cls(**values, rank=rank)
        return operator

    def append(
        self,
        path: str,
        operator: Operator,
        inputs: tuple[int, ...],
        place: Span,
        arguments: Mapping[str, Bound],
        shares: int = -1,
    ) -> int:
        """Add a node, and return its number; it uses the weights of node `shares`, if that is not −1.

        Raises:
            ArchError: the inputs do not fit; the error has the place.
        """
        self.effort.work += len(path) // 8 + len(inputs)
        shapes = tuple([self.nodes[i].shape for i in inputs])
        shape = self._shapes.get((id(operator), shapes))
        if shape is None:
            try:
                shape = self._shapes[id(operator), shapes] = _output_shape(operator, shapes)
            except ShapeError as error:
                raise refusals.misfit(error, self.nodes, path, inputs, place, arguments) from None
        path = path.replace(".", "/") if self._modules else path
        node = Node(path, operator, inputs, shape, place, shares)
        use = (shares, id(operator), shapes)
        if shares >= 0 and use not in self._uses:
            try:
                self._require_same_weights(self.nodes[shares], node)
            except ShapeError as error:
                raise refusals.misfit(error, self.nodes, path, inputs, place, arguments) from None
            self._uses.add(use)
        self.nodes.append(node)
        return len(self.nodes) - 1

    def holder(self, index: int) -> int:
        """Return the node that owns the weights of a node; −1 if it has none."""
        node = self.nodes[index]
        if node.shares >= 0:
            return node.shares
        return index if self._weights(node) else -1

    def tied(self, names: tuple[str, ...], label: Bound, arguments: dict[str, Bound]) -> int:
        """Return the node whose weights a layer shares, and set arguments of these names to its own."""
        node = self.nodes[label.value]
        for name in names:
            if not hasattr(node.operator, name):
                raise refusals.no_holder(node, label)
            arguments.setdefault(name, label._replace(name=name, value=getattr(node.operator, name)))
        return self.holder(label.value)

    def _weights(self, node: Node) -> tuple[Weight, ...]:
        return node.operator.weights(*(self.nodes[i].shape for i in node.inputs))

    def _require_same_weights(self, holder: Node, node: Node) -> None:
        for a, b in zip_longest(self._weights(holder), self._weights(node)):
            fits = agree(a.shape, b.shape) if a and b and a.role == b.role else 0
            require(
                fits,
                "`{node}` needs a {role} of {sizes}, and {holder} has {there}",
                help=lambda **words: "the same weights need the same channels",
                node=str(node.operator),
                role=(b or a).role,
                sizes=_sizes(b),
                holder=holder.path[-200:],
                there=_sizes(a),
            )


def has_symbols(values: Iterable[Any]) -> bool:
    """Return whether a symbol, which belongs to this build alone, is among values or in their lists."""
    for value in values:
        if isinstance(value, Symbol | Quotient):
            return True
        if isinstance(value, list | tuple) and has_symbols(value):
            return True
    return False


def _sizes(weight: Weight | None) -> str:
    return "none" if weight is None else "×".join(map(str, recorded(weight.shape)))


def _output_shape(operator: Operator, inputs: tuple[Shape, ...]) -> Shape:
    shape = operator.output_shape(*inputs)
    if any(type(size) is int and size > LARGEST for size in shape):
        raise ShapeError("the output goes beyond 64 bits")
    return shape
