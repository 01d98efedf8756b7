"""Seeded weights: what is drawn, that nothing else of the network changes it, what is silenced."""

from __future__ import annotations

import subprocess
import sys
from math import prod, sqrt
from typing import Any

import numpy as np
import pytest

import archcalc
from archcalc.commands.run import INITS as CHOICES
from archcalc.errors import UsageError
from archcalc.execution.reference import run
from archcalc.execution.weights import INITS, make, residual_ends, slots
from archcalc.graph.build import build
from archcalc.graph.model import Graph
from archcalc.spec.model import Source
from archcalc.spec.read import read as read_spec


def graph_of(layers: str, size: str) -> Graph:
    """Lines with `;` between them."""
    lines = [line.strip() for line in layers.split(";")]
    return build(read_spec(Source("net.toml", f'input = "{size}"\nlayers = {lines!r}')), {})


def values(graph: Graph, weights: dict[str, Any], image: Any) -> list[Any]:
    """Every node's output, by the reference."""
    found: list[Any] = []
    for node in graph.nodes:
        inputs = [found[i] for i in node.inputs]
        found.append(run(node.operator, inputs, weights.get(node.path, {})) if inputs else image)
    return found


def test_the_command_offers_what_there_is() -> None:
    """It knows them without importing NumPy."""
    assert CHOICES == INITS


@pytest.mark.parametrize("init", INITS)
@pytest.mark.parametrize("name", ["lenet5_1998", "resnet18", "mobilenet_v2", "googlenet", "vit_b_32"])
def test_every_tensor_has_its_shape_and_type(name: str, init: str) -> None:
    settings = {"layers": 1} if name.startswith("vit") else {}
    graph = archcalc.load(name, **settings).graph
    weights = make(graph, init)
    made = {f"{path}.{role}": w for path, roles in weights.items() for role, w in roles.items()}
    assert {name: w.shape for name, w in made.items()} == {str(s): s.shape for s in slots(graph)}
    assert {w.dtype for w in made.values()} == {np.dtype("float32")}
    assert all(w.flags.c_contiguous and w.flags.writeable for w in made.values())


def test_sizes_are_those_of_the_analysis() -> None:
    network = archcalc.load("resnet50")
    total = network.analyze().total
    size = sum(prod(slot.shape) for slot in slots(network.graph))
    assert size == total.parameters + total.statistics


def test_norms_and_biases_and_patterns() -> None:
    graph = graph_of("conv 4 k3 | bn | scale | flatten | rbf 5", "6x6x2")
    weights = make(graph, seed=3)
    assert {role: set(w.ravel()) for role, w in weights["bn"].items()} == {
        "scale": {1},
        "shift": {0},
        "mean": {0},
        "variance": {1},
    }
    assert set(weights["conv"]["bias"]) == {0}
    assert set(weights["scale"]["weight"]) == {1}
    assert set(weights["rbf"]["fixed"].ravel()) == {-1, 1}


def test_slopes() -> None:
    """A quarter, as He et al. 2015 begin: a slope a channel, or one."""
    weights = make(graph_of("prelu | conv 4 | prelu shared", "6x6x2"))
    assert weights["prelu"]["weight"].tolist() == [0.25, 0.25]
    assert weights["prelu2"]["weight"].tolist() == [0.25]


# standard deviations by hand: fan-in and fan-out of each layer
DEVIATIONS: list[tuple[str, str, str, float, float]] = [
    ("conv 100 k3", "8x8x50", "conv", sqrt(2 / (9 * 50)), sqrt(2 / (9 * 50 + 9 * 100))),
    ("conv 60 k5 g3", "8x8x90", "conv", sqrt(2 / (25 * 30)), sqrt(2 / (25 * 30 + 25 * 20))),
    ("conv 500 k5 g500", "8x8x500", "conv", sqrt(2 / 25), sqrt(2 / (25 + 25))),
    ("deconv 40 k4 s2", "8x8x50", "deconv", sqrt(2 / (16 * 50 / 4)), sqrt(2 / (200 + 16 * 40))),
    ("linear 200", "1x1x300", "linear", sqrt(2 / 300), sqrt(2 / 500)),
    ("conv 2 k50 table={[[0, 1, 2], [3]]}", "50x50x4", "conv", sqrt(2 / 5000), sqrt(2 / 7500)),
]


@pytest.mark.parametrize(("line", "size", "path", "he", "xavier"), DEVIATIONS)
def test_deviations(line: str, size: str, path: str, he: float, xavier: float) -> None:
    graph = graph_of(line, size)
    for init, wanted in (("he", he), ("xavier", xavier), ("normal", 0.01)):
        drawn = make(graph, init)[path]["weight"]
        assert drawn.std() == pytest.approx(wanted, rel=0.05)
        assert abs(drawn.mean()) < wanted / 20
    assert not make(graph, "zeros")[path]["weight"].any()


