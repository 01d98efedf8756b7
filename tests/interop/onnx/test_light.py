"""Weights are left where they lie: a file of any size is read in little memory, without frameworks."""

from __future__ import annotations

import struct
import subprocess
import sys
from pathlib import Path

import pytest
from support import protobuf as p

from archcalc.errors import ArchError
from archcalc.interop.load import read
from archcalc.interop.prune import prune

ROWS, COLUMNS = 40_000, 5_000
BYTES = ROWS * COLUMNS * 4  # 800 MB

READER = """
import sys
from archcalc.interop.load import read
from archcalc.interop.prune import prune
from archcalc.interop.tally import tally
trace = read(sys.argv[1], {}, {})
found = tally(trace, prune(trace))
heavy = [name for name in ("numpy", "numba", "onnx", "torch", "google") if name in sys.modules]
resident = open("/proc/self/status").read().partition("VmHWM:")[2].split()[0]
print(found.parameters, found.counts.products, resident, heavy)
"""


def big(path: Path) -> None:
    """A linear layer of 800 MB, whose weights are a hole in the file."""
    head = p.tensor("w", (ROWS, COLUMNS)) + p.varint(9 << 3 | 2) + p.varint(BYTES)
    node = p.field(1, p.node("Gemm", "x w", "y", p.field(1, "transB") + p.field(3, 1) + p.field(20, 2)))
    ends = p.field(11, p.value("x", 1, COLUMNS)) + p.field(12, p.field(1, "y"))
    before = node + p.varint(5 << 3 | 2) + p.varint(len(head) + BYTES) + head
    graph = p.varint(7 << 3 | 2) + p.varint(len(before) + BYTES + len(ends))
    with path.open("wb") as file:
        file.write(graph + before)
        file.seek(BYTES, 1)
        file.write(ends + p.field(8, p.field(2, 17)))


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is read off /proc")
def test_800_megabytes_of_weights_take_no_memory(tmp_path: Path) -> None:
    path = tmp_path / "big.onnx"
    big(path)
    told = subprocess.run(
        [sys.executable, "-c", READER, str(path)], capture_output=True, text=True, check=True
    ).stdout
    parameters, products, kilobytes, heavy = told.split(maxsplit=3)
    assert int(parameters) == int(products) == ROWS * COLUMNS
    assert int(kilobytes) < 80_000
    assert heavy.strip() == "[]"


def test_a_file_that_is_cut_within_its_weights(tmp_path: Path) -> None:
    path = tmp_path / "big.onnx"
    big(path)
    with path.open("r+b") as file:
        file.truncate(BYTES // 2)
    with pytest.raises(ArchError) as error:
        read(str(path), {}, {})
    assert str(error.value).startswith(
        "big.onnx: this is no ONNX model, or its end is missing: a field at"
    )


def test_weights_made_of_weights_without_an_end(tmp_path: Path) -> None:
    """Each sum is made of all weights before: lists of them would fill the memory."""
    count = 6000
    nodes = [p.node("Add", f"v{i} w{i}", f"v{i + 1}") for i in range(count)]
    nodes.append(p.node("Add", f"x v{count}", "y"))
    held = (*(p.tensor(f"w{i}", (4,)) for i in range(count)), p.tensor("v0", (4,)))
    path = tmp_path / "m.onnx"
    path.write_bytes(p.model(nodes, [p.value("x", 1, 4)], tensors=held))
    with pytest.raises(ArchError) as error:
        prune(read(str(path), {}, {}))
    assert str(error.value).endswith("(Add) is made of more weights than can be followed")


def test_values_of_small_constants_in_each_way_they_are_written(tmp_path: Path) -> None:
    """Raw bytes, packed and unpacked numbers: each says that 1×3×8×8 becomes 3×64."""
    head = p.field(1, 2) + p.field(2, 7) + p.field(8, "s")
    ways = [
        head + p.field(9, struct.pack("<2q", 3, -1)),
        head + p.field(7, p.varint(3) + p.varint(-1)),
        head + p.field(7, 3) + p.field(7, -1),
    ]
    for way in ways:
        path = tmp_path / "m.onnx"
        path.write_bytes(p.model([p.node("Reshape", "x s", "y")], tensors=(way,)))
        assert read(str(path), {}, {}).tensors["y"].shape == (3, 64)
