"""archcalc sweep: the words of a command line, what is printed, what is refused."""

from __future__ import annotations

import csv
import io
import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from support.commands import archcalc as run_in
from support.formats import FLOAT32

import archcalc
from archcalc.sweeps.evaluation import collector, stream

SPEC = """title = "Small"
input = "8x8x4"
layers = ["conv {a} k3 half", "if deep: conv {a} g{b}", "gap | linear 2"]
[vars]
a = 4
b = 1
deep = true
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("small.toml").write_text(SPEC)
    return tmp_path


def run(*words: str) -> subprocess.CompletedProcess[str]:
    return run_in(Path(), "sweep", *words)


def start(command: list[str]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        command, stderr=subprocess.PIPE, text=True, encoding="utf-8", preexec_fn=heed_interrupts
    )


def heed_interrupts() -> None:
    """A shell's background job is started with interrupts ignored, and so are its children."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def sweep_json(*words: str) -> dict[str, Any]:
    result = run(*words, "--format", "json")
    assert result.returncode == 0, result.stderr
    found: dict[str, Any] = json.loads(result.stdout)["networks"][0]["sweep"]
    return found


def parameters(a: int, b: int, deep: bool = True) -> int:
    """9·4·a + a, a·a/b + a, 2·a + 2."""
    return 37 * a + (a * a // b + a if deep else 0) + 2 * a + 2


def test_every_point_as_csv() -> None:
    result = run("small.toml", "--vary", "a=4:12:4", "--vary", "deep=false,true", "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(result.stdout)))
    assert [(r["a"], r["deep"]) for r in rows] == [
        (a, d) for a in ("4", "8", "12") for d in ("false", "true")
    ]
    assert [int(r["parameters"]) for r in rows] == [
        parameters(a, 1, deep) for a in (4, 8, 12) for deep in (False, True)
    ]


def test_the_best_with_a_condition_and_refusals() -> None:
    """b divides a or the point is no network."""
    words = [
        "small.toml",
        "--vary",
        "a=1:12",
        "--vary",
        "b=1:4",
        "--where",
        "parameters <= 500 and b > 1",
    ]
    found = sweep_json(*words, "--top", "3", "--by", "max:a")
    valid = [(a, b) for a in range(1, 13) for b in range(1, 5) if a % b == 0]
    kept = [(a, b) for a, b in valid if b > 1 and parameters(a, b) <= 500]
    assert (found["points"], found["networks"], found["satisfying"]) == (48, len(valid), len(kept))
    best = sorted(kept, key=lambda p: (-p[0], p))[:3]
    assert [(int(r["values"]["a"]), int(r["values"]["b"])) for r in found["rows"]] == best
    assert [r["metrics"]["parameters"] for r in found["rows"]] == [parameters(*p) for p in best]
    (refusal,) = found["refused"]
    assert refusal["points"] == 48 - len(valid)
    assert refusal["message"] == "2 groups do not divide 1 channels"
    assert refusal["example"] == {"a": "1", "b": "2"}


def test_the_front() -> None:
    found = sweep_json("small.toml", "--vary", "a=2:8:2", "--vary", "b=1,2", "--pareto", "params,max:a")
    # fewer parameters with two groups at every a; more of a costs more parameters
    rows = [(int(r["values"]["a"]), int(r["values"]["b"])) for r in found["rows"]]
    assert rows == [(2, 2), (4, 2), (6, 2), (8, 2)]
    assert found["complete"]


def test_equal_objectives_are_one_entry() -> None:
    found = sweep_json("small.toml", "--vary", "a=2,4", "--vary", "b=1,2", "--pareto", "stored")
    (row,) = found["rows"]
    assert (row["values"], row["points"]) == ({"a": "2", "b": "1"}, 2)


def test_a_space_of_the_file_samples_and_points(folder: Path) -> None:
    own = folder / "own.toml"
    own.write_text(SPEC + '[space]\na = "1:1000"\nb = "1:6"\n')
    first, again, other = (
        run("own.toml", "--sample", "50", "--seed", seed, "--format", "csv").stdout for seed in "112"
    )
    assert first == again != other
    (folder / "p.csv").write_text("a,b\n4,2\n6,3\n")
    result = run("small.toml", "--points", "p.csv", "--format", "csv")
    assert [line.split(",")[:3] for line in result.stdout.splitlines()[1:]] == [
        ["4", "2", str(parameters(4, 2))],
        ["6", "3", str(parameters(6, 3))],
    ]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["small.toml"], "nothing to vary"),
        (["small.toml", "--vary", "c=1"], "unknown variable `c`"),
        (["small.toml", "vgg16", "--vary", "a=1"], "what is `vgg16`?"),
        (
            ["small.toml", "--vary", "a=1:4", "--where", "params <"],
            "--where: `params <` is no expression",
        ),
        (["small.toml", "--vary", "a=1:4", "--pareto", "parms"], "--pareto: unknown name `parms`"),
        (["small.toml", "--vary", "a=1:4", "--pareto", "a,max:a"], "--pareto: `a` is there twice"),
        (
            ["small.toml", "--vary", "a=1:4", "--pareto", "most:a"],
            "--pareto: `most:a`: write min:a or max:a",
        ),
        (["small.toml", "--vary", "a=1:4", "--by", "a,b"], "--by takes one name"),
        (["small.toml", "--vary", "a=1:4", "--by", "depp"], "--by: unknown name `depp`"),
        (["small.toml", "--vary", "a=1:4", "--pareto", "a", "--top", "3"], "--pareto and --top exclude"),
        (["small.toml", "--vary", "a=1:4", "--points", "x.csv"], "--points names every point"),
        (["small.toml", "--points", "x.csv"], "cannot read x.csv"),
    ],
)
def test_bad_words(words: list[str], message: str) -> None:
    result = run(*words)
    assert result.returncode == 2
    assert f"error: {message}" in result.stderr
    assert "Traceback" not in result.stderr
    assert result.stdout == ""


