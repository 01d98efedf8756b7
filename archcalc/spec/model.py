"""Define a spec as data: what its text says, with the places of its words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, TypeAlias

from archcalc.arithmetic import Margin
from archcalc.errors import Keys, Span
from archcalc.spec.expressions import Expression, Value
from archcalc.tuples import NamedTuple

JOINS = ("add", "concat", "mul", "sub", "maximum")
INPUT = "input"  # the name of the only input

# a size as a line writes it: 3, 1x7, 0:1, a word, or an expression
Size: TypeAlias = "int | Margin | tuple[int | Margin, ...] | str | bool | Expression"


class Given(NamedTuple):
    """An argument of a step; `name` is '' for a positional one, '@' for a label, '...' for the rest."""

    name: str
    value: Size
    start: int
    end: int


class Step(NamedTuple):
    """A call of an operator or block; if `name` is '@', a return to the tensor of the label `target`.

    A step whose `condition` does not hold returns its input.
    """

    name: str | Expression
    arguments: tuple[Given, ...]
    start: int
    end: int
    target: str = ""
    condition: Expression | None = None

    def is_literal(self, defaults: Iterable[Given]) -> bool:
        """Return whether the step is the same operator in every instance of its block."""
        computed = (isinstance(g.value, Expression) or g.name in ("@", "...") for g in self.arguments)
        if isinstance(self.name, Expression) or any(computed):
            return False
        return not any(isinstance(g.value, Expression) for g in defaults)


class Line(NamedTuple):
    """A chain of steps; `keys` are its place in the TOML."""

    keys: Keys
    steps: tuple[Step, ...]
    condition: Expression | None = None
    output: bool = False
    label: str = ""
    label_at: tuple[int, int] = (0, 0)
    repeat: Size = 1
    repeat_at: tuple[int, int] = (0, 0)

    def span(self, start: int = 0, end: int = -1) -> Span:
        """Return the place of characters of the line; without arguments, of all of it."""
        return Span(self.keys, start, end)


class Parameter(NamedTuple):
    """A parameter of a block, with its default as written; None: it is required.

    A name that begins with @ is that of a tensor, for which a call has an @label.
    """

    name: str
    default: Size | None
    start: int
    end: int

    @property
    def required(self) -> bool:
        return self.default is None

    @property
    def is_tensor(self) -> bool:
        return self.name.startswith("@")


class Branch(NamedTuple):
    """Lines that begin at the block's input; in a block of plain `layers`, the name is ''."""

    name: str
    lines: tuple[Line, ...]


class Block(NamedTuple):
    """A named part of a network, or the network itself, whose name is ''."""

    name: str
    keys: Keys
    parameters: tuple[Parameter, ...]
    join: str  # "" for plain layers, else one of JOINS
    branches: tuple[Branch, ...]
    then: tuple[Line, ...]
    takes_rest: bool  # some line holds "..."

    @property
    def sizes(self) -> tuple[Parameter, ...]:
        """The parameters that are values."""
        return tuple(p for p in self.parameters if not p.is_tensor)

    @property
    def tensors(self) -> tuple[str, ...]:
        """The names of the tensors that a call passes beside the one that arrives."""
        return tuple(p.name[1:] for p in self.parameters if p.is_tensor)


class Variable(NamedTuple):
    """A variable of a spec; its default decides its type."""

    name: str
    default: Value
    help: str
    choices: tuple[Value, ...]
    keys: Keys


class Variant(NamedTuple):
    """A named setting of the variables; it may have a title, a year, a paper and an input of its own."""

    name: str
    values: dict[str, Value]
    about: dict[str, Any]
    keys: Keys


class Limit(NamedTuple):
    """A line of a budget as written: a bound or condition, for the network or one `part`.

    `keys` are its place in the spec; there are none if the caller gives it.
    """

    name: str
    text: str
    part: str = ""
    keys: Keys = ()


class Source(NamedTuple):
    """The text of a spec, and its name in messages.

    Attributes:
        inline: whether it is not TOML, but a network in one text: see `spec.inline`.
        modules: whether it was written from a model file, so that labels are paths of modules.
    """

    name: str
    text: str
    inline: bool = False
    modules: bool = False


class Spec(NamedTuple):
    """A whole file: one network, or a family of variants."""

    source: Source
    about: dict[str, Any]  # title, paper, year as written
    inputs: dict[str, tuple[Size, ...]]  # the first is the one that the body begins with
    body: Block
    blocks: dict[str, Block]
    variables: dict[str, Variable]
    variants: dict[str, Variant]
    defaults: dict[str, tuple[Given, ...]]
    structural: frozenset[str]  # variables read by an `if`, a repeat or a step's name
    freeze: tuple[str, ...]  # patterns of the layers that training leaves as they are
    budget: tuple[Limit, ...]
    space: dict[str, tuple[str, ...]]  # what a sweep varies, with the values and ranges as texts

    def inputs_of(self, variant: str | None) -> tuple[Size, ...]:
        """Return the input sizes as written: the variant's, if it has its own."""
        if variant is not None and "input" in self.variants[variant].about:
            own: tuple[Size, ...] = self.variants[variant].about["input"]
            return own
        return self.inputs[self.main]

    @property
    def main(self) -> str:
        """The name of the input that the body begins with."""
        return next(iter(self.inputs))

    def keys_of(self, name: str) -> Keys:
        """Return the keys of an input in the TOML."""
        return (INPUT,) if name == INPUT else ("inputs", name)

    def all_inputs(self, variant: str | None) -> Iterator[tuple[str, tuple[Size, ...], Keys]]:
        """Yield the name of each input, its sizes as written, and its keys in the TOML."""
        for name, sizes in self.inputs.items():
            if name == self.main and self.inputs_of(variant) is not sizes:
                yield name, self.inputs_of(variant), ("variants", str(variant), INPUT)
            else:
                yield name, sizes, self.keys_of(name)
