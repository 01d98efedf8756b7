"""Explain the numbers of a layer, a block or a network: write their arithmetic as lines of text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from archcalc.analysis.costs import Analysis, Costs, Layer, total
from archcalc.analysis.formula import LATEX, Style, formula
from archcalc.errors import Diagnostic, UsageError, suggestion
from archcalc.operators.model import Extent, Weight, Work
from archcalc.symbols import Guard, Int, Program, Symbol
from archcalc.tuples import NamedTuple
from archcalc.units import printable

TOTALS = ("parameters", "statistics", "fixed", "multiplies", "connections")
ROLES = {"weight": "weights", "position": "weights", "bias": "biases", "fixed": "fixed"}
TOTAL = "total"
LONGEST = 400  # the characters of an equation that is written out


class ExplainedNumber(NamedTuple):
    """A number and its arithmetic.

    Attributes:
        layer: the path of its layer, or `TOTAL`; '' in the explanation of one layer.
        what: what it counts: 'weights', 'multiplies'.
        value: None for a line that only names the factors of the line before.
    """

    layer: str
    what: str
    arithmetic: str
    value: int | None = None


def _fits(path: str, name: str) -> tuple[bool, bool, bool, bool]:
    """Return whether a name is a path, its first blocks, its end, or a block inside it."""
    around = f"/{name}/" in path
    return path == name, path.startswith(f"{name}/"), path.endswith(f"/{name}"), around


def choose(analysis: Analysis, word: str) -> Sequence[Layer]:
    """Return the layers that a word names by a path or its end: a layer, or those of a block; '': all.

    Raises:
        UsageError: no layer or block has this name.
    """
    layers = analysis.computed
    word = word.strip("/")
    if not word:
        return layers
    for name in (word, word.replace(".", "/")):  # a module of a model file: 'layer1.0'
        for rank in range(4):
            found = [layer for layer in layers if _fits(layer.path, name)[rank]]
            if found:
                return found
    paths = {"/".join(x.path.split("/")[: i + 1]) for x in layers for i in range(x.path.count("/") + 1)}
    help = suggestion(word, sorted(paths)) or "`archcalc show SPEC --all` lists the layers"
    raise UsageError(Diagnostic(f"no layer or block is called `{printable(word)}`", help=help))


def explain(layers: Sequence[Layer], style: Style) -> list[ExplainedNumber]:
    """Explain every count of one layer; for several layers, weights, multiplies and the totals."""
    return list(_layer(layers[0], style) if len(layers) == 1 else _group(layers, style))


def _layer(layer: Layer, style: Style) -> Iterator[ExplainedNumber]:
    operator, inputs = layer.node.operator, layer.inputs
    if layer.node.shares >= 0:
        yield ExplainedNumber("", "weights", "those of another layer, counted there")
    for weight in layer.weights:
        yield _line("", ROLES.get(weight.role, weight.role), _sizes(weight, style), weight.size, style)
        if weight.called:
            yield ExplainedNumber("", "", weight.called)
    for work in operator.work(*inputs):
        kind = "multiplies" if work.kind == "products" else work.kind
        yield _line("", kind, _loops(work, style), work.total, style)
        yield ExplainedNumber("", "", _names(work))
    links = layer.costs.connections
    if isinstance(links, Symbol) or links:
        yield _line("", "connections", formula(links, style), links, style)


def _group(layers: Sequence[Layer], style: Style) -> Iterator[ExplainedNumber]:
    """Yield weights and multiplies, equal lines as one: '3 × (56·56·64 × 3·3·64)'; then the totals."""
    equal: dict[tuple[str, str], list[tuple[str, Int]]] = {}
    for layer in layers:
        for weight in layer.weights:
            if ROLES.get(weight.role) in ("weights", "fixed"):
                key = (ROLES[weight.role], _sizes(weight, style))
                equal.setdefault(key, []).append((layer.path, weight.size))
        for work in layer.node.operator.work(*layer.inputs):
            if work.kind == "products":
                equal.setdefault(("multiplies", _loops(work, style)), []).append(
                    (layer.path, work.total)
                )
    for count in ("weights", "fixed", "multiplies"):
        for (name, text), members in equal.items():
            if name == count:
                yield _together(name, text, members, style)
    costs = total(layer.costs for layer in layers)
    for name in TOTALS:
        value: Int = getattr(costs, name)
        if isinstance(value, Symbol) or value:
            yield _line(TOTAL, name, _parts(costs, name, style), value, style)


def _together(name: str, text: str, members: list[tuple[str, Int]], style: Style) -> ExplainedNumber:
    path, value = members[0]
    if len(members) > 1:
        text, value = f"{len(members)}{style.times}({text})", value * len(members)
        path = f"{path} (+{len(members) - 1})"
    return ExplainedNumber(path, name, _equation(text, value, style), _number(value))


def _parts(costs: Costs, name: str, style: Style) -> str:
    """Write parameters as the sum of their roles; other totals, and formulas, as they are."""
    roles = [("weights", costs.weights), ("biases", costs.biases), ("norms", costs.norms)]
    symbolic = any(isinstance(value, Symbol) for _, value in roles)
    if name != "parameters" or symbolic or style is LATEX:
        return formula(getattr(costs, name), style)
    return " + ".join(f"{formula(value, style)} {role}" for role, value in roles if value)


def _line(layer: str, count: str, factors: str, value: Int, style: Style) -> ExplainedNumber:
    """Return the line of an equation; a formula is followed by its value at its point."""
    text = _equation(factors, value, style)
    if isinstance(value, Symbol):
        text = f"{text} = {style.number(value.value)}"
    return ExplainedNumber(layer, count, text, _number(value))


def _equation(factors: str, value: Int, style: Style) -> str:
    result = formula(value, style)
    if len(factors) + len(result) > LONGEST:
        return f"a formula of {len(result):,} characters"
    return factors if factors == result else f"{factors} = {result}"


def _number(value: Int) -> int:
    return value.value if isinstance(value, Symbol) else int(value)


def _sizes(weight: Weight, style: Style) -> str:
    return style.dot.join(_factor(size, style) for size in weight.shape)


def _loops(work: Work, style: Style) -> str:
    loops = style.times.join(_extent(extent, style) for extent in work.extents)
    if work.each == 1:
        return loops
    return f"−({loops})" if work.each == -1 else f"{work.each}{style.times}{loops}"


def _extent(extent: Extent, style: Style) -> str:
    return style.dot.join(_factor(factor, style) for _, factor in extent.factors)


def _factor(factor: Int, style: Style) -> str:
    """Write a factor: an integer without thousands separators, a sum in parentheses."""
    if not isinstance(factor, Symbol):
        return str(factor)
    text = formula(factor, style)
    return f"({text})" if " + " in text or " − " in text else text


def _names(work: Work) -> str:
    """Name the factors: 'height·width·filters × kernel height·kernel width·channels'."""
    names = " × ".join("·".join(name for name, _ in extent.factors) for extent in work.extents)
    return f"less the first of each sum: {names}" if work.each == -1 else names


def where(program: Program) -> Iterator[str]:
    """Yield the point at which formulas are evaluated, and the conditions under which they hold."""
    yield f"evaluated at {', '.join(f'{name} = {value}' for name, value in program.point.items())}"
    if program.guards:
        told = dict.fromkeys(_decision(program, guard) for guard in program.guards)
        yield f"the formulas hold where {', '.join(told)}"


def _decision(program: Program, guard: Guard) -> str:
    condition = formula(program.symbol(guard.condition))
    condition = condition[1:-1] if condition.startswith("(") and condition.endswith(")") else condition
    return condition if guard.outcome else f"not {condition}"
