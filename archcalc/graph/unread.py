"""Find settings that nothing reads, and others under which they would have an effect."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import combinations, islice
from typing import Any

from archcalc.errors import ArchError, Diagnostic, UsageError, shown
from archcalc.graph.build import build
from archcalc.graph.model import Graph
from archcalc.operators.shape import Shape
from archcalc.spec.expressions import Value
from archcalc.spec.model import Spec
from archcalc.spec.names import numbers_beside, texts_beside
from archcalc.spec.settings import show_value

MOST_TRIES = 200  # settings that are built to find one under which the variable is read


def unread(
    graph: Graph, values: Mapping[str, Value], base: Mapping[str, Value], names: Iterable[str]
) -> list[str]:
    """Return those of `names` that differ from `base` and that nothing in the graph reads."""
    return [name for name in names if name not in graph.read and values[name] != base[name]]


def refusal(
    name: str,
    network: str,
    spec: Spec,
    values: Mapping[str, Value],
    input: Shape | None,
    variant: str | None,
) -> UsageError:
    """Return the error of a setting that nothing reads."""
    message = f"nothing in {shown(network)} reads `{shown(name)}={shown(show_value(values[name]))}`"
    if input is not None and _read(spec, values, None, variant, name):
        return UsageError(
            Diagnostic(message, help=f"`{shown(name)}` is a size of the input: leave `input` away")
        )
    help = "none of the other settings that were tried makes it count: leave it away"
    changed = counting(name, spec, values, input, variant)
    if changed is not None:
        texts = [f"{shown(k)}={shown(show_value(v))}" for k, v in changed.items()]
        help = f"it counts with {' and '.join(texts)}"
    return UsageError(Diagnostic(message, help=help))


def counting(
    name: str, spec: Spec, values: Mapping[str, Value], input: Shape | None, variant: str | None
) -> dict[str, Value] | None:
    """Return other settings under which something reads a variable; None if none was found."""
    for changed in islice(_others(spec, values, name), MOST_TRIES):
        if _read(spec, {**values, **changed}, input, variant, name):
            return changed
    return None


def _others(spec: Spec, values: Mapping[str, Value], name: str) -> Iterator[dict[str, Value]]:
    """Yield other values: of one variable, then of a variant of the file, then of two variables."""
    single = [{k: v} for k in spec.variables if k != name for v in _values(spec, k, values[k])]
    yield from single
    for variant in spec.variants.values():
        yield {k: v for k, v in variant.values.items() if k != name and v != values[k]}
    yield from (a | b for a, b in combinations(single, 2) if a.keys() != b.keys())


def _values(spec: Spec, name: str, now: Value) -> list[Any]:
    """Return other values of a variable: choices, those of variants and near comparisons, 0, 1, 2."""
    variable = spec.variables[name]
    default = variable.default
    found: list[Any] = [*variable.choices, default]
    found += [v.values[name] for v in spec.variants.values() if name in v.values]
    if isinstance(default, bool):
        found += [not now]
    elif isinstance(default, int):
        found += [0, 1, 2, *(n + d for n in numbers_beside(spec, name) for d in (0, 1, -1))]
    elif isinstance(default, str) and not variable.choices:
        found += [*texts_beside(spec, name), *spec.blocks]
    if variable.choices:
        found = [v for v in found if v in variable.choices]
    distinct = [v for i, v in enumerate(found) if v not in found[:i]]
    return [v for v in distinct if v != now]


def _read(
    spec: Spec, values: Mapping[str, Value], input: Shape | None, variant: str | None, name: str
) -> bool:
    try:
        return name in build(spec, values, input, variant).read
    except ArchError:
        return False
