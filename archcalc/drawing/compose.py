"""Turn the tree of boxes into cells of known size: the texts of each box, and the layers it shows."""

from __future__ import annotations

from collections.abc import Sequence

from archcalc.analysis.costs import Analysis
from archcalc.drawing import words
from archcalc.drawing.cells import Cell, Forked, Framed, Leaf, Stack
from archcalc.drawing.flow import Fork, Strand
from archcalc.drawing.folded import Folding
from archcalc.drawing.lenders import lenders
from archcalc.drawing.measures import WORDS, Measure
from archcalc.drawing.metrics import fitted
from archcalc.drawing.model import BoxKind, DrawnBox, Mark
from archcalc.drawing.sheet import BAR, INSET, text_width
from archcalc.drawing.structure import Tree
from archcalc.drawing.tree import Chip, Group, Unit
from archcalc.operators.shape import Shape
from archcalc.tuples import NamedTuple
from archcalc.units import grouped, percent, printable

NARROWEST = BAR + 2 * 6  # the least width of a box with a bar
HIGH, JOIN = 24, 20
NAME = 170  # the room for the name of a block


class Composer(NamedTuple):
    """The maker of cells from units of the tree; `boxes` caches those of units, by their identity."""

    analysis: Analysis
    measure: Measure
    tree: Tree
    folding: Folding
    lenders: dict[str, str]
    boxes: dict[int, DrawnBox]

    @classmethod
    def of(
        cls,
        analysis: Analysis,
        measure: Measure,
        tree: Tree,
        folding: Folding,
    ) -> Composer:
        """Return a composer for the tree of a network."""
        return cls(analysis, measure, tree, folding, lenders(analysis.graph, tree.units), {})

    def stack(self, units: Sequence[Unit], up: bool) -> Stack:
        """Return the stack of a block's units."""
        return self.stacked(self.strand(units), units, False, up)

    def strand(self, units: Sequence[Unit]) -> Strand:
        """Return the flow through a list of units of the tree."""
        return self.tree.strand(self.analysis.graph, units)

    def stacked(self, found: Strand, units: Sequence[Unit], top: bool, up: bool) -> Stack:
        """Return the stack of units with a known flow.

        `top` says that it is the whole network, `up` that it will be mirrored to run upward.
        """
        cells = [self._cell(item, units, up) for item in found.items]
        return Stack(found, cells, self._texts(found, units, top))

    def _cell(self, item: int | Fork, units: Sequence[Unit], up: bool) -> Cell:
        if isinstance(item, Fork):
            branches = [self._branch(branch, units, up, item.past) for branch in item.branches]
            return Forked(item, branches)
        unit = units[item]
        box = self.box(unit)
        if isinstance(unit, Chip) or box.leaf:
            return _leaf(box)
        return Framed(box, self.stack(unit.children, up), up)

    def _branch(self, branch: Strand, units: Sequence[Unit], up: bool, past: bool) -> Stack:
        """Return the stack of a branch; one block alone gets no frame unless it is another head."""
        if not past and len(branch.items) == 1 and isinstance(branch.items[0], int):
            only = units[branch.items[0]]
            if isinstance(only, Group) and not self._has_frame(only):
                return self.stack(only.children, up)
        return self.stacked(branch, units, False, up)

    def _has_frame(self, only: Group) -> bool:
        """Return whether a branch with only this block shows it as a box: it has a name or is closed."""
        named = only.path in self.lenders or only.path in self.lenders.values()
        return named or bool(only.copies) or self.is_closed(only)

    def is_closed(self, group: Group) -> bool:
        """Return whether a block is too deep to be opened, so that it is one box."""
        return self.folding.closes(group.path)

    def shape(self, unit: Unit) -> Shape:
        """Return the output shape of a unit's last copy."""
        last = (unit.copies or (unit.nodes,))[-1]
        return self.analysis.graph.nodes[last[-1]].shape

    def _texts(self, found: Strand, units: Sequence[Unit], top: bool) -> list[str]:
        """Return the map size after each item, or '' if it did not change (in blocks: its positions)."""
        told: tuple[object, ...] | None = None
        axes = slice(None if top else -1)
        texts = []
        for item in found.items:
            text = ""
            if isinstance(item, int):
                unit, shape = units[item], self.shape(units[item])
                before = self._incoming(unit)[axes] if told is None else told
                told = shape[axes]
                text = "" if told == before else str(shape)
            texts.append(text)
        return texts

    def _incoming(self, unit: Unit) -> Shape:
        nodes = self.analysis.graph.nodes
        inputs = nodes[unit.nodes[0]].inputs
        return nodes[inputs[0]].shape if inputs else nodes[0].shape

    def _all(self, unit: Unit) -> tuple[int, ...]:
        """Return the layers of a unit, and of all its copies and of the copies of blocks around it."""
        return tuple(sorted({j for i in unit.nodes for j in self.tree.stands.get(i, ())}))

    def box(self, unit: Unit) -> DrawnBox:
        """Return the box of a unit, with its texts; the picture and the table share it."""
        found = self.boxes.get(id(unit))
        if found is None:
            found = self._layer(unit) if isinstance(unit, Chip) else self._block(unit)
            self.boxes[id(unit)] = found
        return found

    def _layer(self, chip: Chip) -> DrawnBox:
        layers = self.analysis.layers
        operators = [layers[i].node.operator for i in chip.nodes]
        at = next((k for k, op in enumerate(operators) if not words.is_small(op)), 0)
        main = layers[chip.nodes[at]]
        small = [words.brief(op) for op in operators]
        head, label = " ".join(small[:at]), words.phrase(operators[at], main.inputs)
        tail = " ".join(
            filter(None, [words.suffix(operators[at]), *small[at + 1 :], self._weights(chip)])
        )
        color = words.color(operators[at], main.inputs)
        kind: BoxKind = "input" if color == "input" else "join" if color == "join" else "layer"
        if color == "input":
            head = printable(main.node.path) if self.analysis.graph.inputs > 1 else ""
            label = str(main.node.shape)
        elif words.is_small(operators[at]):
            head, label, tail = "", " ".join(small), ""
        return self._box(chip, kind, color, printable(label), head, tail)

    def _weights(self, unit: Unit) -> str:
        """Return the text that names the owner of a unit's weights, or '' if they are its own."""
        lender = self.lenders.get(unit.path, "")
        return f"weights of {printable(lender)}" if lender else ""

    def _block(self, group: Group) -> DrawnBox:
        """Return the box of a block: a frame, or a closed box."""
        weights = self._weights(group)
        if not self.is_closed(group):
            name = ", ".join(filter(None, [group.name, weights]))
            return self._box(group, "frame", "", fitted(printable(name), "name", NAME))
        name = ", ".join(filter(None, [group.name or group.path.rpartition("/")[2], weights]))
        name = fitted(printable(name), "label", NAME)
        return self._box(group, "closed", "block", name, tail=f"{len(group.nodes)} layers")

    def _box(
        self, unit: Unit, kind: BoxKind, color: str, label: str, head: str = "", tail: str = ""
    ) -> DrawnBox:
        layers = self._all(unit)
        cost = self.measure.of(layers)
        mark = self._mark(layers)
        if kind != "frame":
            head = " ".join(filter(None, [mark, head]))
        elif mark == "changed":  # layers that differ are marked inside the frame, unless all do
            mark = ""
        times = 1 + len(unit.copies)
        told = self._told(unit, layers, cost)
        return DrawnBox(kind, color, unit.path, layers, label, head, tail, times, cost, 0, mark, told)

    def _mark(self, layers: Sequence[int]) -> Mark:
        marks = {self.folding.marks[i] for i in layers} if self.folding.marks else {""}
        if len(marks) == 1:
            return marks.pop()  # type: ignore[return-value]
        return "changed"

    def _told(self, unit: Unit, layers: tuple[int, ...], cost: int) -> str:
        """Return the lines of a tooltip."""
        nodes = self.analysis.graph.nodes
        lines = [printable(unit.path)]
        if unit.copies:
            lines[0] += f" ×{1 + len(unit.copies)}"
        if isinstance(unit, Chip):
            lines.append(printable(" | ".join([words.written(nodes[i].operator) for i in unit.nodes])))
        lines.append(f"output {self.shape(unit)}")
        share = (
            f" ({percent(cost, self.measure.total)})" if self.measure.total and self.measure.sums else ""
        )
        lines.append(f"{grouped(cost)} {WORDS[self.measure.by]}{share}")
        if len(layers) > len(unit.nodes):
            lines.append(f"{len(layers)} layers of the network")
        return "\n".join(lines)


def _leaf(box: DrawnBox) -> Leaf:
    inner = text_width(box) + 2 * INSET
    if box.kind == "join" and len(box.label) == 1:
        return Leaf(box, JOIN if not (box.tail or box.head) and box.times == 1 else inner + 2, JOIN)
    return Leaf(box, max(inner, 64 if box.kind in ("join", "input") else NARROWEST), HIGH)
