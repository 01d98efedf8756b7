"""The hook of pre-commit: its entry, called as pre-commit calls it, on the files of a commit."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

HOOK = (Path(__file__).parents[2] / ".pre-commit-hooks.yaml").read_text(encoding="utf-8")
NET = 'input = "8x8x3"\nlayers = ["conv {width} k3"]\n[vars]\nwidth = 8\n[budget]\nmax-params = 300\n'


@pytest.mark.parametrize("width, code", [(8, 0), (16, 1)])
def test_the_hook_on_the_files_of_a_commit(width: int, code: int, tmp_path: Path) -> None:
    """9·3·8 + 8 = 224 parameters are within 300, 9·3·16 + 16 = 448 are not."""
    (entry,) = re.findall(r"^  entry: (.*)$", HOOK, re.MULTILINE)
    command, *words = entry.split()
    (tmp_path / "small.toml").write_text(NET)
    (tmp_path / "net.toml").write_text(NET.replace("width = 8", f"width = {width}"))
    program = Path(sys.executable).parent / command
    files = ["small.toml", "net.toml"]
    done = subprocess.run([program, *words, *files], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == code, done.stderr
    assert ("148 over" in done.stdout) == (code == 1)
