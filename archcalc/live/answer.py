"""A text and its settings → totals, then layers and picture, or mistakes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from archcalc.analysis.costs import Analysis
from archcalc.analysis.field import receptive_fields
from archcalc.analysis.memory import Memory, measure
from archcalc.drawing.fitting import closed_at, fitting
from archcalc.drawing.layout import Drawable, Outline, Wishes, draw, outlines
from archcalc.drawing.model import Drawing
from archcalc.errors import ArchError
from archcalc.live.question import Question
from archcalc.network import Network
from archcalc.operators.shape import Shape
from archcalc.reports.boxes import alive, layers
from archcalc.reports.drawn import drawn
from archcalc.reports.layout import title
from archcalc.spec.expressions import Value
from archcalc.spec.model import Spec, Variable
from archcalc.spec.settings import show_value
from archcalc.units import binary, printable
from archcalc.views import svg

if TYPE_CHECKING:
    from archcalc.views.diagnostics import Mistake

Part = dict[str, Any]
Shown = tuple[Drawing, list[Drawable]]
LARGEST = 10_000  # layers that are drawn at every key stroke


def answer(asked: Question) -> Iterator[Part]:
    """Yield the parts of an answer, each as soon as it is known. Counts are texts: JSON has no 2⁶⁰."""
    try:
        network = asked.network()
        analysis = network.analyze()
    except ArchError as error:
        yield {"part": "mistakes", "mistakes": mistakes(error, asked.text)}
        return
    memory = measure(analysis.graph)
    yield {"part": "totals", **_totals(network, analysis, memory)}
    if asked.bare:
        return
    shown = _shown(network, asked)
    # together: the page would lay out the table before it looks for a picture that comes later
    yield {"part": "drawn", **_layers(analysis, memory, shown), **_picture(shown)}


def mistakes(error: ArchError, text: str) -> list[Part]:
    """Return the mistakes, with characters as a browser counts them: an emoji is two."""
    from archcalc.views.diagnostics import placed

    return [_mistake(found, text) for found in placed(error)]


def _mistake(found: Mistake, text: str) -> Part:
    place = None
    if found.place is not None:
        start, end = found.place
        place = [utf16(text, start), utf16(text, end)]
    return {
        "message": found.message,
        "label": found.label,
        "notes": list(found.notes),
        "help": found.help,
        "place": place,
    }


def utf16(text: str, offset: int) -> int:
    """Return an offset as a browser counts it."""
    return offset if text.isascii() else len(text[:offset].encode("utf-16-le")) // 2


def _totals(network: Network, analysis: Analysis, memory: Memory) -> Part:
    spec = network.spec
    nodes = analysis.graph.nodes
    return {
        "title": title(network, analysis),
        "totals": {
            "parameters": str(int(analysis.parameters)),
            "multiplies": str(int(analysis.multiplies)),
            "weights": str(4 * int(analysis.total.stored_numbers)),
            "peak": str(4 * int(memory.peak)),
            "stored": str(4 * int(memory.stored)),
            "layers": str(int(analysis.weight_layers)),
        },
        "shown": {
            "weights": binary(4 * int(analysis.total.stored_numbers)),
            "peak": binary(4 * int(memory.peak)),
            "stored": binary(4 * int(memory.stored)),
        },
        "shape": _arrow(analysis.graph.input, nodes[analysis.graph.output].shape),
        "variants": list(spec.variants),
        "variant": network.variant or "",
        "input": "x".join(map(str, analysis.graph.input)),
        "variables": [_variable(spec, v, network) for v in spec.variables.values()],
        "words": _words(spec),
    }


def _arrow(start: Shape, end: Shape) -> str:
    return f"{start} → {end}"


def _variable(spec: Spec, variable: Variable, network: Network) -> Part:
    own = spec.variants[network.variant].values if network.variant else {}
    default = own.get(variable.name, variable.default)
    return {
        "name": variable.name,
        "kind": "choice" if variable.choices else _kind(variable.default),
        "default": show_value(default),
        "value": show_value(network.values[variable.name]),
        "choices": [show_value(choice) for choice in variable.choices],
        "help": printable(variable.help),
    }


def _kind(value: Value) -> str:
    if isinstance(value, bool):
        return "switch"
    if isinstance(value, int):
        return "integer"
    return "text" if isinstance(value, str | list) else "decimal"


def _words(spec: Spec) -> Part:
    """Return what can be completed beside operators: blocks with their parameters, and labels."""
    lines = [
        line
        for block in (spec.body, *spec.blocks.values())
        for branch in block.branches
        for line in (*branch.lines, *block.then)
    ]
    labels = dict.fromkeys(line.label for line in lines if line.label)
    blocks = {
        block.name: " ".join([block.name, *(p.name for p in block.parameters)])
        for block in spec.blocks.values()
    }
    return {"blocks": blocks, "labels": list(labels)}


def _shown(network: Network, asked: Question) -> Shown | None:
    """Return the drawing, and what is drawn: with blocks folded as the page has it, else as usual."""
    if len(network.graph.nodes) > LARGEST:
        return None
    wishes = Wishes(by=asked.by, wide=asked.wide)
    whole = drawn(network, None, wishes)
    drawing, parts = fitting(whole)
    if not asked.expand and not asked.close:
        return drawing, parts
    blocks = _blocks(network)
    expand, close = asked.expand & blocks, asked.close & blocks
    parts = [part._replace(wishes=part.wishes._replace(expand=expand, close=close)) for part in parts]
    return draw(parts), parts


def _blocks(network: Network) -> set[str]:
    """Return the paths of all blocks: a fold of one that has left the text is forgotten."""
    found = set()
    for node in network.graph.nodes:
        parts = node.path.split("/")
        found |= {"/".join(parts[:i]) for i in range(1, len(parts))}
    return found


def _layers(analysis: Analysis, memory: Memory, shown: Shown | None) -> Part:
    marks = [[str(mark.value), mark.layers, mark.told] for mark in alive(analysis, memory)]
    field = receptive_fields(analysis.graph).of_network
    seen = "×".join(str(int(axis.size)) for axis in field.sides) or "all"
    rows = [] if shown is None else _rows(analysis, memory, outlines(shown[1])[0])
    return {"rows": rows, "alive": marks, "peak": str(int(memory.peak)), "field": seen}


def _rows(analysis: Analysis, memory: Memory, outline: Outline) -> list[list[str]]:
    keys = ("layers", "layer", "times", "what", "output", "parameters", "multiplies", "alive")
    found = layers(analysis, memory, outline).rows
    return [[str(row.get(key) or ("" if key in keys[:5] else 0)) for key in keys] for row in found]


def picture(network: Network, asked: Question) -> Part:
    """Return the picture alone, as the page has folded it."""
    return _picture(_shown(network, asked))


def _picture(shown: Shown | None) -> Part:
    if shown is None:
        return {"svg": "", "remark": f"more than {LARGEST:,} layers: `archcalc draw` draws them"}
    drawing, parts = shown
    remark = f"{closed_at(parts)}: Enter opens one" if parts[0].wishes.depth else ""
    return {"svg": svg.render(drawing), "remark": remark}
