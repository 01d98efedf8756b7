"""Weights that several layers use: parameters once, multiplies each time, by count and by execution."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from archcalc.analysis.costs import analyze
from archcalc.analysis.field import receptive_fields
from archcalc.analysis.memory import measure
from archcalc.analysis.schedule import best_order
from archcalc.cli import commands
from archcalc.errors import SpecError
from archcalc.execution.sides import image, seeded
from archcalc.execution.verify import prove
from archcalc.graph.build import build
from archcalc.graph.model import Graph
from archcalc.graph.write import write
from archcalc.operators.shape import Shape
from archcalc.spec.model import Source
from archcalc.spec.read import read


def graph(text: str) -> Graph:
    return build(read(Source("t", text)), {})


def holds(graph: Graph) -> bool:
    weights = {
        path: {k: w.astype("float32") for k, w in own.items()} for path, own in seeded(graph).items()
    }
    proof = prove(graph, weights, image(graph).astype("float32"))
    return proof.verdict == "verified"


def test_one_linear_layer_on_three_slices() -> None:
    """A layer of 100 × 100 weights that is used on three slices: 3 · 100 · 100 multiplies."""
    text = """
    input = "1x1x300"
    layers = [
      "a = slice 100",
      "one = linear 100 nobias",
      "@in | slice 100 from=100",
      "two = reuse @one",
      "@in | slice 100 from=200 | reuse @one | concat @one @two",
    ]
    """
    made = graph(text)
    counted = analyze(made)
    assert (counted.parameters, counted.multiplies) == (100 * 100, 3 * 100 * 100)
    assert [n.path for n in made.nodes if n.shares >= 0] == ["two", "one2"]
    assert holds(made)


def test_a_tower_runs_again_layer_by_layer() -> None:
    """3·3·3·4 + 4 and 4·2 + 2 numbers; 8·8 positions, twice."""
    made = graph(
        'input = "8x8x3"\nlayers = ["a = conv 4 k3 half | relu | conv 2", "@in | reuse @a | add @a"]'
    )
    counted = analyze(made)
    assert counted.parameters == 3 * 3 * 3 * 4 + 4 + 4 * 2 + 2
    assert counted.multiplies == 2 * 8 * 8 * (3 * 3 * 3 * 4 + 4 * 2)
    assert [n.path for n in made.nodes][4:] == ["a2/conv", "a2/relu", "a2/conv2", "add"]
    assert holds(made)


def test_a_block_runs_again_in_a_repeat() -> None:
    """As ALBERT's layers: 12 runs of one block of 16·16 + 16 numbers."""
    made = graph(
        'input = "4x4x16"\nlayers = ["a = unit", "11 x reuse @a"]\n'
        '[block.unit]\nadd.x = "conv 16"\nadd.y = "@in"'
    )
    counted = analyze(made)
    assert (counted.parameters, counted.multiplies) == (16 * 16 + 16, 12 * 4 * 4 * 16 * 16)
    assert holds(made)


def test_statistics_are_shared_too() -> None:
    made = graph('input = "4x4x8"\nlayers = ["a = bn", "reuse @a"]')
    assert analyze(made).total.stored_numbers == 4 * 8


def test_what_is_written_out_is_the_same_network() -> None:
    made = graph('input = "8x8x4"\nlayers = ["a = conv 4 | relu", "reuse @a", "add @in"]')
    again = graph(write(made, "t"))
    assert [(n.operator.name, n.inputs, n.shares) for n in again.nodes] == [
        (n.operator.name, n.inputs, n.shares) for n in made.nodes
    ]


def test_other_channels_are_refused() -> None:
    with pytest.raises(SpecError, match="needs a weight of 1×1×2×4, and a has 1×1×4×4"):
        graph('input = "8x8x4"\nlayers = ["a = conv 4", "conv 2 | reuse @a"]')


def test_a_bias_of_another_size_is_refused() -> None:
    """Position embeddings have a value a place: other places are other weights."""
    with pytest.raises(SpecError, match="of 16×4, and a has 64×4"):
        graph(
            'input = "8x8x4"\nlayers = ["tokens", "a = posembed", "@in | maxpool 2 | tokens | reuse @a"]'
        )


SIAMESE = """
layers = ["a = conv 4 k3 | flatten | linear 5", "@right | reuse @a | mul @a | linear 1"]
[inputs]
left = "8x8x1"
right = "8x8x1"
"""


