"""archcalc run: what was predicted is what was executed, and a wrong prediction is found."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

from archcalc.cli import commands
from archcalc.operators.activation import Activation
from archcalc.operators.convolution import Conv
from archcalc.operators.linear import Linear
from archcalc.operators.model import Weight
from archcalc.operators.pooling import MaxPool
from archcalc.operators.shape import Shape


def invoke(*words: str) -> Result:
    return CliRunner().invoke(commands, ["run", *words], env={"COLUMNS": "80"})


@pytest.mark.parametrize(
    "words",
    [
        ["lenet5"],
        ["lenet5_1998"],
        ["inception", "--bottleneck", "16"],
        ["resnet18", "--input", "32x32x3"],
        ["mobilenet_v2", "--input", "32x32x3", "--width", "0.5"],
        ["googlenet", "--input", "64x64x3"],
        ["unet", "--input", "16x16x1"],
        ["vit_b_16", "--input", "48x48x3", "--layers", "2", "--width", "96"],
        ["swin_t", "--input", "56x40x3", "--c", "24"],
        ["mixer_b_16", "--input", "64x64x3", "--layers", "2", "--width", "96"],
        ["convnext_tiny", "--input", "32x32x3"],
    ],
    ids=" ".join,
)
def test_verified(words: list[str]) -> None:
    result = invoke(*words, "--verify", "--format", "json")
    assert result.exit_code == 0, result.output + repr(result.exception)
    (network,) = json.loads(result.output)["networks"]
    verdicts = network["verdicts"]
    assert [v["path"] for v in verdicts] == [layer["path"] for layer in network["layers"]]
    assert all(v["holds"] for v in verdicts)
    counted = [c for v in verdicts for c in v["checks"] if (c["what"], c["by"]) == ("products", "loops")]
    assert sum(c["executed"] for c in counted) == network["total"]["multiplies"]


def test_networks_verified_together_are_one_text_in_every_format() -> None:
    words = ["lenet5", "lenet5_1998", "--verify"]
    networks = json.loads(invoke(*words, "--format", "json").output)["networks"]
    assert [len(network["verdicts"]) for network in networks] == [12, 13]
    header, *rows = invoke(*words, "--format", "csv").output.splitlines()
    assert header.startswith("network,layer,")
    assert [row.split(",")[0] for row in rows] == ["lenet5"] * 12 + ["lenet5_1998"] * 13
    table = invoke(*words).output.split("\n")
    assert table[0] == "2 networks executed layer by layer"
    rows = [line.split()[:3] for line in table if "lenet5" in line]
    assert rows == [["lenet5", "32×32×1", "12"], ["lenet5_1998", "32×32×1", "13"]]
    assert "  2 verified" in table


def one_more(method: Any) -> Any:
    """A fact that is off by one."""

    def changed(self: Any, *inputs: Shape) -> Any:
        fact = method(self, *inputs)
        if isinstance(fact, Shape):
            return fact._replace(channels=fact.channels + 1)
        first, *rest = fact
        if isinstance(first, Weight):
            return (first._replace(shape=(first.size + 1,)), *rest)
        extent = first.extents[-1]
        return (first._replace(extents=(extent._replace(factors=(("n", extent.size + 1),)),)), *rest)

    return changed


@pytest.mark.parametrize(
    ("operator", "fact"),
    [(Conv, "work"), (Linear, "work"), (MaxPool, "work"), (Activation, "work"), (Conv, "weights")],
)
def test_a_wrong_fact_is_found(operator: Any, fact: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A prediction that is off by one makes the run end with code 1."""
    from archcalc.errors import Finding
    from archcalc.execution import weights

    made = weights.make
    right = {}

    def remember(graph: Any, *options: Any) -> Any:
        return right["weights"]

    from archcalc.api import load

    right["weights"] = made(load("lenet5").graph, "he", 0)
    monkeypatch.setattr(weights, "make", remember)
    monkeypatch.setattr(operator, fact, one_more(getattr(operator, fact)))
    result = invoke("lenet5", "--verify")
    assert isinstance(result.exception, Finding)
    assert result.exception.exit_code == 1
    assert "predicted" in str(result.exception)


def test_process_ends_with_one_line_verdict() -> None:
    command = [sys.executable, "-m", "archcalc", "run", "lenet5", "--verify"]
    result = subprocess.run(command, capture_output=True, text=True, encoding="utf-8")
    assert result.returncode == 0, result.stderr
    assert "12 layers verified" in result.stdout


def test_same_seed_same_output() -> None:
    first, again, other = (invoke("lenet5", "--seed", seed).output for seed in ("3", "3", "4"))
    assert first == again != other


def test_weights_from_a_file_and_images_from_another(tmp_path: Path) -> None:
    """Seeded weights and input, written to files and read back, give the seeded output."""
    from archcalc.api import load
    from archcalc.execution.inputs import seeded_input
    from archcalc.execution.weights import make

    graph = load("lenet5").graph
    made = make(graph, "he", 3)
    tensors = {f"{path}.{role}": w for path, roles in made.items() for role, w in roles.items()}
    weights, images = tmp_path / "w.npz", tmp_path / "x.npy"
    np.savez(weights, **tensors)
    np.save(images, seeded_input(graph.input, 2, 3))
    files = ["--weights", str(weights), "--image", str(images), "--layout", "archcalc"]
    read = json.loads(invoke("lenet5", *files, "--format", "json").output)["networks"][0]["outputs"]
    seeded = ["--seed", "3", "--batch", "2", "--format", "json"]
    assert json.loads(invoke("lenet5", *seeded).output)["networks"][0]["outputs"] == read


