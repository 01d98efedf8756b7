"""A trace is told apart, and counted: expected numbers are the products that stand beside them."""

from __future__ import annotations

import pytest

from archcalc.errors import ArchError
from archcalc.interop.counts import Counts
from archcalc.interop.prune import prune
from archcalc.interop.tally import Tally, tally
from archcalc.interop.trace import OPAQUE, Operation, StoredWeight, Tensor, Trace

SHAPES = {
    "x": (1, 3, 8, 8),
    "w": (4, 3, 3, 3),
    "b": (4,),
    "conv": (1, 4, 6, 6),
    "relu": (1, 4, 6, 6),
    "twice": (4, 3, 3, 3),
    "unread": (1, 3, 8, 8),
    "spare": (7,),
}


def step(word: str, inputs: str, output: str, **attributes: object) -> Operation:
    read = tuple(name if name != "-" else None for name in inputs.split())
    return Operation(word, read, (output,), attributes, "", f"node '{output}'")


def trace(*operations: Operation, **weights: str) -> Trace:
    """`weights` are the storages of the parameters by name."""
    tensors = {name: Tensor(name, shape, "float32") for name, shape in SHAPES.items()}
    parameters = tuple(StoredWeight(name, name, "parameter", True, at) for name, at in weights.items())
    return Trace("m", "hand", ("x",), ("relu",), tensors, parameters, {}, operations)


def counted(model: Trace) -> Tally:
    return tally(model, prune(model))


CONV = step("conv", "x w b", "conv")
RELU = step("relu", "conv", "relu")


def test_counts_of_all_rows_add_up() -> None:
    found = counted(trace(CONV, RELU, w="w", b="b"))
    outputs, products = 4 * 6 * 6, 3 * 3 * 3
    assert found.counts == Counts(
        products=outputs * products,
        additions=outputs * (products - 1) + outputs,
        comparisons=outputs,
    )
    assert [(u.weight.name, u.role) for u in found.rows[0].uses] == [("w", "weight"), ("b", "bias")]
    assert found.parameters == 4 * 3 * 3 * 3 + 4


def test_what_depends_on_no_input_is_folded_and_its_weights_are_used() -> None:
    model = trace(
        step("mul", "w w", "twice"), step("conv", "x twice -", "conv"), RELU, w="w", spare="spare"
    )
    pruned = prune(model)
    assert [o.word for o in pruned.folded] == ["mul"]
    found = tally(model, pruned)
    assert (found.parameters, found.parameters_of_the_file) == (108, 108 + 7)
    assert found.counts.multiplies == 0
    assert [use.weight.name for use in found.unused] == ["spare"]


def test_a_weight_that_an_output_is_made_of_is_used() -> None:
    model = trace(CONV, RELU, step("exp", "spare", "twice"), w="w", b="b", spare="spare")
    found = counted(model._replace(outputs=("relu", "twice")))
    assert [use.weight.name for use in found.returned] == ["spare"]
    assert found.parameters == found.parameters_of_the_file == 108 + 4 + 7
    assert found.unused == ()


def test_what_only_a_shape_decides_depends_on_no_input() -> None:
    model = trace(step("fill", "x", "twice"), step("conv", "x twice -", "conv"), RELU)
    assert [o.word for o in prune(model).folded] == ["fill"]


def test_what_no_output_reads_is_dropped() -> None:
    pruned = prune(trace(CONV, step("exp", "x", "unread"), RELU, w="w", b="b"))
    assert [o.word for o in pruned.dropped] == ["exp"]
    assert [o.word for o in pruned.live] == ["conv", "relu"]


def test_shared_weights_count_once_and_multiply_each_time() -> None:
    again = step("conv", "x spare -", "conv")
    model = trace(CONV, again, RELU, w="one", b="b", spare="one")
    model = model._replace(tensors={**model.tensors, "spare": Tensor("spare", (4, 3, 3, 3), "float32")})
    found = counted(model)
    assert found.parameters == 108 + 4
    assert found.counts.products == 2 * 4 * 6 * 6 * 27


def test_unknown_operations_are_listed_and_only_those_that_work() -> None:
    strange = step(OPAQUE, "conv", "relu", name="my::op")
    unread = step(OPAQUE, "x", "unread", name="my::other")
    model = trace(CONV, strange, unread, w="w", b="b")
    with pytest.raises(ArchError) as error:
        counted(model)
    assert str(error.value) == "m holds an operation that archcalc does not know"
    assert error.value.diagnostics[0].notes == ("my::op: node 'relu'",)
    found = tally(model, prune(model), allow_unknown=True)
    assert [o.place for o in found.unknown] == ["node 'relu'"]
    assert found.counts.products == 4 * 6 * 6 * 27


def test_shapes_that_contradict_the_rule_are_one_error_each() -> None:
    model = trace(step("linear", "x -", "conv"), RELU)
    with pytest.raises(ArchError) as error:
        counted(model)
    assert str(error.value) == "m: node 'conv' cannot be counted: it has no input 1"
