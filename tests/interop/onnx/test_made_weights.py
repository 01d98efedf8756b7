"""Layers whose weights are made of more learned numbers than they have."""

from __future__ import annotations

from pathlib import Path

import pytest
from support import protobuf as p

import archcalc
from archcalc.lowered import lower


def test_a_weight_with_a_gain(tmp_path: Path) -> None:
    """4 filters of 3 values, each times a gain: 12 weights of 12 + 4 numbers."""
    path = tmp_path / "net.onnx"
    nodes = [p.node("Mul", "w g", "made"), p.node("Conv", "x made", "y")]
    drawn = b"".join(bytes((n, 0, 128, 63)) for n in range(12))  # a little more than 1
    stored = (
        p.tensor("w", (4, 3, 1, 1), raw=drawn),
        p.tensor("g", (4, 1, 1, 1), raw=drawn[:16]),
    )
    path.write_bytes(p.model(nodes, tensors=stored))
    with pytest.raises(archcalc.ArchError, match="its 12 weights are made of 16 learned numbers"):
        lower(archcalc.load_model(path))
