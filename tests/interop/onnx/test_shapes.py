"""Shapes that operators give, across opsets: expected ones follow from the operator's definition."""

from __future__ import annotations

from pathlib import Path

import pytest
from support import protobuf as p

from archcalc.errors import ArchError
from archcalc.interop.load import read
from archcalc.interop.onnx.arrays import places, spread, strides, transposed

X = (2, 6, 9, 10)  # of the input x


def shape(
    folder: Path, node: bytes, tensors: tuple[bytes, ...] = (), opset: int = 17
) -> tuple[int, ...]:
    path = folder / "m.onnx"
    path.write_bytes(p.model([node], [p.value("x", *X)], tensors=tensors, opset=opset))
    return read(str(path), {}, {}).tensors["y"].shape


def window(op: str, *attributes: bytes) -> bytes:
    return p.node(op, "x", "y", p.ints("kernel_shape", 3, 3), *attributes)


CASES = {
    "conv same": (
        p.node("Conv", "x w", "y", p.ints("strides", 2, 3), p.text("auto_pad", "SAME_UPPER")),
        (2, 4, 5, 4),
    ),
    "conv valid": (p.node("Conv", "x w", "y", p.text("auto_pad", "VALID")), (2, 4, 7, 8)),
    "conv dilated": (p.node("Conv", "x w", "y", p.ints("dilations", 2, 3)), (2, 4, 5, 4)),
    "transposed conv": (p.node("ConvTranspose", "x v", "y", p.ints("strides", 2, 2)), (2, 5, 18, 20)),
    "transposed, groups, padding": (
        p.node(
            "ConvTranspose",
            "x v",
            "y",
            p.ints("strides", 3, 3),
            p.ints("pads", 1, 0, 1, 0),
            p.ints("output_padding", 1, 0),
            p.integer("group", 2),
        ),
        (2, 10, 3 * 8 + 2 - 2 + 1, 3 * 9 + 2),
    ),
    "pool floor": (window("MaxPool", p.ints("strides", 2, 2)), (2, 6, 4, 4)),
    "pool ceil": (window("MaxPool", p.ints("strides", 2, 2), p.integer("ceil_mode", 1)), (2, 6, 4, 5)),
    "pool ceil in padding": (
        window(
            "AveragePool", p.ints("strides", 4, 4), p.ints("pads", 0, 0, 2, 2), p.integer("ceil_mode", 1)
        ),
        (2, 6, 3, 3),  # ⌈(9 + 2 − 3) / 4⌉ + 1 and ⌈(10 + 2 − 3) / 4⌉ + 1 = 4, whose last starts at 12
    ),
    "gap": (p.node("GlobalAveragePool", "x", "y"), (2, 6, 1, 1)),
    "flatten": (p.node("Flatten", "x", "y", p.integer("axis", -2)), (12, 90)),
    "reshape by attribute": (p.node("Reshape", "x", "y", p.ints("shape", 0, -1)), (2, 540), 1),
    "reshape": (p.node("Reshape", "x to", "y"), (2, 3, 180)),
    "squeeze and unsqueeze": (p.node("Unsqueeze", "x", "y", p.ints("axes", 0, -1)), (1, *X, 1), 11),
    "unsqueeze": (p.node("Unsqueeze", "x axes", "y"), (1, 2, 6, 1, 9, 10)),
    "transpose back": (p.node("Transpose", "x", "y"), (10, 9, 6, 2)),
    "concat": (p.node("Concat", "x x x", "y", p.integer("axis", -1)), (2, 6, 9, 30)),
    "split": (p.node("Split", "x", "y", p.integer("axis", 1)), (2, 6, 9, 10)),
    "slice by attribute": (
        p.node("Slice", "x", "y", p.ints("starts", 1, -3), p.ints("ends", 5, 99), p.ints("axes", 1, 3)),
        (2, 4, 9, 3),
        9,
    ),
    "slice backwards": (p.node("Slice", "x last first two back", "y"), (2, 6, 5, 10)),
    "gather": (p.node("Gather", "x index", "y", p.integer("axis", 2)), (2, 6, 3, 10)),
    "gather one": (p.node("Gather", "x one", "y", p.integer("axis", 1)), (2, 9, 10)),
    "pad": (p.node("Pad", "x pads", "y"), (2, 6, 12, 8)),
    "pad by attribute": (
        p.node("Pad", "x", "y", p.ints("pads", 0, 0, 1, -1, 0, 0, 2, -1)),
        (2, 6, 12, 8),
        2,
    ),
    "expand": (p.node("Expand", "x wide", "y"), (3, 2, 6, 9, 10)),
    "tile": (p.node("Tile", "x times", "y"), (2, 12, 9, 30)),
    "resize by scales": (p.node("Resize", "x - factors", "y"), (2, 6, 18, 15)),
    "resize by sizes": (p.node("Resize", "x - - sizes", "y"), (2, 6, 7, 5)),
    "resize of two axes": (p.node("Resize", "x - half", "y", p.ints("axes", 2, 3)), (2, 6, 4, 5), 18),
    "upsample": (p.node("Upsample", "x factors", "y"), (2, 6, 18, 15), 9),
    "depth to space": (p.node("DepthToSpace", "w24 -", "y", p.integer("blocksize", 2)), (1, 6, 4, 6)),
    "reduce": (p.node("ReduceMean", "x", "y", p.ints("axes", -1, 1), p.integer("keepdims", 0)), (2, 9)),
    "reduce by input": (p.node("ReduceSum", "x axes23", "y"), (2, 6, 1, 1)),
    "reduce all": (p.node("ReduceMax", "x", "y", p.integer("keepdims", 0)), ()),
    "argmax": (p.node("ArgMax", "x", "y", p.integer("axis", 1), p.integer("keepdims", 0)), (2, 9, 10)),
    "top k": (p.node("TopK", "x four", "y", p.integer("axis", 2)), (2, 6, 4, 10)),
    "one hot": (p.node("OneHot", "index depth pair", "y"), (3, 7)),
    "range": (p.node("Range", "zero ten three", "y"), (4,)),
    "where": (p.node("Where", "row x one", "y"), X),
    "add": (p.node("Add", "x column", "y"), X),
    "matmul": (p.node("MatMul", "x tall", "y"), (2, 6, 9, 4)),
    "matmul with a vector": (p.node("MatMul", "x factors10", "y"), (2, 6, 9)),
    "einsum": (p.node("Einsum", "x tall", "y", p.text("equation", "bchw,wd->bdh")), (2, 4, 9)),
    "einsum with dots": (p.node("Einsum", "x tall", "y", p.text("equation", "...w,wd")), (2, 6, 9, 4)),
    "lstm": (p.node("LSTM", "sound wi wh", "y", p.integer("hidden_size", 5)), (7, 1, 3, 5)),
    "grid sample": (p.node("GridSample", "x grid", "y"), (2, 6, 4, 5)),
    "cast of a shape": (p.node("Shape", "x", "y"), (4,)),
    "layer norm": (p.node("LayerNormalization", "x factors10", "y"), X),
    "dft": (p.node("DFT", "signal", "y", p.integer("axis", 1), p.integer("onesided", 1)), (1, 9, 2)),
}
HELD = (
    p.tensor("w", (4, 6, 3, 3)),
    p.tensor("v", (6, 5, 2, 2)),
    p.tensor("w24", (1, 24, 2, 3)),
    p.tensor("tall", (10, 4)),
    p.tensor("column", (9, 1)),
    p.tensor("factors10", (10,)),
    p.tensor("row", (10,), 9),
    p.tensor("pair", (2,)),
    p.tensor("sound", (7, 3, 2)),
    p.tensor("wi", (1, 20, 2)),
    p.tensor("wh", (1, 20, 5)),
    p.tensor("grid", (2, 4, 5, 2)),
    p.tensor("signal", (1, 16, 1)),
    p.int64s("to", 2, 3, -1),
    p.int64s("axes", 0, 3),
    p.int64s("axes23", 2, -1),
    p.int64s("last", -1),
    p.int64s("first", -(1 << 63)),
    p.int64s("two", 2),
    p.int64s("back", -2),
    p.int64s("index", 0, 5, 8),
    p.int64s("pads", 0, 0, 1, -1, 0, 0, 2, -1),
    p.int64s("wide", 3, 1, 1, 1, 1),
    p.int64s("times", 1, 2, 1, 3),
    p.int64s("sizes", 2, 6, 7, 5),
    p.int64s("four", 4),
    p.scalar("one", 1),
    p.scalar("depth", 7),
    p.scalar("zero", 0),
    p.scalar("ten", 10),
    p.scalar("three", 3),
    p.floats("factors", 1, 1, 2, 1.5),
    p.floats("half", 0.5, 0.5),
)


