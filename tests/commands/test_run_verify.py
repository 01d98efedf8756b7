"""archcalc run --verify, --time and their like as a whole: rows, verdicts, exit codes, Ctrl-C."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

import archcalc
from archcalc import totals
from archcalc.cli import commands
from archcalc.commands.run import CLASSICS
from archcalc.errors import Finding, UsageError
from archcalc.execution import capacity, reference, timing
from archcalc.spec.catalog import names


def invoke(*words: str) -> Result:
    return CliRunner().invoke(commands, ["run", *words], env={"COLUMNS": "80"})


def documents(*words: str) -> list[dict[str, Any]]:
    result = invoke(*words, "--format", "json")
    assert result.exit_code == 0, result.output + repr(result.exception)
    found: list[dict[str, Any]] = json.loads(result.stdout)["networks"]
    return found


@pytest.fixture
def no_lrn(monkeypatch: pytest.MonkeyPatch) -> None:
    """An operator that nothing executes."""
    definitions = {name: run for name, run in reference.REFERENCE.items() if name != "lrn"}
    monkeypatch.setattr(reference, "REFERENCE", definitions)


@pytest.fixture(autouse=True)
def short_products(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the machine reaches is measured in a moment."""
    monkeypatch.setattr(timing, "PEAK", 0.05)
    monkeypatch.setattr(timing, "SIDES", (256,))


QUICK_ALEXNET = ("alexnet", "--verify", "--quick")


# ---- verdicts and exit codes


@pytest.mark.usefixtures("no_lrn")
def test_a_skip_is_a_finding() -> None:
    result = invoke(*QUICK_ALEXNET)
    assert isinstance(result.exception, Finding)
    assert str(result.exception) == "alexnet: 2 layers skipped: `lrn` cannot be executed yet (2)"
    assert "21 layers verified by" in result.output
    assert ", 2 skipped; every multiply of theirs was done" in result.output.replace("\n    ", " ")


@pytest.mark.usefixtures("no_lrn")
def test_a_skip_may_be_allowed() -> None:
    (document,) = documents(*QUICK_ALEXNET, "--allow-skips")
    assert document["verdict"] == "skipped"
    assert sum(bool(verdict["skipped"]) for verdict in document["verdicts"]) == 2
    result = invoke("alexnet", "lenet5", "--verify", "--quick", "--allow-skips")
    assert result.exit_code == 0
    assert "  1 verified, 1 skipped" in result.output.split("\n")


def test_what_loops_do_not_count_is_no_skip() -> None:
    """A ReLU's census is counted by its definition."""
    (document,) = documents("lenet5", "--verify")
    relu = document["verdicts"][1]
    assert relu["operator"] == "relu"
    assert relu["skipped"] == ""
    assert "counted by the reference" in relu["uncounted"]
    assert document["verdict"] == "verified"


def test_every_prediction_is_checked() -> None:
    (document,) = documents("resnet18", "--verify", "--quick")
    checked = {
        verdict["operator"]: {c["what"] for c in verdict["checks"]} for verdict in document["verdicts"]
    }
    everywhere = {"shape", "parameters", "values", "bytes", "inputs"}
    assert all(everywhere <= whats for whats in checked.values())
    assert checked["conv"] >= {"products", "multiplies", "additions"}
    assert checked["bn"] >= {"statistics", "multiplies", "additions"}
    assert checked["maxpool"] >= {"comparisons"}
    bytes_of_block = document["arena"][0]
    (memory,) = json.loads(
        CliRunner()
        .invoke(commands, ["memory", "resnet18", "--input", "32x32x3", "--format", "json"])
        .output
    )["networks"]
    assert (
        bytes_of_block["executed"] == bytes_of_block["predicted"] == memory["memory"]["bytes"]["arena"]
    )


def test_one_of_several_images_is_verified(tmp_path: Any) -> None:
    np.save(tmp_path / "x.npy", np.ones((3, 32, 32, 1), np.float32))
    (document,) = documents("lenet5", "--verify", "--image", str(tmp_path / "x.npy"))
    assert document["verdict"] == "verified"
    assert document["total"]["multiplies"] == 416_520


# ---- sizes, networks, processes


def test_quick_is_the_smallest_input_of_32_pixels_or_more() -> None:
    """Each of VGG's five pools halves 32: a side of 1 is left. Inception v3 needs 75."""
    (document,) = documents("vgg11", "--verify", "--quick")
    assert document["input"] == [32, 32, 3]
    assert document["verdict"] == "verified"
    # verified below, among the classics
    assert list(archcalc.load("inception_v3").shrunken().graph.input) == [75, 75, 3]
    assert "input=32x32x3 · quick" in invoke("resnet18", "--verify", "--quick").output.split("\n")[0]


def test_quick_shrinks_any_input(tmp_path: Path) -> None:
    """40 GB of image and more than a square of 2,048: two strides of 2 leave 8 of 32 pixels."""
    spec = 'input = "100000x100000x1"\nlayers = ["conv 4 k3 s2 half", "conv 8 k3 s2 half"]\n'
    (tmp_path / "large.toml").write_text(spec)
    (document,) = documents(str(tmp_path / "large.toml"), "--verify", "--quick")
    assert (document["input"], document["output"]) == ([32, 32, 1], [8, 8, 8])
    assert document["verdict"] == "verified"


