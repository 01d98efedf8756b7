"""Multiplies of training: by arithmetic on small networks, and as torch counts them on large ones.

torch 2.14.1's FlopCounterMode over forward and backward of two images (attention by
`sdpa_kernel(MATH)`), through 4: two images, and two FLOPs a multiply.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

import archcalc
from archcalc.analysis.costs import Analysis
from archcalc.analysis.training import Backward, backward
from archcalc.cli import commands
from archcalc.errors import ArchError


def network(text: str, folder: Path) -> archcalc.Network:
    path = folder / "net.toml"
    path.write_text(text)
    return archcalc.load(str(path))


def ways(analysis: Analysis) -> dict[str, Backward]:
    return {x.path: way for x, way in zip(analysis.layers, backward(analysis), strict=True)}


def whole(analysis: Analysis) -> int:
    return int(analysis.multiplies) + sum(int(n) for way in backward(analysis) for n in way)


CHAIN = 'input = "4x4x3"\nlayers = ["conv 5", "conv 7 | relu", "gap | linear 2"]\n'
FIRST, SECOND, LAST = 4 * 4 * 3 * 5, 4 * 4 * 5 * 7, 7 * 2


def test_nothing_goes_back_to_the_image(tmp_path: Path) -> None:
    found = ways(network(CHAIN, tmp_path).analyze())
    assert found["conv"] == Backward(0, FIRST)
    assert found["conv2"] == Backward(SECOND, SECOND)
    assert found["relu"] == Backward(0, 0)
    assert found["linear"] == Backward(LAST, LAST)


def test_what_is_frozen_has_no_derivative_of_weights(tmp_path: Path) -> None:
    """The frozen middle still hands on what the first layer needs."""
    found = ways(network(CHAIN, tmp_path).freezing(["conv2"]).analyze())
    assert found["conv2"] == Backward(SECOND, 0)
    assert found["conv"] == Backward(0, FIRST)


def test_nothing_goes_back_before_the_first_trained_layer(tmp_path: Path) -> None:
    found = ways(network(CHAIN, tmp_path).freezing(["conv", "conv2"]).analyze())
    assert found["conv"] == found["conv2"] == Backward(0, 0)
    assert found["linear"] == Backward(0, LAST)


def test_shared_weights_are_trained_each_time(tmp_path: Path) -> None:
    text = 'input = "4x4x3"\nlayers = ["a = conv 3", "reuse @a"]\n'
    each = 4 * 4 * 3 * 3
    trained = ways(network(text, tmp_path).analyze())
    assert list(trained.values())[1:] == [Backward(0, each), Backward(each, each)]
    assert whole(network(text, tmp_path).freezing(["a"]).analyze()) == 2 * each


def test_attention_goes_back_to_queries_keys_and_values(tmp_path: Path) -> None:
    """4 projections of 6·8·8; scores and mixing of 6·6·8 each, and each back to two factors."""
    text = 'input = "6x8"\nlayers = ["linear 8", "attention 2"]\n'
    found = ways(network(text, tmp_path).analyze())["attention"]
    assert found == Backward(4 * 6 * 8 * 8 + 2 * 2 * 6 * 6 * 8, 4 * 6 * 8 * 8)


TORCH = [
    ("alexnet_torch", [], 2_072_288_640),
    ("vgg16_torch", [], 46_324_088_832),
    ("vgg16_torch", ["stage*", "linear", "linear2"], 15_474_360_320),
    ("resnet50", [], 12_149_538_816),
    ("resnet50", ["conv", "bn", "stage*"], 4_091_232_256),
    ("resnet50", ["conv", "bn", "stage[1-3]"], 5_506_236_416),
    ("densenet121", [], 8_384_471_040),
    ("squeezenet", [], 2_289_109_056),
    ("googlenet_torch", [], 4_377_114_624),
    ("vit_b_16", [], 52_575_879_168),
]


@pytest.mark.parametrize("name, freeze, expected", TORCH)
def test_as_torch_counts(name: str, freeze: list[str], expected: int) -> None:
    made = archcalc.load(name)
    assert whole((made.freezing(freeze) if freeze else made).analyze()) == expected


@pytest.mark.parametrize(
    "name, expected", [("mobilenet_v2", 6_139_850_496), ("efficientnet_b0", 16_092_921_792)]
)
def test_torch_counts_the_weights_of_grouped_convs_too_often(name: str, expected: int) -> None:
    """torch/utils/flop_counter.py, conv_backward_flop: no group divides the derivative of the weight.

    Each of g groups has its own filters, so that its derivative takes as many products as forward; torch
    prints g times that.
    """
    analysis = archcalc.load(name).analyze()
    pairs = zip(analysis.layers, backward(analysis), strict=True)
    more = sum((getattr(x.node.operator, "g", 1) - 1) * int(way.to_weights) for x, way in pairs)
    assert whole(analysis) + more == expected


def test_an_epoch_and_a_run(tmp_path: Path) -> None:
    network(CHAIN, tmp_path)
    one = FIRST * 2 + SECOND * 3 + LAST * 3
    words = ["flops", str(tmp_path / "net.toml"), "--training", "--images", "10", "--epochs", "3"]
    told = CliRunner().invoke(commands, words)
    assert f"an epoch of 10 images: {10 * one:,}" in told.stdout
    assert f"3 epochs: {30 * one:,}" in told.stdout


@pytest.mark.parametrize(
    "words, message",
    [
        (["--epochs", "3"], "--epochs counts with --training only"),
        (["--freeze", "conv"], "--freeze counts with --training only"),
        (["--training", "--census"], "--census and --training exclude each other"),
        (["--training", "--batch", "2"], "--batch and --training exclude each other"),
    ],
)
def test_refusals(words: list[str], message: str) -> None:
    with pytest.raises(ArchError) as caught:
        CliRunner().invoke(commands, ["flops", "lenet5", *words], catch_exceptions=False)
    assert caught.value.diagnostics[0].message == message


def test_a_product_of_two_tensors_goes_back_to_those_that_are_trained(tmp_path: Path) -> None:
    """5 × 8 by 8 × 5: as many products for each factor behind a trained layer; the input is none."""
    lines = '["a = linear 8", "@in | matmul @a transposed", "b = @a | matmul @a transposed"]'
    found = ways(network(f'input = "5x8"\nlayers = {lines}\n', tmp_path).analyze())
    assert found["matmul"] == Backward(5 * 5 * 8, 0)
    assert found["b/matmul"] == Backward(2 * 5 * 5 * 8, 0)
