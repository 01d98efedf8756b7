"""Weights and inputs from files: names, layouts, and every way in which a file can lie."""

from __future__ import annotations

import io
import json
import os
import pickle
import random
import struct
import subprocess
import sys
import zipfile
from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import archcalc
from archcalc.errors import UsageError
from archcalc.execution.reference import run
from archcalc.execution.weights import make, slots
from archcalc.files.tensors import read, read_array, read_map
from archcalc.graph.build import build
from archcalc.graph.model import Graph
from archcalc.operators.shape import Shape
from archcalc.spec.model import Source
from archcalc.spec.read import read as read_spec

RNG = np.random.default_rng(0)
DTYPES = {"float16": "F16", "float32": "F32", "float64": "F64", "int64": "I64", "uint16": "BF16"}


def graph_of(layers: str, size: str) -> Graph:
    """Lines with `;` between them."""
    lines = [line.strip() for line in layers.split(";")]
    return build(read_spec(Source("net.toml", f'input = "{size}"\nlayers = {lines!r}')), {})


def packed(header: Any, data: bytes = b"", length: int | None = None) -> bytes:
    """A safetensors file; `header` as an object or as text."""
    text = header.encode() if isinstance(header, str) else json.dumps(header).encode()
    return struct.pack("<Q", len(text) if length is None else length) + text + data


def save(path: Path, tensors: dict[str, Any]) -> str:
    """A sound file of either kind, as its name says. Whole numbers of 16 bits are a bfloat16."""
    if path.suffix == ".npz":
        np.savez(path, **tensors)
        return str(path)
    header, data = {}, b""
    for name, array in tensors.items():
        end = len(data) + array.nbytes
        offsets = [len(data), end]
        header[name] = {"dtype": DTYPES[array.dtype.name], "shape": array.shape, "data_offsets": offsets}
        data += array.tobytes()
    path.write_bytes(packed(header, data))
    return str(path)


def refused(call: Callable[..., Any], *arguments: Any, **options: Any) -> list[str]:
    """The messages, without the folder; each help after an arrow."""
    with pytest.raises(UsageError) as caught:
        call(*arguments, **options)
    folder = f"{os.path.dirname(str(arguments[0]))}/"
    found = [f"{d.message} → {d.help}" if d.help else d.message for d in caught.value.diagnostics]
    return [text.replace(folder, "") for text in found]


def ours(graph: Graph) -> dict[str, Any]:
    """Random tensors under our names."""
    return {str(slot): RNG.random(slot.shape, np.float32) for slot in slots(graph)}


def same(weights: dict[str, Any], tensors: dict[str, Any]) -> bool:
    made = {f"{path}.{role}": w for path, roles in weights.items() for role, w in roles.items()}
    return made.keys() == tensors.keys() and all(np.array_equal(made[n], tensors[n]) for n in made)


SMALL = graph_of("conv 4 k3 | bn; a = conv 5 | relu; flatten | linear 3", "5x5x2")


# ---- our own names and layouts


@pytest.mark.parametrize("suffix", [".safetensors", ".npz", ".SafeTensors"])
@pytest.mark.parametrize("name", ["lenet5_1998", "squeezenet1_1", "mobilenet_v2"])
def test_our_own_come_back(tmp_path: Path, name: str, suffix: str) -> None:
    graph = archcalc.load(name).graph
    tensors = ours(graph)
    weights = read(save(tmp_path / f"w{suffix}", tensors), graph)
    assert same(weights, tensors)
    arrays = [w for roles in weights.values() for w in roles.values()]
    assert all(w.dtype == np.float32 and w.flags.c_contiguous and w.flags.writeable for w in arrays)


def test_compressed_npz(tmp_path: Path) -> None:
    tensors = ours(SMALL)
    np.savez_compressed(tmp_path / "w.npz", **tensors)
    assert same(read(str(tmp_path / "w.npz"), SMALL), tensors)


def test_fortran_order_and_big_endian(tmp_path: Path) -> None:
    tensors = ours(SMALL)
    odd = {name: np.asfortranarray(w).astype(">f8") for name, w in tensors.items()}
    assert same(read(save(tmp_path / "w.npz", odd), SMALL), tensors)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("suffix", [".safetensors", ".npz"])
def test_types_of_floats(tmp_path: Path, dtype: str, suffix: str) -> None:
    tensors = {name: w.astype(dtype) for name, w in ours(SMALL).items()}
    path = save(tmp_path / f"w{suffix}", tensors)
    assert same(read(path, SMALL), {name: w.astype(np.float32) for name, w in tensors.items()})
    double = read(path, SMALL, dtype="float64")
    assert same(double, {name: w.astype(np.float64) for name, w in tensors.items()})
    assert double["conv"]["weight"].dtype == np.float64


def test_bfloat16(tmp_path: Path) -> None:
    """The upper 16 bits of a float32: 0x3F80 is 1, 0xC000 is −2, 0x4049 is 3.140625."""
    graph = graph_of("linear 3 nobias", "1x1x1")
    path = save(tmp_path / "w.safetensors", {"linear.weight": np.uint16([[0x3F80, 0xC000, 0x4049]])})
    assert read(path, graph)["linear"]["weight"].tolist() == [[1, -2, 3.140625]]


def test_the_real_writer(tmp_path: Path) -> None:
    numpy = pytest.importorskip("safetensors.numpy", reason="safetensors writes the file of this test")
    graph = archcalc.load("mobilenet_v2").graph
    tensors = ours(graph)
    numpy.save_file(tensors, tmp_path / "w.safetensors", metadata={"format": "np"})
    assert same(read(str(tmp_path / "w.safetensors"), graph), tensors)
    theirs = numpy.load_file(save(tmp_path / "mine.safetensors", tensors))
    assert all(np.array_equal(theirs[name], w) for name, w in tensors.items())


# ---- torch's names and layouts


def torch_names(graph: Graph) -> dict[str, Any]:
    """Random tensors as a torch module of the same paths has them: convolutions and linear layers."""
    kinds = {"scale": "weight", "shift": "bias", "mean": "running_mean", "variance": "running_var"}
    tensors = {}
    for slot in slots(graph):
        shape = slot.shape
        if slot.name == "weight":
            shape = (shape[-1], shape[-2], *shape[:-2])
        name = f"{slot.node.path.replace('/', '.')}.{kinds.get(slot.name, slot.name)}"
        tensors[name] = RNG.random(shape, np.float32) - np.float32(0.2 * (len(shape) > 1))
        if slot.name == "variance":
            tensors[name.replace("running_var", "num_batches_tracked")] = np.array(7)
    return tensors


