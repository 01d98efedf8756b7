"""Numba's one door: how kernels are compiled, kept on disk, and shared out over the cores.

Numba knows a cached kernel by the file that holds it, and would not notice a change of what that file
imports: a constant, a step that is inlined. So the kernels lie in a folder that is named by a digest
of all code that can be in them, and each in a file that holds a digest of itself.
"""

from __future__ import annotations

import hashlib
import os
import pickle
import shutil
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, TypeVar, cast
from uuid import uuid4

from archcalc.address_space import NUMBA, require_address_space
from archcalc.caches import cache_folder
from archcalc.regular import open_regular

require_address_space("Numba", NUMBA)
numba: Any = import_module("numba")  # some versions are typed, and none as the kernels need it

OPTIONS = {
    "nogil": True,
    "error_model": "numpy",
    "fastmath": False,  # or q == q is true by decree, and each counter is a constant
    "forceinline": True,  # of small steps into nests: a call costs more than the loop that it does
}
THREADS: int = numba.config.NUMBA_NUM_THREADS  # the cores this process may use, or that variable
SEAL = hashlib.sha256().digest_size  # bytes
ROOMS = ("execution", "sweeps/machine")  # whose files kernels are made of, beside this one
KEPT = 4  # folders of cached kernels: those of other versions in use side by side
PIECES = 8  # for each thread: even shares, and Ctrl-C is heard between two of them

Function = TypeVar("Function", bound=Callable[..., Any])


class _Sealed:
    """Kernels on disk, each in a file: the digest of what follows, then its key and its machine code.

    In place of Numba's own files, of which a flipped bit would be run.
    """

    def __init__(self, stem: str) -> None:
        self.stem = stem

    def load(self, key: Any) -> Any:
        """Raises:
        Exception: there is none for this key, or it is not as it was written.
        """
        with open_regular(self._place(key)) as file:
            seal, data = file.read(SEAL), file.read()
        if hashlib.sha256(data).digest() != seal:
            raise ValueError("not as it was written")
        found, kernel = pickle.loads(data)
        return kernel if found == repr(key) else None

    def save(self, key: Any, kernel: Any) -> None:
        """Raises:
        OSError: it cannot be written.
        """
        data = numba.core.serialize.dumps((repr(key), kernel))  # as Numba does: it knows its own types
        new = f"{self._place(key)}.{uuid4().hex}"
        try:
            with open(new, "wb") as file:
                file.write(hashlib.sha256(data).digest() + data)
            os.replace(new, self._place(key))
        finally:
            with suppress(OSError):
                os.unlink(new)

    def _place(self, key: Any) -> str:
        return f"{self.stem}.{hashlib.sha256(repr(key).encode()).hexdigest()[:16]}"


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
    folder, before = _folder(), numba.config.CACHE_DIR
    if folder is not None:
        numba.config.CACHE_DIR = folder
        try:
            kernel = numba.njit(cache=True, **OPTIONS)(function)
        except RuntimeError:  # "no locator available": the folder has gone, or is full
            return cast(Function, numba.njit(**OPTIONS)(function))
        finally:
            numba.config.CACHE_DIR = before
        if kernel.stats.cache_path.startswith(folder):
            kept = kernel._cache
            kept._cache_file = _Sealed(os.path.join(kept.cache_path, kept._impl.filename_base))
            kernel._cache = _Forgiving(kept)
            return cast(Function, kernel)
    return cast(Function, numba.njit(**OPTIONS)(function))


@cache
def _folder() -> str | None:
    """Return where the kernels of this very code are kept; None: nowhere that can be written."""
    for root in _roots():
        folder = os.path.join(root, f"kernels-{_digest()}")
        with suppress(OSError):
            os.makedirs(folder, exist_ok=True)
            tempfile.TemporaryFile(dir=folder).close()
            os.utime(folder)
            _forget(root)
            return folder
    return None


def _roots() -> Iterator[str]:
    """NUMBA_CACHE_DIR; else beside the byte code; else in the user's folder of caches."""
    if numba.config.CACHE_DIR:
        yield numba.config.CACHE_DIR
    yield os.path.join(os.path.dirname(os.path.abspath(__file__)), "__pycache__")
    caches = cache_folder()
    if caches is not None:
        yield caches


def _digest() -> str:
    """Of the versions that compile, and of every file that a kernel can be made of."""
    digest = hashlib.sha256()
    for package in ("numba", "llvmlite", "numpy"):
        digest.update(f"{package} {import_module(package).__version__}\n".encode())
    own = Path(__file__).resolve()
    files = [own] + [file for room in ROOMS for file in sorted((own.parent / room).rglob("*.py"))]
    for file in files:
        digest.update(file.name.encode() + b"\n" + file.read_bytes())
    return digest.hexdigest()[:24]


def _forget(root: str) -> None:
    """Keep the folders that were used last."""
    folders = [entry for entry in os.scandir(root) if entry.name.startswith("kernels-")]
    folders.sort(key=lambda entry: entry.stat().st_mtime, reverse=True)
    for entry in folders[KEPT:]:
        shutil.rmtree(entry.path, ignore_errors=True)


def spread(kernel: Callable[..., Any], length: int, *arguments: Any, grain: int = 1) -> tuple[int, ...]:
    """Return the sums of what `kernel(*arguments, begin, end)` returns for the shares of range(length).

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
