"""Read the text of a spec; refuse one that is too large, or not UTF-8.

Paths are plain strings here and in `catalog`: importing pathlib would take 3 ms at every start.
"""

from __future__ import annotations

import os
import re
import sys

from archcalc.errors import Diagnostic, Point, SpecError, UsageError
from archcalc.spec.inline import is_inline
from archcalc.spec.model import Source
from archcalc.units import printable

LARGEST_FILE = 8 * 2**20  # bytes: 100,000 layers of 80 characters each
STDIN = "-"
STDIN_NAME = "<stdin>"
_LINE_END = re.compile(rb"\r+\n")  # as editors on Windows write, or two of them in turn


def read_file(path: str) -> Source:
    """Read the text of a spec file.

    Raises:
        ArchError: the file is missing, a directory, too large, or not UTF-8.
    """
    try:
        if os.path.isdir(path):
            raise UsageError(
                Diagnostic(f"`{printable(path)}` is a directory", help="name a .toml file in it")
            )
        with open(path, "rb") as file:
            data = file.read(LARGEST_FILE + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise UsageError(f"cannot read `{printable(path)}`: {reason.lower()}") from None
    return decode(path, data)


def read_stdin() -> Source:
    """Read the text of a spec from standard input.

    Raises:
        ArchError: standard input is closed, too large, or not UTF-8.
    """
    if sys.stdin is None:
        raise UsageError("standard input is closed")
    return decode(STDIN_NAME, sys.stdin.buffer.read(LARGEST_FILE + 1))


def looks_like_path(name: str) -> bool:
    """Return whether a name is that of a file, not of a bundled network."""
    return name.endswith(".toml") or os.sep in name or "/" in name


def decode(name: str, data: bytes) -> Source:
    """Decode the text of a spec: TOML, or a network in one text.

    Raises:
        ArchError: the bytes are too many, or not UTF-8.
    """
    if len(data) > LARGEST_FILE:
        raise UsageError(
            Diagnostic(
                f"`{printable(name)}` is larger than {LARGEST_FILE >> 20} MiB",
                help="a spec is short text; a million layers fit in one line: `1000000 x relu`",
            )
        )
    data = _LINE_END.sub(b"\n", data.removeprefix(b"\xef\xbb\xbf"))
    try:
        text = data.decode("utf-8")
        return Source(name, text, inline=is_inline(text))
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8")
        place = Point(before.count("\n") + 1, len(before) - before.rfind("\n"))
        message = f"not UTF-8: byte 0x{data[error.start]:02x}"
        diagnostic = Diagnostic(message, place, help="save the file as UTF-8")
        raise SpecError(diagnostic, source=Source(name, data.decode("utf-8", "replace"))) from None
