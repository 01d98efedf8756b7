"""Drawing → SVG: shapes with classes and one style sheet, no variables and no scripts.

A group `g.box` carries `data-layers` (ranges of layer numbers), `data-path` and a `<title>`; a line
`data-edges`. Without a theme the picture follows the reader's: light, dark, or in print.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence, Set
from functools import lru_cache
from html import escape

from archcalc.drawing.metrics import FONT, STYLES, width
from archcalc.drawing.model import Caption, Drawing, DrawnBox, Place, Swatch, Wire, ranges
from archcalc.drawing.sheet import BAR, LABEL_GAP, has_bar

ROUND = 7  # corners of lines

# Okabe and Ito's colors, readable by the color-blind: (fill, stroke, bar)
_LIGHT = {
    "conv": ("#dcebf7", "#0072b2"),
    "depthwise": ("#eaf6fd", "#2f93cc"),
    "grouped": ("#dcebf7", "#0072b2"),
    "upconv": ("#f8e6f0", "#b5588f"),
    "linear": ("#daf1ea", "#00805e"),
    "recurrent": ("#e9e4f5", "#6a51a3"),
    "attention": ("#fdf0d5", "#b87a00"),
    "pool": ("#fce5d6", "#d55e00"),
    "join": ("#fbf7c8", "#8a7d00"),
    "reshape": ("#f2f2f2", "#6e7781"),
    "plain": ("#ffffff", "#6e7781"),
    "input": ("#ffffff", "#57606a"),
    "block": ("#eef1f4", "#57606a"),
}
_DARK = {
    "conv": ("#0b2f4a", "#56a9e6"),
    "depthwise": ("#0b2836", "#7cc9f2"),
    "grouped": ("#0b2f4a", "#56a9e6"),
    "upconv": ("#3d1d30", "#e093bf"),
    "linear": ("#06352a", "#3ccaa2"),
    "recurrent": ("#2a2145", "#b39ddb"),
    "attention": ("#3b2a04", "#f0b440"),
    "pool": ("#452106", "#ff9a55"),
    "join": ("#353100", "#e0d044"),
    "reshape": ("#21262d", "#9ea7b3"),
    "plain": ("#161b22", "#9ea7b3"),
    "input": ("#0d1117", "#9ea7b3"),
    "block": ("#21262d", "#9ea7b3"),
}
KIND_COLORS = _LIGHT
_PRINT = {kind: ("#ffffff", stroke) for kind, (_, stroke) in _LIGHT.items()}
MARK_COLORS = {"new": "#009e73", "gone": "#d55e00", "changed": "#e69f00", "moved": "#cc79a7"}
# background, text, faint text, frame, inner frame, frame's line, line, skip
_INK = {
    "light": ("#ffffff", "#1b1f24", "#57606a", "#f6f8fa", "#ffffff", "#bcc4cc", "#57606a", "#8a7d00"),
    "dark": ("#0d1117", "#e6edf3", "#a3acb8", "#161b22", "#0d1117", "#444c56", "#a3acb8", "#e0d044"),
    "print": ("none", "#000000", "#333333", "none", "none", "#888888", "#333333", "#6b6100"),
}
_FILLS = {"light": _LIGHT, "dark": _DARK, "print": _PRINT}
THEMES = tuple(_INK)


def render(drawing: Drawing, theme: str | None = None, apart: bool = False) -> str:
    """Write the text of an SVG file.

    `apart`: each part of a label as a text of its own, for cairosvg, which cannot center several.
    """
    wide, high = _number(drawing.width), _number(drawing.height)
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide} {high}" '
        f'width="{wide}" height="{high}" role="img" class="archcalc" '
        f'aria-label="{escape(drawing.title)}">'
    )
    by_box: dict[int, list[Caption]] = {}
    for caption in _apart(drawing.captions) if apart else drawing.captions:
        by_box.setdefault(caption.box, []).append(caption)
    frames = [(i, box) for i, box in enumerate(drawing.boxes) if not box.leaf]
    leaves = [(i, box) for i, box in enumerate(drawing.boxes) if box.leaf]
    parts = [
        head,
        f"<style>{_style(theme, {box.color for box in drawing.boxes})}</style>",
        f'<rect class="paper" width="{wide}" height="{high}"/>',
        *(_box(box, by_box.get(i, [])) for i, box in frames),
        *map(_wire, sorted(drawing.wires, key=lambda wire: not wire.skip)),
        *(_box(box, by_box.get(i, [])) for i, box in leaves),
        *map(_text, by_box.get(-1, [])),
        *map(_swatch, drawing.legend),
        "</svg>\n",
    ]
    return "\n".join(parts)


def _style(theme: str | None, used: Set[str]) -> str:
    """Write the style sheet of the kinds that occur; a page may hold it, as it is for drawings alone."""
    if theme is not None:
        return _rules(_shared()) + _rules(_themed(theme, used))
    light, dark, printed = (_rules(_themed(name, used)) for name in ("light", "dark", "print"))
    dark = f"@media screen and (prefers-color-scheme:dark){{{dark}}}"
    return f"{_rules(_shared())}{light}{dark}@media print{{{printed}}}"


def _rules(rules: dict[str, str]) -> str:
    """Write comma-separated selectors → their declarations, as CSS."""
    return "".join(
        f"{','.join(f'.archcalc {one}' for one in selectors.split(','))}{{{declarations}}}"
        for selectors, declarations in rules.items()
    )


def _shared() -> dict[str, str]:
    sizes = {
        f".t-{kind}": f"font-size:{size}px;font-weight:{700 if bold else 400}"
        for kind, (size, bold) in STYLES.items()
    }
    marks = {
        f".box.{mark} .body": f"stroke:{color};stroke-width:2.4" for mark, color in MARK_COLORS.items()
    }
    return {
        "text": f"font-family:{FONT}",
        **sizes,
        ".wire,.skip,.pile": "fill:none",
        ".wire": "stroke-width:1.2",
        ".skip": "stroke-width:1.4",
        ".depthwise .body,.block .body": "stroke-dasharray:4 2",
        ".gone .body": "stroke-dasharray:2 2",
        **marks,
    }


def _themed(theme: str, used: Set[str]) -> dict[str, str]:
    paper, ink, faint, frame, inner, edge, line, skip = _INK[theme]
    kinds = [(kind, colors) for kind, colors in _FILLS[theme].items() if kind in used]
    return {
        ".paper": f"fill:{paper}",
        "text": f"fill:{ink}",
        ".t-small,.t-name,.t-shape,.t-key": f"fill:{faint}",
        ".frame .body": f"fill:{frame};stroke:{edge}",
        ".frame.even .body": f"fill:{inner}",
        ".pile": f"stroke:{edge}",
        ".wire": f"stroke:{line}",
        ".skip": f"stroke:{skip}",
        ".head,.dot": f"fill:{line};stroke:none",
        ".skip+.head": f"fill:{skip}",
        ".legend .bar": f"fill:{faint}",
        **{f".{kind} .body": f"fill:{fill};stroke:{stroke}" for kind, (fill, stroke) in kinds},
        **{f".{kind} .bar": f"fill:{stroke}" for kind, (_, stroke) in kinds},
    }


def _number(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")


def _box(box: DrawnBox, captions: Sequence[Caption]) -> str:
    names = ["box", box.kind if box.kind == "frame" else box.color, box.mark]
    names += ["even"] if box.kind == "frame" and box.depth % 2 else []
    data = f'data-layers="{ranges(box.layers)}" data-path="{escape(box.path)}"{_network(box)}'
    focus = ' tabindex="0"' if box.leaf else ""
    parts = [f'<g class="{" ".join(filter(None, names))}" {data}{focus}>']
    parts += [f"<title>{escape(box.told)}</title>"]
    parts += [*_pile(box), _body(box), *_bar(box), *map(_text, captions), "</g>"]
    return "".join(parts)


def _network(part: DrawnBox | Wire) -> str:
    return f' data-network="{part.network}"' if part.network else ""


def _body(box: DrawnBox) -> str:
    radius = box.height / 2 if box.kind in ("input", "join") else 7 if box.kind == "frame" else 4
    return f'<rect class="body" {_rect(box.x, box.y, box.width, box.height)} rx="{_number(radius)}"/>'


def _rect(x: float, y: float, width: float, height: float) -> str:
    corner = f'x="{_number(x)}" y="{_number(y)}"'
    return f'{corner} width="{_number(width)}" height="{_number(height)}"'


def _pile(box: DrawnBox) -> list[str]:
    """Draw the edges of two more sheets behind a box that stands for several."""
    if box.times < 2:
        return []
    right, bottom = box.x + box.width, box.y + box.height
    path = "".join(
        f"M{_number(box.x + 2 * d)} {_number(box.y - d)}H{_number(right + d)}V{_number(bottom - 2 * d)}"
        for d in (3, 6)
    )
    return [f'<path class="pile" d="{path}"/>']


def _bar(box: DrawnBox) -> list[str]:
    if not has_bar(box):
        return []
    place = _rect(box.x + 6, box.y + box.height - 5.5, BAR * box.share, 3)
    return [f'<rect class="bar" {place} rx="1"/>']


def _apart(captions: Sequence[Caption]) -> Iterator[Caption]:
    """Write labels of several parts, each part with a place of its own."""
    for caption in captions:
        parts = [(caption.before, "small"), (caption.text, caption.kind), (caption.after, "small")]
        shown = [part for part in parts if part[0]]
        if len(shown) < 2:
            yield caption
            continue
        x = caption.x - (sum(width(*part) for part in shown) + LABEL_GAP * (len(shown) - 1)) / 2
        for text, kind in shown:
            yield caption._replace(x=x, text=text, kind=kind, anchor="start", before="", after="")
            x += width(text, kind) + LABEL_GAP


def _text(caption: Caption) -> str:
    anchor = f' text-anchor="{caption.anchor}"' if caption.anchor != "start" else ""
    if caption.kind == "title":  # in whatever font, it ends where the picture does
        anchor = f' textLength="{_number(caption.room)}" lengthAdjust="spacingAndGlyphs"'
    parts = [_small(caption.before), escape(caption.text), _small(caption.after)]
    words = " ".join(filter(None, parts))
    place = f'x="{_number(caption.x)}" y="{_number(caption.y)}"'
    return f'<text class="t-{caption.kind}" {place}{anchor}>{words}</text>'


def _small(text: str) -> str:
    return f'<tspan class="t-small">{escape(text)}</tspan>' if text else ""


@lru_cache(maxsize=2048)  # while a text is typed in, most lines stay where they are
def _wire(wire: Wire) -> str:
    edges = " ".join(f"{a}-{b}" for a, b in wire.edges)
    kind = "skip" if wire.skip else "wire"
    path = _path(wire.points, wire.arrow, wire.dot)
    parts = [f'<path class="{kind}" d="{path}" data-edges="{edges}"{_network(wire)}/>']
    if wire.arrow:
        parts.append(f'<path class="head" d="{_head(*wire.points[-2:])}"/>')
    if wire.dot:
        x, y = map(_number, wire.dot)
        parts.append(f'<circle class="dot" cx="{x}" cy="{y}" r="2.2"/>')
    return "".join(parts)


def _path(points: Sequence[Place], arrow: bool, dot: Place | None) -> str:
    """Write a polyline with round corners, but at its dot, that ends where an arrow's head begins."""
    stop = _towards(points[-1], points[-2], 4) if arrow else points[-1]
    path = f"M{_place(points[0])}"
    for before, corner, after in zip(points, points[1:-1], [*points[2:-1], stop], strict=False):
        sharp = corner == dot
        reach = 0 if sharp else min(ROUND, _far(before, corner) / 2, _far(corner, after) / 2)
        path += f"L{_place(_towards(corner, before, reach))}"
        path += f"Q{_place(corner)} {_place(_towards(corner, after, reach))}"
    return f"{path}L{_place(stop)}"


