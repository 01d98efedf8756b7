"""Count a network as another tool does, and explain each difference from archcalc, to the last unit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from archcalc.analysis.costs import Analysis, Layer
from archcalc.audit.amounts import AMOUNTS, summands
from archcalc.audit.modules import ReferenceCode, code_of
from archcalc.audit.tables import ANY, NoCount, Rules, Tool, ToolCount
from archcalc.audit.tools import TOOLS
from archcalc.errors import Diagnostic, UsageError
from archcalc.spec.model import Source
from archcalc.tuples import NamedTuple


class Deviation(NamedTuple):
    """`factor` × what `says` names: more than archcalc counts, or less (below 0), and why less."""

    factor: int
    says: str
    amount: int
    why: str


class Recount(NamedTuple):
    """A tool's count beside archcalc's: each by layer, the tool's by sum, and why they differ."""

    tool: Tool
    rule: ToolCount
    code: ReferenceCode
    sums: dict[str, tuple[int, ...]]
    ours: tuple[int, ...]
    differences: tuple[Deviation, ...]

    @property
    def total(self) -> int:
        return sum(map(sum, self.sums.values()))

    def modules(self, layer: int) -> str:
        """Return the module of a layer, and the composite modules that end there, if they count."""
        own, wholes = self.code.names[layer], self.code.parts[layer]
        tables = [rules for rules in self.rule.sums.values() if ANY not in rules]
        return " + ".join([own, *(w for w in wholes if any(summands(rules[w]) for rules in tables))])

    @property
    def printed(self) -> tuple[str, ...]:
        """The lines that the tool prints."""
        return self.rule.prints({name: sum(amounts) for name, amounts in self.sums.items()})


def recount(
    tool_name: str,
    quantity: str,
    name: str,
    source: Source,
    analysis: Analysis,
    functions: Mapping[str, str] = {},
) -> Recount:
    """Count a quantity (params, flops, memory) of the network `name` of a spec as a tool does.

    Args:
        functions: by path what is known to be no module: `F.relu`.

    Raises:
        UsageError: the tool has no such quantity, or its count depends on unknown code.
    """
    tool = TOOLS[tool_name]
    count = tool.counts[quantity]
    if isinstance(count, NoCount):
        raise UsageError(Diagnostic(count.message, help=count.help))
    code = code_of(tool.library, name, source, analysis, functions)
    for rules in count.sums.values():
        _require_told(tool, rules, code, analysis)
    sums = {title: tuple(_by_layer(rules, code, analysis)) for title, rules in count.sums.items()}
    ours = tuple(_by_layer({ANY: count.ours}, code, analysis))
    return Recount(tool, count, code, sums, ours, tuple(_differences(tool, count, code, analysis)))


class PrintedSum(NamedTuple):
    """One sum that a tool prints: its value to the last unit, and its parts (factor, what, amount).

    `kind` is one of archcalc.audit.conventions; `base` is the value of K in its unit.
    """

    tool: str
    title: str
    kind: str
    value: int
    base: int
    terms: tuple[tuple[int, str, int], ...]


_KINDS = {"params": "parameters", "flops": "multiplies", "memory": "all bytes"}


def printed_by(tool_name: str, name: str, source: Source, analysis: Analysis) -> dict[str, PrintedSum]:
    """Return every sum that a tool prints for the network `name` of a spec, by title.

    Sums that are unknown for this network are left out.
    """
    found: dict[str, PrintedSum] = {}
    for quantity, count in TOOLS[tool_name].counts.items():
        try:
            told = recount(tool_name, quantity, name, source, analysis)
        except UsageError:
            continue
        assert isinstance(count, ToolCount)
        terms = {title: _summed(rules, told.code, analysis) for title, rules in count.sums.items()}
        if len(terms) > 1:
            terms[count.whole or quantity] = tuple(term for each in terms.values() for term in each)
        for title, parts in terms.items():
            kind = count.kinds.get(title, _KINDS[quantity])
            value = sum(factor * amount for factor, _, amount in parts)
            label = f"{told.tool.name} {told.tool.version}"
            key = f"{title}, bytes" if title in found else title
            found[key] = PrintedSum(label, title, kind, value, count.base, parts)
    return found


