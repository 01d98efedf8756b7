"""What is stored once batch norms are folded, and in which types, by arithmetic."""

from __future__ import annotations

import pytest

import archcalc
from archcalc.analysis.deployment import deployed
from archcalc.errors import UsageError
from archcalc.formats import BITS, Formats, bytes_of, formats_of
from archcalc.symbols import Program

# a network; what multiplies, what is added
FOLDED = [
    # 3·3·4·8 and a bias for each of 8 channels, where the conv had none or had one
    ("9x9x4 | conv 8 k3 nobias | bn | relu", 288, 8),
    ("9x9x4 | conv 8 k3 | bn", 288, 8),
    ("9x9x4 | conv 8 k3 nobias | bn noscale noshift", 288, 8),
    ("9x9x4 | deconv 8 k3 nobias | bn", 288, 8),
    ("9x9x4 | gap | linear 5 nobias | bn", 4 * 5, 5),
    # nothing in front: a factor and a term a channel
    ("9x9x4 | bn | conv 8 k3", 4 + 288, 4 + 8),
    ("9x9x4 | conv 8 k3 nobias | relu | bn", 288 + 8, 8),
    # the second norm has no conv in front
    ("9x9x4 | conv 8 k3 nobias | bn | bn", 288 + 8, 8 + 8),
    # other norms stay: their scale multiplies, their shift is added
    ("9x9x4 | conv 8 k3 nobias | groupnorm 2 | prelu", 288 + 8 + 8, 8),
]


@pytest.mark.parametrize(("text", "weights", "biases"), FOLDED)
def test_folded(text: str, weights: int, biases: int) -> None:
    assert deployed(archcalc.load(text).graph) == (weights, biases)


SHARED = [
    # the same norm behind each use of a conv folds: 3·3·4·4, a bias each
    (["a = conv 4 k3 half nobias", "b = bn", "reuse @a | reuse @b"], 144, 4),
    # another norm behind the second use: neither folds
    (["a = conv 4 k3 half nobias", "bn", "reuse @a", "bn"], 144 + 4 + 4, 4 + 4),
    # nothing behind the second use
    (["a = conv 4 k3 half nobias", "bn", "reuse @a"], 144 + 4, 4),
    # others read what the norm reads
    (["a = conv 4 k3 half nobias", "bn | add @a"], 144 + 4, 4),
    (["output a = conv 4 k3 half nobias", "@in | bn"], 144 + 4, 4),
]


@pytest.mark.parametrize(("lines", "weights", "biases"), SHARED)
def test_shared_and_read_twice(lines: list[str], weights: int, biases: int) -> None:
    text = f"input = '9x9x4'\nlayers = {lines}\n"
    assert deployed(archcalc.load(text).graph) == (weights, biases)


def test_resnet50() -> None:
    """26,560 channels have a norm, whose scale and shift become one bias; `linear` has 1,000 biases."""
    network = archcalc.load("resnet50")
    total = network.analyze().total
    assert total.statistics == 2 * 26_560
    weights = 25_557_032 - 2 * 26_560 - 1_000
    assert deployed(network.graph) == (weights, 26_560 + 1_000)


def test_bytes() -> None:
    """Two values of 4 bits fill a byte, three take two."""
    assert [bytes_of(n, "int4") for n in (1, 2, 3, 25_557_032)] == [1, 1, 2, 25_557_032 // 2]
    assert {dtype: bytes_of(8, dtype) for dtype in BITS} == {d: BITS[d] for d in BITS}
    assert [bytes_of(3, d) for d in ("int8", "int16", "bfloat16", "float32", "float64")] == [
        3,
        6,
        6,
        12,
        24,
    ]


@pytest.mark.parametrize("dtype", BITS)
def test_bytes_of_a_symbol(dtype: str) -> None:
    program = Program()
    size = bytes_of(program.variable("n", 4), dtype)
    for n in (1, 6, 7):
        assert program.evaluate({"n": n}, [size]).results == (bytes_of(n, dtype),)
    assert program.guards == []


FORMATS = [
    ("float32", Formats("float32", "float32", "float32")),
    ("bfloat16", Formats("bfloat16", "bfloat16", "bfloat16")),
    ("int8", Formats("int8", "int8", "int32")),
    ("int4xfloat16", Formats("int4", "float16", "float16")),
    ("int8xint16", Formats("int8", "int16", "int32")),
    ("int8xint8xint16", Formats("int8", "int8", "int16")),
]


@pytest.mark.parametrize(("text", "formats"), FORMATS)
def test_formats(text: str, formats: Formats) -> None:
    assert formats_of(text) == formats


FOUR = "one each for weights, activations and accumulators: `int8xint8xint32`"
KNOWN = "dtypes: float32, float16, bfloat16, int8, int4, float64, int16, int32"
REFUSED = [
    ("in8", "no dtype is called `in8`", "did you mean `int8`?"),
    ("int8xq", "no dtype is called `q`", KNOWN),
    ("int8x", "no dtype is called ``", KNOWN),
    ("", "no dtype is called ``", KNOWN),
    ("int8xint8xint8xint8", "`int8xint8xint8xint8` names 4 types", FOUR),
]


@pytest.mark.parametrize(("text", "message", "help"), REFUSED)
def test_no_formats(text: str, message: str, help: str) -> None:
    with pytest.raises(UsageError) as caught:
        formats_of(text)
    (found,) = caught.value.diagnostics
    assert (found.message, found.help) == (message, help)
