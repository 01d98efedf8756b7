"""The words every operator is described in: shapes, arguments, weights, work, geometry.

An operator states facts and has no defaults for them: `output_shape`, `weights`, `work`,
`connections`, `kept`, `geometry`, `stored` and `buffer`. What costs nothing says `FREE`.
"""

from __future__ import annotations

from typing import Any, ClassVar, Literal, Self

from archcalc.arithmetic import product, require
from archcalc.errors import ShapeError
from archcalc.operators.argument import Argument
from archcalc.operators.kept import KeepRules
from archcalc.operators.shape import AXIS_NAMES, Shape, Sizes
from archcalc.symbols import Int
from archcalc.tuples import NamedTuple

# "position": learned for a place, and added to what stands there
Role = Literal["weight", "bias", "position", "scale", "shift", "mean", "variance", "fixed"]
TRAINABLE: tuple[Role, ...] = ("weight", "bias", "position", "scale", "shift")
STATISTICS: tuple[Role, ...] = ("mean", "variance")


class Weight(NamedTuple):
    """A tensor of numbers that belongs to a layer, under its role.

    `called` is its name where a layer has several of a role.
    """

    role: Role
    shape: tuple[Int, ...]
    called: str = ""

    @property
    def name(self) -> str:
        """Its name among the tensors of its layer."""
        return self.called or self.role

    @property
    def size(self) -> Int:
        return product(self.shape)


Kind = Literal[
    "products",
    "multiplies",
    "additions",
    "comparisons",
    "divisions",
    "exponentials",
    "powers",
    "roots",
]


Steps = dict[Kind, int]  # operations by kind, for one value


class Extent(NamedTuple):
    """A loop: what it runs over, and the named factors of how often."""

    name: str
    factors: tuple[tuple[str, Int], ...]

    @property
    def size(self) -> Int:
        return product([factor for _, factor in self.factors])


class Work(NamedTuple):
    """Loops around one step. `products` are the multiplies of a weight (or key) and an input.

    The count is `each` × the product of the extents. `of_values`: neither factor is a weight, as of
    queries and keys.
    """

    kind: Kind
    extents: tuple[Extent, ...]
    each: int = 1
    of_values: bool = False

    @property
    def total(self) -> Int:
        return self.each * product([extent.size for extent in self.extents])


FREE: tuple[Work, ...] = ()
UNWEIGHTED: tuple[Weight, ...] = ()


class Window(NamedTuple):
    """What one output sees of its input, per axis: kernel, stride, padding before, dilation."""

    kernel: Sizes
    stride: Sizes
    before: Sizes
    dilation: Sizes


class Spread(NamedTuple):
    """Input i reaches the outputs o with o + before = i·stride + t·dilation, t < kernel."""

    kernel: Sizes
    stride: Sizes
    before: Sizes
    dilation: Sizes


class Repeat(NamedTuple):
    """Output o is a copy of input ⌊o / factor⌋."""

    factor: Sizes


class Grid(NamedTuple):
    """Windows side by side, each of whose outputs see the whole of it; one of them begins at `start`."""

    window: Sizes
    start: Sizes


class Cells(NamedTuple):
    """Output o of m along an axis of n inputs reads those from ⌊o·n/m⌋ to ⌈(o + 1)·n/m⌉ − 1."""

    inputs: Sizes
    outputs: Sizes


class Samples(NamedTuple):
    """Output o stands at input (o·step + start) / unit, and reads as many of those around as `taps`.

    With one tap the input at or before that place; else half of them on each side, and one alone on
    which it stands.
    """

    step: Sizes
    start: Sizes
    unit: Sizes
    taps: Sizes


class Ring(NamedTuple):
    """Output o of an axis of n inputs reads input (o − shift) mod n."""

    shift: Sizes
    inputs: Sizes


class AxisOrder(NamedTuple):
    """Axis i of the output is axis `axes[i]` of the input; the last one is that of the channels."""

    axes: tuple[int, ...]

    @property
    def keeps_positions(self) -> bool:
        """Whether every axis stands where it stood."""
        return self.axes == tuple(range(len(self.axes)))


class Regroup(NamedTuple):
    """Values keep their order, row by row: a position had `before` of them, and has `after`."""

    before: Int
    after: Int


Along = Window | Spread | Repeat | Grid | Cells | Samples | Ring  # axis by axis
Geometry = Along | AxisOrder | Regroup | Literal["pointwise", "global"]
Buffer = Literal["fresh", "in place", "view"]


