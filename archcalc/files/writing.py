"""Files that are written whole or not at all: until a new one is complete, the one before stays."""

from __future__ import annotations

import os
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import IO

import numpy as np

from archcalc.execution.model import Array


@contextmanager
def replacing(path: str) -> Iterator[IO[bytes]]:
    """A file beside `path`, which takes its place at the end; a link is replaced, not followed.

    Raises:
        OSError: it cannot be written; nothing of it is left.
    """
    beside = os.path.join(os.path.dirname(path), f".archcalc-{os.urandom(4).hex()}.part")
    try:
        with open(beside, "xb") as file:
            yield file
        os.replace(beside, path)
    except BaseException:
        with suppress(OSError):
            os.unlink(beside)
        raise


def require_writable(folder: str) -> None:
    """Raises:
    OSError: files cannot be written there.
    """
    with tempfile.TemporaryFile(dir=folder or "."):
        pass


def write_npz(path: str, arrays: Mapping[str, Array]) -> None:
    """What `numpy.savez` writes, whatever the names are (its own arguments are names, too).

    Raises:
        OSError: it cannot be written.
    """
    with replacing(path) as file, zipfile.ZipFile(file, "w") as archive:
        for name, array in arrays.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as entry:
                np.lib.format.write_array(entry, array, allow_pickle=False)
