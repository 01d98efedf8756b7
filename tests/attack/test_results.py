"""Flipped bits in every kind of result, and sweeps that are killed: refused or right, never believed."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from collections import Counter
from functools import cache
from pathlib import Path
from shutil import copytree, rmtree

import pytest
from support.campaign import SEED, archcalc, besiege, sizes
from support.stores import EXPECTED, PARTS, fresh, rows, sweep

from archcalc.sweeps.results.store import open_store

KINDS = ("part.csv", "part.parquet", "record", "manifest")


@pytest.fixture(autouse=True)
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    fresh(monkeypatch)
    for format in ("csv", "parquet"):
        sweep(format)
        Path("out").rename(format)


@cache
def sound(format: str) -> str:
    copytree(f"../{format}", "out", dirs_exist_ok=True)
    return archcalc("sweep", "show", "out", "--format", "json").out


def flip(chance: random.Random, number: int) -> str:
    """One to three bits of one file; what is shown is what was shown before, or refused."""
    kind = KINDS[number % len(KINDS)]
    format = "parquet" if kind == "part.parquet" else chance.choice(("csv", "parquet"))
    format = "csv" if kind == "part.csv" else format
    before = sound(format)
    rmtree("out")
    copytree(f"../{format}", "out")
    part = chance.randrange(PARTS)
    names = {"record": f"_part-{part:09}.json", "manifest": "_manifest.json"}
    place = Path("out", names.get(kind, f"part-{part:09}.{format}"))
    data = bytearray(place.read_bytes())
    for _ in range(chance.randint(1, 3)):
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    if data == place.read_bytes():
        return "same"
    place.write_bytes(data)
    ended = archcalc("sweep", "show", "out", "--format", "json")
    if ended.code:
        assert "damaged" in ended.err or "holds no sweep" in ended.err or "another version" in ended.err
        return f"{kind} refused"
    assert ended.out == before, f"{place} was believed"
    return f"{kind} shown as it was"


@sizes(40, 4000)
def test_flipped_bits(count: int, tmp_path: Path) -> None:
    told = besiege(flip, count, tmp_path)
    assert told["part.csv refused"] + told["part.parquet refused"] >= count // 2 - told["same"]


KILLED = """
from archcalc.sweeps.results import manifest
from archcalc.sweeps.evaluation import stream
manifest.PART, stream.CHUNK = 1000, 100
from archcalc.__main__ import main
import sys
sys.argv = ["archcalc", "sweep", "small.toml", "--vary", "a=1:{most}", "--vary", "b=1:20",
            "-o", "killed", "--resume", *{options}]
main()
"""


@sizes(2, 20)
def test_kills_and_resumes(count: int) -> None:
    """A point of every network, each once; sums by arithmetic: a has as many b as divisors up to 20."""
    chance, most = random.Random(SEED), 4000 if count < 10 else 20_000
    ends: Counter[int] = Counter()
    for format in ("csv", "parquet"):
        code = KILLED.format(most=most, options=["--format", "csv"] if format == "csv" else [])
        command = [sys.executable, "-c", code]
        for _ in range(count // 2):
            process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            _await(process, chance.randint(1, 8))
            time.sleep(0.03 * chance.random())  # a part takes about as long: anywhere in its making
            process.kill()
            ends[process.wait()] += 1
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        store = open_store("killed")
        found = [row[:3] for row in rows(store)]
        wanted = [
            ((a - 1) * 20 + b - 1, a, b) for a in range(1, most + 1) for b in range(1, 21) if a % b == 0
        ]
        assert found == wanted
        assert sum(one["points"] for one in store.counts().values()) == most * 20
        rmtree("killed")
    assert ends == {-signal.SIGKILL: count}
    print(f"\n{count} kills, and as many resumes, of {most * 20:,} points")


def _await(process: subprocess.Popen[bytes], more: int) -> None:
    """Until so many more parts are there, or it has ended."""
    before, deadline = _done(), time.monotonic() + 60
    while _done() < before + more and process.poll() is None:
        assert time.monotonic() < deadline, "no new part for a minute"
        time.sleep(0.002)


def _done() -> int:
    """Parts whose record says that they are done."""
    return len(list(Path("killed").glob("_part-*.json")))


def test_rows_are_known() -> None:
    """What the flips are held against is right."""
    Path("csv").rename("out")
    assert rows(open_store("out")) == EXPECTED