class Operator:
    """One operator with its arguments; a subclass is one row of the language's reference.

    Args are those of `arguments`: required ones by position, the others by name.
    """

    name: ClassVar[str]
    arguments: ClassVar[tuple[Argument, ...]]
    labels: ClassVar[tuple[int, int | None]] = (0, 0)  # @labels it reads: at least, at most (None: any)
    # where its @label names the layer whose weights it uses: the arguments that are those of that layer
    tied: ClassVar[tuple[str, ...] | None] = None
    weight_layer: int  # how many of "16 weight layers" it is
    stored: ClassVar[bool]  # its output is a map of the `stored` memory rule
    buffer: ClassVar[Buffer]  # where its output lives: see `peak`

    rank: int = 2  # of the tensors that arrive: a size alone stands for so many axes

    def __init__(self, *required: Any, rank: int = 2, **optional: Any) -> None:
        if len(required) > len(self.arguments):
            raise ShapeError(f"{self.name} takes {len(self.arguments)} arguments at most")
        self.rank = rank
        for argument, value in zip(self.arguments, required, strict=False):
            optional[argument.name] = value
        for argument in self.arguments:
            value = optional.pop(argument.name, argument.default)
            if value is ...:
                raise ShapeError(f"{self.name} needs `{argument.name}`", argument.name)
            setattr(self, argument.attribute, argument.accept(value, rank))
        if optional:
            raise ShapeError(f"{self.name} has no argument `{next(iter(optional))}`")

    def output_shape(self, *inputs: Shape) -> Shape:
        """The output's shape.

        Raises:
            ShapeError: the inputs do not fit.
        """
        raise NotImplementedError

    def weights(self, *inputs: Shape) -> tuple[Weight, ...]:
        """The tensors it owns; `UNWEIGHTED` if none."""
        raise NotImplementedError

    def work(self, *inputs: Shape) -> tuple[Work, ...]:
        """What it computes for one image, as loops; `FREE` if nothing."""
        raise NotImplementedError

    def kind(self, *inputs: Shape) -> str:
        """How its multiplies are told apart in a summary: 'depthwise conv'."""
        return self.name

    def connections(self, *inputs: Shape) -> Int:
        """Links from an input value to an output, plus one per bias used (LeCun 1998)."""
        raise NotImplementedError

    def kept(self, *inputs: Shape) -> KeepRules:
        """What derivatives need of the forward pass; `NOTHING` if nothing."""
        raise NotImplementedError

    def geometry(self, *inputs: Shape) -> Geometry:
        """What of its input one output value sees."""
        raise NotImplementedError

    def replaced(self, **changed: Any) -> Self:
        """The same operator with other arguments."""
        arguments = {a.name: getattr(self, a.attribute) for a in self.arguments}
        return type(self)(**{**arguments, **changed}, rank=self.rank)

    def __str__(self) -> str:
        """As a spec writes it: 'conv 64 k7 s2 p3 nobias'."""
        words = [self.name]
        for argument in self.arguments:
            value = getattr(self, argument.attribute)
            if argument.required or (argument.positional and value is not None):
                words.append(argument.size_written(value))
            elif value != self.default_of(argument):
                words.append(argument.written(value))
        return " ".join(words)

    def default_of(self, argument: Argument) -> Any:
        """The value of an argument that a step does not name."""
        return argument.accept(argument.default, self.rank)

    def __repr__(self) -> str:
        return f"<{self}>"


def sums_of_products(outputs: Extent, products: Extent, of_values: bool = False) -> tuple[Work, ...]:
    """Each output is a sum of products: one addition fewer than products."""
    sums = Extent("sums", (("products − 1", products.size - 1),))
    made = Work("products", (outputs, products), of_values=of_values)
    return made, Work("additions", (outputs, sums))


def values_of(shape: Shape, name: str = "values") -> Extent:
    """The loop over every value of a tensor."""
    return Extent(name, (*shape.named, ("channels", shape.channels)))


def positions_of(shape: Shape) -> Extent:
    """The loop over the positions of a tensor."""
    return Extent("positions", shape.named)


AXIS = Argument("axis", "word", "along which axis", "channels", AXIS_NAMES)


def require_map(name: str, x: Shape) -> None:
    """Refuse a sequence where there must be a height and a width.

    Raises:
        ShapeError: `x` is a sequence.
    """
    require(
        not x.is_sequence,
        "`{name}` takes a map, not {x} tokens",
        help=lambda name, x: "`linear` sees each token, `transpose` makes channels of tokens",
        name=name,
        x=x,
    )
