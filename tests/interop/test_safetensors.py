"""The table of a `.safetensors` file and of an index of shards; tests/files has what is unsound."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from archcalc.errors import ArchError
from archcalc.interop.safetensors import TensorEntry, read


def file_of(path: Path, metadata: dict[str, str] | None = None, **shapes: list[int]) -> None:
    """Tensors of float16, one behind the other."""
    header: dict[str, object] = {} if metadata is None else {"__metadata__": metadata}
    at = 0
    for name, shape in shapes.items():
        size = 2
        for extent in shape:
            size *= extent
        header[name.replace("_", ".")] = {
            "dtype": "F16",
            "shape": shape,
            "data_offsets": [at, at + size],
        }
        at += size
    text = json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + bytes(at))


def test_names_shapes_types_and_bytes(tmp_path: Path) -> None:
    path = tmp_path / "m.safetensors"
    file_of(path, {"head.weight": "embed.weight", "format": "pt"}, embed_weight=[5, 4], norm_bias=[4])
    table = read(str(path))
    assert table.tensors == {
        "embed.weight": TensorEntry("F16", (5, 4), 0, 40),
        "norm.bias": TensorEntry("F16", (4,), 40, 48),
    }
    assert table.same == {"head.weight": "embed.weight"}  # where safetensors notes tied weights
    assert (table.numbers, table.bytes) == (5 * 4 + 4, 2 * 24)


def index_of(folder: Path, **weight_map: str) -> str:
    path = folder / "model.safetensors.index.json"
    names = {name.replace("_", "."): shard for name, shard in weight_map.items()}
    path.write_text(json.dumps({"metadata": {"total_size": 1}, "weight_map": names}))
    return str(path)


def test_an_index_of_shards_is_one_table(tmp_path: Path) -> None:
    file_of(tmp_path / "a.safetensors", a_weight=[3])
    file_of(tmp_path / "b.safetensors", b_weight=[2, 2])
    path = index_of(tmp_path, a_weight="a.safetensors", b_weight="b.safetensors")
    table = read(path)
    assert [entry.shape for entry in table.tensors.values()] == [(3,), (2, 2)]
    assert table.numbers == 3 + 4


@pytest.mark.parametrize("shard", ["../a.safetensors", "/etc/passwd", "x/a.safetensors", "", "a\\b"])
def test_shards_lie_beside_their_index(tmp_path: Path, shard: str) -> None:
    with pytest.raises(ArchError) as error:
        read(index_of(tmp_path, a_weight=shard))

    assert str(error.value) == (
        f"model.safetensors.index.json: its shard `{shard}` is no plain name of a file"
    )


def test_what_an_index_names_must_be_there(tmp_path: Path) -> None:
    file_of(tmp_path / "a.safetensors", a_weight=[3])
    path = index_of(tmp_path, a_weight="a.safetensors", b_weight="a.safetensors")
    with pytest.raises(ArchError) as error:
        read(path)
    assert str(error.value) == "model.safetensors.index.json: its shards do not hold `b.weight`"
    with pytest.raises(ArchError) as error:
        read(index_of(tmp_path, c_weight="c.safetensors"))
    assert str(error.value) == "c.safetensors cannot be read: no such file or directory"


@pytest.mark.parametrize("text", ["{}", '{"weight_map": 3}', "{", '{"a":' * 100_000])
def test_json_that_is_no_index(tmp_path: Path, text: str) -> None:
    path = tmp_path / "config.json"
    path.write_text(text)
    with pytest.raises(ArchError) as error:
        read(str(path))
    assert str(error.value) == "config.json is JSON, but neither a Keras model nor an index of shards"
