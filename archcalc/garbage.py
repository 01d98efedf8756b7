"""Pause garbage collection while specs are read, built and analyzed, which drops nothing.

Python's cycle collector would scan all objects again and again: a third of the time of a graph of
100,000 layers, and more per layer the longer the graph. So it waits meanwhile. `archcalc.__main__`
lets it wait while modules are imported, too, and at exit: a tenth of the time of a short command.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count

SELDOM = 50
_times = count(1)


@contextmanager
def paused() -> Iterator[None]:
    """Pause cycle collection inside; restore it afterwards."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def collect_again() -> None:
    """Collect what becomes garbage from now on, if that was put off until the imports were done."""
    if not gc.isenabled():
        gc.freeze()
        gc.enable()


def collect() -> None:
    """Collect what is new, each `SELDOM`th time all, while collection is paused."""
    if not gc.isenabled():
        gc.collect(1 if next(_times) % SELDOM else 2)
