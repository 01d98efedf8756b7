"""Fronts and bests against their definitions, in any order and any cut of the stream."""

from __future__ import annotations

from collections import Counter

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from archcalc.sweeps.machine.fronts import Best, Front

points = st.integers(1, 3).flatmap(
    lambda n: st.lists(st.tuples(*[st.integers(0, 7)] * n), min_size=1, max_size=120)
)


def by_definition(rows: list[tuple[int, ...]]) -> dict[tuple[int, ...], tuple[int, int]]:
    """Objectives of what nothing dominates → its smallest point and how many are alike."""
    counts = Counter(rows)
    return {
        row: (rows.index(row), count)
        for row, count in counts.items()
        if not any(
            other != row and all(a <= b for a, b in zip(other, row, strict=True)) for other in counts
        )
    }


def members(front: Front) -> dict[tuple[int, ...], tuple[int, int]]:
    columns = zip(front.values.T.tolist(), front.numbers.tolist(), front.counts.tolist(), strict=True)
    return {tuple(values): (number, count) for values, number, count in columns}


@settings(max_examples=200, deadline=None, database=None)
@given(points, st.integers(1, 40), st.booleans(), st.randoms(use_true_random=False))
def test_a_front_is_what_nothing_dominates(
    rows: list[tuple[int, ...]], size: int, exact: bool, source: object
) -> None:
    """Chunk by chunk in any order, over two fronts that are put together; also on Python's integers."""
    values = np.array(rows, object if exact else np.int64).T
    if exact:
        values = values + 2**70
    chunks = [np.arange(i, min(i + size, len(rows))) for i in range(0, len(rows), size)]
    source.shuffle(chunks)  # type: ignore[attr-defined]
    fronts = [Front(len(rows[0]), 1_000) for _ in range(2)]
    for i, lanes in enumerate(chunks):
        fronts[i % 2].add(values[:, lanes], lanes)
    fronts[0].add(fronts[1].values, fronts[1].numbers, fronts[1].counts)
    found = members(fronts[0])
    if exact:
        found = {tuple(v - 2**70 for v in row): told for row, told in found.items()}
    assert found == by_definition(rows)
    assert not fronts[0].dropped


def test_a_full_front_says_so_and_stays_bounded() -> None:
    """On a diagonal nothing dominates anything."""
    front = Front(2, 50)
    for begin in range(0, 100_000, 10_000):
        numbers = np.arange(begin, begin + 10_000)
        front.add(np.array([numbers, -numbers]), numbers)
    assert front.dropped
    assert len(front.numbers) == 50
    front.add(np.array([[-1], [-(10**6)]]), np.array([7]))
    assert members(front) == {(-1, -(10**6)): (7, 1)}


@settings(max_examples=30, deadline=None, database=None)
@given(st.integers(0, 10**6))
def test_many_points_in_three_objectives(seed: int) -> None:
    """Few values, so that many are equal or on one step; chunk by chunk, against the definition."""
    source = np.random.default_rng(seed)
    values = source.integers(0, [[9], [30], [30]], (3, 700))
    front = Front(3, 10_000)
    for begin in range(0, 700, 90):
        lanes = np.arange(begin, min(begin + 90, 700))
        front.add(values[:, lanes], lanes)
    assert members(front) == by_definition(list(map(tuple, values.T.tolist())))


def test_a_front_of_a_hundred_thousand_is_whole() -> None:
    """On the plane x + y + z = 0 nothing dominates anything."""
    x, y = np.divmod(np.arange(100_000), 317)
    front = Front(3, 200_000)
    for begin in range(0, 100_000, 25_000):
        part = slice(begin, begin + 25_000)
        front.add(np.array([x, y, -x - y])[:, part], np.arange(begin, begin + 25_000))
    assert (len(front.numbers), front.dropped) == (100_000, False)


@settings(max_examples=100, deadline=None, database=None)
@given(st.lists(st.integers(0, 9), min_size=1, max_size=60), st.integers(1, 9), st.integers(1, 20))
def test_the_best_are_the_smallest(values: list[int], most: int, size: int) -> None:
    """By value, then by number."""
    for kind in (np.int64, object):
        best = Best(most)
        for begin in reversed(range(0, len(values), size)):
            chunk = np.array(values[begin : begin + size], kind)
            best.add(chunk, np.arange(begin, begin + len(chunk)))
        expected = sorted((v, i) for i, v in enumerate(values))[:most]
        assert list(zip(best.values.tolist(), best.numbers.tolist(), strict=True)) == expected
