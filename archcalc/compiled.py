"""Compile kernels with Numba, cache them on disk, and share work over the cores.

Numba identifies a cached kernel by its file, and would not notice a change in what that file imports:
a constant, an inlined step. So the kernels lie in a folder named by a digest of all code that can be
in them, and each in a file with a digest of itself.
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
    "fastmath": False,  # otherwise q == q is assumed, and each counter is a constant
    "forceinline": True,  # of small steps into nests: a call costs more than the loop that it does
}
THREADS: int = numba.config.NUMBA_NUM_THREADS  # the cores this process may use, or that variable
SEAL = hashlib.sha256().digest_size  # bytes
ROOMS = ("execution",)  # whose files kernels are made of, beside this one
KEPT = 4  # folders of cached kernels: those of other versions in use side by side
PIECES = 8  # for each thread: even shares, and Ctrl-C is heard between two of them

Function = TypeVar("Function", bound=Callable[..., Any])


class _Sealed:
    """Kernels on disk, each in a file: the digest of what follows, then its key and its machine code.

    These files replace Numba's own, of which a flipped bit would be executed.
    """

    def __init__(self, stem: str) -> None:
        self.stem = stem

    def load(self, key: Any) -> Any:
        """Return the kernel of a key; None if the file is that of another key.

        Raises:
            Exception: there is no file for the key, or it is damaged.
        """
        with open_regular(self._place(key)) as file:
            seal, data = file.read(SEAL), file.read()
        if hashlib.sha256(data).digest() != seal:
            raise ValueError("not as it was written")
        found, kernel = pickle.loads(data)
        return kernel if found == repr(key) else None

    def save(self, key: Any, kernel: Any) -> None:
        """Write the kernel of a key; the file appears as a whole.

        Raises:
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
    """A cache whose failure costs a compilation, not the run.

    Numba checks once, when a function is decorated, that it may write; a disk that is full later, or a
    torn file (whose unpickling may raise anything), would end the program.
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
    """Compile `function` at its first call, and cache the machine code on disk where possible."""
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
    """Return the folder for the kernels of this code; None if none is writable."""
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
    """Yield NUMBA_CACHE_DIR; else the folder beside the byte code, else the user's cache folder."""
    if numba.config.CACHE_DIR:
        yield numba.config.CACHE_DIR
    yield os.path.join(os.path.dirname(os.path.abspath(__file__)), "__pycache__")
    caches = cache_folder()
    if caches is not None:
        yield caches


def _digest() -> str:
    """Return a digest of the compiler's versions, and of every file that a kernel can be made of."""
    digest = hashlib.sha256()
    for package in ("numba", "llvmlite", "numpy"):
        digest.update(f"{package} {import_module(package).__version__}\n".encode())
    own = Path(__file__).resolve()
    files = [own] + [file for room in ROOMS for file in sorted((own.parent / room).rglob("*.py"))]
    for file in files:
        digest.update(file.name.encode() + b"\n" + file.read_bytes())
    return digest.hexdigest()[:24]


def _forget(root: str) -> None:
    """Keep only the folders that were used last."""
    folders = [entry for entry in os.scandir(root) if entry.name.startswith("kernels-")]
    folders.sort(key=lambda entry: entry.stat().st_mtime, reverse=True)
    for entry in folders[KEPT:]:
        shutil.rmtree(entry.path, ignore_errors=True)


def spread(kernel: Callable[..., Any], length: int, *arguments: Any, grain: int = 1) -> tuple[int, ...]:
    """Return the sums of `kernel(*arguments, begin, end)` over shares of range(length).

    A share has at least `grain` items, so that the call pays.

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