@pytest.mark.parametrize("case", CASES)
def test_shapes(case: str, tmp_path: Path) -> None:
    node, expected, *opset = CASES[case]
    node = node.replace(b"\x0a\x01-", b"\x0a\x00")  # an input left out
    assert shape(tmp_path, node, HELD, *opset) == expected


# nodes that compute 'to', the shape that x is reshaped to: operator, inputs, result, a few words each
NUMBERS = {
    "product of a part": ("Shape x s; Slice s,one,end t; ReduceProd t n; Concat two,n to", (2, 540)),
    "half of an extent": ("Shape x s; Gather s,one c; Div c,two h; Concat h,back to", (3, 360)),
    "where": ("Shape x s; Equal s,six e; Where e,back,s to", X),
    "filled and multiplied": (
        "ConstantOfShape two z; Mul six,back m; Sub m,m d; Sub d,m n; Concat n,back to",
        (6, 180),
    ),
    "by floats, ⌈√6⌉": (
        "Shape x s; Gather s,one c; Cast c f; Sqrt f r; Ceil r g; Cast g i; Concat i,back to",
        (3, 360),
    ),
    "range and maximum": ("Range zero0,ten0,three0 q; ReduceMax q m; Concat m,back to", (9, 120)),
}
SMALL = (
    p.int64s("two", 2),
    p.int64s("six", 6),
    p.int64s("back", -1),
    p.int64s("end", 1 << 62),
    p.int64s("one", 1),
    p.scalar("zero0", 0),
    p.scalar("ten0", 10),
    p.scalar("three0", 3),
)


