"""Search a graph for blocks: modules that run more than once, and repeated segments between cuts."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence

from archcalc.graph.model import Graph
from archcalc.operators import TABLE
from archcalc.recovery.blocks import Written, write_block
from archcalc.recovery.bodies import Body, Key, body_of
from archcalc.recovery.cuts import segments
from archcalc.recovery.defaults import Defaults
from archcalc.recovery.families import Family, Instance, families
from archcalc.recovery.parts import CONTAINERS, ModulePart, Wiring, levels, tree, within_classes
from archcalc.spec.tokens import GRAMMAR_WORDS

ROUNDS = 4  # the most rounds of writing out blocks that are called only once


class Blocks:
    """The blocks of a graph.

    Attributes:
        root: the whole network as a part.
        calls: by the id of a part: the block that it calls, and the index of its instance.
        written: the blocks, each after those that it calls.
    """

    def __init__(self, graph: Graph, modules: Mapping[str, str], defaults: Defaults) -> None:
        self.graph, self.wiring, self.modules = graph, Wiring(graph), modules
        self.defaults = defaults
        whole = tree(graph, modules)
        self._inner = {id(part) for part in within_classes(whole)}
        self._opened: dict[int, ModulePart] = {}  # by id: parts that are written out instead of called
        for _ in range(ROUNDS):
            self.root = whole
            self.calls: dict[int, tuple[Written, int]] = {}
            self.written: list[Written] = []
            for parts in levels(whole):
                self._find(parts)
            self._find_segments()
            lonely = [block for block in self.written if self._is_lonely(block)]
            if not lonely:
                break
            self._opened |= {id(i.part): i.part for block in lonely for i in block.family.instances}

    def body(self, part: ModulePart) -> Body:
        """Return the items of a part: its layers, and calls of the blocks found so far."""
        return body_of(part, self.wiring, self._key)

    def _key(self, part: ModulePart) -> Key | None:
        found = self.calls.get(id(part))
        return None if found is None else ("block", found[0].name)

    def _is_lonely(self, block: Written) -> bool:
        """Return whether a block is called from one place only, and is better written out there."""
        body = block.family.body
        bodies = [self.body(self.root), *(other.family.body for other in self.written)]
        called = (self.calls.get(id(i.part)) for b in bodies for i in b if i.is_call)
        plain = all(item.refs == (i - 1,) for i, item in enumerate(body))
        return plain and sum(c is not None and c[0] is block for c in called) == 1

    def _find_segments(self) -> None:
        """Search for blocks between cuts, among layers without a common module."""
        found = [s for s in segments(self.body(self.root), self.wiring) if self.wiring.is_closed(s)]
        self._find(found)
        inside = {i: p for p in found if id(p) in self.calls for i in range(p.first, p.end)}
        items: list[ModulePart] = []
        for item in self.body(self.root):
            part = inside.get(item.part.first) or self._renamed(item.part, item.label)
            if not items or items[-1] is not part:
                items.append(part)
        self.root = ModulePart("", self.root.cls, self.root.first, self.root.end, items)

    def _renamed(self, part: ModulePart, label: str) -> ModulePart:
        """Return a part of the root, renamed to its whole path."""
        made = ModulePart(label, part.cls, part.first, part.end, part.items)
        if id(part) in self.calls:
            self.calls[id(made)] = self.calls[id(part)]
        return made

    def _find(self, parts: Sequence[ModulePart]) -> None:
        classes: dict[str, list[Instance]] = {}
        open_ones = Counter(p.cls for p in parts if not self.wiring.is_closed(p))
        often = Counter(p.cls for p in parts)
        for part in parts:
            if id(part) in self._opened or 2 * open_ones[part.cls] > often[part.cls]:
                continue
            if self.wiring.is_closed(part):
                body = self.body(part)
                if part.cls not in CONTAINERS or self._stands_alone(part, body):
                    classes.setdefault(part.cls, []).append(Instance(part, body))
        for cls, instances in classes.items():
            nested = all(id(i.part) in self._inner for i in instances)
            for family in families(cls, instances, self.wiring, nested):
                name = self._name(cls, family)
                written = write_block(name, family, self.wiring, self.calls, self.defaults)
                self.written.append(written)
                for index, instance in enumerate(family.instances):
                    self.calls[id(instance.part)] = written, index

    def _stands_alone(self, part: ModulePart, body: Body) -> bool:
        """Return whether a part is a container without a class of its own that holds only layers."""
        return id(part) not in self._inner and not any(item.is_call for item in body)

    def _name(self, cls: str, family: Family) -> str:
        if cls in CONTAINERS:
            stems = {i.part.name.rstrip("0123456789").lower() for i in family.instances}
            cls = stems.pop() if len(stems) == 1 else "unit"
        clean = snake(cls)
        joins = {item.key[0] for item in family.body}
        if not clean:
            holders = {self._holder(i.part) for i in family.instances}
            clean = holders.pop() if len(holders) == 1 else ""
        if not clean[:1].isalpha():
            clean = "mixed" if "concat" in joins else "residual" if "add" in joins else "unit"
        taken = {*TABLE, *GRAMMAR_WORDS, *(block.name for block in self.written)}
        names = [clean, *(f"{clean}{n}" for n in range(2, len(taken) + 3))]
        return next(n for n in names if n not in taken)

    def _holder(self, part: ModulePart) -> str:
        """Return the class of the module around a part, in the form of a block name."""
        cls = self.modules.get(part.name, "")
        return "" if cls in CONTAINERS or not part.name else snake(cls)


def snake(cls: str) -> str:
    """Return a class name in the form of a block name: '_DenseLayer' → 'dense_layer'."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", cls).lower()
    return re.sub(r"[^a-z0-9]+", "_", words).strip("_")
