"""One variable over a few of its values: the metrics of a sweep at each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from archcalc.analysis.costs import Analysis
from archcalc.errors import ArchError
from archcalc.formats import formats_of
from archcalc.live.answer import Part
from archcalc.live.question import Question
from archcalc.sweeps.metrics import MEANING, metrics
from archcalc.symbols import Int

MOST = 200  # values


def swept(asked: Question, variable: str, values: Sequence[str], block: str) -> Iterator[Part]:
    """Yield the names of the metrics, then each value's, as texts; none where the layers do not fit.

    Parameters and multiplies are also those of a block, if one is named.
    """
    yield {"part": "metrics", "metrics": list(MEANING.items())}
    formats = formats_of("float32")
    for value in values:
        point = asked._replace(settings={**asked.settings, variable: value})
        try:
            network = point.network()
            found = metrics(network.graph, formats) | _of_block(network.analyze(), block)
        except ArchError as error:
            yield {"part": "point", "value": value, "why": error.diagnostics[0].message}
            continue
        yield {"part": "point", "value": value, "metrics": {k: str(int(v)) for k, v in found.items()}}


def _of_block(analysis: Analysis, block: str) -> dict[str, Int]:
    """Return what the layers of a block sum to; nothing without one."""
    if not block:
        return {}
    costs = [layer.costs for layer in analysis.layers if f"{layer.path}/".startswith(f"{block}/")]
    parameters = sum(int(cost.parameters) for cost in costs)
    return {"block parameters": parameters, "block multiplies": sum(int(c.multiplies) for c in costs)}
