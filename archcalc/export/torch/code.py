"""Write a block's code: one line per layer or chain of layers, and one call per inner block."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from archcalc.export.refusal import ExportError
from archcalc.export.torch.layers import FREE, LAYERS
from archcalc.export.torch.moves import JOINS, MOVES
from archcalc.export.torch.piece import Form, LayerCode
from archcalc.export.torch.pools import POOLS
from archcalc.export.torch.tree import ModuleLeaf, ModuleTree, attribute
from archcalc.graph.model import Graph, Node
from archcalc.tuples import NamedTuple

RULES = {**LAYERS, **POOLS, **MOVES}
_LONGEST = 90  # the most characters of a chain in one line
_EITHER = ("concat", "slice", "bn", "dropout")  # layers that also take a vector [n, c]


class BlockCall(NamedTuple):
    """An inner block: its code, its attribute, and the line that calls it."""

    code: BlockCode
    attribute: str
    line: str


class BlockCode:
    """The code of one block; `body` has its lines and calls in order."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.parameters: list[str] = []
        self.modules: list[tuple[str, str] | BlockCall] = []
        self.body: list[str | BlockCall] = []
        self.returns = ""
        self.forms: list[Form] = []
        self.layers: dict[int, str] = {}  # attributes of layers with weights


class Known(NamedTuple):
    """A tensor in a block's code: an expression, its axis order, and whether it is just a name."""

    text: str
    form: Form
    named: bool = True


class Coder:
    """The writer of a network's blocks.

    Attributes:
        needs: the parts of the prelude that the code uses.
        refused: the layers that torch cannot express, with the reasons.
    """

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.readers: dict[int, list[int]] = {}
        for index, node in enumerate(graph.nodes):
            for source in node.inputs:
                self.readers.setdefault(source, []).append(index)
        self.needs: dict[str, None] = {}
        self.refused: list[tuple[Node, str]] = []
        self.pieces: dict[int, LayerCode] = {}

    def block(self, tree: ModuleTree, inputs: Sequence[int], forms: Sequence[Form]) -> BlockCode:
        """Return the code of a block whose inputs arrive in these axis orders."""
        return _Writing(self, tree, inputs, forms).code

    def piece(self, index: int) -> LayerCode:
        """Return the code of a layer; a layer that torch cannot express is noted in `refused`."""
        node = self.graph.nodes[index]
        try:
            rule = RULES.get(node.operator.name)
            if rule is None:
                raise ExportError("torch has no such layer")
            made = rule(self.graph, node)
        except ExportError as reason:
            self.refused.append((node, str(reason)))
            made = LayerCode("first", "{0}")
        self.needs.update(dict.fromkeys(made.needs))
        self.pieces[index] = made
        return made

    def outside(self, layers: set[int], index: int) -> bool:
        """Return whether a layer outside these reads a tensor, or whether it is an output."""
        return index in self.graph.outputs or any(r not in layers for r in self.readers.get(index, ()))


def _converted(known: Known, form: Form, extents: tuple[int, ...]) -> str:
    """Return an expression for a tensor in another axis order."""
    text, rank = known.text, len(extents)
    if known.form == form:
        return text
    if form == "flat":
        return f"{text}.flatten(1)"
    if known.form == "flat":
        ones = ", ".join(["None"] * rank)
        return f"{text}[..., {ones}]" if form == "first" else f"{text}[:, {ones}]"
    if rank == 1:
        return f"{text}.transpose(1, 2)"
    order = (0, *range(2, rank + 2), 1) if form == "last" else (0, rank + 1, *range(1, rank + 1))
    return f"{text}.permute{order}"


