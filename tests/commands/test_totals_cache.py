"""What `archcalc list` remembers is checked when it is read, and never in the way."""

from __future__ import annotations

import json
import os
from contextlib import chdir
from hashlib import sha256
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from support.campaign import Ended, archcalc

from archcalc import totals
from archcalc.spec.bundle import families

ROW = {
    "name": "lenet5",
    "title": "LeNet-5",
    "year": None,
    "family": "lenet5",
    "input": [32, 32, 1],
    "parameters": 61706,
    "multiplies": 416520,
}
OTHERWISE: list[tuple[str, Any]] = [
    ("title", "\x1b[31mred"),
    ("title", "\u202egnp"),
    ("title", "x" * 300),
    ("title", None),
    ("name", 5),
    ("parameters", 10**4000),
    ("parameters", -1),
    ("parameters", 1.5),
    ("multiplies", True),
    ("multiplies", "61706"),
    ("year", "1998"),
    ("year", 2**63),
    ("input", []),
    ("input", [32, 32, "1"]),
    ("input", 32),
]


@pytest.fixture(autouse=True)
def few_families(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two families: how rows are remembered does not depend on how many there are."""
    few = [path for path in families() if Path(path).stem in ("alexnet", "lenet5")]
    monkeypatch.setattr(totals, "families", lambda: few)


def run(words: list[str], folder: Path, **environment: str | None) -> Ended:
    """archcalc in `folder`, with these variables changed or (None) taken away."""
    merged = {**os.environ, **environment}
    kept = {name: value for name, value in merged.items() if value is not None}
    with chdir(folder), patch.dict(os.environ, kept, clear=True):
        return archcalc(*words)


def test_a_row_as_it_is_written() -> None:
    assert totals._sound([ROW])
    assert totals._sound([{**ROW, "year": 1998}])
    assert not totals._sound([])
    assert not totals._sound([{**ROW, "more": 1}])
    assert not totals._sound([{name: ROW[name] for name in ROW if name != "year"}])


@pytest.mark.parametrize(("key", "value"), OTHERWISE, ids=lambda x: repr(x)[:20])
def test_a_row_that_nobody_wrote(key: str, value: Any) -> None:
    assert not totals._sound([{**ROW, key: value}])


def changed(place: Path, again: bool) -> None:
    """Other numbers; `again`: under a digest of their own."""
    seal, text = place.read_text().split("\n")
    assert sha256(text.encode()).hexdigest() == seal
    known = json.loads(text)
    for rows in known.values():
        if again:
            rows[0]["title"] = "\x1b]0;owned\x07"
            rows[-1]["parameters"] = 10**400
        else:
            rows[0]["parameters"] *= 2
    text = json.dumps(known)
    place.write_text(f"{sha256(text.encode()).hexdigest() if again else seal}\n{text}")


@pytest.mark.parametrize("again", [False, True])
def test_a_cache_that_was_changed_is_computed_again(again: bool, tmp_path: Path) -> None:
    fresh = run(["list"], tmp_path, XDG_CACHE_HOME=str(tmp_path))
    changed(tmp_path / "archcalc" / "totals", again)
    ended = run(["list"], tmp_path, XDG_CACHE_HOME=str(tmp_path))
    assert (ended.code, ended.err, ended.out) == (0, "", fresh.out)


CONTENTS = [None, b"", b"[1]", b"{", b"\xff" * 100, b"[" * 10**6]


@pytest.mark.parametrize("content", CONTENTS, ids=lambda x: repr(x)[:8])
def test_what_stands_in_its_place_is_no_obstacle(content: bytes | None, tmp_path: Path) -> None:
    """A folder, too; and no half-written file stays beside it."""
    place = tmp_path / "archcalc" / "totals"
    place.parent.mkdir()
    if content is None:
        place.mkdir()
    else:
        place.write_bytes(content)
    ended = run(["list", "lenet"], tmp_path, XDG_CACHE_HOME=str(tmp_path))
    assert (ended.code, ended.err) == (0, "")
    assert os.listdir(place.parent) == ["totals"]


def test_a_pipe_in_its_place_is_not_waited_for(tmp_path: Path) -> None:
    place = tmp_path / "archcalc" / "totals"
    place.parent.mkdir()
    os.mkfifo(place)
    ended = run(["list", "lenet"], tmp_path, XDG_CACHE_HOME=str(tmp_path))
    assert (ended.code, ended.err) == (0, "")


@pytest.mark.parametrize(
    "environment",
    [{"HOME": "", "XDG_CACHE_HOME": ""}, {"HOME": "here"}, {"XDG_CACHE_HOME": "here"}],
    ids=["no home", "relative home", "relative cache"],
)
def test_nothing_is_written_where_one_stands(environment: dict[str, str], tmp_path: Path) -> None:
    """https://specifications.freedesktop.org/basedir-spec: a relative path is ignored."""
    home = {"HOME": str(tmp_path / "home"), "XDG_CACHE_HOME": None}
    work = tmp_path / "work"
    work.mkdir()
    ended = run(["list", "lenet"], work, **{**home, **environment})
    assert (ended.code, ended.err) == (0, "")
    assert os.listdir(work) == []
