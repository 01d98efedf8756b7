"""Recurrent layers of ONNX that work otherwise than torch's are refused with the reason."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
from support import protobuf as p

import archcalc
from archcalc.lowered import lower

STATE = p.tensor("state", (1, 1, 4), raw=struct.pack("<4f", 0.0, 0.0, 1.0, 0.0))
ZEROS = p.tensor("state", (1, 1, 4), raw=struct.pack("<4f", 0.0, 0.0, 0.0, 0.0))
LENGTHS = p.tensor("lengths", (1,), 6, raw=struct.pack("<i", 5))


def optional(lengths: str = "", state: str = "", cells: str = "", peepholes: str = "") -> bytes:
    """The node's inputs from the fourth on; those left out are empty."""
    return b"".join(p.field(1, name) for name in ("", lengths, state, cells, peepholes))


OTHER = [
    (optional(state="state"), (), "its initial state is stored, and may not be zero"),
    (optional(cells="state"), (), "its initial state is stored, and may not be zero"),
    (optional(lengths="lengths"), (), "its sequences differ in length"),
    (optional(peepholes="P"), (), "its gates read the memory cells"),
    (b"", (p.text("direction", "reverse"),), "it runs backward only"),
    (b"", (p.real("clip", 3.0),), "it clips the inputs of its gates"),
    (b"", (p.integer("input_forget", 1),), "its gates are coupled"),
]


def lstm(path: Path, names: bytes, *attributes: bytes) -> Path:
    """An LSTM of 4 units over 7 steps of 6 channels."""
    head = b"".join(p.field(1, name) for name in ("x", "W", "R"))
    node = p.node("LSTM", "x W R", "y", p.integer("hidden_size", 4), *attributes)
    stored = (
        p.tensor("W", (1, 16, 6), raw=bytes(384)),
        p.tensor("R", (1, 16, 4), raw=bytes(256)),
        p.tensor("P", (1, 12), raw=bytes(48)),
        ZEROS if path.stem == "zeros" else STATE,
        LENGTHS,
    )
    nodes = [node.replace(head, head + names)]
    path.write_bytes(p.model(nodes, [p.value("x", 7, 1, 6)], tensors=stored))
    return path


@pytest.mark.parametrize(("names", "attributes", "told"), OTHER)
def test_another_way_is_refused(
    names: bytes, attributes: tuple[bytes, ...], told: str, tmp_path: Path
) -> None:
    path = lstm(tmp_path / "net.onnx", names, *attributes)
    with pytest.raises(archcalc.ArchError, match=told):
        lower(archcalc.load_model(path))


def test_a_state_of_zeros_is_the_usual_one(tmp_path: Path) -> None:
    path = lstm(tmp_path / "zeros.onnx", optional(state="state", cells="state"))
    assert lower(archcalc.load_model(path)).graph.nodes[-1].shape == (7, 4)


@pytest.mark.parametrize("value", [0.0, 0.5])
def test_a_large_state_of_one_number(value: float, tmp_path: Path) -> None:
    """100 units: as an exporter spreads zeros over the batch, too many numbers to be followed."""
    drawn = p.tensor("state", (1, 1, 100), raw=struct.pack("<100f", *[value] * 100))
    sizes = p.tensor("sizes", (3,), 7, raw=struct.pack("<3q", 1, 1, 100))
    stored = (
        p.tensor("W", (1, 400, 6), raw=bytes(9600)),
        p.tensor("R", (1, 400, 100), raw=bytes(160000)),
    )
    head = b"".join(p.field(1, name) for name in ("x", "W", "R"))
    node = p.node("LSTM", "x W R", "y", p.integer("hidden_size", 100))
    nodes = [
        p.node("Expand", "state sizes", "spread"),
        node.replace(head, head + optional(state="spread", cells="spread")),
    ]
    path = tmp_path / "net.onnx"
    path.write_bytes(p.model(nodes, [p.value("x", 7, 1, 6)], tensors=(*stored, drawn, sizes)))
    if value:
        with pytest.raises(archcalc.ArchError, match="its initial state is stored, and may not be zero"):
            lower(archcalc.load_model(path))
    else:
        assert lower(archcalc.load_model(path)).graph.nodes[-1].shape == (7, 100)
