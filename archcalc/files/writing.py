"""Write files completely or not at all: the old file stays until the new one is complete."""

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
    """Yield a temporary file beside `path` that replaces it at the end; a link is not followed.

    Raises:
        OSError: the file cannot be written; the temporary file is removed.
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
    """Check that files can be written in a folder.

    Raises:
        OSError: they cannot.
    """
    with tempfile.TemporaryFile(dir=folder or "."):
        pass


def write_npz(path: str, arrays: Mapping[str, Array]) -> None:
    """Write an .npz file like `numpy.savez`, which cannot take all names (some are its arguments).

    Raises:
        OSError: the file cannot be written.
    """
    with replacing(path) as file, zipfile.ZipFile(file, "w") as archive:
        for name, array in arrays.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as entry:
                np.lib.format.write_array(entry, array, allow_pickle=False)
