"""The command line as a process: words, exit codes, pipes, terminals, help."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

import archcalc
from archcalc.cli import COMMANDS, commands
from archcalc.commands.words import networks, split
from archcalc.commands.yielding import Yielding
from archcalc.errors import ArchError
from archcalc.spec.read import RESERVED

ARCHCALC = [sys.executable, "-m", "archcalc"]
SPEC = b'input = "8x8x1"\nlayers = "conv 2 k3"\n'


def process(*words: str, **options: object) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([*ARCHCALC, *words], capture_output=True, **options)  # type: ignore[call-overload, no-any-return]


def settled(*words: str) -> dict[str, object]:
    """The variables that one network's words set."""
    (network,), _ = networks(words, [], [], [])
    return network.changed


@pytest.mark.parametrize(
    ("words", "changed"),
    [
        ("inception --bottleneck 16", {"bottleneck": 16}),
        ("--bottleneck=16 inception", {"bottleneck": 16}),
        ("--bottleneck 16 inception", {"bottleneck": 16}),
        ("inception:bottleneck=16:proj=0", {"bottleneck": 16, "proj": 0}),
        ("inception:input=14x14x480", {"input": "14x14x480"}),
        ("vgg16 --bn", {"bn": True}),
        ("--bn vgg16", {"bn": True}),
        ("vgg16 --bn false", {"bn": False}),
        ("vgg16_bn --no-bn", {"bn": False}),
        ("resnet50 --n 3,4,23,3", {"n": [3, 4, 23, 3]}),
        ("resnet50:resnet34:classes=10", {"classes": 10}),
        ("resnet50 --n [1,1,1,1] --stride 1x1", {"n": [1, 1, 1, 1], "stride": "1x1"}),
        ("lenet5_1998 --table [[0],[1,2]]", {"table": [[0], [1, 2]]}),
    ],
)
def test_words_set_variables(words: str, changed: dict[str, object]) -> None:
    assert settled(*words.split()) == changed


def test_set_works_whatever_the_name() -> None:
    (network,), _ = networks(["vgg16"], ["classes=10", "bn=true"], ["64x64x3"], [])
    assert network.changed == {"classes": 10, "bn": True, "input": "64x64x3"}


@pytest.mark.parametrize(
    ("words", "message", "help"),
    [
        ("", "which network? name a SPEC", "archcalc list"),
        ("inceptoin", "no network is called `inceptoin`", "did you mean `inception`?"),
        ("vgg61", "no network is called `vgg61`", "did you mean `vgg16`?"),
        ("ghost.toml", "cannot read `ghost.toml`: no such file or directory", ""),
        (
            "inception --bottlneck 16",
            "inception has no variable `bottlneck`",
            "did you mean `--bottleneck`?",
        ),
        (
            "inception --wibble 16",
            "unknown variable `wibble`",
            "variables of inception.toml: bottleneck",
        ),
        ("inception --bottleneck", "`--bottleneck` needs a value", ""),
        ("inception --bottleneck x", "`bottleneck` must be an integer, not `x`", "as in --bottleneck 0"),
        ("inception --bottleneck " + "9" * 5000, "`bottleneck` must be an integer", "as in"),
        ("inception --bottleneck " + "9" * 25, "`bottleneck` goes beyond 64 bits", ""),
        ("resnet50 --stride 5x5", "`stride` cannot be `5x5`", "choices: 3x3, 1x1"),
        ("resnet50 --unit basics", "`unit` cannot be `basics`", "did you mean `basic`?"),
        ("vgg16 --bn maybe", "no network is called `maybe`", "archcalc list"),
        ("vgg16 --bn=maybe", "`bn` must be true or false, not `maybe`", "as in --bn false"),
        ("vgg16 lenet5 --bn", "lenet5 has no variable `bn`", ""),
        ("vgg16:bn", "vgg16 has no variant `bn`", "variants: vgg11, vgg13"),
        ("resnet50 --input 3x224x224", "an input of 224 channels; resnet50 has 3", "write 224x224x3"),
        ("vgg16 --formt json", "vgg16 has no variable `formt`", "did you mean `--format`?"),
    ],
)
def test_wrong_words(words: str, message: str, help: str) -> None:
    plain, _, size = words.partition(" --input ")
    with pytest.raises(ArchError) as error:
        networks(plain.split(), [], [size] if size else [], ["format", "depth"])
    (diagnostic,) = error.value.diagnostics
    assert message in diagnostic.message
    assert help in diagnostic.help


@pytest.mark.parametrize(
    "size",
    [
        "0",
        "0x1",
        "224x",
        "x224",
        "-224",
        "0x1x1",
        "axbxc",
        "1x2x3x4",
        "-1x2x3",
        "{a}x1x1",
        "1x1x99999999999999999999",
    ],
)
def test_wrong_input(size: str) -> None:
    result = process("params", "vgg16", "--input", size)
    assert result.returncode == 2
    assert result.stderr.startswith(b"error: ")


def test_own_options_are_reserved() -> None:
    """No spec may have a variable with the name of an option."""
    options = {
        name.removeprefix("--")
        for command in COMMANDS
        for parameter in commands.get_command(None, command).params  # type: ignore[arg-type, union-attr]
        for name in parameter.opts
        if name.startswith("--") and not isinstance(parameter, Yielding)
    }
    assert options <= RESERVED


def test_split_keeps_the_order() -> None:
    assert split(["a", "--x", "1", "b", "--y=2"]) == (["a", "b"], [("x", "1"), ("y", "2")])


