"""`run --save` never writes over a file that the run reads, by whatever name."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

SPEC = b'input = "4x4x1"\nlayers = ["conv 2"]\n'


@pytest.mark.parametrize(
    ("spec", "name"),
    [
        ("./x.npz", "x.npz"),
        ("./x.npz", "soft.npz"),
        ("./x.npz", "hard.npz"),
        ("./x.npz", "d/../x.npz"),
        ("-", "soft.npz"),
    ],
)
def test_the_spec_itself(spec: str, name: str, tmp_path: Path) -> None:
    place = tmp_path / "x.npz"
    place.write_bytes(SPEC)
    (tmp_path / "d").mkdir()
    (tmp_path / "soft.npz").symlink_to(place)
    os.link(place, tmp_path / "hard.npz")
    command = [sys.executable, "-m", "archcalc", "run", spec, "--save", name]
    with place.open("rb") as stdin:
        ended = subprocess.run(command, cwd=tmp_path, stdin=stdin, capture_output=True, text=True)
    wanted = f"error: `{name}` would be overwritten, and is read\n  = help: write to another file\n"
    assert (ended.returncode, ended.stderr) == (2, wanted)
    assert place.read_bytes() == SPEC


def test_a_pipe_stays_one(tmp_path: Path) -> None:
    """Whoever reads it would wait for ever if a file took its place."""
    os.mkfifo(tmp_path / "x.npz")
    command = [sys.executable, "-m", "archcalc", "run", "4x4x1 | conv 2", "--save", "x.npz"]
    ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr == "error: cannot write `x.npz`: it is no regular file\n"
    assert (tmp_path / "x.npz").is_fifo()
