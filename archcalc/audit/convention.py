"""Define one way of counting: a tool's whole sum, a single habit, or archcalc's own count."""

from __future__ import annotations

from collections.abc import Iterable

from archcalc.audit.derived import BY_OPERATOR, View, derived
from archcalc.audit.tables import Rules
from archcalc.audit.terms import Rule, rule
from archcalc.tuples import NamedTuple

Kind = str  # one of DEFAULTS
FITTED = "fitted"  # slot of a fact with an amount that is chosen so that the number comes out

PRODUCTS = "conv products + deconv products + linear products + attention products"
LEARNED = "weights + biases + norm scales + norm shifts"
STORED = f"{LEARNED} + statistics + fixed"


class Default(NamedTuple):
    """archcalc's own meaning of a quantity: `factor` (bytes per number) × the sum."""

    quantity: str
    rule: Rule
    factor: int = 1


DEFAULTS: dict[Kind, Default] = {
    "parameters": Default("parameters", rule(LEARNED)),
    "multiplies": Default("multiplies", rule(PRODUCTS)),
    "connections": Default("connections", rule("connections")),
    "values": Default("values", rule("input values + map values")),
    "weight bytes": Default("bytes of weights", rule(STORED), 4),
    "map bytes": Default("bytes of activations", rule("input values + map values"), 4),
    "all bytes": Default(
        "bytes of weights and activations", rule(f"{STORED} + input values + map values"), 4
    ),
}


class Convention(NamedTuple):
    """One habit of counting.

    `rule` is the whole sum of a tool (`slot` "tool"), else it is added to the sum. `doubles` counts
    every product twice, `factor` replaces the bytes per number, `trunk` omits the classifier, `base`
    is the value of a tool's K: 1,024 where it prints 2²⁰ bytes as MB. `unknown` are operators
    whose count the tool's table lacks; `printers` print such counts, if not the tool of that name.
    `in_keras`: only for networks that Keras has with such biases. Among equally many departures those of
    small `weight` come first.
    """

    name: str
    says: str
    slot: str
    rule: Rule = ()
    doubles: bool = False
    factor: int = 0
    trunk: bool = False
    base: int = 0
    weight: int = 13
    unknown: frozenset[str] = frozenset()
    printers: tuple[str, ...] = ()
    in_keras: bool = False

    @property
    def printed_by(self) -> tuple[str, ...]:
        """The tools and tables that print such a count."""
        return self.printers or (self.name.split()[0].rstrip(","),)


def table(
    name: str,
    says: str,
    tables: Iterable[Rules],
    view: View = BY_OPERATOR,
    base: int = 0,
    weight: int = 9,
    printers: tuple[str, ...] = (),
) -> Convention:
    """Return the convention of a tool's own table, seen through a view of the code."""
    sum = derived(tables, view)
    return Convention(
        name,
        says,
        "tool",
        sum.rule,
        factor=sum.each,
        base=base,
        weight=weight,
        unknown=sum.unknown,
        printers=printers,
    )


def tool(name: str, says: str, sum: str, factor: int = 0, base: int = 0, weight: int = 9) -> Convention:
    return Convention(name, says, "tool", rule(sum), factor=factor, base=base, weight=weight)


def counted_by(printers: tuple[str, ...], name: str, says: str, sum: str) -> Convention:
    """Return the convention of several tables, whichever tool printed them."""
    return tool(name, says, sum)._replace(printers=printers)


def habit(slot: str, name: str, sum: str, weight: int = 13) -> Convention:
    return Convention(name, name, slot, rule(sum), weight=weight)
