"""A network as text or as the bytes of a picture, in each way that there is."""

from __future__ import annotations

from importlib import import_module

from archcalc.drawing.fitting import fitting
from archcalc.drawing.layout import Drawable, outlines
from archcalc.drawing.model import Drawing
from archcalc.errors import Diagnostic, UsageError
from archcalc.views.placing import check_suffix
from archcalc.views.svg import render

SUFFIXES = (".svg", ".png", ".pdf")
FORMATS = ("tree", "svg", "mermaid", "dot", "json")
INSTALL = "pip install 'archcalc[pictures]', or write an .svg"
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
    text = render(drawing, theme or "light", apart=True).encode()
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


def _cairo() -> object:
    try:
        return import_module("cairosvg")
    except (ImportError, OSError):  # OSError: the package without its library
        raise UsageError(Diagnostic("png and pdf need cairosvg", help=INSTALL)) from None
