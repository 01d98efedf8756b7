"""Count what no sum of conventions gives: what tools print of the network, its parts, and its peak.

A fact is a `Reading` with its summands given.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator

from archcalc.analysis.costs import Analysis, Layer
from archcalc.analysis.memory import measure
from archcalc.audit.convention import DEFAULTS, Convention, Kind
from archcalc.audit.conventions import kinds
from archcalc.audit.neighbor import Neighbor
from archcalc.audit.readings import Reading, Subject, Summand, Way
from archcalc.audit.recount import PrintedSum, printed_by
from archcalc.audit.tools import TOOLS
from archcalc.errors import ArchError
from archcalc.operators.convolution import Conv

FLOAT = 4
OF_TOOL, OF_TERM, OF_PEAK, OF_PART = 10, 13, 14, 24  # weights beside those of conventions

COUNTS: dict[Kind, Callable[[Layer], int]] = {
    "parameters": lambda layer: int(layer.costs.parameters),
    "multiplies": lambda layer: int(layer.costs.multiplies),
}


def facts(network: Neighbor, quantity: str, whole: bool) -> Iterator[Reading]:
    """Yield what tools print for the network, its parts and its peak; `quantity` is a key of KINDS.

    A part counts as one departure for a number whose every digit is `whole`, as two for others; such a
    number may also count bytes without a unit. archcalc's own count is never a fact.
    """
    try:
        found = [*_by_tools(network), *_peaks(network), *_by_parts(network, whole)]
    except ArchError:
        return
    yield from fitting(found, quantity, whole)


def fitting(found: Iterable[Reading], quantity: str, whole: bool) -> Iterator[Reading]:
    """Return those of the facts that are of such a quantity, and not archcalc's own count."""
    possible = kinds(quantity, whole)
    return (fact for fact in found if fact.way.kind in possible and 0 < fact.value != fact.own)


def told(
    network: Subject,
    kind: Kind,
    name: str,
    says: str,
    parts: tuple[Summand, ...],
    weight: int,
    steps: int = 1,
) -> Reading:
    """Make a fact: the sum of `parts`, under a name and what it says."""
    slot = "path" if weight == OF_PART else "fact"
    convention = Convention(name, says, slot, weight=weight)
    value = sum(part.factor * part.amount for part in parts)
    return Reading(network, network, Way(kind, (convention,), (), 1, steps), value, parts)


def _by_tools(network: Neighbor) -> Iterator[Reading]:
    """Yield every sum that a tool prints, then its summands: fvcore prints those by operator, too."""
    source = network.entry.spec.source
    for tool in sorted(TOOLS, key=lambda name: name == "keras"):
        for figure in printed_by(tool, network.entry.name, source, network.analysis).values():
            yield _figure(network, figure)
    for figure in printed_by("fvcore", network.entry.name, source, network.analysis).values():
        for factor, says, amount in figure.terms:
            what = f"{figure.title} of {says.rpartition(' of ')[2]}"
            parts = (Summand(factor, says, amount),)
            name = f"fvcore, {what}"
            yield told(network, figure.kind, name, f"{figure.tool} prints {what}", parts, OF_TERM)


def _figure(network: Neighbor, figure: PrintedSum) -> Reading:
    parts = tuple(Summand(factor, says, amount) for factor, says, amount in figure.terms)
    name, says = f"{figure.tool} {figure.title}", f"{figure.tool} prints it as {figure.title}"
    weight = OF_TOOL - 2 * (figure.kind == "values")  # timm and pycls print fvcore's
    fact = told(network, figure.kind, name, says, parts, weight)
    (convention,) = fact.way.conventions
    return fact._replace(way=fact.way._replace(conventions=(convention._replace(base=figure.base),)))


def _peaks(network: Neighbor) -> Iterator[Reading]:
    memory = measure(network.analysis.graph)
    says = f"the most alive at once, at {network.analysis.layers[memory.peak_step].path}"
    for kind, each in (("values", 1), ("map bytes", FLOAT)):
        yield told(network, kind, "peak", says, (Summand(each, "values", int(memory.peak)),), OF_PEAK)


def by_path(analysis: Analysis, count: Callable[[Layer], int]) -> Counter[str]:
    """Return a count for every block and layer, by path."""
    blocks = Counter[str]()
    for layer in analysis.layers:
        names = layer.path.split("/")
        for last in range(1, len(names) + 1):
            blocks["/".join(names[:last])] += count(layer)
    return blocks


def by_operator(analysis: Analysis, count: Callable[[Layer], int]) -> Counter[str]:
    """Return a count of all layers of each operator."""
    operators = Counter[str]()
    for layer in analysis.layers:
        operators[layer.node.operator.name] += count(layer)
    return operators


def by_kernel(analysis: Analysis, count: Callable[[Layer], int]) -> Counter[str]:
    """Count all convs of each kernel, and the layers of each other operator."""
    kinds = Counter[str]()
    for layer in analysis.layers:
        kinds[_kind(layer)] += count(layer)
    return kinds


def _kind(layer: Layer) -> str:
    """Return '1×1 convs', 'depthwise 3×3 convs', 'linear layers'."""
    operator = layer.node.operator
    if not isinstance(operator, Conv):
        return f"{operator.name} layers"
    depthwise = "depthwise " if operator.g == layer.inputs[0].channels > 1 else ""
    return f"{depthwise}{int(operator.k[0])}×{int(operator.k[1])} convs"


def multiplied(layer: Layer) -> int:
    """Count weights alone: neither biases nor scales and shifts."""
    weights = layer.weights
    return sum(int(weight.size) for weight in weights if weight.role == "weight")


def _by_stage(analysis: Analysis, count: Callable[[Layer], int]) -> Counter[str]:
    """Return a count of all layers whose maps have one size, where they lie in several blocks."""
    stages, blocks = Counter[str](), dict[str, set[str]]()
    for layer in analysis.layers:
        shape = layer.node.shape
        if shape.positions > 1:
            size = "×".join(map(str, shape.extents))
            stages[size] += count(layer)
            blocks.setdefault(size, set()).add(layer.path.split("/")[0])
    return Counter({size: amount for size, amount in stages.items() if len(blocks[size]) > 1})


def _by_parts(network: Neighbor, whole: bool) -> Iterator[Reading]:
    """Yield every count of each part: layers and blocks by path, operators by name, stages by size."""
    steps = 1 if whole else 2
    for kind, count in COUNTS.items():
        blocks, operators = by_path(network.analysis, count), by_operator(network.analysis, count)
        for path, amount in blocks.items():
            part = (Summand(1, f"{DEFAULTS[kind].quantity} of {path}", amount),)
            yield told(network, kind, path, f"counts {path} only", part, OF_PART, steps)
        for name, amount in operators.items():
            part = (Summand(1, f"{DEFAULTS[kind].quantity} of {name} layers", amount),)
            yield told(
                network, kind, f"{name} layers", f"counts {name} layers only", part, OF_PART, steps
            )
        for size, amount in _by_stage(network.analysis, count).items():
            part = (Summand(1, f"{DEFAULTS[kind].quantity} of all blocks at {size}", amount),)
            says = f"counts the stage at {size} only"
            yield told(network, kind, f"at {size}", says, part, OF_PART, steps)
    for layer in network.analysis.layers:
        for kind, each in (("values", 1), ("map bytes", FLOAT)):
            part = (Summand(each, f"values that {layer.path} puts out", int(layer.node.shape.values)),)
            yield told(network, kind, layer.path, f"the map of {layer.path}", part, OF_PART, steps)
