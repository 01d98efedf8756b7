"""What each word costs.

Where archcalc has an operator of the same meaning, both counts must agree: they are written apart.
Everything else is arithmetic that stands here; a word without a line here fails a test.
"""

from __future__ import annotations

from math import prod

import pytest

from archcalc.analysis.costs import analyze
from archcalc.graph.build import build
from archcalc.interop.counts import NONE, CountingError, Counts, ShapedOperation
from archcalc.interop.vocabulary import MAKING, MOVING, WORDS
from archcalc.spec.model import Source
from archcalc.spec.read import read

Shapes = list[tuple[int, ...] | None]


def counted(word: str, inputs: Shapes, output: tuple[int, ...], **attributes: object) -> Counts:
    return WORDS[word].rule(ShapedOperation(tuple(inputs), (output,), attributes))


def census(layers: str, input: str) -> tuple[int, ...]:
    """archcalc's own census of a spec: multiplies with products, additions, comparisons, …"""
    text = f'title = "t"\ninput = "{input}"\nlayers = ["{layers}"]\n'
    return tuple(analyze(build(read(Source("t.toml", text)), {})).total.census)


def as_census(counts: Counts) -> tuple[int, ...]:
    return (counts.products + counts.multiplies, *counts[2:])


MAP = (1, 8, 6, 5)
TOKENS = (1, 7, 8)
TWINS: dict[str, tuple[str, str, Shapes, tuple[int, ...], dict[str, object]]] = {
    **{
        f"{word}": (spec, "6x5x8", [MAP], MAP, {})
        for word, spec in {
            "relu": "relu", "relu6": "relu6", "sigmoid": "sigmoid", "tanh": "tanh", "silu": "swish",
            "gelu": "gelu", "hardsigmoid": "hsigmoid", "hardswish": "hswish", "leaky_relu": "leaky",
            "dropout": "dropout",
        }.items()
    },
    "batch_norm": ("bn", "6x5x8", [MAP, (8,), (8,), (8,), (8,)], MAP, {}),
    "local_response_norm": ("lrn 5", "6x5x8", [MAP], MAP, {"size": 5}),
    "softmax": ("softmax", "6x5x8", [MAP], MAP, {"dim": 1}),
    "conv": ("conv 4 k3 g2", "6x5x8", [MAP, (4, 4, 3, 3), (4,)], (1, 4, 4, 3), {"groups": 2}),
    "conv_transpose": (
        "deconv 4 k4 s2 p1 nobias", "6x5x8", [MAP, (8, 4, 4, 4)], (1, 4, 12, 10), {"stride": (2, 2)},
    ),
    "linear": ("linear 9", "1x1x8", [(1, 8), (9, 8), (9,)], (1, 9), {}),
    "max_pool": ("maxpool 2", "6x5x8", [MAP], (1, 8, 3, 2), {"kernel_size": 2}),
    "avg_pool": ("avgpool 2x3 s2", "6x5x8", [MAP], (1, 8, 3, 2), {"kernel_size": (2, 3)}),
    "adaptive_avg_pool": ("adaptivepool 4x3", "6x5x8", [MAP], (1, 8, 4, 3), {}),
    "adaptive_max_pool": ("adaptivepool 4x3 max", "6x5x8", [MAP], (1, 8, 4, 3), {}),
    "mean": ("gap", "6x5x8", [MAP], (1, 8), {"dim": (2, 3)}),
}  # fmt: skip


@pytest.mark.parametrize("word", TWINS)
def test_words_count_what_archcalcs_operators_count(word: str) -> None:
    spec, size, inputs, output, attributes = TWINS[word]
    assert as_census(counted(word, inputs, output, **attributes)) == census(spec, size)


