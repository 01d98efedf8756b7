"""The memory of a step of training: by arithmetic, and as torch saves it.

tests/data/torch_saved.csv is what tests/differential/torch_saved.py printed: torch 2.14.1 and
torchvision 0.29.1 on the CPU, two images, bytes of all storages that saved_tensors_hooks saw.
"""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from click.testing import CliRunner

import archcalc
from archcalc.analysis.step import TrainingStep
from archcalc.cli import commands
from archcalc.errors import ArchError
from archcalc.reports.step import Training, measured
from archcalc.units import binary
from archcalc.views.diagnostics import render

RECORDED = list(csv.DictReader((Path(__file__).parents[1] / "data/torch_saved.csv").open()))
PATTERNS = {
    ("vgg16_torch", "features"): ["stage*"],
    ("vgg16_torch", "features classifier.0 classifier.3"): ["stage*", "linear", "linear2"],
    ("resnet50", "conv1 bn1 layer1 layer2 layer3"): ["conv", "bn", "stage[1-3]"],
    ("alexnet_torch", "features"): ["conv*"],
    ("alexnet_torch", "features classifier.1 classifier.4"): ["conv*", "linear", "linear2"],
}


@pytest.mark.parametrize("row", RECORDED, ids=lambda row: f"{row['network']} {row['freeze']}")
def test_as_torch_saves(row: dict[str, str]) -> None:
    """Within 1 %, as ViT's class token is a view of all tokens there."""
    key = row["network"], row["freeze"]
    network = archcalc.load(row["network"])
    network = network.freezing(PATTERNS[key]) if row["freeze"] else network
    found = measured(network, Training(torch=True)).kept.of(int(row["images"]))
    expected = int(row["bytes"])
    assert abs(found - expected) <= expected / 100


def net(text: str, **how: object) -> TrainingStep:
    return measured(archcalc.load(text), Training(**how))  # type: ignore[arg-type]


def test_what_a_conv_and_a_relu_keep_is_kept_once() -> None:
    """conv keeps the image, 4·4·3; relu its output, 4·4·5, which is what the second conv keeps."""
    assert net("4x4x3 | conv 5 | relu | conv 2").kept.each == 4 * (4 * 4 * 3 + 4 * 4 * 5)


def test_batch_norm_and_pool() -> None:
    """bn keeps 4·4·5 and two numbers a channel of the batch; the pool 2·2·5 indices of a byte each."""
    found = net("4x4x3 | conv 5 | bn | maxpool 2 | flatten | linear 2").kept
    assert found.each == 4 * (4 * 4 * 3 + 4 * 4 * 5 + 2 * 2 * 5) + 2 * 2 * 5
    assert found.once == 4 * 2 * 5


def test_attention_keeps_all_scores_only_if_plain() -> None:
    """Input, queries, keys, values, mixed values: 5 · 6·8; scores of 2 heads 2·6·6, or a sum a row."""
    each = 5 * 6 * 8
    assert net("6x8 | attention 2", attention="plain").kept.each == 4 * (each + 2 * 6 * 6)
    assert net("6x8 | attention 2", attention="fused").kept.each == 4 * (each + 2 * 6)


def test_state_by_optimizer_and_type() -> None:
    """3·5 + 5 parameters: half-precision weights and gradients, two float32 a parameter, and copies."""
    count = 3 * 5 + 5
    assert net("4x4x3 | conv 5", optimizer="adam").state == (4 * count, 4 * count, 8 * count, 0)
    assert net("4x4x3 | conv 5", dtype="float16", optimizer="momentum").state == (
        2 * count,
        2 * count,
        4 * count,
        4 * count,
    )


def test_frozen_layers_keep_nothing() -> None:
    """Only the head keeps its input, five channels."""
    network = archcalc.load("4x4x3 | conv 5 | bn | relu | gap | linear 2").freezing(["conv", "bn"])
    assert measured(network, Training()).kept == (4 * 5, 0)


def test_the_largest_batch_is_the_largest() -> None:
    found = net("8x8x3 | conv 5 k3 | bn | relu | gap | linear 2", optimizer="adam")
    for limit in (found.peak(1), found.peak(7), found.peak(8) - 1):
        batch = found.largest_batch(limit)
        assert found.peak(batch) <= limit < found.peak(batch + 1)
    assert found.largest_batch(10) == 0


