"""Find the obvious variables of a network: its classes, its repeats, a common width."""

from __future__ import annotations

import re
from collections.abc import Sequence

from archcalc.graph.model import Graph, Node
from archcalc.recovery.blocks import Calls, call_text, layer_text
from archcalc.recovery.bodies import Body, is_channels, number
from archcalc.recovery.defaults import Defaults
from archcalc.spec.tokens import LABEL_NAME

LEAST_WIDTH = 8
FEWEST = 3  # the fewest numbers of channels that make a common width
FACTORS = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32)
_REPEAT = re.compile(rf"((?:{LABEL_NAME.pattern} = )?)(\d+) x ")


class Varied:
    """The steps of a network's own body, and the variables in them."""

    def __init__(
        self,
        graph: Graph,
        body: Body,
        calls: Calls,
        defaults: Defaults,
        with_width: bool,
    ) -> None:
        self._graph, self._body, self._calls, self._defaults = graph, body, calls, defaults
        self._classes = self._head()
        self._width = self._common_width() if with_width else None
        self._counts: list[int] = []

    def _head(self) -> int | None:
        """Return the item whose channels are the classes: the last dense layer or conv; or None."""
        for index in reversed(range(len(self._body))):
            operator = self._graph.nodes[self._body[index].part.first].operator
            if self._body[index].is_call:
                return None
            if operator.name in ("linear", "conv"):
                left = self._graph.nodes[self._graph.output].shape.channels
                return index if number(operator, operator.arguments[0]) == left else None
        return None

    def _channels(self, index: int) -> dict[str, int]:
        """Return an item's numbers of channels, by the names of its arguments."""
        part = self._body[index].part
        if self._body[index].is_call:
            written, instance = self._calls[id(part)]
            found = [a for a in written.numbers.arguments if a.is_channels and not a.computed]
            return {a.name: v for a in found if (v := a.values[instance]) is not None}
        operator = self._graph.nodes[part.first].operator
        values = {
            a.name: number(operator, a) for a in operator.arguments if is_channels(operator, a.name)
        }
        return {n: v for n, v in values.items() if v is not None}

    def _common_width(self) -> int | None:
        found = [
            value
            for index in range(len(self._body))
            if index != self._classes
            for value in self._channels(index).values()
        ]
        least = min(found, default=0)
        blocks = [written for written, _ in self._calls.values()]
        relative = bool(blocks) and not any(written.fixed for written in blocks)
        shared = least >= LEAST_WIDTH and (relative or (len(found) >= FEWEST and len({*found}) > 1))
        return least if shared and all(v % least == 0 and v // least in FACTORS for v in found) else None

    def step(self, index: int) -> str:
        """Return the text of an item, with variables for its sizes."""
        item = self._body[index]
        texts = {name: self._of_width(value) for name, value in self._channels(index).items()}
        if index == self._classes:
            texts = dict.fromkeys(self._channels(index), "classes")
        if item.is_call:
            written, instance = self._calls[id(item.part)]
            return call_text(written, instance, texts)
        node = self._graph.nodes[item.part.first]
        texts |= self._by_channel(node)
        return layer_text(node.operator, texts, self._defaults.get(node.operator.name, {}))

    def _by_channel(self, node: Node) -> dict[str, str]:
        """Return `channels` as the groups of a depthwise conv, and as its filters if they are equal."""
        arriving = self._graph.nodes[node.inputs[0]].shape.channels
        found = {a.name: number(node.operator, a) for a in node.operator.arguments}
        if arriving == 1 or found.get("g") != arriving:
            return {}
        return {name: "channels" for name in ("filters", "g") if found[name] == arriving}

    def _of_width(self, value: int) -> str:
        if self._width is None:
            return str(value)
        times = value // self._width
        return "width" if times == 1 else f"{times}*width"

    def repeated(self, lines: Sequence[str]) -> list[str]:
        """Return the lines with the items of the variable `n` as repeat counts, if several repeat."""
        counts = [int(found[2]) for line in lines if (found := _REPEAT.match(line))]
        if len(counts) < 2:
            return list(lines)
        self._counts, made = counts, []
        place = iter(range(len(counts)))
        for line in lines:
            found = _REPEAT.match(line)
            made.append(f"{found[1]}{{n[{next(place)}]}} x {line[found.end() :]}" if found else line)
        return made

    def table(self) -> list[str]:
        """Return the lines of the spec's [vars]."""
        lines = []
        if self._classes is not None:
            lines.append(f"classes = {next(iter(self._channels(self._classes).values()))}")
        if self._width is not None:
            help = "channels of the narrowest stage; the others are multiples"
            lines.append(f'width = {{ default = {self._width}, help = "{help}" }}')
        if self._counts:
            lines.append(f'n = {{ default = {self._counts}, help = "repeats of each stage" }}')
        return ["[vars]", *lines, ""] if lines else []
