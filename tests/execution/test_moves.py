"""What joins, cuts, turns and regroups tensors, against NumPy written out: values and counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from support.operator_cases import op

from archcalc.execution import reference
from archcalc.execution.counted import loops
from archcalc.execution.counted.arrays import Counter as Tally
from archcalc.execution.counted.arrays import counted
from archcalc.execution.fast.operators import KERNELS, prepare, scratch
from archcalc.operators.model import Operator
from archcalc.operators.shape import Shape

Numpy = Callable[..., Any]
MAP, GATE, ROW, COLUMN = Shape(5, 4, 6), Shape(5, 4, 1), Shape(1, 4, 6), Shape(5, 1, 6)
VECTOR, LINE, VOLUME = Shape(1, 1, 6), Shape(7, 6), Shape(3, 5, 4, 6)

# images stand first: axis 1 is the first of the positions, −1 the channels
CASES: list[tuple[Operator, tuple[Shape, ...], Numpy]] = [
    (op("mul"), (MAP, GATE), lambda x, y: x * y),
    (op("mul"), (GATE, MAP), lambda x, y: x * y),
    (op("add"), (MAP, VECTOR), lambda x, y: x + y),
    (op("add"), (LINE, VECTOR), lambda x, y: x + y[:, 0]),
    (op("sub"), (VECTOR, VOLUME), lambda x, y: x[:, None] - y),
    (op("sub"), (MAP, MAP, VECTOR), lambda x, y, z: x - y - z),
    (op("add"), (ROW, COLUMN), lambda x, y: x + y),
    (op("maximum"), (MAP, ROW, COLUMN), lambda x, y, z: np.maximum(np.maximum(x, y), z)),
    (op("maximum"), (LINE, Shape(1, 6)), np.maximum),
    (op("concat", axis="height"), (MAP, Shape(2, 4, 6)), lambda *xs: np.concatenate(xs, 1)),
    (op("concat", axis="width"), (MAP, Shape(5, 3, 6)), lambda *xs: np.concatenate(xs, 2)),
    (op("concat", axis="length"), (LINE, LINE), lambda *xs: np.concatenate(xs, 1)),
    (op("concat", axis="length"), (VECTOR, LINE), lambda x, y: np.concatenate([x[:, 0], y], 1)),
    (op("concat", axis="frames"), (VOLUME, VOLUME), lambda *xs: np.concatenate(xs, 1)),
    (op("slice", 3, axis="height", **{"from": 1}), (MAP,), lambda x: x[:, 1:4]),
    (op("slice", 2, axis="width", **{"from": 2}), (MAP,), lambda x: x[:, :, 2:]),
    (op("slice", 1, axis="length", **{"from": 6}), (LINE,), lambda x: x[:, 6:]),
    (op("matmul"), (LINE, Shape(6, 3)), np.matmul),
    (op("matmul", transposed=True), (LINE, Shape(2, 6)), lambda x, y: x @ y.swapaxes(1, 2)),
    (op("matmul", scaled=True), (LINE, Shape(6, 3)), lambda x, y: x @ y / 6**0.5),
    (op("matmul"), (MAP, Shape(5, 6, 2)), np.matmul),  # five matrices side by side
    (op("matmul"), (MAP, Shape(1, 6, 2)), np.matmul),
    (op("matmul"), (MAP, Shape(6, 2)), lambda x, y: x @ y[:, None]),
    (op("matmul"), (LINE, Shape(3, 6, 2)), lambda x, y: x[:, None] @ y),
    (op("matmul"), (VECTOR, Shape(6, 2)), lambda x, y: x @ y[:, None]),
    (op("mean"), (MAP,), lambda x: x.mean(-1, keepdims=True)),
    (op("sum", axis="height"), (MAP,), lambda x: x.sum(1, keepdims=True)),
    (op("max", axis="width"), (MAP,), lambda x: x.max(2, keepdims=True)),
    (op("mean", axis="length"), (LINE,), lambda x: x.mean(1, keepdims=True)),
    (op("max", axis="frames"), (VOLUME,), lambda x: x.max(1, keepdims=True)),
    (op("mean", axis="positions"), (VOLUME,), lambda x: x.mean((1, 2, 3), keepdims=True)),
    (op("roll", 2), (MAP,), lambda x: np.roll(x, (2, 2), (1, 2))),
    (op("roll", -3, axis="height"), (MAP,), lambda x: np.roll(x, -3, 1)),
    (op("roll", 14, axis="width"), (MAP,), lambda x: np.roll(x, 14, 2)),
    (op("roll", 1, axis="channels"), (MAP,), lambda x: np.roll(x, 1, 3)),
    (op("roll", -(2**63) + 1, rank=1), (LINE,), lambda x: np.roll(x, (-(2**63) + 1) % 7, 1)),
    (op("roll", 1, rank=3), (VOLUME,), lambda x: np.roll(x, (1, 1, 1), (1, 2, 3))),
    (op("permute", (1, 0, 2)), (MAP,), lambda x: x.transpose(0, 2, 1, 3)),
    (op("permute", (2, 0, 1)), (MAP,), lambda x: x.transpose(0, 3, 1, 2)),
    (op("permute", (1, 0), rank=1), (LINE,), lambda x: x.transpose(0, 2, 1)),
    (op("permute", (0, 3, 1, 2), rank=3), (VOLUME,), lambda x: x.transpose(0, 1, 4, 2, 3)),
    (op("reshape", (4, 5, 6)), (MAP,), lambda x: x.reshape(-1, 4, 5, 6)),
    (op("reshape", (-1, 8)), (MAP,), lambda x: x.reshape(-1, 15, 8)),
    (op("reshape", (2, 3, 7, 1), rank=1), (LINE,), lambda x: x.reshape(-1, 2, 3, 7, 1)),
    (op("reshape", (42,), rank=1), (LINE,), lambda x: x.reshape(-1, 1, 1, 42)),
]


def by_kernel(operator: Operator, arrays: list[Any], shape: Shape) -> Any:
    if operator.buffer == "view":  # it looks at its input, wherever that is
        return arrays[0].reshape(len(arrays[0]), *shape)
    y = np.full((len(arrays[0]), *shape), np.nan, np.float32)
    room = np.zeros(scratch(operator, arrays[0].shape, y.shape), np.float32)
    KERNELS[operator.name](operator, arrays, prepare(operator, {}, y.shape[-1], np.float32), y, room)
    return y


@pytest.mark.parametrize(
    ("operator", "inputs", "written"), CASES, ids=[f"{o} {' '.join(map(str, x))}" for o, x, _ in CASES]
)
def test_as_numpy(operator: Operator, inputs: tuple[Shape, ...], written: Numpy) -> None:
    """The definition, the kernel and the loops, on two images; what NumPy did for one is the census."""
    random = np.random.default_rng(3)
    arrays = [random.standard_normal((2, *x)).astype(np.float32) for x in inputs]
    wanted, shape = written(*arrays), operator.output_shape(*inputs)
    assert wanted.shape[1:] == shape
    found = [reference.run(operator, arrays, {}), by_kernel(operator, arrays, shape)]
    declared = Counter[str]()
    for work in operator.work(*inputs):
        declared[work.kind] += work.total
    declared["multiplies"] += declared["products"]
    tally = Tally()
    reference.run(operator, [counted(x[:1], tally) for x in arrays], {})
    assert +declared == Counter(tally.counts)
    if operator.name in loops.LOOPS:
        executed = loops.run(operator, arrays, {})
        found.append(executed.output)
        assert executed.counts == {kind: 2 * count for kind, count in (+declared).items()}
    for y in found:
        np.testing.assert_allclose(y, wanted, rtol=1e-5, atol=1e-6)
