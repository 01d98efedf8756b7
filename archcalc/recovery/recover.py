"""Graph → spec text with blocks, arguments, repeats and variables, proven by reading it back."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from archcalc.errors import ArchError
from archcalc.graph.build import build
from archcalc.graph.model import Graph
from archcalc.graph.write import write
from archcalc.operators import TABLE, operator_class
from archcalc.recovery.blocks import Written, write_block
from archcalc.recovery.bodies import Body, Key, body_of
from archcalc.recovery.cuts import segments
from archcalc.recovery.families import Family, Instance, families
from archcalc.recovery.layout import rows_of
from archcalc.recovery.parts import CONTAINERS, Part, Wiring, levels, ordered, tree
from archcalc.recovery.text import Labels, block_text, lines_of, listed, quoted
from archcalc.recovery.variables import Varied
from archcalc.spec.model import Source
from archcalc.spec.read import read
from archcalc.spec.settings import settle

OFTEN = 0.75  # of all layers of a kind: what they share is a default


def recover(graph: Graph, modules: Mapping[str, str], title: str) -> str:
    """Return the text of a spec with the same layers.

    Modules that run more than once become blocks; of a file without modules, what lies between two
    places where a single tensor is alive. The text is read and built, and its graph compared; if it
    differs, the layers are written one by one.
    """
    text = _Recovery(graph, modules).text(title)
    return text if is_same(text, graph) else write(graph, title)


def is_same(text: str, graph: Graph) -> bool:
    """Return whether a spec builds the same layers in the same order; terms of a sum may change places."""
    try:
        spec = read(Source("", text))
        made = build(spec, settle(spec, None, {}))
    except ArchError:
        return False
    return (
        len(made.nodes) == len(graph.nodes)
        and made.output == graph.output
        and [i for _, i in made.side_outputs] == [i for _, i in graph.side_outputs]
        and all(
            str(a.operator) == str(b.operator)
            and ordered(a) == ordered(b)
            and a.shape == b.shape
            and a.shares == b.shares
            for a, b in zip(made.nodes, graph.nodes, strict=True)
        )
    )


class _Recovery:
    """One graph on its way to a text."""

    def __init__(self, graph: Graph, modules: Mapping[str, str]) -> None:
        self.graph, self.wiring = graph, Wiring(graph)
        self.calls: dict[int, tuple[Written, int]] = {}
        self.blocks: list[Written] = []
        self.defaults = _defaults(graph)
        self.root = tree(graph, modules)
        self._find_modules()
        self._find_segments()

    def _key(self, part: Part) -> Key | None:
        found = self.calls.get(id(part))
        return None if found is None else ("block", found[0].name)

    def _body(self, part: Part) -> Body:
        return body_of(part, self.wiring, self._key)

    def _find_modules(self) -> None:
        found = levels(self.root)
        self._classed = [p for parts in found for p in parts if p.cls not in ("", *CONTAINERS)]
        for parts in found:
            self._find(parts)

    def _find_segments(self) -> None:
        """Look for blocks between cuts, among layers that no module holds together."""
        found = [s for s in segments(self._body(self.root), self.wiring) if self.wiring.is_closed(s)]
        self._find(found)
        taken = [part for part in found if id(part) in self.calls]
        if taken:
            body = self._body(self.root)
            inside = {i: part for part in taken for i in range(part.first, part.end)}
            items: list[Part] = []
            for item in body:
                part = inside.get(item.part.first)
                if part is None:
                    items.append(
                        Part(item.label, item.part.cls, item.part.first, item.part.end, item.part.items)
                    )
                    self._move(item.part, items[-1])
                elif not items or items[-1] is not part:
                    part.name = ""
                    items.append(part)
            self.root = Part("", self.root.cls, self.root.first, self.root.end, items)

    def _move(self, old: Part, new: Part) -> None:
        if id(old) in self.calls:
            self.calls[id(new)] = self.calls[id(old)]

    def _find(self, parts: Sequence[Part]) -> None:
        classes: dict[str, list[Instance]] = {}
        for part in parts:
            if self.wiring.is_closed(part):
                body = self._body(part)
                if part.cls not in CONTAINERS or self._stands_alone(part, body):
                    classes.setdefault(part.cls, []).append(Instance(part, body))
        for cls, instances in classes.items():
            for family in families(cls, instances, self.wiring):
                name = self._name(cls, family)
                written = write_block(name, family, self.wiring, self.calls, self.defaults)
                self.blocks.append(written)
                for index, instance in enumerate(family.instances):
                    self.calls[id(instance.part)] = written, index

    def _stands_alone(self, part: Part, body: Body) -> bool:
        """Return whether a container is of layers only, and of no class of its own."""
        within = any(p.first <= part.first and part.end <= p.end for p in self._classed)
        return not within and not any(item.is_call for item in body)

    def _name(self, cls: str, family: Family) -> str:
        if cls in CONTAINERS:
            stems = {i.part.name.rstrip("0123456789").lower() for i in family.instances}
            cls = stems.pop() if len(stems) == 1 else "unit"
        words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", cls).lower()
        clean = re.sub(r"[^a-z0-9]+", "_", words).strip("_")
        joins = {item.key[0] for item in family.body}
        if not clean[:1].isalpha():
            clean = "mixed" if "concat" in joins else "residual" if "add" in joins else "unit"
        taken = {*TABLE, "in", "if", "output", "reuse", "x", *(block.name for block in self.blocks)}
        names = [clean, *(f"{clean}{n}" for n in range(2, len(taken) + 3))]
        return next(n for n in names if n not in taken)

    def heavy(self, body: Body, index: int) -> bool:
        part = body[index].part
        return part.is_layer and self.graph.nodes[part.first].operator.weight_layer > 0

    def text(self, title: str) -> str:
        body = self._body(self.root)
        varied = Varied(self.graph, body, self.calls, self.defaults)
        steps = [varied.step(i) for i in range(len(body))]
        rows = rows_of(body)
        inputs = ["in", *(n.path for n in self.graph.nodes[1 : self.graph.inputs])]
        labels = Labels(body, inputs, named=True)
        labels.need(rows)
        lines = lines_of(body, rows, steps, {}, labels, lambda i: self.heavy(body, i))
        lines = varied.repeated(lines)
        tables = [f"title = {quoted(title)}", *self._inputs(), listed("layers", lines), ""]
        tables += [*varied.table(), *_defaults_table(self.defaults)]
        for written in self.blocks:
            tables += [block_text(written, lambda i, w=written: self.heavy(w.family.body, i)), ""]
        return "\n".join(tables)

    def _inputs(self) -> list[str]:
        nodes = self.graph.nodes[: self.graph.inputs]
        sizes = ["x".join(map(str, node.shape)) for node in nodes]
        return [f"input = {quoted(sizes[0])}"]


def _defaults(graph: Graph) -> dict[str, dict[str, Any]]:
    """Return flags and numbers that most layers of a kind share, and that are not the language's own."""
    found: dict[str, dict[str, Any]] = {}
    kinds: dict[str, list[Any]] = {}
    for node in graph.nodes[graph.inputs :]:
        kinds.setdefault(node.operator.name, []).append(node.operator)
    for name, operators in kinds.items():
        for argument in operators[0].arguments:
            if argument.kind in ("flag", "number") and not argument.required:
                values = Counter(getattr(o, argument.attribute) for o in operators)
                value, count = values.most_common(1)[0]
                usual = operators[0].default_of(argument)
                if value != usual and count >= max(2, OFTEN * len(operators)):
                    found.setdefault(name, {})[argument.name] = value
    return found


def _defaults_table(defaults: Mapping[str, Mapping[str, Any]]) -> list[str]:
    lines = []
    for name, values in defaults.items():
        arguments = {a.name: a for a in operator_class(name).arguments}
        words = " ".join(arguments[n].written(v) for n, v in values.items())
        lines.append(f"{name} = {quoted(words)}")
    return ["[defaults]", *lines, ""] if lines else []
