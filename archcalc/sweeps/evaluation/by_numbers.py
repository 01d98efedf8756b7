"""Evaluate points by their numbers, in a grid or a sample, if one program is valid at all of them."""

from __future__ import annotations

from collections.abc import Sequence

from archcalc.sweeps.evaluation.collector import Collector
from archcalc.sweeps.evaluation.engine import Engine
from archcalc.sweeps.evaluation.structures import Structure
from archcalc.sweeps.program.code import compile_forms


class NumberedPoints:
    """The points of an engine; one kernel generates them, evaluates them, and keeps the useful ones."""

    def __init__(self, engine: Engine, structure: Structure, signs: Sequence[int]) -> None:
        from archcalc.sweeps.machine.vector_kept import PointKernel
        from archcalc.sweeps.machine.vector_points import PointSource

        self.outcomes, simple, points = structure.outcomes, structure.simple, engine.points
        code = compile_forms(simple.forms, engine.outputs(structure, signs))
        source = PointSource(points.lengths, points.plan)
        inputs = engine.structures.inputs
        self.points = PointKernel(source, code, inputs, simple.passed, points.size)

    def run(self, begin: int, end: int, collector: Collector) -> int:
        """Evaluate the points from `begin` to `end` − 1, collect the useful ones; return the count."""
        kept = self.points.run(begin, end, collector.bars())
        collector.add_rows(kept, self.outcomes, lambda places: places + begin)
        return end - begin
