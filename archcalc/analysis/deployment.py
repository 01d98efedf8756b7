"""Count what a network stores when deployed: batch norms are folded into the layers before them."""

from __future__ import annotations

from archcalc.graph.model import Graph
from archcalc.symbols import Int
from archcalc.tuples import NamedTuple

NORM = "bn"
TAKES_NORM = ("conv", "deconv", "linear")


class Deployed(NamedTuple):
    """The stored numbers that multiply, and those that are added to sums of products."""

    weights: Int
    biases: Int


def deployed(graph: Graph) -> Deployed:
    """Count the numbers of a network whose batch norms are folded.

    A folded norm leaves a bias for each channel in the layer before it. One that does not fold (it does
    not follow a conv or linear layer, or others read its input) leaves a factor and a bias for each.
    """
    norms = foldable(graph)
    biased = {graph.nodes[norm].inputs[0] for norm in norms}
    times = graph.times()
    weights: Int = 0
    biases: Int = 0
    for index, node in enumerate(graph.nodes):
        if node.shares >= 0 or index in norms:
            continue
        if node.operator.name == NORM:
            count = node.shape.channels * times.get(index, 1)
            weights, biases = weights + count, biases + count
            continue
        for weight in graph.weights(node):
            added, count = weight.role in ("bias", "shift"), weight.size * times.get(index, 1)
            weights, biases = weights + (not added) * count, biases + added * count
        if index in biased and getattr(node.operator, "nobias", False):
            biases = biases + node.shape.channels * times.get(index, 1)
    return Deployed(weights, biases)


def foldable(graph: Graph) -> set[int]:
    """Return the batch norms that fold: their input is that of a conv or linear layer, and only theirs.

    Layers that use the same weights must all be followed by one and the same norm.
    """
    readers = readers_of(graph)
    found: dict[int, int] = {}  # the layer before each norm
    for index, node in enumerate(graph.nodes):
        if node.operator.name == NORM:
            (before,) = node.inputs
            if graph.nodes[before].operator.name in TAKES_NORM and readers[before] == 1:
                found[index] = before
    owner = [index if node.shares < 0 else node.shares for index, node in enumerate(graph.nodes)]
    norm_of = {before: owner[norm] for norm, before in found.items()}
    used: dict[int, set[int | None]] = {}  # by owner of weights, the norms that follow their uses
    for index in range(len(graph.nodes)):
        used.setdefault(owner[index], set()).add(norm_of.get(index))
    behind: dict[int, set[int | None]] = {}
    for index, node in enumerate(graph.nodes):
        if node.operator.name == NORM:
            layer_of = owner[found[index]] if index in found else None
            behind.setdefault(owner[index], set()).add(layer_of)
    return {
        norm
        for norm, before in found.items()
        if used[owner[before]] == {owner[norm]} and behind[owner[norm]] == {owner[before]}
    }


def readers_of(graph: Graph) -> list[int]:
    """Return the number of readers of each node; the network's output counts as read."""
    readers = [0] * len(graph.nodes)
    for index in (*graph.outputs, *(i for node in graph.nodes for i in node.inputs)):
        readers[index] += 1
    return readers
