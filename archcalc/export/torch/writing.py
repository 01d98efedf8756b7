"""Write the Python file of a network, and map its weights to the keys of torch's state dict."""

from __future__ import annotations

from collections.abc import Mapping

from archcalc.export.refusal import refused
from archcalc.export.torch.classes import Classes
from archcalc.export.torch.code import BlockCall, BlockCode, Coder
from archcalc.export.torch.piece import Change, Form
from archcalc.export.torch.prelude import prelude
from archcalc.export.torch.tree import module_tree
from archcalc.graph.model import Graph
from archcalc.tuples import NamedTuple


class Place(NamedTuple):
    """A key of torch's state dict, and the function that brings our values into torch's layout."""

    key: str
    change: Change


class TorchFile(NamedTuple):
    """A Python file: its text, the places of weights by `path.name`, the axis orders of its outputs."""

    text: str
    places: Mapping[str, Place]
    forms: tuple[Form, ...]


def takes_ids(graph: Graph, index: int) -> bool:
    """Return whether only embeddings read an input, so that it holds ids."""
    names = {node.operator.name for node in graph.nodes if index in node.inputs}
    return names == {"embedding"}


def written(graph: Graph, title: str) -> TorchFile:
    """Return a network as a Python file.

    Blocks become classes. If the layers of a block are not contiguous, or blocks share weights, all
    layers are in one class.

    Raises:
        UsageError: torch cannot express a layer.
    """
    for flat in (False, True):
        tree = module_tree(graph, flat)
        if tree is None:
            continue
        coder = Coder(graph)
        inputs = list(range(graph.inputs))
        forms: list[Form] = ["flat" if takes_ids(graph, i) else "first" for i in inputs]
        try:
            whole = coder.block(tree, inputs, forms)
        except KeyError:  # a weight of another block
            if flat:
                raise
            continue
        break
    if coder.refused:
        raise refused("torch", coder.refused)
    classes = Classes(whole)
    places: dict[str, Place] = {}
    _places(coder, whole, "", classes, places)
    head = f'"""{title}, written by archcalc. Channels first: {_reads(graph)}."""'
    imports = "import torch\nimport torch.nn.functional as F\nfrom torch import nn"
    sources = [source.strip() for source in classes.sources]
    text = "\n\n\n".join([f"{head}\n\n{imports}", *prelude(coder.needs), *sources]) + "\n"
    return TorchFile(text, places, tuple(whole.forms))


def _reads(graph: Graph) -> str:
    told = []
    for index in range(graph.inputs):
        *positions, channels = map(int, graph.nodes[index].shape)
        sizes = positions if takes_ids(graph, index) else [channels, *positions]
        told.append("×".join(map(str, ["n", *sizes])))
    return ", ".join(told)


def _places(
    coder: Coder, block: BlockCode, prefix: str, classes: Classes, places: dict[str, Place]
) -> None:
    for index, attribute in block.layers.items():
        for name, (suffix, change) in coder.pieces[index].weights.items():
            path = coder.graph.nodes[index].path
            places[f"{path}.{name}"] = Place(f"{prefix}{attribute}{suffix}", change)
    for item in block.body:
        if isinstance(item, BlockCall):
            key = classes.keys[id(item.code)]
            _places(coder, item.code, f"{prefix}{key}.", classes, places)
