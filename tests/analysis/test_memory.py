"""Memory: hand-worked peaks, the table of stored maps, and a simulation that allocates for real."""

from __future__ import annotations

import itertools
import tracemalloc
from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np
import pytest
from support.exact import NETWORKS, ROWS
from support.graphs import random_graph
from support.sampled import one_of_each_family

import archcalc
from archcalc.analysis.arena import lay_out
from archcalc.analysis.memory import measure
from archcalc.analysis.schedule import best_order
from archcalc.graph.build import build
from archcalc.graph.model import Graph
from archcalc.operators import TABLE, operator_class
from archcalc.operators.activation import Activation
from archcalc.spec.model import Source
from archcalc.spec.read import read

# the table leaves out the maps of a zero-padded shortcut: the subsampled one and the padded one
PADDED_SHORTCUTS = (
    (28 * 28 * 64 + 28 * 28 * 128) + (14 * 14 * 128 + 14 * 14 * 256) + (7 * 7 * 256 + 7 * 7 * 512)
)
# the same of the networks for CIFAR
PADDED_SHORTCUTS_CIFAR = (16 * 16 * 16 + 16 * 16 * 32) + (8 * 8 * 32 + 8 * 8 * 64)
# and the map between the two convs of a separable stem, which it takes for one layer: 8 a color
SEPARABLE_STEM = 112 * 112 * 8 * 3


AVERAGED = 6 * 6 * 256  # torchvision's adaptive pool of AlexNet, which makes a map of this size


def left_out(key: str) -> int:
    if key.startswith("alexnet_owt"):
        return AVERAGED
    if key.startswith("resnet") and key.endswith("cifar10"):
        return PADDED_SHORTCUTS_CIFAR
    return PADDED_SHORTCUTS if "optA" in key else SEPARABLE_STEM if "sepstem" in key else 0


@pytest.mark.parametrize("key", NETWORKS)
def test_stored_is_the_published_sum(key: str) -> None:
    stored = measure(archcalc.load(NETWORKS[key]).graph).stored
    assert stored == int(ROWS[key]["act_blobs"]) + left_out(key)


@pytest.mark.parametrize(
    ("settings", "values", "at"),
    [
        # conv2 of stage 1 reads and writes 224·224·64
        ("vgg16", 2 * 224 * 224 * 64, "stage1/conv2"),
        # a unit of stage 1: its input, the input of the last 1×1, its output
        (
            "resnet50",
            56 * 56 * 256 + 56 * 56 * 64 + 56 * 56 * 256,
            "stage1/bottleneck/shortcut/match/conv",
        ),
        # the pool: the module's input, the three branches that are done, the pooled copy
        ("inception", 28 * 28 * (192 + 64 + 128 + 32 + 192), "pool/maxpool"),
        # the first pool: 28·28·6 in, 14·14·6 out
        ("lenet5", 28 * 28 * 6 + 14 * 14 * 6, "maxpool"),
        ("lenet5_1998", 28 * 28 * 6 + 14 * 14 * 6, "S2/sumpool"),
    ],
)
def test_peak_by_hand(settings: str, values: int, at: str) -> None:
    graph = archcalc.load(settings).graph
    memory = measure(graph)
    assert memory.peak == values
    assert graph.nodes[memory.steps[memory.peak_step].node].path == at


def test_inception_in_the_best_order_by_hand() -> None:
    """Pool first: nothing is left but the four branches and their concatenation, 256 channels twice."""
    schedule = best_order(archcalc.load("inception").graph)
    assert schedule.peak == 28 * 28 * (256 + 256) == 401_408
    assert schedule.proven


def simulate(graph: Graph, order: Sequence[int]) -> int:
    """The peak by playing it through: allocate, overwrite, free. Shares no code with `measure`."""
    readers = {i: [j for j in order if i in graph.nodes[j].inputs] for i in order}
    kept = {graph.output, *(i for _, i in graph.side_outputs)}
    block_of: dict[int, int] = {}  # node → block
    sizes: dict[int, int] = {}  # blocks that are allocated
    done: set[int] = set()
    peak = 0
    for index in order:
        node = graph.nodes[index]
        size = prod(map(int, node.shape))

        def needed(block: int, without: int) -> bool:
            tenants = [i for i in done if block_of[i] == block]
            pending = any(r not in done and r != without for i in tenants for r in readers[i])
            return pending or any(i in kept for i in tenants)

        block = -1
        if node.operator.buffer == "view":
            block = block_of[node.inputs[0]]
        elif node.operator.buffer == "in place":
            fitting = [
                block_of[i]
                for i in node.inputs
                if sizes[block_of[i]] == size and not needed(block_of[i], index)
            ]
            block = fitting[0] if fitting else -1
        if block < 0:
            block = index
            sizes[block] = size
        peak = max(peak, sum(sizes.values()))
        done.add(index)
        block_of[index] = block
        for other in list(sizes):
            if not needed(other, -1):
                del sizes[other]
    return peak


