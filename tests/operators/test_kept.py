"""What an operator keeps for the way back: by the derivatives of the reference execution.

A derivative that is the same wherever it is taken needs nothing of the forward pass; one that changes
with the place needs something. Both are measured by central differences in double precision. What is
said to be a function of the output, or of the input, is computed from that alone.
"""

from __future__ import annotations

from collections.abc import Callable
from math import erf
from typing import Any

import numpy as np
import pytest
from support.operator_cases import CASES, arrays_of, op, weights_of
from support.slopes import STEP, slope

from archcalc.execution.reference import run
from archcalc.operators import TABLE
from archcalc.operators.kept import OUTPUT, WEIGHTS, Intermediate
from archcalc.operators.model import TRAINABLE
from archcalc.operators.shape import Shape

# executed as at inference, where they are linear; ids have no derivative
APART = ("bn", "dropout", "droppath", "embedding")
LAWFUL = [(o, x) for o, x in CASES if o.name not in APART]


def doubles(operator: Any, inputs: tuple[Shape, ...]) -> tuple[list[Any], dict[str, Any]]:
    arrays = [a.astype(np.float64) for a in arrays_of(operator, inputs)]
    return arrays, {k: w.astype(np.float64) for k, w in weights_of(operator, inputs).items()}


@pytest.mark.parametrize("case", LAWFUL, ids=lambda case: str(case[0]))
def test_what_changes_a_derivative_is_kept(case: tuple[Any, tuple[Shape, ...]]) -> None:
    operator, inputs = case
    here, weights = doubles(operator, inputs)
    there, _ = doubles(operator, inputs)
    there = [2 * a + 0.3 for a in there]
    trained = any(w.role in TRAINABLE for w in operator.weights(*inputs))
    for role in (*range(len(inputs)), *((WEIGHTS,) if trained else ())):
        of = [weights[k] for k in weights] if role == WEIGHTS else [here[role]]
        way = [np.random.default_rng(7).standard_normal(a.shape) for a in of]
        places = [slope(operator, x, weights, way, role) for x in (here, there)]
        alike = np.allclose(*places, rtol=1e-4, atol=1e-6)
        needs = any(role in kept.of and size(kept, inputs, operator) for kept in operator.kept(*inputs))
        assert alike != needs or trivial(operator, inputs, role), (role, operator.kept(*inputs))


def size(kept: Any, inputs: tuple[Shape, ...], operator: Any) -> int:
    return int(kept.what.values) if isinstance(kept.what, Intermediate) else 1


def trivial(operator: Any, inputs: tuple[Shape, ...], role: int) -> bool:
    """What is kept by the rule, though this case is so small that nothing changes its derivative.

    The largest of one value; a line of one value that is normalized; a softmax over one token; a state
    that relu cuts at the same places.
    """
    x, single = inputs[0], operator.output_shape(*inputs).values == inputs[0].values
    alone = {
        "max": single,
        "maxpool": single,
        "ln": x.channels == 1,
        "instancenorm": x.positions == 1,
        "attention": x[0] == 1,
        "windowattention": getattr(operator, "window", 0) == 1,
        "rnn": getattr(operator, "act", "") == "relu",
    }
    by_scale = role == WEIGHTS and operator.name in ("ln", "instancenorm")  # times 0, which it is
    return (role == 0 or by_scale) and bool(alone.get(operator.name))


X, Y = "input", "output"
SCALE, ALPHA = 1.0507009873554805, 1.6732632423543772  # Klambauer et al. 2017


def sigmoid(x: Any) -> Any:
    return 1 / (1 + np.exp(-x))


def normal(x: Any) -> Any:
    """The distribution of the normal law."""
    return (1 + np.vectorize(erf)(x / np.sqrt(2))) / 2


def softplus_tanh(x: Any) -> Any:
    return np.tanh(np.log1p(np.exp(x)))


# of the tensor that is kept, and of nothing else
DERIVATIVES: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "relu": (Y, lambda y: y > 0),
    "relu6": (Y, lambda y: (y > 0) & (y < 6)),
    "hardtanh": (Y, lambda y: abs(y) < 1),
    "leaky": (Y, lambda y: np.where(y > 0, 1, 0.1)),
    "elu": (Y, lambda y: np.where(y > 0, 1, y + 1)),
    "selu": (
        Y,
        lambda y: np.where(y > 0, 1.0507009873554805, y + 1.0507009873554805 * 1.6732632423543772),
    ),
    "sigmoid": (Y, lambda y: y * (1 - y)),
    "tanh": (Y, lambda y: 1 - y * y),
    "softplus": (Y, lambda y: 1 - np.exp(-y)),
    "hsigmoid": (Y, lambda y: ((y > 0) & (y < 1)) / 6),
    "swish": (X, lambda x: sigmoid(x) * (1 + x * (1 - sigmoid(x)))),
    "gelu": (X, lambda x: normal(x) + x * np.exp(-x * x / 2) / np.sqrt(2 * np.pi)),
    "mish": (X, lambda x: softplus_tanh(x) + x * (1 - softplus_tanh(x) ** 2) * sigmoid(x)),
    "hswish": (X, lambda x: np.where(x > 3, 1, np.where(x < -3, 0, x / 3 + 0.5))),
}


