"""What conventions add up: named amounts that any layer has, from which every printed count is made.

A tool's FLOPs or a table's parameters are a sum of a few of these with small factors: thop's count is
`products + 2 × bn values + …`. Each term is exact for each layer, so that a sum can be shown by layer.
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import NamedTuple

from archcalc.analysis.costs import Analysis, Layer
from archcalc.graph.model import Graph
from archcalc.operators.convolution import Conv
from archcalc.operators.model import Role
from archcalc.operators.pooling import Pool

Amount = Callable[[Layer, Graph], int]


class Term(NamedTuple):
    """An amount by layer: `says` completes "… counts"; layers of other operators have none of it.

    `operators` empty: every operator but the input.
    """

    name: str
    says: str
    operators: frozenset[str]
    amount: Amount

    def of(self, layer: Layer, graph: Graph) -> int:
        """What this layer contributes."""
        name = layer.node.operator.name
        if name == "input" and "input" not in self.operators:
            return 0
        return self.amount(layer, graph) if not self.operators or name in self.operators else 0

    def by_layer(self, analysis: Analysis) -> tuple[int, ...]:
        """One amount a layer, in the order of the analysis."""
        return tuple(self.of(layer, analysis.graph) for layer in analysis.layers)

    def total(self, analysis: Analysis) -> int:
        """The amount of the whole network."""
        return sum(self.by_layer(analysis))


def outputs(layer: Layer, graph: Graph) -> int:
    """Values of the output."""
    return int(layer.node.shape.values)


def stored_outputs(layer: Layer, graph: Graph) -> int:
    """Values of an output that is a map of its own: see `stored` of archcalc.analysis.memory."""
    return outputs(layer, graph) if layer.node.operator.stored else 0


def scalings(layer: Layer, graph: Graph) -> int:
    """A value: its scaling; a position: squares and sums of its channels, a power and a constant."""
    height, width, channels = layer.node.shape
    return outputs(layer, graph) + int(height * width * (2 + 2 * channels))


def flattened(layer: Layer, graph: Graph) -> int:
    """Values of a map that is made a vector; torchvision has an average pool of that size before."""
    return outputs(layer, graph) if layer.inputs[0].positions > 1 else 0


def inputs(layer: Layer, graph: Graph) -> int:
    """Values of all inputs."""
    return sum(int(shape.values) for shape in layer.inputs)


def channels(layer: Layer, graph: Graph) -> int:
    """Channels of the output."""
    return int(layer.node.shape.channels)


def once(layer: Layer, graph: Graph) -> int:
    """One a layer."""
    return 1


def products(layer: Layer, graph: Graph) -> int:
    """Products of a weight (or a key) and an input value."""
    return int(layer.costs.multiplies)


def windows(layer: Layer, graph: Graph) -> int:
    """Values that all windows of a pool see: outputs × window."""
    operator = layer.node.operator
    return outputs(layer, graph) * int(prod(operator.k)) if isinstance(operator, Pool) else 0


def strides(layer: Layer, graph: Graph) -> int:
    """Outputs × vertical stride × horizontal stride of a pool."""
    operator = layer.node.operator
    return outputs(layer, graph) * int(prod(operator.s)) if isinstance(operator, Pool) else 0


def joins(layer: Layer, graph: Graph) -> int:
    """Operations of an elementwise join: values × (inputs − 1)."""
    return outputs(layer, graph) * (len(layer.inputs) - 1)


def biased(layer: Layer, graph: Graph) -> int:
    """Outputs to which a bias is added."""
    return outputs(layer, graph) if layer.costs.biases else 0


def numbers(*roles: Role) -> Amount:
    """Numbers that a layer keeps under these roles."""

    def count(layer: Layer, graph: Graph) -> int:
        weights = layer.node.operator.weights(*layer.inputs)
        return sum(int(weight.size) for weight in weights if weight.role in roles)

    return count


def neighbors(layer: Layer, graph: Graph) -> int:
    """Values × neighboring channels of a local response normalization."""
    return outputs(layer, graph) * int(getattr(layer.node.operator, "size", 0))


def idle_biases(layer: Layer, graph: Graph) -> int:
    """Channels of a batch norm whose conv has no bias, as the norm's shift makes one superfluous."""
    before = graph.nodes[layer.node.inputs[0]].operator
    return channels(layer, graph) if isinstance(before, Conv) and before.nobias else 0


CONVS = frozenset({"conv", "deconv"})
DENSE = frozenset({"linear"})
ATTENTION = frozenset({"attention", "windowattention"})
BATCH_NORM = frozenset({"bn"})
RECTIFIERS = frozenset({"relu", "relu6", "leaky"})
CURVES = frozenset({"sigmoid", "tanh", "swish", "gelu", "hsigmoid", "hswish"})
MAX_POOLS = frozenset({"maxpool"})
AVERAGE_POOLS = frozenset({"avgpool"})
GLOBAL_POOLS = frozenset({"gap"})
EVERY: frozenset[str] = frozenset()

