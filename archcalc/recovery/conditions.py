"""When a run of items is there: a condition on the block's arguments and the channels."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product

from archcalc.recovery.numbers import Numbers, Values, same

Present = Sequence[bool]


def condition(present: Present, arriving: Values, made: str, numbers: Numbers, name: str) -> str:
    """Return an expression that is true where a run is there; an argument of its own if none is.

    Args:
        arriving: the channels that arrive at the run, of each instance; () if these cannot be asked.
        made: the run's channels as an expression, '' if it leaves them.
        name: what an argument would be called.
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
    """Return the condition of a shortcut around equal shapes: MobileNet v2's."""
    if not arriving:
        return None
    stride = next((a for a in numbers.arguments if a.name == "s" and None not in a.values), None)
    strides = stride.values if stride else (1,) * len(arriving)
    both = zip(strides, arriving, numbers.entering, strict=True)
    if same(tuple(map(int, present)), tuple(int(s == 1 and a == b) for s, a, b in both)):
        name = numbers.named_entering()
        return f"s == 1 and channels == {name}" if stride else f"channels == {name}"
    return None
