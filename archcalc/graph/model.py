"""Define a network as an immutable list of nodes in the order of the spec."""

from __future__ import annotations

from archcalc.errors import Span
from archcalc.operators.model import Operator, Weight
from archcalc.operators.shape import Shape
from archcalc.symbols import Int
from archcalc.tuples import NamedTuple


class Node(NamedTuple):
    """A layer: its path ('stage1/conv2'), its operator, the nodes that it reads, its output's shape.

    `shares` is the node whose weights it uses; −1: it has its own.
    """

    path: str
    operator: Operator
    inputs: tuple[int, ...]
    shape: Shape
    span: Span
    shares: int = -1


class Fold(NamedTuple):
    """A repeat of which three rounds are built; the middle one stands for all but the first and last.

    Attributes:
        first, middle, last: the first node of each round.
        end: the node after the last round.
        exits: the last tensor of each round.
        rounds: the number of all rounds.
        outer: whether the rounds read tensors from before the repeat.
        names: the names of the rounds in paths, without their numbers.
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
    """A network.

    Attributes:
        nodes: the inputs, the main one first, then the layers.
        output: the main output.
        side_outputs: the other outputs, with their names.
        read: the variables of the spec that something in it reads.
        frozen: the nodes that training leaves as they are.
        folds: the repeats of a symbolic count, inner ones first.
    """

    nodes: tuple[Node, ...]
    output: int
    side_outputs: tuple[tuple[str, int], ...] = ()
    read: frozenset[str] = frozenset()
    frozen: frozenset[int] = frozenset()
    folds: tuple[Fold, ...] = ()

    def times(self) -> dict[int, Int]:
        """Return for the nodes that stand for several rounds of a fold the number of these."""
        found: dict[int, Int] = {}
        for fold in self.folds:
            for index in range(fold.middle, fold.last):
                found[index] = found.get(index, 1) * (fold.rounds - 2)
        return found

    def input_shapes(self, node: Node) -> tuple[Shape, ...]:
        """Return the shapes of a node's inputs."""
        return tuple([self.nodes[i].shape for i in node.inputs])

    def weights(self, node: Node) -> tuple[Weight, ...]:
        """Return the weights that a node owns: none if it shares those of another."""
        return () if node.shares >= 0 else node.operator.weights(*self.input_shapes(node))

    def holder(self, node: Node) -> Node:
        """Return the node that owns the weights of a node."""
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
        """The number of inputs, which are the first nodes."""
        return next((i for i, node in enumerate(self.nodes) if node.inputs), len(self.nodes))

    @property
    def weight_layers(self) -> int:
        """The number of layers with weights on the longest path from an input to the main output."""
        longest: list[int] = []
        for node in self.nodes:
            before = max(map(longest.__getitem__, node.inputs), default=0)
            longest.append(before + node.operator.weight_layer)
        return longest[self.output]