def _summed(rules: Rules, code: ReferenceCode, analysis: Analysis) -> tuple[tuple[int, str, int], ...]:
    """Return the amounts of one sum by module, in the order of the layers."""
    amounts: Counter[tuple[int, str]] = Counter()
    for names, layer in zip(code.all_names, analysis.layers, strict=True):
        for module in names[: 1 if ANY in rules else None]:
            for name, factor in _parts(_rule(rules, module), layer).items():
                amount, says = AMOUNTS[name]
                amounts[factor, says.format(module)] += amount(layer, analysis.graph)
    return tuple((factor, says, amount) for (factor, says), amount in amounts.items() if amount)


def _require_told(tool: Tool, rules: Rules, code: ReferenceCode, analysis: Analysis) -> None:
    if ANY in rules:
        return
    if code.untold:
        path, what = next(iter(code.untold.items()))
        message = f"what {tool.name} counts depends on the code, and nothing tells of `{path}` {what}"
        help = "it is known of bundled networks that torchvision has; without --as, it need not be"
        raise UsageError(Diagnostic(message, help=help))
    for names, layer in zip(code.all_names, analysis.layers, strict=True):
        for module in names:
            if module in tool.fails:
                message = f"{tool.name} stops at `{layer.path}`: {tool.fails[module]}"
                raise UsageError(Diagnostic(message, help="`--as torchinfo` counts this network"))
            if module not in rules:
                message = f"nobody has told how {tool.name} counts {module} (layer `{layer.path}`)"
                help = "without --as, archcalc counts every operator"
                raise UsageError(Diagnostic(message, help=help))


def _by_layer(rules: Rules, code: ReferenceCode, analysis: Analysis) -> Iterator[int]:
    for names, layer in zip(code.all_names, analysis.layers, strict=True):
        parts = _layer_parts(rules, names, layer)
        yield sum(factor * AMOUNTS[name][0](layer, analysis.graph) for name, factor in parts.items())


def _layer_parts(rules: Rules, names: tuple[str, ...], layer: Layer) -> Counter[str]:
    """Return what a layer adds, and the composite modules that it ends, to which no operator belongs."""
    parts = Counter[str](_parts(_rule(rules, names[0]), layer))
    for module in names[1:] if ANY not in rules else ():
        parts.update(_parts(_rule(rules, module), layer))
    return parts


def _rule(rules: Rules, module: str) -> str:
    return rules[module] if module in rules else rules[ANY]


def _differences(
    tool: Tool, count: ToolCount, code: ReferenceCode, analysis: Analysis
) -> Iterator[Deviation]:
    """Yield the differences by module and amount, in the order of the layers; skip equal counts."""
    amounts: Counter[tuple[int, str, str]] = Counter()
    for names, layer in zip(code.all_names, analysis.layers, strict=True):
        for place, module in enumerate(names):
            parts = Counter[str]()
            for rules in count.sums.values():
                if not place or ANY not in rules:
                    parts.update(_parts(_rule(rules, module), layer))
            if not place:
                parts.subtract(_parts(count.ours, layer))
            for name, factor in parts.items():
                if factor and (size := AMOUNTS[name][0](layer, analysis.graph)):
                    amounts[factor, name, module] += factor * size
    for (factor, name, module), total in amounts.items():
        why = tool.why.get(module, "") if factor < 0 else ""
        yield Deviation(factor, AMOUNTS[name][1].format(module), total, why)


def _parts(rule: str, layer: Layer) -> Counter[str]:
    """Return a rule's amounts for a layer with their factors; `stored` are outputs that are maps."""
    parts = Counter[str]()
    for factor, name in summands(rule):
        if name != "stored":
            parts[name] += factor
        elif layer.node.operator.stored:
            parts["outputs"] += factor
    return parts
