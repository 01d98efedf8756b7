"""Small ONNX files counted: every expected number is the arithmetic that stands beside it."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
from support import protobuf as p

from archcalc.interop.batch import per_image
from archcalc.interop.counts import Counts
from archcalc.interop.load import read
from archcalc.interop.modules import gather
from archcalc.interop.prune import prune
from archcalc.interop.tally import Tally, tally
from archcalc.interop.trace import Trace

FOLDER = Path(__file__).parents[2] / "data" / "onnx"
STRIPPED = "the file holds shapes of weights, not their values"


def traced(name: str, inputs: dict[str, tuple[int, ...]] | None = None, **dims: int) -> Trace:
    return read(str(FOLDER / f"{name}.onnx"), inputs or {}, dims)


def counted(name: str, inputs: dict[str, tuple[int, ...]] | None = None, **dims: int) -> Tally:
    trace = traced(name, inputs, **dims)
    return tally(trace, prune(trace), allow_unknown=True)


def uses(found: Tally) -> dict[str, str]:
    return {use.weight.name: use.role for row in found.rows for use in row.uses if use.role}


def test_a_classifier_with_modules_and_roles() -> None:
    trace, found = traced("classifier", batch=3), counted("classifier", batch=3)
    conv, batch = 16 * 16 * 8 * 3 * 3 * 3, 3
    assert found.counts.products == batch * (conv + 10 * 8)
    assert found.counts.multiplies == batch * (8 * 16 * 16 + 8)  # the norm, the mean's factor
    assert found.counts.comparisons == batch * (8 * 16 * 16 + 8 * 8 * 8 * 3)  # relu, 2×2 windows
    assert found.parameters == 8 * 3 * 3 * 3 + 2 * 8 + 10 * 8 + 10
    assert found.parameters_of_the_file == found.parameters + 4 * 4
    roles = {"conv1.weight": "weight", "s": "scale", "b": "shift", "m": "mean", "v": "variance"}
    assert uses(found) == {**roles, "fc.weight": "weight", "fc.bias": "bias"}
    kinds = {w.name: w.kind for w in trace.weights}
    assert (kinds["s"], kinds["m"], kinds["spare.weight"]) == ("parameter", "buffer", "parameter")
    assert trace.source == "ONNX opset 17, pytorch"
    modules = [row.operation.module for row in found.rows]
    assert modules == ["conv1", "layer1.0.bn1", "layer1.0.relu", "pool", "gap", "", "fc"]
    assert found.rows[0].operation.place == "node '/conv1/Conv' (Conv)"
    assert [g.name for g in gather(found.rows, trace.modules, 1)] == [
        "conv1", "layer1", "pool", "gap", "view", "fc",
    ]  # fmt: skip


def test_attention_whose_heads_are_split_by_computed_shapes() -> None:
    n, length, width = 2, 7, 64
    found = counted("attention", batch=n, length=length)
    projections, scores = 4 * n * length * width * width, n * length * length * width
    assert found.counts.products == projections + 2 * scores
    assert found.parameters == 4 * width * width + width
    words = [row.operation.word for row in found.rows]
    assert (words.count("linear"), words.count("matmul")) == (4, 2)
    assert "cat" not in words  # of sizes: arithmetic of shapes is no work
    assert (
        traced("attention", {"x": (2, 7, 64)}).operations
        == traced("attention", batch=2, length=7).operations
    )


def test_an_lstm_in_both_directions_keeps_what_its_first_state_needs() -> None:
    found, steps, hidden = counted("recurrent"), 20, 16
    gates, conv = 4 * hidden, steps * 16 * 5 * 3
    assert found.counts.products == conv + steps * 2 * gates * (16 + hidden)
    assert found.parameters == 16 * 5 * 3 + 16 + 2 * (gates * (16 + hidden) + 2 * gates)
    assert "mean" in [row.operation.word for row in found.rows]


def test_quantized_layers_are_the_layers_they_are() -> None:
    found = counted("quantized")
    first, second = 10 * 10 * 4 * 3 * 9, 8 * 8 * 4 * 4 * 9
    assert found.counts.products == first + second + 4 * 7
    assert found.parameters == (4 * 3 * 9 + 4) + (4 * 4 * 9 + 4) + 4 * 7
    assert [row.operation.word for row in found.rows if row.counts.products] == [
        "conv",
        "conv",
        "linear",
    ]


def test_a_function_is_entered_at_each_call_with_its_attributes() -> None:
    found = counted("function")
    assert found.counts.products == 10 * 6 * 2 * 3 + 8 * 6 * 6 * 3  # 21 → 10 by stride 2, → 8 by 1
    assert found.counts.additions == 10 * 6 * (2 * 3 - 1 + 1) + 8 * 6 * (6 * 3 - 1)  # one has a bias
    places = [row.operation.place for row in found.rows]
    assert places[2] == "node 'c' (Conv) in node 'two' (com.example.Block)"


@pytest.mark.parametrize(("rate", "width"), [(16000, 5), (8000, 3)])
def test_an_input_of_one_integer_decides_a_branch(rate: int, width: int) -> None:
    found = counted("branches", rate=rate)
    assert found.counts.products == 12 * width
    assert found.parameters == 12 * width


def test_weights_listed_as_inputs_are_no_inputs() -> None:
    trace, found = traced("listed"), counted("listed")
    assert trace.inputs == ("x",)
    assert found.counts.products == 7 * 7 * 4 * 3 * 2 * 2
    assert found.parameters == 4 * 3 * 2 * 2 + 4 + 4


def test_weights_that_nodes_make() -> None:
    found = counted("filled")
    assert found.counts.products == 4 * 4 * (2 * 3 + 2 * 2)
    assert found.parameters == 2 * 3 + 2 * 2 + 2


def test_what_torch_merged_and_computed() -> None:
    trace, found = traced("merged"), counted("merged")
    assert found.parameters == 2 * (6 * 6 + 6) + 6  # both biases, the token; not the table of positions
    assert trace.notes == (
        "the exporter computed tables of positions or masks beforehand (1, 24 numbers): "
        "they are no parameters here",
        STRIPPED,
    )


def test_a_tied_head_counts_once_and_multiplies() -> None:
    found = counted("tied")
    assert found.counts.products == 7 * 50 * 8
    assert found.parameters == 50 * 8 + 7 * 8 + 2 * 8
    assert uses(found)["table"] == "weight"


@pytest.mark.parametrize(("head", "parameters"), [(0, 5 * 3), (1, 2 * 5 * 3)])
def test_a_tied_head_that_was_written_again_transposed(
    head: int, parameters: int, tmp_path: Path
) -> None:
    """A copy of the table counts once; another matrix of the same size is one of its own."""
    rows = [[10 * i + j for j in range(3)] for i in range(5)]
    table = struct.pack("<15f", *[value for row in rows for value in row])
    turned = struct.pack("<15f", *[rows[i][j] + head for j in range(3) for i in range(5)])
    held = (p.tensor("table", (5, 3), raw=table), p.tensor("onnx::MatMul_9", (3, 5), raw=turned))
    nodes = [p.node("Gather", "table ids", "e"), p.node("MatMul", "e onnx::MatMul_9", "y")]
    path = tmp_path / "m.onnx"
    path.write_bytes(p.model(nodes, [p.value("ids", 1, 4, dtype=7)], tensors=held))
    trace = read(str(path), {}, {})
    found = tally(trace, prune(trace))
    assert found.parameters == parameters
    assert found.counts.products == 4 * 3 * 5
    note = "the exporter wrote a tied table twice: onnx::MatMul_9 counts once"
    assert trace.notes == (() if head else (note,))


def test_counts_of_a_batch_are_those_of_one_image() -> None:
    trace = per_image(traced("classifier", batch=3), prune(traced("classifier", batch=3)))
    assert tally(trace, prune(trace)).counts == counted("classifier", batch=1).counts


def test_a_volume_and_a_way_back() -> None:
    trace, found = traced("volume"), counted("volume")
    shape = {name: trace.tensors[name].shape for name in ("a", "p", "u", "u1", "z", "z1", "z2", "y")}
    assert shape == {
        "a": (1, 4, 5, 5, 5),
        "p": (1, 4, 3, 3, 3),  # ⌈(5 − 2) / 2⌉ + 1
        "u": (1, 6, 6, 6, 6),  # 2·(3 − 1) + 2
        "u1": (1, 3, 6, 6, 6),
        "z": (1, 3, 12, 12, 12),
        "z1": (1, 3, 12, 12, 11),
        "z2": (1, 3, 12, 12, 12),
        "y": (1, 3),
    }
    assert found.counts.products == 5**3 * 4 * 27 + 3**3 * 4 * 6 * 8
    assert found.parameters == 4 * 27 + 4 * 6 * 8 + 6


def test_an_operator_that_nobody_knows_is_never_counted_as_nothing() -> None:
    found = counted("recorded")
    assert [o.place for o in found.unknown] == ["node 'warp' (com.example.Warp)"]
    assert found.counts.products == 2 * 4 * 5


def test_modules_and_folded_norms_of_torchs_newer_exporter() -> None:
    trace, found = traced("exported"), counted("exported")
    assert trace.modules == {"": "Sequential", "0": "Block", **INNER}
    by_module = {row.operation.module: row.counts.products for row in found.rows if row.counts.products}
    assert by_module == {"0.conv": 6 * 6 * 6 * 3 * 9, "0.fc": 36 * 6 * 4}
    assert found.parameters == (6 * 3 * 9 + 6) + 2 * 6 + (6 * 4 + 4)  # the norm left its bias
    assert trace.notes == ("the exporter folded batch norms into 1 convolution", STRIPPED)


INNER = {"0.conv": "Conv2d", "0.norm": "LayerNorm", "0.fc": "Linear", "1": "GELU"}


def test_the_census_of_one_matrix_product() -> None:
    found = counted("branches", rate=1)
    assert found.counts == Counts(products=12 * 3, additions=11 * 3)


@pytest.mark.parametrize(
    ("scale", "shift", "own"),
    [
        ("val_1", "val_2", 0),
        ("/n/Constant_1_output_0", "/n/Constant_2_output_0", 0),
        ("n.weight", "n.bias", 4 + 4),
    ],
)
def test_a_norm_of_groups_as_exporters_write_it(
    scale: str, shift: str, own: int, tmp_path: Path
) -> None:
    """The norm's own scale and shift are ones and zeros: only what has a name is learned."""
    nodes = [
        p.node("InstanceNormalization", f"x {scale} {shift}", "y"),
        p.node("Mul", "y group.weight", "z"),
        p.node("Add", "z group.bias", "out"),
    ]
    ones, zeros = struct.pack("<4f", *[1.0] * 4), bytes(16)
    held = (
        p.tensor(scale, (4,), raw=ones),
        p.tensor(shift, (4,), raw=zeros),
        p.tensor("group.weight", (1, 4, 1), raw=ones),
        p.tensor("group.bias", (1, 4, 1), raw=zeros),
    )
    path = tmp_path / "m.onnx"
    path.write_bytes(p.model(nodes, [p.value("x", 1, 4, 6)], "out", held))
    trace = read(str(path), {}, {})
    found = tally(trace, prune(trace))
    assert found.parameters == 4 + 4 + own
