"""Sort the layers of a network into a tree of blocks, by their paths."""

from __future__ import annotations

import keyword
import re
from itertools import pairwise

from archcalc.graph.model import Graph
from archcalc.tuples import NamedTuple


class ModuleLeaf(NamedTuple):
    """A layer in its block: the number of its node, and its name in the block."""

    node: int
    name: str


class ModuleTree:
    """A block with its name, the name of its class, and its layers and inner blocks in order."""

    def __init__(self, name: str) -> None:
        self.name = self.kind = name
        self.items: list[ModuleLeaf | ModuleTree] = []

    def layers(self) -> list[int]:
        """Return the numbers of all layers in the block and its inner blocks."""
        found: list[int] = []
        for item in self.items:
            found += item.layers() if isinstance(item, ModuleTree) else [item.node]
        return found


def module_tree(graph: Graph, flat: bool) -> ModuleTree | None:
    """Return the network as a tree of blocks, or None if the layers of a block are not contiguous.

    `flat` puts all layers into one block.
    """
    whole = ModuleTree("net")
    branches = {
        after
        for node in graph.nodes
        for key, after in pairwise(node.span.keys)
        if key in ("add", "concat", "mul") and isinstance(after, str)
    }
    for index, node in enumerate(graph.nodes):
        if not node.inputs:
            continue
        *around, leaf = [node.path] if flat else _merged(node.path.split("/"), branches)
        block = whole
        for name in around:
            last = block.items[-1] if block.items else None
            if not isinstance(last, ModuleTree) or last.name != name:
                if any(isinstance(item, ModuleTree) and item.name == name for item in block.items):
                    return None
                last = ModuleTree(name)
                block.items.append(last)
            block = last
        block.items.append(ModuleLeaf(index, leaf))
    _collapse(whole)
    return whole


def _collapse(block: ModuleTree) -> None:
    """Merge a block with its only item, if that is a block."""
    for item in block.items:
        if isinstance(item, ModuleTree):
            _collapse(item)
            if len(item.items) == 1 and isinstance(only := item.items[0], ModuleTree):
                item.name, item.kind = f"{item.name}_{only.name}", only.kind
                item.items = only.items


def _merged(parts: list[str], branches: set[str]) -> list[str]:
    """Return a path in which the name of a branch is joined with the name after it."""
    found, before = [], ""
    for part in parts[:-1]:
        if part in branches:
            before += f"{part}_"
        else:
            found.append(before + part)
            before = ""
    return [*found, before + parts[-1]]


def attribute(name: str) -> str:
    """Return a valid Python name: `3x3_conv` becomes `b3x3_conv`."""
    plain = re.sub(r"\W", "_", name)
    return f"b{plain}" if plain[:1].isdigit() or plain in _TAKEN else plain


_MODULE = """
T_destination add_module apply bfloat16 buffers call_super_init children compile cpu cuda double
dump_patches eval extra_repr float forward get_buffer get_extra_state get_parameter get_submodule
half ipu load_state_dict modules mtia named_buffers named_children named_modules named_parameters
parameters register_buffer register_module register_parameter requires_grad_ set_extra_state
set_submodule share_memory state_dict to to_empty train training type xpu zero_grad
"""  # the attributes of every torch module
_FILE = "F nn torch self super range len tuple x other ends to_depth waves swiglu turn attend"
_TAKEN = frozenset((*keyword.kwlist, *_MODULE.split(), *_FILE.split()))


def class_name(name: str) -> str:
    """Return the class name of a block: `basic2` becomes `Basic`."""
    words = re.sub(r"\d+$", "", name) or name
    made = "".join(word[:1].upper() + word[1:] for word in re.split(r"\W|_", words) if word)
    return made if made[:1].isalpha() else f"Block{made}"
