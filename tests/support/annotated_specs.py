"""Specs with the errors that they must give, as comments below the lines that give them.

    # --- groups that do not divide | width=2
    input = "28x28x192"
    layers = [
      "conv 256 k3 g5 | relu",
    #              ^^ 5 groups do not divide 192 channels
    #| in layer conv, input 28×28×192
    #? groups that divide both 192 and 256: 1, 2, 4, 8, 16, 32, 64
    ]

The carets stand under what is blamed; where that begins a line, `#= ^^^` says how long it is, and `#!`
what has no place at all. `#|` are the label and the notes, `#?` is the way out. These lines are taken
out before the spec is read, so they may stand anywhere. After `|` come the values of variables.
`python tests/support/annotated_specs.py` writes them anew: then read the difference.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import archcalc
from archcalc.errors import ArchError
from archcalc.views.diagnostics import render

CASES = Path(__file__).parents[1] / "errors" / "cases"
_EXPECTED = re.compile(r"#( *\^+( |$)|= \^+( |$)|\| |\? |! )")
_TITLE = re.compile(r"^# --- (.*)$", re.MULTILINE)


class Case(NamedTuple):
    """A spec with its errors as comments; `bare` is without them."""

    title: str
    text: str

    @property
    def name(self) -> str:
        return self.title.partition(" | ")[0]

    @property
    def values(self) -> dict[str, str]:
        words = self.title.partition(" | ")[2].split()
        return {name: value for name, _, value in (word.partition("=") for word in words)}

    @property
    def bare(self) -> str:
        return "".join(line for line in self.text.splitlines(True) if not _EXPECTED.match(line))


class Shown(NamedTuple):
    """One error as it was printed; line 0: it has no place."""

    message: str
    line: int = 0
    column: int = 0
    width: int = 0
    remarks: tuple[str, ...] = ()
    help: str = ""


def cases(path: Path) -> list[Case]:
    """Return the cases of a file."""
    _, *parts = _TITLE.split(path.read_text(encoding="utf-8"))
    pairs = zip(parts[::2], parts[1::2], strict=True)
    return [Case(title, text.removeprefix("\n").rstrip("\n") + "\n") for title, text in pairs]


def shown(text: str, folder: Path, values: dict[str, str] | None = None) -> list[Shown]:
    """Return the errors of a spec, as they are printed."""
    path = folder / "case.toml"
    path.write_text(text, encoding="utf-8", newline="")
    try:
        archcalc.load(str(path), **(values or {})).analyze()
    except ArchError as error:
        return read_back(render(error), text)
    return []


def read_back(output: str, text: str) -> list[Shown]:
    """Take apart what `render` printed; the carets must stand under the text that the place names."""
    return [_read_one(part.split("\n"), text.split("\n")) for part in output.split("\n\n")]


def _read_one(lines: list[str], source: list[str]) -> Shown:
    error = Shown(lines[0].removeprefix("error: "))
    if error.message == lines[0]:
        assert re.fullmatch(r"… and (at least )?\d+ more", error.message)
        return error
    for above, line in pairwise(lines):
        if place := re.match(r" +┌─ .*?\.toml:(\d+):(\d+)$", line):
            error = error._replace(line=int(place[1]), column=int(place[2]))
        elif carets := re.match(r"( +│ *)(\^+) ?(.*)$", line):
            assert error.line, "carets have a place"
            _check_under(error, above, len(carets[1]), len(carets[2]), source)
            remarks = (carets[3],) if carets[3] else ()
            error = error._replace(width=len(carets[2]), remarks=remarks)
        elif remark := re.match(r" +│ (.*)$", line):
            error = error._replace(remarks=(*error.remarks, remark[1]))
        elif help := re.match(r" += help: (.*)$", line):
            error = error._replace(help=help[1])
        else:
            assert re.match(r"(\d+ │| +┌─)", line), line
    return error


def _check_under(error: Shown, above: str, start: int, width: int, source: list[str]) -> None:
    blamed = source[error.line - 1][error.column - 1 :][:width]
    if blamed.isascii() and above.isascii():
        assert above[start : start + width] == "".join(c if c.isprintable() else "·" for c in blamed)


def annotated(bare: str, errors: list[Shown]) -> str:
    """Return the spec with its errors as comments."""
    lines: list[str] = []
    for error in errors:
        lines += _comments(error) if not error.line else []
    for number, line in enumerate(bare.splitlines(True), 1):
        lines.append(line)
        for error in errors:
            lines += _comments(error) if error.line == number else []
    return "".join(lines)


def _comments(error: Shown) -> Iterator[str]:
    carets = "^" * error.width
    if not error.line:
        yield f"#! {error.message}\n"
    elif error.column == 1:
        yield f"#= {carets} {error.message}\n"
    else:
        yield f"#{' ' * (error.column - 2)}{carets} {error.message}\n"
    for remark in error.remarks:
        yield f"#| {remark}\n"
    if error.help:
        yield f"#? {error.help}\n"


def rewrite() -> None:
    """Put the errors that are given now into every file."""
    with tempfile.TemporaryDirectory() as folder:
        for path in sorted(CASES.glob("*.toml")):
            head = _TITLE.split(path.read_text(encoding="utf-8"))[0]
            for case in cases(path):
                text = annotated(case.bare, shown(case.bare, Path(folder), case.values))
                head += f"# --- {case.title}\n{text}\n"
            path.write_text(head.rstrip("\n") + "\n", encoding="utf-8")


if __name__ == "__main__":
    rewrite()