def test_the_title_says_what_it_started_from(tmp_path: Path) -> None:
    from archcalc.api import load
    from archcalc.execution.weights import make

    made = make(load("lenet5").graph, "xavier")
    file = tmp_path / "w.npz"
    np.savez(file, **{f"{path}.{role}": w for path, roles in made.items() for role, w in roles.items()})
    start = "LeNet-5 (modern) · 32×32×1 → 10 · 5 weight layers"
    given = ["--weights", str(file), "--layout", "archcalc"]
    titles = {(): start, ("--init", "zeros"): f"{start} · zeros weights · seed 0"}
    titles[*given] = f"{start} · {file} · seed 0"
    for words, title in titles.items():
        assert invoke("lenet5", "--verify", *words).output.split("\n")[0] == title
    assert invoke("lenet5", "--time", *given).output.split("\n")[0] == title
    several = invoke("lenet5", "lenet5_1998", "--verify", "--seed", "3").output.split("\n")[0]
    assert several == "2 networks executed layer by layer · he weights · seed 3"


def test_processes_find_what_one_finds() -> None:
    words = ["lenet5", "lenet5_1998", "resnet20", "--verify", "--quick"]
    one, two = ({d["name"]: d["verdicts"] for d in documents(*words, "--jobs", n)} for n in "12")
    assert one == two
    assert list(one) == ["lenet5", "lenet5_1998", "resnet20"]


def test_the_classics_without_a_spec() -> None:
    """What the courses present: LeNet-5, AlexNet, VGG-16, NIN, Inception v1 to v3, ResNet."""
    result = invoke("--verify", "--quick")
    assert result.exit_code == 0, result.output
    rows = result.output.split("\n")[3 : 3 + len(CLASSICS)]
    assert [row.split()[0] for row in rows] == list(CLASSICS)
    assert all(row.endswith("  ok") for row in rows)


