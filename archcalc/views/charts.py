"""Charts of a page as SVG: bars of memory, squares of fields over the input, balls of networks."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, floor, log10, sqrt

from archcalc.reports.page import Ball, Mark
from archcalc.units import binary, grouped, scaled
from archcalc.views.html import text

WIDE, HIGH = 1000, 180
GRID = 320
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
        cut = " beyond" if mark.value > most else ""
        fields.append(
            f'<rect class="field{cut}" data-layers="{mark.layers}" tabindex="0" {place}>'
            f"<title>{text(mark.told)}</title></rect>"
        )
    return _svg(GRID, GRID, f"receptive fields over {input} pixels", [*grid, *fields], "squares")


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
    for value in _decades(left, right):
        x, _ = place(log10(value), low)
        parts.append(_tick(x, high - AXIS + 18, scaled(round(value)), "middle"))
    ticks = _decades(low, top) if counted else _steps(low, top)
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


def _steps(low: float, high: float) -> list[float]:
    """Return some five round numbers between two."""
    raw = (high - low) / 5
    step = next(
        m * 10.0 ** floor(log10(raw)) for m in (1, 2, 5, 10) if m * 10.0 ** floor(log10(raw)) >= raw
    )
    return [step * i for i in range(ceil(low / step), floor(high / step) + 1)]
