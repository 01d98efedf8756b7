"""A made picture or page, into its file."""

from __future__ import annotations

import os

from archcalc.errors import ArchError, Diagnostic, UsageError
from archcalc.units import printable


def check_suffix(place: str, suffixes: tuple[str, ...]) -> str:
    """Return what the name of a picture or page ends in, in lower case, without the dot.

    Raises:
        UsageError: no such name.
    """
    suffix = os.path.splitext(place)[1].lower()
    if suffix not in suffixes:
        what = "picture" if ".svg" in suffixes else "page"
        help = f"the name of a {what} ends in {', '.join(suffixes)}"
        raise UsageError(Diagnostic(f"-o: `{printable(place)}` is no name of a {what}", help=help))
    return suffix[1:]


def refuse_existing(place: str, force: bool) -> None:
    """Refuse to write over a file, unless that is asked for.

    Raises:
        UsageError: it exists.
    """
    if os.path.lexists(place) and not force:
        raise UsageError(Diagnostic(f"{printable(place)} exists", help="--force writes over it"))


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
