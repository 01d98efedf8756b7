"""ONNX files that are broken, cut, or written to do harm: one error with its place, at once."""

from __future__ import annotations

import random
import time
from itertools import pairwise
from pathlib import Path

import pytest
from support import model_mutants
from support import protobuf as p
from support.campaign import SEED

from archcalc.errors import ArchError
from archcalc.interop.batch import per_image
from archcalc.interop.load import read
from archcalc.interop.modules import gather
from archcalc.interop.prune import prune
from archcalc.interop.tally import tally

FOLDER = Path(__file__).parents[2] / "data" / "onnx"
HUGE = (1 << 63) - 1
CONV = p.node("Conv", "x w", "y")
WEIGHT = p.tensor("w", (4, 3, 3, 3))


def refusal(folder: Path, data: bytes, **dims: int) -> str:
    path = folder / "m.onnx"
    path.write_bytes(data)
    with pytest.raises(ArchError) as error:
        read(str(path), {}, dims)
    return str(error.value)


def packed(name: str, *numbers: int) -> bytes:
    return p.field(1, name) + p.field(8, b"".join(map(p.varint, numbers))) + p.field(20, 7)


def deep(levels: int) -> bytes:
    """An If in an If in an If …"""
    inner = p.graph([p.node("Relu", "x", "y")], [], "y")
    for _ in range(levels):
        branch = p.field(1, "then_branch") + p.field(6, inner) + p.field(20, 5)
        inner = p.graph([p.node("If", "yes", "y", branch)], [], "y")
    return p.field(
        7, inner + p.field(5, p.tensor("yes", (), 9, raw=b"\1")) + p.field(11, p.value("x", 2))
    )


def laughs(levels: int) -> bytes:
    """Functions that call the one before ten times."""
    found = b""
    for level in range(levels):
        names = [f"v{i}" for i in range(11)]
        op = f"f{level - 1}" if level else "Relu"
        domain = p.field(7, "d") if level else b""
        nodes = [p.node(op, a, b) + domain for a, b in pairwise(names)]
        body = b"".join(p.field(7, n) for n in nodes)
        ends = p.field(1, f"f{level}") + p.field(4, "v0") + p.field(5, "v10") + p.field(10, "d")
        found += p.field(25, ends + body)
    return p.model([p.node(f"f{levels - 1}", "x", "y") + p.field(7, "d")], more=found)


