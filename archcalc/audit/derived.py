"""Derive the sum of terms of a tool's table for any network whose operators alone are known.

How the code is written is a guess then, stated as a view: the module that runs each operator.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from math import gcd

from archcalc.audit.amounts import AMOUNTS, Amount, summands
from archcalc.audit.modules import usual_modules
from archcalc.audit.tables import ANY, Rules
from archcalc.audit.terms import OTHERWISE, TERMS, Rule, Share, Term
from archcalc.operators import TABLE
from archcalc.tuples import NamedTuple

View = Mapping[str, str]  # operator → module
Wanted = Counter[tuple[str, str]]  # (amount, operator) → factor

_POOL = "AdaptiveAvgPool2d"
_MODULES = {**usual_modules(), "scale": "Parameter"}
# torchvision also has a global pool of the map's size before a flatten
AS_TORCHVISION: View = {**_MODULES, "flatten": _POOL}
NO_POOLS: View = {**_MODULES, "gap": "Tensor.mean"}
# a module with parts ends where maps are added or multiplied, and functions flatten
WHOLES_END_IN_JOINS: View = {**_MODULES, "add": "Bottleneck", "mul": "SqueezeExcitation"}
BY_OPERATOR: View = {name: name for name in (*TABLE, "input")}

# terms that hold an amount for all operators
_EVERY = {
    "parameters": ("weights", "biases", "norm scales", "norm shifts"),
    "statistics": ("statistics",),
    "stored": ("map values",),
}
# weights × positions − weights × (positions − 1) + biases, which are the parameters
_ONCE = {"products": 1, "products beyond the first position": -1, "biases": 1}
_BY_AMOUNT = {(term.amount, term.operators): term for term in TERMS.values()}


class Derived(NamedTuple):
    """`each` × the sum of a rule, and the operators for which the table has none."""

    rule: Rule
    each: int
    unknown: frozenset[str]


def derived(tables: Iterable[Rules], view: View) -> Derived:
    """Return the sum of tables under a view of the code."""
    wanted, unknown = Wanted(), {*TABLE, *OTHERWISE} - set(view)
    for rules in tables:
        for operator, module in view.items():
            if module not in rules and ANY not in rules:
                unknown.add(operator)
                continue
            rule = rules.get(module, rules.get(ANY, ""))
            for amount, factor in _amounts(rule, operator, module).items():
                wanted[amount, operator] += factor
    shares = [*_of_every(wanted), *_of_some(wanted)]
    order = {name: place for place, name in enumerate(TERMS)}
    shares.sort(key=lambda share: order.get(share.term.name, len(order)))
    each = gcd(*(share.factor for share in shares))
    sum = tuple(Share(share.factor // each, share.term) for share in shares)
    return Derived(sum, each, frozenset(unknown))


def _amounts(rule: str, operator: str, module: str) -> Counter[str]:
    """Return the amounts of a rule for an operator, simplified."""
    pools = operator == "flatten" and module == _POOL  # which a vector does not pass
    parts = Counter[str]()
    for factor, name in summands(rule):
        if not pools:
            parts[name] += factor
        elif name in ("inputs", "outputs"):  # the pool's windows are single values
            parts["flattened"] += factor
    return Counter({"parameters": 1}) if dict(parts) == _ONCE else parts


def _of_every(wanted: Wanted) -> list[Share]:
    """Yield terms of all operators for an amount that a conv has, then others' differences."""
    shares = []
    for amount, names in _EVERY.items():
        factor = wanted[amount, "conv"]
        if not factor:
            continue
        shares += [Share(factor, TERMS[name]) for name in names]
        others: dict[int, list[str]] = {}
        for operator in TABLE:
            others.setdefault(wanted.pop((amount, operator), 0) - factor, []).append(operator)
        for difference, operators in others.items():
            if difference and amount != "stored":
                says = f"{amount} of other layers"
                shares.append(
                    Share(difference, Term(says, says, frozenset(operators), AMOUNTS[amount][0]))
                )
    return shares


def _of_some(wanted: Wanted) -> list[Share]:
    """Yield terms of a few operators: the largest named groups first, then single operators."""
    shares = []
    for amount in dict.fromkeys(name for name, _ in wanted):
        function = _function(amount)
        groups = [operators for known, operators in _BY_AMOUNT if known is function and operators]
        operators = [operator for name, operator in wanted if name == amount]
        for group in (*sorted(groups, key=len, reverse=True), *(frozenset({o}) for o in operators)):
            factors = {wanted[amount, operator] for operator in group}
            factor = factors.pop()
            if factor and not factors:
                name = _says(amount, group)
                term = _BY_AMOUNT.get((function, group), Term(name, name, group, function))
                shares.append(Share(factor, term))
                for operator in group:
                    wanted[amount, operator] = 0
    return shares


def _function(amount: str) -> Amount:
    """Return the amount's function; outputs of modules that make a map are none: see `_EVERY`."""
    return TERMS["map values"].amount if amount == "stored" else AMOUNTS[amount][0]


def _says(amount: str, operators: frozenset[str]) -> str:
    names = ", ".join(sorted(operators))
    return AMOUNTS[amount][1].format(names) if amount in AMOUNTS else f"{amount} of {names}"
