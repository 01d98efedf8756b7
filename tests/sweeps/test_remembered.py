"""Programs of structures on disk: the same numbers, recorded once; what was changed is not believed."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Any

import pytest

import archcalc
from archcalc.formats import formats_of
from archcalc.sweeps.evaluation import ahead, remembered, structures
from archcalc.sweeps.evaluation.request import request
from archcalc.sweeps.evaluation.run import sweep
from archcalc.sweeps.space.model import make_space
from archcalc.sweeps.space.points import grid

SPEC = """input = "8x8x4"
layers = [
  "conv {a} k3", "if again: conv {a} k1", "if wide: conv {2*a} k1", "conv 6 k1 g{groups}", "{act}"
]
[vars]
a = 4
groups = 1
wide = false
again = false
act = { default = "relu", choices = ["relu", "tanh"] }
"""
VARY = {"a": "1:12", "groups": "1:3", "wide": "false,true", "again": "false,true", "act": "relu,tanh"}
PROGRAMS = 2 * 2 * 2  # of wide, again and act; no guard tells more of them apart


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "caches"))
    Path("net.toml").write_text(SPEC)
    return tmp_path / "caches/archcalc/structures"


@pytest.fixture
def recorded(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Counts the structures that are recorded."""
    found: list[int] = []
    record = structures.record

    def counting(*arguments: Any) -> Any:
        found.append(1)
        return record(*arguments)

    monkeypatch.setattr(structures, "record", counting)
    return found


def swept(**how: Any) -> tuple[list[dict[str, Any]], list[Any]]:
    rows = archcalc.sweep("net.toml", VARY, **how)
    return list(rows), rows.refused


