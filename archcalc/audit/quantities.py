"""Compute by name, exactly, the quantities that published numbers are about.

A name is a count (`parameters`), a term of a convention with underscores (`relu_values`), or a count of
some layers or of another network: `linear_parameters`, `stage1_stored`, `alexnet_parameters`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from archcalc.analysis.costs import Analysis, Layer, total
from archcalc.errors import Diagnostic, UsageError, suggestion
from archcalc.graph.model import Graph
from archcalc.operators import TABLE
from archcalc.operators.shape import Shape, Sizes
from archcalc.spec.evaluate import evaluate
from archcalc.spec.expressions import parse
from archcalc.tuples import NamedTuple

if TYPE_CHECKING:
    from archcalc.analysis.field_axis import FieldAxis
    from archcalc.operators.model import Operator

Value = int | Fraction
Networks = Callable[[str], Analysis]  # takes a name as on the command line


class Quantity(NamedTuple):
    """A count of a network or some of its layers, and the name of its unit."""

    of: Callable[[Analysis], Value]
    unit: str = ""


class LayerScope(NamedTuple):
    """The layers that a number is about, and how to get other networks."""

    analysis: Analysis
    networks: Networks

    @classmethod
    def of(cls, network: str, at: str, networks: Networks) -> LayerScope:
        """Return a network, or its layer or block `at`.

        Raises:
            UsageError: no layer has that path.
        """
        whole = networks(network)
        if not at:
            return cls(whole, networks)
        chosen = part(whole, lambda layer: layer.path == at or layer.path.startswith(f"{at}/"))
        if not chosen.layers:
            raise UsageError(f"{network} has no layer `{at}`")
        return cls(chosen, networks)

    def value(self, expression: str) -> Value:
        """Return the value of an expression over names of quantities.

        Raises:
            ArchError: the text is no expression, or names no quantity.
        """
        value = evaluate(parse(expression), self.look_up)
        assert isinstance(value, int | Fraction)
        return value

    def look_up(self, name: str) -> Value:
        """Return the quantity of that name.

        Raises:
            UsageError: there is none.
        """
        if name in QUANTITIES:
            return QUANTITIES[name].of(self.analysis)
        from archcalc.audit.terms import TERMS  # a footnote of `memory` does without

        if (term := TERMS.get(name.replace("_", " "))) is not None:
            return term.total(self.analysis)
        for owner, quantity in _splits(name):
            if quantity in QUANTITIES:
                return QUANTITIES[quantity].of(self._owned(owner))
        help = suggestion(name, QUANTITIES) or f"quantities: {', '.join(QUANTITIES)}"
        raise UsageError(Diagnostic(f"no quantity is called `{name}`", help=help))

    def _owned(self, owner: str) -> Analysis:
        """Return the layers of an operator, those of a block, or another network."""
        if owner in TABLE:
            return part(self.analysis, lambda layer: layer.node.operator.name == owner)
        if any(layer.path.split("/")[0] == owner for layer in self.analysis.layers):
            return part(self.analysis, lambda layer: layer.path.split("/")[0] == owner)
        return self.networks(owner)


def _splits(name: str) -> Iterator[tuple[str, str]]:
    """Yield the ways to split a name: 'a_b_c' → ('a', 'b_c'), ('a_b', 'c')."""
    words = name.split("_")
    for i in range(1, len(words)):
        yield "_".join(words[:i]), "_".join(words[i:])


def part(analysis: Analysis, keep: Callable[[Layer], bool]) -> Analysis:
    """Return the analysis of some of the layers; its graph is still the whole network."""
    kept = tuple(layer for layer in analysis.layers if keep(layer))
    return Analysis(analysis.graph, kept, total(layer.costs for layer in kept))


def last(analysis: Analysis) -> Layer:
    """Return the layer whose output is that of the network, or of the chosen part."""
    graph = analysis.graph
    return analysis.layers[graph.output if len(analysis.layers) == len(graph.nodes) else -1]


def _output(analysis: Analysis) -> Shape:
    return last(analysis).node.shape


def _side(analysis: Analysis, name: str) -> int:
    shape = _output(analysis)
    if name not in shape.axes:
        raise UsageError(f"{last(analysis).path} has no {name}")
    return int(dict(shape.named)[name])


def _made(analysis: Analysis) -> int:
    """Count the values of the maps that the chosen layers make: `stored` of a part."""
    return sum(int(x.node.shape.values) for x in analysis.layers if x.node.operator.stored)


def _outputs(analysis: Analysis) -> int:
    """Count the values of all outputs, none in place; excludes the input and flattening."""
    written = (x.node for x in analysis.layers if x.node.inputs and x.node.operator.buffer != "view")
    return sum(int(node.shape.values) for node in written)


def _conv_inputs(analysis: Analysis) -> int:
    convs = (x for x in analysis.layers if x.node.operator.name == "conv")
    return sum(int(x.inputs[0].values) for x in convs)


def _longest(graph: Graph, counted: Callable[[Any], bool]) -> int:
    """Return the largest number of counted operators on a path from the input to the output."""
    longest: list[int] = []
    for node in graph.nodes:
        before = max((longest[i] for i in node.inputs), default=0)
        longest.append(before + counted(node.operator))
    return longest[graph.output]


def _axes(analysis: Analysis) -> tuple[FieldAxis, ...]:
    """Return the receptive field of the part's output, or of the network's last map."""
    from archcalc.analysis.field import receptive_fields  # a footnote of `memory` does without

    fields = receptive_fields(analysis.graph)
    whole = len(analysis.layers) == len(analysis.graph.nodes)
    path = last(analysis).path
    places = (i for i, node in enumerate(analysis.graph.nodes) if node.path == path)
    field = fields.of_network if whole else fields.nodes[next(places)]
    if field.is_global:
        raise UsageError(f"{path} sees the whole image")
    return field.sides


def _is_pool(operator: Operator) -> bool:
    from archcalc.audit.terms import AVERAGE_POOLS, GLOBAL_POOLS, MAX_POOLS

    return operator.name in MAX_POOLS | AVERAGE_POOLS | GLOBAL_POOLS


def _pointwise(layer: Layer) -> bool:
    return layer.node.operator.name == "conv" and set(getattr(layer.node.operator, "k", ())) == {1}


_FLOAT = 4

QUANTITIES: dict[str, Quantity] = {
    # stored numbers
    "parameters": Quantity(lambda a: int(a.total.parameters)),
    "weights": Quantity(lambda a: int(a.total.weights)),
    "numbers": Quantity(lambda a: int(a.total.stored_numbers)),  # with running statistics
    "weight_bytes": Quantity(lambda a: _FLOAT * int(a.total.stored_numbers), "bytes"),
    "file": Quantity(lambda a: _FLOAT * int(a.total.stored_numbers), "bytes"),
    "tensors": Quantity(lambda a: sum(len(x.weights) for x in a.layers)),
    # work
    "multiplies": Quantity(lambda a: int(a.multiplies)),
    "additions": Quantity(lambda a: int(a.total.census.additions)),
    "flops": Quantity(lambda a: int(a.flops)),
    "connections": Quantity(lambda a: int(a.total.connections)),
    # values
    "values": Quantity(lambda a: int(_output(a).values)),
    "height": Quantity(lambda a: _side(a, "height")),
    "width": Quantity(lambda a: _side(a, "width")),
    "channels": Quantity(lambda a: int(_output(a).channels)),
    "input_values": Quantity(lambda a: int(a.graph.input.values)),
    "input_channels": Quantity(lambda a: int(a.graph.input.channels)),
    "neurons": Quantity(
        lambda a: sum(int(x.node.shape.values) for x in a.layers if x.node.operator.weight_layer)
    ),
    "outputs": Quantity(_outputs),
    "classes": Quantity(lambda a: int(a.graph.nodes[a.graph.output].shape.values)),
    "stored": Quantity(_made),
    "map_bytes": Quantity(lambda a: _FLOAT * _made(a), "bytes"),
    "conv_inputs": Quantity(_conv_inputs),
    # layers
    "layers": Quantity(lambda a: len(a.layers)),
    "blocks": Quantity(lambda a: len({x.path.split("/")[0] for x in a.layers if x.node.inputs})),
    "weight_layers": Quantity(lambda a: a.weight_layers),
    "depth": Quantity(lambda a: _longest(a.graph, lambda op: op.weight_layer or _is_pool(op))),
    "layers_with_parameters": Quantity(lambda a: sum(int(x.costs.parameters) > 0 for x in a.layers)),
    "pool_layers": Quantity(lambda a: sum(_is_pool(x.node.operator) for x in a.layers)),
    "pointwise_layers": Quantity(lambda a: sum(map(_pointwise, a.layers))),
    # what the last map sees
    "field": Quantity(lambda a: max(axis.size for axis in _axes(a)), "pixels"),
    "field_stride": Quantity(lambda a: int(_axes(a)[0].stride), "pixels"),
    "field_padding": Quantity(lambda a: _axes(a)[0].padding, "pixels"),
}


def _kernel(analysis: Analysis) -> Sizes:
    kernel: Sizes = getattr(last(analysis).node.operator, "k")  # noqa: B009
    return kernel


SIZES: dict[str, Callable[[Analysis], tuple[Any, ...]]] = {
    "shape": lambda a: tuple(_output(a)),
    "input": lambda a: tuple(a.graph.input),
    "kernel": _kernel,
    "field": lambda a: tuple(axis.size for axis in _axes(a)),
}
