"""Name layers: after their module, or after their module and the operator's word."""

from __future__ import annotations

import re
from collections.abc import Mapping

from archcalc.interop.trace import Operation
from archcalc.spec.tokens import GRAMMAR_WORDS

_STRANGE = re.compile(r"[^A-Za-z0-9_.-]+")


class PathNames:
    """The paths of all layers; each path is given once."""

    def __init__(self, modules: Mapping[str, str]) -> None:
        self._around = {path.rpartition(".")[0] for path in modules}
        self._modules = modules
        self._taken: set[str] = {"", "in", "input", *GRAMMAR_WORDS}
        self._counts: dict[str, int] = {}

    def taken(self, path: str) -> str:
        """Return a path for a side output."""
        clean = _clean(path)
        self._taken.add(clean)
        return clean

    def entering(self, path: str) -> str:
        """Return a path for one of several inputs that is not a word of the spec language."""
        clean = _clean(path).replace(".", "_")  # a key of the spec's [inputs]
        return self._unique(f"input_{clean}" if clean.isdecimal() else clean)

    def path(self, operation: Operation | None, word: str) -> str:
        """Return the path of a layer that is made for an operation."""
        module = "" if operation is None else operation.module
        leaf = module and module not in self._around and module in self._modules
        base = _clean(module if leaf else f"{module}.{word}" if module else word)
        if base.isdecimal():
            base = f"{base}.{word}"
        if leaf and base in self._taken:
            base = f"{base}.{word}" if word not in base.rpartition(".")[2] else base
        return self._unique(base)

    def _unique(self, base: str) -> str:
        path, join = base, "_" if base[-1:].isdecimal() else ""
        while path in self._taken:
            self._counts[base] = self._counts.get(base, 1) + 1
            path = f"{base}{join}{self._counts[base]}"
        self._taken.add(path)
        return path


def _clean(path: str) -> str:
    return _STRANGE.sub(".", path).strip(".") or "layer"