def test_attention_scales_its_queries() -> None:
    """The factor 1/√(channels/heads) belongs to the query's weights: with 4 heads of 64, 1/8."""
    graph = graph_of("tokens | attention 4", "4x4x256")
    parts = ("query", "key", "value", "output")
    query, key, value, output = (make(graph)["attention"][f"{part}.weight"] for part in parts)
    for matrix in (key, value, output):
        assert matrix.std() == pytest.approx(sqrt(2 / 256), rel=0.02)
    assert query.std() == pytest.approx(sqrt(2 / 256) / 8, rel=0.02)


def test_tokens_and_places_are_learned() -> None:
    graph = graph_of("conv 400 | tokens | classtoken | posembed", "4x4x3")
    weights = make(graph)
    assert weights["posembed"]["position"].std() == pytest.approx(0.02, rel=0.05)
    assert weights["classtoken"]["weight"].std() == pytest.approx(0.02, rel=0.1)


def test_relative_places() -> None:
    weights = make(graph_of("windowattention 4 7", "14x14x32"))["windowattention"]
    shapes = {role: w.shape for role, w in weights.items()}
    parts = ("query", "key", "value", "output")
    assert shapes == {
        **{f"{part}.weight": (32, 32) for part in parts},
        **{f"{part}.bias": (32,) for part in parts},
        "position": (13, 13, 4),
    }
    assert weights["position"].std() == pytest.approx(0.02, rel=0.1)


def test_the_same_seed_whatever_else_there_is() -> None:
    small = graph_of("a = conv 8 k3; flatten; b = linear 4", "8x8x3")
    large = graph_of(
        "c = conv 3 k3 half; a = conv 8 k3; relu | flatten; d = linear 288; b = linear 4", "8x8x3"
    )
    for path in ("a", "b"):
        one, other = make(small, seed=5)[path]["weight"], make(large, seed=5)[path]["weight"]
        assert np.array_equal(one, other)
    assert not np.array_equal(make(small, seed=5)["a"]["weight"], make(small, seed=6)["a"]["weight"])


def test_layers_of_one_shape_differ() -> None:
    weights = make(graph_of("conv 8 k3 half | conv 8 k3 half", "8x8x8"))
    assert not np.array_equal(weights["conv"]["weight"], weights["conv2"]["weight"])


def test_blocks_are_drawn_in_any_order_but_the_values_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    """3 million values are three blocks; one core draws what many do."""
    graph = graph_of("linear 3000", "1x1x1001")
    many = make(graph)["linear"]["weight"]
    monkeypatch.setattr("os.cpu_count", lambda: 1)
    assert np.array_equal(make(graph)["linear"]["weight"], many)
    flat = many.reshape(-1)
    assert not np.array_equal(flat[:1000], flat[1 << 20 :][:1000])
    assert many.std() == pytest.approx(sqrt(2 / 1001), rel=0.01)


def test_double_precision_has_the_same_numbers() -> None:
    graph = archcalc.load("lenet5").graph
    single, double = make(graph), make(graph, dtype="float64")
    for path, roles in single.items():
        for role, w in roles.items():
            assert double[path][role].dtype == np.float64
            assert np.array_equal(double[path][role], w)


# ---- zero-residual


def silenced(name: str) -> list[str]:
    graph = archcalc.load(name).graph
    return [graph.nodes[index].path for index in sorted(residual_ends(graph))]


def test_no_sum_nothing_silenced() -> None:
    assert silenced("vgg16") == silenced("plain34") == []


@pytest.mark.parametrize(
    ("name", "first", "count"),
    [
        ("resnet18", "stage1/basic/main/bn2", 8),  # 2·4 blocks; projections are shortcuts and stay
        ("resnet50", "stage1/bottleneck/main/bn3", 16),
        ("se_resnet50", "stage1/bottleneck/main/bn3", 16),  # the gate multiplies zeros
        ("resnet50_v2", "stage1/project/branch/bn2", 16),  # bn before conv: the last norm
        ("mobilenet_v2", "stage2/unit2/main/project/bn", 10),
        ("inception_resnet_v2", "residual/main/conv", 40),  # no norm after the four branches met
        ("vit_b_32", "encoder/msa/ln", 24),  # 2·12 sums
    ],
)
def test_the_last_norm_of_every_branch(name: str, first: str, count: int) -> None:
    found = silenced(name)
    assert (found[0], len(found)) == (first, count)


def test_without_norms_the_last_conv() -> None:
    graph = graph_of("a = conv 4 k3 half; relu; b = conv 4 k3 half; add @in", "6x6x4")
    assert [graph.nodes[i].path for i in residual_ends(graph)] == ["b"]
    weights = make(graph, "zero-residual")
    assert not weights["b"]["weight"].any()
    assert weights["a"]["weight"].any()


