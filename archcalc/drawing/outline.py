"""List the boxes of a network as nested entries without places, for text trees and other tools."""

from __future__ import annotations

from collections.abc import Sequence

from archcalc.drawing.compose import Composer
from archcalc.drawing.flow import Fork, Link, Strand
from archcalc.drawing.tree import Chip, Group, Unit
from archcalc.drawing.words import SPOKEN
from archcalc.tuples import NamedTuple


class OutlineEntry(NamedTuple):
    """A box and its entries; `before` are norms before it, `small` the layers merged in after it.

    `layers` are those of all copies, `nodes` those of the first: the ones that edges of the drawing
    lead to and from.
    """

    color: str
    label: str
    before: str
    small: str
    shape: str
    times: int
    cost: int
    mark: str
    path: str
    layers: tuple[int, ...]
    nodes: tuple[int, ...]
    children: list[OutlineEntry]
    beside: bool = False  # it is a branch, with others at its side


def outline(made: Composer, units: Sequence[Unit]) -> list[OutlineEntry]:
    """Return the boxes from top to bottom; a branch is an entry that holds its own."""
    return _entries(made, made.strand(units), units)


def _entries(made: Composer, found: Strand, units: Sequence[Unit]) -> list[OutlineEntry]:
    skips = {link.stop: link for link in found.links if link.stop - link.start > 1}
    entries = []
    for at, item in enumerate(found.items):
        if isinstance(item, Fork):
            branches = (_branch(made, branch, units) for branch in item.branches)
            entries += [entry._replace(beside=True) for entry in branches]
            continue
        entry = _entry(made, units[item])
        if at in skips and entry.color == "join":
            source = _source(found, units, skips[at])
            entry = entry._replace(small=f"with {source} {entry.small}".strip())
        entries.append(entry)
    return entries


def _source(found: Strand, units: Sequence[Unit], link: Link) -> str:
    """Return the source of a skip into a join: the block's input, or the output of another part."""
    item = found.items[link.start] if link.start >= 0 else None
    if not isinstance(item, int):
        return "input"
    unit = units[item]
    return unit.name if isinstance(unit, Group) else unit.path.rpartition("/")[2]


def _branch(made: Composer, branch: Strand, units: Sequence[Unit]) -> OutlineEntry:
    """Return the entry of a branch: its only box, or an entry that holds several."""
    inner = _entries(made, branch, units)
    if len(inner) == 1:
        return inner[0]
    nodes = tuple(i for entry in inner for i in entry.nodes)
    layers = tuple(sorted(i for entry in inner for i in entry.layers))
    shape = inner[-1].shape
    return OutlineEntry(
        "", "branch", "", "", shape, 1, made.measure.of(layers), "", "", layers, nodes, inner
    )


def _entry(made: Composer, unit: Unit) -> OutlineEntry:
    box = made.box(unit)
    label = SPOKEN.get(box.label, box.label) if box.kind == "join" else box.label
    children = [] if isinstance(unit, Chip) or box.leaf else outline(made, unit.children)
    shape = "" if box.color == "input" else str(made.shape(unit))
    return OutlineEntry(
        box.color,
        label or "repeat",
        box.head.removeprefix(box.mark).strip(),
        box.tail,
        shape,
        box.times,
        box.cost,
        box.mark,
        box.path,
        box.layers,
        unit.nodes,
        children,
    )
