"""A network counted as another tool counts it, and what that adds or leaves out, to the last unit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from functools import cache
from typing import NamedTuple

from archcalc.analysis.costs import Analysis, Layer
from archcalc.audit.modules import Code, code_of
from archcalc.audit.terms import Amount, biased, channels, inputs, numbers, once, outputs, products
from archcalc.audit.tools import ANY, TOOLS, Count, Refusal, Rules, Tool
from archcalc.errors import Diagnostic, UsageError
from archcalc.graph.model import Graph
from archcalc.operators.attention import WindowAttention
from archcalc.operators.convolution import Deconv
from archcalc.spec.model import Source


class Difference(NamedTuple):
    """`factor` × what `says` names: more than archcalc counts, or less (below 0), and why less."""

    factor: int
    says: str
    amount: int
    why: str


class Recount(NamedTuple):
    """A tool's count beside archcalc's: each by layer, the tool's by sum, and why they differ."""

    tool: Tool
    rule: Count
    code: Code
    sums: dict[str, tuple[int, ...]]
    ours: tuple[int, ...]
    differences: tuple[Difference, ...]

    @property
    def total(self) -> int:
        return sum(map(sum, self.sums.values()))

    @property
    def printed(self) -> tuple[str, ...]:
        """What the tool prints, line by line."""
        return self.rule.prints({name: sum(amounts) for name, amounts in self.sums.items()})


def recount(tool_name: str, quantity: str, name: str, source: Source, analysis: Analysis) -> Recount:
    """A quantity (params, flops, memory) of the network `name` of a spec, as a tool counts it.

    Raises:
        UsageError: the tool has no such quantity, or its count depends on what nobody has told.
    """
    tool = TOOLS[tool_name]
    count = tool.counts[quantity]
    if isinstance(count, Refusal):
        raise UsageError(Diagnostic(count.message, help=count.help))
    code = code_of(tool.library, name, source, analysis)
    for rules in count.sums.values():
        _require_told(tool, rules, code)
    sums = {title: tuple(_by_layer(rules, code, analysis)) for title, rules in count.sums.items()}
    ours = tuple(_by_layer({ANY: count.ours}, code, analysis))
    return Recount(tool, count, code, sums, ours, tuple(_differences(tool, count, code, analysis)))


def _require_told(tool: Tool, rules: Rules, code: Code) -> None:
    if code.untold and ANY not in rules:
        path, what = next(iter(code.untold.items()))
        message = f"what {tool.name} counts depends on the code, and nothing tells of `{path}` {what}"
        help = "it is known of bundled networks that torchvision has; without --as, it need not be"
        raise UsageError(Diagnostic(message, help=help))


def _by_layer(rules: Rules, code: Code, analysis: Analysis) -> Iterator[int]:
    for module, layer in zip(code.names, analysis.layers, strict=True):
        parts = _parts(_rule(rules, module), layer)
        yield sum(factor * _AMOUNTS[name][0](layer, analysis.graph) for name, factor in parts.items())


def _rule(rules: Rules, module: str) -> str:
    return rules.get(module, rules.get(ANY, ""))


def _differences(tool: Tool, count: Count, code: Code, analysis: Analysis) -> Iterator[Difference]:
    """By module and amount, in the order of the layers; what is counted alike does not appear."""
    amounts: Counter[tuple[int, str, str]] = Counter()
    for module, layer in zip(code.names, analysis.layers, strict=True):
        parts = Counter[str]()
        for rules in count.sums.values():
            parts.update(_parts(_rule(rules, module), layer))
        parts.subtract(_parts(count.ours, layer))
        for name, factor in parts.items():
            if factor and (size := _AMOUNTS[name][0](layer, analysis.graph)):
                amounts[factor, name, module] += factor * size
    for (factor, name, module), total in amounts.items():
        why = tool.why.get(module, "") if factor < 0 else ""
        yield Difference(factor, _AMOUNTS[name][1].format(module), total, why)


def _parts(rule: str, layer: Layer) -> Counter[str]:
    """A rule's amounts for a layer, and their factors; `stored` are the outputs of what makes a map."""
    parts = Counter[str]()
    for factor, name in _terms(rule):
        if name != "stored":
            parts[name] += factor
        elif layer.node.operator.stored:
            parts["outputs"] += factor
    return parts


@cache
def _terms(rule: str) -> tuple[tuple[int, str], ...]:
    """'4 stored − biases' → (4, stored), (−1, biases)."""
    terms = []
    for part in rule.replace(" − ", " + −").split(" + ") if rule else ():
        sign, text = (-1, part[1:]) if part.startswith("−") else (1, part)
        word, _, rest = text.partition(" ")
        factor, name = (int(word), rest) if word.isdecimal() else (1, text)
        terms.append((sign * factor, name))
    return tuple(terms)


def _positions(layer: Layer, graph: Graph) -> int:
    return int(layer.node.shape.positions)


def _beyond_first(layer: Layer, graph: Graph) -> int:
    positions = _positions(layer, graph)
    return products(layer, graph) // positions * (positions - 1)


def _parameters(layer: Layer, graph: Graph) -> int:
    return int(layer.costs.parameters)


def _everywhere(layer: Layer, graph: Graph) -> int:
    return _parameters(layer, graph) * _positions(layer, graph)


def _as_if_forward(layer: Layer, graph: Graph) -> int:
    """Products of a transposed convolution, were each output a sum over a whole window."""
    operator = layer.node.operator
    assert isinstance(operator, Deconv)
    window = int(operator.k[0]) * int(operator.k[1])
    return outputs(layer, graph) * window * (int(layer.inputs[0].channels) // int(operator.g))


def _pairs(layer: Layer, graph: Graph) -> int:
    """Products of attention outside its projections: queries × keys, scores × values."""
    return products(layer, graph) - numbers("weight")(layer, graph) * _positions(layer, graph)


def _scores(layer: Layer, graph: Graph) -> int:
    return int(layer.costs.census.exponentials)  # the softmax takes one of each


def _in_windows(layer: Layer, graph: Graph) -> int:
    """Values of all windows side by side, those beyond the map included."""
    operator = layer.node.operator
    assert isinstance(operator, WindowAttention)
    scores_a_token = int(operator.heads) * int(operator.window) ** 2
    return _scores(layer, graph) // scores_a_token * channels(layer, graph)


def _object(layer: Layer, graph: Graph) -> int:
    return 64  # sys.getsizeof of a storage without its bytes


# what a rule may add up, and how a difference is put into words; {} is the module
_AMOUNTS: Mapping[str, tuple[Amount, str]] = {
    "products": (products, "products of {}"),
    "products beyond the first position": (
        _beyond_first,
        "products of {} at all positions but the first",
    ),
    "products of pairs": (_pairs, "products of queries, keys and values in {}"),
    "products as if forward": (_as_if_forward, "outputs × window × channels of {}"),
    "biases added": (biased, "biases that {} adds"),
    "biases": (numbers("bias"), "biases of {}"),
    "parameters": (_parameters, "parameters of {}"),
    "parameters everywhere": (_everywhere, "parameters × positions of {}"),
    "statistics": (numbers("mean", "variance"), "running means and variances of {}"),
    "inputs": (inputs, "input values of {}"),
    "outputs": (outputs, "output values of {}"),
    "positions": (_positions, "positions of {}"),
    "channels": (channels, "channels of {}"),
    "once": (once, "count of {}"),
    "scores": (_scores, "scores of {}"),
    "window values": (_in_windows, "values of all windows of {}"),
    "object": (_object, "bytes of the object that holds the {}"),
}
