"""The numbers of a block that differ from call to call: as arguments, and expressions of these."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence

from archcalc.tuples import NamedTuple

Values = tuple[int | None, ...]  # of each call; None where it has no such layer

TIMES = (2, 3, 4, 6, 8, 16)
LEAST = 8  # channels that are more than a coincidence
_SHORT = {"filters": "c", "units": "c", "channels": "c", "size": "c", "from": "start", "heads": "h"}


ARRIVING = "{channels}"  # the default of what names the channels that enter


class Argued(NamedTuple):
    """An argument of a block: `default` as a number or an expression; None: required."""

    name: str
    values: Values
    default: str | None
    is_channels: bool = False

    @property
    def written(self) -> str:
        """As it stands in `args`."""
        return self.name if self.default is None else f"{self.name}={self.default}"

    @property
    def computed(self) -> bool:
        """Whether no call ever names it."""
        return self.default is not None and not self.default.isdecimal()


class Numbers:
    """The arguments of one block, found as its numbers are told one by one.

    Args:
        entering: the channels that enter, of each call.
        named: a name that these have from the beginning, '' if they may get one later.
    """

    def __init__(self, entering: Values, named: str = "") -> None:
        self.entering = entering
        self.arguments: list[Argued] = []
        if named:
            self._add(named, self.entering, ARRIVING, True)

    def text(self, values: Values, arriving: Values, name: str, is_channels: bool) -> str:
        """Return an expression for a number of a step.

        Args:
            values: of each call.
            arriving: the channels that arrive at the step.
            name: the argument of the step.
            is_channels: whether the number is one of channels.
        """
        alike = len({v for v in values if v is not None}) == 1
        if name == "g" and same(values, arriving) and values != (1,) * len(values):
            return "channels"
        if None in values and (own := self._own(name, values, is_channels)):
            return own
        if alike:
            return (is_channels and self._of_entering(values, LEAST)) or _constant(values)
        if is_channels or name == "g":
            found = next(self._channels(values, arriving), "")
        else:
            found = self._own(name, values, is_channels)
        return found or self.new(name, values, is_channels)

    def _own(self, name: str, values: Values, is_channels: bool) -> str:
        """Return the argument that the same number of another step is, if it fits."""
        alike = (a for a in self.arguments if (a.is_channels if is_channels else a.name == name))
        return next((a.name for a in alike if same(values, a.values)), "")

    def value(self, text: str, channels: Values) -> Values:
        """Return an expression's value in each call: 'c', '4*c', 'channels//2', '64'."""
        first, sign, second = text.partition("//") if "//" in text else text.partition("*")
        if sign == "//":
            return tuple(None if v is None else v // int(second) for v in self.value(first, channels))
        if sign:
            return tuple(None if v is None else v * int(first) for v in self.value(second, channels))
        if text.isdecimal():
            return (int(text),) * len(channels)
        known = {a.name: a.values for a in self.arguments}
        return known.get(text, channels)

    def _channels(self, values: Values, arriving: Values) -> Iterator[str]:
        known = [a for a in self.arguments if a.is_channels]
        yield from (a.name for a in known if same(values, a.values))
        if same(values, arriving):
            yield "channels"
        for argument in known:
            yield from _multiples(values, argument.values, argument.name)
        if arriving == self.entering:
            yield from _multiples(values, arriving, "channels")
        if found := self._of_entering(values):
            yield found
        yield from _multiples(values, arriving, "channels")

    def _of_entering(self, values: Values, least: int = 1) -> str:
        """Return the number as one of the channels that enter the block, which get a name."""
        if min((v for v in values if v is not None), default=0) < least:
            return ""
        if same(values, self.entering):
            return self.named_entering()
        found = next(_multiples(values, self.entering, "{}"), "")
        return found and found.format(self.named_entering())

    def named_entering(self) -> str:
        """Return the name of the channels that enter."""
        found = next((a.name for a in self.arguments if a.default == ARRIVING), "")
        name = "inputs" if any(a.is_channels for a in self.arguments) else "c"
        return found or self._add(name, self.entering, ARRIVING, True)

    def new(self, name: str, values: Values, is_channels: bool = False) -> str:
        """Make an argument of a number, optional where it is often the same."""
        name = _SHORT.get(name, name).rstrip("0123456789")
        default = None
        if name not in _SHORT.values() or None in values:
            default = str(Counter(v for v in values if v is not None).most_common(1)[0][0])
        return self._add(name, values, default, is_channels)

    def flag(self, name: str, present: Sequence[bool]) -> str:
        """Make an argument of 1 and 0."""
        default = Counter(present).most_common(1)[0][0]
        return self._add(name, tuple(map(int, present)), str(int(default)))

    def _add(self, name: str, values: Values, default: str | None, is_channels: bool = False) -> str:
        taken = {a.name for a in self.arguments}
        names = [name, *(f"{name}{n}" for n in range(2, len(taken) + 3))]
        free = next(n for n in names if n not in taken)
        self.arguments.append(Argued(free, values, default, is_channels))
        return free


def same(values: Values, others: Values, of: Callable[[int], int] = lambda n: n) -> bool:
    """Return whether each number is so made of its counterpart, where there is one."""
    pairs = zip(values, others, strict=True)
    return all(a is None or (b is not None and a == of(b)) for a, b in pairs)


def _multiples(values: Values, others: Values, name: str) -> Iterator[str]:
    for times in TIMES:
        if same(values, others, lambda n, t=times: t * n):  # type: ignore[misc]
            yield f"{times}*{name}"
    for times in TIMES:
        if same(values, others, lambda n, t=times: n // t if n % t == 0 else -1):  # type: ignore[misc]
            yield f"{name}//{times}"


def _constant(values: Values) -> str:
    return str(next(v for v in values if v is not None))


def size(text: str) -> str:
    """Return an expression as a size of a step: '64', '{4*c}'."""
    return text if text.isdecimal() else f"{{{text}}}"


def ordered_arguments(arguments: Iterable[Argued]) -> list[Argued]:
    """Return arguments with the required ones first."""
    return sorted(arguments, key=lambda a: a.default is not None)
