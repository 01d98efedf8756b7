"""One variable over a few of its values: the metrics of a sweep at each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from archcalc.errors import ArchError
from archcalc.formats import formats_of
from archcalc.live.answer import Part
from archcalc.live.question import Question
from archcalc.sweeps.metrics import MEANING, metrics

MOST = 200  # values


def swept(asked: Question, variable: str, values: Sequence[str]) -> Iterator[Part]:
    """Yield the names of the metrics, then each value's, as texts; none where the layers do not fit."""
    yield {"part": "metrics", "metrics": list(MEANING.items())}
    formats = formats_of("float32")
    for value in values:
        point = asked._replace(settings={**asked.settings, variable: value})
        try:
            found = metrics(point.network().graph, formats)
        except ArchError as error:
            yield {"part": "point", "value": value, "why": error.diagnostics[0].message}
            continue
        yield {"part": "point", "value": value, "metrics": {k: str(int(v)) for k, v in found.items()}}
