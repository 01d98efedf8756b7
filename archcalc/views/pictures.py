"""A network as text or as the bytes of a picture, in each way that there is."""

from __future__ import annotations

import re
from html import unescape
from importlib import import_module
from typing import Any

from archcalc.drawing.fitting import fitting
from archcalc.drawing.layout import Drawable, outlines
from archcalc.drawing.metrics import FONT, STYLES, width
from archcalc.drawing.model import Drawing
from archcalc.errors import Diagnostic, UsageError
from archcalc.views.placing import check_suffix
from archcalc.views.svg import render

SUFFIXES = (".svg", ".png", ".pdf")
FORMATS = ("tree", "svg", "mermaid", "dot", "json")
INSTALL = "pip install 'archcalc[pictures]', or write an .svg"
PROBE = "embedding 128256 × 4096"
SHARP = 2  # pixels of a png for each of the drawing's


def check(place: str) -> None:
    """Refuse what cannot become a picture, before any work.

    Raises:
        UsageError: another suffix, or no cairosvg for what needs it.
    """
    if check_suffix(place, SUFFIXES) != "svg":
        _cairo()


def made(place: str, drawing: Drawing, theme: str | None) -> bytes:
    """Draw networks as the name of the file wants it."""
    suffix = check_suffix(place, SUFFIXES)
    if suffix == "svg":
        return render(drawing, theme).encode()
    text = _fitted(render(drawing, theme or "light", apart=True)).encode()
    scale = {"scale": SHARP} if suffix == "png" else {}
    found: bytes = getattr(_cairo(), f"svg2{suffix}")(bytestring=text, **scale)
    return found


def told(format: str, parts: list[Drawable], theme: str | None) -> str:
    """Draw them as text for standard output, without a last line end."""
    if format == "svg":
        return render(fitting(parts)[0], theme).rstrip("\n")
    if format == "json":
        from archcalc.views.drawn_json import render as as_json

        return as_json(fitting(parts)[0])
    text: str = import_module(f"archcalc.views.{format}").render(outlines(parts))
    return text


def _fitted(svg: str) -> str:
    """Name the font that is as wide as the layout reckons, and set a title that is wider more closely.

    cairosvg tries but the first of several fonts, and knows of no length of a text.
    """
    cairo: Any = import_module("cairocffi")
    context = cairo.Context(cairo.ImageSurface(cairo.FORMAT_A8, 1, 1))

    def wide(text: str, kind: str, family: str) -> float:
        size, bold = STYLES[kind]
        context.select_font_face(family, cairo.FONT_SLANT_NORMAL, int(bold))
        context.set_font_size(size)
        return float(context.text_extents(text)[4])

    def closer(title: re.Match[str]) -> str:
        text = unescape(title[2])
        over = wide(text, "title", family) - width(text, "title")
        close = f' letter-spacing="{-over / len(text):.3f}"' if over > 0 else ""
        return f"{title[1]}{close}>{title[2]}<"

    families = [family.strip("'") for family in FONT.split(", ")]
    enough = width(PROBE, "label") * 1.06
    family = next((f for f in families if wide(PROBE, "label", f) <= enough), families[0])
    return re.sub('(<text class="t-title"[^>]*)>([^<]*)<', closer, svg.replace(FONT, family))


def _cairo() -> object:
    try:
        return import_module("cairosvg")
    except (ImportError, OSError):  # OSError: the package without its library
        raise UsageError(Diagnostic("png and pdf need cairosvg", help=INSTALL)) from None
