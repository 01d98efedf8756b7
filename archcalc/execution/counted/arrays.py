"""Count the arithmetic that NumPy performs on an array.

The counter belongs to the runtime: it sees ufuncs and the sizes of their results, and knows no operator.
A multiplication of arrays of n values is n multiplies; a reduction over k values takes k − 1 steps; a
matrix product of m×k by k×n is m·k·n products and m·(k−1)·n additions.
"""

from __future__ import annotations

from typing import Any

import numpy as np

KINDS = {  # a logarithm counts as an exponential
    np.add: "additions",
    np.subtract: "additions",
    np.multiply: "multiplies",
    np.square: "multiplies",
    np.divide: "divisions",
    np.reciprocal: "divisions",
    np.maximum: "comparisons",
    np.minimum: "comparisons",
    np.copysign: "comparisons",
    np.exp: "exponentials",
    np.log: "exponentials",
    np.expm1: "exponentials additions",
    np.log1p: "exponentials additions",
    np.power: "powers",
    np.sqrt: "roots",
}
FREE = {np.negative, np.positive, np.isnan}  # signs are bits, not arithmetic


class Counter:
    """Counts by kind; `products` are those of matrix products, which `multiplies` include."""

    def __init__(self) -> None:
        self.counts: dict[str, int] = {}

    def add(self, kind: str, count: int) -> None:
        self.counts[kind] = self.counts.get(kind, 0) + count


class Counted(np.ndarray[Any, Any]):
    """An array whose ufuncs are counted by its `counter`."""

    counter: Counter

    def __array_finalize__(self, source: Any) -> None:
        self.counter = getattr(source, "counter", Counter())

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        plain = [x.view(np.ndarray) if isinstance(x, Counted) else x for x in inputs]
        out = options.get("out")
        if out is not None:
            options["out"] = tuple(x.view(np.ndarray) if isinstance(x, Counted) else x for x in out)
        result = getattr(ufunc, method)(*plain, **options)
        _count(self.counter, ufunc, method, plain, result)
        if out is not None:
            return out[0]
        return counted(result, self.counter) if isinstance(result, np.ndarray) else result


def counted(array: Any, counter: Counter) -> Counted:
    """Return `array` as one whose arithmetic `counter` counts."""
    view: Counted = np.asarray(array).view(Counted)
    view.counter = counter
    return view


def _count(counter: Counter, ufunc: np.ufunc, method: str, inputs: list[Any], result: Any) -> None:
    if ufunc is np.matmul:
        outputs, inner = int(np.size(result)), int(inputs[0].shape[-1])
        counter.add("products", outputs * inner)
        counter.add("multiplies", outputs * inner)
        counter.add("additions", outputs * (inner - 1))
        return
    if ufunc in FREE:
        return
    if ufunc not in KINDS:
        raise TypeError(f"{ufunc} is not counted")
    steps = int(np.size(result))
    if method == "reduce":
        steps = int(np.size(inputs[0])) - steps
    elif method != "__call__":
        raise TypeError(f"{ufunc}.{method} is not counted")
    for kind in KINDS[ufunc].split():
        counter.add(kind, steps)
