"""Read regular files only: a pipe might block for ever, a device never ends."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from typing import IO

LONGEST_LINE = 1 << 20  # characters


class NotRegularFileError(OSError):
    """Raised for anything but a regular file; `strerror` says what it is."""


def open_regular(path: str) -> IO[bytes]:
    """Return the bytes of a regular file.

    Raises:
        OSError: the file is missing, or cannot be read.
        ValueError: the text is no path.
    """
    handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    mode = os.fstat(handle).st_mode
    if not stat.S_ISREG(mode):
        os.close(handle)
        raise NotRegularFileError(0, "a directory" if stat.S_ISDIR(mode) else "no regular file", path)
    return open(handle, "rb")


def lines(file: IO[str]) -> Iterator[str]:
    """Yield the lines of a text.

    Raises:
        ValueError: a line is too long for a text.
    """
    while line := file.readline(LONGEST_LINE + 1):
        if len(line) > LONGEST_LINE:
            raise ValueError(f"a line of more than {LONGEST_LINE:,} characters")
        yield line
