"""Define how operators are described: by arguments, shapes, weights, work and geometry.

There are no defaults: each operator states its `output_shape`, `weights`, `work`, `connections`, `kept`,
`geometry`, `stored` and `buffer`. The work of one that costs nothing is `FREE`.
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

# "position": learned for each position, and added to its values
Role = Literal["weight", "bias", "position", "scale", "shift", "mean", "variance", "fixed"]
TRAINABLE: tuple[Role, ...] = ("weight", "bias", "position", "scale", "shift")
STATISTICS: tuple[Role, ...] = ("mean", "variance")


class Weight(NamedTuple):
    """A weight tensor of a layer; `called` is its name if the layer has several of its role."""

    role: Role
    shape: tuple[Int, ...]
    called: str = ""

    @property
    def name(self) -> str:
        """Its name among the weights of its layer."""
        return self.called or self.role

    @property
    def size(self) -> Int:
        """The number of its values."""
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
    """A loop: what it runs over, and the named factors of its number of iterations."""

    name: str
    factors: tuple[tuple[str, Int], ...]

    @property
    def size(self) -> Int:
        """The number of its iterations."""
        return product([factor for _, factor in self.factors])


class Work(NamedTuple):
    """Nested loops around an operation; their count is `each` × the product of the extents.

    Attributes:
        kind: the operation; `products` are multiplies whose results are summed.
        of_values: whether neither factor of the products is a weight, as of queries and keys.
    """

    kind: Kind
    extents: tuple[Extent, ...]
    each: int = 1
    of_values: bool = False

    @property
    def total(self) -> Int:
        """The number of operations."""
        return self.each * product([extent.size for extent in self.extents])


FREE: tuple[Work, ...] = ()
UNWEIGHTED: tuple[Weight, ...] = ()


class Window(NamedTuple):
    """An output reads a sliding window; by axis: kernel, stride, padding before the input, dilation."""

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
    """Windows side by side: an output reads all of the window that it is in; one begins at `start`."""

    window: Sizes
    start: Sizes


class Cells(NamedTuple):
    """Output o of m along an axis of n inputs reads the inputs from ⌊o·n/m⌋ to ⌈(o + 1)·n/m⌉ − 1."""

    inputs: Sizes
    outputs: Sizes


class Samples(NamedTuple):
    """Output o is at input (o·step + start) / unit, and reads `taps` inputs around it.

    One tap is the input at or before that place. Of several, half are on each side; an output that is
    exactly at an input reads this one alone.
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
    """Axis i of the output is axis `axes[i]` of the input; the channels are the last axis."""

    axes: tuple[int, ...]

    @property
    def keeps_positions(self) -> bool:
        """Whether every axis keeps its place."""
        return self.axes == tuple(range(len(self.axes)))


class Regroup(NamedTuple):
    """Values keep their row-major order; a position of the input has `before`, of the output `after`."""

    before: Int
    after: Int


Along = Window | Spread | Repeat | Grid | Cells | Samples | Ring  # axis by axis
Geometry = Along | AxisOrder | Regroup | Literal["pointwise", "global"]
Buffer = Literal["fresh", "in place", "view"]


class Operator:
    """An operator with its arguments; a subclass is an entry of the language's reference.

    It is made with the values of `arguments`: required ones by position, the others by name.
    """

    name: ClassVar[str]
    arguments: ClassVar[tuple[Argument, ...]]
    labels: ClassVar[tuple[int, int | None]] = (0, 0)  # the fewest and most @labels (None: any)
    # if its @label names a layer whose weights it shares: the arguments that are taken from that layer
    tied: ClassVar[tuple[str, ...] | None] = None
    weight_layer: int  # how much it counts in "16 weight layers"
    stored: ClassVar[bool]  # whether the memory rule `stored` counts its output
    buffer: ClassVar[Buffer]  # where its output is stored, for the memory rule `peak`

    rank: int = 2  # the axes of positions of its input, for which a single size stands

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
        """Return the output's shape.

        Raises:
            ShapeError: the inputs do not fit.
        """
        raise NotImplementedError

    def weights(self, *inputs: Shape) -> tuple[Weight, ...]:
        """Return its weights; `UNWEIGHTED` if it has none."""
        raise NotImplementedError

    def work(self, *inputs: Shape) -> tuple[Work, ...]:
        """Return its work for one image; `FREE` if there is none."""
        raise NotImplementedError

    def kind(self, *inputs: Shape) -> str:
        """Return the kind under which a summary counts its multiplies: 'depthwise conv'."""
        return self.name

    def connections(self, *inputs: Shape) -> Int:
        """Return the links from an input value to an output, plus one per use of a bias (LeCun 1998)."""
        raise NotImplementedError

    def kept(self, *inputs: Shape) -> KeepRules:
        """Return what its derivatives need of the forward pass; `NOTHING` if they need nothing."""
        raise NotImplementedError

    def geometry(self, *inputs: Shape) -> Geometry:
        """Return which part of the input one output value reads."""
        raise NotImplementedError

    def replaced(self, **changed: Any) -> Self:
        """Return the operator with some other arguments."""
        arguments = {a.name: getattr(self, a.attribute) for a in self.arguments}
        return type(self)(**{**arguments, **changed}, rank=self.rank)

    def __str__(self) -> str:
        """Return the operator as a spec writes it: 'conv 64 k7 s2 p3 nobias'."""
        words = [self.name]
        for argument in self.arguments:
            value = getattr(self, argument.attribute)
            if argument.required or (argument.positional and value is not None):
                words.append(argument.size_written(value))
            elif value != self.default_of(argument):
                words.append(argument.written(value))
        return " ".join(words)

    def default_of(self, argument: Argument) -> Any:
        """Return the value of an argument that a step leaves out."""
        return argument.accept(argument.default, self.rank)

    def __repr__(self) -> str:
        return f"<{self}>"


def sums_of_products(outputs: Extent, products: Extent, of_values: bool = False) -> tuple[Work, ...]:
    """Return the work of outputs that are sums of products: one addition fewer than products."""
    sums = Extent("sums", (("products − 1", products.size - 1),))
    made = Work("products", (outputs, products), of_values=of_values)
    return made, Work("additions", (outputs, sums))


def values_of(shape: Shape, name: str = "values") -> Extent:
    """Return the loop over the values of a tensor."""
    return Extent(name, (*shape.named, ("channels", shape.channels)))


def positions_of(shape: Shape) -> Extent:
    """Return the loop over the positions of a tensor."""
    return Extent("positions", shape.named)


AXIS = Argument("axis", "word", "along which axis", "channels", AXIS_NAMES)


def require_map(name: str, x: Shape) -> None:
    """Refuse a sequence where an operator needs a height and a width.

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
