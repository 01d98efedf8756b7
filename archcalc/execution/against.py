"""Compare the outputs of a model's layers with those that a framework computed from its file."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping

import numpy as np

from archcalc.execution.forward import Forward
from archcalc.execution.inputs import seeded
from archcalc.execution.model import Array, Weights
from archcalc.graph.model import Graph
from archcalc.interop.lowering.model import HeldTensor, Lowered
from archcalc.interop.trace import Tensor
from archcalc.tuples import NamedTuple

Values = Callable[[Mapping[str, Array], Collection[str]], Mapping[str, Array]]


class Agreement(NamedTuple):
    """The comparison of a layer's output with a tensor of the file.

    Args:
        node: the number of the layer.
        tensor: the name of the tensor in the file.
        largest: the largest absolute value of the tensor.
        difference: the largest absolute difference between both.
    """

    node: int
    tensor: str
    largest: float
    difference: float

    @property
    def share(self) -> float:
        """The difference as a share of the largest value; infinite if a difference is not finite."""
        if self.difference == 0:
            return 0.0
        return self.difference / self.largest if self.largest else np.inf


def agreements(
    graph: Graph,
    lowered: Lowered,
    tensors: Mapping[str, Tensor],
    weights: Mapping[str, Weights],
    image: Array,
    values: Values,
) -> list[Agreement]:
    """Compare each layer whose output is a tensor of the file with that tensor.

    Args:
        graph: the layers of `lowered`, perhaps under other paths.
        tensors: the tensors of the trace by name.
        image: the first input; further inputs are drawn with a seed.
        values: a function of the file's inputs and of tensor names; returns those tensors.
    """
    given = _inputs(graph, lowered.inputs, tensors, image)
    shown = {each.node: each for each in lowered.held if graph.nodes[each.node].inputs}
    own = {each.tensor: given[each.node] for each in lowered.inputs}
    inputs = {each.tensor: _of_file(own[each.tensor], each, tensors) for each in lowered.inputs}
    wanted = values(inputs, {each.tensor for each in shown.values()})
    found = []
    for index, value in _outputs(Forward(graph, weights), image, given):
        held = shown.get(index)
        if held is not None and held.tensor in wanted:
            theirs = np.asarray(wanted[held.tensor], np.float32)
            mine = value.reshape(held.split).transpose(held.order).reshape(theirs.shape)
            found.append(_agreement(held, mine, theirs))
    return found


def _outputs(forward: Forward, image: Array, given: Mapping[int, Array]) -> Iterator[tuple[int, Array]]:
    forward.begin(image)
    for index, value in given.items():
        forward.values[index][...] = value
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        for index in range(forward.graph.inputs, len(forward.graph.nodes)):
            forward.step(index)
            yield index, forward.values[index]


def _inputs(
    graph: Graph, held: Collection[HeldTensor], tensors: Mapping[str, Tensor], image: Array
) -> dict[int, Array]:
    """Return the inputs in the data types of the file: ids are integers, masks booleans."""
    found = {}
    for each in held:
        value = seeded(graph, each.node, 1, each.node) if each.node else image
        dtype = tensors[each.tensor].dtype
        exact = dtype == "bool" or "int" in dtype
        found[each.node] = value.astype(dtype).astype(np.float32) if exact else value
    return found


def _of_file(value: Array, held: HeldTensor, tensors: Mapping[str, Tensor]) -> Array:
    tensor = tensors[held.tensor]
    turned = value.reshape(held.split).transpose(held.order).reshape(tensor.shape)
    exact = tensor.dtype == "bool" or "int" in tensor.dtype
    return turned.astype(tensor.dtype) if exact else np.ascontiguousarray(turned)


def _agreement(held: HeldTensor, mine: Array, theirs: Array) -> Agreement:
    apart = np.where(mine == theirs, 0, np.abs(mine - theirs))
    apart = np.where(np.isnan(mine) & np.isnan(theirs), 0, apart)
    worst = float(apart.max(initial=0))
    largest = float(np.abs(theirs[np.isfinite(theirs)]).max(initial=0))
    return Agreement(held.node, held.tensor, largest, worst if np.isfinite(worst) else np.inf)
