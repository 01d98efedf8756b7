"""Window geometry and counts against plain loops, which know nothing of `work` or `output_shape`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from fractions import Fraction
from itertools import product
from math import ceil
from typing import Any

import pytest

from archcalc.errors import ShapeError
from archcalc.operators import operator_class
from archcalc.operators.model import Operator, Shape, Window

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


Windows = list[tuple[int, int]]
CONV: list[tuple[dict[str, Any], tuple[int, int, int], Windows]] = [
    ({"k": 3}, (5, 6, 2), list(product(starts(5, 3, 1, 0, 0), starts(6, 3, 1, 0, 0)))),
    ({"k": 3, "s": 2, "p": 1}, (6, 5, 4), list(product(starts(6, 3, 2, 1, 1), starts(5, 3, 2, 1, 1)))),
    ({"k": (1, 3), "half": True}, (4, 5, 2), list(product(range(4), starts_half(5, 3, 1, 1)))),
    ({"k": 3, "d": 2}, (6, 7, 2), list(product(starts(6, 5, 1, 0, 0), starts(7, 5, 1, 0, 0)))),
    (
        {"k": 2, "s": 2, "same": True},
        (5, 4, 2),
        list(product(starts_same(5, 2, 2), starts_same(4, 2, 2))),
    ),
    ({"k": 2, "g": 2, "nobias": True}, (3, 4, 4), list(product(range(2), range(3)))),
    ({"k": 3, "g": 4, "half": True}, (4, 3, 4), list(product(range(-1, 3), range(-1, 2)))),
    ({"k": 2, "table": [[0], [1, 2], [0, 1, 3], [2]]}, (4, 3, 4), list(product(range(3), range(2)))),
]


def read_by(filter: int, filters: int, channels: int, options: dict[str, Any]) -> list[int]:
    """The input channels that one filter sees."""
    if "table" in options:
        return list(options["table"][filter])
    groups = options.get("g", 1)
    group = filter // (filters // groups)
    return [c for c in range(channels) if c // (channels // groups) == group]


def convolve(
    filters: int, options: dict[str, Any], channels: int, windows: Windows
) -> Iterator[tuple[str, Any]]:
    """Every step of a convolution, one by one."""
    k = options["k"]
    height, width = k if isinstance(k, tuple) else (k, k)
    for window, f in product(windows, range(filters)):
        terms = 0
        for i, j, c in product(range(height), range(width), read_by(f, filters, channels, options)):
            yield "products", ((i, j, c), (window, f))
            if terms:
                yield "additions", None
            terms += 1
        if "nobias" not in options:
            yield "additions", None
            yield "biases", None


def declared(operator: Operator, x: Shape) -> Counter[str]:
    found: Counter[str] = Counter()
    for work in operator.work(x):
        found[work.kind] += int(work.total)
    return +found


@pytest.mark.parametrize("options, shape, windows", CONV, ids=[str(c[0]) for c in CONV])
def test_conv_counted(options: dict[str, Any], shape: Any, windows: Windows) -> None:
    operator, x = operator_class("conv")(4, **options), Shape(*shape)
    counted = Counter(kind for kind, _ in convolve(4, options, shape[2], windows))
    biases = counted.pop("biases", 0)
    assert declared(operator, x) == counted
    assert operator.connections(x) == counted["products"] + biases


DECONV: list[tuple[dict[str, Any], tuple[int, int, int]]] = [
    ({"k": 2, "s": 2}, (3, 4, 2)),
    ({"k": 3, "s": 2, "p": 1}, (3, 4, 4)),
    ({"k": 4, "s": 2, "p": 1, "g": 2}, (4, 3, 4)),
    ({"k": 2, "s": 3}, (3, 2, 2)),
    ({"k": 1, "s": 3, "nobias": True}, (3, 4, 1)),
    ({"k": 3, "s": 1, "p": 2}, (5, 4, 2)),
    ({"k": 3, "s": 2, "g": 4, "nobias": True}, (1, 2, 4)),
]


@pytest.mark.parametrize("options, shape", DECONV, ids=[str(d[0]) for d in DECONV])
def test_deconv_counted(options: dict[str, Any], shape: tuple[int, int, int]) -> None:
    """Every input value is spread; the first to reach an output is written, the others are added."""
    operator, (height, width, channels) = operator_class("deconv")(8, **options), shape
    k, s, p, groups = (options.get(name, 1 if name != "p" else 0) for name in "kspg")
    counted, touched = Counter[str](), set()
    for y, x, c, i, j, f in product(*map(range, (height, width, channels, k, k, 8))):
        if f // (8 // groups) == c // (channels // groups):
            counted["products"] += 1
            target = (y * s + i, x * s + j, f)
            counted["additions"] += target in touched
            touched.add(target)
    bottom, right = max(t[0] for t in touched), max(t[1] for t in touched)
    kept = Shape(len(range(p, bottom + 1 - p)), len(range(p, right + 1 - p)), 8)
    assert operator.output_shape(Shape(*shape)) == kept
    if "nobias" not in options:
        counted["additions"] += sum(1 for _ in product(*map(range, kept)))
    assert declared(operator, Shape(*shape)) == +counted


POOLS = [
    ("maxpool", 3, {"s": 2}, starts(7, 3, 2, 0, 0)),
    ("maxpool", 2, {"p": 1, "ceil": True}, starts_ceil(7, 2, 2, 1)),
    ("maxpool", 3, {"s": 2, "same": True}, starts_same(7, 3, 2)),
    ("avgpool", 3, {"s": 1, "half": True}, starts_half(7, 3, 1, 1)),
    ("sumpool", 2, {}, starts(7, 2, 2, 0, 0)),
]


@pytest.mark.parametrize("name, k, options, begins", POOLS)
def test_pool_counted(name: str, k: int, options: dict[str, Any], begins: list[int]) -> None:
    step = "comparisons" if name == "maxpool" else "additions"
    counted, links = Counter[str](), 0
    for _ in product(begins, begins, range(3)):
        for tap in product(range(k), range(k)):
            counted[step] += tap != (0, 0)
            links += name == "sumpool"
        counted["multiplies"] += name == "avgpool"
    operator, x = operator_class(name)(k, **options), Shape(7, 7, 3)
    assert declared(operator, x) == +counted
    assert operator.connections(x) == links


@pytest.mark.parametrize("nobias", [False, True])
@pytest.mark.parametrize("inputs, units", [(1, 1), (1, 4), (5, 1), (6, 7)])
def test_linear_counted(inputs: int, units: int, nobias: bool) -> None:
    counted, links = Counter[str](), 0
    for _ in range(units):
        for term in range(inputs):
            counted["products"] += 1
            counted["additions"] += term > 0
            links += 1
        counted["additions"] += not nobias
        links += not nobias
    operator, x = operator_class("linear")(units, nobias=nobias), Shape(1, 1, inputs)
    assert declared(operator, x) == +counted
    assert operator.connections(x) == links
