"""Express the numbers of a block that differ between calls: as arguments or expressions of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence

from archcalc.tuples import NamedTuple

Values = tuple[int | None, ...]  # one per call; None where the call lacks the layer

TIMES = (2, 3, 4, 6, 8, 16)
LEAST = 8  # the fewest channels whose equality is no coincidence
_SHORT = {"filters": "c", "units": "c", "channels": "c", "size": "c", "from": "start", "heads": "h"}


ARRIVING = "{channels}"  # the default of the argument that names the entering channels


class Argued(NamedTuple):
    """An argument of a block; its `default` is a number or an expression, or None if it is required."""

    name: str
    values: Values
    default: str | None
    is_channels: bool = False

    @property
    def written(self) -> str:
        """Its text in `args`."""
        return self.name if self.default is None else f"{self.name}={self.default}"

    @property
    def computed(self) -> bool:
        """Whether its default always holds, so that no call gives it."""
        return self.default is not None and not self.default.isdecimal()


class Numbers:
    """The arguments of one block; each number that is added becomes an argument or an expression.

    Args:
        entering: the channels that enter, per call.
        named: the name of these channels, '' if they get one only when it is needed.
    """

    def __init__(self, entering: Values, named: str = "") -> None:
        self.entering = entering
        self.arguments: list[Argued] = []
        if named:
            self._add(named, self.entering, ARRIVING, True)

    def text(self, values: Values, arriving: Values, name: str, is_channels: bool) -> str:
        """Return an expression for a number of a step.

        Args:
            values: the number, per call.
            arriving: the channels that arrive at the step, per call.
            name: the name of the step's argument.
            is_channels: whether the number counts channels.
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
        """Return an argument with these values: any of channels, else one of the same name; or ''."""
        alike = (a for a in self.arguments if (a.is_channels if is_channels else a.name == name))
        return next((a.name for a in alike if same(values, a.values)), "")

    def value(self, text: str, channels: Values) -> Values:
        """Return the value of an expression ('c', '4*c', 'channels//2', '64') in each call."""
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
        """Return the number as an expression of the entering channels, and name these; or ''."""
        if min((v for v in values if v is not None), default=0) < least:
            return ""
        if same(values, self.entering):
            return self.named_entering()
        found = next(_multiples(values, self.entering, "{}"), "")
        return found and found.format(self.named_entering())

    def named_entering(self) -> str:
        """Return the name of the entering channels; add an argument for them if there is none."""
        found = next((a.name for a in self.arguments if a.default == ARRIVING), "")
        name = "inputs" if any(a.is_channels for a in self.arguments) else "c"
        return found or self._add(name, self.entering, ARRIVING, True)

    def new(self, name: str, values: Values, is_channels: bool = False) -> str:
        """Add an argument for a number; it gets a default if its value is often the same."""
        name = _SHORT.get(name, name).rstrip("0123456789")
        default = None
        if name not in _SHORT.values() or None in values:
            default = str(Counter(v for v in values if v is not None).most_common(1)[0][0])
        return self._add(name, values, default, is_channels)

    def flag(self, name: str, present: Sequence[bool]) -> str:
        """Add an argument that is 1 where `present`, else 0."""
        default = Counter(present).most_common(1)[0][0]
        return self._add(name, tuple(map(int, present)), str(int(default)))

    def _add(self, name: str, values: Values, default: str | None, is_channels: bool = False) -> str:
        taken = {a.name for a in self.arguments}
        names = [name, *(f"{name}{n}" for n in range(2, len(taken) + 3))]
        free = next(n for n in names if n not in taken)
        self.arguments.append(Argued(free, values, default, is_channels))
        return free


def same(values: Values, others: Values, of: Callable[[int], int] = lambda n: n) -> bool:
    """Return whether each value equals `of` its counterpart, wherever both exist."""
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
    """Return an expression in the syntax of a size: '64', '{4*c}'."""
    return text if text.isdecimal() else f"{{{text}}}"


def ordered_arguments(arguments: Iterable[Argued]) -> list[Argued]:
    """Return arguments with the required ones first."""
    return sorted(arguments, key=lambda a: a.default is not None)
