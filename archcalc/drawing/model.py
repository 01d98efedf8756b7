"""A drawing as data: boxes, wires and captions with their places, and the layers they stand for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from archcalc.tuples import NamedTuple

BoxKind = Literal["layer", "join", "input", "frame", "closed"]
Mark = Literal["", "new", "gone", "changed", "moved"]
Place = tuple[float, float]


class DrawnBox(NamedTuple):
    """A rectangle that stands for layers, those of all ×N copies: their numbers in the graph.

    Attributes:
        kind: layer, join and input are leaves; a frame holds other boxes; closed: a block not opened.
        color: what colors it, a name of `words.KINDS`; '' of a frame.
        path: of the block or of the leaf's first layer.
        head, label, tail: its text: norms before, '3×3 conv 64 /2', what follows: 'bn relu'.
        cost: of all its layers in the unit of the drawing; share: of the length of a full bar, 0 to 1.
        told: what a tooltip says, line by line.
        depth: how many frames it lies in.
        network: 0, or 1 in the second of two networks beside each other.
    """

    kind: BoxKind
    color: str
    path: str
    layers: tuple[int, ...]
    label: str
    head: str
    tail: str
    times: int
    cost: int
    share: float
    mark: Mark
    told: str
    x: float = 0
    y: float = 0
    width: float = 0
    height: float = 0
    depth: int = 0
    network: int = 0

    @property
    def leaf(self) -> bool:
        """Whether nothing lies in it."""
        return self.kind != "frame"


class Wire(NamedTuple):
    """A polyline for edges of the graph, (from, to); `arrow`: it ends at a leaf."""

    points: tuple[Place, ...]
    edges: tuple[tuple[int, int], ...]
    skip: bool = False
    arrow: bool = True
    dot: Place | None = None
    network: int = 0


class Caption(NamedTuple):
    """A text at its baseline. `kind` names its style; `room` is how wide it may be.

    `before` and `after` are smaller parts of the same line; `box` is the number of the box that it is
    written in, or −1.
    """

    x: float
    y: float
    text: str
    kind: str
    anchor: Literal["start", "middle", "end"] = "start"
    box: int = -1
    room: float = 0
    before: str = ""
    after: str = ""


class Swatch(NamedTuple):
    """A key of the legend: a color and its words. The color 'bar' is that of the bars."""

    color: str
    words: str
    x: float
    y: float


class Drawing(NamedTuple):
    """Boxes from the outermost to the innermost, what connects them, and all texts.

    `by` is the measure of costs and bars, `total` the whole network's, `full` what a full bar means;
    `legend` explains the colors that occur.
    """

    title: str
    width: float
    height: float
    boxes: tuple[DrawnBox, ...]
    wires: tuple[Wire, ...]
    captions: tuple[Caption, ...]
    by: str
    total: int
    full: int
    legend: tuple[Swatch, ...]


def ranges(numbers: Sequence[int]) -> str:
    """Write sorted numbers, with runs made short: '3-7 10'."""
    if len(numbers) == 1:
        return str(numbers[0])
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][1] + 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    return " ".join(f"{a}-{b}" if b > a else f"{a}" for a, b in runs)
