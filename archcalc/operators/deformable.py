"""Convolution whose windows are deformed by offsets that another layer computes."""

from __future__ import annotations

from archcalc.arithmetic import product, require
from archcalc.operators.argument import Argument
from archcalc.operators.convolution import FILTERS, KERNEL, STRIDE, divide_groups
from archcalc.operators.kept import WEIGHTS, KeepRule, KeepRules
from archcalc.operators.model import (
    Extent,
    Weight,
    Work,
    positions_of,
    require_map,
    sums_of_products,
)
from archcalc.operators.shape import Shape, agree
from archcalc.operators.window import DILATION, GROUPS, HALF, NOBIAS, PADDING, Windowed
from archcalc.symbols import Int


class DeformConv(Windowed):
    """Convolution of values that lie off the grid, by the offsets of `@label` (Dai et al. 2017).

    The offsets are 2·k·k channels at the output's positions: down and across for each tap of the kernel,
    row by row, as torchvision's deform_conv2d has them. A value between positions is the sum of its 4
    neighbors, each times its share: 4 multiplies and 3 additions for each sampled value, beside those of
    the convolution; the shares are the same for all channels, and count nothing. With `modulated`
    (Zhu et al. 2019) k·k channels more, behind a sigmoid, are factors of the taps. Which values are read
    depends on the offsets: the receptive field is what the window sees without them.
    """

    name = "deformconv"
    arguments = (
        FILTERS,
        KERNEL,
        STRIDE,
        PADDING,
        DILATION,
        GROUPS,
        HALF,
        Argument("modulated", "flag", "3·k·k channels: the last k·k are factors of the taps", False),
        NOBIAS,
    )
    labels = (1, 1)
    weight_layer, stored, buffer = True, True, "fresh"
    same = False

    filters: Int
    g: Int
    modulated: bool
    nobias: bool

    def output_shape(self, *inputs: Shape) -> Shape:
        x, offsets = inputs
        require_map(self.name, x)
        divide_groups(self.g, x.channels, self.filters)
        y = self.outputs(x, self.filters)
        wanted = y.of((3 if self.modulated else 2) * product(self.k))
        require(
            agree(offsets, wanted),
            "the offsets are {offsets}, not {wanted}",
            help=lambda offsets, wanted: (
                f"a `conv {wanted[-1]}` with the kernel, stride and padding of this layer makes them"
            ),
            offsets=offsets,
            wanted=wanted,
        )
        return y

    def weights(self, *inputs: Shape) -> tuple[Weight, ...]:
        weight = Weight("weight", (*self.k, inputs[0].channels // self.g, self.filters))
        return (weight,) if self.nobias else (weight, Weight("bias", (self.filters,)))

    def work(self, *inputs: Shape) -> tuple[Work, ...]:
        x, y = inputs[0], self.output_shape(*inputs)
        outputs = Extent("outputs", (*y.named, ("filters", y.channels)))
        taps = tuple((f"kernel {axis}", k) for axis, k in zip(y.axes, self.k, strict=True))
        products = Extent("products", (*taps, ("channels", x.channels // self.g)))
        sampled = Extent("sampled values", (*y.named, *taps, ("channels", x.channels)))
        neighbors, sums = (
            Extent("neighbors", (("neighbors", 4),)),
            Extent("sums", (("neighbors − 1", 3),)),
        )
        work = (
            *sums_of_products(outputs, products),
            Work("multiplies", (sampled, neighbors)),
            Work("additions", (sampled, sums)),
        )
        if self.modulated:  # 1 / (exp(−m) + 1)
            masks = positions_of(y), Extent("taps", taps)
            work += (Work("multiplies", (sampled,)), Work("exponentials", masks))
            work += (Work("additions", masks), Work("divisions", masks))
        return work if self.nobias else (*work, Work("additions", (outputs,)))

    def kept(self, *inputs: Shape) -> KeepRules:
        values, offsets = KeepRule(0, (1, WEIGHTS)), KeepRule(1, (0, 1, WEIGHTS))
        return values, offsets

    def connections(self, *inputs: Shape) -> Int:
        products = self.work(*inputs)[0].total
        return products if self.nobias else products + self.output_shape(*inputs).values

    def kind(self, *inputs: Shape) -> str:
        return "deformable conv"
