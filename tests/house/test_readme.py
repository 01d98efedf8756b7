"""Every command of the README and the help pages runs, and every output that they show is real."""

from __future__ import annotations

import csv
import math
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from support.commands import archcalc as archcalc_in
from support.neighbors import share

from archcalc.commands import sweep_progress
from archcalc.execution import timing

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
HELP = ROOT / "archcalc" / "help"
PAGES = [README, *sorted(HELP.glob("*.md"))]
TEXTS = {page.stem: page.read_text(encoding="utf-8") for page in PAGES}
SHOWN = [
    (page, *part.split("\n", 1))
    for page, text in TEXTS.items()
    for block in re.findall(r"```console\n(.*?)```", text, re.DOTALL)
    for part in re.split(r"^\$ ", block, flags=re.M)[1:]
]
# no command lines as they stand, and one that needs a repository: tests/commands/test_diff.py
ELSEWHERE = (
    "archcalc run SPEC --verify",
    "archcalc memory SPEC --training",
    "archcalc help COMMAND",
    "archcalc params torch:torchvision.models:resnet18 --input 3x224x224",  # needs torch
    "archcalc diff --git main my-net.toml",
    "archcalc draw --git main my-net.toml -o change.png",
)
INLINE = {
    command: page
    for page, text in TEXTS.items()
    for command in re.findall(r"`(archcalc [a-z]+ [^`]*)`", text)
    if command not in (*ELSEWHERE, *(shown for _, shown, _ in SHOWN))
}


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A working folder for each page with the files that it names."""
    spec = re.search(r"```toml\n(.*?)```", TEXTS["language"], re.DOTALL)
    assert spec
    made = {}
    for page in TEXTS:
        place = made[page] = tmp_path_factory.mktemp(page)
        (place / "small.toml").write_text(spec[1], encoding="utf-8")
        (place / "FILE").write_text(spec[1], encoding="utf-8")
        (place / "my-net.toml").write_bytes((ROOT / "tests/data/my-net.toml").read_bytes())
        (place / "model.pt2").write_bytes((ROOT / "tests/data/pt2/resnet18.pt2").read_bytes())
    return made


@pytest.fixture(autouse=True)
def shared(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages search the same networks; what the machine reaches is measured in a moment.

    A sweep that a busy machine makes slow tells nothing of its progress: pages show none.
    """
    share(monkeypatch)
    monkeypatch.setattr(sweep_progress, "SELDOM", float("inf"))
    monkeypatch.setattr(timing, "PEAK", 0.05)
    monkeypatch.setattr(timing, "SIDES", (256,))


def run(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    words = shlex.split(command)
    assert words[0] == "archcalc"
    if "--dask" not in words:  # its processes and threads are for a program of its own
        return archcalc_in(folder, *words[1:])
    environment = {**os.environ, "COLUMNS": "80", "NO_COLOR": "1"}
    command_line = [sys.executable, "-m", "archcalc", *words[1:]]
    return subprocess.run(
        command_line, cwd=folder, env=environment, capture_output=True, text=True, encoding="utf-8"
    )


def test_there_is_something_to_check() -> None:
    assert len(SHOWN) >= 6
    assert len(INLINE) >= 6


@pytest.mark.parametrize(("page", "command", "output"), SHOWN, ids=[f"{p}: {c}" for p, c, _ in SHOWN])
def test_shown_output_is_real(page: str, command: str, output: str, folders: dict[str, Path]) -> None:
    result = run(command, folders[page])
    shown = "\n".join(line.rstrip() for line in output.strip("\n").split("\n"))
    assert (result.stdout + result.stderr).strip("\n") == shown


@pytest.mark.parametrize("command", sorted(INLINE))
def test_named_commands_run(command: str, folders: dict[str, Path]) -> None:
    result = run(command, folders[INLINE[command]])
    assert result.returncode == 0, result.stderr
    assert result.stdout


@pytest.mark.parametrize("name", ["vgg16", "resnet50"])
def test_table_of_transfer_is_real(name: str) -> None:
    result = run(f"archcalc transfer {name} --classes 3 --format csv", Path())
    for row in csv.DictReader(result.stdout.splitlines()):
        if row["regime"]:
            trained, products = (engineering(int(row[key])) for key in ("trainable", "multiplies"))
            told = f"| {name}: {row['regime']} | {trained} | {products} | {row['memory']} |\n"
            assert told in TEXTS["README"]


def engineering(value: int) -> str:
    """Three digits and a prefix: 134272835 is '134 M'."""
    power = int(math.log10(value)) // 3
    return f"{f'{value / 1000**power:#.3g}'.rstrip('.')} {' KMG'[power]}"


@pytest.mark.parametrize("page", ["README", "python"])
def test_python_example(page: str) -> None:
    """The `name  # value` lines of the page's blocks, one after another."""
    blocks = "".join(re.findall(r"```python\n(.*?)```", TEXTS[page], re.DOTALL))
    check_values(blocks, r"(import archcalc\n.*)")


@pytest.mark.parametrize("library", ["duckdb", "polars", "pandas"])
def test_others_read_a_folder(
    library: str, folders: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip(library, reason=f"{library} is not installed; archcalc does not need it")
    folder = folders["sweep"]
    if not (folder / "results").exists():
        (command,) = (command for _, command, _ in SHOWN if "-o results" in command)
        assert run(command, folder).returncode == 0
    monkeypatch.chdir(folder)
    check_values(TEXTS["sweep"], rf"(?:```python|\n)\n(import {library}\n.*?)(?:```|\n\n)")


def check_values(text: str, place: str) -> None:
    """That what stands behind the # of each line is its value."""
    block = re.search(place, text, re.DOTALL)
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
    for output in (output for _, command, output in SHOWN if "archcalc cat" not in command):
        assert max(map(len, output.split("\n"))) <= 80


def test_the_front_page_is_short() -> None:
    assert TEXTS["README"].count("\n") < 350


def test_every_page_is_named_in_the_readme_or_the_list() -> None:
    listed = run("archcalc help", ROOT).stdout
    assert {page for page in TEXTS if page != "README"} == set(re.findall(r"^  (\w+)  ", listed, re.M))


def test_the_help_of_a_command_is_its_page() -> None:
    assert run("archcalc help params", ROOT).stdout == run("archcalc params --help", ROOT).stdout


def test_an_unknown_page() -> None:
    result = run("archcalc help countin", ROOT)
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr == "error: no page is called `countin`\n  = help: did you mean `counting`?\n"


PICTURES = [
    (command, (ROOT if page == "README" else HELP) / path)
    for page, text in TEXTS.items()
    for command, path in re.findall(r"!\[(archcalc draw [^\]]*)\]\(([^)]*)\)", text)
]


@pytest.mark.parametrize(("command", "path"), PICTURES, ids=[command for command, _ in PICTURES])
def test_pictures_are_what_the_command_draws(command: str, path: Path, tmp_path: Path) -> None:
    """Fails where one is stale: the command in its text makes it anew."""
    assert run(command, tmp_path).returncode == 0
    (made,) = tmp_path.iterdir()
    assert made.name == path.name
    assert made.read_bytes() == path.read_bytes()


def test_every_picture_is_shown() -> None:
    assert {path for _, path in PICTURES} == set((HELP / "pictures").iterdir())
