"""Read a network in one text, as on a command line: `28x28x192 | conv 16 | conv 32 k5 half`.

The input size comes first. Further lines, which may have labels, follow after `;` or a line break.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from archcalc.errors import Keys
from archcalc.tuples import NamedTuple

NAME = "<text>"  # the name in messages
_SIZE = re.compile(r"\s*+[0-9]++(?:\s*+[x×]\s*+[0-9]++)*+\s*+(?=[|;\n])")
_LINE = re.compile(r"""(?>(?:[^;\n'"]++|'[^'\n]*+'|"[^"\n]*+"|['"])*)""")


class Fragment(NamedTuple):
    """A value of the document, with its offset in the text."""

    keys: Keys
    text: str
    start: int


def is_inline(text: str) -> bool:
    """Return whether a text is a network, not the name of one."""
    return _SIZE.match(text) is not None


def pieces(text: str) -> Iterator[Fragment]:
    """Yield the input size, then the lines."""
    size = _SIZE.match(text)
    assert size is not None
    yield Fragment(("input",), size[0].strip(), size.end() - len(size[0].lstrip()))
    at, number = size.end() + 1, 0
    while at <= len(text):
        line = _LINE.match(text, at)
        assert line is not None
        if line[0].strip():
            yield Fragment(("layers", number), line[0], at)
            number += 1
        at = line.end() + 1
    if not number:
        yield Fragment(("layers", 0), "", len(text))


def toml(text: str) -> str:
    """Return the network as the text of a TOML file."""
    import json

    size, *lines = (json.dumps(piece.text.strip(), ensure_ascii=False) for piece in pieces(text))
    return "\n".join([f"input = {size}", "layers = [", *(f"  {line}," for line in lines), "]"])


def document(text: str) -> dict[str, Any]:
    """Return the document that `toml` would hold, with the blanks of the text."""
    size, *lines = pieces(text)
    return {"input": size.text, "layers": [line.text for line in lines]}
