"""Define the amounts of a layer from which every printed count is made, and the grammar of their sums.

A tool's FLOPs or a table's parameters are a sum of a few of these: '2 outputs + products'.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from math import prod

from archcalc.analysis.costs import Layer
from archcalc.graph.model import Graph
from archcalc.operators.attention import WindowAttention
from archcalc.operators.convolution import Conv, Deconv
from archcalc.operators.model import Role
from archcalc.operators.pooling import Pool

Amount = Callable[[Layer, Graph], int]


@cache
def summands(text: str) -> tuple[tuple[int, str], ...]:
    """Parse '4 stored − biases' as (4, stored), (−1, biases); '' and '0' as nothing."""
    found = []
    for part in text.replace(" − ", " + −").split(" + ") if text not in ("", "0") else ():
        sign, unsigned = (-1, part[1:]) if part.startswith("−") else (1, part)
        word, _, rest = unsigned.partition(" ")
        factor, name = (int(word), rest) if word.isdecimal() else (1, unsigned)
        found.append((sign * factor, name))
    return tuple(found)


def outputs(layer: Layer, graph: Graph) -> int:
    """Count the values of the output."""
    return int(layer.node.shape.values)


def stored_outputs(layer: Layer, graph: Graph) -> int:
    """Count the output's values if it is a map of its own: see `stored` of archcalc.analysis.memory."""
    return outputs(layer, graph) if layer.node.operator.stored else 0


def scalings(layer: Layer, graph: Graph) -> int:
    """Count a scaling per value; per position squares and sums of channels, a power, a constant."""
    shape = layer.node.shape
    return outputs(layer, graph) + int(shape.positions * (2 + 2 * shape.channels))


def flattened(layer: Layer, graph: Graph) -> int:
    """Count the values of a map that is flattened; torchvision has a pool of its size before it."""
    averaged = graph.nodes[layer.node.inputs[0]].operator.name == "adaptivepool"
    return outputs(layer, graph) if layer.inputs[0].positions > 1 and not averaged else 0


def inputs(layer: Layer, graph: Graph) -> int:
    """Count the values of all inputs."""
    return sum(int(shape.values) for shape in layer.inputs)


