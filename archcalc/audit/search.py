"""Find the readings that print as a printed number: explanations, or the nearest.

No number is known in advance: an explanation is a sum that was computed and agrees.

>>> from archcalc.audit.printed import parse
>>> from archcalc.audit.neighbor import Neighbor
>>> from archcalc.spec import catalog
>>> best = find(Neighbor(catalog.find("resnet50"), {}), parse("3.8G")).matches[0]
>>> best.reading.network.name, best.reading.value, best.wording
('resnet50_paper', 3857973248, '3.8 truncates 3.858')
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from math import log

from archcalc.audit.convention import FITTED, Kind
from archcalc.audit.facts import facts
from archcalc.audit.neighbor import Neighbor
from archcalc.audit.printed import How, Printed, UnitScale
from archcalc.audit.readings import MOST_DEPARTURES, Reading, Subject, readings
from archcalc.audit.saved import saved
from archcalc.tuples import NamedTuple

TRUNCATION = 12  # rank beside the weights of conventions and changes
MOST_EXPLAINED = 2  # departures of an explanation; a match with more is arithmetic that happens to fit
CONNECTIONS_UNTIL = 2000  # papers since count multiplies
LEAST_CHANCE = 0.5  # matches expected by chance: with more, only plain ones are believed


class Match(NamedTuple):
    """A reading that prints like this: exactly, rounded or truncated, on one of the scales of the label.

    `wording` puts 'rounds' and the others in words: '3.8 truncates 3.858', '' for a whole number.
    `unusual`: it counts values although the number does not say so; most are parameters or multiplies.
    """

    reading: Reading
    scale: UnitScale
    how: How
    wording: str
    unusual: bool = False

    @property
    def steps(self) -> int:
        """The number of departures, with one more for each of `_beyond`."""
        return self.reading.steps + self._beyond

    @property
    def _beyond(self) -> int:
        """The departures of the match itself: truncation, a unit unlike its label, unusual."""
        return (self.how == "truncates") + self.scale.departs + self.unusual

    @property
    def fitted(self) -> bool:
        """Whether an amount of it was chosen so that it prints like this."""
        return any(convention.slot == FITTED for convention in self.reading.way.conventions)

    @property
    def depth(self) -> int:
        """How far the search goes for better: a fitted match leaves room for two departures."""
        return max(self.steps, MOST_EXPLAINED) if self.fitted and not self.wording else self.steps

    @property
    def weight(self) -> int:
        """The rank among matches with equally many departures: small weight first."""
        return self.reading.weight + TRUNCATION * self._beyond

    def ranks_before(self, other: Match | None) -> bool:
        """Return whether the match is the plainer of two explanations."""
        return other is None or self._place < other._place

    @property
    def _place(self) -> tuple[int, bool, int]:
        return self.depth, self.fitted, self.weight

    @property
    def plain(self) -> bool:
        """Whether the match is believed whatever the chances: at most two departures, and those named.

        Variants, tools, parts, units and truncation are named; switches, sizes and single habits, which
        are many, are not.
        """
        return self.steps < 2 or (self.steps == MOST_EXPLAINED and self.weight <= 23)

    @property
    def reasons(self) -> tuple[str, ...]:
        """Every departure in words, then how the count prints."""
        says = [departure.says for departure in self.reading.departures]
        return tuple(word for word in (*says, self.scale.says, self.wording) if word)


class Nearest(NamedTuple):
    """A reading near the number: `off` is how far its value is above (below: < 0) the interval."""

    reading: Reading
    off: Fraction


class Findings(NamedTuple):
    """The matches with fewest departures, likely ones first, one per count; else the nearest.

    `doubtful` are matches that chance alone explains as well. `most` is the number of departures tried,
    `tried` the number of readings, and `chance` how many of them would match a meaningless number.
    """

    matches: tuple[Match, ...]
    nearest: tuple[Nearest, ...]
    most: int
    tried: int
    chance: float
    doubtful: tuple[Match, ...] = ()


def find(network: Neighbor, printed: Printed, quantity: str = "") -> Findings:
    """Return the readings that print as `printed`.

    Args:
        network: the named network; its neighbors are tried too.
        quantity: what the number counts, if its unit does not say: a key of KINDS.

    Raises:
        ArchError: the named network cannot be built.
    """
    asked = printed.unit or quantity
    return choose(network, lambda: _told(network, asked, printed), printed, asked)


def choose(
    subject: Subject, told: Callable[[], Iterable[Reading]], printed: Printed, asked: str
) -> Findings:
    """Return the readings that print as `printed`, of sums of conventions and of what is `told`.

    Args:
        asked: what the number counts: a key of KINDS.
    """
    most = _most(printed)
    found: dict[tuple[Kind, int], Match] = {}
    nearest: dict[int, Nearest] = {}
    values: set[tuple[Kind, int]] = set()
    tried = 0
    for reading in _all(readings(subject, asked, most, printed.whole), told):
        if any(match.depth < reading.steps for match in found.values()):
            break
        tried += 1
        values.add((reading.way.kind, reading.value))
        match = _match(reading, printed, most, not asked and _unusual(reading, printed))
        if match is None:
            _keep_nearest(nearest, reading, printed)
        elif reading.way.kind == "connections" and ("multiplies", reading.value) in found:
            continue  # without biases they are as many
        elif match.ranks_before(found.get((reading.way.kind, reading.value))) and _all_matter(reading):
            found[reading.way.kind, reading.value] = match
    fewest = min((match.depth for match in found.values()), default=0)
    chance = _by_chance(values, printed)
    fewest_steps = (match for match in found.values() if match.depth == fewest)
    ranked = sorted(fewest_steps, key=lambda match: (match.unusual, match.fitted, match.weight))
    believed = tuple(m for m in ranked if m.plain or chance <= LEAST_CHANCE)
    doubtful = tuple(m for m in ranked if m not in believed)
    return Findings(believed, () if believed else _ranked(nearest), most, tried, chance, doubtful)


def _unusual(reading: Reading, printed: Printed) -> bool:
    """Return whether a number without a word seldom counts this: connections went out with the 1990s."""
    if reading.way.kind == "connections":
        about = reading.network.entry.spec.about if isinstance(reading.network, Neighbor) else {}
        return int(about.get("year") or CONNECTIONS_UNTIL) >= CONNECTIONS_UNTIL
    return reading.way.kind == "values" and not printed.whole


def _all(sums: Iterable[Reading], told: Callable[[], Iterable[Reading]]) -> Iterator[Reading]:
    """Yield sums of conventions by departures; facts of one or two behind the sums of one."""
    waiting = True
    for reading in sums:
        if waiting and reading.steps > 1:
            waiting = False
            yield from told()
        yield reading
    if waiting:
        yield from told()


def _told(network: Neighbor, asked: str, printed: Printed) -> list[Reading]:
    """Return facts by departures: what tools print, parts, files."""
    found = [*facts(network, asked, printed.whole)]
    if asked in ("", "bytes"):
        found += saved(network, printed)
    return sorted(found, key=lambda fact: fact.steps)


def _by_chance(values: set[tuple[Kind, int]], printed: Printed) -> float:
    """Return how many counts would match if those within a factor of two were spread evenly."""
    expected = 0.0
    for scale in printed.scales:
        low, high = printed.interval(scale)
        near = sum(low < 2 * value and value < 2 * high for _, value in values)
        expected += near * log(high / low, 4)
    return expected


def _most(printed: Printed) -> int:
    """Return how many departures the digits can distinguish: more reach almost any number."""
    return 1 if printed.digits < 2 else 2 if printed.digits < 4 else MOST_DEPARTURES


def _match(reading: Reading, printed: Printed, most: int, unusual: bool) -> Match | None:
    """Return the match of a reading, or None if it does not print like this within `most` departures."""
    for scale in _scales(reading, printed):
        how = printed.how(reading.value, scale)
        if how is not None:
            match = Match(reading, scale, how, printed.wording(reading.value, scale), unusual)
            return match if match.steps <= most else None
    return None


def _scales(reading: Reading, printed: Printed) -> tuple[UnitScale, ...]:
    """Return the possible values of the printed unit; a tool's own MB is no departure for it."""
    base = next((c.base for c in reading.way.conventions if c.base), 0)
    if not base or len(printed.scales) == 1:
        return printed.scales
    return (printed.scales[base == 1024]._replace(says=""),)


def _all_matter(reading: Reading) -> bool:
    """Return whether every departure changes the count: otherwise a shorter explanation suffices."""
    return bool(reading.told) or all(departure.amount for departure in reading.departures)


def _keep_nearest(nearest: dict[int, Nearest], reading: Reading, printed: Printed) -> None:
    """Keep a reading that is nearer than all others with as many departures."""
    for scale in _scales(reading, printed):
        off, steps = _off(reading.value, printed, scale), reading.steps + scale.departs
        known = nearest.get(steps)
        if off and (known is None or abs(off) < abs(known.off)):
            nearest[steps] = Nearest(reading, off)


def _off(value: int, printed: Printed, scale: UnitScale) -> Fraction:
    """Return the distance of a value from the interval."""
    low, high = printed.interval(scale)
    return value - low if value < low else max(value - high + 1, Fraction(0))


def _ranked(nearest: dict[int, Nearest]) -> tuple[Nearest, ...]:
    """Return the nearest by departures, each nearer than those with fewer."""
    found: list[Nearest] = []
    for steps in sorted(nearest):
        if not found or abs(nearest[steps].off) < abs(found[-1].off):
            found.append(nearest[steps])
    return tuple(found)
