"""Charts of a page as SVG: bars of memory, squares of fields over the input, balls of networks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import ceil, floor, log10, sqrt

from archcalc.reports.boxes import Mark
from archcalc.reports.page import Ball
from archcalc.sweeps.results.histograms import Bins, Density, Histogram
from archcalc.units import binary, grouped, scaled
from archcalc.views.html import text

WIDE, HIGH = 1000, 180
GRID, STRIP = 320, 24
AXIS = 60


def bars(marks: Sequence[Mark], peak: int) -> str:
    """Return a bar a step, as high as what is alive; the highest are marked."""
    step = WIDE / max(len(marks), 1)
    parts = [
        f'<rect class="step{" peak" if mark.value == peak else ""}" data-layers="{mark.layers}"'
        f' x="{i * step:.1f}" y="{HIGH - HIGH * mark.value / (peak or 1):.1f}"'
        f' width="{max(step - 0.4, 0.6):.1f}" height="{HIGH * mark.value / (peak or 1):.1f}">'
        f"<title>{text(mark.told)}</title></rect>"
        for i, mark in enumerate(marks)
    ]
    said = f"values alive at each step, {grouped(peak)} at most"
    frame = f'<line class="axis" x1="0" y1="{HIGH}" x2="{WIDE}" y2="{HIGH}"/>'
    return _svg(WIDE, HIGH + 1, said, [*parts, frame], "bars", stretched=True)


def squares(marks: Sequence[Mark], input: int) -> str:
    """Return the input as a grid of 16 × 16 and the fields around its center, all to one scale."""
    most = max([input, *(min(mark.value, 3 * input) for mark in marks)])
    scale = GRID / most
    side, edge = input * scale, (GRID - input * scale) / 2
    grid = [
        f'<path class="grid" d="M{edge + side * i / 16:.1f} {edge:.1f}v{side:.1f}'
        f'M{edge:.1f} {edge + side * i / 16:.1f}h{side:.1f}"/>'
        for i in range(17)
    ]
    fields = []
    for mark in sorted(marks, key=lambda mark: -mark.value):
        wide = min(mark.value, most) * scale
        corner = (GRID - wide) / 2
        place = f'x="{corner:.1f}" y="{corner:.1f}" width="{wide:.1f}" height="{wide:.1f}"'
        fields.append(_field(mark, place, mark.value > most))
    return _svg(GRID, GRID, f"receptive fields over {input} pixels", [*grid, *fields], "squares")


def strips(marks: Sequence[Mark], input: int) -> str:
    """Return a sequence in 16 parts and the fields around its center, from the shortest at the top."""
    most = max([input, *(min(mark.value, 3 * input) for mark in marks)])
    scale, high = GRID / most, STRIP * len(marks)
    side, edge = input * scale, (GRID - input * scale) / 2
    ticks = "".join(f"M{edge + side * i / 16:.1f} 0v{high}" for i in range(17))
    parts = [f'<path class="grid" d="{ticks}"/>']
    for at, mark in enumerate(marks):
        long = min(mark.value, most) * scale
        place = (
            f'x="{(GRID - long) / 2:.1f}" y="{at * STRIP + 3}" width="{long:.1f}" height="{STRIP - 6}"'
        )
        parts.append(_field(mark, place, mark.value > most))
    return _svg(GRID, high, f"receptive fields over {input} positions", parts, "squares")


def _field(mark: Mark, place: str, beyond: bool) -> str:
    name = "field beyond" if beyond else "field"
    told = f"<title>{text(mark.told)}</title>"
    return f'<rect class="{name}" data-layers="{mark.layers}" tabindex="0" {place}>{told}</rect>'


def chart(balls: Sequence[Ball], across: str) -> str:
    """Return networks over their multiplies, on a logarithmic scale; the area is that of parameters."""
    wide, high = WIDE, 520
    counted = across == "parameters"
    xs = [log10(max(ball.multiplies, 1)) for ball in balls]
    ys = [log10(max(ball.value, 1e-12)) if counted else ball.value for ball in balls]
    left, right, low, top = *_room(xs), *_room(ys)
    most = max(ball.parameters for ball in balls) or 1

    def place(x: float, y: float) -> tuple[float, float]:
        across = AXIS + (x - left) / (right - left) * (wide - 2 * AXIS)
        return across, high - AXIS - (y - low) / (top - low) * (high - 1.5 * AXIS)

    parts = [f'<path class="axis" d="M{AXIS} {AXIS / 2}V{high - AXIS}H{wide - AXIS}"/>']
    for value in _logarithmic(left, right):
        x, _ = place(log10(value), low)
        parts.append(_tick(x, high - AXIS + 18, scaled(round(value)), "middle"))
    ticks = _logarithmic(low, top) if counted else _steps(low, top)
    for value in ticks:
        _, y = place(left, log10(value) if counted else value)
        parts.append(_tick(AXIS - 8, y + 4, scaled(round(value)) if counted else f"{value:g}", "end"))
    parts.append(_tick(wide / 2, high - 12, "multiplies", "middle"))
    parts.append(_tick(AXIS, AXIS / 2 - 10, f"{across}; area: parameters", "start"))
    order = sorted(range(len(balls)), key=lambda i: -balls[i].parameters)
    for i in order:
        ball, (x, y) = balls[i], place(xs[i], ys[i])
        radius = max(26 * sqrt(ball.parameters / most), 3)
        told = (
            f"{ball.name}: {grouped(ball.multiplies)} multiplies, {grouped(ball.parameters)} parameters"
        )
        told += "" if counted else f", {across} {ball.value:g}"
        parts.append(
            f'<g class="ball" tabindex="0"><circle cx="{x:.1f}" cy="{y:.1f}" r="{radius:.1f}"/>'
            f'<text x="{x + radius + 3:.1f}" y="{y + 4:.1f}">{text(ball.name)}</text>'
            f"<title>{text(told)}</title></g>"
        )
    return _svg(wide, high, f"{across} against multiplies", parts, "balls")


def size_of(values: int) -> str:
    """Return what so many float32 values take."""
    return binary(4 * values)


def _svg(
    wide: float, high: float, said: str, parts: Sequence[str], name: str, stretched: bool = False
) -> str:
    free = ' preserveAspectRatio="none"' if stretched else ""
    about = f'class="chart {name}" role="img" aria-label="{text(said)}"'
    return "".join([f'<svg {about} viewBox="0 0 {wide} {high}"{free}>', *parts, "</svg>"])


def _tick(x: float, y: float, words: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{text(words)}</text>'


def _room(values: Sequence[float]) -> tuple[float, float]:
    """Return the ends of an axis with a tenth of its length free on either side."""
    low, high = min(values), max(values)
    free = (high - low) / 10 or abs(low) / 10 or 1
    return low - free, high + free


def _decades(low: float, high: float) -> list[float]:
    """Return 1, 2 and 5 times powers of ten between two logarithms."""
    powers = range(floor(low), ceil(high) + 1)
    return [m * 10.0**p for p in powers for m in (1, 2, 5) if low <= log10(m * 10.0**p) <= high]


def _logarithmic(low: float, high: float) -> list[float]:
    """Return round numbers between two logarithms: some five, where powers of ten are too few."""
    found = _decades(low, high)
    return found if len(found) > 2 else _steps(10**low, 10**high)


def _steps(low: float, high: float) -> list[float]:
    """Return some five round numbers between two."""
    raw = (high - low) / 5
    step = next(
        m * 10.0 ** floor(log10(raw)) for m in (1, 2, 5, 10) if m * 10.0 ** floor(log10(raw)) >= raw
    )
    return [step * i for i in range(ceil(low / step), floor(high / step) + 1)]


def spread(found: Density, across: str, upwards: str) -> str:
    """Return the rows of a sweep over two metrics, in cells, and their front as points on a line."""
    high = 520
    places = [_scaled(bins, length) for bins, length in ((found.x, WIDE), (found.y, high))]

    def place(x: float, y: float) -> tuple[float, float]:
        return AXIS + places[0](x), high - AXIS - places[1](y)

    most = max((int(count) for column in found.cells for count in column), default=1) or 1
    parts = [f'<path class="axis" d="M{AXIS} {AXIS / 2}V{high - AXIS}H{WIDE - AXIS / 2}"/>']
    for i, column in enumerate(found.cells):
        for j, count in enumerate(column):
            if count:
                left, bottom = place(found.x.edges[i], found.y.edges[j])
                right, top = place(found.x.edges[i + 1], found.y.edges[j + 1])
                corner = f'x="{left:.1f}" y="{top:.1f}"'
                size = f'width="{right - left:.1f}" height="{bottom - top:.1f}"'
                shade = 0.15 + 0.85 * sqrt(int(count) / most)
                parts.append(f'<rect class="cell" {corner} {size} fill-opacity="{shade:.2f}"/>')
    front = [place(x, y) for x, y in found.front]
    if front:
        line = "L".join(f"{x:.1f} {y:.1f}" for x, y in front)
        parts.append(f'<path class="front" d="M{line}"/>')
    for (x, y), (right, up) in zip(front, found.front, strict=True):
        told = f"{across} {grouped(right)}, {upwards} {grouped(up)}"
        dot = f'<circle class="best" cx="{x:.1f}" cy="{y:.1f}" r="4" tabindex="0">'
        parts.append(f"{dot}<title>{text(told)}</title></circle>")
    rights = ((x, place(x, found.y.edges[0])[0]) for x in _named(found.x))
    parts += [_tick(right, high - AXIS + 18, scaled(x), "middle") for x, right in rights]
    tops = ((y, place(found.x.edges[0], y)[1]) for y in _named(found.y))
    parts += [_tick(AXIS - 8, top + 4, scaled(y), "end") for y, top in tops]
    parts.append(_tick(WIDE / 2, high - 12, across, "middle"))
    parts.append(_tick(AXIS, AXIS / 2 - 10, upwards, "start"))
    return _svg(WIDE, high, f"{upwards} over {across}, {grouped(found.rows)} rows", parts, "spread")


def histogram(found: Histogram, name: str) -> str:
    """Return the counts of rows in bins of a metric."""
    high, most = 120, max(found.counts) or 1
    step = WIDE / len(found.counts)
    edges = found.bins.edges
    parts = [
        f'<rect class="step" x="{i * step:.1f}" y="{high - high * count / most:.1f}"'
        f' width="{step - 1:.1f}" height="{high * count / most:.1f}"><title>'
        f"{text(f'{name} {grouped(edges[i])} to {grouped(end)}: {grouped(count)} rows')}</title></rect>"
        for i, (count, end) in enumerate(zip(found.counts, found.bins.ends, strict=True))
    ]
    ends = [
        _tick(0, high + 18, scaled(edges[0]), "start"),
        _tick(WIDE, high + 18, scaled(found.bins.ends[-1]), "end"),
    ]
    return _svg(WIDE, high + 24, f"rows over {name}", [*parts, *ends], "rows")


def _scaled(bins: Bins, length: float) -> Callable[[float], float]:
    """Return how far along an axis of that length a value lies, by the bins' own scale."""
    low, high = bins.edges[0], bins.edges[-1]
    room = length - 1.5 * AXIS

    def linear(value: float) -> float:
        return room * (value - low) / ((high - low) or 1)

    def logarithmic(value: float) -> float:
        return room * log10(max(value, low) / low) / (log10(high / low) or 1)

    return logarithmic if bins.log else linear


def _named(bins: Bins) -> list[int]:
    """Return the values that an axis names."""
    low, high = bins.edges[0], bins.edges[-1]
    if bins.log:
        return [round(value) for value in _decades(log10(low), log10(high))]
    return [round(value) for value in _steps(low, high) if low <= value <= high]
