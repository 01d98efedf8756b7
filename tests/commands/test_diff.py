"""compare and diff: one command under two names, and --git."""

from __future__ import annotations

import csv
import io
import json
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from archcalc.cli import commands

OLD = 'input = "8x8x4"\nlayers = ["conv 4 k3 half"]\n[variants.wide]\n'
NEW = OLD.replace("half", "half | conv 8 k1")


def invoke(*words: str) -> Result:
    return CliRunner().invoke(commands, list(words), env={"COLUMNS": "80"})


def test_two_names() -> None:
    for format in ("table", "json", "csv", "md", "latex"):
        words = ("vgg16", "vgg19", "--format", format)
        first, second = invoke("compare", *words), invoke("diff", *words)
        assert first.exit_code == second.exit_code == 0
        assert first.output.replace('"compare"', '"diff"') == second.output


@pytest.mark.parametrize("options", [[], ["--depth", "1"], ["--all"], ["--sort", "parameters"]])
def test_csv_sums(options: list[str]) -> None:
    rows = list(
        csv.DictReader(io.StringIO(invoke("diff", "vgg16", "vgg19", "--format", "csv", *options).output))
    )
    # 3·3·256·256 + 256 more, and 2 · (3·3·512·512 + 512)
    more = sum(int(r["parameters"]) - int(r["parameters_before"]) for r in rows)
    assert more == 9 * 256**2 + 256 + 2 * (9 * 512**2 + 512)


def test_top() -> None:
    """The two largest of the convs that VGG-19 has more are those of 512 filters."""
    result = invoke("diff", "vgg16", "vgg19", "--sort", "parameters", "--top", "2", "--format", "json")
    told = json.loads(result.output)["networks"][-1]
    assert [row["parameters"] for row in told["diff"]] == [9 * 512**2 + 512] * 2
    # 13 convs, 2 hidden dense layers and the last; 15 relus, 5 pools, 2 dropouts, flatten; 3 · 2 more
    assert told["not_shown"] == 13 + 3 + 15 + 5 + 2 + 1 + 3 * 2 - 2
    table = invoke("diff", "vgg16", "vgg19", "--sort", "parameters", "--top", "2").output
    assert "4 of 6 rows are not shown" in table
    assert table.count("  new") == 2


def test_a_changed_argument_is_seen() -> None:
    result = invoke("diff", "8x8x4 | conv 4 k3 half", "8x8x4 | conv 4 k5 half")
    assert "conv 4 k3 half → conv 4 k5 half" in " ".join(result.output.split())


def test_a_changed_argument_is_seen_deep_in_blocks() -> None:
    result = invoke("diff", "resnet50", "resnet50:stride=1x1")
    words = result.output.replace("/\n", "/").split()
    assert {"s2", "k3", "→"} <= set(words)
    assert max(map(len, result.output.splitlines())) <= 80


def test_most_alive() -> None:
    """A conv holds what it reads and what it makes, on 8×8."""
    specs = [f"8x8x4 | conv {n} k3 half | conv 8" for n in (4, 6)]
    rows = list(csv.DictReader(io.StringIO(invoke("diff", *specs, "--format", "csv").output)))
    assert [(r["alive_before"], r["alive"]) for r in rows] == [
        (str(64 * 8), str(64 * 10)),
        (str(64 * 12), str(64 * 14)),
    ]


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("net.toml").write_text(OLD, encoding="utf-8")
    own = ["-c", "user.name=a", "-c", "user.email=a@b.c"]
    for words in (["init", "-q"], ["add", "."], [*own, "commit", "-q", "-m", "first"]):
        subprocess.run(["git", *words], check=True)
    Path("net.toml").write_text(NEW, encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize("spec", ["net.toml", "net.toml:wide"])
def test_git(repository: Path, spec: str) -> None:
    result = invoke("diff", "--git", "HEAD", spec, "--format", "json")
    assert result.exit_code == 0, repr(result.exception)
    rows = json.loads(result.output)["networks"][-1]["diff"]
    # 4·8 + 8
    assert [(r["status"], r["path"], r["parameters"]) for r in rows][-1] == ("new", "conv2", 40)


def test_git_pictures(repository: Path) -> None:
    """The file as it was comes first, and what is new is marked in the file as it is."""
    lines = invoke("draw", "--git", "HEAD", "net.toml").output.splitlines()
    assert [line.split(" · ")[0] for line in lines if "parameters" in line] == ["net@HEAD", "net"]
    (new,) = [at for at, line in enumerate(lines) if line.startswith("+ ■")]
    assert new > lines.index("", 3)


@pytest.mark.parametrize(
    ("revision", "spec", "message"),
    [
        ("--output=x", "net.toml", "`--output=x` is no git revision"),
        ("nowhere", "net.toml", "the repository has no revision `nowhere`"),
        ("HEAD", "other.toml", "`other.toml` is not in revision `HEAD`"),
        ("HEAD", "vgg16", "`--git` needs a spec file: vgg16 is none"),
    ],
)
def test_git_refusals(repository: Path, revision: str, spec: str, message: str) -> None:
    Path("other.toml").write_text(NEW, encoding="utf-8")
    result = invoke("diff", f"--git={revision}", spec)
    assert message in str(result.exception)


def test_no_such_variant(repository: Path) -> None:
    Path("net.toml").write_text(NEW + "[variants.deep]\n", encoding="utf-8")
    result = invoke("diff", "--git=HEAD", "net.toml:deep")
    assert "at `HEAD`, `net.toml` has no variant `deep`" in str(result.exception)


def test_no_repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    Path("net.toml").write_text(NEW, encoding="utf-8")
    assert "is in no git repository" in str(invoke("diff", "--git", "HEAD", "net.toml").exception)
    monkeypatch.setenv("PATH", "")
    assert "git, which is not installed" in str(invoke("diff", "--git", "HEAD", "net.toml").exception)


def _layers(result: Result) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = json.loads(result.stdout)["networks"][-1]["diff"]
    return rows


def test_rows_are_sorted_by_any_column() -> None:
    texts = "8x8x1 | conv 4 k3 | conv 8 k3", "8x8x1 | conv 5 k3 | conv 9 k3"
    order = {}
    for column in ("params", "macs", "operator", "layer"):
        result = invoke("diff", *texts, "--sort", column, "--format", "json")
        rows = _layers(result)
        order[column] = [row["operator"] for row in rows]
    small, large = "conv 5 k3", "conv 9 k3"  # 9·5 + 5 − (9·4 + 4) = 10; 9·5·9 + 9 − (9·4·8 + 8) = 118
    assert order["params"] == order["macs"] == [large, small]
    assert order["operator"] == order["layer"] == [small, large]
    refused = invoke("diff", *texts, "--sort", "nonsense")
    assert str(refused.exception) == "the table has no column `nonsense`"


def test_the_text_of_a_network_does_not_widen_the_totals() -> None:
    text = "28x28x192 | conv 16 | relu | conv 32 k5 half"
    result = invoke("diff", text, f"{text} | relu | conv 8")
    lines = result.stdout.splitlines()
    assert "28x28x192 |… (1)  28x28x192 |… (2)" in lines[2]
    assert lines[2].endswith("ratio")
