"""Small exported models, counted from their files. `tests/data/pt2/make.py` is what they were made of.

Expected numbers are arithmetic on the modules as they stand there.
"""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import pytest

from archcalc import load as load_spec
from archcalc.errors import ArchError
from archcalc.interop.batch import per_image
from archcalc.interop.counts import Counts, total
from archcalc.interop.load import read
from archcalc.interop.prune import Pruned, prune
from archcalc.interop.tally import Tally, tally
from archcalc.interop.trace import Trace

FILES = Path(__file__).parents[1] / "data" / "pt2"


def model(name: str, dims: Mapping[str, int] = {}, **inputs: tuple[int, ...]) -> tuple[Trace, Pruned]:
    trace = read(str(FILES / f"{name}.pt2"), inputs, dims)
    pruned = prune(trace)
    return per_image(trace, pruned), pruned


def counted(name: str, dims: Mapping[str, int] = {}, **inputs: tuple[int, ...]) -> Tally:
    return tally(*model(name, dims, **inputs))


def of_word(found: Tally, *words: str) -> Counts:
    return total(row.counts for row in found.rows if row.operation.word in words)


def test_the_census_of_resnet18_is_that_of_the_spec() -> None:
    spec, found = load_spec("resnet18").analyze().total, counted("resnet18")
    census = spec.census
    assert (
        found.counts.products == spec.multiplies == 1_814_073_344
    )  # torchvision's documentation: 1.814
    assert found.counts.products + found.counts.multiplies == census.multiplies
    assert found.counts[2:] == census[1:]
    assert found.parameters == found.parameters_of_the_file == spec.parameters == 11_689_512


def test_modules_have_paths_and_classes() -> None:
    trace, _ = model("resnet18")
    assert trace.modules[""] == "ResNet"
    assert trace.modules["layer1.0"] == "BasicBlock"
    assert trace.operations[4].module == "layer1.0.conv1"
    assert trace.operations[4].place == "node 4 conv2d_1 (torch.ops.aten.conv2d.default)"


def test_two_inputs_share_a_tower() -> None:
    found = counted("two_inputs")
    outputs, window = 8 * 4 * 4, 3 * 3 * 3  # (9 − 3) // 2 + 1 = 4
    assert found.counts.products == 2 * outputs * window + 16 * 2
    assert found.parameters == 8 * 27 + 8 + 16 * 2 + 2
    assert found.counts.multiplies == 2 * 8  # one a mean


def test_one_dimension() -> None:
    found = counted("sequence")
    length = (21 - 5) // 2 + 1
    assert of_word(found, "conv") == Counts(
        products=8 * length * 2 * 5, additions=8 * length * (2 * 5 - 1) + 8 * length
    )
    pooled = length // 2
    spread = 8 * pooled * 4 * 4  # inputs · filters · kernel
    touched = 4 * ((pooled - 1) * 2 + 4)
    assert of_word(found, "conv_transpose") == Counts(
        products=spread, additions=spread - touched + touched
    )
    assert of_word(found, "avg_pool") == Counts(multiplies=8 * pooled, additions=8 * pooled)
    assert of_word(found, "softmax").exponentials == 4 * ((pooled - 1) * 2 + 4)


def test_three_dimensions() -> None:
    found = counted("volume")
    values = 4 * 4 * 4 * 4  # channels · frames · (6 − 3 + 1)²
    assert of_word(found, "conv").products == values * 3 * 1 * 3 * 3
    groups, inside = 2, values // 2
    assert of_word(found, "group_norm") == Counts(
        multiplies=groups * (3 * inside + 2),
        additions=groups * (4 * inside - 1),
        divisions=groups,
        roots=groups,
    )
    assert of_word(found, "adaptive_avg_pool") == Counts(multiplies=4, additions=values - 4)
    assert found.parameters == 4 * 3 * 9 + 4 + 2 * 4 + 4 * 2 + 2


def test_lstm_of_two_layers_and_directions() -> None:
    found = counted("lstm")
    first, second = 4 * 16 * (12 + 16), 4 * 16 * (32 + 16)  # gates · hidden · (inputs + hidden)
    recurrent = of_word(found, "lstm")
    assert recurrent.products == 7 * 2 * (first + second)
    assert found.counts.products == 7 * 2 * (first + second) + 32 * 5
    assert found.parameters == 2 * (first + second) + 2 * 2 * 2 * 4 * 16 + 32 * 5 + 5
    # each gate of each unit has two biases, in two layers and two directions, and the head five
    roles: Counter[str] = Counter()
    for use in (use for row in found.rows for use in row.uses):
        roles[use.role] += use.size
    assert roles == {"weight": 2 * (first + second) + 32 * 5, "bias": 2 * 2 * 2 * 4 * 16 + 5}
    units = 7 * 2 * 2 * 16
    assert recurrent.exponentials == units * (3 * 1 + 2 * 2)  # three sigmoids, two tanhs
    assert recurrent.multiplies == units * 3
    # an output of a gate sums its products, and two biases: (12 + 16) products take 27, and 2 more
    gates = 7 * 2 * 4 * 16 * ((12 + 16 - 1 + 2) + (32 + 16 - 1 + 2))
    assert recurrent.additions == gates + units * (3 * 1 + 2 * 2 + 1)


