"""Exported torch modules: Python that has every weight once, blocks as classes, repeats as loops.

tests/differential/exported_torch.py imports them, fills their state dict, and holds their values against
archcalc's: on 2026-11-29, with torch 2.14.1, those of 51 networks differed by 1e-06 at most; all lines
here and 54 other networks stayed below 1e-05.
"""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from click.testing import CliRunner
from support.export_lines import LINES

from archcalc import load
from archcalc.cli import commands
from archcalc.errors import ArchError, UsageError
from archcalc.execution.weights import slots
from archcalc.export.torch.code import RULES
from archcalc.export.torch.writing import TorchFile, written

NETWORKS = ("resnet50", "googlenet", "densenet121", "vit_b_16", "unet", "gpt2", "siamese", "crnn")


def exported(name: str) -> TorchFile:
    return written(load(name).graph, name)


def classes(text: str) -> dict[str, ast.ClassDef]:
    return {node.name: node for node in ast.parse(text).body if isinstance(node, ast.ClassDef)}


def assigned(cls: ast.ClassDef) -> set[str]:
    """What __init__ sets: self.conv = ..."""
    found = [node for node in ast.walk(cls) if isinstance(node, ast.Attribute)]
    return {node.attr for node in found if isinstance(node.ctx, ast.Store)}


@pytest.mark.parametrize("name", NETWORKS)
def test_every_weight_has_a_place_of_its_own(name: str) -> None:
    graph, found = load(name).graph, exported(name)
    ours = {f"{slot.node.path}.{slot.name}" for slot in slots(graph)}
    assert set(found.places) == ours
    assert len({place.key for place in found.places.values()}) == len(ours)


@pytest.mark.parametrize("name", NETWORKS)
def test_every_attribute_that_is_called_is_made(name: str) -> None:
    for cls in classes(exported(name).text).values():
        used = {
            node.attr
            for node in ast.walk(cls)
            if isinstance(node, ast.Attribute)
            and isinstance(node.ctx, ast.Load)
            and isinstance(node.value, ast.Name)
            and node.value.id == "self"
        }
        assert used - {"register_parameter"} <= assigned(cls), cls.name


@pytest.mark.parametrize(("line", "size"), LINES)
def test_operators_are_python_or_refused_by_name(line: str, size: str) -> None:
    graph = load(f"{size} | {line}").graph
    try:
        text = written(graph, "case").text
    except UsageError as error:
        assert "attention" in line, error
    else:
        assert set(classes(text)) >= {"Net"}


def test_resnet50_has_its_blocks() -> None:
    """Three kinds of bottleneck: a shortcut of stride 1, of stride 2, none; loops of 2, 3, 5, 2."""
    text = exported("resnet50").text
    made = classes(text)
    assert [name for name in made if name.startswith("Bottleneck")] == [
        "Bottleneck",
        "Bottleneck2",
        "Bottleneck3",
    ]
    assert "self.stage2 = Stage2(128, 3)" in text
    assert "self.stage3 = Stage2(256, 5)" in text
    assert "self.stage4 = Stage2(512, 2)" in text
    assert "nn.Sequential(*(Bottleneck(filters) for _ in range(repeats)))" in text
    assert len(text.splitlines()) < 130


def test_googlenet_has_one_inception_block() -> None:
    text = exported("googlenet").text
    assert text.count("torch.cat(") == 1
    assert text.count(" = Block3a(") == 9  # 3a 3b 4a 4b 4c 4d 4e 5a 5b


def test_shared_weights_are_one_module() -> None:
    """Both towers of the siamese network are called with the same convolutions: four of them."""
    text = exported("siamese").text
    assert text.count("nn.Conv2d(") == 4
    assert (
        text.count("_conv(") + text.count("_conv2(") + text.count("_conv3(") + text.count("_conv4(") == 8
    )


def test_what_has_code() -> None:
    """What torch itself has no layer for: fixed patterns, and deformable windows."""
    from archcalc.execution.reference import REFERENCE

    assert set(REFERENCE) - set(RULES) == {"rbf", "deformconv"}


def test_a_file_has_the_helpers_that_it_uses() -> None:
    """`turn` is for heads that are turned by their place: GPT-2 adds a table of places instead."""
    for name, turned in (("gpt2", False), ("llama3_copy", True)):
        text = exported(name).text
        assert ("def turn(" in text) == turned
        assert ("base" in text) == turned
        ast.parse(text)


REFUSED = [
    ("1x1x4 | rbf 3", "rbf: torch has no such layer: rbf"),
    ("lenet5_1998", "conv: a table of connections between channels: C3"),
    ("7x4 | sumpool 2", "sumpool: a sum of windows, but over maps: sumpool"),
    ("7x8x4 | avgpool 3 s2 p1:0 ceil", "avgpool: rounding up beyond padding of one side: avgpool"),
    ("7x8x4 | ln noscale", "ln: a shift without a scale: ln"),
    ("7x8x4 | groupnorm 2 noshift", "groupnorm: a scale without a shift: groupnorm"),
    ("7x12 | gru 7 biases=1", "gru: a single bias of a gate: gru"),
    ("7x12 | gru 7 before", "gru: a reset before the product: gru"),
    ("4x5x12 | pixelshuffle 2x3", "pixelshuffle: a factor for each axis: pixelshuffle"),
    ("7x12 | offset 12 of=5", "offset: a table that is made beforehand of other numbers: offset"),
    ("7x12 | attention 3 window=2", "attention: a bias by distance, or a window of tokens: attention"),
    ("9x1 | conv 1 | embedding 5 3", "embedding: ids that a layer computes: embedding"),
]


@pytest.mark.parametrize(("name", "note"), REFUSED)
def test_what_torch_cannot_say_is_refused_by_name(name: str, note: str) -> None:
    with pytest.raises(UsageError) as error:
        exported(name)
    diagnostic = error.value.diagnostics[0]
    assert diagnostic.notes[0] == note
    assert diagnostic.message.startswith("torch cannot express `")


def test_the_command_says_what_is_in_the_file(tmp_path: Path) -> None:
    path = tmp_path / "net.py"
    result = CliRunner().invoke(commands, ["export", "lenet5", "-o", str(path)], catch_exceptions=False)
    assert result.output == (
        f"{path}: LeNet-5 (modern)\n61,706 parameters, 416,520 multiplies · no weights\n"
    )
    assert set(classes(path.read_text())) == {"Net"}


@pytest.mark.parametrize("name", ["net.py", "net.onnx"])
def test_a_file_that_exists_stays(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_text("mine")
    with pytest.raises(UsageError, match=rf"{name} exists") as error:
        commands.main(["export", "lenet5", "-o", str(path)], standalone_mode=False)
    assert error.value.diagnostics[0].help == "--force writes over it"
    assert path.read_text() == "mine"
    assert not CliRunner().invoke(commands, ["export", "lenet5", "-o", str(path), "--force"]).exception
    assert path.stat().st_size > 500


def test_a_python_file_holds_no_weights(tmp_path: Path) -> None:
    with pytest.raises(ArchError) as error:
        commands.main(["export", "lenet5", "-o", "a.py", "--seed", "3"], standalone_mode=False)
    assert error.value.diagnostics[0].message == "a Python file holds no weights"
