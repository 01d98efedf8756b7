"""Foreign names matched to layers: what shapes, modules and numbers leave open, and what they do not."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import archcalc
from archcalc.errors import UsageError
from archcalc.files import matching
from archcalc.files.containers import FileTensor
from archcalc.files.layouts import stored_forms
from archcalc.files.tensors import read
from archcalc.graph.build import build
from archcalc.graph.model import Graph
from archcalc.spec.model import Source
from archcalc.spec.read import read as read_spec

Dims = tuple[int, ...]


def graph_of(layers: str, size: str) -> Graph:
    """Lines with `;` between them."""
    lines = [line.strip() for line in layers.split(";")]
    return build(read_spec(Source("net.toml", f'input = "{size}"\nlayers = {lines!r}')), {})


def conv(prefix: str, outside: int, inside: int, kernel: int) -> dict[str, Dims]:
    return {f"{prefix}.weight": (outside, inside, kernel, kernel)}


def norm(prefix: str, channels: int) -> dict[str, Dims]:
    ends = ("weight", "bias", "running_mean", "running_var")
    return {f"{prefix}.{end}": (channels,) for end in ends} | {f"{prefix}.num_batches_tracked": ()}


def linear(prefix: str, outside: int, inside: int) -> dict[str, Dims]:
    return {f"{prefix}.weight": (outside, inside), f"{prefix}.bias": (outside,)}


def match(
    graph: Graph, shapes: Mapping[str, Dims], mapping: Mapping[str, str] | None = None, suffix: str = ""
) -> dict[str, str] | None:
    """Of a file with these tensors: in order of their names, as safetensors has it, or as they are."""
    names = list(shapes) if suffix else sorted(shapes)
    tensors = {name: FileTensor("float32", shapes[name], lambda: None) for name in names}
    file = f"w{suffix or '.safetensors'}"
    return matching.match(file, tensors, list(stored_forms(graph)), mapping or {})


def refused(*arguments: Any) -> str:
    with pytest.raises(UsageError) as caught:
        match(*arguments)
    (diagnostic,) = caught.value.diagnostics
    return f"{diagnostic.message} → {diagnostic.help}"


HELP = (
    " → a map tells, with a line for each place: `our/path = their.prefix`;"
    " or save the state_dict as .npz, which keeps its order"
)
THREE = graph_of("conv 4 k3 half nobias | conv 4 k3 half nobias | conv 4 k3 half nobias", "8x8x4")


def test_numbers_are_no_text() -> None:
    """In order of text it would be 0, 10, 2."""
    shapes = conv("features.0", 4, 4, 3) | conv("features.2", 4, 4, 3) | conv("features.10", 4, 4, 3)
    assert match(THREE, shapes) == {"conv": "features.0", "conv2": "features.2", "conv3": "features.10"}


def test_letters_follow_numbers() -> None:
    shapes = conv("block_2b", 4, 4, 3) | conv("block_2a", 4, 4, 3) | conv("block_1", 4, 4, 3)
    assert match(THREE, shapes) == {"conv": "block_1", "conv2": "block_2a", "conv3": "block_2b"}


def test_letters_from_the_first_on_are_an_order() -> None:
    shapes = conv("f.a", 4, 4, 3) | conv("f.b", 4, 4, 3) | conv("f.c", 4, 4, 3)
    assert match(THREE, shapes) == {"conv": "f.a", "conv2": "f.b", "conv3": "f.c"}
    shapes = conv("f.k", 4, 4, 3) | conv("f.q", 4, 4, 3) | conv("f.v", 4, 4, 3)
    assert "`conv2` may be `f.q` or `f.v`" in refused(THREE, shapes)
    shapes = conv("f.0", 4, 4, 3) | conv("f.a", 4, 4, 3) | conv("f.1", 4, 4, 3)
    assert "`conv2` may be `f.1` or `f.a`" in refused(THREE, shapes)


def test_names_without_numbers_tell_no_order() -> None:
    shapes = conv("head", 4, 4, 3) | conv("body.0", 4, 4, 3) | conv("body.1", 4, 4, 3)
    assert refused(THREE, shapes) == (
        "`w.safetensors` has names of its own, and fits in more than one way at 1 place:"
        " `conv` may be `body.0` or `head`" + HELP
    )
    assert match(THREE, shapes, {"conv": "head"}) == {
        "conv": "head",
        "conv2": "body.0",
        "conv3": "body.1",
    }
    assert match(THREE, shapes, {"conv3": "head"}) == {
        "conv": "body.0",
        "conv2": "body.1",
        "conv3": "head",
    }


def test_what_is_in_a_module_lies_together() -> None:
    """The head cannot stand between the two of the body, though its shape could."""
    shapes = conv("head", 4, 4, 3) | conv("body.0", 4, 4, 3) | conv("body.1", 4, 4, 3)
    assert match(THREE, shapes, {"conv2": "head"}) is None
    shapes = conv("a.x", 4, 4, 3) | conv("a.y", 5, 4, 3) | conv("b", 4, 5, 3)
    graph = graph_of("conv 4 k3 half nobias | conv 5 k3 half nobias | conv 4 k3 half nobias", "8x8x4")
    assert match(graph, shapes) == {"conv": "a.x", "conv2": "a.y", "conv3": "b"}


def test_an_npz_keeps_the_order_of_a_state_dict() -> None:
    shapes = conv("head", 4, 4, 3) | conv("body", 4, 4, 3) | conv("a", 4, 4, 3)
    assert match(THREE, shapes, {}, ".npz") == {"conv": "head", "conv2": "body", "conv3": "a"}


def test_a_module_has_its_own_tensors_before_its_parts() -> None:
    """In a state_dict `class_token` comes first, though the projection runs before it."""
    graph = graph_of("conv 6 k2 s2 nobias | tokens | classtoken | posembed", "4x4x3")
    shapes: dict[str, Dims] = {"class_token": (1, 1, 6), "position": (1, 5, 6)} | conv("proj", 6, 3, 2)
    assert match(graph, shapes, {}, ".npz") == {
        "conv": "proj",
        "classtoken": "class_token",
        "posembed": "position",
    }


def test_a_shape_that_fits_no_layer() -> None:
    shapes = conv("features.0", 4, 4, 3) | conv("features.2", 4, 4, 3)
    assert match(THREE, shapes | {"features.4.weight": (4, 3, 3, 4)}) is None
    assert match(THREE, shapes | {"features.4.a": (4, 4, 3, 2), "features.4.b": (4, 4, 3)}) is None
    assert match(THREE, shapes) is None
    assert match(THREE, shapes | conv("features.4", 4, 4, 3) | conv("aux", 4, 4, 3)) is None


def test_numbers_against_our_order() -> None:
    graph = graph_of("conv 4 k3 half nobias | conv 5 k3 half nobias", "8x8x4")
    assert match(graph, conv("c1", 5, 4, 3) | conv("c2", 4, 4, 3)) is None
    assert match(graph, conv("c1", 4, 4, 3) | conv("c2", 5, 4, 3)) == {"conv": "c1", "conv2": "c2"}


def test_our_own_names_are_left_alone() -> None:
    shapes = conv("conv2", 4, 4, 3) | conv("conv", 4, 4, 3) | conv("conv3", 4, 4, 3)
    assert match(THREE, shapes) is None


def resnet50() -> tuple[dict[str, Dims], dict[str, str]]:
    """torchvision's names and shapes, and the layer of each module."""
    shapes = conv("conv1", 64, 3, 7) | norm("bn1", 64)
    layers = {"conv": "conv1", "bn": "bn1"}
    arriving = 64
    for stage, (count, width) in enumerate(((3, 64), (4, 128), (6, 256), (3, 512)), 1):
        for block in range(count):
            ours = f"stage{stage}/bottleneck{block + 1 if block else ''}"
            theirs = f"layer{stage}.{block}"
            sizes = ((width, arriving, 1), (width, width, 3), (4 * width, width, 1))
            for number, (outside, inside, kernel) in enumerate(sizes, 1):
                shapes |= conv(f"{theirs}.conv{number}", outside, inside, kernel)
                shapes |= norm(f"{theirs}.bn{number}", outside)
                suffix = str(number) if number > 1 else ""
                layers[f"{ours}/main/conv{suffix}"] = f"{theirs}.conv{number}"
                layers[f"{ours}/main/bn{suffix}"] = f"{theirs}.bn{number}"
            if not block:
                shapes |= conv(f"{theirs}.downsample.0", 4 * width, arriving, 1)
                shapes |= norm(f"{theirs}.downsample.1", 4 * width)
                layers[f"{ours}/shortcut/match/conv"] = f"{theirs}.downsample.0"
                layers[f"{ours}/shortcut/match/bn"] = f"{theirs}.downsample.1"
            arriving = 4 * width
    return shapes | linear("fc", 1000, 2048), layers | {"linear": "fc"}