def test_attention() -> None:
    found = counted("attention")
    tokens, width, hidden, heads = 5, 8, 16, 2
    projections = 4 * tokens * width * width
    assert of_word(found, "attention").products == 2 * tokens * tokens * width
    assert found.counts.products == (
        projections + 2 * tokens * tokens * width + 2 * tokens * width * hidden
    )
    assert of_word(found, "attention").exponentials == heads * tokens * tokens
    norms = 2 * 2 * width
    assert found.parameters == 4 * (width * width + width) + 2 * width * hidden + hidden + width + norms


@pytest.mark.parametrize("name", ["tied", "tied_on_meta"])
def test_tied_weights_count_once_and_multiply_each_time(name: str) -> None:
    found = counted(name)
    assert found.parameters == found.parameters_of_the_file == 50 * 8
    assert found.counts.products == 6 * 8 * 50
    (first,) = [use.role for row in found.rows for use in row.uses]
    assert first == "weight"


def test_frozen_parameters_do_not_train() -> None:
    uses = [use for row in counted("frozen").rows for use in row.uses]
    frozen = sum(u.size for u in uses if u.weight.kind == "parameter" and not u.weight.trains)
    assert frozen == 6 * 3 * 9 + 6 + 6
    assert sum(u.size for u in uses if u.weight.trains) == 6 * 4 * 4 * 10 + 10
    assert {u.role for u in uses if u.weight.kind == "buffer"} == {"mean", "variance"}


def test_in_place_operations_are_work_like_others() -> None:
    found = counted("in_place")
    values, row = 4 * 8 * 8, 4 * 8
    assert of_word(found, "relu") == Counts(comparisons=values)
    assert found.counts.multiplies == row + values  # row.mul_(2), y * mask
    assert found.counts.additions == values * 26 + values + (row - 1) + values


def test_a_write_reaches_every_alias_and_a_mask_of_constants_is_folded() -> None:
    trace, pruned = model("in_place")
    assert {o.word for o in pruned.folded} <= {"fill", "slice", "view", "expand", "scatter"}
    # y is read after `row`, a view of it, was multiplied: what was written into the view is behind it
    product = next(o for o in pruned.live if o.word == "mul" and len(o.inputs) == 2)
    joined = next(o for o in pruned.live if product.inputs[0] in o.outputs)
    assert joined.word == "scatter"
    written = [o for o in pruned.live if set(o.outputs) & set(joined.inputs)]
    assert {o.word for o in written} >= {"add", "mul"}
    assert trace.tensors[joined.outputs[0]].shape == (1, 4, 8, 8)


def test_what_no_layer_uses_stands_apart() -> None:
    found = counted("unused")
    assert found.parameters == 6 * 4 + 4
    assert found.parameters_of_the_file == 28 + (6 * 9 + 9) + (6 * 7 + 7)
    assert [use.weight.name for use in found.unused] == [
        "spare.weight",
        "spare.bias",
        "lost.weight",
        "lost.bias",
    ]
    assert found.counts.products == 24


def test_windows_in_the_first_axis_are_counted_for_one_image() -> None:
    trace, pruned = model("windows_of_two")
    found = tally(trace, pruned)
    assert trace.notes == ("exported for a batch of 2: counts are those of one image",)
    tokens, windows, inside = 64, 4, 16
    assert found.counts.products == tokens * 8 * 24 + 2 * windows * inside * inside * 8
    scores = windows * 2 * inside * inside
    assert found.counts.exponentials == scores
    qkv = tokens * 24 * 8  # 7 sums and a bias an output
    attention = scores * 3 + tokens * 8 * 15  # 4 products a score; 16 a mixed value
    softmax = scores * 2 - windows * 2 * inside
    assert found.counts.additions == qkv + attention + softmax + scores  # the last: the mask


def test_a_part_without_gradients_counts_and_a_weight_of_two_is_used() -> None:
    found = counted("silent")
    length = 9 - 3 + 1
    assert found.counts.products == 6 * length * 4 * 3 + length * 6 * 6
    assert found.parameters == 6 * 4 * 3 + 6 + 6 + 6 * 6 + 6


CONVOLUTIONAL = Counts(
    products=6 * 8 * 8 * 27 + 96 * 10,
    multiplies=6 * 8 * 8,
    additions=6 * 8 * 8 * 26 + 6 * 8 * 8 + 95 * 10 + 10,
    comparisons=6 * 8 * 8 + 6 * 4 * 4 * 3,
)


