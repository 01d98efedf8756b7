"""Time each layer, and compare it with this machine's fastest matrix product."""

from __future__ import annotations

from time import perf_counter

import numpy as np

from archcalc.execution.forward import Forward
from archcalc.execution.model import Array

LEAST, MOST = 3, 100  # passes
ENOUGH = 2.0  # seconds, after which no pass begins
PEAK = 1.5  # seconds spent to find the peak
SIDES = (512, 1024, 2048)  # of matrices, the fastest of whose products is the peak


def best_seconds(forward: Forward, images: Array) -> list[float]:
    """Return node → seconds of its fastest run in several passes; an input takes 0.

    A first pass, which compiles and touches all memory, does not count.
    """
    best = [float("inf")] * len(forward.graph.nodes)
    inputs = forward.graph.inputs
    best[:inputs] = [0.0] * inputs
    began = perf_counter()
    forward.run(images)
    for number in range(MOST):
        if number >= LEAST and perf_counter() - began > ENOUGH:
            break
        forward.begin(images)
        for index in range(inputs, len(best)):
            start = perf_counter()
            forward.step(index)
            best[index] = min(best[index], perf_counter() - start)
    return best


def peak() -> float:
    """Return the products per second of a float32 matrix product, the best of several sizes."""
    fastest, began = 0.0, perf_counter()
    for side in SIDES:
        a, b = np.random.default_rng(0).standard_normal((2, side, side), dtype=np.float32)
        out = np.empty_like(a)
        while perf_counter() - began < PEAK / len(SIDES):
            start = perf_counter()
            np.matmul(a, b, out=out)
            fastest = max(fastest, side**3 / (perf_counter() - start))
        began = perf_counter()
    return fastest
