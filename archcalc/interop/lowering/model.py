"""The result of lowering: the graph, its weights in the file, and the modules of its layers."""

from __future__ import annotations

from collections.abc import Mapping

from archcalc.graph.model import Graph
from archcalc.tuples import NamedTuple


class PlacedWeight(NamedTuple):
    """A weight of a layer, and the tensor of the file that holds it.

    Its numbers are `factor * file.reshape(split).transpose(order)`. If `rows` is (start, stop), only
    these rows of the file are used. If `blocks` is (count, chosen), the file is first cut into `count`
    blocks, and the chosen ones are joined in their order: the gates of a recurrent layer.
    """

    node: int
    weight: str  # its name in the layer: 'weight', 'bias', 'query.weight'
    tensor: str  # its name in the trace
    split: tuple[int, ...]
    order: tuple[int, ...]
    rows: tuple[int, int] | None = None
    factor: float = 1.0  # the weights of queries include the factor of the scores
    blocks: tuple[int, tuple[int, ...]] | None = None


class HeldTensor(NamedTuple):
    """A tensor of the file that a node holds: `output.reshape(split).transpose(order)`, reshaped."""

    node: int
    tensor: str
    split: tuple[int, ...]
    order: tuple[int, ...]


class Lowered(NamedTuple):
    """A model file as a graph of archcalc.

    Args:
        graph: its layers, with the paths of the file's modules ('layer1.0.conv1').
        modules: the class of every module by its path.
        weights: the weights of the layers, with the tensors of the file that hold them.
        numbers: by node, for layers that store one number or apply a stored tensor inversely: the
            number (None for a tensor), and the operation that applies it ('add', 'sub', 'mul', 'div').
        held: the tensors of the file that nodes hold.
        inputs: the layouts of the inputs.
        otherwise: by path, layers that have the file's counts but compute other values: the reason.
        notes: remarks for the reader.
    """

    graph: Graph
    modules: Mapping[str, str]
    weights: tuple[PlacedWeight, ...]
    numbers: Mapping[int, tuple[float | None, str]] = {}
    held: tuple[HeldTensor, ...] = ()
    notes: tuple[str, ...] = ()
    inputs: tuple[HeldTensor, ...] = ()
    otherwise: Mapping[str, str] = {}


class LoweringError(Exception):
    """The reason why a rule cannot express an operation in archcalc's operators."""
