"""Damaged kernels on disk: compiled anew, never run."""

from __future__ import annotations

import hashlib
import os
import random
import re
import subprocess
import sys
from pathlib import Path

import pytest
from support.campaign import SEED, mutate

COUNT = 40
# y · (x + 1) + y weights and y biases, at 2,000 × 1,000 points: enough for the compiled machine
SPEC = 'input = "1x1x{x}"\nlayers = ["linear {y}"]\n[vars]\nx = 1\ny = 1\n'
SWEEP = ["sweep", "net.toml", "--vary", "x=1:2000", "--vary", "y=1:1000", "--format", "json"]
SWEEP += ["--top", "1", "--by", "max:params"]
LARGEST = 1000 * (2000 + 1)
VERIFY = ["run", "3x4x2 | conv 5 k3 p1 | flatten | linear 2", "--verify", "--format", "json"]
MULTIPLIES = 3 * 4 * 5 * 3 * 3 * 2 + 3 * 4 * 5 * 2  # of the conv, and of the linear layer


def answers(cache: Path) -> list[str]:
    """What commands say that run kernels kept in this folder."""
    env = {**os.environ, "NUMBA_CACHE_DIR": str(cache)}
    ended = [
        subprocess.run(
            [sys.executable, "-m", "archcalc", *words], env=env, capture_output=True, text=True
        )
        for words in (SWEEP, VERIFY)
    ]
    assert [(one.returncode, one.stderr) for one in ended] == [(0, "")] * 2
    return [re.sub(r'"seconds": [\d.]+', "", one.stdout) for one in ended]


def sound(path: Path) -> bool:
    """As archcalc/compiled.py writes it: a digest of what follows."""
    data = path.read_bytes()
    return data[:32] == hashlib.sha256(data[32:]).digest()


def damaged(data: bytes, chance: random.Random) -> bytes:
    """One to three bits flipped, or stretches changed."""
    if chance.random() < 0.5:
        return mutate(data, chance)
    made = bytearray(data)
    for place in chance.sample(range(len(made)), chance.randint(1, 3)):
        made[place] ^= 1 << chance.randrange(8)
    return bytes(made)


@pytest.mark.attack
def test_damaged_kernels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each answer is that of sound kernels, and the file is written again where one is loaded."""
    monkeypatch.chdir(tmp_path)
    Path("net.toml").write_text(SPEC)
    cache, chance, mended = tmp_path / "cache", random.Random(SEED), 0
    right = answers(cache)
    assert f'"parameters": {LARGEST}' in right[0]
    assert f'"multiplies": {MULTIPLIES}' in right[1]
    files = sorted(path for path in cache.rglob("*") if path.is_file())
    assert len(files) > 20
    assert all(map(sound, files))
    for number in range(COUNT):
        path = chance.choice(files)
        path.write_bytes(damaged(path.read_bytes(), chance))
        assert answers(cache) == right, f"damage {number} of seed {SEED}, to {path.name}"
        mended += sound(path)
    print(f"\n{COUNT} times damaged, {mended} of them compiled and written anew")
    assert mended  # others are within a kernel that is whole, and are not asked for
