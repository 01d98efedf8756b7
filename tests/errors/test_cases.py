"""Every message that reading and building can give: its text, its place, its way out."""

from __future__ import annotations

import inspect
import re
import sys
from functools import cache
from pathlib import Path

import pytest
from support import annotated_specs as annotated
from support.annotated_specs import CASES, Case, Shown
from support.raised_messages import Message, messages

import archcalc
from archcalc import cli
from archcalc.errors import ArchError
from archcalc.graph import effort
from archcalc.views.diagnostics import render

ALL = [(path.stem, case) for path in sorted(CASES.glob("*.toml")) for case in annotated.cases(path)]
NINES = "9" * 10_000


@pytest.mark.parametrize("case", [case for _, case in ALL], ids=[f"{s}: {c.name}" for s, c in ALL])
def test_case(case: Case, tmp_path: Path) -> None:
    errors = annotated.shown(case.bare, tmp_path, case.values)
    assert errors, "the spec is right"
    assert annotated.annotated(case.bare, errors) == case.text


def test_names_of_cases_differ() -> None:
    names = [f"{stem}: {case.name}" for stem, case in ALL]
    assert len(set(names)) == len(names)


def line(text: str, rest: str = "") -> str:
    return f'input = "8x8x4"\nlayers = ["{text}"]\n{rest}'


def variable(value: str) -> str:
    return line("conv {n}", f"[vars]\nn = {value}\n")


def rest(column: int) -> int:
    """How much of a long line is shown from this column on."""
    return 97 - column


