"""Values of ONNX files by hand: numbers in Constant nodes, padding with edges, sizes by scales."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support import protobuf as p

import archcalc
from archcalc.errors import ArchError
from archcalc.execution.forward import Forward
from archcalc.reports.start import Start


def floats(name: str, dims: tuple[int, ...], *values: float) -> bytes:
    return p.tensor(name, dims, raw=struct.pack(f"<{len(values)}f", *values))


def integers(name: str, *values: int) -> bytes:
    return p.tensor(name, (len(values),), 7, raw=struct.pack(f"<{len(values)}q", *values))


def constant(output: str, tensor: bytes) -> bytes:
    """A Constant node: attribute `value` of type 4, a tensor."""
    return p.node("Constant", "", output, p.field(1, "value") + p.field(5, tensor) + p.field(20, 4))


def computed(path: Path, x: Any) -> Any:
    network = archcalc.load(path)
    weights, _ = Start().of(network, 1)
    return Forward(network.graph, weights).run(np.array(x, np.float32))["output"]


def test_numbers_of_constant_nodes(tmp_path: Path) -> None:
    """(5 · 3 + 0.5, 7 · 3 + 0.5), the factor stored, the summand in a node."""
    path = tmp_path / "net.onnx"
    nodes = [
        p.node("Conv", "x w", "a"),
        constant("half", floats("", (1,), 0.5)),
        p.node("Add", "a half", "y"),
    ]
    stored = (floats("w", (1, 1, 1, 1), 3.0),)
    path.write_bytes(p.model(nodes, [p.value("x", 1, 1, 1, 2)], tensors=stored))
    assert computed(path, [[[[5.0], [7.0]]]]).ravel().tolist() == [15.5, 21.5]


def test_the_odd_pixel_of_same_padding(tmp_path: Path) -> None:
    """Four values, a window of 2, stride 1: UPPER pads behind the last; LOWER, before, is refused."""

    def sums(auto: str) -> Any:
        path = tmp_path / "net.onnx"
        nodes = [p.node("Conv", "x w", "y", p.text("auto_pad", auto))]
        stored = (floats("w", (1, 1, 1, 2), 1.0, 1.0),)
        path.write_bytes(p.model(nodes, [p.value("x", 1, 1, 1, 4)], tensors=stored))
        return computed(path, [[[[1.0], [2.0], [3.0], [4.0]]]]).ravel().tolist()

    assert sums("SAME_UPPER") == [1 + 2, 2 + 3, 3 + 4, 4]
    assert sums("VALID") == [1 + 2, 2 + 3, 3 + 4]
    with pytest.raises(ArchError):
        sums("SAME_LOWER")


@pytest.mark.parametrize(
    ("mode", "row"),
    [
        ("edge", [1, 1, 1, 2, 3, 3]),
        ("reflect", [3, 2, 1, 2, 3, 2]),
        ("constant", [0, 0, 1, 2, 3, 0]),
    ],
)
def test_padding(mode: str, row: list[int], tmp_path: Path) -> None:
    """Two places before 1, 2, 3, and one behind."""
    path = tmp_path / "net.onnx"
    how = p.field(1, "mode") + p.field(4, mode) + p.field(20, 3)
    nodes = [p.node("Conv", "x w", "a"), p.node("Pad", "a pads", "y", how)]
    stored = (floats("w", (1, 1, 1, 1), 1.0), integers("pads", 0, 0, 0, 2, 0, 0, 0, 1))
    path.write_bytes(p.model(nodes, [p.value("x", 1, 1, 1, 3)], tensors=stored))
    assert computed(path, [[[[1.0], [2.0], [3.0]]]]).ravel().tolist() == row


@pytest.mark.parametrize(("mode", "what"), [("wrap", "it pads with values other than zero")])
def test_other_padding_is_refused(mode: str, what: str, tmp_path: Path) -> None:
    path = tmp_path / "net.onnx"
    how = p.field(1, "mode") + p.field(4, mode) + p.field(20, 3)
    stored = (integers("pads", 0, 0, 0, 2, 0, 0, 0, 1),)
    nodes = [p.node("Relu", "x", "a"), p.node("Pad", "a pads", "y", how)]
    path.write_bytes(p.model(nodes, [p.value("x", 1, 1, 1, 3)], tensors=stored, opset=19))
    with pytest.raises(ArchError, match=what):
        archcalc.load(path)


@pytest.mark.parametrize(("scale", "fits"), [(2.0, True), (1.5, True), (1.3, False)])
def test_a_scale_that_is_not_that_of_the_sizes(scale: float, fits: bool, tmp_path: Path) -> None:
    """8 · 1.3 = 10.4: ten values, but at places 1/1.3 apart, not 8/10."""
    path = tmp_path / "net.onnx"
    how = p.field(1, "mode") + p.field(4, "linear") + p.field(20, 3)
    nodes = [p.node("Relu", "x", "a"), p.node("Resize", "a none scales", "y", how)]
    stored = (floats("none", (0,)), floats("scales", (4,), 1, 1, 1, scale))
    path.write_bytes(p.model(nodes, [p.value("x", 1, 1, 1, 8)], tensors=stored))
    if fits:
        assert archcalc.load(path).graph.nodes[-1].shape == (1, int(8 * scale), 1)
        return
    with pytest.raises(ArchError, match="its scale factors do not match its sizes"):
        archcalc.load(path)
