"""Write a family as the text of a block: arguments, and steps with expressions of them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from archcalc.arithmetic import OPEN
from archcalc.graph.model import Node
from archcalc.operators import TABLE
from archcalc.operators.argument import Argument
from archcalc.operators.model import Operator
from archcalc.recovery.bodies import Item, is_channels, number
from archcalc.recovery.conditions import condition
from archcalc.recovery.defaults import Defaults
from archcalc.recovery.families import Family
from archcalc.recovery.numbers import ARRIVING, Numbers, Values, ordered_arguments, same, size
from archcalc.recovery.parts import Wiring
from archcalc.tuples import NamedTuple


class Written(NamedTuple):
    """A written block: its name, arguments, a step per item of its body, a condition per optional run.

    `fixed` says whether some number of channels is the same in every call.
    """

    name: str
    family: Family
    numbers: Numbers
    steps: tuple[str, ...]
    conditions: tuple[str, ...]
    fixed: bool


Calls = Mapping[int, tuple[Written, int]]  # by a part's id: its block, and the index of its instance


def write_block(name: str, family: Family, wiring: Wiring, calls: Calls, defaults: Defaults) -> Written:
    """Find the arguments of a family, and return its block.

    If a step gave the entering channels a name, the steps are written again: earlier ones can use it.
    """
    nodes = wiring.graph.nodes
    entering = tuple(_channels(nodes, family.source(i)) for i in range(len(family.instances)))
    first = _write(name, family, nodes, Numbers(entering), calls, defaults)
    if all(a.default != ARRIVING for a in first.numbers.arguments):
        return first
    others = any(a.is_channels and a.default != ARRIVING for a in first.numbers.arguments)
    named = Numbers(entering, "inputs" if others else "c")
    return _write(name, family, nodes, named, calls, defaults)


def _write(
    name: str,
    family: Family,
    nodes: Sequence[Node],
    numbers: Numbers,
    calls: Calls,
    defaults: Defaults,
) -> Written:
    steps, made = [], []
    for place in range(len(family.body)):
        found = _Place(family, place, nodes, numbers)
        text, channels = found.call(calls) if family.body[place].is_call else found.layer(defaults)
        steps.append(text)
        made.append(channels[0] if channels else None)
    conditions = []
    for run in family.runs:
        arriving = _Place(family, run.start, nodes, numbers).arriving
        present = [items[run.start] is not None for items in family.present]
        ours = [m for m in made[run.start : run.stop] if m is not None]
        flag = _flag(family.body[run.start].label, ours)
        if family.layout.lines(run) > 1:  # other channels arrive at the later lines
            arriving = ()
        conditions.append(condition(present, arriving, ours[-1] if ours else "", numbers, flag))
    fixed = any(text is not None and text.isdecimal() for text in made)
    return Written(name, family, numbers, tuple(steps), tuple(conditions), fixed)


def _flag(label: str, made: Sequence[str]) -> str:
    """Return the name of the argument that switches optional layers on."""
    hint = label.split(".")[0]
    if any(re.fullmatch(r"\d+\*(channels|inputs|c)", text) for text in made):
        return "expand"
    return hint if re.fullmatch("[a-z][a-z_]*", hint) and hint not in TABLE else "extra"


def call_text(written: Written, instance: int, texts: Mapping[str, str]) -> str:
    """Return the call of one instance: 'unit 64 s2'; `texts` has expressions for some arguments."""
    values = {a.name: a.values[instance] for a in written.numbers.arguments if not a.computed}
    return _call(written, {n: texts.get(n, str(v)) for n, v in values.items() if v is not None})


def _call(written: Written, texts: Mapping[str, str]) -> str:
    words = [written.name]
    for argument in ordered_arguments(written.numbers.arguments):
        text = texts.get(argument.name)
        if argument.default is None:
            words.append(size(str(text)))
        elif text is not None and text != argument.default:
            words.append(f"{argument.name}{'' if len(argument.name) == 1 else '='}{size(text)}")
    return " ".join(words)


def layer_text(operator: Operator, texts: Mapping[str, str], defaults: Mapping[str, Any]) -> str:
    """Return the step of a layer; sizes are expressions where `texts` has them, else numbers."""
    words = [operator.name]
    for argument in operator.arguments:
        if argument.name in (operator.tied or ()):
            continue  # the label of the step gives it
        value = getattr(operator, argument.attribute)
        text = texts.get(argument.name)
        positional = argument.required or (argument.positional and value is not None)
        if text is not None and not text.isdecimal():
            glue = "" if positional else _glued(argument)
            words.append(f"{glue}{{{text}}}")
        elif positional:
            # the channels of a reshape follow from the others, whatever the width is
            known = (*value[:-1], OPEN) if operator.name == "reshape" else value
            words.append(argument.size_written(known))
        elif value != defaults.get(argument.name, operator.default_of(argument)):
            words.append(argument.written(value))
    return " ".join(words)


def _glued(argument: Argument) -> str:
    return argument.name if len(argument.name) == 1 else f"{argument.name}="


def _channels(nodes: Sequence[Node], index: int) -> int:
    return int(nodes[index].shape.channels)


class _Place:
    """One item of a family's body, in all instances."""

    def __init__(self, family: Family, place: int, nodes: Sequence[Node], numbers: Numbers) -> None:
        self.numbers, self.nodes = numbers, nodes
        self.items: list[Item | None] = [items[place] for items in family.present]
        many = range(len(family.instances))
        self.arriving = tuple(_channels(nodes, family.arriving(place, i)) for i in many)

    def layer(self, defaults: Defaults) -> tuple[str, tuple[str, Values] | None]:
        """Return the text of a layer, and its output channels if an argument gives them."""
        operators = [None if i is None else self.nodes[i.part.first].operator for i in self.items]
        one = next(o for o in operators if o is not None)
        texts: dict[str, str] = {}
        channels = None
        for argument in one.arguments:
            values = tuple(None if o is None else number(o, argument) for o in operators)
            if any(v is not None for v in values):
                counts = is_channels(one, argument.name)
                text = self._half(argument, values, texts, one, operators)
                text = text or self.numbers.text(values, self.arriving, argument.name, counts)
                given = argument.default if argument.default is not ... else None
                if text != str(given) or counts:
                    texts[argument.name] = text
                channels = (text, values) if argument.name in ("filters", "units") else channels
        if texts.get("g") == "channels" and channels and channels[1] == self._groups(operators):
            texts["filters"] = "channels"
        return layer_text(one, texts, defaults.get(one.name, {})), channels

    def _half(
        self,
        argument: Argument,
        values: Values,
        texts: Mapping[str, str],
        one: Operator,
        operators: Sequence[Operator | None],
    ) -> str:
        """Return the padding as half of a kernel size that differs between calls, or ''."""
        kernel = next((a for a in one.arguments if a.name == "k"), None)
        name = texts.get("k", "")
        if argument.name != "p" or kernel is None or not name or name.isdecimal():
            return ""
        kernels = tuple(None if o is None else number(o, kernel) for o in operators)
        return f"{name}//2" if same(values, kernels, lambda k: k // 2) else ""

    def _groups(self, operators: Sequence[Operator | None]) -> Values:
        return tuple(None if o is None else number(o, _groups_of(o)) for o in operators)

    def call(self, calls: Calls) -> tuple[str, tuple[str, Values] | None]:
        """Return the text of a call of another block, and None."""
        found = [None if i is None else calls[id(i.part)] for i in self.items]
        written = next(f for f in found if f is not None)[0]
        texts = {}
        for argument in written.numbers.arguments:
            if not argument.computed:
                values = tuple(None if f is None else argument.values[f[1]] for f in found)
                if any(v is not None for v in values):
                    name, counts = argument.name, argument.is_channels
                    texts[name] = self.numbers.text(values, self.arriving, name, counts)
        return _call(written, texts), None


def _groups_of(operator: Operator) -> Argument:
    return next(a for a in operator.arguments if a.name == "g")
