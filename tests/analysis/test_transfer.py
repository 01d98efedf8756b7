"""Points to freeze a network at, by shown arithmetic."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

import archcalc
from archcalc.analysis.transfer import FreezePoint, new_head, points
from archcalc.cli import commands
from archcalc.errors import UsageError
from archcalc.formats import formats_of

TINY = "4x4x1 | conv 2 k3 | relu | flatten | linear 3"


def _points(spec: str) -> tuple[FreezePoint, ...]:
    return points(archcalc.load(spec).graph, formats_of("float32"), "sgd", "fused")


def test_a_tiny_network() -> None:
    everything, head = _points(TINY)
    conv, linear = 2 * 2 * 2 * 9, 2 * 2 * 2 * 3  # no padding: 2×2 positions
    assert (everything.trainable, everything.frozen) == (2 * 9 + 2 + 8 * 3 + 3, 0)
    assert everything.step == 2 * conv + 3 * linear  # no derivative to the image
    assert (head.trainable, head.frozen) == (8 * 3 + 3, 2 * 9 + 2)
    assert head.step == conv + 2 * linear
    assert (head.before, head.values) == (conv, 8)
    assert head.kept_bytes(1000, formats_of("float32")) == 1000 * 8 * 4
    assert head.saved(1000, 20) == conv * 1000 * 19


def test_the_head_of_vgg16() -> None:
    head = _points("vgg16:classes=3")[-1]
    assert head.frozen == 138_357_544 - (4096 * 1000 + 1000) == 134_260_544
    assert head.trainable == 4096 * 3 + 3
    assert head.values == 4096


def test_no_point_lies_inside_a_residual_block() -> None:
    graph = archcalc.load("resnet18").graph
    found = points(graph, formats_of("float32"), "sgd", "fused")
    assert found[0].frozen == 0
    assert found[-1].trainable == 512 * 1000 + 1000
    assert found[-1].values == 512


def test_a_new_head() -> None:
    made = new_head(archcalc.load(TINY).graph, 5)
    assert made is not None
    graph, _ = made
    head = points(graph, formats_of("float32"), "sgd", "fused")[-1]
    assert head.trainable == 8 * 5 + 5
    assert archcalc.load(TINY).analyze().parameters == 2 * 9 + 2 + 8 * 3 + 3  # as it was


def test_a_model_file_gets_a_new_head() -> None:
    command = ["transfer", "tests/data/pt2/resnet18.pt2", "--new-head", "3", "--format", "json"]
    (network,) = json.loads(CliRunner().invoke(commands, command).output)["networks"]
    head = network["transfer"]["points"][-1]
    assert head["trainable"] == 512 * 3 + 3
    assert head["disk"] == 1000 * 512 * 4


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["4x4x2 | relu | gap", "--new-head", "3"], "has no last dense layer or conv of its own"),
        (["4x4x2 | relu | gap"], "has nothing to train"),
        ([TINY, "--dtype", "int8"], "derivatives are no `int8`"),
    ],
)
def test_errors(words: list[str], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        commands.main(["transfer", *words], standalone_mode=False)


def test_a_conv_that_makes_a_part_of_the_output_is_no_head() -> None:
    """The last conv of an inception module makes 32 of its 256 channels."""
    assert new_head(archcalc.load("inception").graph, 3) is None


def test_it_is_said_when_not_one_image_fits() -> None:
    told = CliRunner().invoke(commands, ["transfer", TINY, "--memory", "100"]).output
    assert "not one image fits 100 B; 32 images take" in " ".join(told.split())


@pytest.mark.parametrize("spec", [TINY, "gpt2", "tests/data/pt2/resnet18.pt2"])
def test_what_has_no_classes_is_told_of_a_new_head(spec: str) -> None:
    with pytest.raises(UsageError, match="has no variable `classes`") as caught:
        commands.main(["transfer", spec, "--classes", "3"], standalone_mode=False)
    (told,) = caught.value.diagnostics
    assert told.help == "`--new-head 3` replaces its last dense layer or conv"


def test_texts_are_sequences_and_a_lookup_saves_nothing() -> None:
    """The table of an embedding is frozen, but it multiplies nothing that could be saved."""
    words = ["transfer", "gpt2", "--input", "16", "--images", "5"]
    told = CliRunner().invoke(commands, words, env={"COLUMNS": "200"}).output
    assert "· 32 sequences" in told and "a sequence" in told and "5 sequences, 20 epochs" in told
    assert "image" not in told
    (row,) = [line for line in told.splitlines() if line.startswith("  tok ")]
    assert "KiB" not in row and row.rstrip().endswith("0")


def test_many_products_have_their_prefix() -> None:
    """5.3 · 10^9 an image, 10^5 images and 90 epochs are some 48 · 10^15."""
    words = ["transfer", "resnet18", "--images", "100k", "--epochs", "90"]
    told = CliRunner().invoke(commands, words, env={"COLUMNS": "200"}).output
    assert "47.9 P" in told


def test_rows_fit_a_terminal() -> None:
    words = ["transfer", "resnet50", "--classes", "3", "--memory", "8GiB"]
    told = CliRunner().invoke(commands, words, env={"COLUMNS": "80"}).output
    assert max(map(len, told.splitlines()[1:])) <= 80
