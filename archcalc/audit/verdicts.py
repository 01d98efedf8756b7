"""Judge a published number: recompute it, and find it exact, rounded, another convention's, … or wrong.

No verdict is stored: what an entry says about its number (`counts`, `instead`, `arises`) is tried only
if the number itself does not hold, and stands only if the computation reaches it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Literal

from archcalc.analysis.costs import Analysis
from archcalc.audit.figure import Figure, is_size, same_size
from archcalc.audit.neighbor import Neighbor
from archcalc.audit.published import Published
from archcalc.audit.quantities import SIZES, LayerScope, Value
from archcalc.network import Network
from archcalc.spec.expressions import FUNCTIONS
from archcalc.tuples import NamedTuple
from archcalc.units import grouped

if TYPE_CHECKING:
    from archcalc.audit.convention import Convention

Kind = Literal["exact", "rounded", "convention", "variant", "wrong", "unexplained"]
KINDS: tuple[Kind, ...] = ("exact", "rounded", "convention", "variant", "wrong", "unexplained")

# quantity → the kind of its conventions, and its name in the search
CONVENTIONAL = {
    "parameters": ("parameters", "parameters"),
    "numbers": ("parameters", "parameters"),
    "multiplies": ("multiplies", "multiplies"),
    "flops": ("multiplies", "FLOPs"),
    "stored": ("values", "values"),
    "neurons": ("values", "values"),
    "weight_bytes": ("weight bytes", "bytes"),
    "map_bytes": ("map bytes", "bytes"),
}
MOST_STEPS = 2  # departures that a story may need
AROUND = 2_048  # bytes per tensor that a file may add: names, offsets, alignment
_NAME = re.compile(r"[a-z]\w+")


class Verdict(NamedTuple):
    """A number, its status, our count, the count reached instead, and the reason."""

    number: Published
    kind: Kind
    computed: Any
    reached: Any = None
    reason: str = ""

    @property
    def fails(self) -> bool:
        """Whether an entry promises what the computation does not reach."""
        excused = self.number.open or self.number.read == "memory"
        return self.kind == "unexplained" and not excused


class Networks:
    """Networks by name, each analyzed once. `load` takes a name as on a command line.

    A name may also be an inline network: '28x28x192 | conv 32 k5'.
    """

    def __init__(self, load: Callable[[str], Network]) -> None:
        self._load = load
        self._known: dict[str, Neighbor] = {}

    def neighbor(self, name: str) -> Neighbor:
        """Return the network of that name as a neighbor, for the search of readings."""
        if name not in self._known:
            self._known[name] = Neighbor.of(self._load(name))
        return self._known[name]

    def __call__(self, name: str) -> Analysis:
        return self.neighbor(name).analysis


def judge(number: Published, networks: Networks) -> Verdict:
    """Return the plainest verdict on a number that the computation reaches.

    Raises:
        ArchError: its entry names a network, layer or quantity that does not exist.
    """
    scope = LayerScope.of(number.network, number.at, networks)
    if is_size(number.printed):
        return _judge_size(number, scope)
    value = scope.value(number.claim)
    trial = _Trial(number, Figure.of(number.printed), value, scope, networks)
    found: Verdict = next(trial.verdicts(), Verdict(number, "unexplained", value))
    if not number.remark or found.kind in ("exact", "rounded"):
        return found
    remark = number.remark.format_map(_Words(scope))
    return found._replace(reason=f"{found.reason}; {remark}" if found.reason else remark)


class _Words(dict[str, str]):
    """The values for the braces of a remark: expressions over quantities."""

    def __init__(self, scope: LayerScope) -> None:
        self._scope = scope

    def __missing__(self, name: str) -> str:
        return shown(self._scope.value(name))


def shown(value: Any) -> str:
    """Format a value: '15,237,608', '8.71' or '28×28×256'."""
    if isinstance(value, tuple):
        return "×".join(map(str, value))
    if isinstance(value, int):
        return grouped(value)
    return f"{float(value):.3g}"


def _judge_size(number: Published, scope: LayerScope) -> Verdict:
    size = SIZES[number.quantity]
    own = size(scope.analysis)
    if same_size(number.printed, own):
        return Verdict(number, "exact", own)
    tries: tuple[tuple[Kind, str], ...] = (("variant", number.instead), ("wrong", number.arises))
    for kind, name in tries:
        if name:
            other = size(LayerScope.of(name, number.at, scope.networks).analysis)
            if same_size(number.printed, other):
                reason = f"{shown(other)}: {name}" + (f"; {number.remark}" if number.remark else "")
                return Verdict(number, kind, own, other, reason)
    return Verdict(number, "unexplained", own)


class _Trial(NamedTuple):
    """A number on trial."""

    number: Published
    figure: Figure
    value: Value
    scope: LayerScope
    networks: Networks

    def verdicts(self) -> Iterator[Verdict]:
        """Yield the possible verdicts, the plainest first."""
        plain, *others = self.figure.scales
        how = self.figure.agrees(self.value, plain)
        if how == "bounds" or (how == "exact" and self.figure.whole):
            yield self._verdict("exact")
        if how in ("exact", "rounds"):
            yield self._verdict("rounded")
        yield from self._as_the_entry_says()
        if how == "truncates":
            yield self._verdict("rounded", reason="truncated")
        for scale in others:
            if self.figure.agrees(self.value, scale):
                yield self._verdict("convention", self.value, scale.says)
        if self.number.quantity == "file":
            yield from self._in_a_container()
        if self.number.claim == self.number.quantity and not self.number.at:
            yield from self._searched()
        if self.figure.coarse.agrees(self.value, plain):
            yield self._verdict("rounded", reason="to fewer digits")
        if self.number.binary and self.figure.agrees(self.value, self.figure.binary):
            yield self._verdict("convention", self.value, self.figure.binary.says)

    def _verdict(self, kind: Kind, reached: Any = None, reason: str = "") -> Verdict:
        return Verdict(self.number, kind, self.value, reached, reason)

    def _as_the_entry_says(self) -> Iterator[Verdict]:
        number = self.number
        if number.counts:
            counted, says = self._counted(self.scope)
            if self._agrees(counted, cut=False):
                yield self._verdict("convention", counted, says)
        if number.instead:
            other = LayerScope.of(number.instead, number.at, self.networks)
            for value, cut in ((other.value(number.claim), True), (self._counted(other)[0], False)):
                if self._agrees(value, cut):
                    yield self._verdict("variant", value, f"{shown(value)}: {number.instead}")
        if number.arises:
            value = self.scope.value(number.arises)
            if self._agrees(value):
                parts = dict.fromkeys((shown(value), self._formula(number.arises)))
                yield self._verdict("wrong", value, " = ".join(parts))

    def _agrees(self, value: Value, cut: bool = True) -> bool:
        """Return whether a value prints like this on some scale; `cut`: truncation is allowed too."""
        ways = {self.figure.coarse.agrees(value, scale) for scale in self.figure.scales}
        return bool(ways - {None} - (set() if cut else {"truncates"}))

    def _counted(self, scope: LayerScope) -> tuple[Value, str]:
        """Return the source's count, and how it counts: by conventions or by a formula."""
        from archcalc.audit.conventions import CONVENTIONS  # a footnote of `memory` does without

        counts = self.number.counts or self.number.claim
        kind, _ = CONVENTIONAL.get(self.number.quantity, ("", ""))
        known = {convention.name: convention for convention in CONVENTIONS.get(kind, ())}
        names = counts.split(", ")
        if not all(name in known for name in names):
            return scope.value(counts), counts.replace("_", " ").replace("*", "·")
        chosen = [known[name] for name in names]
        return _total(chosen, kind, scope.analysis), "; ".join(c.says for c in chosen)

    def _formula(self, expression: str) -> str:
        """Return an expression with the values of its names: '55 · (96 // 2) · 96'."""

        def value(name: re.Match[str]) -> str:
            return name[0] if name[0] in FUNCTIONS else shown(self.scope.look_up(name[0]))

        return _NAME.sub(value, expression).replace("*", "·")

    def _in_a_container(self) -> Iterator[Verdict]:
        """Yield the verdict that a file holds the numbers, with a limited overhead per tensor."""
        room = AROUND * int(self.scope.value("tensors"))
        for scale in self.figure.scales:
            least = (self.figure.number - self.figure.place / 2) * scale.worth
            if least <= self.value + room and self.value < least + self.figure.place * scale.worth:
                says = "4 bytes a number, and what the file puts around each tensor"
                yield self._verdict("convention", self.value, says)

    def _searched(self) -> Iterator[Verdict]:
        """Yield what the search through conventions and neighbors finds within few departures."""
        from archcalc.audit.printed import parse
        from archcalc.audit.search import find

        _, quantity = CONVENTIONAL.get(self.number.quantity, ("", ""))
        if not quantity or self.figure.relation != "=" or self.number.open:
            return
        network = self.networks.neighbor(self.number.network)
        for match in find(network, parse(self.number.printed), quantity).matches:
            tools = (c.printed_by for c in match.reading.way.conventions if c.slot == "tool")
            source = self.number.source.lower()
            own = all(any(name.lower() in source for name in names) for names in tools)
            if own and match.steps <= MOST_STEPS:
                kind: Kind = "variant" if match.reading.network.changes else "convention"
                says = f"{shown(match.reading.value)}: {'; '.join(match.reasons)}"
                yield self._verdict(kind, match.reading.value, says)


def _total(conventions: list[Convention], kind: str, analysis: Analysis) -> int:
    """Return a tool's count, possibly of the trunk alone."""
    from archcalc.audit.convention import DEFAULTS
    from archcalc.audit.terms import Ledger

    ledger = Ledger(analysis, trunk=any(c.trunk for c in conventions))
    own = DEFAULTS[kind]
    rule = next((c.rule for c in conventions if c.slot == "tool"), own.rule)
    factor = next((c.factor for c in conventions if c.factor), own.factor)
    return factor * sum(share.factor * ledger.amount(share.term) for share in rule)
