"""Read a printed number as an interval: all counts that round, or are cut, to its digits."""

from __future__ import annotations

import re
from fractions import Fraction
from math import ceil
from typing import Literal

from archcalc.errors import Diagnostic, UsageError
from archcalc.tuples import NamedTuple
from archcalc.units import grouped, printable

Unit = Literal["", "parameters", "multiplies", "FLOPs", "bytes", "values", "connections"]
How = Literal["exact", "rounds", "truncates"]

MOST_CHARACTERS = 60
_LARGEST = 1 << 63
_LEAST_BARE, _MOST_BARE = Fraction(1, 100), 10**6  # bounds of fractions printed without a unit

_POWERS = {
    **dict.fromkeys(("k", "thousand"), 10**3),
    **dict.fromkeys(("m", "mil", "million"), 10**6),
    **dict.fromkeys(("g", "b", "bn", "billion"), 10**9),
    **dict.fromkeys(("t", "trillion"), 10**12),
}
_BINARY = {"k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40}
_UNITS: dict[str, Unit] = {
    **dict.fromkeys(("mac", "macs", "macc", "maccs", "madd", "madds", "adds"), "multiplies"),
    **dict.fromkeys(("multadd", "multadds", "multiplyadd", "multiplyadds"), "multiplies"),
    **dict.fromkeys(("multiply", "multiplies", "multiplications"), "multiplies"),
    **dict.fromkeys(("flop", "flops", "op", "ops", "operation", "operations"), "FLOPs"),
    **dict.fromkeys(("param", "params", "parameter", "parameters", "weights"), "parameters"),
    **dict.fromkeys(("activation", "activations", "neuron", "neurons", "value", "values"), "values"),
    **dict.fromkeys(("connection", "connections"), "connections"),
    **dict.fromkeys(("byte", "bytes"), "bytes"),
}
_NUMBER = re.compile(
    r"[~≈]?(?P<whole>\d{1,3}(?:,\d{3})+|\d+(?:_\d+)*|\d*)(?:\.(?P<decimals>\d+))?"
    r"(?:e(?P<sign>[+-]?)(?P<exponent>\d{1,4}))?(?P<rest>[^\d.,]*)",
    re.ASCII,
)
_BYTES = re.compile(r"(?P<power>[kmgt]?)(?P<binary>i?)b(?:ytes?)?")
_COUNTS = re.compile(
    "(?P<power>" + "|".join(sorted(_POWERS, key=len, reverse=True)) + ")?(?P<unit>[a-z]*)"
)


class UnitScale(NamedTuple):
    """The value of a printed unit; `says` is not empty where the unit differs from its label.

    `assumed`: there is no label, and numbers without one usually have this unit.
    """

    worth: int
    says: str = ""
    assumed: bool = False

    @property
    def departs(self) -> bool:
        """Whether the unit differs from its label."""
        return bool(self.says) and not self.assumed


_ASSUMED = tuple(
    UnitScale(worth, f"printed without a unit, which is {letter} here", assumed=True)
    for letter, worth in (("G", 10**9), ("M", 10**6))
)


class Printed(NamedTuple):
    """A number as printed: '3.8G' is 3.8, with 2 digits, to one place of 0.1, times 10⁹.

    `unit` is what the number counts by its text, '' if the text does not say. MB has two scales.
    """

    text: str
    number: Fraction
    place: Fraction
    digits: int
    unit: Unit
    scales: tuple[UnitScale, ...]

    @property
    def whole(self) -> bool:
        """Whether every digit is printed, so that only the exact integer agrees."""
        return self.place == self.scales[0].worth == 1

    def interval(self, scale: UnitScale | None = None) -> tuple[Fraction, Fraction]:
        """Return [low, high) of all counts that round or truncate to the digits."""
        worth = (scale or self.scales[0]).worth
        if self.whole:
            return self.number, self.number + 1
        return (self.number - self.place / 2) * worth, (self.number + self.place) * worth

    def rounded(self, scale: UnitScale) -> tuple[Fraction, Fraction]:
        """Return [low, high) of all counts that round to the digits."""
        low, high = self.interval(scale)
        return low, high if self.whole else high - self.place / 2 * scale.worth

    def how(self, value: int, scale: UnitScale | None = None) -> How | None:
        """Return how a count becomes these digits, or None if it does not.

        'exact': the number itself; 'rounds': half up; 'truncates': it would round to the next number.
        """
        scale = scale or self.scales[0]
        low, high = self.interval(scale)
        if not low <= value < high:
            return None
        if value == self.number * scale.worth:
            return "exact"
        return "rounds" if value < (self.number + self.place / 2) * scale.worth else "truncates"

    def wording(self, value: int, scale: UnitScale | None = None) -> str:
        """Return '3.8 truncates 3.858' or '4.1 rounds 4.089'; '' for a whole number."""
        how = self.how(value, scale)
        if how is None or self.whole:
            return ""
        if how == "exact":
            return f"{self.shown} is exact"
        count = Fraction(value, (scale or self.scales[0]).worth)
        places = self._places + 2
        while places < 9 and round(count, places) >= self.number + self.place:  # 3.8999 is not 3.90
            places += 1
        return f"{self.shown} {how} {_decimal(round(count, places), places)}"

    @property
    def shown(self) -> str:
        """The digits alone: '3.8'."""
        return _decimal(self.number, self._places)

    @property
    def _places(self) -> int:
        places = 0
        while self.place * 10**places < 1:
            places += 1
        return places


def parse(text: str) -> Printed:
    """Parse '3.8G', '4.1 GMACs', '553MB', '25,636,712', '138 million parameters', '1.5e9 FLOPs'.

    A plain integer is exact to the last digit; every other number as far as it is printed. MB, GB and
    KB may be powers of ten or of two. B is billion, but bytes after an integer of seven digits.

    Raises:
        UsageError: the text is no number, or one beyond 64 bits.
    """
    if len(text) > MOST_CHARACTERS:
        raise _no_number(text[: MOST_CHARACTERS - 1] + "…")
    if text.strip().startswith(("-", "−")):
        raise _too_large(text)
    found = _NUMBER.fullmatch(text.strip().lower())
    if not found or not (found["whole"] or found["decimals"]):
        raise _no_number(text)
    whole = re.sub("[,_]", "", found["whole"])
    decimals = found["decimals"] or ""
    exponent = int(found["sign"] + found["exponent"]) if found["exponent"] else 0
    if abs(exponent) > 18:
        raise _too_large(text)
    place = Fraction(10) ** (exponent - len(decimals))
    number = int(whole + decimals) * place
    digits = len((whole + decimals).lstrip("0"))
    plain = not decimals and not found["exponent"]
    unit, scales = _scales(re.sub(r"[\s-]", "", found["rest"]), text, plain and digits > 6)
    if not 0 < number * scales[0].worth < _LARGEST:
        raise _too_large(text)
    return Printed(text.strip(), number, place, digits, unit, scales)


def counted(printed: Printed, quantity: str = "") -> Printed:
    """Return the number as a count: a fraction without a unit is in units of G or M.

    torchinfo prints 4.09 for ResNet-50. `quantity` is what the number counts, if its unit does not say.

    Raises:
        UsageError: no count prints like this, or its unit is ambiguous.
    """
    if printed.place < 1 and all(scale.worth == 1 for scale in printed.scales):
        usual = _LEAST_BARE <= printed.number < _MOST_BARE
        if not usual or "bytes" in (printed.unit, quantity):
            raise _no_unit(printed)
        return printed._replace(scales=_ASSUMED)
    if not any(_holds_integer(*printed.interval(scale)) for scale in printed.scales):
        raise UsageError(Diagnostic(f"`{printable(printed.text)}` is no whole number, as a count is"))
    return printed


def _holds_integer(low: Fraction, high: Fraction) -> bool:
    return ceil(low) < high


def _scales(rest: str, text: str, long: bool) -> tuple[Unit, tuple[UnitScale, ...]]:
    """Return the unit and scales of the letters after a number."""
    found = _BYTES.fullmatch(rest)
    if found and (rest != "b" or long):
        power, name = found["power"], found["power"].upper()
        decimal, binary = _POWERS.get(power, 1), _BINARY.get(power, 1)
        if not power:
            return "bytes", (UnitScale(1),)
        if found["binary"]:
            return "bytes", (UnitScale(binary),)
        return "bytes", (
            UnitScale(decimal),
            UnitScale(binary, f"{name}B here is {grouped(binary)} bytes ({name}iB)"),
        )
    counts = _COUNTS.fullmatch(rest)
    if counts and (not counts["unit"] or counts["unit"] in _UNITS):
        return _UNITS.get(counts["unit"], ""), (UnitScale(_POWERS.get(counts["power"] or "", 1)),)
    if rest in _UNITS:
        return _UNITS[rest], (UnitScale(1),)
    raise _no_number(text)


def _decimal(value: Fraction, places: int) -> str:
    """Return a fraction with this many decimal places: 3.858 → '3.858'."""
    scaled = round(value * 10**places)
    whole, rest = divmod(scaled, 10**places)
    return f"{whole:,}" + (f".{rest:0{places}}" if places else "")


def _no_number(text: str) -> UsageError:
    help = "as printed: 3.8G, 4.1 GMACs, 553MB, 25636712, 138 million parameters"
    return UsageError(Diagnostic(f"`{printable(text)}` is no number", help=help))


def _no_unit(printed: Printed) -> UsageError:
    help = "with the unit that it is printed in: 4.09G, 25.56M, 97.8MB"
    return UsageError(Diagnostic(f"`{printable(printed.text)}` is no count without a unit", help=help))


def _too_large(text: str) -> UsageError:
    return UsageError(Diagnostic(f"`{printable(text)}` is no count that a network could have"))
