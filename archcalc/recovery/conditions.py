"""Find the condition under which a block has an optional run of items."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product

from archcalc.recovery.numbers import Numbers, Values, same

Present = Sequence[bool]


def condition(present: Present, arriving: Values, made: str, numbers: Numbers, name: str) -> str:
    """Return an expression that is true in the instances that have a run.

    Args:
        present: for each instance whether it has the run.
        arriving: for each instance the channels that arrive at the run; () if they must not be used.
        made: the run's output channels as an expression, '' if it does not change them.
        name: the name of a new argument, which is added if no expression fits.
    """
    for text, holds in _guesses(arriving, made, numbers):
        if list(holds) == list(present):
            return text
    if (entering := _same_as_entering(present, arriving, numbers)) is not None:
        return entering
    return numbers.flag(name, present)


def _guesses(arriving: Values, made: str, numbers: Numbers) -> Iterator[tuple[str, list[bool]]]:
    known = [a for a in numbers.arguments if None not in a.values]
    if arriving and made and "channels" not in made:
        ours = numbers.value(made, arriving)
        yield f"channels != {made}", [a != b for a, b in zip(arriving, ours, strict=True)]
    channels = [a for a in known if a.is_channels and arriving]
    for argument in channels:
        pairs = zip(arriving, argument.values, strict=True)
        yield f"channels != {argument.name}", [a != b for a, b in pairs]
    for stride, argument in product(known, channels):
        if stride.name == "s":
            both = zip(stride.values, arriving, argument.values, strict=True)
            yield f"s == 1 and channels == {argument.name}", [s == 1 and a == b for s, a, b in both]
    for argument in channels:
        pairs = zip(arriving, argument.values, strict=True)
        yield f"channels == {argument.name}", [a == b for a, b in pairs]
    for argument in known:
        if argument.name == "s":
            yield "s > 1", [v is not None and v > 1 for v in argument.values]
            yield "s == 1", [v == 1 for v in argument.values]


def _same_as_entering(present: Present, arriving: Values, numbers: Numbers) -> str | None:
    """Return the condition of a shortcut between equal shapes (as in MobileNet v2), or None."""
    if not arriving:
        return None
    stride = next((a for a in numbers.arguments if a.name == "s" and None not in a.values), None)
    strides = stride.values if stride else (1,) * len(arriving)
    both = zip(strides, arriving, numbers.entering, strict=True)
    if same(tuple(map(int, present)), tuple(int(s == 1 and a == b) for s, a, b in both)):
        name = numbers.named_entering()
        return f"s == 1 and channels == {name}" if stride else f"channels == {name}"
    return None
