"""A network as a list of nodes in the order of the spec. Nothing changes it."""

from __future__ import annotations

from archcalc.errors import Span
from archcalc.operators.model import Operator, Weight
from archcalc.operators.shape import Shape
from archcalc.symbols import Int
from archcalc.tuples import NamedTuple


class Node(NamedTuple):
    """One layer: its path ('stage1/conv2'), its operator, the nodes it reads, its output's shape.

    `shares` is the node whose weights it uses, or −1.
    """

    path: str
    operator: Operator
    inputs: tuple[int, ...]
    shape: Shape
    span: Span
    shares: int = -1


class Fold(NamedTuple):
    """A repeat of `rounds`, three of which are there: nodes from `first`, `middle`, `last` to `end`.

    The middle round stands for all between the first and the last. `exits`: the last tensor of each.

    Attributes:
        outer: whether the rounds read tensors from before the repeat.
        names: of the rounds, in paths, without their numbers.
    """

    first: int
    middle: int
    last: int
    end: int
    exits: tuple[int, int, int]
    rounds: Int
    outer: bool
    names: frozenset[str]


class Graph(NamedTuple):
    """A network. Its first nodes are its inputs, the main one before others.

    `output` is its main output, `side_outputs` have names.

    `read` are the variables of the spec that something in it reads, `frozen` the nodes that training
    leaves as they are. `folds` are repeats of a symbolic count, inner ones first.
    """

    nodes: tuple[Node, ...]
    output: int
    side_outputs: tuple[tuple[str, int], ...] = ()
    read: frozenset[str] = frozenset()
    frozen: frozenset[int] = frozenset()
    folds: tuple[Fold, ...] = ()

    def times(self) -> dict[int, Int]:
        """Return how many nodes a node of a fold stands for, if not for itself alone."""
        found: dict[int, Int] = {}
        for fold in self.folds:
            for index in range(fold.middle, fold.last):
                found[index] = found.get(index, 1) * (fold.rounds - 2)
        return found

    def input_shapes(self, node: Node) -> tuple[Shape, ...]:
        """Return the shapes of what a node reads, in order."""
        return tuple([self.nodes[i].shape for i in node.inputs])

    def weights(self, node: Node) -> tuple[Weight, ...]:
        """Return the tensors that belong to a node: none if it uses those of another."""
        return () if node.shares >= 0 else node.operator.weights(*self.input_shapes(node))

    def holder(self, node: Node) -> Node:
        """Return the node that the weights of a node belong to."""
        return node if node.shares < 0 else self.nodes[node.shares]

    @property
    def outputs(self) -> tuple[int, ...]:
        """The main output and the side outputs."""
        return (self.output, *(index for _, index in self.side_outputs))

    @property
    def input(self) -> Shape:
        """The shape of the main input."""
        return self.nodes[0].shape

    @property
    def inputs(self) -> int:
        """How many inputs there are: they are the first nodes."""
        return next((i for i, node in enumerate(self.nodes) if node.inputs), len(self.nodes))

    @property
    def weight_layers(self) -> int:
        """Conv and linear layers on the longest way from the input to the main output."""
        longest: list[int] = []
        for node in self.nodes:
            before = max((longest[i] for i in node.inputs), default=0)
            longest.append(before + node.operator.weight_layer)
        return longest[self.output]
