"""Files that would crash, hang or fill the memory: one clear error each, in time, in 1.5 GiB."""

from __future__ import annotations

import resource
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

MEMORY = 3 * 2**29
SECONDS = 20  # of processor time; others may use the machine, too
MIB = 2**20
HEAD = 'input = "8x8x4"\n'
NET = HEAD + 'layers = ["conv 4"]\n'


class Hostile(NamedTuple):
    """A file, and what its one error says."""

    write: Callable[[Path], object]
    message: str


class Ended(NamedTuple):
    code: int
    out: str
    err: str


def text(content: str) -> Callable[[Path], object]:
    return lambda path: path.write_text(content, encoding="utf-8")


def filled(head: str, unit: str, tail: str = "", size: int = 8 * MIB) -> str:
    """`unit` as often as the size allows."""
    return head + unit * ((size - len(head) - len(tail)) // len(unit)) + tail


def numbered(head: str, unit: str, tail: str = "", count: int = 100_000) -> str:
    """`unit` with the numbers i and i + 1 in it."""
    return head + "".join(unit.format(i, i + 1) for i in range(count)) + tail


def nested(count: int) -> str:
    """So many layers, each with its number in brackets in brackets."""
    return numbered(HEAD + "layers = [", f'"conv {{{{{"(" * 40}{{}}{")" * 40}}}}}",\n', "]", count)


def sparse(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(100 * MIB)


LARGE = "is larger than 8 MiB"
# what is generated at full size is fast; what is slow for good reasons stays smaller
DOUBLINGS = "".join(f'[block.b{i}]\nlayers = "2 x b{i + 1}"\n' for i in range(60))
HOSTILE = {
    "2^61 layers in 61 lines": Hostile(
        text(f'{HEAD}layers = "2 x b0"\n{DOUBLINGS}[block.b60]\nlayers = "relu"\n'),
        "the repeats make at least ",
    ),
    "100 MB of nothing": Hostile(sparse, LARGE),
    "a directory": Hostile(Path.mkdir, "is a directory"),
    "a file that is not there": Hostile(lambda path: None, "no such file or directory"),
    "not UTF-8": Hostile(lambda path: path.write_bytes(b"\xff" * MIB), "not UTF-8: byte 0xff"),
    "zeros": Hostile(text("\0" * (8 * MIB)), "broken TOML: neither `key = value` nor `[table]`"),
    "a line of 10 MB": Hostile(text(HEAD + f'layers = "{"a" * 10_000_000}"'), LARGE),
    "a word of 8 MB": Hostile(
        text(HEAD + f'layers = "{"a" * 8_000_000}"'), "unknown operator or block `aaaaa"
    ),
    "8 MB of blanks": Hostile(text(HEAD + f'layers = "{" " * 8_000_000}"'), "an empty line"),
    "8 MB of braces": Hostile(text(HEAD + f'layers = "{"{" * 8_000_000}"'), "an unclosed `{`"),
    "8 MB of quotes": Hostile(
        text(HEAD + 'layers = "conv {' + "'a" * 4_000_000 + '}"'),
        "an expression of 8,000,000 characters",
    ),
    "2 MB of escapes": Hostile(
        text(HEAD + 'layers = "' + "\\u0061" * 330_000 + '"'), "unknown operator or block"
    ),
    "a line of 300,000 steps": Hostile(
        text(HEAD + 'layers = "' + "relu | " * 300_000 + 'rleu"'), "unknown operator or block `rleu`"
    ),
    "a line of 2,000,000 arguments": Hostile(
        text(HEAD + 'layers = "concat' + " @a" * 2_000_000 + '"'), "more than 10,000 arguments"
    ),
    "an input of 8 MB": Hostile(
        text(f'layers = "relu"\ninput = "8{" " * 8_000_000}"'), "is no input size"
    ),
    "100,000 lines with an error in the last": Hostile(
        text(HEAD + "layers = [\n" + '"conv 4 k3 p1",\n' * 99_999 + '"conv 4 g3"]'),
        "3 groups do not divide 4 channels",
    ),
    "100,000 lines with a misspelling in the last": Hostile(
        text(HEAD + "layers = [\n" + '"conv 4 k3 p1 | relu",\n' * 99_999 + '"cnov 4"]'),
        "unknown operator or block `cnov`",
    ),
    "1,000 lines with an error in the last": Hostile(
        text(HEAD + "layers = [\n" + '"conv 4 k3 p1 | relu",\n' * 999 + '"conv 4 g3"]'),
        "3 groups do not divide 4 channels",
    ),
    "10,000 lines with an error in the last": Hostile(
        text(HEAD + "layers = [\n" + '"conv 4 k3 p1 | relu",\n' * 9_999 + '"conv 4 g3"]'),
        "3 groups do not divide 4 channels",
    ),
    "100,000 labels": Hostile(
        text(numbered(HEAD + "layers = [", '"l{} = relu",\n', '"@foo"]')), "no label `@foo`"
    ),
    "50,000 branches": Hostile(
        text(numbered(HEAD + 'concat.z = "maxpool 2"\n', 'concat.b{} = "relu"\n', count=50_000)),
        "cannot concatenate 8×8×4 with 4×4×4",
    ),
    "1,000,000 lists": Hostile(text(NET + f"x = [{'[],' * 1_000_000}]"), "unknown key `x`"),
    "1,000,000 numbers": Hostile(
        text(NET + f"x = 3\n[vars]\nn = [{'1,' * 1_000_000}]"), "unknown key `x`"
    ),
    "lists 8,000,000 deep": Hostile(text(NET + f"n = {'[' * 8_000_000}"), "values nested too deeply"),
    "tables a million deep": Hostile(text(NET + f"n = {'{a=' * 1_000_000}"), "values nested too deeply"),
    "20,000 expressions 40 deep": Hostile(text(nested(20_000)), "must be a positive integer, not 0"),
    "2,000 expressions 40 deep": Hostile(text(nested(2_000)), "must be a positive integer, not 0"),
    "8 MB of one header": Hostile(text(filled(NET + "[", "a.", "a]")), "a key of too many parts"),
    "8 MB of one key": Hostile(text(filled(NET, "a.", "a = 1")), "a key of too many parts"),
    "16 MB of headers": Hostile(text(filled(NET, "[a.a.a.a]\n", size=16 * MIB)), LARGE),
    "2 MB of headers of eight parts": Hostile(
        text(numbered(NET, "[a.a.a.a.a.a.a.b{}]\n", count=80_000)), "unknown key `a`"
    ),
    "30,000 blocks in each other": Hostile(
        text(numbered(NET, '[block.a{}]\nlayers = "a{}"\n', count=30_000)),
        "unknown operator or block `a30000`",
    ),
    "a circle of 100,000 blocks": Hostile(
        text(numbered(NET, '[block.a{}]\nlayers = "a{}"\n', '[block.a100000]\nlayers = "a0"')),
        "the block `a0` contains itself: a0 → a1 → a2 → a3 → … → a99998 → a99999 → a100000 → a0",
    ),
    "50,000 variables in 50,000 lines": Hostile(
        text(
            numbered(HEAD + "layers = [", '"if a{}: relu",\n', '"cnov 4"]\n[vars]\n', 50_000)
            + numbered("", "a{} = 0\n", count=50_000)
        ),
        "unknown operator or block `cnov`",
    ),
    "100,000 variants": Hostile(
        text(
            numbered(
                HEAD + 'layers = "conv {n}"\n[vars]\nn = 1\n[variants]\n',
                "a{} = {{ n = 3 }}\n",
                "b = { n = true }",
            )
        ),
        "`n` must be an integer, not `true`",
    ),
    "100,000 choices": Hostile(
        text(numbered(HEAD + 'layers = "{n}"\n[vars]\nn.default = 0\nn.choices = [', "{},", "]")),
        "100,000 choices",
    ),
    "a repeat of a billion": Hostile(
        text(HEAD + 'layers = "1000000000 x conv 4"'), "the repeats make at least 1,000,000,000 layers"
    ),
    "repeats that multiply to a billion": Hostile(
        text(
            HEAD
            + 'layers = "1000 x a"\n[block.a]\nlayers = "1000 x b"\n[block.b]\nlayers = "1000 x conv 4"'
        ),
        "the repeats make at least 1,001,001 layers",
    ),
    "repeats of nothing that multiply to a billion": Hostile(
        text(
            HEAD
            + 'layers = "1000 x a"\n[block.a]\nlayers = "1000 x b"\n[block.b]\nlayers = "1000 x @in"'
        ),
        "the repeats make at least 1,001,001 layers",
    ),
    "repeats of a long list": Hostile(
        text(HEAD + f'layers = "999999 x conv {{sum(n)}}"\n[vars]\nn = [{"1," * 500_000}]'),
        "`sum(n)` takes too long",
    ),
    "repeats under a long label": Hostile(
        text(HEAD + f'layers = "{"a" * 4_000_000} = 999 x conv 4"'),
        "the network takes too long to build",
    ),
}


def limited() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS + 1))