def test_resnet50_of_torchvision() -> None:
    """One shortcut has the shape of the conv before it: 64 to 256 channels."""
    graph, (shapes, layers) = archcalc.load("resnet50").graph, resnet50()
    assert refused(graph, shapes) == (
        "`w.safetensors` has names of its own, and fits in more than one way at 1 place:"
        " `stage1/bottleneck/main/conv3` may be `layer1.0.conv3` or `layer1.0.downsample.0`" + HELP
    )
    assert match(graph, shapes, {"stage1/bottleneck/shortcut": "layer1.0.downsample"}) == layers
    assert match(graph, shapes, {"stage1/bottleneck/main/bn3": "layer1.0.bn3"}) == layers
    assert match(graph, shapes, {}, ".npz") == layers


def test_all_places_are_told() -> None:
    block = "conv 4 k3 half nobias | conv 4 k3 half nobias"
    graph = graph_of(" | ".join([block] * 6), "8x8x4")
    shapes = {
        name: shape
        for i in range(6)
        for end in ("up", "down")
        for name, shape in conv(f"{i}.{end}", 4, 4, 3).items()
    }
    assert refused(graph, shapes) == (
        "`w.safetensors` has names of its own, and fits in more than one way at 6 places:"
        " `conv` may be `0.down` or `0.up`, `conv3` may be `1.down` or `1.up`,"
        " `conv5` may be `2.down` or `2.up`, `conv7` may be `3.down` or `3.up`, …" + HELP
    )


