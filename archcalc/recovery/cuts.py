"""Cut a network without modules where only one tensor is alive."""

from __future__ import annotations

from collections.abc import Sequence

from archcalc.graph.model import Graph
from archcalc.recovery.bodies import Item
from archcalc.recovery.parts import ModulePart, Wiring


def segments(items: Sequence[Item], wiring: Wiring) -> list[ModulePart]:
    """Return the parts in which a tensor forks and joins again, with the activations after them."""
    found: list[ModulePart] = []
    run: list[Item] = []
    reach = -1  # the last layer that reads any tensor of the run but the newest
    for item in items:
        newest = run[-1].part.output if run else item.part.first - 1
        if run and reach <= newest:
            _close(found, run, wiring.graph)
            run, reach = [], -1
        reach = max(reach, wiring.last_read[newest] if newest >= 0 else -1)
        run.append(item)
    _close(found, run, wiring.graph)
    return found


def _close(found: list[ModulePart], run: Sequence[Item], graph: Graph) -> None:
    first, end = run[0].part.first, run[-1].part.end
    before = found[-1] if found else None
    operator = graph.nodes[first].operator
    if len(run) > 1:
        around = run[0].label.rpartition(".")[0]
        found.append(ModulePart(around, "", first, end, [item.part for item in run]))
    elif before is not None and before.end == first and _is_activation(run[0], graph):
        before.items.append(ModulePart(operator.name, "", first, end))
        before.end = end


def _is_activation(item: Item, graph: Graph) -> bool:
    node = graph.nodes[item.part.first]
    shapes = graph.input_shapes(node)
    plain = not item.is_call and len(node.inputs) == 1 and not node.operator.weights(*shapes)
    return plain and node.operator.geometry(*shapes) == "pointwise"