def test_attention_and_layer_norm_count_what_archcalcs_do() -> None:
    """Four projections, scores and sums of 4 heads of 2 channels on 3 · 2 tokens; then a norm."""
    x, heads = (1, 6, 8), (1, 4, 6, 2)
    parts = [counted("linear", [x, (8, 8), (8,)], x)] * 4
    parts += [counted("attention", [heads, heads, heads], heads)]
    norm = counted("layer_norm", [x, (8,), (8,)], x, normalized_shape=(8,))
    found = NONE
    for part in [*parts, norm]:
        found = found.plus(part)
    assert as_census(found) == census("tokens | attention 4 | ln", "3x2x8")


def c(**steps: int) -> Counts:
    return Counts(**steps)


# one value of the output: the formula, step by step (a logarithm counts as an exponential)
EACH: dict[str, Counts] = {
    "add": c(additions=1),  # a + b
    "sub": c(additions=1),
    "mul": c(multiplies=1),
    "div": c(divisions=1),
    "floor_divide": c(divisions=1, comparisons=1),  # ⌊a / b⌋: rounded
    "remainder": c(divisions=1, comparisons=1, multiplies=1, additions=1),  # a − b·⌊a / b⌋
    "maximum": c(comparisons=1),
    "minimum": c(comparisons=1),
    "addcmul": c(multiplies=1, additions=1),  # a + b·c
    "addcdiv": c(divisions=1, additions=1),  # a + b / c
    "lerp": c(multiplies=1, additions=2),  # a + t·(b − a)
    "neg": c(additions=1),  # 0 − a
    "abs": c(comparisons=1),
    "sign": c(comparisons=2),  # above 0, below 0
    "round": c(comparisons=1),
    "clamp": c(comparisons=2),
    "compare": c(comparisons=1),
    "logical": c(comparisons=1),
    "pow": c(powers=1),
    "square": c(multiplies=1),
    "sqrt": c(roots=1),
    "rsqrt": c(roots=1, divisions=1),
    "reciprocal": c(divisions=1),
    "exp": c(exponentials=1),
    "log": c(exponentials=1),
    "log1p": c(exponentials=1, additions=1),  # log(1 + a)
    "expm1": c(exponentials=1, additions=1),  # exp(a) − 1
    "sin": c(exponentials=1),
    "cos": c(exponentials=1),
    "atan": c(exponentials=1),
    # Abramowitz & Stegun 7.1.26: |z|, sign; t = 1 / (1 + p·|z|); 5 products and 4 sums of a polynomial;
    # exp(−z²) and its product; 1 − that; the sign is a comparison
    "erf": c(multiplies=1 + 5 + 1 + 1, additions=1 + 4 + 1, comparisons=2, divisions=1, exponentials=1),
    "quantize": c(divisions=1, additions=1, comparisons=1 + 2),  # a / s, rounded, + zero, two bounds
    "dequantize": c(multiplies=1, additions=1),  # (a − zero)·s
    # both of them, one after the other
    "fake_quantize": c(divisions=1, multiplies=1, additions=1 + 1, comparisons=1 + 2),
    "prelu": c(multiplies=1, comparisons=1),
    "threshold": c(comparisons=1),
    "softshrink": c(comparisons=2, additions=1),  # below −a, above a; a away from it
    "elu": c(comparisons=1, exponentials=1, additions=1, multiplies=1),  # a·(exp(x) − 1) below 0
    "selu": c(comparisons=1, exponentials=1, additions=1, multiplies=2),  # and the scale
    "celu": c(comparisons=1, exponentials=1, additions=1, multiplies=1, divisions=1),  # a·(exp(x/a) − 1)
    "log_sigmoid": c(comparisons=1, exponentials=2, additions=1),  # min(x, 0) − …: log(1 + exp(−|x|))
    "softplus": c(comparisons=1, exponentials=2, additions=1),  # log(1 + exp(x)), linear when large
    "mish": c(multiplies=1, additions=1 + 2, divisions=1, exponentials=2 + 2),  # x·tanh(softplus(x))
    "softsign": c(comparisons=1, additions=1, divisions=1),  # x / (1 + |x|)
    "glu": c(multiplies=1, additions=1, divisions=1, exponentials=1),  # a·sigmoid(b)
    "scatter_add": c(additions=1),
}


