"""Pause garbage collection while specs are read, built and analyzed, which drops nothing.

Python's cycle collector would scan all objects again and again: a third of the time of a graph of
100,000 layers, and more per layer the longer the graph. So it waits meanwhile.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


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