def beyond_cells(layer: Layer, graph: Graph) -> int:
    """Count inputs of an adaptive pool that thop before 0.1 left out: a window is ⌊input / output⌋."""
    if layer.node.operator.name != "adaptivepool":  # the window of others divides their map
        return 0
    x, y = layer.inputs[0], layer.node.shape
    window = prod(int(n) // int(m) for n, m in zip(x.extents, y.extents, strict=True))
    return inputs(layer, graph) - outputs(layer, graph) * window


def rounded_off(layer: Layer, graph: Graph) -> int:
    """Count inputs of an adaptive pool that thop 0.1.1 loses: (window + 1) × outputs in doubles.

    thop/vision/basic_hooks.py: window = input height / output height × input width / output width.
    """
    if layer.node.operator.name != "adaptivepool":  # with one output nothing is rounded
        return 0
    x, y = layer.inputs[0], layer.node.shape
    window = (int(x.height) / int(y.height)) * (int(x.width) / int(y.width))
    values = outputs(layer, graph)
    return inputs(layer, graph) + values - int((window + 1) * values)


def channels(layer: Layer, graph: Graph) -> int:
    """Count the channels of the output."""
    return int(layer.node.shape.channels)


def once(layer: Layer, graph: Graph) -> int:
    """Count one per layer."""
    return 1


def products(layer: Layer, graph: Graph) -> int:
    """Count the products of a weight (or a key) and an input value."""
    return int(layer.costs.multiplies)


def connections(layer: Layer, graph: Graph) -> int:
    """Count the links from an input value to an output, and the biases used, as LeCun 1998 did."""
    return int(layer.costs.connections)


def windows(layer: Layer, graph: Graph) -> int:
    """Count the values that all windows of a pool see: outputs × window."""
    operator = layer.node.operator
    return outputs(layer, graph) * int(prod(operator.k)) if isinstance(operator, Pool) else 0


def window_rows(layer: Layer, graph: Graph) -> int:
    """Count outputs × the height of a pool's window."""
    operator = layer.node.operator
    return outputs(layer, graph) * int(operator.k[0]) if isinstance(operator, Pool) else 0


def strides(layer: Layer, graph: Graph) -> int:
    """Count outputs × vertical stride × horizontal stride of a pool."""
    operator = layer.node.operator
    return outputs(layer, graph) * int(prod(operator.s)) if isinstance(operator, Pool) else 0


def joins(layer: Layer, graph: Graph) -> int:
    """Count the operations of an elementwise join: values × (inputs − 1)."""
    return outputs(layer, graph) * (len(layer.inputs) - 1)


def biased(layer: Layer, graph: Graph) -> int:
    """Count the outputs to which a bias is added."""
    weights = layer.node.operator.weights(*layer.inputs)
    return outputs(layer, graph) if any(weight.role == "bias" for weight in weights) else 0


def numbers(*roles: Role) -> Amount:
    """Return the amount that counts the numbers a layer keeps under these roles."""

    def count(layer: Layer, graph: Graph) -> int:
        weights = layer.weights
        return sum(int(weight.size) for weight in weights if weight.role in roles)

    return count


def neighbors(layer: Layer, graph: Graph) -> int:
    """Count values × neighboring channels of a local response normalization."""
    return outputs(layer, graph) * int(getattr(layer.node.operator, "size", 0))


def padding_channels(layer: Layer, graph: Graph) -> int:
    """Count the zeros beside the channels of a response normalization: neighbors − 1 per position."""
    return positions(layer, graph) * max(0, int(getattr(layer.node.operator, "size", 0)) - 1)


def idle_biases(layer: Layer, graph: Graph) -> int:
    """Count the channels of a batch norm whose conv has no bias, since the norm's shift replaces it."""
    before = graph.nodes[layer.node.inputs[0]].operator
    return channels(layer, graph) if isinstance(before, Conv) and before.nobias else 0


def positions(layer: Layer, graph: Graph) -> int:
    return int(layer.node.shape.positions)


def beyond_first(layer: Layer, graph: Graph) -> int:
    everywhere = positions(layer, graph)
    return products(layer, graph) // everywhere * (everywhere - 1)


def parameters(layer: Layer, graph: Graph) -> int:
    return int(layer.costs.parameters)


def everywhere(layer: Layer, graph: Graph) -> int:
    return parameters(layer, graph) * positions(layer, graph)


def as_if_forward(layer: Layer, graph: Graph) -> int:
    """Count the products of a transposed convolution as if each output summed a whole window."""
    operator = layer.node.operator
    assert isinstance(operator, Deconv)
    window = int(prod(operator.k))
    return outputs(layer, graph) * window * (int(layer.inputs[0].channels) // int(operator.g))


def at_all_inputs(layer: Layer, graph: Graph) -> int:
    """Count the products of a transposed convolution, including outputs that the padding cuts off."""
    return numbers("weight")(layer, graph) * int(layer.inputs[0].positions)


def pairs(layer: Layer, graph: Graph) -> int:
    """Count products of attention outside its projections: queries × keys, scores × values."""
    windowed = isinstance(layer.node.operator, WindowAttention)
    tokens = tokens_in_windows(layer) if windowed else positions(layer, graph)
    return products(layer, graph) - numbers("weight")(layer, graph) * tokens


def scores(layer: Layer, graph: Graph) -> int:
    return int(layer.costs.census.exponentials)  # the softmax takes one per product


def in_windows(layer: Layer, graph: Graph) -> int:
    """Count values of all windows side by side, those beyond the map included."""
    return tokens_in_windows(layer) * channels(layer, graph)


def tokens_in_windows(layer: Layer) -> int:
    """Count positions of all windows of a window attention, those beyond the map included."""
    operator = layer.node.operator
    assert isinstance(operator, WindowAttention)
    scores_a_token = int(operator.heads) * int(operator.window) ** 2
    return int(layer.costs.census.exponentials) // scores_a_token


def object_bytes(layer: Layer, graph: Graph) -> int:
    return 64  # sys.getsizeof of a storage without its bytes


# amounts that a rule may add up, and the words for a difference; {} is the module
AMOUNTS: Mapping[str, tuple[Amount, str]] = {
    "products": (products, "products of {}"),
    "products beyond the first position": (
        beyond_first,
        "products of {} at all positions but the first",
    ),
    "products of pairs": (pairs, "products of queries, keys and values in {}"),
    "products as if forward": (as_if_forward, "outputs × window × channels of {}"),
    "products at all inputs": (at_all_inputs, "weights × input positions of {}"),
    "biases added": (biased, "biases that {} adds"),
    "biases": (numbers("bias"), "biases of {}"),
    "parameters": (parameters, "parameters of {}"),
    "parameters everywhere": (everywhere, "parameters × positions of {}"),
    "statistics": (numbers("mean", "variance"), "running means and variances of {}"),
    "inputs": (inputs, "input values of {}"),
    "inputs beyond whole windows": (beyond_cells, "input values of {} beyond whole windows"),
    "inputs rounded off": (rounded_off, "input values of {} that are rounded off"),
    "outputs": (outputs, "output values of {}"),
    "positions": (positions, "positions of {}"),
    "channels": (channels, "channels of {}"),
    "once": (once, "count of {}"),
    "scores": (scores, "scores of {}"),
    "window values": (in_windows, "values of all windows of {}"),
    "object": (object_bytes, "bytes of the object that holds the {}"),
    "windows": (windows, "outputs × window of {}"),
    "window rows": (window_rows, "outputs × rows of the window of {}"),
    "strides": (strides, "outputs × stride² of {}"),
    "neighbors": (neighbors, "values × neighbors of {}"),
    "padding channels": (padding_channels, "zeros beside the channels of {}"),
    "scalings": (scalings, "scalings of {}"),
    "joins": (joins, "sums or products of {}"),
    "flattened": (flattened, "values of {} before it is a vector"),
}
