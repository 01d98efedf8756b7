"""Define the one model that every reader makes of a file: operations on tensors of known shapes.

It knows nothing of channels-last and nothing of frameworks. Batch is in the shapes as in the file.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from archcalc.tuples import NamedTuple

Shape = tuple[int, ...]
Kind = Literal["parameter", "buffer", "constant"]

OPAQUE = "opaque"  # the word of an unknown operation; its attribute `name` is the file's


class Tensor(NamedTuple):
    """A value of the graph; `dtype` as torch writes it: 'float32', 'int64', 'bool'."""

    name: str
    shape: Shape
    dtype: str


class StoredWeight(NamedTuple):
    """A tensor whose numbers lie in the file.

    Args:
        name: its own path: 'layer1.0.conv1.weight', in ONNX the initializer's name.
        tensor: its value in the graph.
        trains: whether training would change it: a frozen parameter's does not.
        storage: equal for weights that are one (tied).
    """

    name: str
    tensor: str
    kind: Kind
    trains: bool
    storage: str


class Operation(NamedTuple):
    """One step of the graph.

    Args:
        word: of the vocabulary, or `OPAQUE`.
        inputs: tensors in the order that the vocabulary gives; None is left out.
        attributes: strides, dims, groups as integers and tuples of them, under torch's names.
        module: path of the innermost module, '' where the file has none.
        place: the file's own words: "node 'layer2/0/conv1' (Conv)".
    """

    word: str
    inputs: tuple[str | None, ...]
    outputs: tuple[str, ...]
    attributes: Mapping[str, Any]
    module: str
    place: str


class Trace(NamedTuple):
    """A whole model: its tensors, weights and operations.

    Args:
        name: what messages call it: the file's name.
        source: who wrote it: 'torch.export 8.20', 'ONNX opset 17, pytorch 2.1'.
        inputs, outputs: tensors by name.
        modules: class of every module by its path: {'': 'ResNet', 'layer1.0': 'BasicBlock'}.
        notes: remarks of the reader: 'batch norms were folded by the exporter'.
    """

    name: str
    source: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    tensors: Mapping[str, Tensor]
    weights: tuple[StoredWeight, ...]
    modules: Mapping[str, str]
    operations: tuple[Operation, ...]
    notes: tuple[str, ...] = ()
