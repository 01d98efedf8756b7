"""Model files as layers: those of the bundled spec, or refused with the reason."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from support import protobuf as p

import archcalc
from archcalc.analysis.field import receptive_fields
from archcalc.analysis.memory import measure
from archcalc.errors import ArchError
from archcalc.graph.model import Graph
from archcalc.interop.lowering.assembly import LoweringState
from archcalc.interop.lowering.axes import Atoms
from archcalc.lowered import lower, network_of

PT2 = Path(__file__).parents[1] / "data" / "pt2"


def lowered(name: str) -> Graph:
    return lower(archcalc.load_model(PT2 / f"{name}.pt2")).graph


def census(graph: Graph) -> dict[str, int]:
    found: dict[str, int] = {}
    for node in graph.nodes:
        for work in node.operator.work(*graph.input_shapes(node)):
            found[work.kind] = found.get(work.kind, 0) + int(work.total)
    return found


BUNDLED = {
    "resnet18": "resnet18",
    "torchvision/googlenet": "googlenet_torch",
    **{f"torchvision/{name}": name for name in ("densenet121", "mobilenet_v2", "efficientnet_b0")},
    **{f"torchvision/{name}": name for name in ("shufflenet_v2_x1_0", "vit_b_16", "swin_t")},
    "torchvision/convnext_tiny": "convnext_tiny",
}


@pytest.mark.parametrize(("file", "name"), BUNDLED.items())
def test_a_network_that_is_bundled_too(file: str, name: str) -> None:
    """Its whole census, memory and receptive field; the spec follows the paper, and knows no torch."""
    graph, spec = lowered(file), archcalc.load(name).graph
    assert census(graph) == census(spec)
    mine, theirs = measure(graph), measure(spec)
    assert (mine.stored, mine.peak) == (theirs.stored, theirs.peak)
    seen = [{str(sorted(row.items())) for row in fields_of(g)} for g in (graph, spec)]
    assert seen[0] == seen[1]


def fields_of(graph: Graph) -> list[dict[str, Any]]:
    """What is seen at each map, under no name."""
    return [{k: v for k, v in row.items() if k != "path"} for row in receptive_fields(graph).rows]


def test_paths_are_the_modules() -> None:
    paths = [node.path for node in lowered("resnet18").nodes]
    assert paths[:4] == ["input", "conv1", "bn1", "relu"]
    assert "layer3.0.downsample.0" in paths
    assert paths.count("layer1.0.relu") == 1 and "layer1.0.relu2" in paths  # one module, called twice


@pytest.mark.parametrize("name", [*BUNDLED, "frozen", "sequence", "two_inputs", "volume"])
def test_the_network_has_the_same_layers(name: str) -> None:
    """A network reads the layers as the text of a spec."""
    model = archcalc.load_model(PT2 / f"{name}.pt2")
    mine, read = lower(model).graph, network_of(model).graph
    told = [
        [
            (n.path.replace(".", "/"), str(n.operator), n.inputs, n.shape, n.shares)
            for n in graph.nodes[graph.inputs :]
        ]
        for graph in (mine, read)
    ]
    assert told[0] == told[1]
    assert (mine.output, mine.side_outputs) == (read.output, read.side_outputs)


def test_another_input() -> None:
    """160 pixels: 80, 40, 40, 20, 10 and 5 a side; the last stage's maps are 5×5."""
    network = network_of(archcalc.load_model(PT2 / "resnet18.pt2"), "160")
    assert network.graph.nodes[-3].shape == (5, 5, 512)


CHANGES: list[tuple[str, str, dict[str, Any], str]] = [
    ("resnet18", "conv", {"nobias": False}, "parameters as layers, 11,689,512 as counted"),
    ("resnet18", "conv", {"s": (1, 1)}, "its output is "),
    ("resnet18", "conv", {"p": (0, 0)}, "its output is "),
    ("resnet18", "bn", {"noscale": True}, "parameters as layers"),
    ("resnet18", "bn", {"noshift": True}, "parameters as layers"),
    ("resnet18", "maxpool", {"s": (1, 1)}, "its output size contradicts"),
    ("resnet18", "maxpool", {"p": (0, 0)}, "its output size contradicts"),
    ("resnet18", "linear", {"units": 999}, "its output is "),
    ("resnet18", "linear", {"nobias": True}, "parameters as layers"),
    ("volume", "conv", {"k": (1, 1, 1)}, "its output is "),
    ("two_inputs", "linear", {"nobias": True}, "parameters as layers"),
    ("sequence", "conv", {"d": (2,)}, "its output is "),
]