CUT = "m.onnx: this is no ONNX model, or its end is missing: "
REFUSED = {
    "empty": (b"", "m.onnx is empty"),
    "a picture": (
        b"\x89PNG\r\n\x1a\n" + bytes(100),
        "m.onnx: this is no ONNX model: it holds no graph",
    ),
    "a claim of 10⁹ bytes": (
        b"\x3a" + p.varint(10**9) + b"\x0a",
        CUT + "a field at byte 6 claims 1,000,000,000 bytes, 1 are left",
    ),
    "a number without an end": (
        b"\x08" + b"\xff" * 20,
        CUT + "the number at byte 1 is longer than 64 bits",
    ),
    "a group": (b"\x0b\x0c", CUT + "byte 0 is no field of a protobuf message (wire type 3)"),
    "cut in a field": (b"\x3a", CUT + "the message ends at byte 1, in the middle of a field"),
    "negative extent of a weight": (
        p.model([CONV], tensors=(p.tensor("w", (4, -3, 3, 3)),)),
        "m.onnx: tensor 'w' has a negative extent: 4×-3×3×3",
    ),
    "weight of 2⁶³ − 1 rows": (
        p.model([CONV], tensors=(p.tensor("w", (HUGE, 3, 3, 3)),)),
        f"m.onnx: node 'y' (Conv): its output would be 1×{HUGE}×6×6",
    ),
    "weight with too few bytes": (
        p.model([CONV], tensors=(p.tensor("w", (4, 3, 3, 3), raw=bytes(10)),)),
        "m.onnx: tensor 'w' (4×3×3×3 float32) needs 432 bytes, the file holds 10",
    ),
    "weight of no type": (
        p.model([CONV], tensors=(p.tensor("w", (4, 3, 3, 3), 77),)),
        "m.onnx: tensor 'w' has no type that is known (number 77)",
    ),
    "weight of 40 axes": (
        p.model([CONV], tensors=(p.tensor("w", (1,) * 40),)),
        "m.onnx: tensor 'w' has 40 axes; at most 32 are read",
    ),
    "cycle": (
        p.model([p.node("Relu", "b", "a"), p.node("Relu", "a", "b")], output="b"),
        "m.onnx: node 'a' (Relu): it reads 'b', which nothing before it makes",
    ),
    "made twice": (
        p.model([p.node("Relu", "x", "y"), p.node("Tanh", "x", "y")]),
        "m.onnx: node 'y' (Tanh): 'y' is made twice",
    ),
    "no output": (
        p.model([p.node("Relu", "x", "z")]),
        "m.onnx: nothing makes the output 'y'",
    ),
    "no weight": (p.model([p.node("Conv", "x", "y")]), "m.onnx: node 'y' (Conv): it has no input 2"),
    "groups that do not fit": (
        p.model([CONV], tensors=(p.tensor("w", (4, 2, 3, 3)),)),
        "m.onnx: node 'y' (Conv): weight 4×2×3×3 in 1 groups does not fit 3 channels",
    ),
    "stride 0": (
        p.model([p.node("Conv", "x w", "y", p.ints("strides", 0, 1))], tensors=(WEIGHT,)),
        "m.onnx: node 'y' (Conv): strides 0×1 must be positive",
    ),
    "strides of three axes": (
        p.model([p.node("Conv", "x w", "y", packed("strides", 1, 1, 1))], tensors=(WEIGHT,)),
        "m.onnx: node 'y' (Conv): attribute strides has 3 numbers, 2 are needed",
    ),
    "window beyond the input": (
        p.model([p.node("Conv", "x w", "y")], tensors=(p.tensor("w", (4, 3, 9, 9)),)),
        "m.onnx: node 'y' (Conv): a window of 9 does not fit 8 with padding 0 + 0",
    ),
    "padding of −2⁶³": (
        p.model([p.node("Conv", "x w", "y", p.ints("pads", -HUGE, 0, 0, 0))], tensors=(WEIGHT,)),
        f"m.onnx: node 'y' (Conv): a window of 3 does not fit 8 with padding -{HUGE} + 0",
    ),
    "reshape to another size": (
        p.model([p.node("Reshape", "x s", "y")], tensors=(p.int64s("s", 7, 7),)),
        "m.onnx: node 'y' (Reshape): 1×3×8×8 cannot be reshaped to 7×7",
    ),
    "reshape by data": (
        p.model([p.node("Reshape", "x s", "y")], [p.value("x", 4), p.value("s", 2, dtype=7)]),
        "m.onnx: node 'y' (Reshape): its shape depends on 's', whose values the file does not hold",
    ),
    "expand to 2⁶² values": (
        p.model([p.node("Expand", "x s", "y")], tensors=(p.int64s("s", 1 << 62, 1, 1, 1),)),
        f"m.onnx: node 'y' (Expand): its output would be {1 << 62}×3×8×8",
    ),
    "axis 9": (
        p.model([p.node("Concat", "x x", "y", p.field(1, "axis") + p.field(3, 9) + p.field(20, 2))]),
        "m.onnx: node 'y' (Concat): axis 9 is none of the 4 axes",
    ),
    "values that depend on the data": (
        p.model([p.node("NonZero", "x", "y")]),
        "m.onnx: node 'y' (NonZero): how many values are not 0 depends on the data",
    ),
    "boxes": (
        p.model([p.node("NonMaxSuppression", "x x", "y")]),
        "m.onnx: node 'y' (NonMaxSuppression): how many boxes are kept depends on the data",
    ),
    "no type of an attribute": (
        p.model([p.node("Softmax", "x", "y", p.field(1, "axis") + p.field(4, "two") + p.field(20, 3))]),
        "m.onnx: node 'y' (Softmax): attribute axis is no integer",
    ),
    "nested 500 deep": (
        deep(500),
        "m.onnx: node 'y' (If): graphs and functions lie more than 30 deep in each other",
    ),
    "functions that grow tenfold": (
        laughs(9),
        "m.onnx: …it has more than 100,000 nodes, functions counted at each call",
    ),
    "a function that calls itself": (
        p.model(
            [p.node("f", "x", "y") + p.field(7, "d")],
            more=p.field(
                25,
                p.field(1, "f")
                + p.field(4, "a")
                + p.field(5, "b")
                + p.field(10, "d")
                + p.field(7, p.node("f", "a", "b") + p.field(7, "d")),
            ),
        ),
        "m.onnx: …graphs and functions lie more than 30 deep in each other",
    ),
    "a list that comes in": (
        p.model([p.node("Relu", "x", "y")], [p.field(1, "x") + p.field(2, p.field(4, b""))]),
        "m.onnx: input 'x' is a sequence, which cannot be counted",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_one_error_with_the_place(case: str, tmp_path: Path) -> None:
    data, message = REFUSED[case]
    began = time.process_time()
    told = refusal(tmp_path, data)
    before, gap, after = message.partition("…")
    assert told == message if not gap else told.startswith(before) and told.endswith(after)
    assert time.process_time() - began < 5
    assert len(told) < 1000


@pytest.mark.parametrize(
    "location", ["../w.bin", "/etc/passwd", "a/../../w.bin", "C:\\w.bin", "..\\w.bin", "a\0b", ""]
)
def test_weights_lie_in_the_models_own_folder(location: str, tmp_path: Path) -> None:
    entry = p.field(1, "location") + p.field(2, location)
    told = refusal(tmp_path, p.model([CONV], tensors=(WEIGHT + p.field(13, entry),)))
    assert told == f"m.onnx: tensor 'w' lies in '{location}', outside of the model's own folder"


def test_the_offset_of_weights_is_a_number(tmp_path: Path) -> None:
    entries = [("location", "w.bin"), ("offset", "-1")]
    beside = b"".join(p.field(13, p.field(1, key) + p.field(2, value)) for key, value in entries)
    told = refusal(tmp_path, p.model([CONV], tensors=(WEIGHT + beside,)))
    assert told == "m.onnx: tensor 'w' has no offset in 'w.bin': '-1'"


def test_constants_cannot_take_the_day(tmp_path: Path) -> None:
    """Each node doubles nothing, but computes 16,384 numbers."""
    nodes = [p.node("Add", f"v{i} v{i}", f"v{i + 1}") for i in range(20_000)]
    held = p.tensor("v0", (16_384,), 7, raw=bytes(8 * 16_384))
    began = time.process_time()
    told = refusal(tmp_path, p.model(nodes, output="v20000", tensors=(held,)))
    assert told.endswith("the graph computes more constants than any model needs; it is not read on")
    assert time.process_time() - began < 5


def test_numbers_stay_in_64_bits(tmp_path: Path) -> None:
    nodes = [p.node("Mul", f"v{i} v{i}", f"v{i + 1}") for i in range(200)]
    nodes.append(p.node("Expand", "x v200", "y"))
    told = refusal(tmp_path, p.model(nodes, tensors=(p.int64s("v0", 7),)))
    assert told.endswith("its shape depends on 'v200', whose values the file does not hold")


@pytest.mark.parametrize("number", range(150))
def test_mutants_are_counted_or_refused(number: int, tmp_path: Path) -> None:
    """By an ArchError; nothing else is ever raised, whether free sizes are given or not."""
    path = tmp_path / "m.onnx"
    model_mutants.onnx(random.Random(f"{SEED}/{number}"), path)
    for given in ({"batch": 2}, {"batch": 2, "length": 7}, {"rate": 16000}, {}):
        try:
            trace = read(str(path), {}, given)
            trace = per_image(trace, prune(trace))
            gather(tally(trace, prune(trace)).rows, trace.modules, 2)
        except ArchError as error:
            assert "m.onnx" in str(error)