def test_chunks_and_executors_make_no_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    """The kernel over many small chunks keeps what NumPy keeps in one."""
    from archcalc.sweeps.evaluation.request import request
    from archcalc.sweeps.evaluation.run import sweep
    from archcalc.sweeps.space.model import make_space
    from archcalc.sweeps.space.points import grid, sample

    space = make_space(archcalc.load("small.toml"), ["a=1:60", "b=1:9", "deep=false,true"])
    for points in (grid(space), sample(space, 500, 3)):
        for by, pareto in (("", "params,max:output,max:b"), ("max:peak", ""), ("", "")):
            asked = request(points, FLOAT32, "multiplies <= 100K", pareto, by, None, 10)
            outcomes = []
            for many, size in ((10**9, 1 << 16), (0, 37)):
                monkeypatch.setattr(stream, "MANY", many)
                monkeypatch.setattr(stream, "CHUNK", size)
                outcomes.append(sweep(asked, lambda points: None))
            one, other = outcomes
            assert list(one.rows()) == list(other.rows())
            assert one.refusals() == other.refusals()
            kept = [(c.seen, c.valid, c.kept) for c in (one.collected, other.collected)]
            assert kept[0] == kept[1]


def test_a_full_front_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    from archcalc.sweeps.evaluation.request import request
    from archcalc.sweeps.evaluation.run import sweep
    from archcalc.sweeps.space.model import make_space
    from archcalc.sweeps.space.points import grid

    monkeypatch.setattr(collector, "MOST_IN_FRONT", 3)
    points = grid(make_space(archcalc.load("small.toml"), ["a=1:60"]))
    outcome = sweep(request(points, FLOAT32, "", "params,max:a", "", None, 10), lambda points: None)
    assert outcome.collected.front.dropped
    assert len(list(outcome.rows())) == 3