@pytest.mark.parametrize("name", ["frozen", "decomposed", "torch_2_6", "training"])
def test_one_network_as_torch_writes_it_in_four_ways(name: str) -> None:
    """As it is, in core ATen, by torch 2.6, and in training mode for a batch of two."""
    found = counted(name)
    assert found.counts == CONVOLUTIONAL
    assert found.parameters == 6 * 27 + 12 + 960 + 10


def test_training_mode_is_said() -> None:
    assert model("training")[0].notes[0] == (
        "exported in training mode: norms and dropout are counted as at inference"
    )


def test_free_sizes_are_given_as_a_shape_or_one_by_one() -> None:
    trace, _ = model("dynamic", input=(1, 3, 33, 17))
    assert trace.tensors[trace.outputs[0]].shape == (1, 4, 16, 8)
    symbols = {"s16": 33, "s82": 17}
    assert model("dynamic", symbols)[0].tensors == trace.tensors
    assert counted("dynamic", symbols).counts.products == 4 * 16 * 8 * 27
    assert model("dynamic", symbols)[0].notes == (
        "s31, the first axis of every input, is taken for the batch and set to 1",
    )
    assert counted("dynamic", input=(5, 3, 33, 17)).counts.products == 4 * 16 * 8 * 27


@pytest.mark.parametrize(
    ("dims", "inputs", "message"),
    [
        (
            {},
            {},
            "dynamic.pt2 leaves sizes free: s16 (axis 2 of input, 16 at export), "
            "s82 (axis 3 of input, 16 at export)",
        ),
        ({"s17": 8}, {}, "dynamic.pt2 has no free dimension `s17`"),
        ({"s16": 0}, {}, "dimension s16 must be a positive integer, not 0"),
        ({}, {"inputs": (1, 3, 8, 8)}, "dynamic.pt2 has no input `inputs`"),
        ({}, {"input": (3, 8, 8)}, "dynamic.pt2: input input has 4 axes, batch included, not 3"),
        ({}, {"input": (1, 4, 8, 8)}, "dynamic.pt2: axis 1 of input is fixed at 3, not 4"),
        ({"s16": 9}, {"input": (1, 3, 8, 8)}, "dynamic.pt2: s16 is 9, and 8 in input"),
    ],
)
def test_sizes_that_do_not_fit_are_refused(
    dims: dict[str, int], inputs: dict[str, tuple[int, ...]], message: str
) -> None:
    with pytest.raises(ArchError) as error:
        model("dynamic", dims, **inputs)
    assert str(error.value) == message


def test_unknown_operations_are_one_error_with_all_places() -> None:
    trace, pruned = model("strange")
    with pytest.raises(ArchError) as error:
        tally(trace, pruned)
    (diagnostic,) = error.value.diagnostics
    assert diagnostic.message == "strange.pt2 holds 2 operations that archcalc does not know"
    assert diagnostic.notes == (
        "torch.ops.mylib.warp.default: node 0 warp (torch.ops.mylib.warp.default) and 1 more",
    )
    found = tally(trace, pruned, allow_unknown=True)
    assert len(found.unknown) == 2
    assert found.counts.products == 4 * 3


def test_unknown_fields_are_passed_over_and_another_major_version_is_refused(tmp_path: Path) -> None:
    name = "serialized_exported_program.json"
    with zipfile.ZipFile(FILES / "torch_2_6.pt2") as file:
        program = json.loads(file.read(name))
    program["new"] = program["graph_module"]["graph"]["newer"] = {"a": [1]}
    program["schema_version"]["minor"] = 99

    def written() -> str:
        path = tmp_path / "m.pt2"
        with zipfile.ZipFile(path, "w") as out:
            out.writestr(name, json.dumps(program))
        return str(path)

    trace = read(written(), {}, {})
    assert trace.source == "torch.export 8.99, torch 2.6.0+cu124"
    assert tally(trace, prune(trace)).counts == CONVOLUTIONAL
    program["schema_version"]["major"] = 9
    with pytest.raises(ArchError) as error:
        read(written(), {}, {})
    assert str(error.value) == "m.pt2 is of torch.export's schema 9.99; archcalc reads 8.x"


def test_no_framework_and_no_array_package_is_imported() -> None:
    """Reading and counting take Python's own modules, and not even `zipfile`, which starts slowly."""
    code = f"""
import sys
from archcalc.interop.batch import per_image
from archcalc.interop.load import read
from archcalc.interop.prune import prune
from archcalc.interop.tally import tally
trace = read({str(FILES / "resnet18.pt2")!r}, {{}}, {{}})
pruned = prune(trace)
assert tally(per_image(trace, pruned), pruned).counts.products
heavy = {{"torch", "numpy", "numba", "rich", "onnx", "zipfile", "pickle", "ast", "fractions"}}
print(sorted(heavy & set(sys.modules)))
"""
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout == "[]\n"
