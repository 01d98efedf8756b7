"""Measure the layers for the bars of a drawing."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from archcalc.analysis.costs import Analysis
from archcalc.tuples import NamedTuple

By = Literal["multiplies", "params", "alive", "field"]
MEASURES: tuple[By, ...] = ("multiplies", "params", "alive", "field")
WORDS = {
    "multiplies": "multiplies",
    "params": "parameters",
    "alive": "values alive at once",
    "field": "pixels of receptive field",
}


class Measure(NamedTuple):
    """One number per layer; several layers have the sum, or the maximum of values alive and fields."""

    by: By
    layers: tuple[int, ...]
    total: int
    sums: bool

    def of(self, layers: Iterable[int]) -> int:
        found = [self.layers[i] for i in layers]
        return sum(found) if self.sums else max(found, default=0)


def measured(analysis: Analysis, by: By) -> Measure:
    """Return multiplies, parameters, values alive in a layer, or the larger side of its field."""
    if by in ("multiplies", "params"):
        name = "multiplies" if by == "multiplies" else "parameters"
        layers = tuple(int(getattr(layer.costs, name)) for layer in analysis.layers)
        return Measure(by, layers, sum(layers), True)
    found = _alive(analysis) if by == "alive" else _fields(analysis)
    return Measure(by, found, max(found), False)


def _alive(analysis: Analysis) -> tuple[int, ...]:
    from archcalc.analysis.memory import measure

    live = {step.node: int(step.live) for step in measure(analysis.graph).steps}
    return tuple(live.get(i, 0) for i in range(len(analysis.layers)))


def _fields(analysis: Analysis) -> tuple[int, ...]:
    """Return the larger side of each field in pixels; for the whole image, the image's larger side."""
    from archcalc.analysis.field import receptive_fields

    whole = int(max(analysis.graph.input.extents))
    sides = (
        [axis.size if axis else whole for axis in field.axes]
        for field in receptive_fields(analysis.graph).nodes
    )
    return tuple(int(max(pair)) for pair in sides)
