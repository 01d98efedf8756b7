"""Turn a graph into a spec with blocks, arguments and variables, and prove it by reading it back."""

from __future__ import annotations

from collections.abc import Mapping

from archcalc.errors import ArchError
from archcalc.graph.build import build
from archcalc.graph.model import Graph, Node
from archcalc.graph.write import toml_text, write
from archcalc.recovery.bodies import Body
from archcalc.recovery.defaults import defaults_of, defaults_table
from archcalc.recovery.layout import rows_of
from archcalc.recovery.parts import chain_concats, ordered
from archcalc.recovery.search import Blocks
from archcalc.recovery.text import LineLabels, block_text, lines_of, listed
from archcalc.recovery.variables import Varied
from archcalc.spec.model import Source
from archcalc.spec.read import read
from archcalc.spec.settings import settle


def recover(graph: Graph, modules: Mapping[str, str], title: str) -> str:
    """Return the text of a spec with the same layers.

    Modules that run more than once become blocks. In a file without modules, the layers between two
    points where only one tensor is alive do. The text is read and built, and its graph is compared; if
    it differs, the layers are written one by one.

    Args:
        modules: the class of each module, by its path as it begins the paths of its layers.
    """
    chained = chain_concats(graph)
    text = with_blocks(chained, modules, title)
    if not _varies(text):
        text = with_blocks(chained, modules, title, with_width=False)
    return text if is_same(text, chained) else write(graph, title)


def _varies(text: str) -> bool:
    """Return whether a text builds with another width too; true if it has no width."""
    try:
        spec = read(Source("", text))
        width = spec.variables.get("width")
        if width is not None:
            build(spec, settle(spec, None, {"width": 2 * int(str(width.default))}))
    except ArchError:
        return False
    return True


def is_same(text: str, graph: Graph) -> bool:
    """Return whether a spec builds the same layers in the same order.

    The terms of a sum may stand in another order.
    """
    try:
        spec = read(Source("", text))
        made = build(spec, settle(spec, None, {}))
    except ArchError:
        return False
    return (
        len(made.nodes) == len(graph.nodes)
        and made.output == graph.output
        and [i for _, i in made.side_outputs] == [i for _, i in graph.side_outputs]
        and all(
            _told(a) == _told(b)
            and ordered(a) == ordered(b)
            and a.shape == b.shape
            and a.shares == b.shares
            for a, b in zip(made.nodes, graph.nodes, strict=True)
        )
    )


def _told(node: Node) -> str:
    """Return an operator as text; a reshape with the sizes of its output."""
    return "reshape" if node.operator.name == "reshape" else str(node.operator)


def with_blocks(graph: Graph, modules: Mapping[str, str], title: str, *, with_width: bool = True) -> str:
    """Return the text of a spec with blocks; it is not yet compared with the graph."""
    defaults = defaults_of(graph)
    blocks = Blocks(graph, modules, defaults)
    body = blocks.body(blocks.root)
    varied = Varied(graph, body, blocks.calls, defaults, with_width)
    lines = varied.repeated(_lines(graph, body, varied))
    single = [f"input = {toml_text(_size(graph.nodes[0]))}"] if graph.inputs == 1 else []
    parts = [f"title = {toml_text(title)}", *single, listed("layers", lines), ""]
    parts += [*varied.table(), *defaults_table(defaults)]
    for written in blocks.written:
        parts += [block_text(written), ""]
    if graph.inputs > 1:
        parts += [
            "[inputs]",
            *(f"{n.path} = {toml_text(_size(n))}" for n in graph.nodes[: graph.inputs]),
        ]
    return "\n".join(parts).rstrip("\n") + "\n"


def _lines(graph: Graph, body: Body, varied: Varied) -> list[str]:
    """Return the lines of the network's own layers, and its outputs."""
    place = {item.part.output: i for i, item in enumerate(body)}
    layers = [(i, graph.nodes[x.part.first]) for i, x in enumerate(body) if not x.is_call]
    shared = {i: place[node.shares] for i, node in layers if node.shares >= 0}
    inputs = ["in", *(n.path for n in graph.nodes[1 : graph.inputs])]
    labels = LineLabels(body, inputs, named=True, taken=[name for name, _ in graph.side_outputs])
    last = len(graph.nodes) - 1
    left = [place[index] for _, index in graph.side_outputs]
    left += [place[graph.output]] if graph.output != last else []
    rows = rows_of(body, {*shared, *shared.values()}, left)
    labels.need(rows, left, shared)
    steps = [varied.step(i) for i in range(len(body))]
    for index, node in layers:
        if node.shares >= 0 and node.operator.tied is None:
            steps[index] = "reuse"  # the label of its holder follows
    lines = lines_of(body, rows, steps, {}, labels)
    for name, index in graph.side_outputs:
        lines.append(f"output {name} = {labels.reference(place[index])}")
    if graph.output != last:
        lines.append(labels.reference(place[graph.output]))
    return lines


def _size(node: Node) -> str:
    return "x".join(map(str, node.shape))
