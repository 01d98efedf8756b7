"""Nest the names of a file's tensors into modules: `layer1.0.conv1.weight`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from math import prod
from string import ascii_lowercase

from archcalc.files.containers import FileTensor

NEEDLESS = ("num_batches_tracked", "relative_position_index")  # torch's buffers, not used here
_NUMBERED = re.compile(r"(.*?)([0-9]{1,9})([a-z]?)")
_LONGEST, _DEEPEST = 500, 50  # the most characters of a name, and modules around a tensor


class Module:
    """A module of the file: its name, its tensors, and its child modules."""

    __slots__ = ("children", "names", "prefix", "size")

    def __init__(self, prefix: str) -> None:
        self.prefix, self.size = prefix, 0
        self.children: dict[str, Module] = {}
        self.names: list[str] = []

    def series(self, ordered: bool) -> list[list[Module]]:
        """Group the children into series of known order.

        If the file is `ordered`, all children form one series, else those whose names differ only in a
        number do. A single tensor (torch's `class_token`) is a series of its own: it comes first in a
        file, but may be used later.
        """
        if ordered:
            parts = [child for child in self.children.values() if child.children]
            return [parts, *([child] for child in self.children.values() if not child.children)]
        series: dict[str, list[tuple[int, str, Module]]] = {}
        alphabet = _alphabet(self.children)
        for name, child in self.children.items():
            numbered = _NUMBERED.fullmatch(f"#0{name}" if name in alphabet else name)
            stem, number, letter = numbered.groups() if numbered else (name, 0, "")
            series.setdefault(f"{stem}#" if numbered else stem, []).append((int(number), letter, child))
        return [[child for *_, child in sorted(s, key=lambda x: x[:2])] for s in series.values()]


def _alphabet(names: Iterable[str]) -> list[str]:
    """Return the names of one letter if they begin the alphabet (a, b, c); q, k and v have no order."""
    letters = sorted(name for name in names if len(name) == 1 and name.isalpha())
    return letters if ascii_lowercase.startswith("".join(letters)) else []


def module_tree(tensors: Mapping[str, FileTensor]) -> Module | None:
    """Return the tree of all needed tensors; None if one holds no floats or has an implausible name."""
    root = Module("")
    for name, tensor in tensors.items():
        if name.endswith(NEEDLESS):
            continue
        parts = name.split(".")
        if tensor.load is None or len(name) > _LONGEST or len(parts) > _DEEPEST:
            return None
        module, size = root, prod(tensor.shape)
        for end in range(len(parts) + 1):
            if end:
                prefix = ".".join(parts[:end])
                module = module.children.setdefault(parts[end - 1], Module(prefix))
            module.size += size
            module.names.append(name)
    return root


def named_modules(module: Module) -> Iterator[Module]:
    """Yield the modules with a name, depth first."""
    for child in module.children.values():
        yield child
        yield from named_modules(child)
