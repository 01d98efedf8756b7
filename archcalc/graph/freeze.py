"""Find the layers that training leaves as they are, by patterns of paths as in a shell."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from archcalc.errors import ArchError, Diagnostic, Span, UsageError, shown, suggestion
from archcalc.graph.model import Node

MOST_PATTERNS = 50


def frozen(nodes: Sequence[Node], own: Sequence[str], more: Sequence[str]) -> frozenset[int]:
    """Return the nodes that a pattern ('*/bn*') matches by their path, or that of a block around them.

    `own` are the patterns of the spec, `more` those of the caller.

    Raises:
        ArchError: there are too many patterns, or one matches nothing, or no weights of its own.
    """
    from fnmatch import translate
    from re import compile

    found: set[int] = set()
    for number, pattern in enumerate((*own, *more)):
        place = Span(("train", "freeze")) if number < len(own) else None
        if number == MOST_PATTERNS:
            raise _error(place)(
                Diagnostic(f"more than {MOST_PATTERNS} patterns", place, help="one may match many")
            )
        matches = compile(translate(pattern)).match
        matched = {
            i for i, node in enumerate(nodes) if node.inputs and any(map(matches, _around(node.path)))
        }
        if not matched:
            raise _error(place)(_nothing(nodes, pattern, place))
        holders = {nodes[i].shares for i in matched if nodes[i].shares >= 0} - matched
        if holders and not any(_weighted(nodes, i) for i in matched):
            raise _error(place)(_borrowed(nodes, pattern, min(holders), place))
        found |= matched
    return frozenset(found)


def _error(place: Span | None) -> type[ArchError]:
    """Return the type of the error: of a pattern in the spec, or on the command line."""
    return UsageError if place is None else ArchError


def _around(path: str) -> Iterator[str]:
    """Yield a path, and those of the blocks around it."""
    while path:
        yield path
        path = path.rpartition("/")[0]


def _weighted(nodes: Sequence[Node], index: int) -> bool:
    """Return whether a node has weights of its own."""
    node = nodes[index]
    return node.shares < 0 and bool(node.operator.weights(*(nodes[i].shape for i in node.inputs)))


def _borrowed(nodes: Sequence[Node], pattern: str, holder: int, place: Span | None) -> Diagnostic:
    message = f"what `{shown(pattern)}` names has no weights of its own to freeze"
    return Diagnostic(
        message, place, help=f"freeze `{shown(nodes[holder].path)}`, whose weights it uses"
    )


def _nothing(nodes: Sequence[Node], pattern: str, place: Span | None) -> Diagnostic:
    paths = {path for node in nodes if node.inputs for path in _around(node.path)}
    help = suggestion(pattern, sorted(paths)) or "`archcalc show SPEC --all` lists the layers"
    return Diagnostic(f"no layer or block is called like `{shown(pattern)}`", place, help=help)
