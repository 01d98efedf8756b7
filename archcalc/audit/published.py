"""Read specs/published/, one file per family: what was printed, where, and how it came about.

A file is a list of sources, a source a list of lines. Every key of a line that is not one of `WORDS`
is a quantity (archcalc.audit.quantities); its value is the digits as printed.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterator
from typing import Any, Literal

from archcalc.errors import UsageError
from archcalc.spec.bundle import folder
from archcalc.tuples import NamedTuple

Read = Literal["primary", "transcribed", "ran", "memory"]
WORDS = ("of", "at", "is", "counts", "instead", "arises", "open", "says", "remark", "read")
KEYS = ("name", "url", "of", "read", "counts", "binary", "numbers")


class Published(NamedTuple):
    """One printed number and its source.

    `claim`, `counts` and `arises` are expressions over quantities: the number meant, the one that the
    source counts instead (or names of conventions), and how a wrong one came about. `instead` is
    another network for which it holds; `open` means that nobody knows. `says` quotes the source,
    `remark` is ours, with {quantities}. `binary`: the source's K may be 1,024.
    """

    source: str
    url: str
    read: Read
    network: str
    at: str
    quantity: str
    printed: str
    claim: str
    counts: str = ""
    instead: str = ""
    arises: str = ""
    open: bool = False
    says: str = ""
    remark: str = ""
    binary: bool = False

    @property
    def subject(self) -> str:
        """The subject of the number: 'vgg16 stage1/conv'."""
        return f"{self.network} {self.at}".rstrip()


def families() -> list[str]:
    """Return the names of the spec files with published numbers."""
    return sorted(name for name in os.listdir(_folder()) if name.endswith(".toml"))


def numbers(spec_name: str, word: str = "") -> Iterator[Published]:
    """Yield the published numbers about the networks of a spec file ('vgg.toml'), source by source.

    `word`: only of sources with this in their text, which is quicker than reading them all.

    Raises:
        UsageError: a key is no word of these files.
    """
    path = os.path.join(_folder(), os.path.basename(spec_name))
    if not os.path.isfile(path):
        return
    with open(path, encoding="utf-8") as file:
        _, *texts = f"\n{file.read()}".split("\n[[source]]\n")
    for source in (tomllib.loads(text) for text in texts if word in text):
        if unknown := sorted(source.keys() - set(KEYS)):
            raise UsageError(f"{path}: a source has no `{unknown[0]}`")
        for line in source["numbers"]:
            yield from _entries(source, line)


def _entries(source: dict[str, Any], line: dict[str, Any]) -> Iterator[Published]:
    shared = {key: value for key, value in line.items() if key in WORDS}
    network, at = shared.pop("of", source.get("of", "")), shared.pop("at", "")
    binary = source.get("binary", False)
    read, claim = shared.pop("read", source.get("read", "primary")), shared.pop("is", "")
    for quantity, printed in line.items():
        if quantity not in WORDS:
            shared["counts"] = line.get("counts", source.get("counts", {}).get(quantity, ""))
            place = (source["name"], source.get("url", ""), read, network, at)
            yield Published(*place, quantity, printed, claim or quantity, binary=binary, **shared)


def _folder() -> str:
    return os.path.join(folder(), "published")
