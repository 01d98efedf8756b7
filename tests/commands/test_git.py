"""check --against, diff --git and the pre-commit hook in a repository that the test makes."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

HOOK = (Path(__file__).parents[2] / ".pre-commit-hooks.yaml").read_text(encoding="utf-8")
NET = """input = "8x8x3"
layers = ["a = conv {width} k3 half | relu", "gap | linear 10"]
[vars]
width = 8
[budget]
max-params = 400
"""
# 27 weights and a bias a filter, 10 of the head for each, and its 10 biases: 38·8 + 10 = 314; 352 with
# 9 filters; 466 with 12, which is over 400
PARAMETERS = {8: 314, 9: 352, 12: 466}


class Repository:
    """A repository of git with one commit of two specs."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.git("init", "-q", "-b", "main")
        self.write("nets/net.toml", NET)
        self.write("nets/other.toml", NET)
        self.git("add", ".")
        self.git("commit", "-qm", "two networks")

    def git(self, *words: str) -> str:
        own = ["-c", "user.name=t", "-c", "user.email=t@t.example", "-c", "core.hooksPath=.hooks"]
        done = subprocess.run(
            ["git", *own, *words], cwd=self.folder, check=True, capture_output=True, text=True
        )
        return done.stdout

    def write(self, name: str, text: str) -> None:
        path = self.folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)

    def widen(self, width: int) -> None:
        self.write("nets/net.toml", NET.replace("width = 8", f"width = {width}"))

    def archcalc(self, *words: str) -> subprocess.CompletedProcess[str]:
        program = Path(sys.executable).parent / "archcalc"
        environment = {**os.environ, "COLUMNS": "80"}
        return subprocess.run(
            [program, *words], cwd=self.folder, capture_output=True, text=True, env=environment
        )

    def hook(self) -> subprocess.CompletedProcess[str]:
        """As pre-commit runs it: its entry, and behind it the staged files of its type."""
        (entry,) = re.findall(r"^  entry: (.*)$", HOOK, re.MULTILINE)
        (types,) = re.findall(r"^  types: \[(\w+)\]$", HOOK, re.MULTILINE)
        staged = self.git("diff", "--cached", "--name-only", "--diff-filter=ACMR").split()
        command, *words = entry.split()
        assert command == "archcalc"
        return self.archcalc(*words, *(name for name in staged if name.endswith(f".{types}")))


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path)


def test_against_a_commit(repository: Repository) -> None:
    """One filter more is growth by 38 of 314 parameters: 12.1 %."""
    assert 0.12 < (PARAMETERS[9] - PARAMETERS[8]) / PARAMETERS[8] < 0.13
    assert repository.archcalc("check", "nets/net.toml", "--against", "main").returncode == 0
    repository.widen(9)
    grown = repository.archcalc("check", "nets/net.toml", "--against", "main")
    assert grown.returncode == 1 and "38 over" in grown.stdout
    words = ("check", "nets/net.toml", "--against", "main", "--tolerance")
    assert repository.archcalc(*words, "13%").returncode == 0
    assert repository.archcalc(*words, "12%").returncode == 1
    repository.git("commit", "-qam", "wider")
    assert repository.archcalc("check", "nets/net.toml", "--against", "main").returncode == 0
    assert repository.archcalc("check", "nets/net.toml", "--against", "main~1").returncode == 1


def test_diff_with_a_commit(repository: Repository) -> None:
    repository.widen(12)
    told = repository.archcalc("diff", "--git", "main", "nets/net.toml")
    assert told.returncode == 0, told.stderr
    text = " ".join(told.stdout.split())
    assert str(PARAMETERS[8]) in text and str(PARAMETERS[12]) in text
    json = repository.archcalc("diff", "--git", "main", "nets/net.toml", "--format", "md")
    assert json.returncode == 0 and str(PARAMETERS[12]) in json.stdout


@pytest.mark.parametrize("width, code", [(9, 0), (12, 1)])
def test_the_hook_on_what_is_staged(width: int, code: int, repository: Repository) -> None:
    """Staged files alone are checked: the other, which breaks its budget, is not part of the commit."""
    repository.widen(width)
    repository.write("nets/other.toml", NET.replace("width = 8", "width = 30"))
    repository.write("README.md", "no spec")
    repository.git("add", "nets/net.toml", "README.md")
    done = repository.hook()
    assert done.returncode == code, done.stdout + done.stderr
    assert (f"{PARAMETERS[width] - 400} over" in done.stdout) == (code == 1)


@pytest.mark.parametrize("width, code", [(9, 0), (12, 1)])
def test_git_itself_runs_it(width: int, code: int, repository: Repository) -> None:
    """As a hook of git: the commit is made, or it is not."""
    program = Path(sys.executable).parent / "archcalc"
    staged = "$(git diff --cached --name-only -- '*.toml')"
    repository.write(".hooks/pre-commit", f"#!/bin/sh\nexec {program} check {staged}\n")
    (repository.folder / ".hooks/pre-commit").chmod(0o755)
    repository.widen(width)
    repository.git("add", "nets/net.toml")
    if code:
        with pytest.raises(subprocess.CalledProcessError):
            repository.git("commit", "-qm", "wider")
    else:
        repository.git("commit", "-qm", "wider")
    assert len(repository.git("log", "--oneline").splitlines()) == (1 if code else 2)