def test_two_inputs_through_one_tower() -> None:
    """The tower's numbers once, its multiplies twice; one linear layer on the product of both."""
    made = graph(SIAMESE)
    tower, multiplies = 3 * 3 * 4 + 4 + 6 * 6 * 4 * 5 + 5, 6 * 6 * 4 * 9 + 6 * 6 * 4 * 5
    counted = analyze(made)
    assert counted.parameters == tower + 5 + 1
    assert counted.multiplies == 2 * multiplies + 5
    assert [n.path for n in made.nodes[: made.inputs]] == ["left", "right"]
    assert holds(made)


def test_both_inputs_are_there_from_the_start() -> None:
    """Alive in the first layer: two inputs of 64 values and its 6·6·4 outputs, in any order."""
    made = graph(SIAMESE)
    assert measure(made).steps[2].live == 64 + 64 + 6 * 6 * 4
    assert best_order(made).order[:2] == (0, 1)


def test_two_inputs_are_written_out() -> None:
    made = graph(SIAMESE)
    again = graph(write(made, "t"))
    assert [(n.operator.name, n.inputs, n.shares) for n in again.nodes] == [
        (n.operator.name, n.inputs, n.shares) for n in made.nodes
    ]
    assert [str(n.shape) for n in again.nodes[:2]] == ["8×8×1", "8×8×1"]


@pytest.mark.parametrize("size", ["8x8x4", "16x4", "2x8x8x4"])
def test_the_axes_that_arrive_have_numbers(size: str) -> None:
    """shape[0] is the first axis, the last one the channels."""
    axes = [int(n) for n in size.split("x")]
    made = graph(f'input = "{size}"\nlayers = ["conv {{shape[0] + shape[{len(axes) - 1}]}}"]')
    assert made.nodes[1].shape.channels == axes[0] + axes[-1]


def test_a_guard_is_of_one_step() -> None:
    made = graph(
        'input = "8x8x4"\nlayers = ["conv 4 | if shape[0] > 8: relu | if channels == 4: tanh | bn"]'
    )
    assert [n.operator.name for n in made.nodes[1:]] == ["conv", "tanh", "bn"]


def test_the_label_of_a_line_that_is_off_names_what_arrived() -> None:
    made = graph('input = "8x8x4"\nlayers = ["conv 4", "if channels > 4: a = conv 8", "relu | add @a"]')
    assert made.nodes[-1].inputs == (2, 1)


def test_a_block_takes_a_second_tensor_and_shows_one_inside() -> None:
    made = graph("""
    input = "8x8x4"
    layers = ["d = down 8", "conv 8 | up 4 @d/skip", "concat @d/skip"]
    [block.down]
    args = "c"
    layers = ["skip = conv {c}", "maxpool 2"]
    [block.up]
    args = "c @skip"
    layers = ["deconv {c} k2 s2", "concat @skip"]
    """)
    assert [(n.path, n.inputs) for n in made.nodes if n.operator.name == "concat"] == [
        ("up/concat", (4, 1)),
        ("concat", (5, 1)),
    ]
    assert made.nodes[-1].shape.channels == 4 + 8 + 8


OTHER_AXES = """
layers = [
  "tower = conv 4 k3 | maxpool 2 | conv 4 k3",
  "pooled = gap",
  "@words | conv 8 k3 | gap",
  "add_ = concat @pooled",
]
[inputs]
image = "16x16x3"
words = "32x5"
"""


def test_the_field_is_that_of_the_main_input() -> None:
    """3, then 4 by a pool of two, then 2·2 more; the words' map sees no pixel of the image."""
    made = graph(OTHER_AXES)
    fields = receptive_fields(made)
    assert made.nodes[fields.network].path == "tower/conv2"
    assert [int(axis.size) for axis in fields.of_network.sides] == [3 + 1 + 2 * 2] * 2


@pytest.mark.parametrize(
    "first, second", [("16x16x3", "32x5"), ("32x5", "16x16x3"), ("8x8x8x2", "9x9x1")]
)
def test_inputs_may_have_other_axes(first: str, second: str, tmp_path: Path) -> None:
    path = tmp_path / "two.toml"
    text = 'layers = ["a = conv 4 k3 | gap", "@b | conv 4 k3 | gap | add @a"]\n[inputs]\n'
    path.write_text(f'{text}x_ = "{first}"\nb = "{second}"\n')
    for command in ("field", "show", "memory"):
        told = CliRunner().invoke(commands, [command, str(path)], catch_exceptions=False)
        assert told.exit_code == 0


def test_inputs_written_alike_change_together() -> None:
    spec = read(Source("t", SIAMESE))
    assert [str(n.shape) for n in build(spec, {}, Shape(9, 9, 1)).nodes[:2]] == ["9×9×1", "9×9×1"]
    other = read(Source("t", OTHER_AXES))
    assert [str(n.shape) for n in build(other, {}, Shape(18, 18, 3)).nodes[:2]] == ["18×18×3", "32×5"]
