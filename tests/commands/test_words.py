"""What may stand where a network or an input is asked for."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

import archcalc
from archcalc.cli import COMMANDS, commands
from archcalc.errors import ArchError
from archcalc.spec.catalog import bundled
from archcalc.views.diagnostics import render

TEXT = "28x28x192 | conv 16 | conv 32 k5 half"
# weights and biases; products: the course notes' bottleneck of 16
PARAMETERS = 192 * 16 + 16 + 5 * 5 * 16 * 32 + 32
MULTIPLIES = 28 * 28 * 16 * 192 + 28 * 28 * 32 * 5 * 5 * 16


def told(*words: str) -> str:
    """The error of a command line, as it is printed."""
    with pytest.raises(ArchError) as error:
        commands.main([*words], standalone_mode=False)
    return render(error.value)


def output(*words: str) -> str:
    result = CliRunner().invoke(commands, words, catch_exceptions=False)
    assert result.exit_code == 0
    return result.stdout


@pytest.mark.parametrize(
    "command", [(), *((name,) for name in COMMANDS), ("sweep", "show"), ("sweep", "plot")]
)
def test_h_is_help(command: tuple[str, ...]) -> None:
    assert output(*command, "-h") == output(*command, "--help")
    assert "Usage: " in output(*command, "-h")


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ("320", "320×320×3"),
        ("320x256", "320×256×3"),
        ("320×256", "320×256×3"),
        ("320x256x1", "320×256×1"),
    ],
)
def test_an_input_has_the_channels_of_the_spec(size: str, expected: str) -> None:
    assert str(archcalc.load("vgg16", input=size).graph.input) == expected
    assert str(archcalc.load(f"vgg16:input={size}").graph.input) == expected
    assert f" {expected} →" in output("params", "vgg16", "--input", size).splitlines()[0]


def test_an_input_has_the_channels_of_the_variables(tmp_path: Path) -> None:
    path = tmp_path / "net.toml"
    path.write_text('input = "8x8x{colors}"\nlayers = "conv 4"\n[vars]\ncolors = 3\n')
    assert str(archcalc.load(str(path), input="16").graph.input) == "16×16×3"
    assert str(archcalc.load(f"{path}:colors=1", input="16").graph.input) == "16×16×1"


def test_a_network_in_one_text() -> None:
    total = archcalc.load(TEXT).analyze().total
    assert (total.parameters, total.multiplies) == (PARAMETERS, MULTIPLIES)


@pytest.mark.parametrize("command", ["show", "params", "flops", "memory", "field", "explain", "cat"])
def test_commands_take_it_as_they_take_its_file(command: str, tmp_path: Path) -> None:
    path = tmp_path / "net.toml"
    path.write_text(f"{output('cat', TEXT)}")
    extra = ["conv2"] if command == "explain" else []
    inline, file = (output(command, spec, *extra) for spec in (TEXT, str(path)))
    named = inline.replace(TEXT, "net")  # a file has its own name
    assert named.splitlines() == file.splitlines()


def test_other_commands_take_it() -> None:
    (found,) = json.loads(output("compare", TEXT, TEXT, "--format", "json"))["networks"][:1]
    assert found["total"]["multiplies"] == MULTIPLIES
    assert f"{PARAMETERS}" in output("sweep", TEXT, "--vary", "input=28,32", "--format", "csv")
    output("reconcile", TEXT, str(MULTIPLIES))
    output("run", TEXT)


def test_it_may_come_from_standard_input_or_a_file(tmp_path: Path) -> None:
    """Settings follow the `-` as they follow a name."""
    result = CliRunner().invoke(commands, ["params", "-", "--format", "json"], input=f"{TEXT}\n")
    assert json.loads(result.stdout)["networks"][0]["total"]["parameters"] == PARAMETERS
    (tmp_path / "net.txt").write_text(TEXT)
    assert archcalc.load(tmp_path / "net.txt").analyze().parameters == PARAMETERS
    words = ["params", "-:classes=3", "--format", "json"]
    result = CliRunner().invoke(commands, words, input=output("cat", "lenet5"))
    assert json.loads(result.stdout)["networks"][0]["output"] == [1, 1, 3]


@pytest.mark.parametrize(
    ("words", "both"),
    [
        (["resnet18:classes=10", "--classes", "20"], "`classes` is set twice: 10 and 20"),
        (["resnet18", "--set", "classes=10", "--classes", "20"], "`classes` is set twice: 20 and 10"),
        (["resnet18", "--classes", "10", "--classes", "20"], "`classes` is set twice: 10 and 20"),
        (["resnet18:classes=10:classes=20"], "`classes` is set twice: 10 and 20"),
        (["resnet50:input=128", "--input", "64"], "`input` is set twice: 128 and 64"),
        (["resnet50", "--input", "128", "--input", "64"], "`input` is set twice: 128 and 64"),
        (["googlenet_torch", "--aux", "--no-aux"], "`aux` is set twice: true and false"),
    ],
)
def test_nothing_that_is_set_is_dropped(words: list[str], both: str) -> None:
    assert told("params", *words) == f"error: {both}\n  = help: leave one away"


def test_what_is_set_twice_to_the_same_is_set() -> None:
    assert "→ 10 ·" in output("params", "resnet18:classes=10", "--classes", "10")


def test_of_several_networks_one_may_have_a_setting_of_its_own() -> None:
    words = ("compare", "resnet18:classes=10", "resnet34", "--classes", "20", "--format", "json")
    first, second, *_ = json.loads(output(*words))["networks"]
    assert (first["variables"]["classes"], second["variables"]["classes"]) == (10, 20)


def test_a_hint_names_a_network_that_has_the_variable() -> None:
    expected = (
        "error: lenet5 has no variable `width`\n  = help: set it where there is one: `resnet50:width=…`"
    )
    assert told("params", "lenet5", "resnet50", "--width", "32") == expected
    assert "batch=" not in told("diff", "resnet18", "resnet34", "--batch", "2")


def test_lines_may_have_labels() -> None:
    text = "8x8x4; a = conv 8 k3 half\nif 1 > 2: relu\nconv 8 k3 half | add @a"
    # 9 · 4 · 8 + 8 and 9 · 8 · 8 + 8
    assert archcalc.load(text).analyze().total.parameters == 296 + 584


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "28x28x192 | conv 16 | cnv 32 k5 half",
            "error: unknown operator or block `cnv`\n"
            "  ┌─ <text>:1:23\n"
            "1 │ 28x28x192 | conv 16 | cnv 32 k5 half\n"
            "  │                       ^^^\n"
            "  = help: did you mean `conv`?",
        ),
        (
            "28x28x192|conv 16 g5",
            "error: 5 groups do not divide 192 channels\n"
            "  ┌─ <text>:1:19\n"
            "1 │ 28x28x192|conv 16 g5\n"
            "  │                   ^^ in layer conv, input 28×28×192\n"
            "  = help: groups that divide both 192 and 16: 1, 2, 4, 8, 16",
        ),
        (
            "8x8x4; a = conv 8\nadd @b",
            "error: no label `@b` before this line\n"
            "  ┌─ <text>:2:5\n"
            "2 │ add @b\n"
            "  │     ^^\n"
            "  = help: labels so far: @in, @a",
        ),
        (
            " 28 | conv 4",
            "error: `28` is no input size\n"
            "  ┌─ <text>:1:2\n"
            "1 │  28 | conv 4\n"
            "  │  ^^\n"
            "  = help: height x width x channels, as in 224x224x3",
        ),
        (
            "8x8x4 |",
            "error: an empty line\n"
            "  ┌─ <text>:1:8\n"
            "1 │ 8x8x4 |\n"
            "  │        ^\n"
            "  = help: write an operator, a block or `@label`",
        ),
        (
            "conv 3 | relu",
            "error: no network is called `conv 3 | relu`\n"
            "  = help: a network in one text begins with its input: `28x28x192 | conv 16 | relu`",
        ),
        (
            "m.onnx",
            "error: no file `m.onnx`",
        ),
    ],
)
def test_errors_of_a_text(text: str, expected: str) -> None:
    for command in ("show", "params", "flops", "memory", "field"):
        assert told(command, text) == expected


@pytest.mark.parametrize(
    ("name", "tool"),
    [("a/model.h5", "files of Keras"), ("net.cfg", "files of Darknet"), ("M.H5", "files of Keras")],
)
def test_files_of_other_tools(name: str, tool: str, tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / name).write_bytes(b"\x08\x07")
    for path in (name, str(tmp_path / name)):
        assert told("show", path).splitlines()[0].endswith(f"{name}`: archcalc reads specs, not {tool}")


@pytest.mark.parametrize(
    ("input", "rows", "meant"),
    [
        ("3x224x224", "3 rows of 224 pixels with 224 channels", "224x224x3"),
        ("1x28x28", "1 row of 28 pixels with 28 channels", "28x28x1"),
        ("3x480x640", "3 rows of 480 pixels with 640 channels", "480x640x3"),
    ],
)
def test_channels_first_in_a_spec(input: str, rows: str, meant: str, tmp_path: Path) -> None:
    path = tmp_path / "net.toml"
    path.write_text(f'input = "{input}"\nlayers = "conv 64 k3 half"\n')
    for words in (
        ["params", str(path)],
        ["show", f"{path}:input={input}"],
        ["flops", str(path), "--input", input],
    ):
        result = CliRunner().invoke(commands, words, catch_exceptions=False)
        note = f"note: the input of net is {rows}; if that is channels first, write {meant}\n"
        assert (result.exit_code, result.stderr) == (0, note)
    result = CliRunner().invoke(
        commands, ["params", f"{input} | conv 4 k3 half"], catch_exceptions=False
    )
    assert f"write {meant}" in result.stderr


def test_no_bundled_network_is_suspected() -> None:
    assert not [entry.name for entry in bundled() if archcalc.load(entry.name).note]
    assert not archcalc.load("1x1x784 | linear 10").note
    assert not archcalc.load("1x100x64 | conv 64 k1x3 | maxpool 1x2 | tokens | attention 4").note


@pytest.mark.parametrize("size", ["3x224x224", "1x224x224"])
def test_channels_first_on_the_command_line(size: str) -> None:
    message, help = told("params", "vgg16", "--input", size).splitlines()
    assert message == "error: an input of 224 channels; vgg16 has 3"
    assert help == "  = help: height x width x channels: write 224x224x3"


def test_a_square_of_two_sizes_is_a_sequence_and_says_so() -> None:
    assert archcalc.load("28x28 | conv 4").note.endswith(
        "is a sequence of 28 values with 28 channels; for a map, write 28x28x1"
    )
    assert archcalc.load("16000x1 | conv 4 k9").note == ""
