"""Window geometry against plain loops over the places where a window can stand."""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from math import ceil

import pytest

from archcalc.arithmetic import Margin
from archcalc.errors import ShapeError
from archcalc.operators import operator_class
from archcalc.operators.model import Operator, Window
from archcalc.operators.shape import Shape

SIZES, KERNELS, STRIDES, DILATIONS = range(1, 13), range(1, 6), range(1, 5), range(1, 4)


def starts(n: int, span: int, stride: int, before: int, after: int) -> list[int]:
    """Where a window of `span` can stand on n values, padded: every start that fits."""
    found, start = [], -before
    while start + span <= n + after:
        found.append(start)
        start += stride
    return found


def starts_half(n: int, k: int, stride: int, dilation: int) -> list[int]:
    """As many zeros on either side as the middle tap of the kernel is away from its ends."""
    taps = [dilation * i for i in range(k)]
    middle = taps[k // 2]
    return starts(n, taps[-1] + 1, stride, middle, taps[-1] - middle)


def starts_same(n: int, span: int, stride: int) -> list[int]:
    """TensorFlow: the fewest zeros that give ceil(n/stride) windows, the odd one at the end."""
    zeros, wanted = 0, ceil(Fraction(n, stride))
    while len(starts(n, span, stride, zeros // 2, zeros - zeros // 2)) < wanted:
        zeros += 1
    return starts(n, span, stride, zeros // 2, zeros - zeros // 2)


def starts_ceil(n: int, span: int, stride: int, pad: int) -> list[int]:
    """torch: "sliding windows are allowed to go off-bounds if they start within the left padding or
    the input; windows that would start in the right padded region are ignored"."""
    found, start = [], -pad
    while start < n:
        found.append(start)
        if start + span >= n + pad:  # the padded input is covered
            break
        start += stride
    return found


def check(operator: Operator, n: int, expected: list[int]) -> None:
    """Height and width alike: as many outputs as starts, padding and window as declared."""
    x = Shape(n, n, 1)
    if not expected:
        with pytest.raises(ShapeError, match="does not fit the height"):
            operator.output_shape(x)
        return
    y = operator.output_shape(x)
    assert (y.height, y.width) == (len(expected), len(expected))
    window = operator.geometry(x)
    assert isinstance(window, Window)
    assert window.before == (-expected[0], -expected[0])


@pytest.mark.parametrize("k", KERNELS)
def test_padding_on_both_sides(k: int) -> None:
    for n, s, p, d in product(SIZES, STRIDES, range(4), DILATIONS):
        check(operator_class("conv")(1, k=k, s=s, p=p, d=d), n, starts(n, d * (k - 1) + 1, s, p, p))


@pytest.mark.parametrize("k", KERNELS)
def test_padding_of_two_sides(k: int) -> None:
    for n, s, p, q in product(SIZES, STRIDES, range(3), range(4)):
        expected = starts(n, k, s, p, q)
        check(operator_class("conv")(1, k=k, s=s, p=Margin(p, q)), n, expected)
        if expected and max(p, q) < k:
            check(operator_class("avgpool")(k, s=s, p=Margin(p, q)), n, expected)


@pytest.mark.parametrize("k", range(1, 4))
@pytest.mark.parametrize("ceil", [False, True])
def test_no_window_of_a_pool_holds_padding_alone(k: int, ceil: bool) -> None:
    accepted = 0
    for n, s, p, q, d in product(range(1, 6), STRIDES, range(5), range(5), range(1, 5)):
        pool = operator_class("maxpool")(k, s=s, p=Margin(p, q), d=d, ceil=ceil)
        try:
            outputs = pool.output_shape(Shape(n, n, 1)).height
        except ShapeError:
            continue
        accepted += 1
        for start in range(-p, int(outputs) * s - p, s):
            assert any(0 <= start + tap * d < n for tap in range(k)), (n, s, p, q, d)
    assert accepted > 20


@pytest.mark.parametrize("k", [1, 3, 5])
def test_half(k: int) -> None:
    for n, s, d in product(SIZES, STRIDES, DILATIONS):
        check(operator_class("conv")(1, k=k, s=s, d=d, half=True), n, starts_half(n, k, s, d))
    for n, s in product(SIZES, STRIDES):
        check(operator_class("avgpool")(k, s=s, half=True), n, starts_half(n, k, s, 1))


@pytest.mark.parametrize("k", KERNELS)
def test_same(k: int) -> None:
    for n, s, d in product(SIZES, STRIDES, DILATIONS):
        check(operator_class("conv")(1, k=k, s=s, d=d, same=True), n, starts_same(n, d * (k - 1) + 1, s))
    for n, s in product(SIZES, STRIDES):
        check(operator_class("maxpool")(k, s=s, same=True), n, starts_same(n, k, s))


@pytest.mark.parametrize("k", KERNELS)
def test_ceil(k: int) -> None:
    """Padding under the window, as Caffe demands (torch: at most half of it)."""
    for n, s, p in product(SIZES, STRIDES, range(k)):
        if n + 2 * p >= k:
            check(operator_class("maxpool")(k, s=s, p=p, ceil=True), n, starts_ceil(n, k, s, p))


def test_axes_are_told_apart() -> None:
    conv = operator_class("conv")(3, k=(3, 5), s=(2, 1), p=(1, 2), d=(2, 3))
    x = Shape(11, 17, 2)
    high, wide = starts(11, 5, 2, 1, 1), starts(17, 13, 1, 2, 2)
    assert conv.output_shape(x) == Shape(len(high), len(wide), 3)
    assert conv.geometry(x) == Window((3, 5), (2, 1), (1, 2), (2, 3))


def test_deconv_inverts_conv() -> None:
    """An unpadded conv of the same kernel and stride brings the output back to the input's size."""
    for n, k, s, p in product(SIZES, KERNELS, STRIDES, range(3)):
        if (n - 1) * s + k > 2 * p:
            y = operator_class("deconv")(1, k=k, s=s, p=p).output_shape(Shape(n, n, 1))
            assert len(starts(int(y.height), k, s, p, p)) == n


def test_one_sided_padding_of_a_stride() -> None:
    """None before, one after: (224 + 1 − 3) // 2 + 1 = 112; the first window begins at pixel 0."""
    conv, x = operator_class("conv")(8, k=3, s=2, p=Margin(0, 1)), Shape(224, 224, 3)
    assert conv.output_shape(x) == Shape(112, 112, 8)
    assert conv.geometry(x) == Window((3, 3), (2, 2), (0, 0), (1, 1))
    wide = operator_class("conv")(8, k=3, s=2, p=(Margin(0, 1), 1))
    assert wide.geometry(x) == Window((3, 3), (2, 2), (0, 1), (1, 1))


def test_a_deconv_crops_what_was_padded_on_each_side() -> None:
    """(4 − 1)·2 + 3 = 9 values, of which the first and the last two go."""
    deconv = operator_class("deconv")(1, k=3, s=2, p=Margin(1, 2))
    assert deconv.output_shape(Shape(4, 4, 1)) == Shape(6, 6, 1)