def by_hand() -> list[tuple[Any, ...]]:
    """Parameters by the text of the spec; the last conv reads a share of the channels, and makes 6."""
    found = []
    for a, groups, wide, again, act in product(range(1, 13), (1, 2, 3), FLAGS, FLAGS, ("relu", "tanh")):
        channels = 2 * a if wide else a
        if channels % groups == 0:
            count = 37 * a + again * (a * a + a) + wide * (2 * a * a + 2 * a)
            found.append((a, groups, wide, again, act, count + 6 * channels // groups + 6))
    return found


FLAGS = (False, True)


def test_what_is_remembered_is_what_was_recorded(folder: Path, recorded: list[int]) -> None:
    first = swept()
    assert [(*(row[name] for name in VARY), row["parameters"]) for row in first[0]] == by_hand()
    assert len(os.listdir(folder)) == PROGRAMS
    many = len(recorded)
    assert many >= PROGRAMS
    assert swept() == first
    assert len(recorded) - many == many - PROGRAMS + 1  # to see which axes are sizes


def test_processes_record_what_the_sweep_reads(
    folder: Path, recorded: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ahead, "PAYS", 0)
    space = make_space(archcalc.load("net.toml"), [f"{name}={text}" for name, text in VARY.items()])
    asked = request(grid(space), formats_of("float32"), "", "parameters,max:multiplies", "", None, 9)
    found = sweep(asked, lambda points: None, processes=2)
    own = len(recorded)
    assert found.engine.structures.remembered == len(os.listdir(folder)) - 1 == PROGRAMS - 1
    assert own < PROGRAMS  # the first, and to see which axes are sizes
    for place in folder.iterdir():
        place.unlink()
    assert list(sweep(asked, lambda points: None).rows()) == list(found.rows())
    assert len(recorded) - own >= PROGRAMS


def test_points_without_sizes_are_programs_of_their_own(folder: Path) -> None:
    """Of 4 or 8 channels; 3 groups do not divide them, nor 4 the 6 filters: told by reason."""
    flags = {"again": "false,true", "wide": "false,true"}
    rows = archcalc.sweep("net.toml", flags)
    assert [row["parameters"] for row in rows] == [
        37 * 4 + again * 20 + wide * (32 + 8) + 6 * (8 if wide else 4) + 6
        for again in FLAGS
        for wide in FLAGS
    ]
    assert len(os.listdir(folder)) == 4
    assert rows == archcalc.sweep("net.toml", flags)
    refused = archcalc.sweep("net.toml", {**flags, "groups": "3,4", "act": "relu"}).refused
    assert sum(refusal.points for refusal in refused) == 8
    assert len(refused) <= 2


@pytest.mark.parametrize(
    "how",
    [
        {"where": "parameters <= 200"},
        {"where": "parameters <= 201"},
        {"dtype": "int8"},
        {"by": "max:multiplies", "top": 50},
        {"by": "training", "top": 50, "batch": 8},
        {"by": "training", "top": 50, "batch": 9},
        {"pareto": "params,max:a"},
    ],
)
def test_other_questions_have_programs_of_their_own(how: dict[str, Any], tmp_path: Path) -> None:
    swept()
    swept(where="parameters <= 199")
    found = swept(**how), swept(**how)
    os.environ["XDG_CACHE_HOME"] = str(tmp_path / "others")
    assert found == (swept(**how),) * 2


def test_another_spec_has_programs_of_its_own() -> None:
    rows, _ = swept()
    Path("net.toml").write_text(SPEC.replace("conv 6 k1", "conv 12 k1"))
    others, _ = swept()
    assert all(b["parameters"] > a["parameters"] for a, b in zip(rows, others, strict=True))


def sealed(programs: Any) -> bytes:
    data = json.dumps(programs).encode()
    return hashlib.sha256(data).hexdigest().encode() + data


def first(change: Callable[[list[Any]], Any]) -> Callable[[bytes], bytes]:
    """A file in which the first program was changed, and the digest with it."""

    def changed(data: bytes) -> bytes:
        programs = json.loads(data[remembered.SEAL :])
        programs[0] = change(programs[0])
        return sealed(programs)

    return changed


def instruction(place: int, value: Any) -> Callable[[list[Any]], Any]:
    def change(program: list[Any]) -> Any:
        lines = [list(line) for line in program[0]]
        lines[0][place] = value
        return [lines, *program[1:]]

    return change


HOSTILE = {
    "empty": lambda data: b"",
    "cut": lambda data: data[:-9],
    "longer": lambda data: data + b" ",
    "a bit": lambda data: data[:-20] + bytes([data[-20] ^ 1]) + data[-19:],
    "large": lambda data: sealed([" " * (1 << 20)]),
    "no list": lambda data: sealed({"a": 1}),
    "a number": lambda data: sealed(7),
    "deep": lambda data: hashlib.sha256(b"[" * 10**5).hexdigest().encode() + b"[" * 10**5,
    "none of five parts": first(lambda p: p[:4]),
    "an operation there is not": first(instruction(0, 14)),
    "a negative operation": first(instruction(0, -1)),
    "a register beyond": first(instruction(1, 10**6)),
    "a negative register": first(instruction(2, -1)),
    "a register of text": first(instruction(3, "0")),
    "a truth": first(instruction(3, True)),
    "a number beyond 64 bits": first(instruction(4, 1 << 70)),
    "a decimal": first(instruction(5, 0.5)),
    "seven of six": first(lambda p: [[[*p[0][0], 1], *p[0][1:]], *p[1:]]),
    "a division by nothing": first(lambda p: [[[5, 0, 0, 0, 0, 0], *p[0]], *p[1:]]),
    "a long shift": first(lambda p: [[[6, 0, 0, 0, 64, 0], *p[0]], *p[1:]]),
    "a register that nothing wrote": first(lambda p: [p[0], p[1] + 1, p[2], [p[1]] * len(p[3]), p[4]]),
    "an operand that nothing wrote": first(lambda p: [[[3, 0, p[1], 0, 1, 0], *p[0]], p[1] + 1, *p[2:]]),
    "many registers": first(lambda p: [p[0], 10**9, *p[2:]]),
    "no registers": first(lambda p: [p[0], 0, *p[2:]]),
    "an input there is not": first(lambda p: [*p[:2], [[99, 0]], *p[3:]]),
    "an input beyond": first(lambda p: [*p[:2], [[0, 10**6]], *p[3:]]),
    "fewer results": first(lambda p: [*p[:3], p[3][1:], p[4]]),
    "results beyond": first(lambda p: [*p[:3], [10**6] * len(p[3]), p[4]]),
    "no outcomes": first(lambda p: [*p[:4], []]),
    "outcomes of numbers": first(lambda p: [*p[:4], [0] * len(p[4])]),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_a_changed_file_is_recorded_anew(what: str, folder: Path, recorded: list[int]) -> None:
    expected = swept()
    whole = {place: place.read_bytes() for place in folder.iterdir()}
    for place, data in whole.items():
        place.write_bytes(HOSTILE[what](data))
    recorded.clear()
    assert swept() == expected
    assert len(recorded) >= PROGRAMS
    assert {place: place.read_bytes() for place in folder.iterdir()} == whole


def test_an_outcome_beyond_those_told_ends_nothing(folder: Path) -> None:
    """A program, sealed, that counts more checks than it has outcomes: wrong, but nothing breaks."""
    swept()
    for place in folder.iterdir():
        place.write_bytes(first(lambda p: [*p[:4], p[4][-1:]])(place.read_bytes()))
    rows, refused = swept()
    assert len(rows) + sum(refusal.points for refusal in refused) == 12 * 3 * 2 * 2 * 2


@pytest.mark.parametrize("what", ["pipe", "folder", "device"])
def test_what_is_no_file(what: str, folder: Path) -> None:
    expected = swept()
    for place in list(folder.iterdir()):
        place.unlink()
        if what == "pipe":
            os.mkfifo(place)
        elif what == "folder":
            place.mkdir()
        else:
            place.symlink_to("/dev/zero")
    assert swept() == expected


@pytest.mark.parametrize("home", ["/proc/nothing", "/dev/null", ""])
def test_a_disk_that_refuses(home: str, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = swept()
    monkeypatch.setenv("XDG_CACHE_HOME", home)
    monkeypatch.setenv("HOME", "/proc/nothing")
    assert swept() == expected


def test_only_so_many_are_kept(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remembered, "MOST_FILES", 20)
    monkeypatch.setattr(remembered, "OFTEN", 5)
    for limit in range(10):
        swept(where=f"parameters <= {limit}00")
        assert len(os.listdir(folder)) <= 20 + PROGRAMS


def test_integers_beyond_64_bits_are_not_remembered(folder: Path) -> None:
    """Of 4·10⁹ filters, each fits; the wide ones multiply 2·a·a of them at 64 places."""
    large = {"a": "4000000000:4000000001", "wide": "false,true"}
    rows = archcalc.sweep("net.toml", large)
    assert rows[-1]["multiplies"] > 2**63 > rows[0]["multiplies"]
    assert len(os.listdir(folder)) == 1
    assert rows == archcalc.sweep("net.toml", large)
