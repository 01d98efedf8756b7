"""Lay out a body as text: as lines of steps, or as branches with a join."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from archcalc.recovery.bodies import IN, Body
from archcalc.recovery.parts import COMMUTATIVE
from archcalc.recovery.variants import Detour
from archcalc.tuples import NamedTuple

JOINED = ("add", "concat", "mul", "sub", "maximum")


class TextLine(NamedTuple):
    """A line: its items, the reference it goes back to (None: it goes on), and its optional run."""

    items: tuple[int, ...]
    back: int | None = None
    run: Detour | None = None


class BodyLayout(NamedTuple):
    """The lines of a body; `branches` precede its `join` (an item), if any, and `rows` follow it."""

    rows: tuple[TextLine, ...]
    join: int | None = None
    branches: tuple[tuple[TextLine, ...], ...] = ()

    def lines(self, run: Detour) -> int:
        """Count the lines that a run takes."""
        return sum(row.run == run for rows in (*self.branches, self.rows) for row in rows)


def rows_or_branches(body: Body) -> BodyLayout:
    """Return the layout of a body without optional runs."""
    return _joined(body, ()) or BodyLayout(rows_of(body))


def lay_out(body: Body, runs: Sequence[Detour]) -> BodyLayout | None:
    """Return the layout of a body with optional runs, or None if there is none."""
    joined = _joined(body, runs)
    if joined is not None:
        return joined
    if any(body[run.start].refs[0] != run.start - 1 for run in runs):
        return None
    return BodyLayout(_rows(body, range(len(body)), IN, runs))


def rows_of(body: Body, alone: Collection[int] = (), ends: Collection[int] = ()) -> tuple[TextLine, ...]:
    """Return the lines of a network's own body; items in `alone` are whole lines, `ends` end a line."""
    return _rows(body, range(len(body)), IN, (), alone, ends)


def _rows(
    body: Body,
    items: Sequence[int],
    current: int,
    runs: Sequence[Detour],
    alone: Collection[int] = (),
    ends: Collection[int] = (),
) -> tuple[TextLine, ...]:
    """Cut items into lines: at calls, before a second layer with weights, after tensors read again."""
    read_again = {
        ref
        for i, item in enumerate(body)
        for place, ref in enumerate(item.refs)
        if place or ref != i - 1
    }
    rows: list[TextLine] = []
    for index in items:
        item = body[index]
        run = next((r for r in runs if r.start <= index < r.stop), None)
        back = None if item.refs[0] == current else item.refs[0]
        last = rows[-1] if rows else None
        if (
            last is None
            or back is not None
            or run != last.run
            or item.is_call
            or body[last.items[-1]].is_call
            or current in read_again
            or current in ends
            or not {index, current}.isdisjoint(alone)
            or (item.weight_layers and any(body[i].weight_layers for i in last.items))
        ):
            rows.append(TextLine((index,), back, run))
        else:
            rows[-1] = last._replace(items=(*last.items, index))
        current = index
    return tuple(rows)


def _joined(body: Body, runs: Sequence[Detour]) -> BodyLayout | None:
    """Return the layout with branches and a join, or None if it does not fit or reads no better."""
    join = next((i for i in reversed(range(len(body))) if len(body[i].refs) > 1), None)
    if join is None or not _is_plain_join(body, join):
        return None
    if any(body[i].refs != (i - 1,) for i in range(join + 1, len(body))):
        return None
    ends = sorted(body[join].refs) if body[join].key[0] in COMMUTATIVE else [*body[join].refs]
    if body[join].key[0] in COMMUTATIVE:
        ends = [*(e for e in ends if e != IN), *(e for e in ends if e == IN)]
    branches = _branches(body, ends, join)
    if branches is None or not (_worth(branches, runs) or _goes_on(body, join)):
        return None
    rows = []
    for branch in branches:
        inner = [r for r in runs if r.start in branch]
        if any(body[r.start].refs[0] not in (r.start - 1, IN) for r in inner):
            return None
        rows.append(_rows(body, branch, IN, inner))
    behind = _rows(body, range(join + 1, len(body)), join, runs)
    if any(r.start <= join < r.stop for r in runs):
        return None
    return BodyLayout(behind, join, tuple(rows))


def _goes_on(body: Body, join: int) -> bool:
    """Return whether a concat appends to the tensor that enters (as in DenseNet)."""
    return body[join].refs[0] == IN and body[join].key[0] == "concat"


def _is_plain_join(body: Body, join: int) -> bool:
    name, literal, *_ = body[join].key
    plain = name != "concat" or "'channels'" in literal
    return name in JOINED and plain and "True" not in literal


def _branches(body: Body, ends: Sequence[int], join: int) -> list[list[int]] | None:
    """Return the items of each branch; None if one is no chain from the input, or out of order."""
    found: list[list[int]] = []
    for end in ends:
        chain: list[int] = []
        while end != IN:
            if end < IN or len(body[end].refs) != 1 or end in chain:
                return None
            chain.append(end)
            end = body[end].refs[0]
        found.append(chain[::-1])
    ran = [i for chain in found for i in chain]
    if ran != list(range(join)) or sum(not chain for chain in found) > 1:
        return None
    return found


def _worth(branches: Sequence[Sequence[int]], runs: Sequence[Detour]) -> bool:
    """Return whether branches read better than labels: there are several, or one is optional."""
    whole = [
        r for r in runs if any(b and b[0] == r.start and len(b) == r.stop - r.start for b in branches)
    ]
    return sum(bool(branch) for branch in branches) > 1 or bool(whole)
