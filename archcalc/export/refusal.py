"""Refuse what another format cannot say, by the layer's name and with the reason."""

from __future__ import annotations

from archcalc.errors import Diagnostic, UsageError
from archcalc.graph.model import Node


class CannotSay(Exception):
    """A reason why the format has no such operator; the caller adds the layer."""


def refused(format: str, found: list[tuple[Node, str]]) -> UsageError:
    """Return one error for all layers, each kind of reason once with its first place."""
    kinds: dict[tuple[str, str], list[str]] = {}
    for node, reason in found:
        kinds.setdefault((node.operator.name, reason), []).append(node.path)
    notes = tuple(
        f"{name}: {reason}: {paths[0]}" + (f" and {len(paths) - 1} more" if len(paths) > 1 else "")
        for (name, reason), paths in kinds.items()
    )
    names = list(dict.fromkeys(name for name, _ in kinds))
    message = f"{format} cannot say {', '.join(f'`{name}`' for name in names)}"
    return UsageError(
        Diagnostic(message, notes=notes, help="a variant without these layers can be exported")
    )