def test_a_hopeless_condition_says_what_is_possible() -> None:
    """a = 4 has 168 + 20 parameters, a = 12 has 470 + 156 (see `parameters`)."""
    result = run("small.toml", "--vary", "a=4:12:4", "--where", "params <= 100 or params > 1M")
    assert result.returncode == 2
    assert (
        "error: --where: no point of the space can satisfy `params <= 100 or params > 1M`"
        in result.stderr
    )
    assert (parameters(4, 1), parameters(12, 1)) == (178, 626)
    assert "params is between 178 and 626" in result.stderr


def test_a_space_without_sizes() -> None:
    """Every variable decides structure; nothing is left for a program but constants."""
    found = sweep_json("small.toml", "--vary", "deep=false,true", "--top", "2")
    counts = [row["metrics"]["parameters"] for row in found["rows"]]
    assert counts == [parameters(4, 1, False), parameters(4, 1)]


def test_a_directory(folder: Path) -> None:
    """Written, shown, not overwritten, gone on with."""
    words = ["small.toml", "--vary", "a=1:12", "--vary", "b=1:4", "-o", "out"]
    written = run(*words, "--top", "2", "--by", "max:a")
    assert written.returncode == 0, written.stderr
    assert "48 of 48 points" in written.stdout
    shown = run("show", "out", "--top", "2", "--by", "max:parameters", "--format", "json")
    found = json.loads(shown.stdout)["networks"][0]["sweep"]
    valid = [(a, b) for a in range(1, 13) for b in range(1, 5) if a % b == 0]
    best = sorted((parameters(a, b) for a, b in valid), reverse=True)[:2]
    assert [row["parameters"] for row in found["chosen"]] == best
    assert (found["points"], found["networks"], found["rows"]) == (48, len(valid), len(valid))
    again = run(*words)
    assert (again.returncode, again.stdout) == (2, "")
    assert "error: out holds a sweep already" in again.stderr
    assert run(*words, "--resume").returncode == 0
    nothing = run("show", "nowhere")
    assert nothing.returncode == 2
    assert "error: nowhere holds no sweep" in nothing.stderr


def test_ctrl_c_leaves_a_directory_that_goes_on(folder: Path) -> None:
    """The signal comes as soon as there is a first part."""
    words = ["small.toml", "--vary", "a=1:100000", "--vary", "b=1:60", "-o", "out", "--format", "csv"]
    command = [sys.executable, "-m", "archcalc", "sweep", *words]
    process = start(command)
    while process.poll() is None and not list((folder / "out").glob("_part*.json")):
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, told = process.communicate()
    assert process.returncode == 130
    assert "stopped; the same command with --resume goes on in out" in told
    assert "Traceback" not in told
    assert 0 < len(list((folder / "out").glob("_part*.json"))) < 6


def test_a_slow_sweep_says_so_at_once_and_stops_at_once(folder: Path) -> None:
    """Every value of n is a structure of its own; the signal comes when they are too many."""
    spec = SPEC.replace("conv {a} k3 half", "{b} x conv {a} k3 half")
    (folder / "many.toml").write_text(spec)
    code = """
import sys
from archcalc.sweeps.evaluation import structures
structures.MOST_STRUCTURES = 3
from archcalc.__main__ import main
sys.argv = ["archcalc", "sweep", "many.toml", "--vary", "b=1:900", "--vary", "a=1:9999", "--top", "3"]
main()
"""
    command = [sys.executable, "-c", code]
    process = start(command)
    assert process.stderr is not None
    told = process.stderr.readline()
    assert told == "note: more than 3 structures: the rest is analyzed point by point\n"
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=60) == 130
    assert process.stderr.read().strip() == ""


def told(monkeypatch: pytest.MonkeyPatch, terminal: bool, clock: list[float], found: int = 0) -> str:
    """What 100, 150 and 100 points of 1,000 say on standard error, at these times."""
    from archcalc.commands import sweep_progress as command

    now, stream = iter(clock), io.StringIO()
    stream.isatty = lambda: terminal  # type: ignore[method-assign]
    monkeypatch.setattr(command.time, "monotonic", lambda: next(now, clock[-1]))
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setenv("COLUMNS", "90")
    progress = command.SweepProgress(1_000, found)
    with progress:
        for points in (100, 150, 100):
            progress(points)
        progress.note("slower")
    return stream.getvalue()


