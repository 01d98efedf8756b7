"""Mutated files of weights, images, maps, points and totals: read, or refused with a reason."""

from __future__ import annotations

import json
import os
import random
import struct
import zipfile
from collections.abc import Callable
from functools import cache
from io import BytesIO
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pytest
from support.campaign import archcalc, besiege, mutate, sizes

from archcalc.spec.bundle import families

SPEC = b'input = "4x5x3"\nlayers = ["c = conv 4 k3", "relu", "flatten", "linear {n}"]\n[vars]\nn = 2\n'
SHAPES = {
    "c.weight": (4, 3, 3, 3),
    "c.bias": (4,),
    "linear.weight": (2, 24),
    "linear.bias": (2,),
}


def arrays() -> dict[str, np.ndarray]:
    pick = np.random.default_rng(0)
    return {name: pick.standard_normal(shape).astype(np.float32) for name, shape in SHAPES.items()}


def safetensors() -> bytes:
    header, body = {}, b""
    for name, array in arrays().items():
        data = array.tobytes()
        place = [len(body), len(body) + len(data)]
        header[name] = {"dtype": "F32", "shape": list(array.shape), "data_offsets": place}
        body += data
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + body


def npz(method: int = zipfile.ZIP_STORED) -> bytes:
    made = BytesIO()
    with zipfile.ZipFile(made, "w", method) as archive:
        for name, array in arrays().items():
            entry = BytesIO()
            np.save(entry, array)
            archive.writestr(f"{name}.npy", entry.getvalue())
    return made.getvalue()


def npy() -> bytes:
    made = BytesIO()
    np.save(made, np.arange(60, dtype=np.float32).reshape(4, 5, 3))
    return made.getvalue()


def image(kind: str) -> bytes:
    pillow = pytest.importorskip("PIL.Image")
    made = BytesIO()
    pixels = np.random.default_rng(0).integers(0, 256, (40, 50, 3), dtype=np.uint8)
    pillow.fromarray(pixels).save(made, kind)
    return made.getvalue()


def totals() -> bytes:
    """What `archcalc list` remembers, under the keys that it asks for."""
    with patch.dict(os.environ, {"XDG_CACHE_HOME": os.path.abspath("fresh")}):
        archcalc("list")
    return Path("fresh/archcalc/totals").read_bytes()


# file → what writes a sound one, and the command that reads it
KINDS: dict[str, tuple[Callable[[], bytes], tuple[str, ...]]] = {
    "w.safetensors": (safetensors, ("run", "s.toml", "--weights", "{}")),
    "w.npz": (npz, ("run", "s.toml", "--weights", "{}")),
    "deflated.npz": (lambda: npz(zipfile.ZIP_DEFLATED), ("run", "s.toml", "--weights", "{}")),
    "x.npy": (npy, ("run", "s.toml", "--image", "{}")),
    "x.png": (lambda: image("PNG"), ("run", "s.toml", "--image", "{}")),
    "x.jpg": (lambda: image("JPEG"), ("run", "s.toml", "--image", "{}")),
    "x.gif": (lambda: image("GIF"), ("run", "s.toml", "--image", "{}")),
    "x.bmp": (lambda: image("BMP"), ("run", "s.toml", "--image", "{}")),
    "x.webp": (lambda: image("WEBP"), ("run", "s.toml", "--image", "{}")),
    "m.txt": (
        lambda: b"c = c\nlinear = linear\n",
        ("run", "s.toml", *["--weights", "ok.npz", "--map", "{}"]),
    ),
    "points.csv": (lambda: b"n\n1\n2\n33\n4\n", ("sweep", "s.toml", "--points", "{}")),
    "totals": (totals, ("list", "lenet")),
}


RARE = 50  # mutants from one of the totals to the next: all are counted anew then


@pytest.fixture(autouse=True)
def few_families(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two families: how rows are remembered does not depend on how many there are."""
    few = [path for path in families() if Path(path).stem in ("alexnet", "lenet5")]
    monkeypatch.setattr("archcalc.totals.families", lambda: few)


@cache
def sound(name: str) -> bytes:
    return KINDS[name][0]()


def attack(chance: random.Random, number: int) -> str:
    name = "totals" if number % RARE == 0 else list(KINDS)[number % (len(KINDS) - 1)]
    Path("s.toml").write_bytes(SPEC)
    Path("ok.npz").write_bytes(sound("w.npz"))
    Path(name).write_bytes(mutate(sound(name), chance))
    if name == "totals":
        return _remembered(Path(name).read_bytes())
    ended = archcalc(*(word.format(name) for word in KINDS[name][1]))
    return ("fine", "a finding", "refused")[ended.code]


def _remembered(data: bytes) -> str:
    place = Path("cache/archcalc/totals")
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(data)
    with patch.dict(os.environ, {"XDG_CACHE_HOME": os.path.abspath("cache")}):
        ended = archcalc("list", "lenet")
    assert ended.code == 0
    assert ended.out == listed()
    assert os.listdir(place.parent) == [place.name]
    return "fine"


@cache
def listed() -> str:
    """What is shown of a sound file; test_totals_cache.py holds it against what is computed."""
    sound("totals")
    with patch.dict(os.environ, {"XDG_CACHE_HOME": os.path.abspath("fresh")}):
        return archcalc("list", "lenet").out


@pytest.mark.parametrize("name", KINDS)
def test_what_is_not_mutated_is_read(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("s.toml").write_bytes(SPEC)
    Path("ok.npz").write_bytes(npz())
    Path(name).write_bytes(KINDS[name][0]())
    assert archcalc(*(word.format(name) for word in KINDS[name][1])).code == 0


@sizes(60, 10_000)
def test_mutated_files(count: int, tmp_path: Path) -> None:
    told = besiege(attack, count, tmp_path)
    assert min(told["fine"], told["refused"]) > count // 20, told