@pytest.mark.parametrize("name", DERIVATIVES)
def test_the_kept_tensor_is_enough(name: str) -> None:
    x = np.linspace(-7.3, 8.1, 41).reshape(1, 1, 1, -1)
    kept, derivative = DERIVATIVES[name]
    (told,) = op(name).kept(Shape(1, 1, 41))
    assert told.what == (OUTPUT if kept == Y else 0)
    operator = op(name)
    measured = slope(operator, [x], {}, [np.ones_like(x)], 0)
    of = run(operator, [x], {}) if kept == Y else x
    assert np.allclose(derivative(of), measured, atol=1e-5)


@pytest.mark.parametrize("name", ["softmax", "logsoftmax"])
def test_softmax_needs_its_output(name: str) -> None:
    """dx = y·(dy − Σ dy·y) of the softmax y; dx = dy − y·Σ dy of its logarithm."""
    rng = np.random.default_rng(1)
    x, way, dy = (rng.standard_normal((1, 1, 1, 9)) for _ in range(3))
    y = run(op(name), [x], {})
    dx = y * (dy - (dy * y).sum()) if name == "softmax" else dy - np.exp(y) * dy.sum()
    along = slope(op(name), [x], {}, [way], 0)
    assert np.isclose((dx * way).sum(), (dy * along).sum(), atol=1e-6)


def test_batch_norm_needs_its_input_and_two_numbers_a_channel() -> None:
    """dx = γ/σ · (dy − mean(dy) − x̂·mean(dy·x̂)), x̂ from the input, its mean and 1/σ."""
    rng = np.random.default_rng(2)
    x, dy, way = (rng.standard_normal((4, 5, 3, 2)) for _ in range(3))
    gamma, axes = rng.standard_normal(2), (0, 1, 2)

    def norm(x: Any) -> Any:
        return gamma * (x - x.mean(axes)) / np.sqrt(x.var(axes) + 1e-5)

    mean, inverse = x.mean(axes), 1 / np.sqrt(x.var(axes) + 1e-5)
    hat = (x - mean) * inverse
    dx = gamma * inverse * (dy - dy.mean(axes) - hat * (dy * hat).mean(axes))
    along = (norm(x + STEP * way) - norm(x - STEP * way)) / (2 * STEP)
    assert np.isclose((dx * way).sum(), (dy * along).sum(), atol=1e-5)
    values, statistics = op("bn").kept(Shape(5, 3, 2))
    assert values.what == 0
    assert isinstance(statistics.what, Intermediate)
    assert (statistics.what.values, statistics.what.once) == (mean.size + inverse.size, True)


def test_a_max_pool_needs_its_indices() -> None:
    """The derivative of an output goes to the place that the index names: one of 2 · 2."""
    rng = np.random.default_rng(3)
    x, way, dy = rng.standard_normal((4, 6)), rng.standard_normal((4, 6)), rng.standard_normal((2, 3))
    windows = x.reshape(2, 2, 3, 2).transpose(0, 2, 1, 3).reshape(2, 3, 4)
    index = windows.argmax(-1).astype(np.uint8)
    dx = np.zeros((2, 3, 4))
    np.put_along_axis(dx, index[..., None].astype(int), dy[..., None], -1)
    dx = dx.reshape(2, 3, 2, 2).transpose(0, 2, 1, 3).reshape(4, 6)
    along = slope(op("maxpool", 2), [x.reshape(1, 4, 6, 1)], {}, [way.reshape(1, 4, 6, 1)], 0)
    assert np.isclose((dx * way).sum(), (dy * along.reshape(2, 3)).sum(), atol=1e-6)
    (kept,) = op("maxpool", 2).kept(Shape(4, 6, 1))
    assert kept.what == Intermediate("indices", index.size, 2 * 2)


def test_every_operator_states_it() -> None:
    """A new one that forgets is named here."""
    cases = {operator.name: (operator, inputs) for operator, inputs in CASES}
    silent = []
    for name in TABLE:
        operator, inputs = cases[name]
        try:
            operator.kept(*inputs)
        except NotImplementedError:
            silent.append(name)
    assert silent == []