DEEP = "an expression nested too deeply"
# too long to be written out
GENERATED = {
    "ten thousand digits in TOML": (
        variable(NINES),
        Shown("a number beyond 64 bits", 4, 5, rest(5), (), "the largest is 9223372036854775807"),
    ),
    "ten thousand digits behind others": (
        f"# {NINES}\n{variable(f'[1, -{NINES}]')}",
        Shown("a number beyond 64 bits", 5, 9, rest(9), (), "the largest is 9223372036854775807"),
    ),
    **{
        f"ten thousand digits and {more!r}": (
            variable(NINES + more),
            Shown(
                "broken TOML: the line goes on after the value",
                *(4, 10_005 - 30, 30 + len(more.partition(" ")[0]), ()),
                'text stands between quotes, as in input = "224x224x3"; '
                "a line has one key and one value",
            ),
        )
        for more in ("shuffle 2", ".x", ". 5", "ea", "é")
    },
    "ten thousand hexadecimal digits": (
        variable("0x" + "f" * 10_000),
        Shown("a number beyond 64 bits", 4, 5, rest(5), (), "the largest is 9223372036854775807"),
    ),
    "ten thousand digits as a year": (
        f'input = "8x8x4"\nlayers = "relu"\nyear = {NINES}',
        Shown("`year` must be a year, as in 2015", 3, 8, rest(8)),
    ),
    "ten thousand digits in a variant": (
        variable("3") + f"[variants]\na = {{ n = {NINES} }}",
        Shown("`n` goes beyond 64 bits", 6, 11, rest(11), (), "the largest is 9223372036854775807"),
    ),
    "ten thousand digits in the input": (
        f'input = "8x8x{NINES}"\nlayers = "relu"',
        Shown("a number beyond 64 bits", 1, 14, rest(14)),
    ),
    "ten thousand digits in a line": (
        line(f"conv {NINES}"),
        Shown("a number beyond 64 bits", 2, 17, rest(17)),
    ),
    "ten thousand digits in a repeat": (
        line(f"{NINES} x conv 4"),
        Shown("a number beyond 64 bits", 2, 12, rest(12)),
    ),
    "ten thousand digits in an expression": (
        line(f"conv {{{NINES}}}"),
        Shown(
            "an expression of 10,000 characters", 2, 18, rest(18), (), "4,000 characters are the most"
        ),
    ),
    "a thousand digits in an expression": (
        line(f"conv {{{'9' * 1000}}}"),
        Shown("a number beyond 64 bits", 2, 18, rest(18)),
    ),
    "lists a thousand deep": (
        variable("[" * 1000 + "]" * 1000),
        Shown("values nested too deeply", 4, 105, 1),
    ),
    "tables a thousand deep": (
        variable("{a = " * 1000 + "1" + "}" * 1000),
        Shown("values nested too deeply", 4, 505, 1),
    ),
    "lists a hundred deep": (
        variable("[" * 100 + "]" * 100),
        Shown("lists nested too deeply", 4, 5, rest(5), (), "a list of lists of lists is the most"),
    ),
    "parentheses a thousand deep": (
        line(f"conv {{{'(' * 1000}1{')' * 1000}}}"),
        Shown(DEEP, 2, 218, 48),
    ),
    "brackets a hundred deep": (
        line(f"conv {{{'[' * 100}1{']' * 100}}}"),
        Shown(DEEP, 2, 18, rest(18)),
    ),
    "a thousand minus signs": (line(f"conv {{{'-' * 1001}1}}"), Shown(DEEP, 2, 18, rest(18))),
    "three thousand minus signs": (line(f"conv {{{'-' * 3000}1}}"), Shown(DEEP, 2, 18, rest(18))),
    "nine hundred nots": (line(f"conv {{{'not ' * 900}1}}"), Shown(DEEP, 2, 18, rest(18))),
    "a thousand additions": (line(f"conv {{{'1 + ' * 900}1}}"), Shown(DEEP, 2, 18, rest(18))),
    "a thousand choices": (
        variable(f"{{ default = 0, choices = {list(range(1000))} }}"),
        Shown("1,000 choices", 4, 30, rest(30), (), "100 are the most"),
    ),
    "ten thousand arguments": (
        line("concat" + " @in" * 10_001),
        Shown("more than 10,000 arguments", 2, 40_019, 3),
    ),
    "ten thousand arguments of a block": (
        line("b", f'[block.b]\nlayers = "relu"\nargs = "{"a=1 " * 10_001}"'),
        Shown("`a` is there twice", 5, 13, 3),
    ),
    "blocks a thousand deep": (
        line("b0", "".join(f'[block.b{i}]\nlayers = "b{i + 1}"\n' for i in range(1000)))
        + '[block.b1000]\nlayers = "relu"',
        Shown(
            "blocks nested more than 100 deep",
            202,
            11,
            4,
            (),
            "a repeat (`3 x unit`) does not nest",
        ),
    ),
    "a circle of a thousand blocks": (
        line("b0", "".join(f'[block.b{i}]\nlayers = "b{(i + 1) % 1000}"\n' for i in range(1000))),
        Shown(
            "the block `b0` contains itself: b0 → b1 → b2 → b3 → … → b997 → b998 → b999 → b0",
            3,
            8,
            2,
            (),
            "a block may repeat others, not itself: use `3 x block`",
        ),
    ),
    "a word of a million letters": (
        line("a" * 1_000_000),
        Shown(
            f"unknown operator or block `{'a' * 59}…`",
            2,
            12,
            rest(12),
            (),
            "operators: " + ", ".join(archcalc.operators.TABLE),
        ),
    ),
    "a million expressions of a thousand parts": (
        line(f"999999 x conv {{max({'1, ' * 999}1)}}"),
        Shown(
            "the network takes too long to build",
            2,
            11,
            rest(11),
            (),
            "fewer repeats, shorter expressions, lists and labels",
        ),
    ),
    "a million times a thousand lines that are switched off": (
        line("999999 x b", "[block.b]\nlayers = [" + '"if false: relu", ' * 1000 + "]"),
        Shown(
            "the network takes too long to build",
            4,
            6005,
            16,
            (),
            "fewer repeats, shorter expressions, lists and labels",
        ),
    ),
    "a million sums of a thousand items": (
        line("999999 x conv {sum(n)}", f"[vars]\nn = {[1] * 1000}"),
        Shown("`sum(n)` takes too long", 2, 27, 6),
    ),
    "a million labels of a thousand letters": (
        line(f"{'a' * 1000} = 999999 x conv 4"),
        Shown(
            "the network takes too long to build",
            2,
            11,
            rest(11),
            (),
            "fewer repeats, shorter expressions, lists and labels",
        ),
    ),
    "more lines than layers": (
        'input = "8x8x4"\nlayers = [' + '"relu",' * 1001 + "]",
        Shown("too many layers", 2, 7011, 6, (), "a network may have 1,000 layers"),
    ),
}


