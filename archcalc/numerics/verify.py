"""Predicted against executed, layer by layer.

A layer runs three times on the same inputs: by its definition on arrays that count, by compiled loops
that count every step, and by the fast kernel of the forward pass. What the analysis predicted must be
what each of them did.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from archcalc.analysis.costs import Layer, analyze
from archcalc.graph.model import Graph
from archcalc.numerics import loops, reference
from archcalc.numerics.counting import Counter, counted
from archcalc.numerics.forward import Forward
from archcalc.numerics.reference import Array, Weights

TOLERANCE = 1e-4  # of the largest value, between two ways to compute a layer in float32


class Check(NamedTuple):
    """One comparison: what is compared, by whom it was executed, and both values."""

    what: str
    by: str
    predicted: Any
    executed: Any

    @property
    def holds(self) -> bool:
        return bool(self.predicted == self.executed)


class Verdict(NamedTuple):
    """All checks of a layer; `skipped` says why it has no counted loops, if it has none."""

    path: str
    operator: str
    checks: tuple[Check, ...]
    skipped: str = ""

    @property
    def holds(self) -> bool:
        return all(check.holds for check in self.checks)

    @property
    def failures(self) -> tuple[Check, ...]:
        return tuple(check for check in self.checks if not check.holds)


def verify(graph: Graph, weights: Mapping[str, Weights], image: Array) -> Iterator[Verdict]:
    """A verdict for every layer, in the order in which they run."""
    layers = analyze(graph).layers
    forward = Forward(graph, weights)
    forward.begin(image)
    for index, layer in enumerate(layers):
        if layer.node.inputs:
            inputs = [forward.values[i].copy() for i in layer.node.inputs]
            forward.step(index)
            yield judge(layer, inputs, weights.get(layer.path, {}), forward.values[index])


def judge(layer: Layer, inputs: list[Array], weights: Weights, fast: Array) -> Verdict:
    """The checks of one layer, whose fast kernel made `fast` of these inputs."""
    operator, images = layer.node.operator, len(fast)
    counter = Counter()
    watched = [counted(x, counter) for x in inputs]
    oracle = np.asarray(reference.run(operator, watched, weights))
    checks = [
        Check("shape", "definition", tuple(map(int, layer.node.shape)), oracle.shape[1:]),
        Check("parameters", "definition", int(layer.costs.stored_numbers), _numbers(weights)),
        *_counts(layer, counter.counts, "definition", images),
        _values("kernel", oracle, fast),
    ]
    reason = loops.REFUSED.get(operator.name, "")
    if not reason:
        executed = loops.run(operator, inputs, weights)
        checks += _counts(layer, executed.counts, "loops", images)
        checks.append(_values("loops", oracle, executed.output))
    return Verdict(layer.path, operator.name, tuple(checks), reason)


def _numbers(weights: Weights) -> int:
    """The numbers that the execution was given."""
    return sum(int(array.size) for array in weights.values())


def _counts(layer: Layer, counts: dict[str, int], by: str, images: int) -> Iterator[Check]:
    """Every kind of the census, and the headline, for so many images."""
    census = {kind: int(count) for kind, count in layer.costs.census._asdict().items()}
    predicted = {"products": int(layer.costs.multiplies), **census}
    for kind, count in predicted.items():
        if count or counts.get(kind):
            yield Check(kind, by, count * images, counts.get(kind, 0))


def _values(by: str, oracle: Array, other: Array) -> Check:
    """Whether two ways to compute a layer agree; the executed value is the largest difference."""
    if oracle.shape != other.shape:
        return Check("values", by, oracle.shape, other.shape)
    scale = float(np.max(np.abs(oracle))) if oracle.size else 0.0
    worst = float(np.max(np.abs(oracle - other))) if oracle.size else 0.0
    agrees = worst <= TOLERANCE * scale
    return Check("values", by, "equal", "equal" if agrees else f"off by {worst:.3g} of {scale:.3g}")
