"""Remove layers that no output needs: layers merged into others, and moves without a reader."""

from __future__ import annotations

from archcalc.graph.model import Graph, Node


def needed(graph: Graph) -> tuple[Graph, dict[int, int]]:
    """Return the graph of inputs, outputs and all they need, and the new number of each old node."""
    wanted = set(range(graph.inputs)) | set(graph.outputs)
    for index in range(len(graph.nodes) - 1, -1, -1):
        if index in wanted:
            node = graph.nodes[index]
            wanted.update(node.inputs)
            if node.shares >= 0:
                wanted.add(node.shares)
    numbers = {old: new for new, old in enumerate(sorted(wanted))}
    nodes = tuple(_renumbered(graph.nodes[old], numbers) for old in numbers)
    sides = tuple((name, numbers[index]) for name, index in graph.side_outputs)
    return graph._replace(nodes=nodes, output=numbers[graph.output], side_outputs=sides), numbers


def _renumbered(node: Node, numbers: dict[int, int]) -> Node:
    inputs = tuple(numbers[i] for i in node.inputs)
    return node._replace(inputs=inputs, shares=numbers.get(node.shares, -1))