@pytest.mark.parametrize("name", GENERATED)
def test_generated(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text, expected = GENERATED[name]
    monkeypatch.setattr(effort, "MOST_WORK", 100_000)
    if name == "more lines than layers":
        monkeypatch.setattr(effort, "MOST_NODES", 1000)
    errors = annotated.shown(text, tmp_path)
    assert errors == [expected]


def test_a_caller_that_is_deep_already(tmp_path: Path) -> None:
    text = line("b0", "".join(f'[block.b{i}]\nlayers = "b{i + 1}"\n' for i in range(90)))
    path = tmp_path / "case.toml"
    path.write_text(text + '[block.b90]\nlayers = "relu"', encoding="utf-8")
    assert len(archcalc.load(str(path)).graph.nodes) == 2
    path.write_text(text + '[block.b90]\nlayers = "tanh"', encoding="utf-8")  # nothing is known of it
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(len(inspect.stack(0)) + 200)
    try:
        with pytest.raises(ArchError, match="blocks nested too deeply"):
            _ = archcalc.load(str(path)).graph
    finally:
        sys.setrecursionlimit(limit)


NET = """
input = "8x8x4"
layers = ["{n[0]} x conv {classes} | {act}", "if bn: bn", "conv 2 table={table}"]
[vars]
classes = 4
n = [2, 2, 3, 3, 3]
act = { default = "relu", choices = ["relu", "tanh"] }
bn = false
table = [[0, 1], [2]]
"""
# what the command line gives: words, lines of stderr
WORDS = {
    "params inceptoin": [
        "error: no network is called `inceptoin`",
        "  = help: did you mean `inception`?",
    ],
    "params wibblewobble": [
        "error: no network is called `wibblewobble`",
        "  = help: `archcalc list` shows them; a file ends in .toml",
    ],
    "params net.toml --clases 10": [
        "error: net has no variable `clases`",
        "  = help: did you mean `--classes`?",
    ],
    "params net.toml --wibble 10": [
        "error: unknown variable `wibble`",
        "  = help: variables of net.toml: classes, n, act, bn, table",
    ],
    "params net.toml --classes ten": [
        "error: `classes` must be an integer, not `ten`",
        "  = help: as in --classes 4",
    ],
    "params net.toml --classes 0.5": [
        "error: `classes` must be an integer, not `0.5`",
        "  = help: as in --classes 4",
    ],
    "params net.toml --classes ٣": [
        "error: `classes` must be an integer, not `٣`",
        "  = help: as in --classes 4",
    ],
    "params net.toml --classes 9223372036854775808": [
        "error: `classes` goes beyond 64 bits",
        "  = help: the largest is 9223372036854775807",
    ],
    f"params net.toml --classes {NINES}": [
        f"error: `classes` must be an integer, not `{'9' * 59}…`",
        "  = help: as in --classes 4",
    ],
    "params net.toml --bn=perhaps": [
        "error: `bn` must be true or false, not `perhaps`",
        "  = help: as in --bn false",
    ],
    "params net.toml --n 1,2,x": [
        "error: `n` must be a list like [2, 2, 3, 3, …], not `1,2,x`",
        "  = help: as in --n 2,2,3,3,3",
    ],
    "params net.toml --n 1,9223372036854775808": [
        "error: `n` goes beyond 64 bits",
        "  = help: the largest is 9223372036854775807",
    ],
    "params net.toml --table " + "[" * 1000 + "]" * 1000: [
        f"error: `table` must be a list like [[0, 1], [2]], not `{'[' * 59}…`",
        "  = help: as in --table [0,1,2]",
    ],
    "params net.toml --table [[1]]\nx=3": [
        "error: `table` must be a list like [[0, 1], [2]], not `[[1]]\\x0ax=3`",
        "  = help: as in --table [0,1,2]",
    ],
    "params net.toml --act rleu": [
        "error: `act` cannot be `rleu`",
        "  = help: did you mean `relu`?",
    ],
    "params net.toml --act \x1b[31m\u202e": [
        "error: `act` cannot be `\\x1b[31m\\u202e`",
        "  = help: choices: relu, tanh",
    ],
    "params ghost.toml": ["error: cannot read `ghost.toml`: no such file or directory"],
    "params \x1b[31m.toml": ["error: cannot read `\\x1b[31m.toml`: no such file or directory"],
    "params .": ["error: `.` is a directory", "  = help: name a .toml file in it"],
    "params model.h5": [
        "error: `model.h5`: archcalc reads specs, not files of Keras",
        "  = help: write the layers as a .toml file, as `archcalc cat vgg16` shows",
    ],
    "params model.pt": [
        "error: no file `model.pt`",
    ],
    "params net.toml --classes 0": [
        "error: `filters` must be a positive integer, not 0",
        "  ┌─ net.toml:3:26",
        """3 │ layers = ["{n[0]} x conv {classes} | {act}", "if bn: bn", "conv 2 table={table}"]""",
        "  │                          ^^^^^^^^^ in layer conv, input 8×8×4",
    ],
}


@pytest.mark.parametrize("words", WORDS, ids=lambda words: words[:40].encode("unicode_escape").decode())
def test_words(
    words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "net.toml").write_text(NET, encoding="utf-8")
    monkeypatch.setattr(sys, "argv", ["archcalc", *words.split(" ")])
    monkeypatch.chdir(tmp_path)
    assert cli._run() == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.splitlines() == WORDS[words]


VALUES = {
    "not a number": (float("nan"), "`w`: `nan` is no plain decimal"),
    "infinity": (float("inf"), "`w`: `inf` is no plain decimal"),
    "a tiny number": (1e-300, "`w`: `1e-300` is no plain decimal"),
    "nothing": (None, "`w`: `None` is no value of a variable"),
    "a table": ({"a": 1}, "`w`: `{…}` is no value of a variable"),
    "a list": ((1, 2), "`w` must be a number, not `[1, 2]`"),
    "text": ("a", "`w` must be a number, not `a`"),
    "a truth": (True, "`w` must be a number, not `true`"),
    "a huge number": (10**5000, "`w` goes beyond 64 bits"),
}


@pytest.mark.parametrize("name", VALUES)
def test_values_given_by_python(name: str, tmp_path: Path) -> None:
    path = tmp_path / "case.toml"
    path.write_text(line("conv {4*w}", "[vars]\nw = 1.0"), encoding="utf-8")
    assert archcalc.load(str(path), w=0.5).analyze().parameters == 10
    value, message = VALUES[name]
    with pytest.raises(ArchError) as caught:
        archcalc.load(str(path), w=value)
    assert render(caught.value).splitlines()[0] == f"error: {message}"


FILES = {
    b"\xff\xfei\x00n\x00": Shown("not UTF-8: byte 0xff", 1, 1, 1, (), "save the file as UTF-8"),
    'input = "8x8x4"\r\n# größe '.encode() + b"\xe4\n": Shown(
        "not UTF-8: byte 0xe4", 2, 9, 1, (), "save the file as UTF-8"
    ),
}


@pytest.mark.parametrize("data", FILES)
def test_files(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "case.toml"
    path.write_bytes(data)
    with pytest.raises(ArchError) as caught:
        archcalc.load(str(path))
    assert annotated.read_back(render(caught.value), data.decode("utf-8", "replace")) == [FILES[data]]


def test_files_of_windows_are_read(tmp_path: Path) -> None:
    path = tmp_path / "case.toml"
    path.write_bytes(b'\xef\xbb\xbfinput = "8x8x4"\r\nlayers = ["conv 4",\r\n  "conv 4"]\r\n')
    assert archcalc.load(str(path)).analyze().parameters == 40


@cache
def pinned() -> list[str]:
    """Every message that a test of this file pins."""
    found = [GENERATED[name][1].message for name in GENERATED]
    found += [shown.message for shown in FILES.values()]
    found += [lines[0].removeprefix("error: ") for lines in WORDS.values()]
    found += [message for _, message in VALUES.values()]
    found += ["`resnet18.pt2` is a model file, no spec"]  # tests/commands/test_models.py
    found += ["standard input is closed"]  # tests/commands/test_streams.py
    found += ["blocks nested too deeply", "`a.toml` is larger than 8 MiB"]  # test_hostile has the file
    for _, case in ALL:
        found += re.findall(r"^#(?: *| = |= )\^+ (.*)$", case.text, re.MULTILINE)
        found += re.findall(r"^#! (.*)$", case.text, re.MULTILINE)
    return found


PACKAGE = Path(archcalc.__file__).parent
RAISED = [m for room in ("spec", "graph") for m in messages(PACKAGE / room)]


@pytest.mark.parametrize("message", RAISED, ids=lambda m: f"{m.place} {m.pattern[:50]}")
def test_every_message_has_a_case(message: Message) -> None:
    assert any(message.matches(text) for text in pinned()), message.pattern


def test_messages_are_found() -> None:
    """The collector sees what it should: a new way to raise would hide its messages."""
    patterns = {message.pattern for message in RAISED}
    assert len(patterns) > 110
    for part in ("is given twice", "is no label", "contains itself", "is no expression", "no such date"):
        assert any(re.escape(part) in pattern for pattern in patterns), part


def test_outputs_are_printable(tmp_path: Path) -> None:
    for _, case in ALL:
        path = tmp_path / "case.toml"
        path.write_text(case.bare, encoding="utf-8", newline="")
        with pytest.raises(ArchError) as caught:
            archcalc.load(str(path), **case.values).analyze()
        for printed in render(caught.value).split("\n"):
            assert printed.isprintable(), printed