@pytest.mark.parametrize("word", EACH)
def test_one_value(word: str) -> None:
    inputs: Shapes = [(3, 4)] if word in ("clamp",) else [(3, 4), (3, 4)]
    assert counted(word, inputs, (3, 4)) == EACH[word].times(12)


LINES = 3  # of 4 values
N = 4
LINE: dict[str, tuple[tuple[int, ...], Counts]] = {
    "sum": ((3,), c(additions=LINES * (N - 1))),
    "prod": ((3,), c(multiplies=LINES * (N - 1))),
    "amax": ((3,), c(comparisons=LINES * (N - 1))),
    "amin": ((3,), c(comparisons=LINES * (N - 1))),
    "argmax": ((3,), c(comparisons=LINES * (N - 1))),
    "any": ((3,), c(comparisons=LINES * (N - 1))),
    # mean: 3 sums, a multiply; 4 differences; 4 squares; 3 sums, a multiply
    "var": ((3,), c(additions=LINES * (3 + 4 + 3), multiplies=LINES * (1 + 4 + 1))),
    "var_mean": ((3,), c(additions=LINES * (3 + 4 + 3), multiplies=LINES * (1 + 4 + 1))),
    "std": ((3,), c(additions=LINES * 10, multiplies=LINES * 6, roots=LINES)),
    "norm": ((3,), c(multiplies=LINES * N, additions=LINES * (N - 1), roots=LINES)),
    "cumsum": ((3, 4), c(additions=LINES * (N - 1))),
    "cumprod": ((3, 4), c(multiplies=LINES * (N - 1))),
    # largest; 4 subtracted; 4 exponentials; 3 sums; a logarithm
    "logsumexp": ((3,), c(comparisons=9, additions=LINES * (4 + 3 + 1), exponentials=LINES * 5)),
    "log_softmax": ((3, 4), c(comparisons=9, additions=LINES * (4 + 3 + 4), exponentials=LINES * 5)),
    "sort": ((3, 4), c(comparisons=LINES * N * 2)),  # 2 = log₂ 4
    "topk": ((3, 2), c(comparisons=LINES * N * 2)),
}


@pytest.mark.parametrize("word", LINE)
def test_a_line_of_values(word: str) -> None:
    output, expected = LINE[word]
    assert counted(word, [(3, 4)], output, dim=1) == expected


def recurrent(gates: int) -> tuple[int, int]:
    """Products and sums of 5 steps, 3 inputs, 4 units: a gate sums 3 + 4 products and 2 biases."""
    return 5 * gates * 4 * (3 + 4), 5 * gates * 4 * ((3 - 1) + (4 - 1) + 1 + 2)