def test_a_terminal_gets_a_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    """After half a second: 250 of 1,000 points in ten seconds are 25 a second."""
    monkeypatch.setenv("TERM", "xterm")
    found = told(monkeypatch, True, [0.0, 0.1, 10.0, 10.05])
    assert "25.0 % of 1,000 points" in found
    assert "25 a second" in found
    assert "note: slower" in found
    assert "10.0 % of" not in found
    assert told(monkeypatch, True, [0.0, 0.1, 0.2, 0.3]) == "note: slower\n"


def test_others_get_a_line_every_ten_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    found = told(monkeypatch, False, [0.0, 9.9, 12.5, 22.0])
    assert found == "25.0% of 1,000 points · 20 a second\nnote: slower\n"


def test_what_was_there_before_says_nothing_of_the_rate(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of 250 points in 12.5 seconds, 100 had been there."""
    told_then = told(monkeypatch, False, [0.0, 9.9, 12.5, 22.0], found=100)
    assert told_then == "25.0% of 1,000 points · 12 a second\nnote: slower\n"


def test_a_bar_is_loaded_only_when_it_is_drawn() -> None:
    code = """
import sys
from archcalc.commands.sweep_progress import SweepProgress
sys.stderr.isatty = lambda: True
progress = SweepProgress(10)
progress(10)
print("rich" in sys.modules)
"""
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout == "False\n"


def test_a_seed_is_of_a_sample() -> None:
    result = run("small.toml", "--vary", "a=2,4", "--seed", "3")
    assert result.returncode == 2
    assert "error: --seed is of random points, and there are none\n" in result.stderr
    assert "= help: --sample 1000 takes a thousand of them" in result.stderr


def test_a_condition_that_divides_by_zero_holds_nowhere() -> None:
    """b − 2 is 0 at b = 2; 3 divides by 1, 1 by −1 and 4 by 2."""
    words = ["small.toml", "--vary", "a=12", "--vary", "b=1:4"]
    found = sweep_json(*words, "--where", "a % (b - 2) == 0")
    assert [row["values"]["b"] for row in found["rows"]] == ["1", "3", "4"]
    result = run(*words, "--where", "a // (2 - 2) == 0")
    assert result.returncode == 2
    assert "error: --where: `a // (2 - 2)` is a division by 0" in result.stderr


def test_what_is_set_is_not_varied(folder: Path) -> None:
    result = run("small.toml", "--vary", "a=4,8", "--a", "12")
    assert result.returncode == 2
    assert "error: `a` is set and varied" in result.stderr
    (folder / "own.toml").write_text(SPEC + '[space]\na = "4:8:4"\nb = "1:2"\n')
    found = sweep_json("own.toml", "--a", "12")
    counts = [row["metrics"]["parameters"] for row in found["rows"]]
    assert counts == [parameters(12, 1), parameters(12, 2)]


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("_manifest.json", '{"schema_version": 1, "part": "x"}'),
        ("_manifest.json", '{"schema_version": 1, "space": 3}'),
        ("_part-000000000.json", "[]"),
        ("_part-000000000.json", "{}"),
        ("_part-000000000.json", '{"rows": -5, "networks": 8, "points": 8, "refused": {}}'),
    ],
)
def test_records_by_hand_are_refused(folder: Path, file: str, text: str) -> None:
    words = ["small.toml", "--vary", "a=4:8:4", "-o", "out", "--format", "csv"]
    assert run(*words).returncode == 0
    (folder / "out" / file).write_text(text)
    result = run("show", "out")
    assert result.returncode == 2
    assert result.stderr.startswith("error: ")
    assert "Traceback" not in result.stderr
