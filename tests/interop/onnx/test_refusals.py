"""What is wrong with a node is said in one line, whatever it is."""

from __future__ import annotations

from pathlib import Path

import pytest
from support import protobuf as p

from archcalc.errors import ArchError
from archcalc.interop.load import read

X = (2, 6, 9, 10)
HELD = (
    p.tensor("w", (4, 6, 3, 3)),
    p.tensor("matrix", (5, 7)),
    p.tensor("vector", (3,)),
    p.tensor("tall", (10, 4)),
    p.tensor("sound", (7, 3, 2)),
    p.tensor("wi", (1, 20, 9)),
    p.tensor("wh", (1, 20, 5)),
    p.tensor("ids", (2, 3, 9), 7),
    p.tensor("words", (2,), 8),
    p.tensor("deep", (1,) * 30),
    p.int64s("one", 1),
    p.int64s("two", 1, 2),
    p.int64s("five", 1, 1, 2, 3, 0),
    p.int64s("opens", -1, -1),
    p.int64s("minus", -3),
    p.int64s("none", 0),
    p.int64s("far", 0, 9),
    p.int64s("twice", 1, 1),
    p.int64s("many", 1, 1, 1, 1, 1),
    p.int64s("three", 1, 2, 3),
    p.floats("half", 0.5),
    p.scalar("zero", 0),
)
A, I, T = p.ints, p.integer, p.text  # noqa: E741


def n(op: str, inputs: str, *attributes: bytes, outputs: str = "y", domain: str = "") -> bytes:
    found = p.node(op, inputs, outputs.split()[0], *attributes).replace(b"\x0a\x01-", b"\x0a\x00")
    found += b"".join(p.field(2, name) for name in outputs.split()[1:])
    return found + (p.field(7, domain) if domain else b"")


