"""Enumerate the possible costs of a network: every count of it and its neighbors under every convention.

A reading is one such count; each difference from archcalc's own count of the named network is a
departure. Readings are ordered by the number of departures.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from itertools import chain, combinations
from typing import Protocol

from archcalc.audit.convention import DEFAULTS, Convention, Kind
from archcalc.audit.conventions import CONVENTIONS, KINDS, kinds
from archcalc.audit.neighbor import Change, Neighbor
from archcalc.audit.neighbors import kept_biases, remembered
from archcalc.audit.terms import TERMS, Term
from archcalc.tuples import NamedTuple
from archcalc.units import grouped

MOST_DEPARTURES = 3
PRODUCTS = ("conv products", "deconv products", "linear products", "attention products")
TOGETHER = {
    "products": PRODUCTS,
    "parameters": ("weights", "biases", "norm scales", "norm shifts"),
}


class Departure(NamedTuple):
    """One difference from archcalc's own count of the named network, and what it adds."""

    name: str
    says: str
    amount: int


class Summand(NamedTuple):
    """A summand: `factor` × the term's total."""

    factor: int
    term: str
    amount: int


class Amounts(Protocol):
    """The terms of a network, added up."""

    def knows(self, way: Way) -> bool:
        """Return whether the conventions of a way are known for it."""

    def amount(self, term: Term) -> int:
        """Return the term's total."""


class Subject(Protocol):
    """What a reading counts: a network or one of its neighbors, or a model file."""

    @property
    def name(self) -> str: ...
    @property
    def changes(self) -> tuple[Change, ...]: ...
    @property
    def rewrite(self) -> str: ...
    @property
    def steps(self) -> int: ...
    @property
    def ledger(self) -> Amounts: ...
    @property
    def trunk(self) -> Amounts: ...


class Way(NamedTuple):
    """Conventions that combine to one sum; each number counts as `each` (bytes per number).

    `steps` is the number of departures.
    """

    kind: Kind
    conventions: tuple[Convention, ...]
    shares: tuple[tuple[int, Term], ...]
    each: int
    steps: int

    def count(self, network: Subject) -> int:
        """Return the sum over a network."""
        ledger = network.trunk if any(c.trunk for c in self.conventions) else network.ledger
        return self.each * sum(factor * ledger.amount(term) for factor, term in self.shares)

    def parts(self, network: Subject) -> tuple[Summand, ...]:
        """Return its summands other than 0: products and parameters as one where all count alike."""
        ledger = network.trunk if any(c.trunk for c in self.conventions) else network.ledger
        found = [Summand(f, t.name, ledger.amount(t)) for f, t in self.shares]
        for name, terms in TOGETHER.items():
            some = [part for part in found if part.term in terms]
            used = sum(part.amount > 0 for part in some)
            missing = set(terms) - {part.term for part in some}
            whole_sum = not any(ledger.amount(TERMS[term]) for term in missing)
            if used > 1 and whole_sum and len({part.factor for part in some}) == 1:
                whole = Summand(some[0].factor, name, sum(part.amount for part in some))
                found = [whole, *(part for part in found if part.term not in terms)]
        return tuple(part for part in found if part.amount)


class Reading(NamedTuple):
    """A count of `network` (named, or a neighbor of `origin`) under the conventions of `way`.

    `told` are the given summands where no sum of terms has them: a part of the network, a tool's print.
    """

    origin: Subject
    network: Subject
    way: Way
    value: int
    told: tuple[Summand, ...] = ()

    @property
    def quantity(self) -> str:
        """The quantity: parameters, multiplies, values, bytes of weights, bytes of activations."""
        return DEFAULTS[self.way.kind].quantity

    @property
    def own(self) -> int:
        """archcalc's own count of the named network."""
        return plain_way(self.way.kind).count(self.origin)

    @property
    def steps(self) -> int:
        """The number of departures."""
        return self.way.steps + self.network.steps

    @property
    def weight(self) -> int:
        """The rank among readings with equally many departures: small weight first."""
        return sum(c.weight for c in self.way.conventions) + sum(c.weight for c in self.network.changes)

    @property
    def departures(self) -> tuple[Departure, ...]:
        """All departures in order, each with what it adds: the network's changes, then conventions."""
        if self.told:
            more = self.value - self.own
            return tuple(Departure(fact.name, fact.says, more) for fact in self.way.conventions)
        found: list[Departure] = []
        plain = plain_way(self.way.kind)
        before = self.own
        if self.network.changes:
            says = "; ".join(change.says for change in self.network.changes)
            after = plain.count(self.network)
            found.append(Departure(self.network.name, says, after - before))
            before = after
        for last in range(1, len(self.way.conventions) + 1):
            convention = self.way.conventions[last - 1]
            after = _way(self.way.kind, self.way.conventions[:last]).count(self.network)
            found.append(Departure(convention.name, convention.says, after - before))
            before = after
        return tuple(found)

    @property
    def factor(self) -> int:
        """How often it counts a product, at least: 1 as multiplies, 2 as FLOPs; 0 without products."""
        return min(
            (part.factor for part in self.parts if part.term in ("products", *PRODUCTS)), default=0
        )

    @property
    def parts(self) -> tuple[Summand, ...]:
        """The summands; times `way.each` they are the value."""
        return self.told or self.way.parts(self.network)

    @property
    def decomposition(self) -> str:
        """A sum: '4,111,514,624 = 4,089,184,256 products + 2 × 11,113,984 bn values + …'."""
        sums = "".join(f" {'−' if p.factor < 0 else '+'} {_summand(p)}" for p in self.parts)
        text = sums.removeprefix(" + ").removeprefix(" ")
        if self.way.each == 1 and len(self.parts) == 1 and self.parts[0].factor == 1:
            return text
        if self.way.each != 1:
            text = f"{self.way.each} × ({text})" if len(self.parts) > 1 else f"{self.way.each} × {text}"
        return f"{grouped(self.value)} = {text}"


