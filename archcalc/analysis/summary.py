"""Summarize layers as the rows of a screen: fold those without costs, group long networks by block."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from archcalc.analysis.costs import Analysis, Costs, Layer, total
from archcalc.operators.shape import Shape
from archcalc.tuples import NamedTuple

MOST_ROWS = 40
EVERY_LAYER = 0  # a depth that groups and folds nothing

Matters = Callable[[Layer], bool]


class Row(NamedTuple):
    """One or more layers, under the path of the one that matters, or of their block."""

    path: str
    shown: Layer  # whose output the row shows
    costs: Costs
    layers: tuple[Layer, ...]

    @property
    def shape(self) -> Shape:
        """The output shape that the row shows."""
        return self.shown.node.shape


class RowMembers(NamedTuple):
    """The layers of a row, before their costs are summed."""

    path: str
    layers: Sequence[Layer]
    shown: Layer


def summarize(analysis: Analysis, matters: Matters, depth: int | None) -> list[Row]:
    """Return the rows of a table.

    Layers get a row of their own if they matter; others are folded into the row before. `depth` groups
    layers whose paths have the same first parts, so many. None groups nothing; `EVERY_LAYER` neither
    groups nor folds.
    """
    return [_row(*part) for part in _parts(analysis, matters, depth)]


def fitting_depth(analyses: Iterable[Analysis], matters: Matters) -> int | None:
    """Return the largest depth at which each analysis has at most 40 rows; None to group nothing."""
    found: int | None = None
    for analysis in analyses:
        parts = _parts(analysis, matters, found)
        deepest = max((part.path.count("/") for part in parts), default=0)
        while len(parts) > MOST_ROWS and deepest > 0:
            found, deepest = deepest, deepest - 1
            parts = _parts(analysis, matters, found)
    return found


def block(path: str, depth: int | None) -> str:
    """Return the first `depth` parts of a path; all of it without a depth."""
    return "/".join(path.split("/", depth)[:depth]) if depth else path


def ends(layers: Iterable[Layer], depth: int | None) -> dict[str, Layer]:
    """Return the last layer of each block of this depth: its output is the block's."""
    return {block(layer.path, depth): layer for layer in layers}


def short_names(paths: Sequence[str]) -> list[str]:
    """Drop a path's last part where its group has no other: '5x5/reduce/conv' → '5x5/reduce'."""
    names = list(paths)
    while True:
        members: dict[str, int] = {}
        for name in names:
            at = name.find("/")
            while at > 0:
                members[name[:at]] = members.get(name[:at], 0) + 1
                at = name.find("/", at + 1)
        shorter = [_without_last(name, members) for name in names]
        if shorter == names:
            return names
        names = shorter


def named(row: Row, name: str) -> Row:
    """Return the row under a shorter name; the output that it shows is then that of the named block."""
    if name == row.path:
        return row
    inside = [layer for layer in row.layers if layer.path.startswith(f"{name}/")]
    return row._replace(shown=inside[-1])


def _without_last(name: str, members: dict[str, int]) -> str:
    group = name.rpartition("/")[0]
    return group if group and members[group] == 1 else name


def _parts(analysis: Analysis, matters: Matters, depth: int | None) -> list[RowMembers]:
    layers = analysis.computed
    if depth == EVERY_LAYER:
        return [RowMembers(layer.path, [layer], layer) for layer in layers]
    return _grouped(layers, matters, depth) if depth else _folded(layers, matters)


def _folded(layers: Sequence[Layer], matters: Matters) -> list[RowMembers]:
    """Group each layer that matters with those after it; layers before the first join it."""
    groups: list[list[Layer]] = []
    heads: list[Layer] = []
    open_head = True  # the first group still waits for a layer that matters
    for layer in layers:
        if not groups or (matters(layer) and not open_head):
            groups.append([layer])
            heads.append(layer)
        else:
            groups[-1].append(layer)
        if matters(layer):
            heads[-1] = layer
            open_head = False
    return [RowMembers(head.path, group, head) for head, group in zip(heads, groups, strict=True)]


def _grouped(layers: Sequence[Layer], matters: Matters, depth: int) -> list[RowMembers]:
    """Group layers by the first `depth` parts of their paths; fold a top-level one without costs."""
    groups: dict[str, list[Layer]] = {}
    last = ""
    for layer in layers:
        name = block(layer.path, depth)
        if name not in groups and last and not matters(layer) and "/" not in layer.path:
            name = last
        groups.setdefault(name, []).append(layer)
        last = name
    shown = ends(layers, depth)
    return [RowMembers(name, group, shown[name]) for name, group in groups.items()]


def _row(path: str, layers: Sequence[Layer], shown: Layer) -> Row:
    costs = shown.costs if len(layers) == 1 else total(layer.costs for layer in layers)
    return Row(path, shown, costs, tuple(layers))
