"""What the page has open: a text, the one file that it may be saved to, and which answers are late."""

from __future__ import annotations

import codecs
import os
import stat
import threading

from archcalc.errors import ArchError, Diagnostic
from archcalc.spec.source import LARGEST_FILE
from archcalc.tuples import NamedTuple
from archcalc.units import printable

MOST_PAGES = 64


class Beginning(NamedTuple):
    """What the page begins with; `file` is where it is saved, '' if nowhere."""

    name: str
    text: str
    variant: str
    settings: dict[str, str]
    file: str


class Session:
    """One writer of one file, and the newest question of each page."""

    def __init__(self, opened: Beginning) -> None:
        self.opened = opened
        self.computing = threading.Lock()
        self._writing, self._newest = threading.Lock(), dict[str, int]()

    def ask(self, page: str, number: int) -> None:
        """Note a question: those before it are late, and what no page has asked."""
        with self._writing:
            if page:
                self._newest[""] = 1
            self._newest[page] = max(number, self._newest.pop(page, 0))
            while len(self._newest) > MOST_PAGES:
                del self._newest[next(iter(self._newest))]

    def is_late(self, page: str, number: int) -> bool:
        """Return whether the page has asked again since."""
        return number < self._newest.get(page, 0)

    def read(self) -> tuple[str, str]:
        """Return the file's text and version; those at the start where there is none yet.

        Raises:
            ArchError: the file cannot be read.
        """
        if not self.opened.file:
            return self.opened.text, ""
        data = _read(self.opened.file)
        return (self.opened.text if data is None else _text(data)), _version(data)

    def save(self, text: str, version: str) -> str:
        """Write the file, whole or not at all, as its line ends and mark were; return its new version.

        Raises:
            ArchError: it is not as it was at that version, or cannot be written.
        """
        path = self.opened.file
        if not path:
            help = "download it as TOML, or start with `archcalc edit SPEC -o my-net.toml`"
            raise ArchError(Diagnostic("there is no file to save to", help=help))
        with self._writing:
            old = _read(path)
            if _version(old) != version:
                way = "open it again, or " if old is not None else ""
                what = "has changed on disk" if old is not None else "is no longer there"
                help = f"{way}download this text as TOML"
                raise ArchError(Diagnostic(f"`{printable(path)}` {what}", help=help))
            data = _bytes(text, old or b"")
            if data != old:
                _write(path, data)
            return _version(data)


def _read(path: str) -> bytes | None:
    try:
        with open(path, "rb") as file:
            data = file.read(LARGEST_FILE + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _refusal("read", path, error) from None
    if len(data) > LARGEST_FILE:
        raise ArchError(f"`{printable(path)}` is larger than {LARGEST_FILE >> 20} MiB")
    return data


def _write(path: str, data: bytes) -> None:
    """Replace the file that a link leads to; it keeps its mode."""
    from archcalc.files.writing import replacing  # which imports numpy

    try:
        real = os.path.realpath(path)
        mode = stat.S_IMODE(os.stat(real).st_mode) if os.path.exists(real) else None
        with replacing(real) as file:
            file.write(data)
            if mode is not None:
                os.chmod(file.name, mode)
    except OSError as error:
        raise _refusal("write", path, error) from None


def _refusal(what: str, path: str, error: OSError) -> ArchError:
    reason = (error.strerror or str(error)).lower()
    return ArchError(f"cannot {what} `{printable(path)}`: {reason}")


def _version(data: bytes | None) -> str:
    if data is None:
        return ""
    import hashlib

    return hashlib.sha256(data).hexdigest()


def _text(data: bytes) -> str:
    return data.removeprefix(codecs.BOM_UTF8).replace(b"\r\n", b"\n").decode("utf-8", "replace")


def _bytes(text: str, old: bytes) -> bytes:
    """Return a text as bytes: `old` if that is what they say, else with its mark and line ends."""
    if old and _text(old) == text:
        return old
    data = text.encode()
    if b"\r\n" in old:
        data = data.replace(b"\n", b"\r\n")
    return (codecs.BOM_UTF8 if old.startswith(codecs.BOM_UTF8) else b"") + data