MICROSOFT = "com.microsoft"
STEP = [  # node, opset, message
    (n("Reshape", "x"), 17, "it has no shape to reshape to"),
    (n("Reshape", "x five"), 17, "shape 1×1×2×3×0 keeps an axis that 2×6×9×10 does not have"),
    (n("Reshape", "x opens"), 17, "shape -1×-1 leaves more than one extent open"),
    (n("Reshape", "x half"), 17, "'half' holds no integers"),
    (n("Flatten", "x", I("axis", 7)), 17, "axis 7 is none of the 4 axes"),
    (n("Squeeze", "x one"), 17, "axes 1 of 2×6×9×10 are not all 1"),
    (n("Unsqueeze", "x twice"), 17, "axes 1×1 name one axis twice"),
    (n("Unsqueeze", "deep three"), 17, "its output would have 33 axes; at most 32 are read"),
    (n("Transpose", "x", A("perm", 0, 1)), 17, "perm 0×1 is no order of 4 axes"),
    (n("Transpose", "x", T("perm", "no")), 17, "attribute perm is no list of integers"),
    (n("Concat", ""), 17, "there is nothing to join"),
    (n("Concat", "x w", I("axis", 0)), 17, "2×6×9×10 and 4×6×3×3 cannot be joined along axis 0"),
    (n("Split", "x two", outputs="y z"), 17, "2 values cannot be split into 1×2"),
    (n("Tile", "x two"), 17, "1×2 repeats do not fit 2×6×9×10"),
    (n("Pad", "x two"), 17, "2 pads do not fit 4 axes"),
    (n("Resize", "x - - two"), 17, "2 sizes do not fit 4 axes"),
    (n("Resize", "x - half"), 17, "1 scales do not fit 4 axes"),
    (n("Resize", "x - x"), 17, "its size depends on scales which the file does not hold"),
    (
        n("Resize", "x - - two", T("keep_aspect_ratio_policy", "not_larger")),
        18,
        "2 sizes do not fit 2×6×9×10",
    ),
    (n("DepthToSpace", "x"), 17, "it has no blocksize"),
    (n("CenterCropPad", "x one"), 18, "1 sizes do not fit 4 axes"),
    (n("MatMul", "x matrix"), 17, "2×6×9×10 and 5×7 cannot be multiplied"),
    (n("Gemm", "x matrix"), 17, "2×6×9×10 and 5×7 are not both matrices"),
    (n("Gemm", "matrix tall"), 17, "5×7 and 10×4 cannot be multiplied"),
    (n("Einsum", "x", T("equation", "ab,bc->ac")), 17, "its equation has 2 terms for 1 inputs"),
    (n("Einsum", "x", T("equation", "ab->a")), 17, "term 'ab' does not fit 2×6×9×10"),
    (n("Einsum", "x", T("equation", "abcd->e")), 17, 
     "the result of equation 'e' has axes which no term has"),
    (n("LSTM", "sound wi wh"), 17, "weight 1×20×9 does not fit an input of 2 values a step"),
    (n("LSTM", "matrix wi wh"), 17, "input 1 is 5×7, it needs 3 axes"),
    (n("Attention", "sound sound sound"), 23, "it has no q_num_heads and kv_num_heads"),
    (n("STFT", "sound one - two"), 17, "input 4 is no length"),
    (n("STFT", "sound one - far1"), 17, "a frame of 9 values does not fit a signal of 3"),
    (n("Constant", ""), 17, "it holds no value that is known"),
    (n("Gather", "three far"), 17, "an index lies outside of the 3 values"),
    (n("GatherND", "x ids"), 17, "indices of 9 numbers do not fit 2×6×9×10"),
    (n("Slice", "x"), 17, "it has no starts and ends"),
    (n("Slice", "x one two"), 17, "starts 1, ends 1×2 and axes 0 do not fit"),
    (n("Range", "zero x one"), 17, "its length depends on values which the file does not hold"),
    (n("Range", "zero zero none"), 17, "there is no range from 0 to 0 by 0"),
    (n("ConstantOfShape", "minus"), 17, "-3 is no shape"),
    (n("ConstantOfShape", "one", I("value", 1)), 17, "attribute value is no tensor"),
    (n("OneHot", "ids x vector"), 17, "its depth depends on values which the file does not hold"),
    (n("TopK", "x eleven"), 17, "it takes 11 of 10 values"),
    (n("Compress", "x x"), 17, "how many values are kept depends on the data"),
    (n("Unique", "x"), 17, "how many different values there are depends on the data"),
    (n("Conv", "x matrix"), 17, "input 2 is 5×7, it needs 3 axes"),
    (n("Conv", "x w", A("kernel_shape", 5, 5)), 17, "kernel_shape is 5×5, its weight's 3×3"),
    (n("MaxPool", "x"), 17, "it has no kernel_shape"),
    (n("MaxPool", "x", A("kernel_shape", 2)), 17, "a window over 1 axes does not fit an input with 2"),
    (n("MaxPool", "x", A("kernel_shape", 2, 2), I("auto_pad", 1)), 17, "attribute auto_pad is no text"),
    (n("ConvTranspose", "x w"), 17, "weight 4×6×3×3 does not fit an input of 6 channels"),
    (n("ConvTranspose", "x v3"), 17, "a window over 1 axes does not fit 2×6×9×10"),
    (n("MaxUnpool", "x x", A("kernel_shape", 2)), 17, "a window over 1 axes does not fit 2×6×9×10"),
    (n("Col2Im", "sound two two"), 18, "3 rows are no multiple of a block of 1×2"),
    (n("Col2Im", "sound two none"), 18, "3 rows are no multiple of a block of 0"),
    (n("SplitToSequence", "x two"), 17, "2 values cannot be split into 2 parts"),
    (n("Add", ""), 17, "it has no input 1"),
    (n("Add", "x -"), 17, "it has no input 2"),
    (n("Add", "x matrix"), 17, "2×6×9×10 and 5×7 do not broadcast"),
    (n("Cast", "x", I("to", 99)), 17, "it casts to no type that is known (number 99)"),
    (n("Identity", ""), 17, "it has no input 1"),
    (n("Softmax", "x", T("axis", "no")), 17, "attribute axis is no integer"),
    (n("Clip", "x", T("min", "no")), 6, "attribute min is no number"),
    (n("Gemm", "matrix matrix", I("transB", 1), outputs="y z"), 17, "it has 2 outputs, the operator 1"),
    (n("SequenceAt", "x one"), 17, "input 1 is no sequence"),
    (n("MatMulNBits", "x w", I("K", 3), I("N", 4), domain=MICROSOFT), 17,
     "a matrix 3×4 does not fit an input of 10 values"),
    (n("Attention", "sound matrix", A("qkv_hidden_sizes", 1, 2, 3), domain=MICROSOFT), 17,
     "widths 1×2×3 do not fit its weight 5×7"),
    (n("MultiHeadAttention", "sound sound sound", domain=MICROSOFT), 17, "it has no num_heads"),
    (n("FusedConv", "x w", T("activation", "Wavy"), domain=MICROSOFT), 17,
     "its activation Wavy is not known"),
    (n("If", "yes"), 17, "it lacks a branch"),
    (n("If", "x"), 17, "which branch runs depends on 'x', which is not in the file"),
]  # fmt: skip
MORE = (
    p.int64s("far1", 9),
    p.int64s("eleven", 11),
    p.tensor("v3", (6, 2, 3)),
    p.tensor("yes", (), 9, raw=b"\1"),
)


