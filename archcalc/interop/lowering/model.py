"""What lowering gives: the graph, whose weights are which of the file, and the modules of its layers."""

from __future__ import annotations

from collections.abc import Mapping

from archcalc.graph.model import Graph
from archcalc.tuples import NamedTuple


class PlacedWeight(NamedTuple):
    """A weight of a layer that is a tensor of the file.

    Its numbers are `factor * file.reshape(split).transpose(order)`; with `rows` only those from one to
    another are taken before, which are as wide as the further axes of `split`; with `blocks` the file is
    so many, of which these come one after the other: gates in another order.
    """

    node: int
    weight: str  # its name among the layer's: 'weight', 'bias', 'query.weight'
    tensor: str  # of the trace
    split: tuple[int, ...]
    order: tuple[int, ...]
    rows: tuple[int, int] | None = None
    factor: float = 1.0  # queries carry that of their scores
    blocks: tuple[int, tuple[int, ...]] | None = None


class Laid(NamedTuple):
    """A tensor of the file in a node: `output.reshape(split).transpose(order)`, reshaped."""

    node: int
    tensor: str
    split: tuple[int, ...]
    order: tuple[int, ...]


class Lowered(NamedTuple):
    """A model of others as archcalc's graph.

    Args:
        graph: its layers; paths are those of the file's modules ('layer1.0.conv1').
        modules: the class of every module by its path.
        weights: which tensors of the file the layers' weights are.
        numbers: of stored tensors that are one number, or are turned around: what it is, and how it is
            joined ('add', 'sub', 'mul', 'div').
        laid: where tensors of the file can be seen.
        inputs: how those that come in lie.
        otherwise: layers whose counts are the file's and whose values are not, by path: why.
        notes: what a reader should know.
    """

    graph: Graph
    modules: Mapping[str, str]
    weights: tuple[PlacedWeight, ...]
    numbers: Mapping[int, tuple[float | None, str]] = {}
    laid: tuple[Laid, ...] = ()
    notes: tuple[str, ...] = ()
    inputs: tuple[Laid, ...] = ()
    otherwise: Mapping[str, str] = {}


class Unlowered(Exception):
    """Raised by a rule that cannot say an operation in archcalc's operators: the reason."""
