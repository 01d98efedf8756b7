"""Check networks against a budget: broken limits, the heaviest layers, nearby settings that fit."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from itertools import islice
from typing import Any

from archcalc.analysis.memory import measure
from archcalc.errors import ArchError, Diagnostic, Span, SpecError, UsageError, shown, suggestion
from archcalc.formats import Formats, formats_of
from archcalc.network import Network
from archcalc.spec.model import Limit
from archcalc.sweeps.metrics import (
    ALIASES,
    IN_BYTES,
    OF_BLOCKS,
    BlockCount,
    in_bytes,
    metrics,
    named_layers,
    of_block,
    weight,
)
from archcalc.sweeps.space.constraints import blocks_in, comparison, holds, parse_condition
from archcalc.tuples import NamedTuple
from archcalc.units import parse_count

# the names of limits, and the metrics that they limit; those in `LEAST` are lower limits
LIMITS = {
    "max-params": "parameters",
    "max-multiplies": "multiplies",
    "max-weights": "weights",
    "max-stored": "stored",
    "max-peak": "peak",
    "min-field": "field",
    "min-output": "output",
}
LEAST = ("min-field", "min-output")
OF_PARTS = tuple(name for name, metric in LIMITS.items() if metric in OF_BLOCKS)
WHERE, DTYPE = "where", "dtype"
MOST_TRIES = 150  # the most networks that are built in the search for one that fits
MOST_SHOWN = 3  # the number of heaviest layers that are named


class LimitVerdict(NamedTuple):
    """A limit and the network's value; `bound` and `value` are None for a compound condition.

    `sign` is the required relation of the value to the bound. `of` is the metric of a condition.
    """

    limit: Limit
    metric: str
    bound: int | None
    value: int | None
    fits: bool
    heaviest: tuple[tuple[str, int], ...] = ()  # the heaviest layers, if the limit is broken
    sign: str = "≤"
    of: str = ""

    @property
    def measure(self) -> str:
        """The metric of the bound and the value."""
        return self.of or self.metric


def limits_of(network: Network) -> list[Limit]:
    """Return the limits of the spec's budget."""
    return [limit for limit in network.spec.budget if (limit.part, limit.name) != ("", DTYPE)]


def dtype_of(network: Network) -> str:
    """Return the data type of the spec's budget."""
    found = (e.text for e in network.spec.budget if (e.part, e.name) == ("", DTYPE))
    return next(found, "float32")


def judge(network: Network, limits: Sequence[Limit], dtype: str) -> list[LimitVerdict]:
    """Compare each limit with the network's value at a data type.

    Raises:
        ArchError: a limit has an unknown name or part, or an invalid size; the error gives its place.
    """
    formats = formats_of(dtype)
    whole = metrics(network.graph, formats)
    return [_judged(network, limit, whole, formats) for limit in limits]


def _judged(network: Network, limit: Limit, whole: Mapping[str, Any], formats: Formats) -> LimitVerdict:
    try:
        if limit.name == WHERE and not limit.part:
            return _condition(network, limit, whole, formats)
        return _bounded(network, limit, whole, formats)
    except SpecError:
        raise
    except ArchError as error:
        if not limit.keys:
            raise
        (reason,) = error.diagnostics
        place = reason._replace(span=Span(limit.keys))
        raise SpecError(place, source=network.spec.source) from None


def _condition(
    network: Network, limit: Limit, whole: Mapping[str, Any], formats: Formats
) -> LimitVerdict:
    names = {**network.values, **{alias: whole[name] for alias, name in ALIASES.items()}, **whole}
    expression = parse_condition(limit.text, names)
    for metric, path in blocks_in(expression):
        count = BlockCount(metric, named_layers(network.graph, path))
        names[str(count)] = of_block(network.analyze(), count, formats)
    fits = bool(holds(expression, names.__getitem__))
    found = comparison(expression, names.__getitem__)
    if found is None:
        return LimitVerdict(limit, WHERE, None, None, fits)
    return LimitVerdict(limit, WHERE, found.bound, found.value, fits, sign=found.sign, of=found.metric)


