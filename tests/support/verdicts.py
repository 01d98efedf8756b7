"""Verdicts on the published numbers: each number is judged once in a process, whoever asks."""

from __future__ import annotations

from functools import cache

from archcalc.api import load
from archcalc.audit.published import Published, families, numbers
from archcalc.audit.verdicts import Networks, Verdict, judge

NETWORKS = Networks(load)


@cache
def judged(number: Published) -> Verdict:
    """Return the verdict of `judge` on a number."""
    return judge(number, NETWORKS)


@cache
def verdicts() -> list[Verdict]:
    """Return the verdicts on all published numbers."""
    return [judged(number) for family in families() for number in numbers(family)]