OTHERS: dict[str, tuple[Shapes, tuple[int, ...], dict[str, object], Counts]] = {
    "matmul": ([(2, 3, 4), (4, 5)], (2, 3, 5), {}, c(products=30 * 4, additions=30 * 3)),
    "addmm": ([(5,), (3, 4), (4, 5)], (3, 5), {}, c(products=15 * 4, additions=15 * 4)),
    # each pair of values is multiplied once, then by the weights of 5 outputs; sums of 12, and a bias
    "bilinear": (
        [(2, 3), (2, 4), (5, 3, 4), (5,)], (2, 5), {},
        c(products=10 * 12, additions=10 * 12, multiplies=2 * 12),
    ),
    "einsum": (
        [(2, 3, 4), (2, 5, 4)], (2, 3, 5), {"equation": "bik,bjk->bij"},
        c(products=30 * 4, additions=30 * 3),
    ),
    # 7 rows of 4 values become 3, each with a factor
    "embedding_bag": (
        [(9, 4), (7,), (3,), (7,)], (3, 4), {"mode": 0},
        c(additions=(7 - 3) * 4, multiplies=7 * 4),
    ),
    "cdist": ([(3, 4), (5, 4)], (3, 5), {}, c(multiplies=15 * 4, additions=15 * (4 + 3), roots=15)),
    "attention": (
        [(2, 3, 4), (2, 5, 4), (2, 5, 6), (3, 5)], (2, 3, 6), {},
        c(products=30 * 4 + 36 * 5, additions=30 * 3 + 30 + 36 * 4 + 6 * (5 + 4), comparisons=6 * 4,
          exponentials=30, divisions=30),
    ),
    # 9 taps on 2 channels at 16 places: 4 multiplies and 3 sums a sampled value
    "deform_conv": (
        [(1, 2, 6, 6), (3, 2, 3, 3), (1, 18, 4, 4)], (1, 3, 4, 4), {},
        c(products=48 * 18, multiplies=16 * 18 * 4, additions=48 * 17 + 16 * 18 * 3),
    ),
    "layer_norm": (
        [(3, 4), (4,), (4,)], (3, 4), {"normalized_shape": (4,)},
        c(multiplies=3 * (3 * 4 + 2), additions=3 * (4 * 4 - 1), roots=3, divisions=3),
    ),
    "group_norm": (
        [(1, 4, 5), None, None], (1, 4, 5), {"num_groups": 2},
        c(multiplies=2 * (2 * 10 + 2), additions=2 * (3 * 10 - 1), roots=2, divisions=2),
    ),
    "instance_norm": (
        [(1, 4, 5), None, None], (1, 4, 5), {},
        c(multiplies=4 * (2 * 5 + 2), additions=4 * (3 * 5 - 1), roots=4, divisions=4),
    ),
    # squares, 3 sums, by 1/n, eps, root, 1/…, scaled by it and by the weight
    "rms_norm": (
        [(3, 4), (4,)], (3, 4), {"normalized_shape": (4,)},
        c(multiplies=3 * (4 + 1 + 4 + 4), additions=3 * (3 + 1), roots=3, divisions=3),
    ),
    "lp_pool": ([(1, 2, 4)], (1, 2, 2), {"kernel_size": 2}, c(additions=4, multiplies=4)),
    "upsample_linear": (
        [(1, 2, 3, 3)], (1, 2, 6, 6), {}, c(multiplies=72 * 4, additions=72 * 3),
    ),
    "upsample_cubic": (
        [(1, 2, 3, 3)], (1, 2, 6, 6), {}, c(multiplies=72 * 16, additions=72 * 15),
    ),
    "grid_sample": (
        [(1, 2, 3, 3), (1, 6, 6, 2)], (1, 2, 6, 6), {}, c(multiplies=72 * 4, additions=72 * 3),
    ),
    "fold": ([(1, 8, 9)], (1, 2, 4, 4), {}, c(additions=72 - 32)),
    "lstm": (
        [(5, 1, 3), (1, 1, 4), (1, 1, 4), (16, 3), (16, 4), (16,), (16,)], (5, 1, 4),
        {"states": 2, "units": 4},
        c(products=recurrent(4)[0], additions=recurrent(4)[1] + 20 * (3 + 2 + 1 + 2), multiplies=20 * 3,
          divisions=20 * 5, exponentials=20 * 7),
    ),
    "gru": (
        [(5, 1, 3), (1, 1, 4), (12, 3), (12, 4), (12,), (12,)], (5, 1, 4), {"states": 1, "units": 4},
        c(products=recurrent(3)[0], additions=recurrent(3)[1] + 20 * (2 + 2 + 2), multiplies=20 * 3,
          divisions=20 * 3, exponentials=20 * 4),
    ),
    "rnn_tanh": (
        [(5, 1, 3), (1, 1, 4), (4, 3), (4, 4), (4,), (4,)], (5, 1, 4), {"states": 1, "units": 4},
        c(products=recurrent(1)[0], additions=recurrent(1)[1] + 20 * 2, divisions=20, exponentials=40),
    ),
    "rnn_relu": (
        [(5, 1, 3), (1, 1, 4), (4, 3), (4, 4), (4,), (4,)], (5, 1, 4), {"states": 1, "units": 4},
        c(products=recurrent(1)[0], additions=recurrent(1)[1], comparisons=20),
    ),
}  # fmt: skip


