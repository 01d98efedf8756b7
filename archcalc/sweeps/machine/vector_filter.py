"""Write what keeps of eight points those that satisfy a condition and that no known point beats."""

from __future__ import annotations

from collections.abc import Sequence

from archcalc.sweeps.machine.vector_text import FunctionBody
from archcalc.tuples import NamedTuple

BARS = 8  # known points that every point meets


class Filter(NamedTuple):
    """Names of what a filter reads.

    Attributes:
        first, where, goals: vectors: the first failing check, the condition, what is minimized.
        passed: the number of `first` where no check fails.
        place: the place of the first of the eight points.
        left: how many points there are from it on, also more than eight.
    """

    first: str
    where: str
    goals: Sequence[str]
    passed: int
    place: str
    left: str


class FilterPlaces(NamedTuple):
    """Addresses of what a filter writes, and of the known points that it reads.

    Attributes:
        counts: of valid points, of those that satisfy the condition, of those kept.
        firsts: [check, 2]: the number of points that fail first there, the place of the first.
        places, results: of the points kept; [goal, point], `stride` points a goal.
        bars: [bar, goal].
        scratch: room for a vector of each goal, and one more.
    """

    counts: str
    firsts: str
    places: str
    results: str
    stride: str
    bars: str
    scratch: str


def write_filter(text: FunctionBody, filter: Filter, kept: FilterPlaces, then: str) -> None:
    """Write the filter; it ends with a branch to the label `then`."""
    inside = text.vector("icmp slt", text.constant("i64", *range(text.lanes)), text.spread(filter.left))
    good = text.vector("icmp eq", filter.first, filter.passed)
    failed = text.as_bits(text.masks("and", text.inverted(good), inside))
    _if_any(text, failed, "tally", "tallied")
    _tally(text, filter, kept, failed)
    text.label("tallied")
    valid = text.masks("and", good, inside)
    _add(text, text.address(kept.counts, 0), text.as_bits(valid))
    chosen = text.masks("and", valid, text.vector("icmp ne", filter.where, 0))
    _add(text, text.address(kept.counts, 1), text.as_bits(chosen))
    for bar in range(BARS if filter.goals else 0):
        chosen = text.masks(
            "and",
            chosen,
            _unbeaten(text, filter.goals, text.address(kept.bars, bar * len(filter.goals))),
        )
    bits = text.as_bits(chosen)
    _if_any(text, bits, "keep", then)
    _keep(text, filter, kept, bits, then)


def _if_any(text: FunctionBody, bits: str, then: str, otherwise: str) -> None:
    some = text.value(f"icmp ne {text.bits} {bits}, 0")
    text.line(f"br i1 {some}, label %{then}, label %{otherwise}")


def _add(text: FunctionBody, address: str, bits: str) -> None:
    """Add the number of bits to a count."""
    ones = text.value(f"call {text.bits} @llvm.ctpop.{text.bits}({text.bits} {bits})")
    more = text.value(f"zext {text.bits} {ones} to i64")
    text.store("i64", text.scalar("add", text.load("i64", address), more), address)


def _unbeaten(text: FunctionBody, goals: Sequence[str], bar: str) -> str:
    """Return where a goal is smaller than the bar's, or none is larger."""
    smaller = larger = ""
    for i, goal in enumerate(goals):
        limit = text.spread(text.load("i64", text.address(bar, i)))
        less, more = text.vector("icmp slt", goal, limit), text.vector("icmp sgt", goal, limit)
        smaller = text.masks("or", smaller, less) if smaller else less
        larger = text.masks("or", larger, more) if larger else more
    return text.masks("or", smaller, text.inverted(larger))


def _each(text: FunctionBody, bits: str, name: str) -> str:
    """Begin a loop over the lanes of the bits; return the lane."""
    text.line(f"br label %{name}s")
    text.label(f"{name}s")
    text.line(f"%{name}.bits = phi {text.bits} [ {bits}, %{name} ], [ %{name}.rest, %{name}s ]")
    lane = text.value(f"call {text.bits} @llvm.cttz.{text.bits}({text.bits} %{name}.bits, i1 true)")
    return text.value(f"zext {text.bits} {lane} to i64")


def _next(text: FunctionBody, name: str, then: str) -> None:
    less = text.value(f"sub {text.bits} %{name}.bits, 1")
    text.line(f"%{name}.rest = and {text.bits} %{name}.bits, {less}")
    _if_any(text, f"%{name}.rest", f"{name}s", then)


def _tally(text: FunctionBody, filter: Filter, kept: FilterPlaces, failed: str) -> None:
    text.label("tally")
    text.store(text.integers, filter.first, kept.scratch)
    lane = _each(text, failed, "tally")
    check = text.load("i64", text.address(kept.scratch, lane))
    count = text.address(kept.firsts, text.scalar("shl", check, 1))
    before, place = text.load("i64", count), text.address(count, 1)
    text.store("i64", text.scalar("add", before, 1), count)
    new = text.value(f"icmp eq i64 {before}, 0")
    own, old = text.scalar("add", filter.place, lane), text.load("i64", place)
    text.store("i64", text.value(f"select i1 {new}, i64 {own}, i64 {old}"), place)
    _next(text, "tally", "tallied")


def _keep(text: FunctionBody, filter: Filter, kept: FilterPlaces, bits: str, then: str) -> None:
    text.label("keep")
    for i, goal in enumerate(filter.goals):
        text.store(text.integers, goal, text.address(kept.scratch, i * text.lanes))
    lane = _each(text, bits, "keep")
    counter = text.address(kept.counts, 2)
    count = text.load("i64", counter)
    text.store("i64", text.scalar("add", filter.place, lane), text.address(kept.places, count))
    for i in range(len(filter.goals)):
        value = text.load("i64", text.address(text.address(kept.scratch, i * text.lanes), lane))
        row = text.scalar("add", text.scalar("mul", kept.stride, i), count)
        text.store("i64", value, text.address(kept.results, row))
    text.store("i64", text.scalar("add", count, 1), counter)
    _next(text, "keep", then)


def scratch(goals: int, lanes: int) -> int:
    """Return the words of room that a filter with this many goals needs."""
    return max(goals, 1) * lanes
