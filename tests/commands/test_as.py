"""--as TOOL on the command line: every format, and what is refused with its reason."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from archcalc.cli import commands
from archcalc.errors import ArchError
from archcalc.views.diagnostics import render

ATTENTION = 'input = "8x8x4"\nlayers = ["tokens | attention 2 | token 0"]\n'
SIDE = 'input = "8x8x4"\nlayers = ["a1 = conv 8 k3", "output side = conv 2", "@a1 | gap"]\n'
SEVEN = 'input = "320x320x3"\nlayers = ["conv 8 k3 s32 | flatten | linear 10"]\n'


def run(*words: str) -> str:
    result = CliRunner().invoke(commands, list(words), env={"COLUMNS": "80"}, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def refused(*words: str) -> str:
    with pytest.raises(ArchError) as caught:
        CliRunner().invoke(commands, list(words), catch_exceptions=False)
    assert caught.value.exit_code == 2
    return render(caught.value)


def test_the_sum_is_told_to_the_last_unit() -> None:
    """The amounts are those of tests/audit/test_tools.py."""
    output = run("flops", "resnet50", "--as", "thop")
    assert "thop 0.1.1-2209072238 prints macs: 4133742592.0 · clever_format(macs): 4.13G" in output
    assert "4,133,742,592 = archcalc's 4,089,184,256 multiplies, and" in output
    assert "adds 4 × output values of BatchNorm2d: 44,455,936" in output
    assert "modules as in torchvision/models/resnet.py (torchvision 0.28.0)" in output


@pytest.mark.parametrize(
    ("command", "name", "tool"),
    [
        ("params", "vit_b_16", "thop"),
        ("params", "efficientnet_b0", "keras"),
        ("flops", "swin_t", "torchinfo"),
        ("memory", "resnet18", "torchinfo"),
        ("memory", "vgg16", "fvcore"),
        ("memory", "resnet18", "torchsummary"),
        ("params", "convnext_tiny", "torchsummary"),
        ("flops", "shufflenet_v2_x1_0", "ptflops"),
    ],
)
def test_formats_say_the_same(command: str, name: str, tool: str) -> None:
    (network,) = json.loads(run(command, name, "--as", tool, "--format", "json"))["networks"]
    found = network["as"]
    total, ours = found["total"], found["ours"]
    assert total != ours
    assert total - ours == sum(difference["amount"] for difference in found["differences"])
    assert total == sum(found["sums"].values()) == sum(layer["tool"] for layer in found["layers"])
    for format in ("csv", "csv --depth 1"):
        text = run(command, name, "--as", tool, "--format", *format.split())
        rows = list(csv.DictReader(io.StringIO(text)))
        assert sum(int(row["tool"]) for row in rows) == total
        assert sum(int(row["ours"]) for row in rows) == ours
    for format in ("table", "md", "latex"):
        text = run(command, name, "--as", tool, "--format", format)
        assert f"{total:,}" in text
        assert f"{ours:,}" in text


def test_json_of_a_command_has_one_shape() -> None:
    for command in ("params", "flops", "memory"):
        plain, told = (
            json.loads(run(command, "vgg16", *words, "--format", "json"))["networks"][0]
            for words in ((), ("--as", "torchinfo"))
        )
        assert list(plain) == list(told)
        assert plain["as"] is None


def test_other_settings_are_counted_as_they_are() -> None:
    """Twice the classes: 1,000·(512 + 1) parameters more than the 11,689,512."""
    output = run("params", "resnet18", "--classes", "2000", "--as", "fvcore")
    assert f"parameter_count: {11_689_512 + 513_000}" in output
    assert "the network of keras.applications 3.15.1 is resnet50_keras" in run(
        "params", "resnet50", "--as", "keras"
    )


def test_modules_with_parts_put_out_a_map_too() -> None:
    """torchsummary, by hand: a block of ResNet-18 gives its map twice, once from its last ReLU.

    Maps: a stem of 112² · 64 three times and its pool; four stages of two blocks with conv, norm and
    ReLU twice, the ReLU being behind the sum, and the block; three shortcuts of conv and norm; a pool
    and 1,000 classes.
    """
    stem = 3 * 112**2 * 64 + 56**2 * 64
    stages = sum(2 * 7 * side**2 * c for side, c in ((56, 64), (28, 128), (14, 256), (7, 512)))
    shortcuts = sum(2 * side**2 * c for side, c in ((28, 128), (14, 256), (7, 512)))
    values = stem + stages + shortcuts + 512 + 1000
    output = run("memory", "resnet18", "--as", "torchsummary")
    assert f"Forward/backward pass size (MB): {8 * values / 1024**2:.2f}" in " ".join(output.split())
    assert "ReLU + BasicBlock" in output
    # and what ptflops adds for a ReLU module, which calls the function that it counts as well
    output = run("flops", "vgg16", "--as", "ptflops")
    relu = (
        64 * 2 * 224**2 + 128 * 2 * 112**2 + 256 * 3 * 56**2 + 512 * 3 * 28**2 + 512 * 3 * 14**2 + 8192
    )
    assert f"adds 2 × output values of ReLU: {2 * relu:,}" in output


@pytest.mark.parametrize("tool", ["torchinfo", "thop", "fvcore", "ptflops"])
@pytest.mark.parametrize("network", ["googlenet", "mobilenet_v3_large_075"])
def test_screen_fits(network: str, tool: str) -> None:
    """Networks with long titles; the version of a tool is long, too, and stands in a remark."""
    lines = run("flops", network, "--as", tool).splitlines()
    assert lines[0].endswith(f" · as {tool}")
    assert max(map(len, lines)) <= 80


@pytest.mark.parametrize("words", [("flops", "--as", "keras"), ("memory", "--as", "thop")])
def test_refusals_fit(words: tuple[str, ...]) -> None:
    assert max(map(len, refused(words[0], "vgg16", *words[1:]).splitlines())) <= 80


def test_refusals() -> None:
    message = refused("flops", "vgg16", "--as", "keras")
    assert "Keras prints no FLOPs: `model.summary()` shows parameters and their size" in message
    message = refused("memory", "vgg16", "--as", "thop")
    assert "thop prints no memory: `profile` counts operations and parameters" in message
    message = refused("memory", "vgg16", "--as", "ptflops")
    assert "ptflops prints no memory: it counts operations and parameters" in message
    message = refused("flops", "vgg16", "--as", "torchsummary")
    assert "torchsummary prints no FLOPs: `summary` shows parameters and sizes" in message
    message = refused("params", "densenet121", "--as", "torchsummary")
    assert "torchsummary stops at `block1/dense/concat`: a dense layer takes a list of maps" in message
    message = refused("flops", "vgg16", "--as", "thop", "--input", "320x320x3")
    assert "torchvision/models/vgg.py pools the 10×10×512 map to 7×7 before `flatten`" in message
    message = refused("params", "lenet5_1998", "--as", "keras")
    assert "no layer of Keras is `sumpool` (layer `S2/sumpool`)" in message
    message = refused("params", "inception_v3_keras", "--as", "fvcore")
    assert "no module of torch.nn is a batch norm that shifts and does not scale" in message


@pytest.mark.parametrize(
    ("words", "option"),
    [
        (["flops", "--batch", "2"], "--batch"),
        (["flops", "--crops", "10"], "--crops"),
        (["flops", "--ensemble", "2"], "--ensemble"),
        (["flops", "--census"], "--census"),
        (["memory", "--dtype", "int8"], "--dtype"),
        (["memory", "--batch", "2"], "--batch"),
        (["memory", "--order", "best"], "--order"),
    ],
    ids=" ".join,
)
def test_no_other_options(words: list[str], option: str) -> None:
    message = refused(words[0], "vgg16", *words[1:], "--as", "torchinfo")
    assert f"`--as` shows what a tool prints for one image: it takes no `{option}`" in message


def test_what_nobody_tells_is_refused(tmp_path: Path) -> None:
    """Of one's own file nothing is known but its operators; a count that needs more is not guessed."""
    own = tmp_path / "own.toml"
    own.write_text(ATTENTION)
    told = "nothing tells of `attention` whether it is nn.MultiheadAttention, linear modules or function"
    for tool in ("torchinfo", "thop", "fvcore"):
        message = refused("flops", str(own), "--as", tool)
        assert f"what {tool} counts depends on the code, and {told}" in message
    # all parameters are all parameters, however they are called: 4·(4·4 + 4)
    assert "parameter_count: 80" in run("params", str(own), "--as", "fvcore")
    own.write_text(SIDE)
    message = refused("flops", str(own), "--as", "fvcore")
    assert "nothing tells of `side` whether this side output runs in eval mode" in message


def test_a_file_is_not_taken_for_a_bundled_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """torchvision's VGG pools before it flattens; a file that is called vgg.toml too need not."""
    monkeypatch.chdir(tmp_path)
    Path("vgg.toml").write_text(SEVEN)
    output = run("flops", "./vgg.toml", "--as", "thop")
    assert "nothing is added or left out" in output
    assert "no reference code is known" in output
