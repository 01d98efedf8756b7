"""Compiled kernels on disk are those of this very code: their folder is named by a digest of it."""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import archcalc
from archcalc.compiled import ROOMS

PACKAGE = Path(archcalc.__file__).parent
# a kernel of two constants that it imports: compiled in a moment
CONSTANTS = "ADD, MULTIPLY = 3, 4"
TINY = """
from archcalc.compiled import compiled
from archcalc.execution.constants import ADD, MULTIPLY

@compiled
def numbers(x: int) -> int:
    return x * ADD + MULTIPLY

print(numbers(100), sum(numbers.stats.cache_hits.values()))
"""
# y · (x + 1) + y weights and y biases, at 2,000 × 1,000 points: enough for the compiled machine
SPEC = 'input = "1x1x{x}"\nlayers = ["linear {y}"]\n[vars]\nx = 1\ny = 1\n'
SWEEP = ["sweep", "net.toml", "--vary", "x=1:2000", "--vary", "y=1:1000", "--format", "json"]
SWEEP += ["--top", "1", "--by", "max:params"]
LARGEST = 1000 * (2000 + 1)


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """The package alone, as an editable install has it, and a spec to sweep."""
    shutil.copytree(PACKAGE, tmp_path / "archcalc", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(PACKAGE.parent / "specs", tmp_path / "specs")
    (tmp_path / "archcalc/execution/constants.py").write_text(CONSTANTS)
    (tmp_path / "archcalc/execution/tiny.py").write_text(TINY)
    (tmp_path / "net.toml").write_text(SPEC)
    return tmp_path


def python(folder: Path, *words: str, **environment: str) -> str:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("NUMBA", "PYTHON"))}
    env = {**kept, "PYTHONPATH": str(folder), **environment}
    command = [sys.executable, "-P", *words]
    return subprocess.run(
        command, cwd=folder, env=env, capture_output=True, text=True, check=True
    ).stdout


def sweep(folder: Path) -> str:
    told = python(folder, "-m", "archcalc", *SWEEP)
    assert f'"parameters": {LARGEST}' in told
    return told


def tiny(folder: Path, **environment: str) -> tuple[int, int]:
    """Return what the kernel of one constant says, and whether it was found on disk."""
    number, hits = python(folder, "-m", "archcalc.execution.tiny", **environment).split()
    return int(number), int(hits)


def exchange(folder: Path) -> None:
    """Other numbers for MULTIPLY and ADD, in the instructions and in the machine: a sound change."""
    place = folder / "archcalc/sweeps/machine/instructions.py"
    text = place.read_text()
    multiply, add = "    MULTIPLY,  # a × b\n", "    ADD,  # a + b\n"
    assert multiply + add in text
    place.write_text(text.replace(multiply + add, add + multiply))


def folders(place: Path) -> list[str]:
    return sorted(p.name for p in place.rglob("kernels-*"))


def turn(folder: Path, clock: int) -> None:
    """Set the times of all files by so many seconds."""
    for path in folder.rglob("*.py"):
        os.utime(path, (path.stat().st_atime + clock, path.stat().st_mtime + clock))


@pytest.mark.parametrize(
    "clock", [pytest.param(0, marks=pytest.mark.attack), -(10**6)], ids=["later", "earlier"]
)
def test_a_change_of_what_a_kernel_imports(copied: Path, clock: int) -> None:
    """As of a pull into an editable install, and of a wheel upgraded in place; the clock may go back."""
    (first, compiled), again = tiny(copied), tiny(copied)
    assert (compiled, again) == (0, (first, 1))
    add, multiply = divmod(first, 100)
    (copied / "archcalc/execution/constants.py").write_text("MULTIPLY, ADD = 3, 4")
    turn(copied, clock)
    assert tiny(copied) == (100 * multiply + add, 0)
    assert len(folders(copied)) == 2


@pytest.mark.attack
@pytest.mark.parametrize("clock", [0, -(10**6)], ids=["later", "earlier"])
def test_a_change_of_the_whole_machine(copied: Path, clock: int) -> None:
    """What a sweep finds is the same whatever the instructions' numbers are."""
    first = sweep(copied)
    exchange(copied)
    turn(copied, clock)
    assert sweep(copied) == first


def test_two_versions_share_a_cache(copied: Path, tmp_path: Path) -> None:
    """Each has a folder, and finds its own kernels again."""
    other = tmp_path / "other"
    shutil.copytree(copied / "archcalc", other / "archcalc")
    shutil.copytree(copied / "specs", other / "specs")
    (other / "archcalc/execution/constants.py").write_text("MULTIPLY, ADD = 3, 4")
    cache = str(tmp_path / "cache")
    (one, _), (two, _) = (tiny(folder, NUMBA_CACHE_DIR=cache) for folder in (copied, other))
    assert one != two
    for folder, number in ((copied, one), (other, two)):
        assert tiny(folder, NUMBA_CACHE_DIR=cache) == (number, 1)
    assert len(folders(Path(cache))) == 2
    assert not folders(copied / "archcalc")


def test_old_kernels_do_not_pile_up(copied: Path) -> None:
    place = copied / "archcalc/__pycache__"
    for age in range(9):
        folder = place / f"kernels-{age}"
        folder.mkdir(parents=True)
        os.utime(folder, (10**9 - age, 10**9 - age))
    tiny(copied)
    kept = folders(copied / "archcalc")
    assert len(kept) == 4
    assert {"kernels-0", "kernels-1", "kernels-2"} < {*kept}


def test_kernels_are_made_of_their_own_rooms() -> None:
    """The digest is of the files in `ROOMS`; nothing from elsewhere may be in a kernel."""
    homes = tuple(f"archcalc.{room.replace('/', '.')}." for room in ROOMS)
    for path in sorted(PACKAGE.rglob("*.py")):
        home = str(path.relative_to(PACKAGE.parent).with_suffix("")).replace("/", ".")
        tree = ast.parse(path.read_text(encoding="utf-8"))
        foreign = {
            alias.asname or alias.name
            for node in ast.walk(tree)
            if isinstance(node, ast.ImportFrom)
            and (node.module or "").startswith("archcalc.")
            and not f"{node.module}.".startswith(homes)
            for alias in node.names
        }
        for node in tree.body:
            decorated = isinstance(node, ast.FunctionDef) and any(
                ast.unparse(d).split("(")[0] in ("compiled", "intrinsic", "numba.extending.intrinsic")
                for d in node.decorator_list
            )
            if decorated:
                assert home.startswith(homes), f"{home}: {node.name}"
                body = [n for stmt in node.body for n in ast.walk(stmt)]
                used = {n.id for n in body if isinstance(n, ast.Name)}
                assert not used & foreign, f"{path.name}: {node.name} uses {used & foreign}"
