"""Convolution and its transpose."""

from __future__ import annotations

from archcalc.arithmetic import gcd, maximum, recorded, require
from archcalc.operators.argument import Argument
from archcalc.operators.kept import INPUT_FOR_WEIGHTS, KeepRules
from archcalc.operators.model import (
    Extent,
    Geometry,
    Spread,
    Weight,
    Work,
    positions_of,
    sums_of_products,
    values_of,
)
from archcalc.operators.shape import AXES, Shape, Sizes
from archcalc.operators.window import DILATION, GROUPS, HALF, NOBIAS, PADDING, SAME, Windowed
from archcalc.symbols import Int

FILTERS = Argument("filters", "size", "channels of the output")
KERNEL = Argument("k", "pair", "kernel: along each axis, or height x width", 1)
STRIDE = Argument("s", "pair", "stride", 1)


class Convolution(Windowed):
    """The base of convolutions: filters in groups, with a bias unless it is left out."""

    weight_layer, stored, buffer = True, True, "fresh"

    filters: Int
    g: Int
    nobias: bool

    def weights(self, *inputs: Shape) -> tuple[Weight, ...]:
        return self.biased(Weight("weight", (*self.k, inputs[0].channels // self.g, self.filters)))

    def biased(self, weight: Weight) -> tuple[Weight, ...]:
        """Return the weight, and the bias if there is one."""
        return (weight,) if self.nobias else (weight, Weight("bias", (self.filters,)))

    def connections(self, *inputs: Shape) -> Int:
        uses = self.output_shape(*inputs).positions
        return uses * sum(weight.size for weight in self.weights(*inputs))


class Conv(Convolution):
    """Convolution with bias; grouped, dilated, or with a connection table.

    Multiplies: output values × kernel positions × input channels / groups, including those in the
    padding. A `table` lists for each filter the input channels that it reads (LeCun et al. 1998,
    Table I).
    """

    name = "conv"
    arguments = (
        FILTERS,
        KERNEL,
        STRIDE,
        PADDING,
        DILATION,
        GROUPS,
        HALF,
        SAME,
        NOBIAS,
        Argument("table", "table", "input channels of each filter, from 0", None),
    )

    table: tuple[tuple[int, ...], ...] | None

    def output_shape(self, *inputs: Shape) -> Shape:
        (x,) = inputs
        divide_groups(self.g, x.channels, self.filters)
        if self.table is not None:
            self._check_table(self.table, x)
        return self.outputs(x, self.filters)

    def weights(self, *inputs: Shape) -> tuple[Weight, ...]:
        if self.table is None:
            return super().weights(*inputs)
        return self.biased(Weight("weight", (*self.k, sum(len(row) for row in self.table))))

    def work(self, *inputs: Shape) -> tuple[Work, ...]:
        (x,) = inputs
        y = self.output_shape(x)
        outputs = _outputs(y)
        if self.table is None:
            fan_in = _kernel(self.k, ("channels", x.channels // self.g))
            work = sums_of_products(outputs, fan_in)
        else:
            positions = positions_of(y)
            links = sum(len(row) for row in self.table)
            fan_in = _kernel(self.k, ("links of the table", links))
            sums = Extent("sums", (("sums", fan_in.size - self.filters),))
            work = (Work("products", (positions, fan_in)), Work("additions", (positions, sums)))
        return work if self.nobias else (*work, Work("additions", (outputs,)))

    def kept(self, *inputs: Shape) -> KeepRules:
        return INPUT_FOR_WEIGHTS

    def kind(self, *inputs: Shape) -> str:
        groups = recorded(self.g)  # a label decides nothing about the numbers, and leaves no guard
        if groups == 1:
            return "conv"
        return "depthwise conv" if groups == recorded(inputs[0].channels) else "grouped conv"

    def _check_table(self, table: tuple[tuple[int, ...], ...], x: Shape) -> None:
        require(self.g == 1, "a connection table and groups exclude each other", "table")
        require(
            self.filters == len(table),
            "the table has {rows} rows for {filters} filters",
            "table",
            rows=len(table),
            filters=self.filters,
        )
        largest = max(max(row) for row in table)
        require(
            largest < x.channels,
            "the table names channel {largest}; there are {channels}, from 0",
            "table",
            largest=largest,
            channels=x.channels,
        )


class Deconv(Convolution):
    """Transposed convolution with bias: each input value is spread over a window of the output.

    Multiplies: input positions × kernel positions × input channels × filters / groups, including those
    that the padding then crops. The output has (input − 1)·s + d·(k − 1) + 1 + out − 2·p positions along
    an axis; the last `out` of them (torch's output_padding) may get nothing but the bias.
    """

    name = "deconv"
    arguments = (
        FILTERS,
        KERNEL,
        STRIDE,
        PADDING,
        DILATION,
        GROUPS,
        Argument("out", "offsets", "values more at the end, fewer than stride or dilation", 0),
        NOBIAS,
    )
    half = same = False

    out: Sizes

    def output_shape(self, *inputs: Shape) -> Shape:
        (x,) = inputs
        divide_groups(self.g, x.channels, self.filters)
        for out, stride, dilation in zip(self.out, self.s, self.d, strict=True):
            require(
                out < maximum(stride, dilation),
                "an output padding of {out} is no less than stride and dilation",
                "out",
                lambda out, most: f"at most {most - 1}: with more, a larger kernel or stride is meant",
                out=out,
                most=maximum(stride, dilation),
            )
        taken = zip(x.extents, self.s, self.k, self.d, self.out, strict=True)
        sizes = [(n - 1) * s + (k - 1) * d + 1 + out for n, s, k, d, out in taken]
        for size, pad in zip(sizes, self.p, strict=True):
            require(
                size > pad.before + pad.after,
                "a padding of {pad} crops the whole output of {size}",
                "p",
                pad=pad,
                size=size,
            )
        kept = (size - pad.before - pad.after for size, pad in zip(sizes, self.p, strict=True))
        return Shape(*kept, self.filters)

    def work(self, *inputs: Shape) -> tuple[Work, ...]:
        (x,) = inputs
        spread = (values_of(x, "inputs"), _kernel(self.k, ("filters", self.filters // self.g)))
        touched = [
            (name, _distinct(n, k, s, d))
            for name, n, k, s, d in zip(x.axes, x.extents, self.k, self.s, self.d, strict=True)
        ]
        first = Extent("outputs touched", (*touched, ("filters", self.filters)))
        work = (Work("products", spread), Work("additions", spread), Work("additions", (first,), -1))
        return work if self.nobias else (*work, Work("additions", (_outputs(self.output_shape(x)),)))

    def kept(self, *inputs: Shape) -> KeepRules:
        return INPUT_FOR_WEIGHTS

    def connections(self, *inputs: Shape) -> Int:
        products, *_, biases = self.work(*inputs)
        return products.total if self.nobias else products.total + biases.total

    def geometry(self, *inputs: Shape) -> Geometry:
        return Spread(self.k, self.s, tuple(pad.before for pad in self.p), self.d)


def _distinct(n: Int, k: Int, s: Int, d: Int) -> Int:
    """Return the number of different values i·s + t·d for i < n and t < k.

    Two pairs give the same value if i differs by a multiple of d/gcd and t by the same multiple of
    s/gcd. So all pairs count, except those that have an equal pair with a smaller i.
    """
    common = gcd(s, d)
    return n * k - maximum(n - d // common, 0) * maximum(k - s // common, 0)


def divide_groups(groups: Int, channels: Int, filters: Int) -> None:
    """Refuse groups that do not divide the channels of the input and of the output.

    Raises:
        ShapeError: the groups do not divide one of them.
    """
    for count, what in ((channels, "channels"), (filters, "filters")):
        require(
            count % groups == 0,
            "{groups} groups do not divide {count} {what}",
            "g",
            _dividing,
            groups=groups,
            count=count,
            what=what,
            both=(channels, filters),
        )


def _dividing(groups: int, count: int, what: str, both: tuple[Int, Int]) -> str:
    import math

    common = math.gcd(int(both[0]), int(both[1]))
    if common > 10**6:
        return ""
    divisors = [str(g) for g in range(1, common + 1) if common % g == 0]
    shown = ", ".join(divisors[:12]) + (", …" if len(divisors) > 12 else "")
    return f"groups that divide both {int(both[0])} and {int(both[1])}: {shown}"


def _outputs(y: Shape) -> Extent:
    return Extent("outputs", (*y.named, ("filters", y.channels)))


def _kernel(k: Sizes, last: tuple[str, Int]) -> Extent:
    names = (f"kernel {axis}" for axis in AXES[len(k)])
    return Extent("products", (*zip(names, k, strict=True), last))
