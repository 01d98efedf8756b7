"""Count what each layer costs: parameters by role, multiplies, and the census of all work."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from archcalc import garbage
from archcalc.analysis.notebook import Rows, html
from archcalc.graph.model import Graph, Node
from archcalc.operators.model import Operator, Weight
from archcalc.operators.shape import Shape
from archcalc.symbols import Int
from archcalc.tuples import NamedTuple


class Census(NamedTuple):
    """The number of operations of each kind for one image."""

    multiplies: Int = 0
    additions: Int = 0
    comparisons: Int = 0
    divisions: Int = 0
    exponentials: Int = 0
    powers: Int = 0
    roots: Int = 0


class Costs(NamedTuple):
    """Exact counts of a layer, a group of layers or a network, for one image.

    Attributes:
        multiplies: those in sums of products: of convs, linear and recurrent layers, matmuls, attention.
        connections: links from an input value to an output, and one for each bias used (LeCun 1998).
        census: all operations by kind; `census.multiplies` includes all other multiplies.
    """

    weights: Int = 0
    biases: Int = 0
    norms: Int = 0  # scale and shift of normalizations
    statistics: Int = 0  # running mean and variance: kept, not learned
    fixed: Int = 0  # set by hand, never learned
    frozen: Int = 0  # of the parameters, those that training leaves as they are
    multiplies: Int = 0
    connections: Int = 0
    census: Census = Census()

    @property
    def parameters(self) -> Int:
        """The numbers that training can change: weights, biases, norms."""
        return self.weights + self.biases + self.norms

    @property
    def trainable(self) -> Int:
        """The parameters that are not frozen."""
        return self.parameters - self.frozen

    @property
    def stored_numbers(self) -> Int:
        """All numbers that a file of the network holds: parameters, statistics, fixed ones."""
        return self.parameters + self.statistics + self.fixed

    @property
    def flops(self) -> Int:
        """2 × multiplies: a multiply and an addition for each product."""
        return 2 * self.multiplies

    def times(self, factor: Int) -> Costs:
        """Return the counts with all work times `factor`; parameters and connections stay."""
        census = Census(*(count * factor for count in self.census))
        return self._replace(multiplies=self.multiplies * factor, census=census)


_FIELD = {
    "weight": "weights",
    "bias": "biases",
    "position": "weights",
    "scale": "norms",
    "shift": "norms",
    "mean": "statistics",
    "variance": "statistics",
    "fixed": "fixed",
}


class Layer(NamedTuple):
    """A node with its input shapes, the kind of its multiplies ('grouped conv'), and its costs."""

    node: Node
    inputs: tuple[Shape, ...]
    kind: str
    costs: Costs

    @property
    def path(self) -> str:
        """The path of the node: 'stage1/conv2'."""
        return self.node.path

    @property
    def weights(self) -> tuple[Weight, ...]:
        """Its own weight tensors: none if it shares those of another layer."""
        return () if self.node.shares >= 0 else self.node.operator.weights(*self.inputs)


class Analysis(NamedTuple):
    """The costs of a graph, one `Layer` a node in the same order, and their sum."""

    graph: Graph
    layers: tuple[Layer, ...]
    total: Costs

    def _repr_html_(self) -> str:
        total = {"parameters": int(self.parameters), "multiplies": int(self.multiplies)}
        return html(self.rows, total)

    @property
    def rows(self) -> Rows:
        """A flat dict for each layer, as pandas.DataFrame and polars.DataFrame take them."""
        return Rows(
            {
                "path": layer.path,
                "operator": str(layer.node.operator),
                "output": str(layer.node.shape),
                "parameters": int(layer.costs.parameters),
                "multiplies": int(layer.costs.multiplies),
            }
            for layer in self.layers
        )

    def to_dict(self) -> dict[str, Any]:
        """Return plain data for JSON: the totals as exact integers, and the rows."""
        totals = {
            "parameters": int(self.parameters),
            "multiplies": int(self.multiplies),
            "flops": int(self.flops),
        }
        return {**totals, "layers": list(self.rows)}

    def __repr__(self) -> str:
        counts = f"{self.parameters} parameters, {self.multiplies} multiplies"
        return f"<Analysis of {len(self.layers)} layers: {counts}>"

    @property
    def computed(self) -> tuple[Layer, ...]:
        """The layers without the inputs."""
        return self.layers[self.graph.inputs :]

    @property
    def parameters(self) -> Int:
        """The parameters of the network."""
        return self.total.parameters

    @property
    def multiplies(self) -> Int:
        """The multiplies for one image."""
        return self.total.multiplies

    @property
    def flops(self) -> Int:
        """The FLOPs for one image: 2 × multiplies."""
        return self.total.flops

    @property
    def weight_layers(self) -> int:
        """The number of layers with weights on the longest path from an input to the main output."""
        return self.graph.weight_layers


@garbage.paused()
def analyze(graph: Graph) -> Analysis:
    """Return the costs of every layer, and their sum."""
    known: dict[Any, tuple[tuple[Shape, ...], str, Costs]] = {}
    layers = []
    for index, node in enumerate(graph.nodes):
        inputs = graph.input_shapes(node)
        own = node.shares < 0
        key = (id(node.operator), inputs, own)
        found = known.get(key)
        if found is None:
            found = known[key] = (inputs, node.operator.kind(*inputs), count(node.operator, inputs, own))
        if index in graph.frozen:
            found = (*found[:2], found[2]._replace(frozen=found[2].parameters))
        layers.append(Layer(node, *found))
    times = graph.times()
    whole = total(_folded(layer.costs, times.get(i)) for i, layer in enumerate(layers))
    return Analysis(graph, tuple(layers), whole)


def _folded(costs: Costs, times: Int | None) -> Costs:
    """Return the costs of a layer that stands for `times` layers of a folded repeat."""
    if times is None:
        return costs
    fields: list[Any] = [field * times for field in costs[:-1]]
    fields.append(Census(*(count * times for count in costs.census)))
    return Costs(*fields)


def count(operator: Operator, inputs: tuple[Shape, ...], own: bool = True) -> Costs:
    """Count one operator on inputs of these shapes; its weights only if they are its `own`."""
    fields: dict[str, Int] = {}
    for weight in operator.weights(*inputs) if own else ():
        field = _FIELD[weight.role]
        fields[field] = fields.get(field, 0) + weight.size
    census: dict[str, Int] = {}
    for work in operator.work(*inputs):
        size = work.total
        if work.kind == "products":
            fields["multiplies"] = fields.get("multiplies", 0) + size
        kind = "multiplies" if work.kind == "products" else work.kind
        census[kind] = census.get(kind, 0) + size
    return Costs(**fields, connections=operator.connections(*inputs), census=Census(**census))


def total(costs: Iterable[Costs]) -> Costs:
    """Return the sum, field by field."""
    rows = list(costs)
    fields: list[Any] = [sum(column) for column in zip(*(row[:-1] for row in rows), strict=True)]
    fields.append(Census(*map(sum, zip(*(row.census for row in rows), strict=True))))
    return Costs(*fields)
