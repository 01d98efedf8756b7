"""Read a printed text as a claim about a quantity: rounded number, percentage, bound, or size."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Literal

from archcalc.audit.printed import UnitScale, parse
from archcalc.tuples import NamedTuple

How = Literal["exact", "rounds", "truncates", "bounds"]
_SIZE = re.compile(r"\d+(?:[x×](?:\d+|N))+", re.ASCII)


class Figure(NamedTuple):
    """`number` × a scale, to `place`; `whole`: every digit is printed, so only that count agrees."""

    relation: str  # "=", ">" or "<"
    number: Fraction
    place: Fraction
    whole: bool
    scales: tuple[UnitScale, ...]

    @classmethod
    def of(cls, text: str) -> Figure:
        """Parse '15.3 G', '> 50 %', '< 25 million', '0'.

        Raises:
            UsageError: the text has no number.
        """
        relation = text[0] if text[0] in "<>" else "="
        bare = text.lstrip("<> ")
        if bare == "0":
            return cls(relation, Fraction(0), Fraction(1), True, (UnitScale(1),))
        unit = Fraction(1, 100) if bare.endswith("%") else Fraction(1)
        printed = parse(bare.removesuffix("%"))
        whole = printed.whole and unit == 1
        return cls(relation, printed.number * unit, printed.place * unit, whole, printed.scales)

    @property
    def coarse(self) -> Figure:
        """The figure with two or more zeros at its end read as digits that are not printed: 650,000."""
        place = self.place
        while self.number and self.place == 1 and self.number % (place * 10) == 0:
            place *= 10
        return self._replace(place=place, whole=False) if place > 10 else self

    @property
    def binary(self) -> UnitScale:
        """The scale on which K is 1,024, M its square, …; 1 for a plain number."""
        worth = self.scales[0].worth
        power = {10**3: 1 << 10, 10**6: 1 << 20, 10**9: 1 << 30}.get(worth, worth)
        return UnitScale(power, f"its unit is {power:,}, not {worth:,}")

    def agrees(self, value: int | Fraction, scale: UnitScale) -> How | None:
        """Return how a value becomes these digits, or None if it does not."""
        count = Fraction(value) / scale.worth
        if self.relation != "=":
            return "bounds" if (count - self.number) * (1 if self.relation == ">" else -1) > 0 else None
        if count == self.number:
            return "exact"
        if self.whole and isinstance(value, int):
            return None
        if self.number - self.place / 2 <= count < self.number + self.place / 2:
            return "rounds"
        return "truncates" if self.number <= count < self.number + self.place else None


def is_size(text: str) -> bool:
    """Return whether a text is a size: '28x28x256' or '26x26xN'."""
    return _SIZE.fullmatch(text) is not None


def same_size(text: str, size: tuple[int, ...]) -> bool:
    """Return whether a size begins as printed: '227x227' for 227×227×3; N is any number."""
    parts = re.split("[x×]", text)
    return all(part in ("N", str(int(n))) for part, n in zip(parts, size, strict=False))