@pytest.mark.parametrize("case", NUMBERS)
def test_computed_shapes(case: str, tmp_path: Path) -> None:
    steps, expected = NUMBERS[case]
    attributes = {
        "Concat": [p.integer("axis", 0)],
        "ReduceProd": [p.integer("keepdims", 1)],
        "ReduceMax": [p.integer("keepdims", 1), p.ints("axes", 0)],
    }
    nodes = []
    for op, names, made in (step.split() for step in steps.split("; ")):
        extra = attributes.get(op, [])
        if op == "Cast":
            extra = [p.integer("to", 1 if made == "f" else 7)]
        nodes.append(p.node(op, names.replace(",", " "), made, *extra))
    nodes.append(p.node("Reshape", "x to", "y"))
    path = tmp_path / "m.onnx"
    path.write_bytes(p.model(nodes, [p.value("x", *X)], tensors=SMALL))
    trace = read(str(path), {}, {})
    assert trace.tensors["y"].shape == expected
    assert [o.word for o in trace.operations] == ["view"]  # arithmetic of shapes is no work


FREE = [p.value("a", "batch", 3, "?"), p.value("b", "batch", 4), p.value("n", dtype=7)]


@pytest.mark.parametrize(
    ("inputs", "dims", "message", "way_out"),
    [
        (
            {},
            {},
            "m.onnx: it leaves sizes free: axis 2 of a",
            "give each one: --input a=Nx3xN",
        ),
        ({"c": (1,)}, {}, "m.onnx: it has no input `c`", "inputs: a, b, n"),
        ({}, {"bath": 1}, "m.onnx: it has no free dimension `bath`", "did you mean `batch`?"),
        ({}, {"zzz": 1}, "m.onnx: it has no free dimension `zzz`", "free dimensions: batch, n"),
        (
            {"a": (2, 3)},
            {},
            "m.onnx: input 'a' has 3 axes (batch×3×?), batch included, not 2",
            "give it as a=Nx3xN",
        ),
        ({"a": (2, 3, 5), "b": (4, 4)}, {}, "m.onnx: `batch` is 2, and 4 in 'b'", ""),
        ({"a": (2, 3, 0)}, {}, "m.onnx: input 'a' cannot be 2×3×0", ""),
        ({}, {"batch": -1}, "m.onnx: dimension batch must be a positive integer, not -1", ""),
    ],
)
def test_free_extents(
    inputs: dict[str, tuple[int, ...]],
    dims: dict[str, int],
    message: str,
    way_out: str | None,
    tmp_path: Path,
) -> None:
    path = tmp_path / "m.onnx"
    path.write_bytes(p.model([p.node("Relu", "a", "y")], FREE))
    with pytest.raises(ArchError) as error:
        read(str(path), inputs, dims)
    assert str(error.value) == message
    assert way_out is None or error.value.diagnostics[0].help == way_out


