"""Draw a random sample without repeats from a space of any size, in no memory: a permutation of points.

The axes are dealt into groups of under 2^31 points each; a point is one number per group. Round by
round, one group's number is shifted, modulo the group's size, by a hash of all the others: a Feistel
network (Luby & Rackoff 1988) over residues instead of bits. Each round is invertible, so different
sample numbers are different points for any hash; several rounds make the order look random.

The functions take Python's integers, or arrays of 64-bit unsigned ones.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

from archcalc.tuples import NamedTuple

MOST_IN_GROUP = 1 << 31
SMALL = 1 << 20  # points of a space that is shuffled as a list instead; longer than any axis
BITS = (1 << 64) - 1
MULTIPLIER = 0x9E3779B97F4A7C15  # odd, 2^64 / golden ratio
MIXER = 0xBF58476D1CE4E5B9  # of splitmix64 (Steele et al. 2014)


class Plan(NamedTuple):
    """How points are drawn: axes by group, the groups' sizes, a key for every round."""

    groups: tuple[tuple[int, ...], ...]
    sizes: tuple[int, ...]
    keys: tuple[int, ...]


def plan(lengths: Sequence[int], seed: int) -> Plan:
    """Return groups of nearly equal size, and as many rounds as the smallest group needs.

    Every axis is shorter than the largest possible group.
    """
    groups, sizes = _deal(lengths)
    smallest = min(sizes)
    rounds = 6 if smallest > 1 << 10 else 12 if smallest > 16 else 48
    source = random.Random(seed)
    keys = tuple(source.getrandbits(64) for _ in range(rounds * len(groups)))
    return Plan(groups, sizes, keys)


def _deal(lengths: Sequence[int]) -> tuple[tuple[tuple[int, ...], ...], tuple[int, ...]]:
    """Return at least two groups, longest axes first, each to the smallest group."""
    order = sorted(range(len(lengths)), key=lambda i: -lengths[i])
    count = 2
    while True:
        groups: list[list[int]] = [[] for _ in range(count)]
        sizes = [1] * count
        for axis in order:
            least = sizes.index(min(sizes))
            groups[least].append(axis)
            sizes[least] *= lengths[axis]
        if max(sizes) < MOST_IN_GROUP:
            return tuple(tuple(sorted(g)) for g in groups), tuple(sizes)
        count += 1


def draw(plan: Plan, number: Any) -> list[Any]:
    """Return the number in every group of sample `number` (or of an array of them)."""
    state = []
    for size in plan.sizes[:-1]:
        state.append(number % size)
        number = number // size
    state.append(number)
    count = len(state)
    for i, key in enumerate(plan.keys):
        g = i % count
        mixed = key
        for other in range(count):
            if other != g:
                mixed = ((mixed ^ state[other]) * MULTIPLIER) & BITS
                mixed = ((mixed ^ (mixed >> 32)) * MIXER) & BITS
        state[g] = (state[g] + (((mixed >> 33) * plan.sizes[g]) >> 31)) % plan.sizes[g]
    return state


def digits(plan: Plan, lengths: Sequence[int], state: Sequence[Any]) -> list[Any]:
    """Return the digit on every axis of a drawn point."""
    found: list[Any] = [None] * len(lengths)
    for axes, number in zip(plan.groups, state, strict=True):
        for axis in reversed(axes):
            found[axis] = number % lengths[axis]
            number = number // lengths[axis]
    return found
