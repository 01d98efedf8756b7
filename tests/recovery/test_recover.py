"""A flat graph becomes a spec with blocks that builds the same layers."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

import archcalc
from archcalc.graph.model import Graph
from archcalc.listing import listing
from archcalc.recovery.parts import chain_concats
from archcalc.recovery.recover import is_same, recover, with_blocks

NAMES = listing().names
FEW = (  # of each family one
    *("resnet18", "resnet50", "googlenet", "inception_v3", "densenet121", "mobilenet_v2"),
    *("mobilenet_v3_small", "efficientnet_b0", "shufflenet_v2_x1_0", "convnext_tiny", "vit_b_16"),
    *("swin_t", "unet", "yolov3", "hrnet_w18", "bert_base", "gpt2", "transformer_base", "siamese"),
    *("deeplabv3_resnet50", "regnet_y_8gf", "squeezenet"),
)


def with_modules(graph: Graph) -> Graph:
    """The graph as a file of torch names its layers: modules with dots."""
    nodes = [n._replace(path=n.path.replace("/", ".")) for n in graph.nodes[graph.inputs :]]
    return graph._replace(nodes=(*graph.nodes[: graph.inputs], *nodes))


def nameless(graph: Graph) -> Graph:
    """The graph as a file without modules: conv, bn, conv2, …"""
    counts: Counter[str] = Counter()
    nodes = list(graph.nodes[: graph.inputs])
    for node in graph.nodes[graph.inputs :]:
        counts[node.operator.name] += 1
        nodes.append(node._replace(path=f"{node.operator.name}{counts[node.operator.name]}"))
    return graph._replace(nodes=tuple(nodes))


@pytest.mark.parametrize("form", [with_modules, nameless])
@pytest.mark.parametrize(
    "name", [n if n in FEW else pytest.param(n, marks=pytest.mark.zoo) for n in NAMES]
)
def test_builds_the_same_layers(name: str, form: Callable[[Graph], Graph]) -> None:
    graph = chain_concats(form(archcalc.load(name).graph))
    text = with_blocks(graph, {}, name)
    assert is_same(text, graph), text
    assert archcalc.load(text).analyze().parameters == archcalc.load(name).analyze().parameters


UNITS = """
title = "units"
input = "32x32x3"
layers = [
  "conv 16 k3 p1 nobias | bn | relu",
  "unit 16", "unit 16", "unit 32 s2", "unit 32",
  "gap | linear 10",
]
[defaults]
conv = "nobias"
[block.unit]
args = "c s=1"
add.main = ["conv {c} k3 s{s} p1 | bn | relu", "conv {c} k3 p1 | bn"]
add.shortcut = ["@in", "if channels != c: conv {c} s{s} | bn"]
then = "relu"
"""


def test_units_with_and_without_a_projection_are_one_block() -> None:
    text = recover(nameless(archcalc.load(UNITS).graph), {}, "units")
    assert (
        text
        == """\
title = "units"
input = "32x32x3"
layers = [
  "conv1 = conv {width} k3 p1 | bn | relu",
  "2 x residual {width}",
  "residual {2*width} s2",
  "residual {2*width}",
  "linear1 = gap | linear {classes}",
]

[vars]
classes = 10
width = { default = 16, help = "channels of the narrowest stage; the others are multiples" }

[defaults]
conv = "nobias"

