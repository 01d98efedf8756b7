"""Check the address space of the process before a library fails for lack of it.

NumPy's OpenBLAS aborts the process if it gets no memory, and LLVM fails to load.
"""

from __future__ import annotations

import os
from contextlib import suppress

from archcalc.errors import Diagnostic, UsageError
from archcalc.units import binary

NUMPY = 200 << 20  # bytes of address space until it has loaded, measured with two threads
NUMBA = 480 << 20
THREAD = 48 << 20  # of each further thread


def require_address_space(library: str, least: int) -> None:
    """Refuse to load a library that needs more address space than there may be: it would crash.

    Raises:
        UsageError: `ulimit -v` allows less than the library takes to load.
    """
    with suppress(ImportError):  # no POSIX system
        import resource

        allowed, _ = resource.getrlimit(resource.RLIMIT_AS)
        needed = least + THREAD * max(_cores() - 2, 0)
        if allowed != resource.RLIM_INFINITY and allowed < needed:
            help = "raise `ulimit -v`; params, flops, memory and the like need a tenth of it"
            message = f"{library} takes {binary(needed)} of address space; {binary(allowed)} are allowed"
            raise UsageError(Diagnostic(message, help=help))


def _cores() -> int:
    given = os.environ.get("OPENBLAS_NUM_THREADS", "")
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(int(given), cores) if given.isdecimal() else cores