@pytest.mark.parametrize(("name", "word", "change", "told"), CHANGES)
def test_a_rule_that_is_wrong_is_noticed(
    name: str, word: str, change: dict[str, Any], told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = LoweringState.add

    def wrong(self: LoweringState, said: str, *rest: Any, **given: Any) -> int:
        return right(self, said, *rest, **(given | change if said == word else given))

    monkeypatch.setattr(LoweringState, "add", wrong)
    with pytest.raises(archcalc.ArchError) as error:
        lowered(name)
    assert told in str(error.value)


ONNX = Path(__file__).parents[1] / "data" / "onnx"


@pytest.mark.parametrize("name", ["classifier", "function", "listed", "volume"])
def test_onnx(name: str) -> None:
    model = archcalc.load_model(ONNX / f"{name}.onnx")
    analysis = network_of(model).analyze()
    assert (analysis.multiplies, analysis.parameters) == (model.multiplies, model.parameters)


def test_axes_are_split_where_views_split_them() -> None:
    """7·2 rows and 7·2 columns in windows of 7: (2, 7, 2, 7) of the same values."""
    atoms = Atoms()
    rows, columns = atoms.new(14), atoms.new(14)
    axes = atoms.viewed((rows, columns), (2, 7, 2, 7))
    assert axes is not None and atoms.shape(axes) == (2, 7, 2, 7)
    assert atoms.leaves(rows) == axes[0] + axes[1]
    merged = atoms.viewed(axes, (14, 14))
    assert merged == (axes[0] + axes[1], axes[2] + axes[3])
    assert atoms.viewed((atoms.new(6),), (2, 3)) is not None
    assert atoms.viewed((atoms.new(2), atoms.new(3)), (3, 2)) is None  # it crosses a border


def test_a_head_that_shares_the_table_of_words() -> None:
    """50 words of 8 numbers, once; each of 6 places is held against all of them: 6 · 50 · 8."""
    counts = network_of(archcalc.load_model(PT2 / "tied.pt2")).analyze()
    assert (counts.parameters, counts.multiplies) == (50 * 8, 6 * 50 * 8)


def test_recurrent_layers() -> None:
    """Two layers of 16 units of 12 inputs; what lowers equals the tally, here the arithmetic again."""
    graph = lowered("lstm")
    (layer,) = [n for n in graph.nodes if n.operator.name == "lstm"]
    assert layer.shape == (7, 32)


@pytest.mark.parametrize(
    ("names", "paths"),
    [("x y", ["x2", "y"]), ("1 2", ["input_1", "input_2"]), ("in.1 input", ["in_1", "input2"])],
)
def test_inputs_that_are_called_as_a_word_of_the_language(
    names: str, paths: list[str], tmp_path: Path
) -> None:
    path = tmp_path / "net.onnx"
    values = [p.value(name, 1, 3, 8, 8) for name in names.split()]
    path.write_bytes(p.model([p.node("Add", names, "sum")], values, output="sum"))
    assert [node.path for node in archcalc.load(path).graph.nodes] == [*paths, "add"]


@pytest.mark.parametrize(("function", "fits"), [("zeros", True), ("ones", False), ("full", False)])
def test_a_recurrent_layer_begins_with_zeros(function: str, fits: bool) -> None:
    """torch writes out the state that nobody gives."""
    model = archcalc.load_model(PT2.parent / "weighted" / "gru.pt2")
    filled = [op for op in model.trace.operations if op.word == "fill"]
    assert filled
    changed = tuple(
        op._replace(attributes={**op.attributes, "function": function}) if op in filled else op
        for op in model.trace.operations
    )
    model.trace = model.trace._replace(operations=changed)
    if fits:
        assert lower(model).graph.nodes
    else:
        with pytest.raises(ArchError, match="its initial state is not zero"):
            lower(model)
