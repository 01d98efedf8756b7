"""Graph → spec text with blocks, arguments, repeats and variables, proven by reading it back."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from archcalc.errors import ArchError
from archcalc.graph.build import build
from archcalc.graph.model import Graph, Node
from archcalc.graph.write import write
from archcalc.operators import TABLE, operator_class
from archcalc.recovery.blocks import Written, write_block
from archcalc.recovery.bodies import Body, Key, body_of
from archcalc.recovery.cuts import segments
from archcalc.recovery.families import Family, Instance, families
from archcalc.recovery.layout import rows_of
from archcalc.recovery.parts import CONTAINERS, Part, Wiring, chain_concats, levels, ordered, tree, within_classes
from archcalc.recovery.text import Labels, block_text, lines_of, listed, quoted
from archcalc.recovery.variables import Varied
from archcalc.spec.model import Source
from archcalc.spec.read import read
from archcalc.spec.settings import settle

ROUNDS = 4  # of opening blocks that are called from one place
OFTEN = 0.75  # of all layers of a kind: what they share is a default


def recover(graph: Graph, modules: Mapping[str, str], title: str) -> str:
    """Return the text of a spec with the same layers.

    Modules that run more than once become blocks; of a file without modules, what lies between two
    places where a single tensor is alive. The text is read and built, and its graph compared; if it
    differs, the layers are written one by one.
    """
    chained = chain_concats(graph)
    text = _Recovery(chained, modules).text(title)
    return text if is_same(text, chained) else write(graph, title)


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
        self.graph, self.wiring, self.modules = graph, Wiring(graph), modules
        self.defaults = _defaults(graph)
        self._tree = tree(graph, modules)
        self._opened: set[int] = set()  # ids of parts that are written out where they stand
        for _ in range(ROUNDS):
            self.root = self._tree
            self.calls: dict[int, tuple[Written, int]] = {}
            self.blocks: list[Written] = []
            self._find_modules()
            self._find_segments()
            lonely = [block for block in self.blocks if self._is_lonely(block)]
            if not lonely:
                break
            self._opened.update(id(i.part) for block in lonely for i in block.family.instances)

    def _is_lonely(self, block: Written) -> bool:
        """Return whether a block is called from one place only, and reads as well written out there."""
        body = block.family.body
        bodies = [self._body(self.root), *(other.family.body for other in self.blocks)]
        called = (self.calls.get(id(i.part)) for b in bodies for i in b if i.is_call)
        plain = all(item.refs == (i - 1,) for i, item in enumerate(body))
        return plain and sum(c is not None and c[0] is block for c in called) == 1

    def _key(self, part: Part) -> Key | None:
        found = self.calls.get(id(part))
        return None if found is None else ("block", found[0].name)

    def _body(self, part: Part) -> Body:
        return body_of(part, self.wiring, self._key)

    def _find_modules(self) -> None:
        found = levels(self.root)
        self._inner = set(map(id, within_classes(self.root)))
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
                    items.append(part)
            self.root = Part("", self.root.cls, self.root.first, self.root.end, items)

    def _move(self, old: Part, new: Part) -> None:
        if id(old) in self.calls:
            self.calls[id(new)] = self.calls[id(old)]

    def _find(self, parts: Sequence[Part]) -> None:
        classes: dict[str, list[Instance]] = {}
        open_ones = Counter(p.cls for p in parts if not self.wiring.is_closed(p))
        often = Counter(p.cls for p in parts)
        for part in parts:
            if id(part) in self._opened or 2 * open_ones[part.cls] > often[part.cls]:
                continue
            if self.wiring.is_closed(part):
                body = self._body(part)
                if part.cls not in CONTAINERS or self._stands_alone(part, body):
                    classes.setdefault(part.cls, []).append(Instance(part, body))
        for cls, instances in classes.items():
            nested = all(id(i.part) in self._inner for i in instances)
            for family in families(cls, instances, self.wiring, nested):
                name = self._name(cls, family)
                written = write_block(name, family, self.wiring, self.calls, self.defaults)
                self.blocks.append(written)
                for index, instance in enumerate(family.instances):
                    self.calls[id(instance.part)] = written, index

    def _stands_alone(self, part: Part, body: Body) -> bool:
        """Return whether a container is of layers only, and of no class of its own."""
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
        taken = {*TABLE, "in", "if", "output", "reuse", "x", *(block.name for block in self.blocks)}
        names = [clean, *(f"{clean}{n}" for n in range(2, len(taken) + 3))]
        return next(n for n in names if n not in taken)

    def _holder(self, part: Part) -> str:
        """Return the class of the module in which a part begins, as a block is named."""
        cls = self.modules.get(part.name, "")
        return "" if cls in CONTAINERS or not part.name else snake(cls)

    def heavy(self, body: Body, index: int) -> bool:
        part = body[index].part
        return part.is_layer and self.graph.nodes[part.first].operator.weight_layer > 0

    def text(self, title: str) -> str:
        body = self._body(self.root)
        varied = Varied(self.graph, body, self.calls, self.defaults)
        place = {item.part.output: i for i, item in enumerate(body)}
        shared = {i: place[n.shares] for i, n in self._layers(body) if n.shares >= 0}
        rows = rows_of(body, {*shared, *shared.values()})
        inputs = ["in", *(n.path for n in self.graph.nodes[1 : self.graph.inputs])]
        outputs = [name for name, _ in self.graph.side_outputs]
        labels = Labels(body, inputs, named=True, taken=outputs)
        labels.need(rows, [place[i] for i in self._left()], shared)
        steps = [self._shared(body, i, varied) if i in shared else varied.step(i) for i in range(len(body))]
        lines = lines_of(body, rows, steps, {}, labels, lambda i: self.heavy(body, i))
        lines = varied.repeated(lines)
        sides = self.graph.side_outputs
        lines += [f"output {name} = {labels.reference(place[i])}" for name, i in sides]
        if self.graph.output != len(self.graph.nodes) - 1:
            lines.append(labels.reference(place[self.graph.output]))
        tables = [f"title = {quoted(title)}", *self._input(), listed("layers", lines), ""]
        tables += [*varied.table(), *_defaults_table(self.defaults)]
        for written in self.blocks:
            tables += [block_text(written, lambda i, w=written: self.heavy(w.family.body, i)), ""]
        return "\n".join([*tables, *self._inputs()])

    def _layers(self, body: Body) -> list[tuple[int, Node]]:
        return [(i, self.graph.nodes[x.part.first]) for i, x in enumerate(body) if not x.is_call]

    def _left(self) -> list[int]:
        """Return the outputs that are not simply the last layer."""
        return [i for i in self.graph.outputs if i != len(self.graph.nodes) - 1]

    def _shared(self, body: Body, index: int, varied: Varied) -> str:
        """Return a layer that uses the weights of another, whose label follows."""
        tied = self.graph.nodes[body[index].part.first].operator.tied is not None
        return varied.step(index) if tied else "reuse"

    def _input(self) -> list[str]:
        nodes = self.graph.nodes
        return [f"input = {quoted(_size(nodes[0]))}"] if self.graph.inputs == 1 else []

    def _inputs(self) -> list[str]:
        nodes = self.graph.nodes[: self.graph.inputs]
        if len(nodes) == 1:
            return []
        return ["[inputs]", *(f"{node.path} = {quoted(_size(node))}" for node in nodes), ""]


def _size(node: Node) -> str:
    return "x".join(map(str, node.shape))


def snake(cls: str) -> str:
    """Return a class name as a block is named: '_DenseLayer' → 'dense_layer'."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", cls).lower()
    return re.sub(r"[^a-z0-9]+", "_", words).strip("_")


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
