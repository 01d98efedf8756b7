"""Plan the permutations that bring axes into another order."""

from __future__ import annotations

import itertools

from archcalc.interop.lowering.axes import Axis


def dealt(own: tuple[Axis, ...], target: tuple[Axis, ...]) -> Axis:
    """Return the channel groups of a channel shuffle that turns `own` into `target`.

    Returns an empty axis when anything but the channels moves, or when a shuffle does not suffice.
    """
    before, after = own[-1], target[-1]
    if own[:-1] != target[:-1] or len(before) < 2:
        return ()
    found = (before[:at] for at in range(1, len(before)) if before[at:] + before[:at] == after)
    return next(found, ())


def blocks(flat: list[int], want: list[int]) -> list[Axis]:
    """Split `flat` into the longest runs of atoms that also follow each other in `want`."""
    follows = dict(itertools.pairwise(want))
    blocks: list[list[int]] = []
    for atom in flat:
        if blocks and follows.get(blocks[-1][-1]) == atom:
            blocks[-1].append(atom)
        else:
            blocks.append([atom])
    return [tuple(block) for block in blocks]


def first_swap(flat: list[int], want: list[int]) -> tuple[list[Axis], list[int]]:
    """Return at most four blocks of `flat`, and the order that puts the first misplaced run in place."""
    at = next(i for i, (a, b) in enumerate(zip(flat, want, strict=True)) if a != b)
    start = flat.index(want[at])
    end = start
    while end < len(flat) and flat[end] == want[at + end - start]:
        end += 1
    parts = [tuple(flat[:at]), tuple(flat[at:start]), tuple(flat[start:end]), tuple(flat[end:])]
    order = [i for i in (0, 2, 1, 3) if parts[i]]
    kept = [i for i in range(4) if parts[i]]
    return [parts[i] for i in kept], [kept.index(i) for i in order]