def test_a_picture_is_the_array_that_its_mean_makes(tmp_path: Path) -> None:
    """One gray: (102/255 − 0.1307) / 0.3081 everywhere."""
    pillow = pytest.importorskip("PIL.Image", reason="Pillow is an optional extra")
    pillow.new("L", (60, 40), 102).save(tmp_path / "x.png")
    np.save(tmp_path / "x.npy", np.full((32, 32, 1), (0.4 - 0.1307) / 0.3081))
    words = ["lenet5", "--format", "json", "--dtype", "float64", "--image"]
    mean = ["--mean", "0.1307", "--std", "0.3081"]
    drawn = json.loads(invoke(*words, str(tmp_path / "x.png"), *mean).output)["networks"][0]
    given = json.loads(invoke(*words, str(tmp_path / "x.npy")).output)["networks"][0]
    assert drawn["outputs"][0]["std"] == pytest.approx(given["outputs"][0]["std"], rel=1e-5)
    plain = json.loads(invoke(*words, str(tmp_path / "x.png")).output)["networks"][0]
    assert plain["outputs"][0]["std"] != pytest.approx(given["outputs"][0]["std"], rel=1e-2)


def test_taps_are_kept(tmp_path: Path) -> None:
    """Copies: the memory of a tapped layer is another layer's when the run ends."""
    save, maps = tmp_path / "out.npz", tmp_path / "maps"
    taps = ["--taps", "conv2", "--taps", "conv"]
    result = invoke("lenet5", *taps, "--save", str(save), "--maps", str(maps))
    assert result.exit_code == 0, repr(result.exception)
    kept = np.load(save)
    assert kept["conv"].shape == (1, 28, 28, 6)
    assert kept["conv2"].shape == (1, 10, 10, 16)
    assert kept["output"].shape == (1, 1, 1, 10)
    assert sorted(path.name for path in maps.iterdir()) == ["conv.png", "conv2.png"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--taps", "conv"], "the taps go nowhere"),
        (["--taps", "nothing", "--save", "x.npz"], "no layer or block is called `nothing`"),
        (["--taps", "", "--save", "x.npz"], "no layer or block is called ``"),
        (["--taps", "/", "--save", "x.npz"], "no layer or block is called `/`"),
        (["--save", "x.npy"], "is no .npz file"),
        (["--save", "/nowhere/x.npz"], "cannot write `/nowhere/x.npz`: no such file"),
        (["--maps", "m"], "no layer to draw"),
        (["--weights", "ghost.npz"], "ghost.npz"),
        (["--image", "ghost.png"], "ghost.png"),
        (["--image", "ghost.npy"], "ghost.npy"),
        (["--image", "ghost.npy", "--std", "2"], "of an `.npy` file are taken as they are"),
        (["--mean", "0.5"], "`--mean` means nothing without `--image`"),
    ],
)
def test_wrong_files(words: list[str], message: str) -> None:
    result = invoke("lenet5", *words)
    assert message in str(result.exception)
    assert result.exception.exit_code == 2  # type: ignore[union-attr]


WIDE = """input = "1x1x1000000"
layers = ["linear 100000000"]
"""


@pytest.mark.parametrize(
    ("words", "help"),
    [
        ("nin_imagenet --input 90000x90000x3", "a smaller --input"),
        ("nin_imagenet --input 90000x90000x3 --verify", "--quick verifies at a small input"),
        ("nin_imagenet --batch 4096 --input 4000x4000x3", "a smaller --batch or --input"),
        ("wide.toml", "the weights alone take 363.8 TiB, whatever the input"),  # 10¹⁴ + 10⁸ floats
    ],
)
def test_more_memory_than_there_is(
    words: str, help: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Refused before anything is allocated."""
    (tmp_path / "wide.toml").write_text(WIDE)
    monkeypatch.chdir(tmp_path)
    result = invoke(*words.split())
    assert "more than there is" in str(result.exception)
    assert result.exception.diagnostics[0].help == help  # type: ignore[union-attr]
    assert result.exception.exit_code == 2  # type: ignore[union-attr]


def test_double_precision(tmp_path: Path) -> None:
    """The same weights and image; what float32 rounds away is what differs."""
    outputs = {}
    for dtype in ("float32", "float64"):
        file = tmp_path / f"{dtype}.npz"
        assert (
            invoke("mobilenet_v2", "--input", "32x32x3", "--dtype", dtype, "--save", str(file)).exit_code
            == 0
        )
        outputs[dtype] = np.load(file)["output"]
        assert outputs[dtype].dtype == dtype
    difference = np.abs(outputs["float64"] - outputs["float32"]).max()
    assert 0 < difference <= 1e-4 * np.abs(outputs["float64"]).max()