def refusal(folder: Path, data: bytes) -> ArchError:
    path = folder / "m.onnx"
    path.write_bytes(data)
    with pytest.raises(ArchError) as error:
        read(str(path), {}, {})
    return error.value


@pytest.mark.parametrize("number", range(len(STEP)))
def test_a_node_that_is_wrong(number: int, tmp_path: Path) -> None:
    node, opset, message = STEP[number]
    data = p.model([node], [p.value("x", *X)], tensors=HELD + MORE, opset=opset)
    told = str(refusal(tmp_path, data))
    assert told.startswith("m.onnx: node 'y' (") and told.endswith(f"): {message}")


def test_a_list_is_no_tensor(tmp_path: Path) -> None:
    nodes = [p.node("SequenceConstruct", "x", "s"), p.node("Relu", "s", "y")]
    told = str(refusal(tmp_path, p.model(nodes)))
    assert told == "m.onnx: node 'y' (Relu): input 1 is a sequence, not a tensor"


def test_a_list_comes_out(tmp_path: Path) -> None:
    told = str(refusal(tmp_path, p.model([p.node("SequenceConstruct", "x", "y")])))
    assert told == "m.onnx: output 'y' is a list of tensors, which cannot be counted"


def test_a_loop_says_why_and_unknown_operators_are_listed_together() -> None:
    folder = Path(__file__).parents[2] / "data" / "onnx"
    for name, message in {
        "loop": "loop.onnx: node 'unroll/Loop' (Loop): how often its body runs is not in the file, "
        "so a loop cannot be counted",
        "strangers": "strangers.onnx: node 'warp' (com.example.Warp) is no operation that is known; "
        "strangers.onnx: node 'weft' (com.example.Weft) is no operation that is known",
        "outside": "outside.onnx: tensor 'w' lies in '../../secret.bin', "
        "outside of the model's own folder",
    }.items():
        with pytest.raises(ArchError) as error:
            read(str(folder / f"{name}.onnx"), {}, {})
        assert str(error.value) == message


def test_an_undecided_branch_has_a_way_out(tmp_path: Path) -> None:
    error = refusal(tmp_path, p.model([p.node("If", "x", "y")]))
    assert error.diagnostics[0].help == (
        "where an input of one integer decides, give its value: --dim NAME=16000"
    )


@pytest.mark.parametrize(
    ("tensor", "message"),
    [
        (p.tensor("", (2,)), "m.onnx: a stored tensor has no name"),
        (
            p.tensor("w", (9,)) + p.field(4, bytes(8)),
            "m.onnx: tensor 'w' needs 9 values, the file holds 2",
        ),
        (
            p.field(1, 2) + p.field(2, 1) + p.field(8, "w") + p.field(4, bytes(9)),
            "m.onnx: node 'y' (Expand): the 9 bytes at byte … are no whole number of values",
        ),
    ],
)
def test_tensors_that_are_wrong(tensor: bytes, message: str, tmp_path: Path) -> None:
    told = str(refusal(tmp_path, p.model([p.node("Expand", "x w", "y")], tensors=(tensor,))))
    before, _, after = message.partition("…")
    assert told.startswith(before) and told.endswith(after)


def test_a_body_that_makes_nothing(tmp_path: Path) -> None:
    branch = p.field(1, "then_branch") + p.field(6, p.graph([], [], "z")) + p.field(20, 5)
    held = (p.tensor("yes", (), 9, raw=b"\1"),)
    told = str(refusal(tmp_path, p.model([p.node("If", "yes", "y", branch)], tensors=held)))
    assert told == "m.onnx: node 'y' (If): its body makes no 'z'"


def test_more_fields_than_any_model_has(tmp_path: Path) -> None:
    many = 3_000_001
    dims = p.field(1, bytes(many)) + p.field(2, 1)
    values = p.field(1, "v") + p.field(7, bytes(4 * many))
    floats = p.node("Relu", "x", "y", values + p.field(20, 6))
    for data in (b"\x08\x01" * many, p.model([], tensors=(dims,)), p.model([floats])):
        told = str(refusal(tmp_path, data))
        assert told.endswith(
            "the file has more than 3,000,000 fields and numbers, which no model needs; "
            "it is not read on"
        )


def test_a_name_without_an_end_takes_no_memory(tmp_path: Path) -> None:
    node = p.node("Relu", "x", "y") + p.field(3, "n" * 10_000_000)
    told = str(refusal(tmp_path, p.model([node], [p.value("z", 1)])))
    assert told.startswith("m.onnx: node 'nnn") and len(told) < 300
