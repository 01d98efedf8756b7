"""A network: a spec with every variable settled, and what can be asked of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from operator import index
from typing import TYPE_CHECKING, Any

from archcalc.analysis.costs import Analysis, analyze
from archcalc.errors import ArchError, Diagnostic, UsageError, shown
from archcalc.graph.build import build
from archcalc.graph.model import Graph
from archcalc.operators.model import Window
from archcalc.operators.shape import Shape
from archcalc.spec.catalog import Entry
from archcalc.spec.evaluate import evaluate
from archcalc.spec.expressions import Expression, Value
from archcalc.spec.read import parse_input
from archcalc.spec.settings import settle, show_value, unknown_variable
from archcalc.symbols import Program
from archcalc.units import printable

if TYPE_CHECKING:
    from archcalc.analysis.difference import Difference
    from archcalc.analysis.field import Fields
    from archcalc.analysis.memory import Memory
    from archcalc.analysis.notebook import Rows

BEYOND = 1 << 31  # pixels of a side
BIG = 8  # pixels or channels: 3 × 8 × 8 and more looks like channels first


class Network:
    """A spec with every variable settled.

    Attributes:
        name: what it was asked for.
        values: every variable with its value; `changed`: those that were set by the caller.
        input: the input's shape if it was set; None: that of the spec.
        freeze: patterns of layers that training leaves as they are, beside the spec's.
    """

    def __init__(
        self,
        entry: Entry,
        changed: Mapping[str, Any],
        input: str | None = None,
        freeze: Sequence[str] = (),
    ) -> None:
        self.entry, self.freeze = entry, tuple(freeze)
        self.name, self.spec, self.variant = entry
        self.values: dict[str, Value] = settle(entry.spec, entry.variant, changed)
        self.input: Shape | None = None if input is None else self._resized(input)
        if self.input is not None:
            self._refuse_channels_first(self.input)
        self.changed = {name: self.values[name] for name in changed}
        if input is not None:
            self.changed["input"] = "x".join(map(str, self.input or ()))

    def _resized(self, input: str) -> Shape:
        return input_shape(input, self._channels(), len(self.spec.inputs_of(self.variant)) - 1)

    def _refuse_channels_first(self, shape: Shape) -> None:
        """3x224x224 is how other tools write it: it would be a strip of 3 rows and 224 channels."""
        usual = self._channels()
        if usual in (1, 3) and shape.rank == 2 and shape[0] in (1, 3) and min(shape[1:]) >= BIG:
            size = f"{shape.width}x{shape.channels}x{usual}"
            help = f"height x width x channels: write {size}"
            message = f"an input of {shape.channels} channels; {self.name} has {usual}"
            raise UsageError(Diagnostic(message, help=help))

    def _channels(self) -> int | None:
        """Those of the spec's own input, if they can be told before anything is built."""
        written = self.spec.inputs_of(self.variant)[-1]
        if not isinstance(written, Expression):
            return written if type(written) is int else None
        try:
            found = evaluate(written, self.values.__getitem__)
        except ArchError:
            return None
        return found if type(found) is int else None

    @property
    def title(self) -> str:
        return str(self.about("title") or self.name)

    def about(self, key: str) -> Any:
        """title, paper or year, of the variant if it has its own; None if the spec has none."""
        own = self.spec.variants[self.variant].about if self.variant else {}
        return own.get(key, self.spec.about.get(key))

    @property
    def note(self) -> str:
        """What is legal but hardly meant: an input as other tools write it, channels first."""
        if self.graph.input.rank == 1:
            return self._map_without_channels()
        if self.graph.input.rank != 2:
            return ""
        height, width, channels = self.graph.input
        if height not in (1, 3) or min(width, channels) < BIG or (height == 1 and self._is_strip()):
            return ""
        rows = f"{height} row{'s' if height > 1 else ''} of {width} pixels with {channels} channels"
        meant = f"if that is channels first, write {width}x{channels}x{height}"
        return f"the input of {self.name} is {rows}; {meant}"

    def _map_without_channels(self) -> str:
        length, channels = self.graph.input
        if length != channels:
            return ""
        told = f"a sequence of {length} values with {channels} channels"
        return f"the input of {self.name} is {told}; for a map, write {length}x{channels}x1"

    def _is_strip(self) -> bool:
        """Return whether the layers are those of a sequence: no window is higher than one row."""
        found = (n.operator.geometry(*self.graph.input_shapes(n)) for n in self.graph.nodes if n.inputs)
        return all(w.kernel[0] == 1 for w in found if isinstance(w, Window))

    @cached_property
    def graph(self) -> Graph:
        """The network's layers.

        Raises:
            SpecError: they do not fit each other.
        """
        return build(self.spec, self.values, self.input, self.variant, self.freeze)

    def freezing(self, patterns: Sequence[str]) -> Network:
        """Return the same network with more layers frozen: 'stage[1-3]', '*/bn*'."""
        changed: dict[str, Any] = dict(self.changed)
        return Network(self.entry, changed, changed.pop("input", None), (*self.freeze, *patterns))

    def refuse_unread(self) -> None:
        """Refuse a setting, other than the spec's own, that nothing reads under the others.

        Raises:
            ArchError: there is one, or the layers do not fit each other.
        """
        channels = self.spec.inputs_of(self.variant)[-1]  # of an input that says none
        sized = channels.names if isinstance(channels, Expression) else ()
        names = [name for name in self.changed if name in self.values and name not in sized]
        if not names:
            return
        from archcalc.graph.unread import refusal, unread

        for name in unread(self.graph, self.values, settle(self.spec, self.variant, {}), names):
            raise refusal(name, self.name, self.spec, self.values, self.input, self.variant)

    def analyze(self) -> Analysis:
        """Exact counts, layer by layer and in total, for one image."""
        return self._analysis

    @cached_property
    def _analysis(self) -> Analysis:
        return analyze(self.graph)

    def memory(self) -> Memory:
        """Return the activations of one image, in values: stored, peak, and alive at each step."""
        from archcalc.analysis.memory import measure

        return measure(self.graph)

    def field(self) -> Fields:
        """Return the receptive field of every layer, and of the network's last map."""
        from archcalc.analysis.field import receptive_fields

        return receptive_fields(self.graph)

    def show(self) -> Rows:
        """Return a flat dict per layer, like `archcalc show`: counts, receptive field, values alive."""
        from archcalc.analysis.notebook import Rows

        axes = self.graph.input.axes
        tables = zip(self.analyze().rows, self.field().rows, self.memory().rows, strict=True)
        return Rows(
            {**row, **{f"field_{axis}": field[axis] for axis in axes}, "alive": step["alive"]}
            for row, field, step in tables
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON: the name, what was set, the totals and the layers."""
        analysis, memory = self.analyze(), self.memory()
        return {
            "name": self.name,
            "title": self.title,
            "changed": {name: show_value(value) for name, value in self.changed.items()},
            "input": list(self.graph.input),
            **analysis.to_dict(),
            "stored": memory.stored,
            "peak": memory.peak,
            "layers": list(self.show()),
        }

    @property
    def rows(self) -> Rows:
        """Those of `show`."""
        return self.show()

    def _repr_html_(self) -> str:
        from importlib import import_module

        # what draws knows networks, not the other way: a notebook asks the object
        html: str = import_module("archcalc.views.notebook").render(self)
        return html

    def __repr__(self) -> str:
        settings = "".join(f", {name}={show_value(value)}" for name, value in self.changed.items())
        return f"<Network {printable(self.name + settings)}>"

    def diff(self, other: Network) -> Difference:
        """Compare with `other`, layer by layer.

        Raises:
            UsageError: `other` is no network.
        """
        from archcalc.analysis.difference import difference

        if not isinstance(other, Network):
            help = "as in archcalc.load('vgg16').diff(archcalc.load('vgg19'))"
            raise UsageError(Diagnostic(f"a {type(other).__name__} is no network", help=help))
        return difference(self.analyze(), other.analyze())

    def symbolic(self, names: Iterable[str]) -> tuple[Graph, Program]:
        """Return the graph with these variables as symbols of a program, at the values that they have.

        A variable whose default 0 means "none" is recorded at 1, unless the caller set it.

        Raises:
            UsageError: no such variable, or not an integer.
        """
        program, values = Program(), dict(self.values)
        for name in _texts(names):
            if name not in values:
                raise unknown_variable(self.spec, name)
            value = values[name]
            if type(self.spec.variables[name].default) is not int or not isinstance(value, int):
                raise UsageError(f"`{name}` cannot be a symbol: it is no integer")
            values[name] = program.variable(name, value or (0 if name in self.changed else 1))
        return build(self.spec, values, self.input, self.variant), program

    def shrunken(self, least: int = 32) -> Network:
        """Return the same network at the smallest input of `least` pixels a side or more that fits.

        Raises:
            UsageError: `least` is no positive integer.
        """
        from archcalc.analysis.inputs import sized, smallest_legal

        own = self.graph.input
        side = smallest_legal(self.spec, self.values, self.variant, own, _positive(least))
        if side is None or sized(own, side).positions >= own.positions:
            return self
        changed = {name: value for name, value in self.changed.items() if name != "input"}
        return Network(self.entry, changed, "x".join(map(str, sized(own, side))), self.freeze)

    @property
    def base(self) -> Network | None:
        """The same network without the caller's changes; None if there are none."""
        return Network(self.entry, {}, freeze=self.freeze) if self.changed else None


def _texts(names: object) -> list[str]:
    texts = list(names) if isinstance(names, Iterable) and not isinstance(names, str) else [names]
    for text in texts:
        if not isinstance(text, str):
            help = "as in network.symbolic(['width'])"
            raise UsageError(Diagnostic(f"a {type(text).__name__} names no variable", help=help))
    return [text for text in texts if isinstance(text, str)]


def _positive(number: object) -> int:
    try:
        found = index(number)  # type: ignore[arg-type]
    except TypeError:
        found = 0
    if isinstance(number, bool) or not 0 < found < BEYOND:
        raise UsageError(f"`{shown(number)}` is no number of pixels")
    return found


def input_shape(text: str, channels: int | None = None, rank: int = 2) -> Shape:
    """'224x224x3' as a shape; '320' and '320x256' have as many `channels` as the spec says.

    `rank`: how many axes of positions the spec's own input has.

    Raises:
        UsageError: no positive integers, or not so many.
    """
    whole, sides = text, text.strip().replace("×", "x").split("x")
    if channels is not None and all(side.isdecimal() for side in sides):
        sides *= rank if len(sides) == 1 and rank == 2 else 1
        whole = "x".join([*sides, str(channels)]) if len(sides) == rank else text
    try:
        sizes = parse_input(whole)
    except ArchError as error:
        raise UsageError(*(d._replace(span=None) for d in error.diagnostics)) from None
    if not all(isinstance(size, int) and size > 0 for size in sizes):
        help = "height x width x channels, each a positive integer, as in 224x224x3"
        raise UsageError(Diagnostic(f"`{text}` is no input size", help=help))
    return Shape(*(int(size) for size in sizes if isinstance(size, int)))