def _place(point: Place) -> str:
    x, y = point
    return f"{_number(x)} {_number(y)}"


def _far(a: Place, b: Place) -> float:
    return abs(a[0] - b[0]) + abs(a[1] - b[1])  # lines run straight down or across


def _towards(start: Place, stop: Place, distance: float) -> Place:
    far = _far(start, stop) or 1
    share = min(1.0, distance / far)
    return start[0] + (stop[0] - start[0]) * share, start[1] + (stop[1] - start[1]) * share


def _head(before: Place, tip: Place) -> str:
    base = _towards(tip, before, 6)
    across = ((tip[1] - base[1]) / 2, (base[0] - tip[0]) / 2)
    corners: Iterable[Place] = (
        tip,
        (base[0] + across[0], base[1] + across[1]),
        (base[0] - across[0], base[1] - across[1]),
    )
    return "M" + "L".join(map(_place, corners)) + "Z"


def _swatch(swatch: Swatch) -> str:
    if swatch.color == "bar":
        rect = _rect(swatch.x, swatch.y + 3.5, 11, 3)
        return f'<g class="legend"><rect class="bar" {rect} rx="1"/></g>'
    rect = _rect(swatch.x, swatch.y, 11, 10)
    mark = swatch.color if swatch.color in MARK_COLORS else ""
    kind = f"box {mark}" if mark else swatch.color
    return f'<g class="legend {kind}"><rect class="body" fill="none" {rect} rx="2"/></g>'
