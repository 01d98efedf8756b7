"""Line ends of every kind mean the same, and errors show the same place."""

from __future__ import annotations

import pytest

from archcalc.api import Network
from archcalc.errors import ArchError, Span
from archcalc.spec import locate
from archcalc.spec.catalog import Entry
from archcalc.spec.model import Source
from archcalc.spec.read import read
from archcalc.spec.source import decode
from archcalc.views.diagnostics import render

TEXT = 'input = "8x8x4"\nlayers = [\n  "conv 4",\n  "conv 4 kk",\n]\n'


def refusal(source: Source) -> str:
    with pytest.raises(ArchError) as caught:
        Network(Entry("net", read(source), None), {}).analyze()
    return render(caught.value)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r\r\n", "\r\r\r\n"])
def test_line_ends(end: str) -> None:
    found = refusal(decode("net.toml", TEXT.replace("\n", end).encode()))
    assert found == refusal(Source("net.toml", TEXT))
    assert "net.toml:4:11" in found


def test_a_place_that_cannot_be_found_is_left_out() -> None:
    """tomllib folds CR LF by itself, which the scan for places does not know."""
    text = TEXT.replace("\n", "\r\n")
    assert ("layers",) not in locate.locate(text)
    found = refusal(Source("net.toml", text))
    assert found.startswith("error: `conv` has no argument `kk`\n")


def test_what_stands_before_is_found() -> None:
    found = locate.locate('a = 1\nb = "x"\n\rc = 2\n')
    assert [*found] == [("a",), ("b",)]
    assert Span(("a",)).keys in found
