"""Define the terms that conventions sum: named amounts of a layer that make up every printed count.

A tool's FLOPs or a table's parameters are a sum of a few of these with small factors: thop's count is
`products + 2 × bn values + …`. Each term is exact for each layer, so that a sum can be shown by layer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from archcalc.analysis.costs import Analysis, Layer
from archcalc.audit import amounts
from archcalc.audit.amounts import Amount, numbers, summands
from archcalc.audit.modules import ALONE, is_alone
from archcalc.graph.model import Graph, Node
from archcalc.operators import ATTENTION
from archcalc.tuples import NamedTuple

if TYPE_CHECKING:
    from archcalc.audit.readings import Way


class Term(NamedTuple):
    """An amount by layer; `says` completes "… counts"; layers of other operators have 0.

    `operators` empty: all operators except the input.
    """

    name: str
    says: str
    operators: frozenset[str]
    amount: Amount

    def of(self, layer: Layer, graph: Graph) -> int:
        """Return the layer's contribution."""
        name = layer.node.operator.name
        if name == "input" and "input" not in self.operators:
            return 0
        return self.amount(layer, graph) if not self.operators or name in self.operators else 0

    def by_layer(self, analysis: Analysis) -> tuple[int, ...]:
        """Return the amount of each layer, in the order of the analysis."""
        return tuple(self.of(layer, analysis.graph) for layer in analysis.layers)

    def total(self, analysis: Analysis) -> int:
        """Return the amount of the whole network."""
        return sum(self.by_layer(analysis))


# operators whose arguments make them another module, or change its count: untold
OTHERWISE = ("adaptivepool max", "upsample bilinear", "upsample bicubic", ALONE)
CONVS = frozenset({"conv", "deconv"})
DENSE = frozenset({"linear"})
EVERY_ATTENTION = frozenset(ATTENTION)
BATCH_NORM = frozenset({"bn"})
RECTIFIERS = frozenset({"relu", "relu6", "leaky"})
CURVES = frozenset({"sigmoid", "tanh", "swish", "gelu", "hsigmoid", "hswish"})
MAX_POOLS = frozenset({"maxpool"})
AVERAGE_POOLS = frozenset({"avgpool"})
GLOBAL_POOLS = frozenset({"gap", "adaptivepool"})  # of torch, where both are adaptive
EVERY: frozenset[str] = frozenset()

_TABLE = (
    # work
    ("products", "products of conv, linear and attention layers", EVERY, amounts.products),
    ("connections", "links from inputs to outputs, and biases used", EVERY, amounts.connections),
    ("conv products", "products of conv layers", frozenset({"conv"}), amounts.products),
    ("deconv products", "products of transposed convs", frozenset({"deconv"}), amounts.products),
    ("linear products", "products of linear layers", DENSE, amounts.products),
    (
        "attention products",
        "products of attention, its projections included",
        EVERY_ATTENTION,
        amounts.products,
    ),
    ("conv biases added", "a bias added to each output of a conv", CONVS, amounts.biased),
    ("linear biases added", "a bias added to each output of a linear layer", DENSE, amounts.biased),
    ("bn values", "values that batch norm writes", BATCH_NORM, amounts.outputs),
    ("ln values", "values that layer norm writes", frozenset({"ln"}), amounts.outputs),
    (
        "lrn values",
        "values that local response normalization writes",
        frozenset({"lrn"}),
        amounts.outputs,
    ),
    (
        "lrn neighbors",
        "values × neighbors of local response normalization",
        frozenset({"lrn"}),
        amounts.neighbors,
    ),
    (
        "lrn scalings",
        "a scaling a value; 2 a channel and 2 more a position",
        frozenset({"lrn"}),
        amounts.scalings,
    ),
    ("scale values", "values that a scale layer writes", frozenset({"scale"}), amounts.outputs),
    ("relu values", "values that relu, relu6 or leaky relu writes", RECTIFIERS, amounts.outputs),
    ("curve values", "values that sigmoid, tanh, swish, gelu, … writes", CURVES, amounts.outputs),
    ("softmax values", "values that softmax writes", frozenset({"softmax"}), amounts.outputs),
    ("max pool outputs", "outputs of max pools", MAX_POOLS, amounts.outputs),
    ("max pool windows", "outputs × window of max pools", MAX_POOLS, amounts.windows),
    ("max pool strides", "outputs × stride² of max pools", MAX_POOLS, amounts.strides),
    ("average pool outputs", "outputs of average pools", AVERAGE_POOLS, amounts.outputs),
    ("average pool windows", "outputs × window of average pools", AVERAGE_POOLS, amounts.windows),
    ("average pool strides", "outputs × stride² of average pools", AVERAGE_POOLS, amounts.strides),
    ("global pool inputs", "inputs of global average pools", GLOBAL_POOLS, amounts.inputs),
    ("global pool outputs", "outputs of global average pools", GLOBAL_POOLS, amounts.outputs),
    ("additions of maps", "sums of elementwise additions", frozenset({"add"}), amounts.joins),
    ("products of maps", "products of elementwise multiplications", frozenset({"mul"}), amounts.joins),
    # parameters
    ("weights", "weights of conv, linear and attention layers", EVERY, numbers("weight", "position")),
    ("biases", "biases", EVERY, numbers("bias")),
    ("linear parameters", "weights and biases of linear layers", DENSE, amounts.parameters),
    ("norm scales", "scales of normalizations", EVERY, numbers("scale")),
    ("norm shifts", "shifts of normalizations", EVERY, numbers("shift")),
    ("statistics", "running means and variances", EVERY, numbers("mean", "variance")),
    ("fixed", "numbers set by hand", EVERY, numbers("fixed")),
    ("bn channels", "channels of batch norms", BATCH_NORM, amounts.channels),
    ("bn layers", "batch norms (torch keeps a counter in each)", BATCH_NORM, amounts.once),
    (
        "idle biases",
        "a bias for each channel of a conv next to batch norm",
        BATCH_NORM,
        amounts.idle_biases,
    ),
    # values
    ("map values", "outputs that are maps of their own, the input aside", EVERY, amounts.stored_outputs),
    ("input values", "values of the input", frozenset({"input"}), amounts.outputs),
    ("conv values", "outputs of conv layers", CONVS, amounts.outputs),
    ("linear values", "outputs of linear layers", DENSE, amounts.outputs),
    ("dropout values", "outputs of dropout", frozenset({"dropout"}), amounts.outputs),
    ("join values", "outputs of add and mul", frozenset({"add", "mul"}), amounts.outputs),
    ("concat values", "outputs of concat", frozenset({"concat"}), amounts.outputs),
    ("flattened values", "values of maps that are flattened", frozenset({"flatten"}), amounts.flattened),
)
TERMS = {name: Term(name, says, operators, amount) for name, says, operators, amount in _TABLE}


