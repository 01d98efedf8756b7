"""Parts of a network without modules: the layers between two places where a single tensor is alive."""

from __future__ import annotations

from collections.abc import Sequence

from archcalc.graph.model import Graph
from archcalc.recovery.bodies import Item
from archcalc.recovery.parts import Part, Wiring


def segments(items: Sequence[Item], wiring: Wiring) -> list[Part]:
    """Return the parts in which a tensor forks and joins again, with activations right behind them."""
    found: list[Part] = []
    run: list[Item] = []
    reach = -1
    for item in items:
        if run and reach <= run[-1].part.output:
            _close(found, run, wiring.graph)
            run = []
        run.append(item)
        reach = max(reach, *(wiring.last_read[i] for i in range(item.part.first, item.part.end)))
        if len(run) == 1 and wiring.last_read[item.part.output] <= _after(item):
            reach = item.part.output
    _close(found, run, wiring.graph)
    return found


def _after(item: Item) -> int:
    return item.part.end


def _close(found: list[Part], run: Sequence[Item], graph: Graph) -> None:
    first, end = run[0].part.first, run[-1].part.end
    before = found[-1] if found else None
    operator = graph.nodes[first].operator
    if len(run) > 1:
        items = [Part(i.label, i.part.cls, i.part.first, i.part.end, i.part.items) for i in run]
        found.append(Part("", "", first, end, items))
    elif before is not None and before.end == first and _is_activation(run[0], graph):
        before.items.append(Part(operator.name, "", first, end))
        before.end = end


def _is_activation(item: Item, graph: Graph) -> bool:
    node = graph.nodes[item.part.first]
    shapes = graph.input_shapes(node)
    plain = not item.is_call and len(node.inputs) == 1 and not node.operator.weights(*shapes)
    return plain and node.operator.geometry(*shapes) == "pointwise"
