"""Exported ONNX files: read again they count the same, hold every shape and the weights of a run.

tests/differential/exported_onnx.py holds them against onnxruntime: on 2026-11-29, with onnxruntime
1.32.0 and onnx's checker, the values of all lines here differed by 9e-07 at most, those of the 129
smallest networks by 3e-06; those of resnet1202 are infinite with the weights drawn there.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from support.export_lines import LINES

from archcalc import load, load_model
from archcalc.cli import commands
from archcalc.errors import ArchError, UsageError
from archcalc.execution.weights import make
from archcalc.export.onnx.draft import Draft
from archcalc.export.onnx.protobuf import attribute, varint
from archcalc.export.onnx.writing import NODES, drafted, write
from archcalc.imported import Model

NETWORKS = (
    "lenet5",
    "mobilenet_v2",
    "shufflenet_v2_x0_5",
    "squeezenet",
    "efficientnet_b0",
    "espcn_x2",
    "crnn",
    "siamese",
    "densenet121",
    "googlenet",
)


def written(name: str, folder: Path) -> str:
    network, path = load(name), folder / "net.onnx"
    with path.open("wb") as file:
        write(drafted(network.graph), "net", file, make(network.graph))
    return str(path)


def counted(name: str, folder: Path) -> tuple[Model, tuple[int, int]]:
    counts = load(name).analyze()
    return load_model(written(name, folder)), (int(counts.parameters), int(counts.multiplies))


@pytest.mark.parametrize(("line", "size"), LINES)
def test_operators_count_the_same_read_again(line: str, size: str, tmp_path: Path) -> None:
    model, counts = counted(f"{size} | {line}", tmp_path)
    assert (model.parameters, model.multiplies) == counts
    (output,) = model.trace.outputs
    shape = [int(n) for n in load(f"{size} | {line}").graph.nodes[-1].shape]
    assert sorted(n for n in model.trace.tensors[output].shape if n > 1) == sorted(
        n for n in shape if n > 1
    )


@pytest.mark.parametrize("name", NETWORKS)
def test_networks_count_the_same_read_again(name: str, tmp_path: Path) -> None:
    model, counts = counted(name, tmp_path)
    assert (model.parameters, model.multiplies) == counts


@pytest.mark.parametrize("line", ["offset 8x9x4", "offset 4 fixed", "factor 1x9x1", "factor 1 fixed"])
def test_stored_tensors(line: str, tmp_path: Path) -> None:
    model, counts = counted(f"8x9x4 | conv 4 | {line}", tmp_path)
    assert (model.parameters, model.multiplies) == counts


def test_what_has_a_node() -> None:
    """Of what archcalc has, ONNX has no fixed patterns and no windows that a layer moves."""
    from archcalc.execution.reference import REFERENCE

    assert set(REFERENCE) - set(NODES) == {"rbf", "deformconv"}


def test_the_weights_are_those_of_a_run(tmp_path: Path) -> None:
    """A conv's kernel is turned: torch's outputs × inputs × rows × columns."""
    name = "4x5x3 | conv 2 k3"
    data = Path(written(name, tmp_path)).read_bytes()
    kernel = make(load(name).graph)["conv"]["weight"].transpose(3, 2, 0, 1)
    assert kernel.tobytes() in data


def test_numbers_are_written_as_protobuf_has_them() -> None:
    """300 = 0b10_0101100; −1 is 64 ones: nine groups of seven, and one more."""
    assert varint(300) == bytes([0b10101100, 0b10])
    assert varint(-1) == bytes([0xFF] * 9 + [1])
    assert attribute("a", 0.5).endswith(struct.pack("<f", 0.5) + bytes([20 << 3 & 127 | 128, 1, 1]))


REFUSED = [
    ("1x1x4 | rbf 3", "ONNX cannot express `rbf`", "rbf: ONNX has no such operator: rbf"),
    (
        "5x7x4 | adaptivepool 2",
        "ONNX cannot express `adaptivepool`",
        "adaptivepool: cells of different sizes: adaptivepool",
    ),
    ("8x9x11 | lrn 4", "ONNX cannot express `lrn`", "lrn: an even number of channels around one: lrn"),
    (
        "6x6x4 | avgpool 3 s2 p1 ceil",
        "ONNX cannot express `avgpool`",
        "avgpool: rounding up beyond padding that counts: avgpool",
    ),
    (
        "5x7x4 | deconv 6 k3 s2 d3 out=2",
        "ONNX cannot express `deconv`",
        "deconv: an `out` as large as the stride: deconv",
    ),
    (
        "7x12 | attention 3 relative=2",
        "ONNX cannot express `attention`",
        "attention: a learned bias by distance: attention",
    ),
    ("7x12 | lstm 7 proj=3", "ONNX cannot express `lstm`", "lstm: a projection of the state: lstm"),
    (
        "7x12 | rnn 7 act=relu | rnn 7 act=relu",
        "ONNX cannot express `rnn`",
        "rnn: an activation other than tanh: rnn and 1 more",
    ),
    ("7x12 | gru 7 biases=1", "ONNX cannot express `gru`", "gru: a single bias of a gate: gru"),
    (
        "9x1 | conv 1 | embedding 5 3",
        "ONNX cannot express `embedding`",
        "embedding: ids that a layer computes: embedding",
    ),
    (
        "lenet5_1998",
        "ONNX cannot express `conv`, `rbf`",
        "conv: a table of connections between channels: C3",
    ),
]


@pytest.mark.parametrize(("name", "message", "note"), REFUSED)
def test_what_onnx_cannot_say_is_refused_by_name(name: str, message: str, note: str) -> None:
    with pytest.raises(UsageError) as error:
        drafted(load(name).graph)
    diagnostic = error.value.diagnostics[0]
    assert (diagnostic.message, diagnostic.notes[0]) == (message, note)
    assert diagnostic.help == "a variant without these layers can be exported"


def test_weights_beyond_what_a_file_may_have() -> None:
    with pytest.raises(UsageError, match=r"the weights take 38.2 GiB, and an ONNX file may have 2 GiB"):
        drafted(load("llama3_8b").graph)


def invoke(*words: str) -> str:
    return CliRunner().invoke(commands, ["export", *words], catch_exceptions=False).output


def test_the_command_says_what_is_in_the_file(tmp_path: Path) -> None:
    path = tmp_path / "net.onnx"
    counts = load("lenet5").analyze()
    assert invoke("lenet5", "-o", str(path), "--seed", "3") == (
        f"{path}: LeNet-5 (modern)\n{counts.parameters:,} parameters, "
        f"{counts.multiplies:,} multiplies · he weights · seed 3\n"
    )
    assert load_model(str(path)).multiplies == counts.multiplies


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("lenet5", "vgg16", "-o", "a.onnx"), "export takes one SPEC"),
        (("lenet5", "-o", "a.txt"), "-o: `a.txt` is no name of a model"),
        (("lenet5", "-o", "no/such/folder.onnx"), "cannot write no/such/folder.onnx: No such file"),
    ],
)
def test_mistakes(words: tuple[str, ...], message: str) -> None:
    with pytest.raises(ArchError) as error:
        commands.main(["export", *words], standalone_mode=False)
    assert error.value.diagnostics[0].message.startswith(message)


def test_a_vector_joins_a_sequence(monkeypatch: pytest.MonkeyPatch) -> None:
    """onnxruntime refuses a Concat of tensors that have different numbers of axes."""
    ranks: list[set[int]] = []

    def noted(draft: Draft, kind: str, inputs: Sequence[str], *rest: Any, **options: Any) -> str:
        if kind in ("Add", "Concat"):
            ranks.append({len(draft.shapes[name]) for name in inputs if name in draft.shapes})
        return written_op(draft, kind, inputs, *rest, **options)

    written_op = Draft.op
    monkeypatch.setattr(Draft, "op", noted)
    drafted(load(str(Path(__file__).parents[1] / "data/weighted/tokens.pt2")).graph)
    assert len(ranks) > 1
    assert all(len(found) == 1 for found in ranks)
