"""Refuse layers that another format cannot express, with the reason for each."""

from __future__ import annotations

from archcalc.errors import Diagnostic, UsageError
from archcalc.graph.model import Node


class ExportError(Exception):
    """The reason why a format cannot express a layer; the caller adds the layer's name."""


def refused(format: str, found: list[tuple[Node, str]]) -> UsageError:
    """Return one error for all refused layers; each reason is given once, with its first layer."""
    kinds: dict[tuple[str, str], list[str]] = {}
    for node, reason in found:
        kinds.setdefault((node.operator.name, reason), []).append(node.path)
    notes = tuple(
        f"{name}: {reason}: {paths[0]}" + (f" and {len(paths) - 1} more" if len(paths) > 1 else "")
        for (name, reason), paths in kinds.items()
    )
    names = list(dict.fromkeys(name for name, _ in kinds))
    message = f"{format} cannot express {', '.join(f'`{name}`' for name in names)}"
    return UsageError(
        Diagnostic(message, notes=notes, help="a variant without these layers can be exported")
    )