def test_maps_of_what_is_not_there() -> None:
    graph, (shapes, _) = archcalc.load("resnet50").graph, resnet50()
    assert match(graph, shapes, {"stage1/bottleneck/shortcut": "layer1.0.shortcut"}) is None
    assert match(graph, shapes, {"stage1/bottleneck": "layer1.1"}) is None
    twice = {"stage1/bottleneck": "layer1.0", "stage1/bottleneck2": "layer1.0"}
    assert match(graph, shapes, twice) is None


def test_matched_values_are_in_torchs_layout(tmp_path: Path) -> None:
    """A square matrix fits both layouts."""
    graph = graph_of("a = linear 3; b = linear 3", "1x1x3")
    square = np.arange(9, dtype=np.float32).reshape(3, 3)
    one = np.ones(3, np.float32)
    tensors = {"net.0.weight": square, "net.0.bias": one, "net.2.weight": 2 * square, "net.2.bias": one}
    path = str(tmp_path / "w.npz")
    np.savez(path, **tensors)
    weights = read(path, graph)
    assert np.array_equal(weights["a"]["weight"], square.T)
    assert np.array_equal(weights["b"]["weight"], 2 * square.T)
    with pytest.raises(UsageError) as caught:
        read(path, graph, torch=False)
    assert "lacks 4 tensors" in caught.value.diagnostics[0].message


@pytest.mark.parametrize("name", ["{}", "x{}", "net.{}"])
def test_hopeless_files_come_to_an_end(name: str) -> None:
    """Hundreds of equal modules without numbers have more orders than anybody can try."""
    count = 400
    graph = graph_of(" | ".join(["conv 4 k3 half nobias"] * count), "8x8x4")
    letters = ["".join(chr(97 + i // 26**place % 26) for place in range(3)) for i in range(count)]
    shapes = {f"{name.format(x)}.weight": (4, 4, 3, 3) for x in letters[1:]}
    shapes[f"{name.format('last')}.weight"] = (3, 3, 4, 4)
    assert match(graph, shapes) is None


@pytest.mark.parametrize("name", ["a." * 5000, "1" * 5000])
def test_names_without_end(name: str) -> None:
    shapes = {f"{name}{i}.weight": (4, 4, 3, 3) for i in range(3)}
    assert match(THREE, shapes) is None


# ---- another head


RESIDUAL = "conv 4 k3 half nobias | bn | conv 4 k3 half nobias | bn | gap | linear {n}"


def residual(head: dict[str, Dims]) -> dict[str, Dims]:
    shapes = conv("stem.0", 4, 4, 3) | norm("stem.1", 4) | conv("body.0", 4, 4, 3) | norm("body.1", 4)
    return shapes | head


def test_a_head_of_other_classes_is_all_that_does_not_fit(tmp_path: Path) -> None:
    graph = graph_of(RESIDUAL.format(n=10), "8x8x4")
    pins = {"conv": "stem.0", "bn": "stem.1"}
    found = match(graph, residual(linear("fc", 1000, 4)), pins)
    assert found is not None and found["linear"] == "fc" and found["conv2"] == "body.0"
    path = tmp_path / "w.npz"
    np.savez(path, **{k: np.ones(v, np.float32) for k, v in residual(linear("fc", 1000, 4)).items()})
    with pytest.raises(UsageError) as caught:
        read(str(path), graph, pins)
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.message == (
        f"`{path}` has 2 tensors of another shape: `fc.weight` is 1000×4 instead of 4×10 or 10×4,"
        " `fc.bias` is 1000 instead of 10 or 1×10"
    )


@pytest.mark.parametrize(
    "head",
    [
        linear("fc", 1000, 4) | linear("more", 2, 2),
        {"fc.weight": (1000, 4), "fc.other": (1000,)},
        {"fc.weight": (1000, 4)},
        {"fc.weight": (10, 4, 100), "fc.bias": (1000,)},
    ],
)
def test_a_head_of_another_kind_is_none(head: dict[str, Dims]) -> None:
    graph = graph_of(RESIDUAL.format(n=10), "8x8x4")
    assert match(graph, residual(head), {"conv": "stem.0", "bn": "stem.1"}) is None


def test_a_name_is_not_offered_for_itself(tmp_path: Path) -> None:
    """`conv2.bias` has the same name in both layouts."""
    made = {"conv.weight": (3, 3, 4, 4), "conv.bias": (4,), "conv2.weight": (3, 3, 4, 4)}
    path = tmp_path / "w.npz"
    np.savez(path, **{name: np.ones(shape, np.float32) for name, shape in made.items()})
    with pytest.raises(UsageError) as caught:
        read(str(path), graph_of("conv 4 k3 half | conv 4 k3 half", "8x8x4"))
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.message == f"`{path}` lacks 1 tensor: `conv2.bias` (4)"
    assert diagnostic.help == "a map gives layers other names"
