"""Every command of the README runs, and every output that it shows is real."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
CONSOLE = re.findall(r"```console\n(.*?)```", README, re.DOTALL)
SHOWN = [
    tuple(part.split("\n", 1)) for block in CONSOLE for part in re.split(r"^\$ ", block, flags=re.M)[1:]
]
INLINE = sorted(set(re.findall(r"`(archcalc [a-z]+ [^`]*)`", README)) - {"archcalc run SPEC --verify"})


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A working folder with the files that the README names."""
    place = tmp_path_factory.mktemp("readme")
    spec = re.search(r"```toml\n(.*?)```", README, re.DOTALL)
    assert spec
    (place / "small.toml").write_text(spec[1], encoding="utf-8")
    (place / "FILE").write_text(spec[1], encoding="utf-8")
    (place / "my-net.toml").write_bytes((ROOT / "tests/data/my-net.toml").read_bytes())
    return place


def run(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    words = shlex.split(command)
    assert words[0] == "archcalc"
    environment = {**os.environ, "COLUMNS": "80", "NO_COLOR": "1"}
    command_line = [sys.executable, "-m", "archcalc", *words[1:]]
    return subprocess.run(
        command_line, cwd=folder, env=environment, capture_output=True, text=True, encoding="utf-8"
    )


def test_there_is_something_to_check() -> None:
    assert len(SHOWN) >= 6
    assert len(INLINE) >= 6


@pytest.mark.parametrize(("command", "output"), SHOWN, ids=[command for command, _ in SHOWN])
def test_shown_output_is_real(command: str, output: str, folder: Path) -> None:
    result = run(command, folder)
    shown = "\n".join(line.rstrip() for line in output.strip("\n").split("\n"))
    assert (result.stdout + result.stderr).strip("\n") == shown


@pytest.mark.parametrize("command", INLINE)
def test_named_commands_run(command: str, folder: Path) -> None:
    result = run(command, folder)
    assert result.returncode == 0, result.stderr
    assert result.stdout


def test_python_example() -> None:
    """The `name  # value` lines of the block that imports archcalc."""
    check_values(r"```python\n(import archcalc\n.*?)```")


@pytest.mark.parametrize("library", ["duckdb", "polars", "pandas"])
def test_others_read_a_folder(library: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip(library, reason=f"{library} is not installed; archcalc does not need it")
    if not (folder / "results").exists():
        (command,) = (command for command, _ in SHOWN if "-o results" in command)
        assert run(command, folder).returncode == 0
    monkeypatch.chdir(folder)
    check_values(rf"(?:```python|\n)\n(import {library}\n.*?)(?:```|\n\n)")


def check_values(place: str) -> None:
    """That what stands behind the # of each line is its value."""
    block = re.search(place, README, re.DOTALL)
    assert block
    scope: dict[str, object] = {}
    for line in block[1].splitlines():
        code, _, expected = line.partition("#")
        if expected:
            assert repr(eval(code, scope)) == expected.strip()
        else:
            exec(code, scope)


def test_lines_fit_the_terminal() -> None:
    """But for the text of a spec, which is as wide as its author wrote it."""
    for output in (output for command, output in SHOWN if "archcalc cat" not in command):
        assert max(map(len, output.split("\n"))) <= 80
