"""Evaluate points by number (of a grid or a sample) if one program holds for all of them."""

from __future__ import annotations

from collections.abc import Sequence

from archcalc.sweeps.evaluation.collector import Collector
from archcalc.sweeps.evaluation.engine import Engine
from archcalc.sweeps.evaluation.structures import WHERE, Structure
from archcalc.sweeps.program.code import compile_forms
from archcalc.sweeps.program.linear_forms import constant


class NumberedPoints:
    """An engine's points; one kernel makes them, evaluates them, and keeps the useful ones."""

    def __init__(self, engine: Engine, structure: Structure, signs: Sequence[int]) -> None:
        from archcalc.sweeps.machine.vector_kept import PointKernel
        from archcalc.sweeps.machine.vector_points import PointSource

        self.outcomes, simple, points = structure.outcomes, structure.simple, engine.points
        goals = [
            simple.forms.scale(simple.results[n], s) for n, s in zip(engine.wanted, signs, strict=False)
        ]
        where = simple.results.get(WHERE, constant(1))
        code = compile_forms(simple.forms, [simple.first, where, *goals])
        source = PointSource(points.lengths, points.plan)
        inputs = engine.structures.inputs
        self.points = PointKernel(source, code, inputs, simple.passed, points.size)

    def run(self, begin: int, end: int, collector: Collector) -> int:
        """Evaluate the points from `begin` to `end` − 1, collect the useful ones; return the count."""
        kept = self.points.run(begin, end, collector.bars())
        collector.add_rows(kept, self.outcomes, lambda places: places + begin)
        return end - begin