def test_a_norm_without_scale_cannot_be_silenced() -> None:
    graph = graph_of("conv 4 k3 half | bn noscale | add @in", "6x6x4")
    assert [graph.nodes[i].path for i in residual_ends(graph)] == ["conv"]


def test_of_equal_branches_what_arrives_is_silenced() -> None:
    graph = graph_of("a = conv 4; b = @in | conv 4; add @a", "6x6x4")
    assert [graph.nodes[i].path for i in residual_ends(graph)] == ["b/conv"]


@pytest.mark.parametrize("name", ["resnet18", "resnet50", "se_resnet50", "resnet34_pad", "resnet20"])
def test_a_residual_block_starts_as_the_identity(name: str) -> None:
    """On its non-negative input; where shapes change, as the shortcut alone."""
    graph = archcalc.load(name, input="32x32x3").graph
    image = np.random.default_rng(0).random((1, 32, 32, 3), np.float32)
    found = values(graph, make(graph, "zero-residual"), image)
    identities = 0
    for index, node in enumerate(graph.nodes):
        if node.operator.name != "add":
            continue
        after = next(i for i, other in enumerate(graph.nodes) if index in other.inputs)
        for shortcut in node.inputs:
            if graph.nodes[shortcut].operator.name == "relu":
                identities += 1
                assert found[shortcut].any()
                assert np.array_equal(found[after], found[shortcut])
    assert identities >= 4


def test_what_has_a_way_around_is_not_silenced() -> None:
    """In a branch of two ways that are summed up, only what comes after both silences it."""
    layers = "a = conv 4; b = conv 4; c = @a | conv 4; d = concat @b; e = conv 4; f = relu; add @a"
    graph = graph_of(layers, "6x6x4")
    assert [graph.nodes[i].path for i in residual_ends(graph)] == ["e"]
    layers = "a = conv 4; b = conv 4; c = @a | conv 4; mul @b; relu; add @a"
    assert residual_ends(graph_of(layers, "6x6x4")) == frozenset()


def test_a_thousand_blocks_are_found_at_once() -> None:
    assert len(silenced("resnet1202")) == 600


# ---- refusals


def refused(*arguments: Any, **options: Any) -> tuple[str, str]:
    with pytest.raises(UsageError) as caught:
        make(*arguments, **options)
    (diagnostic,) = caught.value.diagnostics
    return diagnostic.message, diagnostic.help


def test_unknown_inits_and_seeds() -> None:
    graph = graph_of("linear 2", "1x1x2")
    assert refused(graph, "xaver") == ("unknown init `xaver`", "did you mean `xavier`?")
    assert refused(graph, "\x1b[31m") == (
        "unknown init `\\x1b[31m`",
        "one of: he, xavier, normal, zeros, zero-residual",
    )
    assert refused(graph, "he", -1) == ("a seed of -1", "a seed is an integer of 0 or more")


def test_a_seed_may_be_huge() -> None:
    graph = graph_of("linear 2", "1x1x2")
    huge, next_to_it = (make(graph, seed=10**30 + i)["linear"]["weight"] for i in (0, 1))
    assert np.isfinite(huge).all()
    assert (huge != next_to_it).any()


def test_more_weights_than_memory() -> None:
    """10¹² + 10⁶ and 10¹⁸ + 10¹² values of 4 bytes."""
    graph = graph_of("linear 1000000 | linear 1000000000000", "1x1x1000000")
    assert refused(graph) == (
        "the weights take 3,637,986.1 TiB of memory, more than there is",
        "1,000,002,000,001,000,000 values of float32",
    )


LIMITED = """
import resource, archcalc
from archcalc.errors import UsageError
from archcalc.execution.weights import make
graph = archcalc.load("vgg16").graph
resource.setrlimit(resource.RLIMIT_AS, (900 << 20, 900 << 20))
try:
    make(graph)
except UsageError as error:
    print(error)
"""


def test_memory_that_is_not_there() -> None:
    """138 million values take 528 MiB, and the process with numpy's threads the rest."""
    limited = LIMITED.replace("900", "500")
    done = subprocess.run([sys.executable, "-c", limited], capture_output=True, text=True, check=True)
    assert done.stdout == "the weights take 527.8 MiB of memory, more than there is\n"


PEAK = """
import resource, archcalc
from archcalc.execution.weights import make
graph = archcalc.load("vgg16").graph
make(archcalc.load("lenet5").graph)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
make(graph)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


def test_the_peak_is_the_weights() -> None:
    done = subprocess.run([sys.executable, "-c", PEAK], capture_output=True, text=True, check=True)
    assert int(done.stdout) * 1024 < 138_357_544 * 4 + (16 << 20)
