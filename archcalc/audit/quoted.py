"""Find who has printed a number: the entries of specs/published/ with the same digits."""

from __future__ import annotations

from collections.abc import Iterator

from archcalc.audit.figure import Figure, is_size
from archcalc.audit.printed import Printed
from archcalc.audit.published import numbers
from archcalc.audit.ratios import Ratio
from archcalc.audit.verdicts import Networks, Verdict, judge


def quoted(spec_name: str, printed: Printed, networks: Networks) -> Iterator[Verdict]:
    """Yield the entries of a spec file with the same digits in the same unit, each with its verdict."""
    worths = {scale.worth for scale in printed.scales if not scale.departs}
    for number in numbers(spec_name):
        if is_size(number.printed):
            continue
        figure = Figure.of(number.printed)
        same = (figure.number, figure.place) == (printed.number, printed.place)
        if same and figure.relation == "=" and figure.scales[0].worth in worths:
            yield judge(number, networks)


def quoted_ratio(spec_name: str, ratio: Ratio, networks: Networks) -> Iterator[Verdict]:
    """Yield the ratios of a spec file with the same digits."""
    for number in numbers(spec_name):
        if number.quantity == "ratio":
            figure = Figure.of(number.printed)
            if (figure.number, figure.place) == (ratio.figure.number, ratio.figure.place):
                yield judge(number, networks)
