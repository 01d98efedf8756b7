"""Deformable convolution: another layer computes offsets of the taps of its windows."""

from __future__ import annotations

from archcalc.arithmetic import product, require
from archcalc.operators.argument import Argument
from archcalc.operators.convolution import FILTERS, KERNEL, STRIDE, Convolution, divide_groups
from archcalc.operators.kept import WEIGHTS, KeepRule, KeepRules
from archcalc.operators.model import (
    Extent,
    Work,
    positions_of,
    require_map,
    sums_of_products,
)
from archcalc.operators.shape import Shape, agree
from archcalc.operators.window import DILATION, GROUPS, HALF, NOBIAS, PADDING


class DeformConv(Convolution):
    """Convolution of values sampled off the grid, at the offsets that `@label` gives (Dai et al. 2017).

    The offsets are 2·k·k channels at the output's positions: down and right for each tap of the kernel,
    row by row, as in torchvision's deform_conv2d. A sampled value is the weighted sum of its 4
    neighbors: 4 multiplies and 3 additions, beside those of the convolution. The weights of the
    neighbors are the same for all channels, and are not counted. With `modulated` (Zhu et al. 2019), k·k
    more channels are factors of the taps, after a sigmoid. The receptive field is that of the window
    without offsets.
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
    same = False

    modulated: bool

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

    def kind(self, *inputs: Shape) -> str:
        return "deformable conv"