def test_two_dashes_end_the_options(tmp_path: Path) -> None:
    assert split(["a", "--x", "1", "--", "--y", "--"]) == (["a", "--y", "--"], [("x", "1")])
    (tmp_path / "-net.toml").write_bytes(SPEC)
    assert process("params", "--", "-net.toml", cwd=tmp_path).returncode == 0
    assert process("params", "--format", "csv", "--", "--help").returncode == 2


@pytest.mark.parametrize("words", ["reconcile resnet50 -5", "reconcile resnet50 -- -5"])
def test_a_negative_number_is_no_option(words: str) -> None:
    result = process(*words.split())
    assert result.returncode == 2
    assert result.stderr == b"error: `-5` is no count that a network could have\n"


def test_variant_of_a_file(tmp_path: Path) -> None:
    """`net.toml:wide`: a file's own variants are asked for behind a colon."""
    path = tmp_path / "net.toml"
    variants = "[vars]\nw = 1.0\n[variants]\nwide = { w = 2.5 }\n"
    path.write_text(f'input = "8x8x1"\nlayers = "conv {{floor(2*w)}} k3"\n{variants}')
    assert archcalc.load(str(path)).analyze().parameters == 2 * 9 + 2
    assert archcalc.load(f"{path}:wide").analyze().parameters == 5 * 9 + 5
    assert archcalc.load(f"{path}:w=0.5").analyze().parameters == 1 * 9 + 1
    assert "wide" in process("params", str(path), "--help").stdout.decode().split("VARIANT")[1]


def test_standard_input() -> None:
    result = process("params", "-", "--format", "csv", input=SPEC)
    assert result.stdout.splitlines()[1].split(b",")[6] == b"20"  # 2·9 weights, 2 biases


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["params", "vgg16"], 0),
        (["params", "nothing"], 2),
        (["paramz", "vgg16"], 2),
        (["params", "vgg16", "--format", "xml"], 2),
        (["list", "--max-params", "many"], 2),
        (["--help"], 0),
        (["--version"], 0),
    ],
)
def test_exit_codes(words: list[str], code: int) -> None:
    result = process(*words)
    assert result.returncode == code
    assert b"Traceback" not in result.stderr
    assert bool(result.stdout) == (code == 0)


def test_unknown_command_is_guessed() -> None:
    assert b"did you mean `params`?" in process("paramz", "vgg16").stderr


def test_a_reader_that_leaves_is_no_error() -> None:
    """`archcalc show resnet152 --all | head -1`."""
    writer = subprocess.Popen(
        [*ARCHCALC, "show", "resnet152", "--all"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert writer.stdout and writer.stderr
    writer.stdout.readline()
    writer.stdout.close()
    assert writer.stderr.read() == b""
    assert writer.wait() == 0


def on_terminal(*words: str, **environment: str) -> str:
    """What a terminal of 80 columns receives."""
    master, slave = pty.openpty()
    clean = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "COLUMNS")}
    child = subprocess.Popen(
        [*ARCHCALC, *words], stdout=slave, stderr=slave, env={**clean, "TERM": "xterm", **environment}
    )
    os.close(slave)
    data = b""
    try:
        while chunk := os.read(master, 65536):
            data += chunk
    except OSError:  # the other end is closed
        pass
    os.close(master)
    child.wait()
    return data.decode()


def test_color_on_a_terminal_only() -> None:
    plain = process("params", "lenet5").stdout.decode()
    shown = on_terminal("params", "lenet5")
    assert "\x1b[1m" in shown
    assert "\x1b" not in plain
    assert "\x1b" not in on_terminal("params", "lenet5", NO_COLOR="1")
    assert "\x1b" not in on_terminal("params", "lenet5", TERM="dumb")


@pytest.mark.parametrize("columns", [20, 80, 120])
def test_tables_fit(columns: int) -> None:
    """80 columns at least, more where there is room; a bar needs some."""
    for words in (
        ["params", "resnet50"],
        ["flops", "vgg16", "--census"],
        ["list"],
        ["show", "resnet18"],
        ["field", "swin_t"],
    ):
        result = CliRunner().invoke(commands, words, env={"COLUMNS": str(columns)})
        assert max(map(len, result.output.splitlines())) <= max(columns, 80), words


@pytest.mark.parametrize("command", COMMANDS)
def test_help_has_purpose_example_and_meanings(command: str) -> None:
    text = process(command, "--help").stdout.decode()
    assert f"Example: archcalc {command}" in text
    purpose = text.split("\n\n")[1].strip()
    assert purpose.endswith(".")


def test_help_of_a_spec_lists_its_variables() -> None:
    text = process("flops", "resnet34", "--help").stdout.decode()
    assert "Variables of resnet34" in text
    assert "--unit basic" in text  # the variant's own default
    assert "none: plain network" in text


def test_library_takes_python_values() -> None:
    assert archcalc.load("resnet50", n=(1, 1, 1, 1)).values["n"] == [1, 1, 1, 1]
    with pytest.raises(ArchError, match="must be an integer"):
        archcalc.load("vgg16", classes=0.5)
    with pytest.raises(ArchError, match="unknown variable"):
        archcalc.load("vgg16", clases=10)


def test_a_command_that_lasts_collects_garbage() -> None:
    """Only while modules are imported nothing is; and what they made is never looked through."""
    code = """
import gc, sys
from archcalc.__main__ import main
sys.argv = ["archcalc", "operators"]
try:
    main()
except SystemExit:
    print(gc.isenabled(), gc.get_freeze_count() > 10_000, file=sys.stderr)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr == "True True\n"