def check_layout(graph: Graph, order: Sequence[int]) -> None:
    memory = measure(graph, order)
    arena = lay_out(memory.buffers, int(memory.peak))
    assert memory.peak <= arena.size
    placed = list(zip(arena.offsets, memory.buffers, strict=True))
    assert max(offset + int(b.size) for offset, b in placed) == arena.size
    for (x, a), (y, b) in itertools.combinations(placed, 2):
        together = a.born <= b.dies and b.born <= a.dies
        apart = x + int(a.size) <= y or y + int(b.size) <= x
        assert apart or not together
    every = sorted(i for b in memory.buffers for i in b.nodes)
    assert every == list(range(len(graph.nodes)))


@pytest.mark.parametrize("name", one_of_each_family())
def test_bundled_networks_against_the_simulation(name: str) -> None:
    graph = archcalc.load(name).graph
    spec_order = range(len(graph.nodes))
    assert measure(graph).peak == simulate(graph, spec_order)
    schedule = best_order(graph)
    assert sorted(schedule.order) == list(spec_order)
    assert schedule.peak == simulate(graph, schedule.order) <= measure(graph).peak
    check_layout(graph, spec_order)
    check_layout(graph, schedule.order)


def test_random_graphs_against_the_simulation() -> None:
    for seed in range(120):
        graph = random_graph(seed, 4 + seed % 30)
        spec_order = range(len(graph.nodes))
        schedule = best_order(graph)
        position = {node: step for step, node in enumerate(schedule.order)}
        assert all(position[i] < position[n] for n in spec_order for i in graph.nodes[n].inputs)
        assert measure(graph).peak == simulate(graph, spec_order)
        assert schedule.peak == simulate(graph, schedule.order) <= measure(graph).peak
        check_layout(graph, spec_order)
        check_layout(graph, schedule.order)


def orders(graph: Graph, done: tuple[int, ...] = ()) -> list[tuple[int, ...]]:
    """Every order in which the nodes can run."""
    if len(done) == len(graph.nodes):
        return [done]
    ready = (
        i for i, node in enumerate(graph.nodes) if i not in done and all(x in done for x in node.inputs)
    )
    return [order for i in ready for order in orders(graph, (*done, i))]


def test_best_order_is_the_exhaustive_minimum() -> None:
    """On graphs of up to 10 nodes, every order tried."""
    saved = 0
    for seed in range(100):
        graph = random_graph(1000 + seed, 5 + seed % 6)
        every = orders(graph)
        if len(every) > 3000:
            continue
        least = min(simulate(graph, order) for order in every)
        schedule = best_order(graph)
        assert schedule.proven
        assert schedule.peak == least
        saved += least < measure(graph).peak
    assert saved > 5  # the spec's order is often not the best one


def test_too_large_a_search_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    from archcalc.analysis import schedule

    monkeypatch.setattr(schedule, "MOST_SETS", 3)
    graph = archcalc.load("inception").graph
    found = best_order(graph)
    assert not found.proven or found.peak == 401_408
    assert found.peak <= measure(graph).peak


def test_long_chain_stays_linear() -> None:
    """100,000 layers: no square of the length in memory or layout."""
    from archcalc.graph.build import build
    from archcalc.spec.model import Source
    from archcalc.spec.read import read

    spec = read(Source("chain.toml", 'input = "8x8x8"\nlayers = "50000 x conv 8 k3 p1 | relu"'))
    graph = build(spec, {})
    memory = measure(graph)
    assert memory.peak == 2 * 8 * 8 * 8
    assert lay_out(memory.buffers, int(memory.peak)).size == memory.peak
    assert best_order(graph).proven


@pytest.mark.parametrize(
    ("attention", "peak"),
    [
        ("", 6 * 197 * 768),  # in a feed-forward part: the residual, 4 × 768 channels, its output
        ("fused", 6 * 197 * 768),
        # the residual, three projections and the scores of 12 heads
        ("plain", 197 * 768 + 3 * 197 * 768 + 12 * 197 * 197),
    ],
)
def test_inside_attention(attention: Any, peak: int) -> None:
    """1,070,892 values for ViT-B/16 where the scores are kept."""
    assert measure(archcalc.load("vit_b_16").graph, None, attention).peak == peak


def test_an_input_that_others_read_stays() -> None:
    """10 tokens of 8 channels: behind the attention its input is added, so it lives on beside all."""
    text = 'input = "10x1x8"\nlayers = ["t = tokens", "attention 2 | add @t"]'
    graph = build(read(Source("net.toml", text)), {})
    scores, values = 2 * 10 * 10, 80
    assert measure(graph, None, "plain").peak == values + 3 * values + scores
    assert measure(graph, None, "fused").peak == values + 3 * values + values
    assert measure(graph).peak == 2 * values


