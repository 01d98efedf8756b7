"""Receptive fields: published values, brute force over pixels, and the notes' claims."""

from __future__ import annotations

import random
from fractions import Fraction
from math import floor
from typing import Any

import pytest
from click.testing import CliRunner
from support.graphs import random_graph

import archcalc
from archcalc.analysis.field import receptive_fields
from archcalc.analysis.inputs import _area, _positions, smallest_input, unread
from archcalc.cli import commands
from archcalc.graph.build import build
from archcalc.graph.model import Graph
from archcalc.operators.joining import Join
from archcalc.operators.model import Cells, Grid, Window
from archcalc.spec.model import Source
from archcalc.spec.read import read


def graph_of(layers: str, input: str = "64x64x1") -> Graph:
    return build(read(Source("net.toml", f'input = "{input}"\nlayers = "{layers}"')), {})


@pytest.mark.parametrize(
    ("name", "size", "stride", "padding"),
    [
        # google-research/receptive_field, README: size, effective stride, effective padding
        ("vgg16", 212, 32, 90),
        ("alexnet", 195, 32, 64),
        ("resnet50_paper", 483, 32, None),  # TF-Slim pads asymmetrically: 239 there
        ("resnet101_paper", 1027, 32, None),
        ("resnet152_paper", 1507, 32, None),
        # stride in the 3×3: 11 behind the stem, 3 units of 2·4; then a unit that strides sees 2·(stride
        # before) more, the others 2·(stride after)
        ("resnet50", 11 + 3 * 8 + (8 + 3 * 16) + (16 + 5 * 32) + (32 + 2 * 64), 32, None),
    ],
)
def test_published_fields(name: str, size: int, stride: int, padding: int | None) -> None:
    field = receptive_fields(archcalc.load(name).graph).of_network
    for axis in (field.height, field.width):
        assert axis is not None
        assert (axis.size, axis.stride) == (size, stride)
        assert padding is None or axis.padding == padding
    assert field.aligned


@pytest.mark.parametrize(
    ("small", "large"), [("2 x conv 1 k3", "conv 1 k5"), ("3 x conv 1 k3", "conv 1 k7")]
)
def test_stacked_3x3_see_what_a_larger_kernel_sees(small: str, large: str) -> None:
    """Notes B: two 3×3 are a 5×5, three a 7×7."""
    one, other = (receptive_fields(graph_of(layers)).of_network for layers in (small, large))
    assert one == other


def test_axes_are_separate() -> None:
    field = receptive_fields(graph_of("conv 1 k1x7 | conv 1 k3x1 s2x1")).of_network
    assert field.height and field.width
    assert (field.height.size, field.width.size) == (3, 7)
    assert (field.height.stride, field.width.stride) == (2, 1)


def seen_pixels(graph: Graph, index: int, axis: int, output: int) -> tuple[int, int] | None:
    """The first and last pixel that an output can see, by following every link one by one."""
    node = graph.nodes[index]
    if not node.inputs:
        return output, output
    operator = node.operator
    shapes = graph.input_shapes(node)
    geometry = operator.geometry(*shapes)
    if isinstance(operator, Join):
        links = [
            (i, output + o[axis]) for i, o in zip(node.inputs, operator.offsets(*shapes), strict=True)
        ]
    elif isinstance(geometry, Window):
        taps = range(geometry.kernel[axis])
        start = output * geometry.stride[axis] - geometry.before[axis]
        links = [(node.inputs[0], start + tap * geometry.dilation[axis]) for tap in taps]
    elif isinstance(geometry, Grid):
        size = geometry.window[axis]
        begins = range(geometry.start[axis] - 9 * size, shapes[0][axis] + size, size)
        links = [
            (node.inputs[0], i) for b in begins if b <= output < b + size for i in range(b, b + size)
        ]
    elif isinstance(geometry, Cells):  # value i fills [i, i + 1), cell o a share of all
        cell = Fraction(geometry.inputs[axis], geometry.outputs[axis])
        begin, end = output * cell, (output + 1) * cell
        around = range(floor(begin) - 2, floor(end) + 3)
        links = [(node.inputs[0], i) for i in around if i + 1 > begin and i < end]
    elif operator.name in ("upsample", "resize"):
        links = [
            (node.inputs[0], i) for i in neighbors(operator, shapes[0][axis], node.shape[axis], output)
        ]
    elif operator.name == "deconv":
        size, stride, reach = shapes[0][axis], operator.s[axis], operator.k[axis] * operator.d[axis]
        taps = [t * operator.d[axis] - operator.p[axis].before for t in range(operator.k[axis])]
        around = range(-2 * reach, size + 2 * reach)
        links = [(node.inputs[0], i) for i in around if output - i * stride in taps]
    else:
        links = [(node.inputs[0], output)]
    ends = [e for i, o in links if (e := seen_pixels(graph, i, axis, o))]
    return (min(a for a, _ in ends), max(b for _, b in ends)) if ends else None