CHAIN = """input = "4x4x3"
layers = ["a = two", "b = two"]
[block.two]
layers = "conv 5 | relu | conv 5"
"""


def test_a_checkpoint_keeps_what_the_block_reads(tmp_path: Path) -> None:
    """Both blocks: each reads its input; between, 4·4·5 behind each relu are made again by one conv."""
    path = tmp_path / "net.toml"
    path.write_text(CHAIN)
    network = archcalc.load(str(path))
    plain, found = (measured(network, Training(checkpoint=c)) for c in ((), ("a", "b")))
    assert plain.kept.each == 4 * (4 * 4 * 3 + 3 * 4 * 4 * 5)
    assert found.kept.each == 4 * (4 * 4 * 3 + 4 * 4 * 5)
    assert found.recomputed == 4 * 4 * 3 * 5 + 4 * 4 * 5 * 5
    assert found.peak(1) < plain.peak(1)


@pytest.mark.parametrize(
    "words, message",
    [
        (["--optimizer", "adam"], "--optimizer counts with --training only"),
        (["--memory", "8GiB"], "--memory counts with --training only"),
        (["--as", "torch"], "--as torch counts with --training only"),
        (["--training", "--as", "thop"], "--as thop and --training exclude each other"),
        (["--training", "--order", "best"], "--order and --training exclude each other"),
        (["--training", "--dtype", "int8"], "derivatives are no `int8`"),
        (["--training", "--checkpoint", "nothing"], "no layer or block is called like `nothing`"),
    ],
)
def test_refusals(words: list[str], message: str) -> None:
    with pytest.raises(ArchError) as caught:
        CliRunner().invoke(commands, ["memory", "lenet5", *words], catch_exceptions=False)
    assert caught.value.diagnostics[0].message == message


def test_torch_is_told_of_what_was_recorded() -> None:
    with pytest.raises(ArchError) as caught:
        net("4x4x3 | lrn 5 | conv 2 | lrn 5", torch=True)
    assert caught.value.diagnostics[0].message == "what torch saves for `lrn` is not told (layer `lrn`)"


def test_options_give_way_to_variables(tmp_path: Path) -> None:
    """A spec may call a variable memory; `--memory 8` then sets it."""
    path = tmp_path / "net.toml"
    path.write_text('input = "4x4x3"\nlayers = "conv {memory}"\n[vars]\nmemory = 2\n')
    told = CliRunner().invoke(commands, ["memory", str(path), "--memory", "8"])
    assert "4×4×3 → 4×4×8 · memory=8" in told.stdout


@pytest.mark.parametrize("command", ["memory", "flops"])
def test_nothing_to_train_is_an_error(command: str) -> None:
    words = [command, "lenet5", "--training", "--freeze", "*"]
    with pytest.raises(ArchError) as caught:
        CliRunner().invoke(commands, words, catch_exceptions=False)
    (told,) = caught.value.diagnostics
    assert told.message == "lenet5 has nothing to train"
    assert told.help.startswith("all 61,706 parameters are frozen: leave the head out of --freeze")


@pytest.mark.parametrize(
    "pattern, names",
    [("conv2", "conv still trains"), ("linear", "conv, conv2 still train"), ("conv", "")],
)
def test_layers_before_the_frozen_ones_are_named(pattern: str, names: str) -> None:
    for command in ("memory", "flops"):
        words = [command, "lenet5", "--training", "--freeze", pattern]
        told = " ".join(CliRunner().invoke(commands, words).output.split())
        way = f"before the last of them {names}: the way back goes through what is frozen"
        assert "parameters are frozen" in told
        assert way in told if names else "goes through" not in told


def test_a_pattern_of_the_command_line_has_no_place_in_the_file() -> None:
    words = ["memory", "lenet5", "--training", "--freeze", "nosuch*"]
    with pytest.raises(ArchError) as caught:
        CliRunner().invoke(commands, words, catch_exceptions=False)
    assert render(caught.value) == (
        "error: no layer or block is called like `nosuch*`\n"
        "  = help: `archcalc show SPEC --all` lists the layers"
    )


def test_it_is_said_that_not_one_image_fits() -> None:
    words = ["memory", "lenet5", "--training", "--memory", "1KiB"]
    told = " ".join(CliRunner().invoke(commands, words).output.split())
    least = measured(archcalc.load("lenet5"), Training()).peak(1)
    assert f"not one image fits 1.0 KiB: it takes {binary(int(least))}" in told
