"""Work counted step by step: loops that know nothing of `work` or `output_shape`, and formulas run on
numbers that count what is done to them."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import product
from typing import Any

import pytest

from archcalc.operators import FAMILIES, operator_class
from archcalc.operators.model import Operator
from archcalc.operators.shape import Shape

Starts = Sequence[int]


def declared(operator: Operator, x: Shape) -> Counter[str]:
    found: Counter[str] = Counter()
    for work in operator.work(x):
        found[work.kind] += int(work.total)
    return +found


# 4 filters; input; where a window stands, down and across
CONV: list[tuple[dict[str, Any], tuple[int, int, int], Starts, Starts]] = [
    ({"k": (3, 3)}, (5, 6, 2), [0, 1, 2], [0, 1, 2, 3]),
    ({"k": (3, 3), "s": 2, "p": 1}, (6, 5, 4), [-1, 1, 3], [-1, 1, 3]),
    ({"k": (1, 3), "half": True}, (2, 5, 2), [0, 1], [-1, 0, 1, 2, 3]),
    ({"k": (3, 3), "d": 2}, (6, 7, 2), [0, 1], [0, 1, 2]),
    ({"k": (2, 2), "s": 2, "same": True}, (5, 4, 2), [0, 2, 4], [0, 2]),
    ({"k": (2, 2), "g": 2, "nobias": True}, (3, 4, 4), [0, 1], [0, 1, 2]),
    ({"k": (3, 3), "g": 4, "half": True}, (4, 3, 4), [-1, 0, 1, 2], [-1, 0, 1]),
    ({"k": (2, 1), "table": [[0], [1, 2], [0, 1, 3], [2]]}, (4, 2, 4), [0, 1, 2], [0, 1]),
]


def seen_by(filter: int, channels: int, options: dict[str, Any]) -> list[int]:
    """The input channels that one of 4 filters reads."""
    if "table" in options:
        return list(options["table"][filter])
    groups = options.get("g", 1)
    return [c for c in range(channels) if c // (channels // groups) == filter // (4 // groups)]


@pytest.mark.parametrize("options, shape, down, across", CONV, ids=[str(c[0]) for c in CONV])
def test_conv(options: dict[str, Any], shape: Any, down: Starts, across: Starts) -> None:
    counted, links = Counter[str](), 0
    height, width = options["k"]
    for *_, f in product(down, across, range(4)):
        taps = product(range(height), range(width), seen_by(f, shape[2], options))
        for tap, _ in enumerate(taps):
            counted["products"] += 1
            counted["additions"] += tap > 0
            links += 1
        counted["additions"] += "nobias" not in options
        links += "nobias" not in options
    operator = operator_class("conv")(4, **options)
    assert declared(operator, Shape(*shape)) == +counted
    assert operator.connections(Shape(*shape)) == links


DECONV: list[tuple[dict[str, Any], tuple[int, int, int]]] = [
    ({"k": 2, "s": 2}, (3, 4, 2)),
    ({"k": 3, "s": 2, "p": 1}, (3, 4, 4)),
    ({"k": 4, "s": 2, "p": 1, "g": 2}, (4, 3, 4)),
    ({"k": 2, "s": 3}, (3, 2, 2)),
    ({"k": 3, "d": 2}, (4, 3, 2)),
    ({"k": 3, "s": 2, "d": 2}, (3, 4, 2)),
    ({"k": 3, "s": 2, "d": 3, "p": 2}, (4, 5, 2)),
    ({"k": 4, "s": 6, "d": 4}, (3, 4, 1)),
    ({"k": 5, "s": 4, "d": 2, "out": 3, "p": 1, "nobias": True}, (5, 3, 1)),
    ({"k": 1, "s": 3, "nobias": True}, (3, 4, 1)),
    ({"k": 3, "s": 1, "p": 2}, (5, 4, 2)),
    ({"k": 3, "s": 2, "g": 4, "nobias": True}, (1, 2, 4)),
]


@pytest.mark.parametrize("options, shape", DECONV, ids=[str(d[0]) for d in DECONV])
def test_deconv(options: dict[str, Any], shape: tuple[int, int, int]) -> None:
    """Every input value is spread; the first to reach an output is written, the others are added."""
    operator, (height, width, channels) = operator_class("deconv")(8, **options), shape
    k, s, d, groups = (options.get(name, 1) for name in "ksdg")
    p, out = (options.get(name, 0) for name in ("p", "out"))
    counted, touched = Counter[str](), set()
    for y, x, c, i, j, f in product(*map(range, (height, width, channels, k, k, 8))):
        if f // (8 // groups) == c // (channels // groups):
            counted["products"] += 1
            target = (y * s + i * d, x * s + j * d, f)
            counted["additions"] += target in touched
            touched.add(target)
    bottom, right = (max(t[axis] for t in touched) + out for axis in (0, 1))
    kept = Shape(len(range(p, bottom + 1 - p)), len(range(p, right + 1 - p)), 8)
    assert operator.output_shape(Shape(*shape)) == kept
    biases = sum(1 for _ in product(*map(range, kept))) * ("nobias" not in options)
    links = counted["products"] + biases
    counted["additions"] += biases
    assert declared(operator, Shape(*shape)) == +counted
    assert operator.connections(Shape(*shape)) == links


# on 7×7×3: a window's size and where it stands
POOLS = [
    ("maxpool", 3, {"s": 2}, [0, 2, 4]),
    ("maxpool", 2, {"p": 1, "ceil": True}, [-1, 1, 3, 5]),
    ("maxpool", 3, {"s": 2, "same": True}, [-1, 1, 3, 5]),
    ("avgpool", 3, {"s": 1, "half": True}, [-1, 0, 1, 2, 3, 4, 5]),
    ("sumpool", 2, {}, [0, 2, 4]),
    ("gap", 7, {}, [0]),
]


@pytest.mark.parametrize("name, k, options, begins", POOLS)
def test_pool(name: str, k: int, options: dict[str, Any], begins: Starts) -> None:
    counted, links = Counter[str](), 0
    for _ in product(begins, begins, range(3)):
        for tap in product(range(k), range(k)):
            counted["comparisons" if name == "maxpool" else "additions"] += tap != (0, 0)
            links += name == "sumpool"
        counted["multiplies"] += name in ("avgpool", "gap")
    cls, x = operator_class(name), Shape(7, 7, 3)
    operator = cls(k, **options) if cls.arguments else cls()
    assert declared(operator, x) == +counted
    assert operator.connections(x) == links


@pytest.mark.parametrize("largest", [False, True])
@pytest.mark.parametrize("height, rows", [(n, m) for n in (1, 4, 7, 12) for m in (1, 2, 3, 5, 8, 12)])
def test_adaptive_pool(height: int, rows: int, largest: bool) -> None:
    """Every value that a cell reads, by the definition of torch.nn.AdaptiveAvgPool2d."""
    counted = Counter[str]()
    for i, j, _ in product(range(rows), range(2), range(3)):
        cell = [*product(range(i * height // rows, math.ceil((i + 1) * height / rows)), range(5))]
        inside = [(r, c) for r, c in cell if j * 5 // 2 <= c < math.ceil((j + 1) * 5 / 2)]
        counted["comparisons" if largest else "additions"] += len(inside) - 1
        counted["multiplies"] += not largest
    operator = operator_class("adaptivepool")((rows, 2), max=largest)
    assert declared(operator, Shape(height, 5, 3)) == +counted


@pytest.mark.parametrize("nobias", [False, True])
@pytest.mark.parametrize("inputs, units", [(1, 1), (1, 4), (5, 1), (6, 7)])
def test_linear(inputs: int, units: int, nobias: bool) -> None:
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


def dot(counted: Counter[str], terms: int) -> None:
    """A sum of so many products."""
    for term in range(terms):
        counted["products"] += 1
        counted["additions"] += term > 0


def attend(tokens: int, channels: int, heads: int, biased: bool) -> Counter[str]:
    """Attention among so many tokens, one number after the other."""
    counted = Counter[str]()
    for _ in product(range(4), range(tokens), range(channels)):
        dot(counted, channels)
        counted["additions"] += 1
    for _ in product(range(heads), range(tokens)):
        for key in range(tokens):
            dot(counted, channels // heads)
            counted["additions"] += biased
            counted["comparisons"] += key > 0  # the largest so far
            counted["additions"] += 1  # which is subtracted
            counted["exponentials"] += 1
            counted["additions"] += key > 0  # their sum
        for _ in range(tokens):
            counted["divisions"] += 1
        for _ in range(channels // heads):
            dot(counted, tokens)
    return counted


@pytest.mark.parametrize("tokens, channels, heads", [(1, 1, 1), (5, 6, 3), (4, 8, 1), (3, 4, 4)])
def test_attention(tokens: int, channels: int, heads: int) -> None:
    counted = attend(tokens, channels, heads, biased=False)
    operator, x = operator_class("attention")(heads), Shape(tokens, channels)
    assert declared(operator, x) == +counted
    assert operator.connections(x) == 4 * tokens * channels * len(range(channels + 1))


# height and width of the map, and where a window of 3×3 begins
WINDOWS = [((6, 3), [0, 3], [0]), ((7, 5), [0, 3, 6], [0, 3]), ((2, 4), [0], [0, 3])]


@pytest.mark.parametrize("size, down, across", WINDOWS)
def test_windowattention(size: tuple[int, int], down: Starts, across: Starts) -> None:
    counted = Counter[str]()
    for _ in product(down, across):
        counted += attend(3 * 3, 4, 2, biased=True)
    operator, x = operator_class("windowattention")(2, 3), Shape(*size, 4)
    assert declared(operator, x) == counted
    assert operator.connections(x) == len(down) * len(across) * 9 * 4 * 4 * (4 + 1)


def test_position_biases() -> None:
    """A bias for each way from one position of a window to another."""
    places = list(product(range(3), range(3)))
    ways = {(a[0] - b[0], a[1] - b[1]) for a in places for b in places}
    weights = operator_class("windowattention")(2, 3).weights(Shape(6, 6, 4))
    assert {w.role: w.size for w in weights}["position"] == 2 * len(ways)


class Number:
    """A float that writes down what is done to it, and to what comes of it; a sign costs nothing."""

    def __init__(self, value: float, done: Counter[str] | None = None) -> None:
        self.value, self.done = value, Counter[str]() if done is None else done

    def _step(self, kind: str, rule: Callable[[float, float], float], other: Any) -> Number:
        self.done[kind] += 1
        return Number(rule(self.value, getattr(other, "value", other)), self.done)

    def __add__(self, other: Any) -> Number:
        return self._step("additions", lambda a, b: a + b, other)

    def __sub__(self, other: Any) -> Number:
        return self._step("additions", lambda a, b: a - b, other)

    def __rsub__(self, other: Any) -> Number:
        return self._step("additions", lambda a, b: b - a, other)

    def __mul__(self, other: Any) -> Number:
        return self._step("multiplies", lambda a, b: a * b, other)

    def __truediv__(self, other: Any) -> Number:
        return self._step("divisions", lambda a, b: a / b, other)

    def __rtruediv__(self, other: Any) -> Number:
        return self._step("divisions", lambda a, b: b / a, other)

    def __pow__(self, other: Any) -> Number:
        return self._step("powers", lambda a, b: a**b, other)

    def __neg__(self) -> Number:
        return Number(-self.value, self.done)

    def maximum(self, other: Any) -> Number:
        return self._step("comparisons", max, other)

    def minimum(self, other: Any) -> Number:
        return self._step("comparisons", min, other)

    def sign_of(self, other: Number) -> Number:
        return self._step("comparisons", math.copysign, other)

    def exp(self) -> Number:
        return self._step("exponentials", lambda a, _: math.exp(a), 0)

    def log(self) -> Number:
        return self._step("exponentials", lambda a, _: math.log(a), 0)

    def rectified(self, rule: Callable[[Number], Number]) -> Number:
        """The rule of what is negative; which it is, the comparison has told."""
        negative = rule(self.minimum(0))
        return Number(self.value, self.done) if self.value > 0 else negative

    __radd__, __rmul__ = __add__, __mul__


def sigmoid(x: Any) -> Any:
    return 1 / (1 + (-x).exp())


def tanh(x: Any) -> Any:
    up, down = x.exp(), (-x).exp()
    return (up - down) / (up + down)


def gelu(x: Any) -> Any:
    """Abramowitz & Stegun 7.1.26, as the book prints it."""
    z = x * (1 / math.sqrt(2))
    positive = z.maximum(-z)
    t = 1 / (1 + 0.3275911 * positive)
    series = t * (
        0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429)))
    )
    erf = (1 - series * (-(positive * positive)).exp()).sign_of(z)
    return x * 0.5 * (1 + erf)


def relu6(x: Any) -> Any:
    return x.maximum(0).minimum(6)


def softplus(x: Any) -> Any:
    return (x.exp() + 1).log()


def elu(x: Any, alpha: float) -> Any:
    return x.rectified(lambda low: alpha * (low.exp() - 1))


LAMBDA, ALPHA = 1.0507009873554805, 1.6732632423543772  # Klambauer et al. 2017, section 2
ARGUMENTS = {"clip": {"low": -2, "high": 2.5}, "leaky": {"slope": 0.25}, "elu": {"alpha": 1.5}}


# how it is computed; what it must come to
FORMULAS: dict[str, tuple[Callable[[Any], Any], Callable[[float], float]]] = {
    "relu": (lambda x: x.maximum(0), lambda x: max(x, 0)),
    "relu6": (relu6, lambda x: min(max(x, 0), 6)),
    "clip": (lambda x: x.maximum(-2).minimum(2.5), lambda x: min(max(x, -2), 2.5)),
    "hardtanh": (lambda x: x.maximum(-1).minimum(1), lambda x: min(max(x, -1), 1)),
    "leaky": (lambda x: x.maximum(0.25 * x), lambda x: x if x > 0 else 0.25 * x),
    "prelu": (lambda x: x.rectified(lambda low: 0.75 * low), lambda x: x if x > 0 else 0.75 * x),
    "elu": (lambda x: elu(x, 1.5), lambda x: x if x > 0 else 1.5 * math.expm1(x)),
    "selu": (
        lambda x: LAMBDA * elu(x, ALPHA),
        lambda x: LAMBDA * (x if x > 0 else ALPHA * math.expm1(x)),
    ),
    "softplus": (lambda x: softplus(x).maximum(x), lambda x: math.log1p(math.exp(x))),
    "mish": (lambda x: x * tanh(softplus(x)), lambda x: x * math.tanh(math.log1p(math.exp(x)))),
    "sigmoid": (sigmoid, lambda x: 0.5 * (1 + math.tanh(x / 2))),
    "tanh": (tanh, math.tanh),
    "swish": (lambda x: x * sigmoid(x), lambda x: x * 0.5 * (1 + math.tanh(x / 2))),
    "gelu": (gelu, lambda x: x / 2 * (1 + math.erf(x / math.sqrt(2)))),
    "hsigmoid": (lambda x: relu6(x + 3) / 6, lambda x: min(max(x / 6 + 0.5, 0), 1)),
    "hswish": (lambda x: x * relu6(x + 3) / 6, lambda x: x * min(max(x / 6 + 0.5, 0), 1)),
}


@pytest.mark.parametrize("name", FORMULAS)
@pytest.mark.parametrize("x", [-4.5, -0.3, 0.0, 0.7, 2.5, 7.25])
def test_formula(name: str, x: float) -> None:
    formula, truth = FORMULAS[name]
    y = formula(Number(x))
    assert y.value == pytest.approx(truth(x), abs=1e-6)
    assert declared(operator_class(name)(**ARGUMENTS.get(name, {})), Shape(1, 1, 1)) == y.done


@pytest.mark.parametrize("bounds", [{"low": -1}, {"high": 1}])
def test_one_bound_is_one_comparison(bounds: dict[str, int]) -> None:
    assert declared(operator_class("clip")(**bounds), Shape(1, 1, 1)) == Counter(comparisons=1)


def test_every_activation_has_a_formula() -> None:
    """But softmax, of several values, and dropout, of none."""
    others = {"softmax", "logsoftmax", "dropout", "droppath"}
    assert FORMULAS.keys() | others == set(FAMILIES["activation"].split())


@pytest.mark.parametrize("a, b", [(-1.5, 0.7), (0.3, -2.0)])
def test_gates(a: float, b: float) -> None:
    """A channel of each half: a · sigmoid(b), and swish(a) · b."""
    x, logistic = Shape(1, 1, 2), [0.5 * (1 + math.tanh(half / 2)) for half in (a, b)]
    gated = Number(a)
    y = gated * sigmoid(Number(b, gated.done))
    assert y.value == pytest.approx(a * logistic[1])
    assert declared(operator_class("glu")(), x) == y.done
    gate = Number(a)
    z = gate * sigmoid(gate) * b
    assert z.value == pytest.approx(a * logistic[0] * b)
    assert declared(operator_class("swiglu")(), x) == z.done


@pytest.mark.parametrize("values", [[0.5], [0.25, -1.0, 2.0]])
def test_logsoftmax(values: list[float]) -> None:
    first = Number(values[0])
    numbers = [first, *(Number(value, first.done) for value in values[1:])]
    largest = first
    for number in numbers[1:]:
        largest = largest.maximum(number)
    below = [number - largest for number in numbers]
    rise = [number.exp() for number in below]
    log = sum(rise[1:], rise[0]).log()
    found = [(number - log).value for number in below]
    assert sum(map(math.exp, found)) == pytest.approx(1)
    assert [a - b for a, b in zip(found, values, strict=True)] == pytest.approx(
        [found[0] - values[0]] * len(values)
    )
    assert declared(operator_class("logsoftmax")(), Shape(1, 1, len(values))) == first.done


@pytest.mark.parametrize("size", [1, 3, 5])
def test_lrn(size: int) -> None:
    """x / (1 + α·Σx²)^β, as torch and Caffe have it, the sum over `size` channels."""
    x = Number(0.5)
    squares = [x * x for _ in range(size)]
    y = x / (1 + 1e-4 * sum(squares[1:], squares[0])) ** 0.75
    assert declared(operator_class("lrn")(size), Shape(1, 1, 1)) == y.done