@pytest.mark.parametrize(
    ("shapes", "message", "way_out"),
    [
        (
            [("n", 3, "h", "w"), ("n", "h")],
            "m.onnx: it leaves sizes free: h (axis 2 of a), w (axis 3 of a)",
            "give each one: --dim h=8 --dim w=8",
        ),
        (
            [("n", 3), ("m", 3)],
            "m.onnx: it leaves sizes free: n (axis 0 of a), m (axis 0 of b)",
            "give each one: --dim n=8 --dim m=8",
        ),
        (
            [("?", 3, "?")],
            "m.onnx: it leaves sizes free: axis 0 of a, axis 2 of a",
            "give each one: --input a=Nx3xN",
        ),
    ],
)
def test_what_is_free_is_listed(
    shapes: list[tuple[int | str, ...]], message: str, way_out: str, tmp_path: Path
) -> None:
    path = tmp_path / "m.onnx"
    declared = [p.value(name, *shape) for name, shape in zip("ab", shapes, strict=False)]
    path.write_bytes(p.model([p.node("Relu", "a", "y")], declared))
    with pytest.raises(ArchError) as error:
        read(str(path), {}, {})
    assert (str(error.value), error.value.diagnostics[0].help) == (message, way_out)


@pytest.mark.parametrize("name", ["n", "?"])
def test_the_first_axis_of_every_input_is_the_batch(name: str, tmp_path: Path) -> None:
    path = tmp_path / "m.onnx"
    declared = [p.value("a", name, 3), p.value("b", name, 4)]
    path.write_bytes(p.model([p.node("Relu", "a", "y")], declared))
    trace = read(str(path), {}, {})
    assert (trace.tensors["a"].shape, trace.tensors["b"].shape) == ((1, 3), (1, 4))
    what = "the first axis of every input" if name == "?" else "n, the first axis of every input,"
    assert trace.notes == (f"{what} is taken for the batch and set to 1",)


def test_a_given_shape_says_what_its_names_are(tmp_path: Path) -> None:
    path = tmp_path / "m.onnx"
    path.write_bytes(
        p.model([p.node("Relu", "a", "y")], [p.value("a", "n", "t"), p.value("b", "n", "t")])
    )
    assert read(str(path), {"a": (2, 5)}, {}).tensors["b"].shape == (2, 5)


def test_a_size_that_the_file_fixes_stays(tmp_path: Path) -> None:
    path = tmp_path / "m.onnx"
    path.write_bytes(p.model([p.node("GlobalAveragePool", "x", "y")], [p.value("x", 1, 3, 8, 8)]))
    with pytest.raises(ArchError) as error:
        read(str(path), {"x": (1, 3, 16, 16)}, {})
    assert str(error.value) == "m.onnx: axis 2 of x is fixed at 8, not 16"
    assert (error.value.diagnostics[0].help or "").startswith("export it again with a free axis")
    with pytest.raises(ArchError) as error:
        read(str(path), {"x": (4, 3, 8, 8)}, {})
    assert "counts are those of one image" in (error.value.diagnostics[0].help or "")


def test_places_in_flat_lists() -> None:
    assert strides((2, 3, 4)) == [12, 4, 1]
    assert strides(()) == []
    assert places([range(2), range(1, 3)], [3, 1]) == [1, 2, 4, 5]
    assert spread([1, 2], (2, 1), (2, 3)) == [1, 1, 1, 2, 2, 2]
    assert transposed([1, 2, 3, 4, 5, 6], (2, 3), (1, 0)) == [1, 4, 2, 5, 3, 6]
