"""Reading, building and analyzing allocate much and drop nothing.

Python's cycle collector would scan all of it again and again: a third of the time of a graph of 100,000
layers, and more a layer the longer the graph. So it waits while one of them runs.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def paused() -> Iterator[None]:
    """No cycle collection inside; afterwards as it was before."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