def run(words: list[str], stdin: int = subprocess.DEVNULL) -> Ended:
    """`archcalc` as a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "archcalc", *words],
        stdin=stdin,
        capture_output=True,
        preexec_fn=limited,
        timeout=4 * SECONDS,
    )
    return Ended(done.returncode, done.stdout.decode(), done.stderr.decode())


LONG = {
    "a repeat of 100,000": '"100000 x conv 4 k3 p1"',
    "100,000 lines": "[\n" + '  "conv 4 k3 p1",\n' * 100_000 + "]",
}


# seconds each: the others of their kind are among those of every run
SLOW = {
    "2^61 layers in 61 lines",
    "8 MB of blanks",
    "an input of 8 MB",
    "20,000 expressions 40 deep",
    "10,000 lines with an error in the last",
    "8 MB of quotes",
    "a line of 300,000 steps",
    "8 MB of braces",
    "2 MB of headers of eight parts",
    "30,000 blocks in each other",
    "1,000,000 numbers",
    "100,000 variants",
    "50,000 variables in 50,000 lines",
    "100,000 lines with an error in the last",
    "100,000 lines with a misspelling in the last",
    "100,000 labels",
    "50,000 branches",
    "1,000,000 lists",
    "a circle of 100,000 blocks",
    "repeats of a long list",
    "100,000 lines",
}
assert {*HOSTILE, *LONG} > SLOW


def by_time(names: Iterable[str]) -> list[Any]:
    return [pytest.param(n, marks=pytest.mark.attack if n in SLOW else ()) for n in names]


@pytest.mark.parametrize("name", by_time(HOSTILE))
def test_one_clear_error(name: str, tmp_path: Path) -> None:
    path = tmp_path / "hostile.toml"
    HOSTILE[name].write(path)
    check(run(["params", str(path)]), HOSTILE[name].message)


def test_endless_input() -> None:
    with open("/dev/zero", "rb") as zeros:
        check(run(["params", "-"], zeros.fileno()), f"`<stdin>` {LARGE}")


def check(ended: Ended, message: str) -> None:
    assert "Traceback" not in ended.err
    assert (ended.code, ended.out) == (2, "")
    lines = ended.err.split("\n")
    assert lines[0].startswith("error: ") and message in lines[0]
    assert sum(line.startswith("error:") for line in lines) == 1
    assert len(lines) < 12 and all(len(line) < 1100 and line.isprintable() for line in lines)


@pytest.mark.parametrize("name", by_time(LONG))
def test_100_000_layers(name: str, tmp_path: Path) -> None:
    path = tmp_path / "long.toml"
    path.write_text(f"{HEAD}layers = {LONG[name]}\n", encoding="utf-8")
    ended = run(["params", str(path), "--depth", "1"])
    assert (ended.code, ended.err) == (0, "")
    assert f"{100_000 * (3 * 3 * 4 * 4 + 4):,}" in ended.out