def sequence_peaks(*lines: str) -> list[int]:
    """Fused and plain, of 10 tokens of 8 channels."""
    graph = build(read(Source("net.toml", f'input = "10x8"\nlayers = {[*lines]}')), {})
    return [int(measure(graph, None, kernel).peak) for kernel in ("fused", "plain")]


def test_heads_of_keys_are_fewer_inside() -> None:
    """4 heads of 2: 80 queries, 2 heads of keys and values with 40 each; the input is freed."""
    inward, scores = 80 + 2 * 40, 4 * 10 * 10
    assert sequence_peaks("attention 4 kv=2") == [max(80 + inward, inward + 80), inward + scores]


def test_a_memory_is_alive_with_its_keys() -> None:
    """40 values of memory that stay, as a join reads them later; keys and values of 10 tokens each."""
    inward, scores = 80 + 2 * 80, 10 * 10
    fused, plain = sequence_peaks("m = slice 4", "@in | attention 1 @m | concat @m")
    assert fused == max(80 + 40 + inward, 40 + inward + 80)
    assert plain == max(80 + 40 + inward, 40 + inward + scores)


def test_bare_attention_makes_scores_alone() -> None:
    assert sequence_peaks("attention 2 bare") == [80 + 80, 80 + 2 * 10 * 10 + 80]


def test_windows_of_zeros_are_inside() -> None:
    """A 5×5 map in windows of 4 is cut as 8×8: 64 positions of 2 channels, 16 scores each."""
    text = 'input = "5x5x2"\nlayers = ["windowattention 1 4"]'
    graph = build(read(Source("net.toml", text)), {})
    each, scores = 8 * 8 * 2, 8 * 8 * 4 * 4
    assert measure(graph, None, "fused").peak == 4 * each  # queries, keys, values, what is mixed
    assert measure(graph, None, "plain").peak == 3 * each + scores


def test_plain_attention_allocates_its_peak() -> None:
    """NumPy with every array written down; row sums and largest values are all that comes on top."""
    tokens, channels, heads = 256, 64, 8
    text = f'input = "{tokens}x1x{channels}"\nlayers = ["t = tokens", "attention {heads} | add @t"]'
    declared = measure(build(read(Source("net.toml", text)), {}), None, "plain").peak
    weights = np.random.default_rng(0).normal(size=(3, channels, channels)).astype(np.float32)
    tracemalloc.start()
    try:
        x = np.ones((tokens, channels), np.float32)  # stays: it is added at the end
        q, k, v = (np.matmul(x, w).reshape(tokens, heads, -1).swapaxes(0, 1) for w in weights)
        scores = np.matmul(q, k.swapaxes(1, 2))
        del q, k
        scores -= scores.max(axis=-1, keepdims=True)
        np.exp(scores, out=scores)
        scores /= scores.sum(axis=-1, keepdims=True)
        x += np.matmul(scores, v).swapaxes(0, 1).reshape(tokens, channels)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert 4 * declared <= peak <= 4 * declared + 2 * 4 * heads * tokens


def test_what_adds_nothing_to_stored_is_what_the_help_says() -> None:
    """`archcalc help counting`: activations, norms and dropout, and nine operators by name."""
    told = {
        "scale",
        "offset",
        "factor",
        "posembed",
        "sinusoid",
        "dropout",
        "flatten",
        "tokens",
        "reshape",
        "bn",
        "ln",
        "groupnorm",
        "instancenorm",
        "rmsnorm",
        "lrn",
    }
    kinds = {name: operator_class(name) for name in TABLE}
    silent = {name for name, operator in kinds.items() if not operator.stored}
    assert silent == told | {name for name, kind in kinds.items() if issubclass(kind, Activation)}


@pytest.mark.parametrize(
    ("lines", "peak"),
    [
        # the sum is written over the map, the vector of 8 stays beside it
        (["gap | add @in"], 4 * 4 * 8 + 8),
        (["a = gap", "@in | relu | maximum @a | sub @a"], 4 * 4 * 8 + 8),
        # a column of 4 · 8 and a row make a map that is neither's: both and the map
        (["a = mean axis=height", "@in | mean axis=width | add @a"], 4 * 8 + 4 * 8 + 4 * 4 * 8),
        # another shape of the same values is no copy, another order is one
        (["reshape 16x8 | relu"], 4 * 4 * 8),
        (["permute 1x0x2 | relu"], 2 * 4 * 4 * 8),
        (["roll 1"], 2 * 4 * 4 * 8),
        # of a matrix with itself: 4 · (4 · 8) and 4 · (4 · 4) scores
        (["matmul @in transposed"], 4 * 4 * 8 + 4 * 4 * 4),
    ],
)
def test_joins_overwrite_what_has_their_size(lines: list[str], peak: int) -> None:
    text = f'input = "4x4x8"\nlayers = {lines!r}\n'
    assert measure(build(read(Source("net.toml", text)), {})).peak == peak
