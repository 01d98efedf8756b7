"""Lint a network: find what costs more than necessary, or differs between frameworks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

from archcalc.analysis.costs import Analysis
from archcalc.analysis.field import receptive_fields
from archcalc.analysis.inputs import unread as never_read
from archcalc.analysis.memory import measure
from archcalc.graph.model import Graph, Node
from archcalc.graph.unread import counting
from archcalc.network import Network
from archcalc.operators.window import Windowed
from archcalc.tuples import NamedTuple
from archcalc.units import grouped, percent

ALIGN = 8  # the channels that the kernels of most devices process together
ABRUPT = 5  # the factor of values lost in one step that is reported
MOST_TOLD = 5  # the most layers that a rule names


class Remark(NamedTuple):
    """A remark of a rule on a layer, or on the whole network (path '')."""

    rule: str
    path: str
    told: str
    node: int = -1


class Rule(NamedTuple):
    """A rule: what it finds, the advice, and the function that finds it."""

    looks_for: str
    remedy: str
    find: Callable[[Network, int], Iterator[tuple[int, str]]]


def look_over(network: Network, off: frozenset[str], align: int) -> list[Remark]:
    """Return the remarks of all rules but those in `off`; `align` 0 ignores widths."""
    found = []
    for name, rule in RULES.items():
        if name in off or (name == "align" and not align):
            continue
        every = list(rule.find(network, align or ALIGN))
        for index, told in every[:MOST_TOLD]:
            path = network.graph.nodes[index].path if index >= 0 else ""
            found.append(Remark(name, path, told, index))
        if len(every) > MOST_TOLD:
            found.append(Remark(name, "", f"and {len(every) - MOST_TOLD} more"))
    return found


def _unread(network: Network, _: int) -> Iterator[tuple[int, str]]:
    """Find positions of a map that strides skip or never reach."""
    for gap in never_read(network.graph):
        share = percent(gap.positions, gap.of)
        yield (
            gap.node,
            f"{grouped(gap.positions)} of {grouped(gap.of)} positions ({share}) are never read",
        )


def _same(network: Network, _: int) -> Iterator[tuple[int, str]]:
    """Find `same` with a stride: it pads the odd pixel after the map, while torch pads evenly."""
    for index, node in _windowed(network.graph):
        operator: Any = node.operator
        x = network.graph.nodes[node.inputs[0]].shape
        axes = zip(x.extents, node.shape.extents, operator.k, operator.s, operator.d, strict=True)
        odd = any(max((m - 1) * s + d * (k - 1) + 1 - n, 0) % 2 for n, m, k, s, d in axes)
        if operator.same and odd and any(s > 1 for s in operator.s):
            yield index, f"`{operator}` pads one pixel more behind the map than before it"


def _ceil(network: Network, _: int) -> Iterator[tuple[int, str]]:
    """Find pools that round up to a row that frameworks without `ceil` do not have."""
    for index, node in _windowed(network.graph):
        operator: Any = node.operator
        if operator.ceil:
            down = operator.replaced(ceil=False).output_shape(*network.graph.input_shapes(node))
            if tuple(down) != tuple(node.shape):
                yield index, f"`ceil` makes {node.shape}; rounded down it is {down}"


def _field(network: Network, align: int) -> Iterator[tuple[int, str]]:
    """Find layers whose windows are larger than the image."""
    graph, fields = network.graph, receptive_fields(network.graph).nodes
    beyond = []
    for index, _ in _windowed(graph):
        field = fields[index]
        if field.is_global or not all(field.axes):
            continue
        sides = zip(field.sides, graph.input.extents, strict=False)
        if all(axis.size > size for axis, size in sides):
            beyond.append(index)
    if beyond:
        sizes = "×".join(str(axis.size) for axis in fields[beyond[-1]].sides)
        count = f"{len(beyond)} layers" if len(beyond) > 1 else "1 layer"
        yield beyond[0], f"from here {count} see more than the image, at the end {sizes} pixels"


def _bottleneck(network: Network, _: int) -> Iterator[tuple[int, str]]:
    """Find steps where all data passes through far fewer values (Szegedy et al. 2016, principle 1)."""
    graph = network.graph
    cuts = _cuts(graph)
    for before, after in pairwise(cuts):
        x, y = graph.nodes[before].shape, graph.nodes[after].shape
        if y.positions > 1 and int(x.values) > ABRUPT * int(y.values):
            factor = int(x.values) / int(y.values)
            yield after, f"{x} becomes {y}: {factor:.1f} times fewer values"


def _cuts(graph: Graph) -> list[int]:
    """Return the nodes whose output alone all later nodes depend on."""
    reach = [0] * len(graph.nodes)  # the last reader of each node
    for index, node in enumerate(graph.nodes):
        for i in node.inputs:
            reach[i] = index
    cuts, latest = [], 0
    for index in range(len(graph.nodes)):
        if latest <= index:
            cuts.append(index)
        latest = max(latest, reach[index])
    return cuts


def _bias(network: Network, _: int) -> Iterator[tuple[int, str]]:
    """Find biases before a batch norm, which subtracts them with the mean."""
    graph, layers = network.graph, network.analyze().layers
    readers: list[list[int]] = [[] for _ in graph.nodes]
    for index, node in enumerate(graph.nodes):
        for i in node.inputs:
            readers[i].append(index)
    for index, layer in enumerate(layers):
        names = [graph.nodes[i].operator.name for i in readers[index]]
        if layer.costs.biases and names == ["bn"] and index not in graph.outputs:
            yield (
                index,
                f"{grouped(int(layer.costs.biases))} biases that the batch norm behind takes away",
            )


def _unused(network: Network, _: int) -> Iterator[tuple[int, str]]:
    """Find variables that nothing reads, under any setting of the others that was tried."""
    spec, values = network.spec, network.values
    for name in spec.variables:
        if name not in network.graph.read and not _may_count(network, name):
            yield -1, f"nothing reads the variable `{name}`, whatever the others are: {values[name]}"


def _may_count(network: Network, name: str) -> bool:
    spec, values = network.spec, network.values
    return counting(name, spec, values, network.input, network.variant) is not None


def _shortcut(network: Network, _: int) -> Iterator[tuple[int, str]]:
    """Find optional convs in a shortcut whose condition, when off, drops the identity as well.

    A condition on a variable of the spec is skipped: it may be a choice of the designer.
    """
    for block in network.spec.blocks.values():
        for branch in block.branches if block.join == "add" else ():
            (line, *others) = branch.lines
            fits = line.steps[0].name != "@" and any(step.name == "conv" for step in line.steps)
            if others or not fits or line.condition is None:
                continue
            if not set(line.condition.names) & set(network.spec.variables):
                place = f"`add.{branch.name}` of the block `{block.name}`"
                yield -1, f"{place} adds nothing where its condition is off, not even what arrives"


def _align(network: Network, align: int) -> Iterator[tuple[int, str]]:
    """Find numbers of channels that are not a multiple of `align`."""
    graph, ends = network.graph, _ends(network.graph)
    for index, node in enumerate(graph.nodes):
        channels = int(node.shape.channels)
        if node.operator.weight_layer and channels % align and index not in ends:
            yield index, f"{channels} channels are no multiple of {align}"


def _ends(graph: Graph) -> set[int]:
    """Return the layers with weights that make an output; the task decides their channels."""
    ends = set()
    for index in graph.outputs:
        while graph.nodes[index].inputs and not graph.nodes[index].operator.weight_layer:
            index = graph.nodes[index].inputs[0]
        ends.add(index)
    return ends


def _peak(network: Network, _: int) -> Iterator[tuple[int, str]]:
    """Find a tensor that is at least half of the memory at the peak."""
    memory = measure(network.graph)
    largest = max(memory.alive(memory.peak_step), key=lambda buffer: int(buffer.size))
    maker = largest.nodes[0]
    if network.graph.nodes[maker].inputs and 2 * int(largest.size) >= int(memory.peak):
        share = percent(int(largest.size), int(memory.peak))
        shape = network.graph.nodes[maker].shape
        yield maker, f"its {shape} are {share} of the peak of {grouped(int(memory.peak))} values"


def _dense(network: Network, _: int) -> Iterator[tuple[int, str]]:
    """Find a dense layer on a flattened map that has at least half of all parameters."""
    analysis: Analysis = network.analyze()
    nodes, total = network.graph.nodes, int(analysis.parameters)
    for index, layer in enumerate(analysis.layers):
        own = int(layer.costs.parameters)
        if layer.node.operator.name != "linear" or 2 * own < total:
            continue
        map_ = _flattened(nodes, layer.node)
        if map_ is not None:
            pooled = int(map_.channels) * int(layer.node.shape.channels)
            share = percent(own, total)
            yield index, f"{grouped(own)} parameters ({share}); behind `gap` {grouped(pooled)} weights"


def _flattened(nodes: tuple[Node, ...], node: Node) -> Any:
    """Return the map that is flattened before a layer, or None."""
    while node.inputs:
        node = nodes[node.inputs[0]]
        if node.operator.name == "flatten":
            x = nodes[node.inputs[0]].shape
            return x if x.positions > 1 else None
        if node.operator.weight_layer:
            return None
    return None


def _windowed(graph: Graph) -> Iterator[tuple[int, Node]]:
    for index, node in enumerate(graph.nodes):
        if isinstance(node.operator, Windowed):
            yield index, node


RULES = {
    "unread": Rule(
        "positions of a map that strides skip or never reach",
        "an input that the strides divide, or padding",
        _unread,
    ),
    "same": Rule(
        "padding of one side, as TensorFlow's `same` with strides",
        "weights made for it need it; in torch write `p0:1`, or train with `half`",
        _same,
    ),
    "ceil": Rule(
        "pools that round up, as Caffe does",
        "Keras has no such pool: pad by hand there, or train without `ceil`",
        _ceil,
    ),
    "field": Rule(
        "windows that see more than the image",
        "fewer strides or layers, or a larger input",
        _field,
    ),
    "bottleneck": Rule(
        f"more than {ABRUPT} times fewer values in one step, with no way around",
        "more channels where the map shrinks (Szegedy et al. 2016, first principle)",
        _bottleneck,
    ),
    "bias": Rule("a bias before a batch norm", "`nobias`", _bias),
    "unused": Rule("variables that change nothing", "take them away", _unused),
    "shortcut": Rule(
        "a shortcut that is left out where its condition is off",
        '`["@in", "if …: conv …"]` adds what arrives then',
        _shortcut,
    ),
    "align": Rule("widths that are no multiple of --align", "round_to(x, 8)", _align),
    "peak": Rule(
        "a tensor that is half of the memory at the peak",
        "a stride before it, fewer channels, or the two layers around it in one kernel",
        _peak,
    ),
    "dense": Rule(
        "a dense layer on a flattened map with half of all parameters",
        "`gap` instead of `flatten`, as since 2013 (Lin et al.)",
        _dense,
    ),
}
