"""Files are told apart by their content; what is refused says why and names a way out."""

from __future__ import annotations

import json
import pickle
import zipfile
from pathlib import Path

import pytest

from archcalc.errors import ArchError
from archcalc.interop.load import read

TWO_LINES = (
    "ep = torch.export.export(model.eval(), (torch.randn(1, 3, 224, 224),))",
    "torch.export.save(ep, 'model.pt2')",
)


def refused(path: Path) -> tuple[str, object]:
    """The message, and the lines that make a file or another way out."""
    with pytest.raises(ArchError) as error:
        read(str(path), {}, {})
    (diagnostic,) = error.value.diagnostics
    return diagnostic.message, diagnostic.notes or diagnostic.help


def zipped(path: Path, *names: str) -> Path:
    with zipfile.ZipFile(path, "w") as file:
        for name in names:
            file.writestr(name, b"x")
    return path


class Trap:
    def __reduce__(self) -> tuple[object, ...]:
        raise AssertionError("the pickle was opened")


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_a_pickle_is_never_opened(tmp_path: Path, protocol: int) -> None:
    path = tmp_path / "model.onnx"  # whatever it is called
    path.write_bytes(pickle.dumps({"weight": [1.0]}, protocol))
    message, lines = refused(path)
    assert message == (
        "model.onnx is a pickle, as torch.save writes it: it holds no graph, and opening it could run "
        "anything"
    )
    assert lines == TWO_LINES


def test_what_torch_saves_today_is_a_zip_with_a_pickle(tmp_path: Path) -> None:
    message, lines = refused(zipped(tmp_path / "m.pth", "m/data.pkl", "m/data/0", "m/version"))
    assert message.startswith("m.pth is a pickle, as torch.save writes it:")
    assert lines == TWO_LINES


def test_torchscript(tmp_path: Path) -> None:
    names = "m/data.pkl", "m/code/__torch__.py", "m/constants.pkl"
    message, lines = refused(zipped(tmp_path / "m.pt", *names))
    assert message == "m.pt is TorchScript: its graph is code, and opening it could run anything"
    assert lines == TWO_LINES


def test_an_empty_file(tmp_path: Path) -> None:
    (tmp_path / "m.pt2").write_bytes(b"")
    assert refused(tmp_path / "m.pt2") == ("m.pt2 is empty", "")


def test_several_graphs_are_read_one_by_one(tmp_path: Path) -> None:
    both = zipped(tmp_path / "m.pt2", "m/models/a.json", "m/models/b.json")
    message, way_out = refused(both)
    assert message == "m.pt2 holds 2 graphs: m/models/a.json, m/models/b.json"
    assert way_out == "each in a file of its own is read: torch.export.save(ep, 'model.pt2')"


def test_zips_of_others(tmp_path: Path) -> None:
    keras = zipped(tmp_path / "m.keras", "config.json", "metadata.json", "model.weights.h5")
    assert refused(keras)[0].startswith("m.keras: metadata.json is no JSON: ")
    other = zipped(tmp_path / "m.zip", "readme.txt")
    assert refused(other) == (
        "m.zip holds no graph of torch.export",
        "torch.export.save(torch.export.export(model.eval(), (x,)), 'model.pt2')",
    )
    compiled = zipped(tmp_path / "m.pt2", "m/data/aotinductor/model/x.so")
    assert refused(compiled)[0] == "m.pt2 holds compiled code, and no graph"


@pytest.mark.parametrize(
    ("start", "what"),
    [
        (b"\x89HDF\r\n\x1a\n", "an HDF5 file, as Keras and others write it"),
        (b"\x1c\0\0\0TFL3", "a TensorFlow Lite model"),
        (b"GGUF\3\0\0\0", "a GGUF file"),
        (b"\x1f\x8b\x08\0", "packed by gzip"),
    ],
)
def test_networks_of_other_kinds(tmp_path: Path, start: bytes, what: str) -> None:
    path = tmp_path / "m.pt2"
    path.write_bytes(start + bytes(100))
    assert refused(path)[0] == f"m.pt2 is {what}, which archcalc does not read"


def test_weights_without_a_graph(tmp_path: Path) -> None:
    header = json.dumps({"w": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}).encode()
    path = tmp_path / "m.safetensors"
    path.write_bytes(len(header).to_bytes(8, "little") + header + bytes(4))
    assert refused(path) == (
        "m.safetensors holds weights: it has no graph to count",
        "`archcalc params` lists its tensors; a graph lies in `.pt2` and `.onnx` files",
    )


def test_json_that_is_no_model(tmp_path: Path) -> None:
    path = tmp_path / "m.json"
    path.write_text(" {}")
    assert refused(path)[0] == "m.json is JSON, but no Keras model: it has no graph to count"


def test_bytes_of_no_format(tmp_path: Path) -> None:
    path = tmp_path / "m.pth"
    path.write_bytes(b"\x0a\x00")
    assert refused(path) == (
        "m.pth: this is no ONNX model: it holds no graph",
        "`.pt2` of torch.export, ONNX, and Keras' `.keras` or JSON are read, known by their content",
    )


def test_no_file(tmp_path: Path) -> None:
    assert refused(tmp_path / "none.pt2")[0].endswith(
        "none.pt2 cannot be read: No such file or directory"
    )
    assert refused(tmp_path)[0].endswith("cannot be read: a directory")