def test_all_is_the_whole_zoo_smallest_first(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = totals.totals()
    assert sorted(row["name"] for row in rows) == sorted(names())
    few = [row for row in rows if row["multiplies"] < 2e6]
    assert len(few) == 4
    monkeypatch.setattr(totals, "totals", lambda: few)
    result = invoke("--all", "--verify", "--allow-skips")
    assert result.exit_code == 0, result.output
    shown = [line.split()[0] for line in result.stdout.split("\n")[3:7]]
    # 325,680, 416,520, 1,880,256 and 1,924,672 multiplies
    assert shown == ["lenet5_1998", "lenet5", "m5_keywords", "allconv"]
    assert "4 verified" in result.stdout
    told = result.stderr.strip().split("\n")
    assert [line.split(":")[0] for line in told] == shown
    assert told[-1].endswith("4 of 4")


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_what_does_not_fit_in_memory_is_skipped_in_the_zoo(
    jobs: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(capacity, "memory", lambda: 10**6)
    few = [row for row in totals.totals() if row["name"] in ("lenet5", "mobilenet_v1_025")]
    monkeypatch.setattr(totals, "totals", lambda: few)
    result = invoke("--all", "--verify", "--allow-skips", "--jobs", jobs)
    if jobs == "1":  # processes of their own ask the machine
        assert "1 verified, 1 skipped" in result.output
        assert "mobilenet_v1_025" in result.output
    else:
        assert "2 verified" in result.output


def test_weights_count_as_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """VGG-16 has 138,357,544 parameters: 527.8 MiB, and needs 24.5 MiB for its maps."""
    monkeypatch.setattr(capacity, "memory", lambda: 550 * 2**20)
    result = invoke("vgg16")
    assert isinstance(result.exception, UsageError)
    assert "552.3 MiB of memory, more than there is" in str(result.exception)


# ---- rows as they come, and Ctrl-C


def start(*words: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "archcalc", "run", *words]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=heed_interrupts
    )


def heed_interrupts() -> None:
    """A shell's background job is started with interrupts ignored, and so are its children."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.mark.skipif(sys.platform == "win32", reason="no such signal")
@pytest.mark.parametrize(
    ("words", "first", "last"),
    [
        (["vgg16", "--verify"], "stage1/conv ", "not reached"),
        (["lenet5", "vgg19", "--verify"], "lenet5 ", "1 verified, 1 not reached"),
        (
            ["lenet5", "vgg19", "vgg16", "--verify", "--jobs", "2"],
            "lenet5 ",
            "1 verified, 2 not reached",
        ),
    ],
    ids=["layers", "networks", "processes"],
)
def test_rows_come_one_by_one_and_an_interrupt_keeps_them(
    words: list[str], first: str, last: str
) -> None:
    process = start(*words)
    assert process.stdout
    for line in process.stdout:
        if line.startswith(f"  {first}"):
            break
    process.send_signal(signal.SIGINT)
    rest, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "  total" in rest
    assert last in rest.replace("\n    ", " ")
    assert errors.strip() == ""


# ---- time


def test_time_by_layer() -> None:
    (document,) = documents("lenet5", "--time", "--batch", "2")
    assert document["batch"] == 2
    times, total = document["times"], document["time"]
    assert [time["layer"] for time in times] == [layer["path"] for layer in document["layers"]]
    assert total["multiplies"] == sum(time["multiplies"] for time in times) == 2 * 416_520
    assert total["ms"] == pytest.approx(sum(time["ms"] for time in times))
    for time in [*times, total]:
        if time["multiplies"]:
            assert time["gflops"] == pytest.approx(2 * time["multiplies"] / time["ms"] / 1e6)
            assert time["share_of_peak"] == pytest.approx(time["gflops"] / document["peak_gflops"])
        else:
            assert time["gflops"] is time["share_of_peak"] is None
    assert times[0]["ms"] > 0


@pytest.mark.parametrize(
    ("before", "after", "peak", "remark"),
    [
        (4e12, 1e12, 4e12, "that a product of two large matrices reaches here"),
        (1e12, 4e12, 4e12, "that a product of two large matrices reaches here"),
        (1.0, 2.0, None, "of the fastest layer: products of two large matrices"),
    ],
)
def test_nothing_is_faster_than_the_peak(
    before: float, after: float, peak: float | None, remark: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a busy machine both products may be slow: the fastest layer has 100 % then."""
    for format in ("json", "table"):
        measured = [before, after]
        monkeypatch.setattr("archcalc.execution.timing.peak", lambda m=measured: m.pop(0))
        result = invoke("lenet5", "--time", "--format", format)
        if format == "json":
            (document,) = json.loads(result.output)["networks"]
            shares = [time["share_of_peak"] for time in document["times"] if time["multiplies"]]
            assert document["peak_gflops"] == (2 * peak / 1e9 if peak else document["peak_gflops"])
            assert max(shares) < 1 if peak else max(shares) == pytest.approx(1)
        else:
            assert remark in result.output.replace("\n    ", " ")
        assert measured == []


def test_time_as_a_table() -> None:
    result = invoke("lenet5", "--time")
    assert result.exit_code == 0
    assert [line.split()[0] for line in result.output.split("\n")[3:9]] == [
        "conv", "conv2", "linear", "linear2", "linear3", "total",
    ]  # fmt: skip


# ---- options that mean nothing


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("lenet5 --verify --time", "`--time` means nothing with `--verify`"),
        ("lenet5 --verify --stats", "`--stats` means nothing with `--verify`"),
        ("lenet5 --verify --dtype float64", "`--dtype` means nothing with `--verify`"),
        ("lenet5 --verify --batch 2", "`--batch` means nothing with `--verify`"),
        ("lenet5 --time --save x.npz", "`--save` means nothing with `--time`"),
        ("--identities lenet5", "the identities are of no SPEC"),
        ("--identities --quick", "`--quick` means nothing with `--identities`"),
        ("lenet5 --quick", "`--quick` means nothing without `--verify`"),
        ("lenet5 --jobs 2", "`--jobs` means nothing without `--verify`"),
        ("lenet5 --allow-skips", "`--allow-skips` means nothing without `--verify`"),
        ("--all", "`--all` means nothing without `--verify` or `--time`"),
        ("lenet5 --depth 1", "`--depth` means nothing without `--verify` or `--time`"),
        ("", "which network? name a SPEC"),
        ("--time", "which network? name a SPEC"),
        ("--time --all", "which network? name a SPEC"),
        ("lenet5 --verify --quick --input 64x64x1", "`--quick` takes an input of its own"),
        ("lenet5 vgg11:input=64x64x3 --verify --quick", "`--quick` takes an input of its own"),
        ("lenet5 --map x", "`--map` means nothing without `--weights`"),
        ("lenet5 --weights x.npz --init he", "`--init` means nothing with `--weights`"),
        ("lenet5 --image x.npy --batch 2", "`--batch` means nothing with `--image`"),
        ("lenet5 --weights x.npz --image x.npy --seed 1", "`--seed` means nothing with"),
        ("lenet5 resnet18 --save x.npz", "`--save` is of one network"),
        ("--verify --weights x.npz", "`--weights` is of one network"),
    ],
)
def test_contradictions(words: str, message: str) -> None:
    result = invoke(*words.split())
    assert isinstance(result.exception, UsageError), result.output
    assert message in str(result.exception)
    assert result.output == ""


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_weights_that_are_no_numbers(value: float, tmp_path: Any) -> None:
    from archcalc.api import load
    from archcalc.execution.weights import make

    made = make(load("lenet5").graph)
    made["conv2"]["weight"][0, 0, 0, 0] = value
    tensors = {f"{path}.{role}": w for path, roles in made.items() for role, w in roles.items()}
    np.savez(tmp_path / "w.npz", **tensors)
    files = ["--weights", str(tmp_path / "w.npz"), "--layout", "archcalc"]
    for mode in ([], ["--verify"], ["--time"]):
        result = invoke("lenet5", *files, *mode)
        assert isinstance(result.exception, UsageError)
        assert "conv2.weight" in str(result.exception)
        assert result.output == ""
