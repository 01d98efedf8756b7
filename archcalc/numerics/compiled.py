"""Numba's one door: how kernels are compiled, kept on disk, and shared out over the cores."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import cache
from importlib import import_module
from typing import Any, TypeVar, cast

numba: Any = import_module("numba")  # some versions are typed, and none as the kernels need it

# (Numba knows a cached kernel by its own file alone: after a change here, delete __pycache__)
OPTIONS = {
    "nogil": True,
    "error_model": "numpy",
    "fastmath": False,  # or q == q is true by decree, and the counters of nests.py are constants
    "forceinline": True,  # of small steps into nests: a call costs more than the loop that it does
}
THREADS: int = numba.config.NUMBA_NUM_THREADS  # the cores this process may use, or that variable
PIECES = 8  # for each thread: even shares, and Ctrl-C is heard between two of them

Function = TypeVar("Function", bound=Callable[..., Any])


class _Forgiving:
    """A cache that can be neither read nor written costs a compilation, not the run.

    Numba looks once, when a function is decorated, whether it may write; a disk that is full later, or
    a torn file (of which unpickling makes any exception), would end the program.
    """

    def __init__(self, cache: Any) -> None:
        self.cache = cache

    def load_overload(self, *arguments: Any) -> Any:
        with suppress(Exception):
            return self.cache.load_overload(*arguments)
        return None

    def save_overload(self, *arguments: Any) -> None:
        with suppress(Exception):
            self.cache.save_overload(*arguments)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.cache, name)


def compiled(function: Function) -> Function:
    """`function` as machine code, compiled at its first call, and cached on disk where that works."""
    kernel: Any
    try:
        kernel = numba.njit(cache=True, **OPTIONS)(function)
        kernel._cache = _Forgiving(kernel._cache)
    except RuntimeError:  # "cannot cache function: no locator available": no folder that can be written
        kernel = numba.njit(**OPTIONS)(function)
    return cast(Function, kernel)


def spread(kernel: Callable[..., Any], length: int, *arguments: Any, grain: int = 1) -> tuple[int, ...]:
    """The sums of what `kernel(*arguments, begin, end)` returns for the shares of range(length).

    A share is of `grain` at least, which is worth the call.

    Plain threads around kernels that leave the interpreter's lock: Numba's own threads go on spinning
    after the loop and fight with those of BLAS. This thread takes its part; the others wait for more.
    """
    pieces = max(min(length // max(grain, 1), THREADS * PIECES), 1)
    shares = iter([(length * i // pieces, length * (i + 1) // pieces) for i in range(pieces)])

    def work() -> list[tuple[int, ...]]:
        return [kernel(*arguments, begin, end) or () for begin, end in shares]

    others = [_pool().submit(work) for _ in range(min(THREADS, pieces) - 1)]
    try:
        parts = work()
    finally:  # an interrupt leaves no work behind
        list(shares)
    parts += [part for other in others for part in other.result()]
    return tuple(map(sum, zip(*parts, strict=True)))


@cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max(THREADS - 1, 1), "archcalc")
