"""A made picture, into its file."""

from __future__ import annotations

import os

from archcalc.errors import ArchError, Diagnostic, UsageError
from archcalc.units import printable


def check_suffix(place: str, suffixes: tuple[str, ...]) -> str:
    """What a picture's name ends in, in lower case, without the dot.

    Raises:
        UsageError: no picture's name.
    """
    suffix = os.path.splitext(place)[1].lower()
    if suffix not in suffixes:
        help = f"the name of a picture ends in {', '.join(suffixes)}"
        raise UsageError(Diagnostic(f"-o: `{printable(place)}` is no name of a picture", help=help))
    return suffix[1:]


def put(place: str, made: bytes) -> None:
    """Write a file.

    Raises:
        ArchError: it cannot be written.
    """
    try:
        with open(place, "wb") as file:
            file.write(made)
    except OSError as error:
        reason = error.strerror or str(error)
        raise ArchError(f"cannot write {printable(place)}: {printable(reason)}") from None