_TABLE = (
    # work
    ("products", "products of conv, linear and attention layers", EVERY, products),
    ("conv products", "products of conv layers", CONVS, products),
    ("linear products", "products of linear layers", DENSE, products),
    ("attention products", "products of attention, its projections included", ATTENTION, products),
    ("conv biases added", "a bias added to each output of a conv", CONVS, biased),
    ("linear biases added", "a bias added to each output of a linear layer", DENSE, biased),
    ("bn values", "values that batch norm writes", BATCH_NORM, outputs),
    ("ln values", "values that layer norm writes", frozenset({"ln"}), outputs),
    ("lrn values", "values that local response normalization writes", frozenset({"lrn"}), outputs),
    (
        "lrn neighbors",
        "values × neighbors of local response normalization",
        frozenset({"lrn"}),
        neighbors,
    ),
    (
        "lrn scalings",
        "a scaling a value; 2 a channel and 2 more a position",
        frozenset({"lrn"}),
        scalings,
    ),
    ("scale values", "values that a scale layer writes", frozenset({"scale"}), outputs),
    ("relu values", "values that relu, relu6 or leaky relu writes", RECTIFIERS, outputs),
    ("curve values", "values that sigmoid, tanh, swish, gelu, … writes", CURVES, outputs),
    ("softmax values", "values that softmax writes", frozenset({"softmax"}), outputs),
    ("max pool outputs", "outputs of max pools", MAX_POOLS, outputs),
    ("max pool windows", "outputs × window of max pools", MAX_POOLS, windows),
    ("max pool strides", "outputs × stride² of max pools", MAX_POOLS, strides),
    ("average pool outputs", "outputs of average pools", AVERAGE_POOLS, outputs),
    ("average pool windows", "outputs × window of average pools", AVERAGE_POOLS, windows),
    ("average pool strides", "outputs × stride² of average pools", AVERAGE_POOLS, strides),
    ("global pool outputs", "outputs of global average pools", GLOBAL_POOLS, outputs),
    ("global pool inputs", "inputs of global average pools", GLOBAL_POOLS, inputs),
    ("additions of maps", "sums of elementwise additions", frozenset({"add"}), joins),
    ("products of maps", "products of elementwise multiplications", frozenset({"mul"}), joins),
    # parameters
    ("weights", "weights of conv, linear and attention layers", EVERY, numbers("weight", "position")),
    ("biases", "biases", EVERY, numbers("bias")),
    ("linear parameters", "weights and biases of linear layers", DENSE, numbers("weight", "bias")),
    ("norm scales", "scales of normalizations", EVERY, numbers("scale")),
    ("norm shifts", "shifts of normalizations", EVERY, numbers("shift")),
    ("statistics", "running means and variances", EVERY, numbers("mean", "variance")),
    ("fixed", "numbers set by hand", EVERY, numbers("fixed")),
    ("bn channels", "channels of batch norms", BATCH_NORM, channels),
    ("bn layers", "batch norms (torch keeps a counter in each)", BATCH_NORM, once),
    ("idle biases", "a bias for each channel of a conv next to batch norm", BATCH_NORM, idle_biases),
    # values
    ("map values", "outputs that are maps of their own, the input aside", EVERY, stored_outputs),
    ("input values", "values of the input", frozenset({"input"}), outputs),
    ("conv values", "outputs of conv layers", CONVS, outputs),
    ("linear values", "outputs of linear layers", DENSE, outputs),
    ("dropout values", "outputs of dropout", frozenset({"dropout"}), outputs),
    ("join values", "outputs of add and mul", frozenset({"add", "mul"}), outputs),
    ("concat values", "outputs of concat", frozenset({"concat"}), outputs),
    ("flattened values", "values of maps that are flattened", frozenset({"flatten"}), flattened),
)
TERMS = {name: Term(name, says, operators, amount) for name, says, operators, amount in _TABLE}


class Share(NamedTuple):
    """A term in a sum: `factor` × the term."""

    factor: int
    term: Term


Rule = tuple[Share, ...]


def rule(text: str) -> Rule:
    """'products + 2 bn values − biases' as shares of `TERMS`."""
    shares = []
    for part in text.replace(" − ", " + −").split(" + "):
        sign = -1 if part.startswith("−") else 1
        word, _, rest = part.removeprefix("−").partition(" ")
        factor, name = (int(word), rest) if word.isdecimal() else (1, f"{word} {rest}".strip())
        shares.append(Share(sign * factor, TERMS[name]))
    return tuple(shares)


def head(analysis: Analysis) -> int:
    """The index of the first layer of the classifier: where the last map becomes a vector.

    Equal to the number of layers if there is none.
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


class Ledger:
    """The terms of a network, added up on demand; equal layers are asked once.

    `trunk` keeps the layers before the classifier only.
    """

    def __init__(self, analysis: Analysis, trunk: bool = False) -> None:
        self._graph = analysis.graph
        self._amounts: dict[str, int] = {}
        self._groups: dict[object, list[Layer]] = {}
        nodes = analysis.graph.nodes
        for layer in analysis.layers[: head(analysis)] if trunk else analysis.layers:
            node = layer.node
            before = id(nodes[node.inputs[0]].operator) if node.operator.name == "bn" else 0
            self._groups.setdefault((id(node.operator), layer.inputs, before), []).append(layer)

    def amount(self, term: Term) -> int:
        """The term's total."""
        found = self._amounts.get(term.name)
        if found is None:
            groups = self._groups.values()
            found = sum(len(layers) * term.of(layers[0], self._graph) for layers in groups)
            self._amounts[term.name] = found
        return found
