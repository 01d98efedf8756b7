"""What a drawing says: labels, folds, the U, another head, differences; worked out by hand."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from support.drawings import faults

import archcalc
from archcalc.drawing import words
from archcalc.drawing.layout import Drawable, Wishes, draw, folded
from archcalc.drawing.metrics import width
from archcalc.drawing.model import Drawing, DrawnBox, ranges
from archcalc.drawing.tree import Chip, Group, Unit, every
from archcalc.errors import UsageError
from archcalc.operators import TABLE, operator_class
from archcalc.views.svg import render


@pytest.fixture
def net(tmp_path: Path) -> Callable[[str], archcalc.Network]:
    def made(text: str) -> archcalc.Network:
        path = tmp_path / "net.toml"
        path.write_text(text, encoding="utf-8")
        return archcalc.load(str(path))

    return made


def drawn(network: archcalc.Network, wishes: Wishes = Wishes()) -> Drawing:  # noqa: B008
    drawing = draw([Drawable(network.analyze(), network.title, wishes)])
    assert faults(drawing, network.graph) == []
    return drawing


def leaves(drawing: Drawing) -> list[DrawnBox]:
    return [box for box in drawing.boxes if box.leaf]


def texts(drawing: Drawing) -> list[str]:
    return [" ".join(filter(None, (box.head, box.label, box.tail))) for box in leaves(drawing)]


def test_labels_as_papers_write_them() -> None:
    spec = "32x32x8 | conv 16 k3 s2 p1 | bn | relu | conv 16 k3 g16 p1 | conv 8 k1x7 g2 d2"
    spec += " | maxpool 2 | gap"
    assert texts(drawn(archcalc.load(spec))) == [
        "32×32×8",
        "3×3 conv 16 /2 bn relu",
        "3×3 depthwise 16",
        "1×7 conv 8, 2 groups, dilation 2",
        "2×2 max pool /2",
        "global avg pool",
    ]


def test_labels_of_sequences_and_volumes() -> None:
    """A kernel along one axis says that it is one; along three it has three sizes."""
    spec = "4000x8 | conv 16 k9 s4 | conv 16 k3 g16 d2 | conv 4 | maxpool 4"
    assert texts(drawn(archcalc.load(spec)))[1:] == [
        "k9 conv 16 /4",
        "k3 depthwise 16, dilation 2",
        "k1 conv 4",
        "k4 max pool /4",
    ]
    spec = "16x32x32x3 | conv 16 k3x5x5 s1x2x2 | maxpool 2"
    assert texts(drawn(archcalc.load(spec)))[1:] == ["3×5×5 conv 16 /1×2×2", "2×2×2 max pool /2"]


@pytest.mark.parametrize(
    ("spec", "label"),
    [
        ("8x8x4 | slice 2 from=1", "channels 1–2"),
        ("8x8x4 | slice 3 from=4 axis=height", "height 4–6"),
        ("8x8x4 | mean axis=width", "mean axis=width"),
        ("8x8x4 | todepth 2", "2×2 space to depth"),
        ("8x8x4 | pixelshuffle 2", "pixel shuffle ×2"),
        ("8x8x4 | pixelunshuffle 2", "pixel unshuffle /2"),
        ("8x8x4 | adaptivepool 3x2", "adaptive avg pool to 3×2"),
        ("8x8x4 | adaptivepool 3 max", "adaptive max pool to 3×3"),
        ("9x8 | attention 4", "attention, 4 heads"),
        ("9x8 | attention 4 kv=2 causal", "causal attention, 4 heads, 2 of keys"),
        ("9x8 | attention 4 window=3", "3 wide attention, 4 heads"),
        ("8x8x8 | windowattention 2 4 shift=2", "4×4 shifted window attention, 2 heads"),
        ("8x8x8 | glu", "glu"),
        ("9x8 | gru 5", "gru 5"),
        ("9x8 | lstm 5 layers=2 both", "bidirectional lstm 5, 2 layers"),
        ("1x1x8 | linear 3 nobias", "linear 3"),
        ("9x1 | embedding 50 8", "embedding 50 × 8"),
    ],
)
def test_labels_of_other_layers(spec: str, label: str) -> None:
    assert leaves(drawn(archcalc.load(spec)))[1].label == label


def test_labels_of_deformable_convs(net: Callable[[str], archcalc.Network]) -> None:
    """With the map of its offsets, 2 for each of 9 places, at its side."""
    text = (
        'input = "9x9x4"\nlayers = ["a = relu", "o = conv 18 k3 half", "@a | deformconv 8 @o k3 half"]\n'
    )
    assert leaves(drawn(net(text)))[-1].label == "3×3 deformable conv 8"


def test_labels_of_attention_to_another_sequence(net: Callable[[str], archcalc.Network]) -> None:
    network = net('input = "9x8"\nlayers = ["a = relu", "linear 8 | attention 4 @a"]\n')
    assert leaves(drawn(network))[-1].label == "cross-attention, 4 heads"


@pytest.mark.parametrize("name", sorted({*TABLE} - {"unembed"}))  # which is told by its name
def test_layers_with_weights_have_a_kind_of_their_own(name: str) -> None:
    """What counts as a weight layer is drawn as no norm and no rearrangement."""
    kind = words._FAMILIES.get(TABLE[name], "plain")
    assert TABLE[name] == "convolution" or not operator_class(name).weight_layer or kind in DOING


DOING = ("conv", "linear", "attention", "recurrent")


def test_norms_before_a_layer_belong_to_it() -> None:
    spec = "8x8x8 | conv 8 | maxpool 2 | bn | relu | conv 4 | relu"
    assert texts(drawn(archcalc.load(spec)))[2:] == ["2×2 max pool /2 bn relu", "1×1 conv 4 relu"]


UNITS = """input = "32x32x4"
layers = ["3 x unit 4", "conv 4 s2", "2 x unit 4"]
[block.unit]
args = "c"
add.main = "conv {c} k3 p1 | relu | conv {c} k3 p1"
add.skip = "@in"
then = "relu"
"""


def test_equal_blocks_fold_where_their_maps_agree(net: Callable[[str], archcalc.Network]) -> None:
    """Three units at 32×32 and two at 16×16, not five; each box stands for all of its copies."""
    network = net(UNITS)
    drawing = drawn(network)
    frames = [box for box in drawing.boxes if box.kind == "frame"]
    assert [(box.label, box.times) for box in frames] == [("unit", 3), ("unit 4–5", 2)]
    # a unit: conv, relu, conv, add, relu; a 3×3 conv of 4 on 4 channels of 32×32
    assert [len(box.layers) for box in frames] == [3 * 5, 2 * 5]
    convs = [box for box in leaves(drawing) if box.label == "3×3 conv 4"]
    assert [box.cost for box in convs] == [3 * 32 * 32 * 9 * 4 * 4] * 2 + [2 * 16 * 16 * 9 * 4 * 4] * 2


def test_channels_may_grow_in_a_repeat() -> None:
    drawing = drawn(archcalc.load("densenet121"))
    times = [box.times for box in drawing.boxes if box.kind == "frame" and box.times > 1]
    assert times == [6, 12, 24, 16]  # table 1 of the paper


def test_the_last_copy_may_lack_its_activation() -> None:
    """Inception-ResNet v2: 10, 20 and 10 units (figure 15, twice); the last of all has no relu."""
    drawing = drawn(archcalc.load("inception_resnet_v2"))
    found = [(box.label, box.times) for box in drawing.boxes if box.times > 1]
    assert [times for _, times in found] == [10, 20, 10]
    assert found[-1][0] == "residual 31–40, the last without relu"


def test_boxes_say_whose_weights_they_use(net: Callable[[str], archcalc.Network]) -> None:
    """Once, in the outermost box; the lender has its name, and lenders of one shape do not fold."""
    drawing = drawn(net(SHARED))
    frames = [(box.label, box.times) for box in drawing.boxes if box.kind == "frame"]
    assert frames == [("a", 1), ("a 2–4, weights of a", 3), ("b", 1), ("b2, weights of b", 1)]
    convs = [text for text in texts(drawing) if "conv 4" in text]
    assert convs[-2:] == ["1×1 conv 4", "1×1 conv 4 weights of c"]
    assert all("weights" not in text for text in convs[:-1])


SHARED = """input = "8x8x4"
layers = ["a = unit", "3 x reuse @a", "b = unit", "reuse @b", "c = conv 4", "reuse @c"]
[block.unit]
add.main = "conv 4 k3 half | relu | conv 4 k3 half"
add.skip = "@in"
"""


def test_a_layer_behind_a_norm_of_its_own_says_whose_weights_it_uses(
    net: Callable[[str], archcalc.Network],
) -> None:
    text = 'input = "9x1"\nlayers = ["tok = embedding 50 8", "2 x u", "ln | unembed @tok"]\n'
    text += '[block.u]\nlayers = "linear 8 | linear 8"\n'
    assert texts(drawn(net(text)))[-1] == "ln unembed weights of tok"


def test_inputs_have_names_where_there_are_several(net: Callable[[str], archcalc.Network]) -> None:
    """Two towers with one set of weights: both branches have their frame, for their names."""
    text = 'layers = ["a = tower", "b = @right | reuse @a", "mul @a"]\n'
    text += '[inputs]\nleft = "9x9x1"\nright = "9x9x1"\n'
    text += '[block.tower]\nlayers = ["conv 4 k3", "flatten | linear 5"]\n'
    drawing = drawn(net(text))
    assert texts(drawing)[0] == "left 9×9×1"
    assert "right 9×9×1" in texts(drawing)
    frames = {box.label for box in drawing.boxes if box.kind == "frame"}
    assert frames == {"a", "b, weights of a"}


def test_what_is_read_from_elsewhere_does_not_fold(net: Callable[[str], archcalc.Network]) -> None:
    """The second of three equal units is read again later: nothing hides that."""
    network = net(
        'input = "8x8x4"\nlayers = ["u", "a = u", "u", "add @a"]\n'
        '[block.u]\nlayers = "conv 4 k3 p1 | conv 4 k3 p1"\n'
    )
    assert {box.times for box in drawn(network).boxes} == {1} | {2}
    assert [box.times for box in drawn(network).boxes if box.kind == "frame"] == [2, 1]


def test_a_u_is_a_u() -> None:
    """Four skips run across on one height each, from left to right; the decoder runs upwards."""
    network = archcalc.load("unet")
    drawing = drawn(network)
    skips = [wire for wire in drawing.wires if wire.skip]
    assert len(skips) == 4
    for wire in skips:
        (_, _), (x1, y1), (x2, y2) = wire.points
        assert y1 == y2
        assert x1 < x2
    place = {box.path: box for box in drawing.boxes}
    assert place["e1"].y < place["e2"].y < place["e4"].y < place["bottom"].y
    assert place["d4"].y > place["d3"].y > place["d1"].y
    assert place["d1"].x > place["e1"].x + place["e1"].width


def test_another_head_stands_beside_the_main_line() -> None:
    """The heads of GoogLeNet come last in its spec, and stand behind 4a and 4d."""
    network = archcalc.load("googlenet", aux=True)
    drawing = drawn(network)
    place = {box.path: box for box in drawing.boxes}
    assert place["4a"].y < place["aux1"].y < place["4b"].y


@pytest.mark.parametrize(
    "layers",
    [
        '"a = conv 4", "b = conv 4", "c = conv 4", "add @a", "add @b", "conv 4"',
        '"a = conv 4", "b = conv 4", "@a | conv 4", "add @b", "c = conv 4", "add @a", "add @b"',
        '"a = conv 4", "conv 4 | add @a", "b = conv 4", "@a | maxpool 3 s1 half", "concat @b @a"',
        '"output o1 = conv 2", "output o2 = conv 3", "conv 4", "output o3 = conv 5"',
        '"a = conv 4", "b = conv 4 | add @a", "@a | conv 4 | concat @b", "conv 4 | add @a"',
    ],
)
def test_tangles_are_drawn(layers: str, net: Callable[[str], archcalc.Network]) -> None:
    """No line through a box, and none lost, where branches are not one within the other."""
    drawn(net(f'input = "8x8x4"\nlayers = [{layers}]\n'))


def test_each_layer_is_in_one_box_of_the_tree() -> None:
    network = archcalc.load("efficientnet_b0")
    units, made = folded(network.analyze(), Wishes())

    def walk(unit: Unit) -> list[int]:
        assert isinstance(unit, Chip | Group)
        return [*every(unit)]

    assert sorted(i for unit in units for i in walk(unit)) == list(range(len(network.graph.nodes)))
    assert made.measure.total == network.analyze().multiplies


def test_unknown_blocks_are_told() -> None:
    network = archcalc.load("resnet50")
    with pytest.raises(UsageError, match="--expand: no block is called `stagge2`"):
        folded(network.analyze(), Wishes(expand=frozenset(["stagge2"])))


def test_metrics_are_those_of_the_font() -> None:
    """Adobe's widths of Helvetica, by hand: R 722, e 556, s 500, N 722, t 278."""
    assert width("ResNet", "label") == pytest.approx((722 + 556 + 500 + 722 + 556 + 278) * 11 / 1000)
    assert width("R", "title") == pytest.approx(722 * 13 / 1000)


@pytest.mark.parametrize(("units", "bars"), [(2, 2), (1, 1)])
def test_a_bar_shorter_than_a_pixel_is_none(units: int, bars: int) -> None:
    """A full bar, 10,000 multiplies, has 68 pixels: 200 multiplies are 1.36 of them, 100 but 0.68."""
    network = archcalc.load(f"1x1x100 | linear 100 | linear {units}")
    assert render(drawn(network)).count('class="bar"') == bars + 1  # and the legend's


def test_ranges() -> None:
    assert ranges((3, 4, 5, 9, 11, 12)) == "3-5 9 11-12"
    assert ranges(()) == ""