def readings(
    network: Subject, quantity: str = "", most: int = MOST_DEPARTURES, whole: bool = False
) -> Iterator[Reading]:
    """Yield every count of a quantity of the network and its neighbors, by the number of departures.

    A model file has no neighbors.

    `quantity` is a key of KINDS: '' (whatever is no bytes), 'parameters', 'multiplies', 'FLOPs',
    'values', 'connections' or 'bytes'. FLOPs are one or two a product alike, as both are usual. With
    every digit of the number printed (`whole`), '' is connections and bytes, too, but none of a byte a
    number: these are counts.
    """
    nearer: Iterator[Subject] = iter(
        remembered(network) if isinstance(network, Neighbor) else (network,)
    )
    known: list[list[Subject]] = [[] for _ in range(most + 1)]
    for steps in range(most + 1):
        for changes in range(steps + 1):
            if changes == steps:
                nearer = _gather(nearer, known, steps)
            for kind in kinds(quantity, whole):
                for way in _ways(kind, steps - changes, quantity == "FLOPs"):
                    if not quantity and kind in KINDS["bytes"] and way.each == 1:
                        continue
                    for neighbor in known[changes]:
                        if neighbor.ledger.knows(way) and _told_of(neighbor, way):
                            yield Reading(network, neighbor, way, way.count(neighbor))


def _told_of(subject: Subject, way: Way) -> bool:
    """Return whether what Keras does is told of a network that it has."""
    there = isinstance(subject, Neighbor) and kept_biases(subject)
    return there or not any(convention.in_keras for convention in way.conventions)


def _gather(more: Iterator[Subject], known: list[list[Subject]], steps: int) -> Iterator[Subject]:
    """Keep the neighbors up to so many steps; what is left, the first of which is further."""
    for neighbor in more:
        if neighbor.steps > steps:
            return chain([neighbor], more)
        known[neighbor.steps].append(neighbor)
    return iter(())


@cache
def _ways(kind: Kind, steps: int, free: bool) -> tuple[Way, ...]:
    """Return all combinations with this many departures; `free`: two FLOPs per product is none."""
    ways = []
    for many in range(steps + 1 + free):
        for conventions in combinations(CONVENTIONS[kind], many):
            if _go_together(conventions):
                way = _way(kind, conventions)
                if way.steps - (free and any(c.doubles for c in conventions)) == steps:
                    ways.append(way._replace(steps=steps))
    return tuple(ways)


def _go_together(conventions: tuple[Convention, ...]) -> bool:
    slots = [convention.slot for convention in conventions]
    if len(set(slots)) < len(slots):
        return False
    return "tool" not in slots or all(slot in ("tool", "part") for slot in slots)


def plain_way(kind: Kind) -> Way:
    """Return archcalc's own count."""
    return _way(kind, ())


@cache
def _way(kind: Kind, conventions: tuple[Convention, ...]) -> Way:
    """Return the sum that conventions make of archcalc's own."""
    own = DEFAULTS[kind]
    whole = next((c.rule for c in conventions if c.slot == "tool"), own.rule)
    shares = {share.term: share.factor for share in whole}
    for convention in conventions:
        if convention.slot != "tool":
            for factor, term in convention.rule:
                shares[term] = shares.get(term, 0) + factor
    if any(c.doubles for c in conventions):
        shares = {term: factor * (2 if term.name in PRODUCTS else 1) for term, factor in shares.items()}
    each = next((c.factor for c in conventions if c.factor), own.factor)
    kept = tuple((factor, term) for term, factor in shares.items() if factor)
    return Way(kind, conventions, kept, each, len(conventions))


def _summand(part: Summand) -> str:
    factor = f"{abs(part.factor)} × " if abs(part.factor) != 1 else ""
    return f"{factor}{grouped(part.amount)} {part.term}"
