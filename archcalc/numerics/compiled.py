"""Numba's one door: how kernels are compiled, kept on disk, and shared out over the cores."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
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


def spread(kernel: Callable[..., tuple[int, ...]], length: int, *arguments: Any) -> tuple[int, ...]:
    """The sums of what `kernel(*arguments, begin, end)` returns for the shares of range(length).

    Plain threads around kernels that leave the interpreter's lock: Numba's own threads go on spinning
    after the loop and fight with those of BLAS.
    """
    pieces = max(min(length, THREADS * PIECES), 1)
    bounds = [length * i // pieces for i in range(pieces + 1)]
    with ThreadPoolExecutor(THREADS) as pool:
        parts = list(pool.map(lambda b, e: kernel(*arguments, b, e), bounds[:-1], bounds[1:]))
    return tuple(map(sum, zip(*parts, strict=True)))