def neighbors(operator: Any, n: Any, m: Any, output: int) -> list[int]:
    """What an output of m reads of n values: those around its place that have a share in it."""
    place = Fraction(2 * output + 1, 2) * n / m - Fraction(1, 2)  # centers on centers, as torch has them
    if operator.corners:
        place = Fraction(output * (n - 1), max(m - 1, 1))
    elif operator.taps == 1:
        return [output * n // m]
    reach = 2 if operator.bicubic else 1
    around = [floor(place) + i for i in range(-2, 4)]
    return [i for i in around if abs(i - place) < (reach if place.denominator > 1 else 1)]


def check_against_links(graph: Graph) -> None:
    fields = receptive_fields(graph)
    for index, field in enumerate(fields.nodes):
        for axis, found in enumerate((field.height, field.width)):
            if found is None:
                continue
            for output in range(min(int(graph.nodes[index].shape[axis]), 4)):
                assert found.seen(output) == seen_pixels(graph, index, axis, output)


@pytest.mark.parametrize(
    "layers",
    [
        "conv 1 k5 s2 p1 | maxpool 3 s2 ceil",
        "conv 1 k5 s2 p1 | adaptivepool 6x7 max",
        "conv 1 k3 | adaptivepool 7x31 | conv 1 k3 s2 p1",
        "conv 1 k3 s2 | upsample 3 | adaptivepool 5 | conv 1 k2",
        "conv 1 k3 d2 half | conv 1 k4 s3 same",
        "conv 1 k3 s2 p0:1 | maxpool 3 s2 p2:0x0:1",
        "maxpool 2 p0:1 | deconv 1 k3 s2 p0:1x2:0 | conv 1 k3",
        "conv 1 k3 s2 p1 | upsample 2 | conv 1 k3 p1",
        "maxpool 2 | deconv 1 k2 s2 | conv 1 k3 half",
        "maxpool 2 | deconv 1 k3 s2 p1 | conv 1 k3 | maxpool 2",
        "conv 1 k3 s2 | deconv 1 k1 s3 | conv 1 k3",  # outputs that see nothing
        "conv 1 k3 s2 | deconv 1 k1 s3 | conv 1 k3 d2",
        "maxpool 2 | deconv 1 k3 s2 d3 p1 out=1 | maxpool 2",
        "maxpool 3 | deconv 1 k2 s2 d4 p0:2 | deconv 1 k3 s4 d6 out=3x5 | conv 1 k2 d3",
        "conv 1 k1x3 | upsample 2x3 | avgpool 3 s2",
        "maxpool 2 | upsample 2 bilinear | conv 1 k3 s3",
        "conv 1 k3 s2 | upsample 3x2 bicubic | maxpool 2 | upsample 2 bilinear",
        "conv 1 k3 s2 | resize 17x7 bilinear | conv 1 k2",
        "maxpool 2 | resize 23x12 bilinear corners | conv 1 k3 s2 p1",
        "maxpool 2 | resize 34x5 bicubic corners | deconv 1 k2 s2",
        "conv 1 k1x3 | resize 31x10 | resize 9x40 bicubic",
        "conv 1 k3 s2 p1 | maxpool 2 | resize @in bilinear | conv 1 k3",
        "maxpool 24 | upsample 3 bilinear corners | conv 1 k2",
        "windowattention 1 3 | windowattention 1 3 shift=1 | conv 1 k3",
        "conv 1 k3 s2 p1 | windowattention 1 2 shift=1 | todepth 2 | windowattention 1 3",
        "upsample 2 | windowattention 1 3 shift=2 | maxpool 2",
    ],
)
def test_windows_and_upsampling_link_by_link(layers: str) -> None:
    check_against_links(graph_of(layers, "24x24x1"))


def test_random_graphs_link_by_link() -> None:
    for seed in range(60):
        check_against_links(random_graph(seed, 4 + seed % 8))


def test_branches_see_the_union() -> None:
    field = receptive_fields(archcalc.load("inception").graph).of_network
    assert field.height is not None
    assert (field.height.size, field.aligned) == (5, True)


def test_tokens_keep_their_pixels_until_attention() -> None:
    """A token of ViT is a patch; with the first attention each sees the image."""
    graph = archcalc.load("vit_b_32").graph
    fields = receptive_fields(graph)
    seen = {node.path: field.height for node, field in zip(graph.nodes, fields.nodes, strict=True)}
    for path in ("conv", "posembed", "encoder/msa/ln"):
        assert seen[path] is not None and seen[path].size == 32, path  # type: ignore[union-attr]
    assert seen["encoder/msa/attention"] is None
    assert fields.of_network.is_global  # a map behind attention sees the whole image


def test_misaligned_join_is_reported() -> None:
    """`same` puts the odd pixel at the end, padding of 1 does not: half a stride apart."""
    spec = 'input = "8x8x1"\nconcat.a = "conv 1 k3 s2 same"\nconcat.b = "conv 1 k3 s2 p1"'
    assert not receptive_fields(build(read(Source("x.toml", spec)), {})).of_network.aligned


@pytest.mark.parametrize(
    ("name", "legal"),
    [
        ("alexnet_torch", 63),  # torchvision 0.29, models/alexnet.py: min_size
        ("vgg16", 32),  # models/vgg.py: min_size
        ("vgg11_bn", 32),
        ("resnet50", 1),  # models/resnet.py: min_size
        ("lenet5", 16),  # 16 → 12 → 6 → 2 → 1
    ],
)
def test_smallest_input(name: str, legal: int) -> None:
    network = archcalc.load(name)
    fields = receptive_fields(network.graph)
    found = smallest_input(network.spec, network.values, network.variant, network.graph, fields)
    assert found.legal == legal
    archcalc.load(name, input=f"{legal}x{legal}x{network.graph.input.channels}").analyze()
    if legal > 1:
        with pytest.raises(archcalc.ArchError):
            archcalc.load(
                name, input=f"{legal - 1}x{legal - 1}x{network.graph.input.channels}"
            ).analyze()


def test_sensible_input() -> None:
    """A 9×9 with padding 8 accepts one pixel, but its first value is centered 4 pixels before it."""
    spec = read(
        Source("net.toml", 'input = "32x32x1"\nlayers = "conv 1 k3 s2 | conv 1 k3 p2 | maxpool 2"')
    )
    graph = build(spec, {})
    found = smallest_input(spec, {}, None, graph, receptive_fields(graph))
    offset = receptive_fields(graph).of_network.height.offset  # type: ignore[union-attr]
    assert found.legal is not None and found.sensible is not None
    assert found.sensible == max(found.legal, int(offset) + 1)


def test_unread_pixels() -> None:
    """The paper's ResNet strides in 1×1 convs: three quarters of each stage's last map stay unread."""
    paper, torch = archcalc.load("resnet50_paper").graph, archcalc.load("resnet50").graph
    gaps = list(unread(paper))
    assert [(gap.positions, gap.of) for gap in gaps] == [
        (side * side * 3 // 4, side * side) for side in (56, 28, 14)
    ]
    assert list(unread(torch)) == []


def test_a_crop_is_meant_to_leave_values_out() -> None:
    assert list(unread(graph_of("conv 1 k3 half | crop 1:0 | conv 1", "8x8x1"))) == []


def test_unread_rows_at_the_end() -> None:
    """A 3×3 of stride 2 on 8 pixels: the last row and column, 15 of 64 positions."""
    (gap,) = unread(graph_of("conv 1 k3 s2", "8x8x1"))
    assert (gap.node, gap.positions, gap.of) == (0, 15, 64)


def test_the_offset_is_that_of_the_first_value() -> None:
    """Behind a deconv of stride 2 the two values of a period see the same pixels.

    Value 0 of the pool sees values 0…1, the 3×3 conv behind it values −1…1 of the pool, so −2…3; the
    3×3 conv before the pool adds a pixel on each side: −3…4, whose center is 0.5.
    """
    field = receptive_fields(
        graph_of("conv 4 k3 half | maxpool 2 | conv 4 k3 half | deconv 4 k2 s2", "32x32x1")
    ).of_network
    for axis in (field.height, field.width):
        assert axis and axis.ends == ((-3, 4), (-3, 4))
        assert axis.offset == Fraction(1, 2)
    joined = build(
        read(
            Source(
                "net.toml",
                'input = "32x32x1"\nlayers = ["e = conv 4 k3 half", "maxpool 2 | conv 4 k3 half", '
                '"deconv 4 k2 s2 | concat @e"]',
            )
        ),
        {},
    )
    assert [axis and axis.offset for axis in receptive_fields(joined).of_network.axes] == [0.5, 0.5]


@pytest.mark.parametrize("seed", range(60))
def test_positions_that_nobody_reads(seed: int) -> None:
    """Against every tap of every output."""
    pick = random.Random(seed)
    size, kernel, stride = pick.randint(1, 12), pick.randint(1, 5), pick.randint(1, 5)
    dilation, before, outputs = pick.randint(1, 4), pick.randint(0, 6), pick.randint(1, 8)
    taps = {o * stride - before + t * dilation for o in range(outputs) for t in range(kernel)}
    window = Window((kernel, 1), (stride, 1), (before, 0), (dilation, 1))
    assert _positions(window, 0, size, outputs) == taps & {*range(size)}


@pytest.mark.parametrize("seed", range(20))
def test_the_area_of_regions(seed: int) -> None:
    pick = random.Random(seed)

    def some() -> frozenset[int]:
        return frozenset(pick.sample(range(9), pick.randint(0, 9)))

    regions = [(some(), some()) for _ in range(pick.randint(1, 4))]
    assert _area(regions) == len({(r, c) for rows, columns in regions for r in rows for c in columns})


@pytest.mark.parametrize(
    ("text", "told"),
    [
        # two of k3 take 4 pixels off; the first center is the third pixel
        ("1x100x4 | conv 4 k1x3 | conv 4 k1x3", "smallest strip: 1×5, sensible from 1×5"),
        ("100x1x4 | conv 4 k3x1 | conv 4 k3x1", "smallest strip: 5×1, sensible from 5×1"),
        ("100x100x4 | conv 4 k3 | conv 4 k3", "smallest square input: 5, sensible from 5"),
        # three pools by 2 of 8 pixels leave 1, whose center lies between the pixels 3 and 4
        ("1x64x4 | maxpool 1x2 | maxpool 1x2 | maxpool 1x2", "smallest strip: 1×8, sensible from 1×8"),
    ],
)
def test_smallest_input_of_a_strip(text: str, told: str) -> None:
    result = CliRunner().invoke(commands, ["field", text], catch_exceptions=False)
    assert f"  {told}\n" in result.stdout
    assert result.stderr == ""


def pixels_of(layers: str, size: int) -> int:
    """The most pixels, first to last, that any output sees, walked link by link in one axis."""
    seen = [(pixel, pixel) for pixel in range(size)]
    for text in layers.split(" | "):
        name, *words = text.split()
        sizes = [int(word.lstrip("ksp")) for word in words if word.lstrip("ksp").isdecimal()]
        if name == "adaptivepool":
            n, m = len(seen), sizes[0]
            reads = [range(i * n // m, -(-(i + 1) * n // m)) for i in range(m)]
        else:
            kernel, stride = sizes[-2:]
            count = (len(seen) - kernel) // stride + 1
            reads = [range(i * stride, i * stride + kernel) for i in range(count)]
        seen = [(min(seen[i][0] for i in read), max(seen[i][1] for i in read)) for read in reads]
    return max(high - low + 1 for low, high in seen)


@pytest.mark.parametrize("seed", range(60))
def test_behind_cells_only_outputs_that_there_are_count(seed: int) -> None:
    """Cells of an adaptive pool lie unalike; those beyond the last output are none."""
    draw = random.Random(seed)
    size = draw.randint(12, 40)
    lines = [f"conv 1 k{draw.randint(1, 4)} s{draw.randint(1, 2)}", f"adaptivepool {draw.randint(2, 9)}"]
    lines += [f"maxpool {draw.randint(1, 2)} s{draw.randint(1, 3)}"]
    layers = " | ".join(lines)
    graph = archcalc.load(f"{size}x{size}x1 | {layers}").graph
    assert receptive_fields(graph).of_network.axes[0].size == pixels_of(layers, size)  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("6x6x1 | adaptivepool 4 | maxpool 4 s1", "the network sees 6 pixels, at maxpool"),
        ("20x20x1 | adaptivepool 1", "smallest square input: 1, sensible from 1\n"),
        ("20x20x1 | gap", "the network sees the whole image, from gap on"),
        ("10x10x1 | flatten | linear 3", "the network sees the whole image, from flatten on"),
    ],
)
def test_what_is_said_of_pools_of_any_size(text: str, told: str) -> None:
    assert told in CliRunner().invoke(commands, ["field", text]).output