class _Writing:
    """One block while it is written."""

    def __init__(
        self, coder: Coder, tree: ModuleTree, inputs: Sequence[int], forms: Sequence[Form]
    ) -> None:
        self.coder, self.graph = coder, coder.graph
        self.code = BlockCode(tree.kind)
        self.inside = set(tree.layers())
        self.left: dict[int, int] = {}
        for index in self.inside:
            for source in self.graph.nodes[index].inputs:
                self.left[source] = self.left.get(source, 0) + 1
        self.taken: set[str] = set()
        self.known: dict[int, Known] = {}
        for number, (index, form) in enumerate(zip(inputs, forms, strict=True)):
            name = "x" if number == 0 else self._fresh("other")
            self.taken.add(name)
            self.known[index] = Known(name, form)
            self.code.parameters.append(name)
        for item in tree.items:
            self._block(item) if isinstance(item, ModuleTree) else self._layer(item)
        outputs = [i for i in sorted(self.inside) if coder.outside(self.inside, i)]
        self.code.forms = [self.known[i].form for i in outputs]
        self.code.returns = ", ".join(self.known[i].text for i in outputs)

    def _fresh(self, name: str) -> str:
        base, number = attribute(name), 1
        while (found := base if number == 1 else f"{base}_{number}") in self.taken:
            number += 1
        self.taken.add(found)
        return found

    def _use(self, index: int) -> None:
        self.left[index] -= 1

    def _free(self, index: int) -> bool:
        """Return whether no further code reads a tensor, so that its name is free."""
        known = self.known[index]
        if self.left.get(index, 0) > 0 or not known.named:
            return False
        same = [i for i, k in self.known.items() if k.text == known.text and self.left.get(i, 0) > 0]
        return not same and not (index in self.inside and self.coder.outside(self.inside, index))

    def _layer(self, item: ModuleLeaf) -> None:
        index, node = item.node, self.graph.nodes[item.node]
        piece = self.coder.piece(index)
        form, texts = self._read(node, piece)
        for source in node.inputs:
            self._use(source)
        name = attribute(item.name)
        if node.shares >= 0:
            name = self.code.layers[node.shares]
        elif piece.modules:
            self.code.layers[index] = name
            for suffix, made in piece.modules.items():
                self.code.modules.append((name + suffix, made))
        text = piece.call
        for number, read in enumerate(texts):
            text = text.replace(f"{{{number}}}", read)
        text = text.replace("{m}", name)
        self._set(index, node, text, piece.made or form)

    def _read(self, node: Node, piece: LayerCode) -> tuple[Form, list[str]]:
        """Return the axis order of a layer, and its inputs in that order."""
        known = [self.known[i] for i in node.inputs]
        form, operator = piece.form, node.operator.name
        shapes = [self.graph.nodes[i].shape for i in node.inputs]
        if operator in FREE:
            form = known[0].form
        elif operator in JOINS or operator in _EITHER:
            if all(k.form == "flat" for k in known) and operator != "bn":
                form = "flat"
            elif operator in JOINS and all(k.form == "last" for k in known):
                form = "last"
        rank = max(map(len, shapes)) - 1 if operator not in JOINS else node.shape.rank
        texts = []
        for k, shape in zip(known, shapes, strict=True):
            vector = prod(shape[:-1]) == 1 and len(shape) - 1 != rank and operator in JOINS
            if vector and form != "flat":
                flat = Known(_converted(k, "flat", tuple(map(int, shape.extents))), "flat")
                texts.append(_converted(flat, form, (1,) * rank))
            else:
                texts.append(_converted(k, form, tuple(map(int, shape.extents))))
        if getattr(node.operator, "crop", False) is True and operator in (*JOINS, "concat"):
            texts = self._cropped(node, texts)
        return form, texts

    def _cropped(self, node: Node, texts: list[str]) -> list[str]:
        """Return the inputs, cropped at the center to the size of the first."""
        first = self.graph.nodes[node.inputs[0]].shape
        found = []
        for text, source in zip(texts, node.inputs, strict=True):
            parts = [
                f"{(int(n) - int(m)) // 2}:{(int(n) - int(m)) // 2 + int(m)}"
                for n, m in zip(self.graph.nodes[source].shape.extents, first.extents, strict=True)
            ]
            same = self.graph.nodes[source].shape.extents == first.extents
            found.append(text if same else f"{text}[:, :, {', '.join(parts)}]")
        return found

    def _set(self, index: int, node: Node, text: str, form: Form) -> None:
        """Add a line, or keep the expression for the next layer if only that layer reads it."""
        source = node.inputs[0]
        if text == self.known[source].text:  # the layer does nothing
            self.known[index] = self.known[source]._replace(form=form)
            return
        readers = self.coder.readers.get(index, [])
        simple = text.startswith(("self.", "F.", "torch.")) and text.endswith(")")
        alone = readers == [index + 1] and index + 1 in self.inside and index not in self.graph.outputs
        nests = alone and self.coder.graph.nodes[index + 1].inputs == (index,)
        if simple and nests and len(text) < _LONGEST and self._takes_once(index + 1):
            self.known[index] = Known(text, form, named=False)
            return
        self.known[index] = Known(self._target(node, index), form)
        self.code.body.append(f"{self.known[index].text} = {text}")

    def _takes_once(self, index: int) -> bool:
        """Return whether a layer's expression has its input only once, inside a call."""
        name = self.graph.nodes[index].operator.name
        path, before = self.graph.nodes[index].path, self.graph.nodes[index - 1].path
        together = path.rpartition("/")[0] == before.rpartition("/")[0]
        return together and name in {"bn", "ln", "conv", "linear", "dropout", *FREE} - {"clip"}

    def _target(self, node: Node, index: int) -> str:
        """Return a name for a result: the name of an input with no further reader, else a new name."""
        root = node.inputs[0]
        while not self.known[root].named:
            root = self.graph.nodes[root].inputs[0]
        for source in (root, *node.inputs):
            if self._free(source):
                return self.known[source].text
        return self._fresh(node.path.rpartition("/")[2])

    def _block(self, tree: ModuleTree) -> None:
        layers = set(tree.layers())
        inputs = list(
            dict.fromkeys(
                source
                for index in sorted(layers)
                for source in self.graph.nodes[index].inputs
                if source not in layers
            )
        )
        for source in inputs:
            self._named(source)
        code = self.coder.block(tree, inputs, [self.known[i].form for i in inputs])
        read = ", ".join(self.known[i].text for i in inputs)
        for index in layers:
            for source in self.graph.nodes[index].inputs:
                if source not in layers:
                    self._use(source)
        outputs = [i for i in sorted(layers) if self.coder.outside(layers, i)]
        names: list[str] = []
        for output, form in zip(outputs, code.forms, strict=True):
            free = [i for i in inputs if self._free(i) and self.known[i].text not in names]
            names.append(self.known[free[0]].text if free else self._fresh(tree.name))
            self.known[output] = Known(names[-1], form)
        name = attribute(tree.name)
        call = BlockCall(code, name, f"{', '.join(names)} = self.{{m}}({read})")
        self.code.body.append(call)
        self.code.modules.append(call)

    def _named(self, index: int) -> None:
        """Give a tensor a name before a block reads it."""
        known = self.known[index]
        if not known.named:
            name = self._target(self.graph.nodes[index], index)
            self.code.body.append(f"{name} = {known.text}")
            self.known[index] = Known(name, known.form)