@pytest.mark.parametrize("word", OTHERS)
def test_by_hand(word: str) -> None:
    inputs, output, attributes, expected = OTHERS[word]
    assert counted(word, inputs, output, **attributes) == expected


@pytest.mark.parametrize("word", [*MOVING, *MAKING])
def test_moving_and_making_compute_nothing(word: str) -> None:
    assert counted(word, [(3, 4)], (3, 4)) == NONE


def test_every_word_has_a_line() -> None:
    lines = {*TWINS, *EACH, *LINE, *OTHERS, *MOVING, *MAKING}
    assert set(WORDS) - lines == set()
    assert lines <= set(WORDS)


def test_gelu_by_tanh() -> None:
    # x², x³, ·0.044715, ·√(2/π), x/2, the last product; the sum inside, 1 + tanh
    expected = c(multiplies=6, additions=1 + 2 + 1, divisions=1, exponentials=2)
    assert counted("gelu", [(3,)], (3,), approximate="tanh") == expected.times(3)


@pytest.mark.parametrize(
    ("exponent", "expected"),
    [
        (2, c(multiplies=1)),
        (3, c(multiplies=2)),
        (0.5, c(roots=1)),
        (-0.5, c(roots=1, divisions=1)),
        (-1, c(divisions=1)),
        (1, NONE),
        (2.2, c(powers=1)),
    ],
)
def test_powers(exponent: float, expected: Counts) -> None:
    assert counted("pow", [(5,)], (5,), exponent=exponent) == expected.times(5)


@pytest.mark.parametrize("dilation", [1, 2, 3])
def test_transposed_conv_is_what_a_loop_touches(dilation: int) -> None:
    n, kernel, stride = 5, 3, 2
    products: dict[int, int] = {}
    for i in range(n):
        for j in range(kernel):
            at = i * stride + j * dilation
            products[at] = products.get(at, 0) + 1
    sums = sum(count - 1 for count in products.values())
    found = counted(
        "conv_transpose", [(1, 1, n), (1, 1, kernel)], (1, 1, 9), stride=stride, dilation=dilation
    )
    assert found == c(products=n * kernel, additions=sums)


@pytest.mark.parametrize(
    ("equation", "shapes", "output", "products"),
    [
        ("ij,jk,kl->il", [(2, 3), (3, 4), (4, 5)], (2, 5), 2 * 3 * 4 + 2 * 4 * 5),  # from the left
        ("...ij,...jk->...ik", [(7, 2, 3), (7, 3, 4)], (7, 2, 4), 7 * 2 * 3 * 4),
        ("bhid,bhjd", [(1, 2, 3, 4), (1, 2, 5, 4)], (3, 5), 1 * 2 * 3 * 5 * 4),
        ("i,j->ij", [(2,), (3,)], (2, 3), 6),
    ],
)
def test_einsum(equation: str, shapes: Shapes, output: tuple[int, ...], products: int) -> None:
    assert counted("einsum", shapes, output, equation=equation).products == products


def test_a_sum_of_one_operand_has_no_products() -> None:
    assert counted("einsum", [(3, 4)], (3,), equation="ij->i") == c(additions=3 * 3)


def test_equations_that_do_not_fit() -> None:
    for equation, shapes in (("ij,jk->ik", [(2, 3)]), ("ij->i", [(2, 3, 4)])):
        with pytest.raises(CountingError):
            counted("einsum", list(shapes), (2,), equation=equation)


def test_sizes_are_exact_beyond_64_bits() -> None:
    big = (1 << 40, 1 << 22)
    assert counted("linear", [big, (1 << 22, 1 << 22)], big).products == prod(big) * (1 << 22)


def test_bags_of_rows() -> None:
    """7 rows of 4 values in 3 bags: their means take one more multiply a value, the largest compares."""
    shapes: Shapes = [(9, 4), (7,), (3,), None]
    assert counted("embedding_bag", shapes, (3, 4), mode=1) == c(additions=16, multiplies=12)
    assert counted("embedding_bag", shapes, (3, 4), mode=2) == c(comparisons=16)