def _bounded(network: Network, limit: Limit, whole: Mapping[str, Any], formats: Formats) -> LimitVerdict:
    metric = LIMITS.get(limit.name)
    if metric is None or (limit.part and limit.name not in OF_PARTS):
        known = OF_PARTS if limit.part else (*LIMITS, WHERE)
        help = suggestion(limit.name, known) or f"limits: {', '.join(known)}"
        which = "no limit of a part" if limit.part else "no limit"
        raise UsageError(Diagnostic(f"{which} is called `{shown(limit.name)}`", help=help))
    bound = parse_count(limit.text, 1) if metric in IN_BYTES else parse_count(limit.text)
    value = int(whole[metric])
    if limit.part:
        part = BlockCount(metric, named_layers(network.graph, limit.part))
        value = int(of_block(network.analyze(), part, formats))
    fits = value >= bound if limit.name in LEAST else value <= bound
    heaviest = () if fits else tuple(_heaviest(network, limit.part, metric, formats))
    sign = "≥" if limit.name in LEAST else "≤"
    return LimitVerdict(limit, metric, bound, value, fits, heaviest, sign)


def _heaviest(network: Network, part: str, metric: str, formats: Formats) -> Iterator[tuple[str, int]]:
    layers, nodes = network.analyze().layers, network.graph.nodes
    found = named_layers(network.graph, part).nodes(network.graph) if part else range(len(nodes))
    if metric in ("field", "output"):
        return
    if metric == "peak":
        steps = {step.node: int(step.live) for step in measure(network.graph).steps}
        weights = [(steps[i], i) for i in found]
    else:
        weights = [(int(weight(layers[i], metric)), i) for i in found]
    heavy = sorted(((w, -i) for w, i in weights if w), reverse=True)
    for size, index in heavy[:MOST_SHOWN]:
        yield nodes[-index].path, int(in_bytes(metric, size, formats))


# ---- nearby settings


def nearest(network: Network, limits: Sequence[Limit], dtype: str) -> list[dict[str, str]]:
    """Return for each variable (and the input) the nearest value that alone makes the network fit."""
    found: list[dict[str, str]] = []
    tries = MOST_TRIES
    for name, values in _others(network):
        for value in islice(values, max(tries, 0)):
            tries -= 1
            if _fits(network, {name: value}, limits, dtype):
                found.append({name: value})
                break
    return found


def _others(network: Network) -> Iterator[tuple[str, Iterator[str]]]:
    for name, variable in network.spec.variables.items():
        now = network.values[name]
        if name not in network.graph.read or isinstance(now, bool) or _is_task(network, now):
            continue
        if variable.choices:
            yield name, (str(c) for c in variable.choices if c != now and not isinstance(c, bool | list))
        elif isinstance(now, int) and now > 1:
            yield name, map(str, _smaller(now))
        elif isinstance(now, int) and now == 0:  # 0 means off, as for a bottleneck: the widest first
            yield name, (str(1 << power) for power in range(9, 2, -1))
        elif isinstance(now, Fraction):
            yield name, (f"{float(now * (20 - i) / 20):.4g}" for i in range(1, 20))
    sides = network.graph.input.extents
    if len(set(map(int, sides))) == 1 and int(sides[0]) > 32:
        yield "input", map(str, range(-(-int(sides[0]) // 32) * 32 - 32, 0, -32))


def _is_task(network: Network, value: Any) -> bool:
    """Return whether a variable is the number of classes or words, which the task decides."""
    output = network.graph.nodes[network.graph.output].shape
    return type(value) is int and bool(value == output.channels and value > output.positions)


def _smaller(now: int) -> Iterator[int]:
    """Yield the next eight smaller values, then values in ever larger steps."""
    value, count = now, 0
    while (value := value - (1 if count < 8 else max(1, value // 8))) > 0:
        yield value
        count += 1


def _fits(network: Network, changed: Mapping[str, str], limits: Iterable[Limit], dtype: str) -> bool:
    try:
        other = with_settings(network, changed)
        return all(finding.fits for finding in judge(other, list(limits), dtype))
    except ArchError:
        return False


def with_settings(network: Network, changed: Mapping[str, Any]) -> Network:
    """Return the network with further variables set; "input" may be one of them."""
    settings: dict[str, Any] = {**network.changed, **changed}
    return Network(network.entry, settings, settings.pop("input", None), network.freeze)


# ---- comparison with another state of the spec

GROWING = ("parameters", "multiplies", "weights", "peak")


def grown(before: Network, after: Network, dtype: str, tolerance: Fraction) -> list[LimitVerdict]:
    """Return every total that grew by more than `tolerance`, a share of its earlier value."""
    formats = formats_of(dtype)
    pair = metrics(before.graph, formats), metrics(after.graph, formats)
    found = []
    for metric in GROWING:
        was, now = (int(m[metric]) for m in pair)
        bound = was + int(was * tolerance)
        limit = Limit(f"{metric} at {before.name.rpartition('@')[2]}", str(was))
        found.append(LimitVerdict(limit, metric, bound, now, now <= bound))
    return found