[block.residual]
args = "c s=1"
add.main = ["conv {c} k3 s{s} p1 | bn | relu", "conv {c} k3 p1 | bn"]
add.shortcut = ["@in", "if channels != c: conv {c} s{s} | bn"]
then = "relu"
"""
    )


def test_the_width_that_was_found_can_be_set() -> None:
    text = recover(nameless(archcalc.load(UNITS).graph), {}, "units")
    twice = UNITS.replace("32 s2", "64 s2").replace('"unit 32"', '"unit 64"').replace("16", "32")
    wide = archcalc.load(text, width=32).analyze()
    assert wide.parameters == archcalc.load(twice).analyze().parameters
    assert wide.multiplies == archcalc.load(twice).analyze().multiplies


@pytest.mark.parametrize(
    "changed",
    [
        ("k3 p1 | bn | relu", "k3 p1 | relu | bn"),  # another order
        ("s2", "s2 | relu"),  # a layer more
        ("linear {classes}", "linear 11"),  # another number
        ('"@in", ', ""),  # a shortcut that is not always there
    ],
)
def test_a_text_that_builds_another_graph_is_noticed(changed: tuple[str, str]) -> None:
    graph = nameless(archcalc.load(UNITS).graph)
    text = recover(graph, {}, "units")
    assert is_same(text, graph)
    assert changed[0] in text
    assert not is_same(text.replace(*changed), graph)


def test_a_growing_concat_goes_on_from_the_one_before() -> None:
    layers = ["a = conv 8 k3 p1", "b = conv 8 k3 p1", "c = @a | concat @b | conv 8 k3 p1"]
    layers += ["@a | concat @b @c | conv 4"]
    spec = f'title = "t"\ninput = "8x8x8"\nlayers = {layers}\n'
    graph = archcalc.load(spec).graph
    chained = chain_concats(graph)
    joined = [n.inputs for n in chained.nodes if n.operator.name == "concat"]
    assert [n.inputs for n in graph.nodes if n.operator.name == "concat"] == [(1, 2), (1, 2, 4)]
    assert joined == [(1, 2), (3, 4)]  # node 3 is the concat of 1 and 2
    assert [n.shape for n in chained.nodes] == [n.shape for n in graph.nodes]


def test_weights_that_layers_share_stay_shared() -> None:
    layers = ["a = conv 3 k3 p1 | relu", "b = conv 3 k3 p1", "reuse @b", "reuse @b"]
    graph = archcalc.load(f'title = "t"\ninput = "8x8x3"\nlayers = {layers}\n').graph
    text = recover(nameless(graph), {}, "t")
    assert text.count("reuse @conv2") == 2
    weights = 3 * 3 * 3 * 3 + 3  # of one 3x3 conv from 3 to 3 channels
    assert archcalc.load(text).analyze().parameters == 2 * weights


def test_many_modules_of_no_kind_take_no_time() -> None:
    """Thousands of different bodies of one class: no pair of them is tried."""
    lines = [f'"conv {8 + i % 7} k{1 + i % 3 // 2 * 2} half"' for i in range(3_000)]
    graph = archcalc.load(f'title = "t"\ninput = "64x64x3"\nlayers = [{", ".join(lines)}]\n').graph
    nodes = [n._replace(path=f"m{i // (2 + i % 5)}.x{i}") for i, n in enumerate(graph.nodes)]
    graph = graph._replace(nodes=(graph.nodes[0], *nodes[1:]))
    modules = {f"m{i}": "Odd" for i in range(3_000)}
    assert is_same(recover(graph, modules, "t"), graph)


STEM = ["conv 16 k3 p1 | relu", "conv 32 k3 p1 | relu", "conv 64 k3 p1 | relu"]


@pytest.mark.parametrize(
    "layers",
    [
        [*STEM, "conv 64 k3 p1 g64 | tokens | attention 4 | reshape 8x8x64 | gap | linear 10"],
        [*STEM, "conv 32 g1 | gap | linear 10"],
    ],
)
def test_a_width_varies_through_reshapes_and_depthwise_layers(layers: list[str]) -> None:
    """Twice every number of channels in the text that was recovered, and in the one written here."""
    spec = f'title = "t"\ninput = "8x8x3"\nlayers = {layers}\n'
    twice = spec
    for width in (64, 32, 16):
        twice = re.sub(rf"(conv |g|x){width}\b", rf"\g<1>{2 * width}", twice)
    recovered = recover(nameless(archcalc.load(spec).graph), {}, "t")
    wide = archcalc.load(recovered, width=32).analyze()
    assert wide.parameters == archcalc.load(twice).analyze().parameters
    assert wide.multiplies == archcalc.load(twice).analyze().multiplies


def test_no_width_where_another_cannot_be() -> None:
    """A stored tensor of 64 numbers goes with 64 channels alone."""
    layers = [*STEM, "offset 64 | gap | linear 10"]
    spec = f'title = "t"\ninput = "8x8x3"\nlayers = {layers}\n'
    recovered = recover(nameless(archcalc.load(spec).graph), {}, "t")
    assert "width" not in recovered
    assert "classes = 10" in recovered


@pytest.mark.parametrize(
    ("lines", "out"),
    [
        (["conv 4 k3 | relu", "a = maxpool 2 | tanh", "relu | gap", "linear 3"], ["tanh"]),
        (["conv 4 k3", "a = conv 5"], ["conv"]),
        (["conv 4 | relu", "a = bn", "relu | maxpool 2", "output more = @a"], ["bn", "bn"]),
    ],
    ids=["amid a line", "the last layer", "twice"],
)
def test_outputs_beside_the_last(lines: list[str], out: list[str], tmp_path: Path) -> None:
    path = tmp_path / "net.toml"
    listed = ", ".join(f'"{line}"' for line in [*lines, "output side = @a"])
    path.write_text(f'input = "8x8x3"\nlayers = [{listed}]\n')
    graph = archcalc.load(str(path)).graph
    found = recover(graph, {}, "Net")
    assert is_same(found, graph)
    assert sum('"output ' in line for line in found.splitlines()) == len(out)
    assert [graph.nodes[index].operator.name for _, index in graph.side_outputs] == out