class Share(NamedTuple):
    """A term in a sum: `factor` × the term."""

    factor: int
    term: Term


Rule = tuple[Share, ...]


def rule(text: str) -> Rule:
    """Parse 'products + 2 bn values − biases' as shares of `TERMS`."""
    return tuple(Share(factor, TERMS[name]) for factor, name in summands(text))


def head(analysis: Analysis) -> int:
    """Return the index of the first layer of the classifier, where the last map becomes a vector.

    It equals the number of layers if there is none.
    """
    layers = analysis.layers
    start = len(layers)
    for index in range(len(layers) - 1, 0, -1):
        layer = layers[index]
        if layer.node.operator.name in ("conv", "deconv", *MAX_POOLS, *AVERAGE_POOLS) and _on_map(layer):
            break
        if layer.node.operator.name in ("gap", "flatten"):
            return index if _on_map(layer) else start
        if layer.node.operator.name == "linear":
            start = index
    return start


def _on_map(layer: Layer) -> bool:
    return bool(layer.inputs[0].positions > 1)


def _name(node: Node) -> str:
    """Return the operator's name, or what is counted otherwise because of its arguments."""
    operator = node.operator
    if is_alone(operator):
        return ALONE
    argued = (word for word in ("max", "bilinear", "bicubic") if getattr(operator, word, False) is True)
    name = " ".join([operator.name, *argued])
    return name if name in OTHERWISE else operator.name


class Ledger:
    """The terms of a network, summed on demand; equal layers are computed once.

    `trunk` keeps only the layers before the classifier.
    """

    def __init__(self, analysis: Analysis, trunk: bool = False) -> None:
        self._graph = analysis.graph
        self._amounts: dict[Term, int] = {}
        self._groups: dict[object, list[Layer]] = {}
        nodes = analysis.graph.nodes
        self.operators = frozenset(map(_name, analysis.graph.nodes))
        for layer in analysis.layers[: head(analysis)] if trunk else analysis.layers:
            node = layer.node
            before = id(nodes[node.inputs[0]].operator) if node.operator.name == "bn" else 0
            self._groups.setdefault(
                (id(node.operator), layer.inputs, node.shares < 0, before), []
            ).append(layer)

    def knows(self, way: Way) -> bool:
        """Return whether its conventions say how each operator counts."""
        return not any(convention.unknown & self.operators for convention in way.conventions)

    def amount(self, term: Term) -> int:
        """Return the term's total."""
        found = self._amounts.get(term)
        if found is None:
            groups = self._groups.values()
            found = sum(len(layers) * term.of(layers[0], self._graph) for layers in groups)
            self._amounts[term] = found
        return found