def torch_conv(x: Any, w: Any, bias: Any, groups: int = 1) -> Any:
    """By torch's definition: channels × height × width, stride 1, no padding."""
    inside, outside = w.shape[1], w.shape[0] // groups
    rows, columns = x.shape[1] - w.shape[2] + 1, x.shape[2] - w.shape[3] + 1
    y = np.zeros((w.shape[0], rows, columns))
    for o in range(w.shape[0]):
        mine = x[o // outside * inside :][:inside]
        for i in range(rows):
            for j in range(columns):
                y[o, i, j] = (mine[:, i : i + w.shape[2], j : j + w.shape[3]] * w[o]).sum() + bias[o]
    return y


def executed(graph: Graph, weights: dict[str, Any], image: Any) -> Any:
    found: list[Any] = []
    for node in graph.nodes:
        inputs = [found[i] for i in node.inputs]
        found.append(run(node.operator, inputs, weights.get(node.path, {})) if inputs else image)
    return found[graph.output]


@pytest.mark.parametrize("groups", [1, 2, 4])
def test_torch_convolution(tmp_path: Path, groups: int) -> None:
    graph = graph_of(f"conv 8 k2x3 g{groups}", "5x6x4")
    tensors = torch_names(graph)
    weights = read(save(tmp_path / "w.safetensors", tensors), graph)
    x = RNG.random((4, 5, 6), np.float32)
    wanted = torch_conv(x, tensors["conv.weight"], tensors["conv.bias"], groups)
    found = executed(graph, weights, x.transpose(1, 2, 0)[None])
    np.testing.assert_allclose(found[0].transpose(2, 0, 1), wanted, rtol=1e-5)


def test_torch_flattens_channels_first(tmp_path: Path) -> None:
    """conv, bn, flatten, bn of the vector, dropout, linear, linear: by torch's definitions."""
    graph = graph_of("conv 3 k2 | flatten | bn | dropout; linear 5 | linear 5", "4x5x2")
    tensors = torch_names(graph)
    weights = read(save(tmp_path / "w.npz", tensors), graph)
    x = RNG.random((2, 4, 5), np.float32)
    y = torch_conv(x, tensors["conv.weight"], tensors["conv.bias"]).reshape(-1)
    y = (y - tensors["bn.running_mean"]) / np.sqrt(tensors["bn.running_var"] + 1e-5)
    y = y * tensors["bn.weight"] + tensors["bn.bias"]
    for name in ("linear", "linear2"):
        y = tensors[f"{name}.weight"] @ y + tensors[f"{name}.bias"]
    found = executed(graph, weights, x.transpose(1, 2, 0)[None])
    np.testing.assert_allclose(found.reshape(-1), y, rtol=1e-4)


def test_torch_concatenates_flattened_maps(tmp_path: Path) -> None:
    graph = graph_of("flat = flatten; pooled = @in | gap; concat @flat; linear 3 nobias", "2x3x4")
    tensors = torch_names(graph)
    weights = read(save(tmp_path / "w.npz", tensors), graph)
    x = RNG.random((4, 2, 3), np.float32)
    y = tensors["linear.weight"] @ np.concatenate([x.mean((1, 2)), x.reshape(-1)])
    found = executed(graph, weights, x.transpose(1, 2, 0)[None])
    np.testing.assert_allclose(found.reshape(-1), y, rtol=1e-5)


@pytest.mark.parametrize("groups", [1, 2])
def test_torch_transposed_convolution(tmp_path: Path, groups: int) -> None:
    """in × out/groups × height × width: every input value times its kernel, added where it falls."""
    graph = graph_of(f"deconv 6 k3x2 s2 g{groups} nobias", "3x2x4")
    w = RNG.random((4, 6 // groups, 3, 2), np.float32)
    weights = read(save(tmp_path / "w.npz", {"deconv.weight": w}), graph)
    x = RNG.random((4, 3, 2), np.float32)
    y = np.zeros((6, 7, 4))
    inside, outside = 4 // groups, 6 // groups
    for c in range(4):
        own = slice(c // inside * outside, (c // inside + 1) * outside)
        for i in range(3):
            for j in range(2):
                y[own, 2 * i : 2 * i + 3, 2 * j : 2 * j + 2] += x[c, i, j] * w[c]
    found = executed(graph, weights, x.transpose(1, 2, 0)[None])
    np.testing.assert_allclose(found[0].transpose(2, 0, 1), y, rtol=1e-5)


def test_a_linear_layer_may_be_a_convolution_there(tmp_path: Path) -> None:
    """Squeeze and excitation has 1×1 convolutions in torchvision, linear layers here; and vice versa."""
    graph = graph_of("conv 3 | gap | linear 5", "2x2x4")
    tensors = {
        "conv.weight": RNG.random((3, 4), np.float32),
        "conv.bias": np.zeros(3, np.float32),
        "linear.weight": RNG.random((5, 3, 1, 1), np.float32),
        "linear.bias": np.zeros(5, np.float32),
    }
    weights = read(save(tmp_path / "w.npz", tensors), graph)
    assert np.array_equal(weights["conv"]["weight"][0, 0], tensors["conv.weight"].T)
    assert np.array_equal(weights["linear"]["weight"], tensors["linear.weight"][:, :, 0, 0].T)


@pytest.mark.parametrize("names", [("in_proj_{}", "out_proj.{}"), ("qkv.{}", "proj.{}")])
def test_torch_attention(tmp_path: Path, names: tuple[str, str]) -> None:
    """Query, key and value in one matrix; the factor 1/√(6/2) moves into the query."""
    graph = graph_of("tokens | attention 2", "2x2x6")
    tensors = {}
    for role, rest in (("weight", (6,)), ("bias", ())):
        tensors[f"attention.{names[0].format(role)}"] = RNG.random((18, *rest), np.float32)
        tensors[f"attention.{names[1].format(role)}"] = RNG.random((6, *rest), np.float32)
    weights = read(save(tmp_path / "w.npz", tensors), graph)["attention"]
    x = RNG.random((4, 6), np.float32)
    inward = x @ tensors[f"attention.{names[0].format('weight')}"].T
    inward += tensors[f"attention.{names[0].format('bias')}"]
    query, key, value = inward[:, :6] / np.sqrt(3), inward[:, 6:12], inward[:, 12:]
    outward = x @ tensors[f"attention.{names[1].format('weight')}"].T
    outward += tensors[f"attention.{names[1].format('bias')}"]
    parts = {"query": query, "key": key, "value": value, "output": outward}
    for name, wanted in parts.items():
        found = x @ weights[f"{name}.weight"] + weights[f"{name}.bias"]
        np.testing.assert_allclose(found, wanted, rtol=1e-5)


def test_torch_window_attention(tmp_path: Path) -> None:
    """One window of 3×3 as torchvision's Swin computes it: the query is scaled, and each relative place
    has a row of the table, those of one row of places together.
    """
    graph = graph_of("windowattention 2 3", "3x3x4")
    sizes = {
        "relative_position_bias_table": (25, 2),
        **{"qkv.weight": (12, 4), "qkv.bias": (12,), "proj.weight": (4, 4), "proj.bias": (4,)},
    }
    tensors = {f"attn.{name}": RNG.random(size, np.float32) for name, size in sizes.items()}
    tensors["attn.relative_position_index"] = np.zeros(81, np.int64)
    weights = read(save(tmp_path / "w.npz", tensors), graph, {"windowattention": "attn"})
    x = RNG.random((1, 3, 3, 4), np.float32)
    found = run(graph.nodes[1].operator, [x], weights["windowattention"])
    tokens = x.reshape(9, 4) @ tensors["attn.qkv.weight"].T + tensors["attn.qkv.bias"]
    query, key, value = (
        part.reshape(9, 2, 2) for part in (tokens[:, :4], tokens[:, 4:8], tokens[:, 8:])
    )
    scores = np.einsum("qhc,khc->hqk", query * 2**-0.5, key)
    for q, k in product(range(9), range(9)):
        down, across = q // 3 - k // 3 + 2, q % 3 - k % 3 + 2
        scores[:, q, k] += tensors["attn.relative_position_bias_table"][5 * down + across]
    shares = np.exp(scores) / np.exp(scores).sum(axis=-1, keepdims=True)
    y = np.einsum("hqk,khc->qhc", shares, value).reshape(9, 4)
    wanted = y @ tensors["attn.proj.weight"].T + tensors["attn.proj.bias"]
    np.testing.assert_allclose(found.reshape(9, 4), wanted, rtol=1e-4)


def test_torch_tokens_and_places(tmp_path: Path) -> None:
    """torchvision's parameters have no `.weight`, and an axis for the images."""
    graph = graph_of("tokens | classtoken | posembed", "2x2x6")
    tensors = {"class_token": RNG.random((1, 1, 6)), "encoder.pos_embedding": RNG.random((1, 5, 6))}
    mapping = {"classtoken": "class_token", "posembed": "encoder.pos_embedding"}
    weights = read(save(tmp_path / "w.npz", tensors), graph, mapping, "float64")
    assert np.array_equal(weights["classtoken"]["weight"], tensors["class_token"][0, 0])
    assert np.array_equal(weights["posembed"]["position"], tensors["encoder.pos_embedding"][0])


def test_torch_names_of_a_whole_network(tmp_path: Path) -> None:
    graph = archcalc.load("resnet18").graph
    tensors = torch_names(graph)
    weights = read(save(tmp_path / "w.safetensors", tensors), graph)
    found = weights["stage1/basic/main/conv"]["weight"]
    assert np.array_equal(found, tensors["stage1.basic.main.conv.weight"].transpose(2, 3, 1, 0))


# ---- where two layouts fit

SQUARE = graph_of("linear 4 nobias | linear 4 nobias", "1x1x4")
SQUARES = {
    "linear.weight": RNG.random((4, 4), np.float32),
    "linear2.weight": RNG.random((4, 4), np.float32),
}


def test_other_layers_tell_the_layout(tmp_path: Path) -> None:
    graph = graph_of("linear 4 nobias | linear 3 nobias", "1x1x4")
    square = RNG.random((4, 4), np.float32)
    for other, wanted in (((3, 4), square.T), ((4, 3), square)):
        tensors = {"linear.weight": square, "linear2.weight": np.ones(other, np.float32)}
        found = read(save(tmp_path / "w.npz", tensors), graph)
        assert np.array_equal(found["linear"]["weight"], wanted)


def test_names_tell_the_layout(tmp_path: Path) -> None:
    graph = graph_of("a = linear 4 nobias | relu", "1x1x4")
    square = RNG.random((4, 4), np.float32)
    for name, wanted in (("a/linear.weight", square), ("a.linear.weight", square.T)):
        found = read(save(tmp_path / "w.safetensors", {name: square}), graph)
        assert np.array_equal(found["a/linear"]["weight"], wanted)


def test_nothing_tells_the_layout(tmp_path: Path) -> None:
    path = save(tmp_path / "w.npz", SQUARES)
    assert refused(read, path, SQUARE) == [
        "`linear.weight` of `w.npz` may have our layout or torch's, and nothing tells which"
        " → say --layout torch or --layout archcalc"
    ]
    assert np.array_equal(read(path, SQUARE, torch=True)["linear"]["weight"], SQUARES["linear.weight"].T)
    assert np.array_equal(read(path, SQUARE, torch=False)["linear"]["weight"], SQUARES["linear.weight"])


# ---- foreign names


def test_maps_of_layers_blocks_and_roles(tmp_path: Path) -> None:
    graph = graph_of("conv 4 k3 | bn; a = conv 5 | bn", "5x5x2")
    tensors = torch_names(graph)
    theirs = {
        name.replace("a.", "features.7.").replace("bn.bias", "bn.beta"): w for name, w in tensors.items()
    }
    text = "\ufeff# torch's\n\n a = features.7\nbn.shift=bn.beta\r\n a/bn.shift = features.7.bn.beta\n"
    (tmp_path / "map.txt").write_text(text, encoding="utf-8")
    mapping = read_map(str(tmp_path / "map.txt"))
    assert mapping == {"a": "features.7", "bn.shift": "bn.beta", "a/bn.shift": "features.7.bn.beta"}
    mapped = read(save(tmp_path / "theirs.safetensors", theirs), graph, mapping)
    plain = read(save(tmp_path / "w.safetensors", tensors), graph)
    assert same(mapped, {f"{p}.{r}": w for p, roles in plain.items() for r, w in roles.items()})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"a = b\nconv\n", "line 2 of `map.txt` maps nothing: `conv`"),
        (b"= b", "line 1 of `map.txt` maps nothing: `= b`"),
        (b"a =", "line 1 of `map.txt` maps nothing: `a =`"),
        (b"\x1b[2J = ", "line 1 of `map.txt` maps nothing: `\\x1b[2J =`"),
        (b"a = b\na = c", "line 2 of `map.txt` maps nothing: `a` again"),
    ],
)
def test_lines_that_are_no_mapping(tmp_path: Path, text: bytes, message: str) -> None:
    (tmp_path / "map.txt").write_bytes(text)
    help = " → lines are `our/path = their.prefix`, each path once"
    assert refused(read_map, str(tmp_path / "map.txt")) == [message + help]


def test_maps_that_cannot_be_read(tmp_path: Path) -> None:
    path = tmp_path / "map.txt"
    path.write_bytes(b"caf\xe9 = x")
    assert refused(read_map, str(path)) == ["`map.txt` is no sound map file: it is not UTF-8"]
    with open(path, "wb") as file:
        file.truncate(10**12)
    assert refused(read_map, str(path)) == ["`map.txt` is no sound map file: it is larger than 8 MiB"]


def test_a_map_of_unknown_layers(tmp_path: Path) -> None:
    path = save(tmp_path / "w.npz", ours(SMALL))
    message = "the map names `{}`, which is no layer with weights → {}"
    assert refused(read, path, SMALL, {"linea": "x"}) == [
        message.format("linea", "did you mean `linear`?")
    ]
    assert refused(read, path, SMALL, {"relu99": "x"}) == [
        message.format("relu99", "paths are those of `archcalc params --all`")
    ]


# ---- what does not fit the network


def test_missing_surplus_and_misshapen(tmp_path: Path) -> None:
    tensors = ours(SMALL)
    del tensors["bn.mean"], tensors["linear.weight"]
    tensors["conv.weight"] = np.ones((5, 5), np.float32)
    tensors |= {f"features.{i}.weight": np.ones((i, 7), np.float32) for i in range(1, 7)}
    assert refused(read, save(tmp_path / "w.safetensors", tensors), SMALL) == [
        "`w.safetensors` lacks 2 tensors: `bn.mean` (4), `linear.weight` (45×3)"
        " → the first may also be `bn.running_mean` (4); a map gives layers other names",
        "`w.safetensors` has 1 tensor of another shape:"
        " `conv.weight` is 5×5 instead of 3×3×2×4 or 4×2×3×3",
        "`w.safetensors` has 6 tensors that no layer wants: `features.1.weight` (1×7),"
        " `features.2.weight` (2×7), `features.3.weight` (3×7), `features.4.weight` (4×7), …"
        " → leave them out, or map layers to their names",
    ]


def test_another_network(tmp_path: Path) -> None:
    path = save(tmp_path / "w.npz", ours(archcalc.load("lenet5").graph))
    assert refused(read, path, archcalc.load("plain18").graph) == [
        "`w.npz` lacks 84 tensors: `bn.scale` (64), `bn.shift` (64), `bn.mean` (64),"
        " `bn.variance` (64), … → the first may also be `bn.weight` (64);"
        " a map gives layers other names",
        "`w.npz` has 3 tensors of another shape:"
        " `conv.weight` is 5×5×1×6 instead of 7×7×3×64 or 64×3×7×7,"
        " `linear.weight` is 400×120 instead of 512×1000 or 1000×512,"
        " `linear.bias` is 120 instead of 1000 or 1×1000",
        "`w.npz` has 7 tensors that no layer wants: `conv.bias` (6), `conv2.weight` (5×5×6×16),"
        " `conv2.bias` (16), `linear2.weight` (120×84), …"
        " → leave them out, or map layers to their names",
    ]


def test_layers_in_blocks_and_patterns(tmp_path: Path) -> None:
    path = save(tmp_path / "w.npz", {"x": np.ones(1)})
    graph = graph_of("a = conv 5 nobias | relu", "5x5x4")
    assert refused(read, path, graph)[0] == (
        "`w.npz` lacks 1 tensor: `a/conv.weight` (1×1×4×5)"
        " → the first may also be `a.conv.weight` (5×4×1×1); a map gives layers other names"
    )
    assert refused(read, path, graph, {"a": "features.0"})[0].endswith(
        " → the first may also be `features.0.conv.weight` (5×4×1×1); a map gives layers other names"
    )
    graph = graph_of("rbf 3", "1x1x4")
    assert refused(read, path, graph)[0] == (
        "`w.npz` lacks 1 tensor: `rbf.fixed` (4×3) → a map gives layers other names"
    )


def test_hostile_names(tmp_path: Path) -> None:
    graph = graph_of("linear 2 nobias", "1x1x3")
    tensors = {name: np.ones((3, 2), np.float32) for name in ("linear.weight", "\x1b[31m" + "x" * 5000)}
    (message,) = refused(read, save(tmp_path / "w.safetensors", tensors), graph)
    shown = "\\x1b[31m" + "x" * 54 + "…"
    assert message.startswith(f"`w.safetensors` has 1 tensor that no layer wants: `{shown}` (3×2) → ")


def test_integers_are_no_weights(tmp_path: Path) -> None:
    graph = graph_of("linear 2 nobias", "1x1x3")
    help = " → a pickle is never read, and integers are no weights"
    for suffix, kind in ((".npz", "int64"), (".safetensors", "I64")):
        path = save(tmp_path / f"w{suffix}", {"linear.weight": np.ones((3, 2), np.int64)})
        message = f"`w{suffix}` has 1 tensor without floats: `linear.weight` ({kind}){help}"
        assert refused(read, path, graph) == [message]


@pytest.mark.parametrize("suffix", [".safetensors", ".npz"])
@pytest.mark.parametrize(
    ("value", "dtype", "what"),
    [
        (np.nan, "float32", "NaN"),
        (np.nan, "float16", "NaN"),
        (-np.inf, "float64", "values that are infinite in float32"),
        (1e39, "float64", "values that are infinite in float32"),
    ],
)
def test_values_that_are_not_finite(
    tmp_path: Path, value: float, dtype: str, what: str, suffix: str
) -> None:
    """Also behind the first chunk of a large tensor."""
    graph = graph_of("linear 1100 nobias", "1x1x1000")
    tensors = {"linear.weight": np.zeros((1000, 1100), dtype)}
    tensors["linear.weight"][-1, -1] = value
    path = save(tmp_path / f"w{suffix}", tensors)
    assert refused(read, path, graph) == [f"`linear.weight` of `w{suffix}` holds {what}"]


def test_a_negative_variance(tmp_path: Path) -> None:
    tensors = ours(SMALL)
    tensors["bn.variance"][2] = -1e-9
    message = "`bn.variance` of `w.npz` holds a variance below 0"
    assert refused(read, save(tmp_path / "w.npz", tensors), SMALL) == [message]


# ---- files that are none

ENTRY = {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}


def two(at: int) -> bytes:
    """Two tensors of 24 bytes, the second of which begins `at` a byte."""
    header = {"a": ENTRY, "b": {**ENTRY, "data_offsets": [at, at + 24]}}
    return packed(header, bytes(at + 24))


UNSOUND: list[tuple[bytes, str]] = [
    (b"", "8 bytes of length in a file of 0"),
    (b"\x01\x02\x03", "8 bytes of length in a file of 3"),
    (packed({}, length=2**63), "a header of 9,223,372,036,854,775,808 bytes in a file of 10"),
    (packed({}, length=2**64 - 1), "a header of 18,446,744,073,709,551,615 bytes in a file of 10"),
    (packed({}, length=3), "a header of 3 bytes in a file of 10"),
    (packed(""), "its header is no JSON object"),
    (packed("[1]"), "its header is no JSON object"),
    (packed("{"), "its header is no JSON object"),
    (packed('{"a": NaNaN}'), "its header is no JSON object"),
    (struct.pack("<Q", 4) + b'{"\xff}', "its header is no JSON object"),
    (packed("[" * 40_000), "its header is no JSON object"),
    (packed('{"a": ' + "9" * 5000 + "}"), "its header is no JSON object"),
    (packed('{"a": 1, "a": 2}'), "its header has `a` twice"),
    (packed('{"a": {"dtype": "F32", "dtype": "F64"}}'), "its header has `dtype` twice"),
    (packed({"a": 3}), "`a` needs a dtype, a shape and two offsets"),
    (packed({"a": None}), "`a` needs a dtype, a shape and two offsets"),
    (packed({"a": {}}), "`a` needs a dtype, a shape and two offsets"),
    (packed({"a": {**ENTRY, "more": 1}}), "`a` needs a dtype, a shape and two offsets"),
    (packed({"a": {**ENTRY, "shape": [-2, -3]}}), "`a` needs a dtype, a shape and two offsets"),
    (packed({"a": {**ENTRY, "shape": [2.0, 3]}}), "`a` needs a dtype, a shape and two offsets"),
    (packed({"a": {**ENTRY, "shape": [True, 6]}}), "`a` needs a dtype, a shape and two offsets"),
    (packed({"a": {**ENTRY, "shape": "23"}}), "`a` needs a dtype, a shape and two offsets"),
    (packed({"a": {**ENTRY, "shape": [1] * 65}}), "`a` needs a dtype, a shape and two offsets"),
    (packed({"a": {**ENTRY, "data_offsets": [0]}}), "`a` needs a dtype, a shape and two offsets"),
    (packed({"a": {**ENTRY, "data_offsets": [-24, 0]}}), "`a` needs a dtype, a shape and two offsets"),
    (packed({"a": {**ENTRY, "dtype": 32}}), "`a` needs a dtype, a shape and two offsets"),
    (packed({"a": {**ENTRY, "dtype": "F33"}}), "`a` has the unknown type `F33`"),
    (packed({"a": {**ENTRY, "dtype": "F64"}}, bytes(24)), "`a` has 24 bytes for 2×3 of F64"),
    (packed({"a": {**ENTRY, "dtype": "BF16"}}, bytes(24)), "`a` has 24 bytes for 2×3 of BF16"),
    (packed({"a": {**ENTRY, "shape": [2**40, 3]}}), "`a` has 24 bytes for 1099511627776×3 of F32"),
    (packed({"a": {**ENTRY, "shape": [10**80]}}), "`a` has 24 bytes for … of F32"),
    (packed({"a": {**ENTRY, "shape": [1] * 9}}), "`a` has 24 bytes for 1×1×1×1×1×1×… of F32"),
    (packed({"a": {**ENTRY, "data_offsets": [24, 0]}}, bytes(24)), "`a` has -24 bytes for 2×3 of F32"),
    (packed({"a": ENTRY}, bytes(23)), "`a` ends at byte 24 of 23"),
    (packed({"a": {**ENTRY, "data_offsets": [10**9, 10**9 + 24]}}), "`a` ends at byte 1000000024 of 0"),
    (packed({"a": ENTRY}, bytes(25)), "bytes 24 to 25 belong to no tensor"),
    (packed({"a": {**ENTRY, "data_offsets": [4, 28]}}, bytes(28)), "bytes 0 to 4 belong to no tensor"),
    (two(20), "`a` and `b` overlap"),
    (two(0), "`a` and `b` overlap"),
    (two(32), "bytes 24 to 32 belong to no tensor"),
]  # fmt: skip


@pytest.mark.parametrize(("content", "what"), UNSOUND, ids=lambda x: x if isinstance(x, str) else "")
def test_unsound_safetensors(tmp_path: Path, content: bytes, what: str) -> None:
    path = tmp_path / "w.safetensors"
    path.write_bytes(content)
    assert refused(read, str(path), SMALL) == [f"`w.safetensors` is no sound safetensors file: {what}"]


def test_large_headers(tmp_path: Path) -> None:
    """Beyond 100 MB nothing is read; below, what would blow up is counted first."""
    path = tmp_path / "w.safetensors"
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", 100_000_001))
        file.truncate(10**12)
    prefix = "`w.safetensors` is no sound safetensors file: "
    message = f"{prefix}a header of 100,000,001 bytes; 100,000,000 are allowed"
    assert refused(read, str(path), SMALL) == [message]
    path.write_bytes(packed('{"a":[' + "{}," * 1_100_000 + "1]}"))
    too_many = f"{prefix}its header has more than 20,000 tensors"
    assert refused(read, str(path), SMALL) == [too_many]
    header = ",".join(f'"t{i}":{json.dumps(ENTRY)}' for i in range(20_002))
    path.write_bytes(packed(f"{{{header}}}"))
    assert refused(read, str(path), SMALL) == [too_many]


def test_many_members(tmp_path: Path) -> None:
    """A list of members is refused by its length, before zipfile makes an object of each; zip64, too."""
    path = tmp_path / "w.npz"
    prefix = "`w.npz` is no sound npz file: it has more than 20,000 members"
    with zipfile.ZipFile(path, "w") as archive:
        for i in range(20_001):
            archive.writestr(f"{i}.npy", b"")
    assert refused(read, str(path), SMALL) == [prefix]
    with zipfile.ZipFile(path, "w") as archive:
        for i in range(90_000):
            archive.writestr(f"{i}.npy", b"")
    assert path.read_bytes().count(b"PK\x06\x06") == 1
    assert refused(read, str(path), SMALL) == [f"{prefix}, or very long names"]


def npy(array: Any, **options: Any) -> bytes:
    stream = io.BytesIO()
    np.lib.format.write_array(stream, array, **options)
    return stream.getvalue()


def npy_header(text: str, data: bytes = b"", version: int = 1) -> bytes:
    width = {1: "<H", 2: "<I", 3: "<I"}[version]
    return b"\x93NUMPY" + bytes([version, 0]) + struct.pack(width, len(text)) + text.encode() + data


class Trap:
    """Whoever unpickles it writes a file."""

    def __init__(self, path: str) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return open, (self.path, "w")


CLAIM = "{'descr': '<f4', 'fortran_order': False, 'shape': (%s), }"
UNSOUND_NPY: list[tuple[bytes, str]] = [
    (b"", "it does not begin like numpy's"),
    (b"hello, world", "it does not begin like numpy's"),
    (b"\x93NUMPY\x01\x00", "its header cannot be read"),
    (npy_header(CLAIM % "3,2", version=3), "it does not begin like numpy's"),
    (b"\x93NUMPY\x02\x00\xff\xff\xff\xff", "a header of 4,294,967,295 bytes; 10,000 are allowed"),
    (b"\x93NUMPY\x01\x00\xff\xff", "a header of 65,535 bytes; 10,000 are allowed"),
    (npy_header("__import__('os').abort()"), "its header cannot be read"),
    (npy_header("(" * 9000), "its header cannot be read"),
    (npy_header("-" * 9000 + "1"), "its header cannot be read"),
    (npy_header("{}"), "its header cannot be read"),
    (npy_header(CLAIM % "-3,-2", bytes(24)), "its shape has a negative size"),
]


@pytest.mark.parametrize(("content", "what"), UNSOUND_NPY, ids=lambda x: x if isinstance(x, str) else "")
def test_unsound_npy(tmp_path: Path, content: bytes, what: str) -> None:
    """Alone, and in a zip."""
    (tmp_path / "x.npy").write_bytes(content)
    assert refused(read_array, str(tmp_path / "x.npy"), Shape(3, 2, 1)) == [
        f"`x.npy` is no sound npy file: {what}"
    ]
    with zipfile.ZipFile(tmp_path / "w.npz", "w") as archive:
        archive.writestr("linear.weight.npy", content)
    assert refused(read, str(tmp_path / "w.npz"), SMALL) == [f"`w.npz` is no sound npz file: {what}"]


LINEAR = graph_of("linear 2 nobias", "1x1x3")
WEIGHT = "linear.weight.npy"


def zipped(path: Path, members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> str:
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return str(path)


def test_pickles_are_never_read(tmp_path: Path) -> None:
    trap = np.array([Trap(str(tmp_path / "sprung"))] * 6, dtype=object).reshape(3, 2)
    np.savez(tmp_path / "w.npz", allow_pickle=True, **{"linear.weight": trap})
    assert refused(read, str(tmp_path / "w.npz"), LINEAR) == [
        "`w.npz` has 1 tensor without floats: `linear.weight` (object)"
        " → a pickle is never read, and integers are no weights"
    ]
    np.save(tmp_path / "x.npy", trap, allow_pickle=True)
    assert refused(read_array, str(tmp_path / "x.npy"), Shape(3, 2, 1)) == [
        "`x.npy` is 3×2, not 3×2×1 → axes are images × height × width × channels; an image is 3×2×1"
    ]
    assert refused(read_array, str(tmp_path / "x.npy"), Shape(1, 1, 2)) == [
        "`x.npy` holds object values, no real numbers → a pickle is never read"
    ]
    (tmp_path / "y.npy").write_bytes(pickle.dumps(Trap(str(tmp_path / "sprung"))))
    assert refused(read_array, str(tmp_path / "y.npy"), Shape(1, 1, 2)) == [
        "`y.npy` is no sound npy file: it does not begin like numpy's"
    ]
    for name in ("w.pt", "w.pth", "w.pkl", "w.bin", "w"):
        (tmp_path / name).write_bytes(pickle.dumps(Trap(str(tmp_path / "sprung"))))
        assert refused(read, str(tmp_path / name), LINEAR) == [
            f"`{name}` is no .safetensors or .npz file → a pickle is never read;"
            " torch writes `safetensors.torch.save_file(state_dict, FILE)`"
        ]
    assert not (tmp_path / "sprung").exists()


def test_unsound_zips(tmp_path: Path) -> None:
    sound = npy(np.ones((3, 2), np.float32))
    path = tmp_path / "w.npz"

    def message() -> str:
        (found,) = refused(read, str(path), LINEAR)
        return found.removeprefix("`w.npz` is no sound npz file: ")

    path.write_bytes(b"no zip")
    assert message() == "file is not a zip file"
    whole = Path(zipped(path, {WEIGHT: sound})).read_bytes()
    path.write_bytes(whole[:-10])
    assert message() == "file is not a zip file"
    path.write_bytes(whole[-100:])
    assert message() == "invalid argument"  # of a seek to where the beginning was
    zipped(path, {WEIGHT: sound, "notes.txt": b"hello"})
    assert message() == "`notes.txt` is no .npy"
    zipped(path, {WEIGHT: sound}, zipfile.ZIP_LZMA)
    assert message() == "`linear.weight.npy` is neither stored nor deflated"
    zipped(path, {WEIGHT: sound}, zipfile.ZIP_BZIP2)
    assert message() == "`linear.weight.npy` is neither stored nor deflated"
    zipped(path, {WEIGHT: sound[:-1]})
    assert message() == "`linear.weight.npy` claims 3×2 of float32, 24 bytes, and has 23"
    zipped(path, {WEIGHT: sound + b"x"})
    assert message() == "`linear.weight.npy` claims 3×2 of float32, 24 bytes, and has 25"
    with pytest.warns(UserWarning, match="Duplicate"), zipfile.ZipFile(path, "w") as archive:
        archive.writestr(WEIGHT, sound)
        archive.writestr(WEIGHT, sound)
    assert message() == "`linear.weight.npy` comes twice"


def test_damaged_zips(tmp_path: Path) -> None:
    """A checksum that is wrong, a stream that breaks off, a member that is encrypted."""
    path = tmp_path / "w.npz"
    zipped(path, {WEIGHT: npy(np.ones((3, 2), np.float32))}, zipfile.ZIP_STORED)
    content = bytearray(path.read_bytes())
    at = content.index(np.float32(1).tobytes() * 6)
    content[at] ^= 1
    path.write_bytes(content)
    prefix = "`w.npz` is no sound npz file: "
    assert refused(read, str(path), LINEAR) == [f"{prefix}bad CRC-32 for file 'linear.weight.npy'"]
    zipped(path, {WEIGHT: npy(np.ones((3, 2), np.float32))}, zipfile.ZIP_STORED)
    content = bytearray(path.read_bytes())
    for start in (content.index(b"PK\x03\x04") + 6, content.index(b"PK\x01\x02") + 8):
        content[start] |= 1
    path.write_bytes(content)
    wanted = f"{prefix}`linear.weight.npy` is encrypted"
    assert refused(read, str(path), LINEAR) == [wanted]


def test_a_deflated_stream_that_is_garbage(tmp_path: Path) -> None:
    path = tmp_path / "w.npz"
    zipped(path, {WEIGHT: npy(RNG.random((3, 2)))})
    content = bytearray(path.read_bytes())
    start = 30 + len(WEIGHT)
    content[start : start + 20] = b"\xff" * 20
    path.write_bytes(content)
    (message,) = refused(read, str(path), LINEAR)
    assert message.startswith("`w.npz` is no sound npz file: error -3 while decompressing data")


LIMITED = """
import resource, sys
import archcalc
from archcalc.errors import UsageError
from archcalc.files.tensors import read, read_array
from archcalc.operators.model import Shape
graph = archcalc.load("lenet5").graph
size = int(open("/proc/self/statm").read().split()[0]) * 4096 + (64 << 20)
resource.setrlimit(resource.RLIMIT_AS, (size, size))
try:
    if sys.argv[1].endswith(".npy"):
        read_array(sys.argv[1], Shape(32, 32, 1))
    else:
        read(sys.argv[1], graph)
except UsageError as error:
    print(error.diagnostics[-1].message.replace(sys.argv[1], "F"))
"""


def limited(path: Path) -> str:
    """The last message, of a process that may take 64 MiB more than it has."""
    words = [sys.executable, "-c", LIMITED, str(path)]
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout.strip()


def bomb(path: Path, shape: str) -> None:
    """300 million bytes of zeros in 300,000."""
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
        archive.open("linear.bias.npy", "w") as member,
    ):
        member.write(npy_header(CLAIM % shape))
        for _ in range(30):
            member.write(bytes(10**7))


def test_zip_bombs_take_no_memory(tmp_path: Path) -> None:
    """Refused for its shape; with the right shape, for its size."""
    path = tmp_path / "w.npz"
    bomb(path, "75000000,")
    wanted = "`F` has 1 tensor of another shape: `linear.bias` is 75000000 instead of 120 or 1×120"
    assert limited(path) == wanted
    bomb(path, "120,")
    claim = "`linear.bias.npy` claims 120 of float32, 480 bytes, and has 300,000,000"
    assert limited(path) == f"`F` is no sound npz file: {claim}"


def test_a_bomb_in_the_header(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "w.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        content = b"\x93NUMPY\x02\x00\xff\xff\xff\x3f" + b" " * (100 << 20)
        archive.writestr("conv.weight.npy", content)
    wanted = "`F` is no sound npz file: a header of 1,073,741,823 bytes; 10,000 are allowed"
    assert limited(tmp_path / "w.npz") == wanted


def test_huge_tensors_are_not_read(tmp_path: Path) -> None:
    """A sparse file of 40 GB, all of it one tensor that no layer wants; and one array of as much."""
    size = 40 * 10**9
    path = tmp_path / "w.safetensors"
    with open(path, "wb") as file:
        file.write(packed({"a": {"dtype": "F32", "shape": [size // 4], "data_offsets": [0, size]}}))
        file.truncate(file.tell() + size)
    assert limited(path) == "`F` has 1 tensor that no layer wants: `a` (10000000000)"
    with open(tmp_path / "x.npy", "wb") as file:
        file.write(npy_header(CLAIM % f"{10**7}, 32, 32, 1"))
        file.truncate(file.tell() + 4 * 1024 * 10**7)
    assert limited(tmp_path / "x.npy") == "`F` holds more than there is of memory"
    with open(tmp_path / "x.npy", "wb") as file:
        file.write(npy_header(CLAIM % f"{10**7}, 32, 32, 1"))
    wanted = "it claims 10000000×32×32×1 of float32, 40960000000 bytes, and has 0"
    assert limited(tmp_path / "x.npy") == f"`F` is no sound npy file: {wanted}"


PEAK = """
import resource, sys, archcalc
from archcalc.files.tensors import read
graph = archcalc.load("alexnet").graph
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
read(sys.argv[1], graph)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


def test_the_peak_is_the_weights_and_one_tensor(tmp_path: Path) -> None:
    """AlexNet from a sparse file: 233 MiB, and while the largest is turned around 144 MiB more."""
    graph = archcalc.load("alexnet").graph
    path, end, header = tmp_path / "w.safetensors", 0, {}
    for slot in slots(graph):
        shape = (*slot.shape[:-3:-1], *slot.shape[:-2]) if len(slot.shape) > 1 else slot.shape
        begin, end = end, end + 4 * int(np.prod(shape))
        name = f"{slot.node.path.replace('/', '.')}.{slot.name}"
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [begin, end]}
    with open(path, "wb") as file:
        file.write(packed(header))
        file.truncate(file.tell() + end)
    words = [sys.executable, "-c", PEAK, str(path)]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    assert int(done.stdout) * 1024 < 60_965_224 * 4 + 9_216 * 4096 * 4 + (32 << 20)


# ---- files that cannot be read


@pytest.mark.parametrize("suffix", ["safetensors", "npz", "npy"])
def test_what_is_no_file(tmp_path: Path, suffix: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def message(path: str) -> str:
        if suffix == "npy":
            return refused(read_array, path, Shape(1, 1, 1))[0]
        return refused(read, path, LINEAR)[0]

    assert message(f"{tmp_path}/w.{suffix}") == f"cannot read `w.{suffix}`: no such file or directory"
    os.mkdir(tmp_path / f"d.{suffix}")
    assert message(f"{tmp_path}/d.{suffix}") == f"`d.{suffix}` is a directory"
    os.mkfifo(tmp_path / f"p.{suffix}")
    assert message(f"{tmp_path}/p.{suffix}") == f"`p.{suffix}` is no regular file"
    os.symlink("/dev/zero", tmp_path / f"z.{suffix}")
    assert message(f"{tmp_path}/z.{suffix}") == f"`z.{suffix}` is no regular file"
    assert message(f"{tmp_path}/\0.{suffix}") == f"cannot read `\\x00.{suffix}`: embedded null byte"
    (tmp_path / f"w.{suffix}").touch()

    def deny(*arguments: Any) -> Any:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("builtins.open", deny)
    assert message(f"{tmp_path}/w.{suffix}") == f"cannot read `w.{suffix}`: permission denied"


def test_a_file_that_shrinks_while_it_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = save(tmp_path / "w.safetensors", {"linear.weight": np.ones((3, 2), np.float32)})
    whole = os.path.getsize(path)
    os.truncate(path, whole - 4)
    real = os.fstat

    def before(file: int) -> os.stat_result:
        return os.stat_result((*real(file)[:6], whole, *real(file)[7:]))

    monkeypatch.setattr("os.fstat", before)
    assert refused(read, path, LINEAR) == [
        "`w.safetensors` is no sound safetensors file: it ends within `linear.weight`"
    ]


# ---- inputs


@pytest.mark.parametrize("dtype", ["float16", "float32", ">f8", "uint8", "int64"])
def test_inputs(tmp_path: Path, dtype: str) -> None:
    images = (RNG.random((2, 3, 4, 5)) * 100).astype(dtype)
    path = str(tmp_path / "x.npy")
    np.save(path, images)
    found = read_array(path, Shape(3, 4, 5))
    assert found.dtype == np.float32
    assert np.array_equal(found, images.astype(np.float32))
    np.save(path, np.asfortranarray(images[0]))
    assert np.array_equal(read_array(path, Shape(3, 4, 5), "float64")[0], images[0].astype(np.float64))


def test_inputs_that_are_vectors(tmp_path: Path) -> None:
    path = str(tmp_path / "x.npy")
    for shape in ((5,), (1, 5), (1, 1, 5), (1, 1, 1, 5)):
        np.save(path, np.arange(5.0).reshape(shape))
        assert read_array(path, Shape(1, 1, 5)).shape == (1, 1, 1, 5)
    np.save(path, np.ones((7, 5)))
    assert read_array(path, Shape(1, 1, 5)).shape == (7, 1, 1, 5)


@pytest.mark.parametrize(
    ("shape", "found"),
    [
        ((3, 224, 224), "3×224×224"),
        ((1, 3, 224, 224), "1×3×224×224"),
        ((224, 224), "224×224"),
        ((0, 224, 224, 3), "0×224×224×3"),
        ((2, 1, 224, 224, 3), "2×1×224×224×3"),
        ((), "a single number"),
    ],
)
def test_inputs_of_another_shape(tmp_path: Path, shape: tuple[int, ...], found: str) -> None:
    np.save(tmp_path / "x.npy", np.zeros(shape, np.uint8))
    help = "axes are images × height × width × channels; an image is 224×224×3"
    assert refused(read_array, str(tmp_path / "x.npy"), Shape(224, 224, 3)) == [
        f"`x.npy` is {found}, not 224×224×3 → {help}"
    ]


def test_inputs_that_are_no_numbers(tmp_path: Path) -> None:
    path = str(tmp_path / "x.npy")
    kinds = {"bool": bool, "complex128": complex, "str32": "<U1", "datetime64": "M8[s]", "void32": "f4,"}
    for name, kind in kinds.items():
        np.save(path, np.zeros((1, 1, 2), kind))
        wanted = f"`x.npy` holds {name} values, no real numbers → a pickle is never read"
        assert refused(read_array, path, Shape(1, 1, 2))[0].replace("[s]", "") == wanted


def test_inputs_that_are_not_finite(tmp_path: Path) -> None:
    path = str(tmp_path / "x.npy")
    for value, what in ((np.nan, "NaN"), (1e300, "values that are infinite in float32")):
        np.save(path, np.array([1.0, value]))
        assert refused(read_array, path, Shape(1, 1, 2)) == [f"`x.npy` holds {what}"]
    assert read_array(path, Shape(1, 1, 2), "float64")[0, 0, 0, 1] == 1e300


def test_inputs_with_more_behind_them(tmp_path: Path) -> None:
    path = tmp_path / "x.npy"
    path.write_bytes(npy(np.ones(2, np.float32)) + b"more")
    wanted = "it claims 2 of float32, 8 bytes, and has 12"
    assert refused(read_array, str(path), Shape(1, 1, 2)) == [f"`x.npy` is no sound npy file: {wanted}"]


def test_made_weights_can_be_saved_and_read(tmp_path: Path) -> None:
    graph = archcalc.load("vit_b_32", layers=1, width=24).graph
    weights = make(graph)
    flat = {f"{path}.{role}": w for path, roles in weights.items() for role, w in roles.items()}
    assert same(read(save(tmp_path / "w.safetensors", flat), graph), flat)


def test_files_with_any_byte_wrong(tmp_path: Path) -> None:
    """Whatever is flipped, cut off or put in: weights, or a UsageError."""
    flat = {f"{path}.{role}": w for path, roles in make(SMALL).items() for role, w in roles.items()}
    pick = random.Random(0)
    refusals = 0
    for suffix in (".safetensors", ".npz"):
        sound = Path(save(tmp_path / f"sound{suffix}", flat)).read_bytes()
        for _ in range(400):
            content = bytearray(sound)
            for _ in range(pick.randint(1, 4)):
                at = pick.choice(
                    [pick.randrange(len(sound)), pick.randrange(200), -pick.randrange(1, 900)]
                )
                content[at : at + pick.choice([0, 1, 1, 1, 8])] = pick.randbytes(
                    pick.choice([0, 1, 1, 8])
                )
            (tmp_path / f"w{suffix}").write_bytes(content)
            try:
                read(str(tmp_path / f"w{suffix}"), SMALL)
            except UsageError as error:
                refusals += 1
                assert len(str(error)) < 2000
    assert refusals > 600
