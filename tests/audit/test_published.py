"""The published numbers are all there, and the files that hold them say nothing that is not used."""

from __future__ import annotations

import csv
import itertools
import re
import tomllib
from collections import defaultdict
from fractions import Fraction
from pathlib import Path

import pytest

from archcalc.audit import published
from archcalc.audit.conventions import CONVENTIONS
from archcalc.audit.figure import Figure, is_size
from archcalc.audit.published import Published, families, numbers
from archcalc.errors import UsageError
from archcalc.spec.expressions import parse

ROWS = list(
    csv.DictReader((Path(__file__).parents[1] / "data/published_numbers.csv").open(encoding="utf-8"))
)
TOOLS = tuple(convention.name for kind in CONVENTIONS.values() for convention in kind)
ALL = [number for family in families() for number in numbers(family)]

# how a source is called there → how the name of ours begins
SOURCES = {
    "Krizhevsky, Sutskever, Hinton 2012 (NIPS), Fig. 2": "Krizhevsky et al. 2012, Fig. 2",
    "Krizhevsky, Sutskever, Hinton 2012 (NIPS) - proc": "Krizhevsky et al. 2012, abstract",
    "Krizhevsky, Sutskever, Hinton 2012 (NIPS)": "Krizhevsky et al. 2012",
    "Szegedy et al. 2014, 'Going Deeper with Convolutions'": "Szegedy et al. 2014",
    "Szegedy et al. 2015": "Szegedy et al. 2015",
    "He, Zhang, Ren, Sun 2015": "He et al. 2015",
    "LeCun, Bottou, Bengio, Haffner 1998": "LeCun et al. 1998",
    "CS231n notes": "CS231n notes",
    "CS231n lecture slides": "CS231n slides",
    "cs231n.github.io issue": "CS231n, issue",
    "sksq96/pytorch-summary": "torchsummary",
    "TylerYep/torchinfo": "torchinfo",
    "Keras Applications": "Keras Applications",
    "torchvision 0.29.2": "torchvision 0.29.2",
    "albanie/convnet-burden": "convnet-burden, README (9c7f31b)",
    "google-research/receptive_field": "receptive_field, README (f12ae8e)",
    "Netscope": "Netscope",
    "THOP": "THOP",
    "ptflops": "ptflops, README (d612c75)",
    **{notes: notes for notes in ("course notes A", "course notes B", "course notes C")},
}
# claims in words, whose value there is a measurement of ours, or none: what we hold instead
WORDS = {
    ("early-layer share of activations", "0.42"): "> 50 %",  # "most memory are in the earlier layers"
    ("", "0"): "> 0",  # "concatenated"
    ("", "3"): "> 0",  # 1×1 convs "introduced in VGGNet"
}


def holds(number: Published, row: dict[str, str]) -> bool:
    """Whether a number of ours is that of a row."""
    if is_size(row["value"]) or is_size(number.printed):
        sides = re.split("[x×]", number.printed)
        return row["value"] in (number.printed, sides[0] if row["quantity"] == "input_size" else None)
    if (words := WORDS.get((row["layer"], row["value"]))) and row["quantity"] in ("ratio", "depth"):
        return number.printed == words
    figure, value = Figure.of(number.printed).coarse, Fraction(row["value"])
    if value.denominator == 1 or figure.whole:
        figure = figure._replace(relation="=")
    return any(figure.agrees(int(value) if value.denominator == 1 else value, s) for s in figure.scales)


def test_every_row_is_held() -> None:
    """321 rows of sources that were read; two presets of Netscope with equal numbers are one source."""
    assert len(ROWS) == 321
    waiting = defaultdict(list)
    for number in ALL:
        waiting[number.source].append(number)
    missing = []
    for row in ROWS:
        if "inceptionv3_orig" in row["source"]:
            continue
        start = next(s for s in SOURCES if row["source"].startswith(s))
        names = [name for name in waiting if name.startswith(SOURCES[start])]
        found = [(name, n) for name in names for n in waiting[name] if holds(n, row)]
        if found:
            name, number = found[0]
            waiting[name].remove(number)
        else:
            missing.append(row)
    assert not missing, missing


def test_a_source_says_only_what_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A slip in a key must not pass for a comment."""
    monkeypatch.setattr(published, "folder", lambda: str(tmp_path))
    (tmp_path / "published").mkdir()
    text = '[[source]]\nname = "a"\nfrom = "b"\nnumbers = []\n'
    (tmp_path / "published/vgg.toml").write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match="a source has no `from`"):
        list(numbers("vgg.toml"))


def test_derivations_are_computed() -> None:
    """A derivation or a rule that names no quantity would be the verdict itself."""
    for number in ALL:
        for expression in (number.claim, number.counts, number.arises):
            if expression and "|" not in expression and not expression.startswith(TOOLS):
                assert parse(expression).names, number


def test_no_number_is_there_twice() -> None:
    seen = {}
    for number in ALL:
        key = (number.source, number.subject, number.quantity, number.printed, number.says)
        assert key not in seen, key
        seen[key] = number


def test_every_source_has_a_place() -> None:
    """The course notes are files; all others have an address."""
    for number in ALL:
        assert number.url.startswith("https://") or number.source.startswith("course notes"), number
        assert number.read in ("primary", "transcribed", "ran", "memory")


@pytest.mark.parametrize("family", families())
def test_sources_read_one_by_one_are_those_of_the_file(
    family: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file is cut where a source begins: it has no other headings, and no text that looks like one."""
    text = (Path(published.folder()) / "published" / family).read_text(encoding="utf-8")
    whole = tomllib.loads(text)
    read: list[dict[str, object]] = []
    monkeypatch.setattr(published, "_entries", lambda source, line: read.append(source) or [])
    list(numbers(family))
    assert {"source": [source for source, _ in itertools.groupby(read)]} == whole


def test_a_word_picks_sources() -> None:
    """Of the numbers about bytes of maps none is missed, whichever file has some."""
    for family in families():
        told = [number for number in numbers(family, "map_bytes") if number.quantity == "map_bytes"]
        assert told == [number for number in numbers(family) if number.quantity == "map_bytes"]
