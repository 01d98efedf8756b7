"""Turn reports into text: one file per format, all reading the same `Report`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import import_module

from archcalc.reports.model import Report

FORMATS = ("table", "json", "csv", "md", "latex", "html")


def render(format: str, command: str, reports: Sequence[Report]) -> str:
    """Return the text of all reports of a command in one format, without a final line end."""
    view: Callable[[str, Sequence[Report]], str] = import_module(f"archcalc.views.{format}").render
    return view(command, reports)
