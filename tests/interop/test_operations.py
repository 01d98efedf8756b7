"""Single calls of ATen as operations: what is kept of them, and in which order their tensors stand."""

from __future__ import annotations

from archcalc.interop.counts import ShapedOperation
from archcalc.interop.torch.arguments import Arguments
from archcalc.interop.torch.operations import Call, call
from archcalc.interop.trace import OPAQUE
from archcalc.interop.vocabulary import WORDS

SHAPES = {
    "x": (2, 4),
    "h": (2, 5),
    "w_ih": (15, 4),
    "w_hh": (15, 5),
    "b_ih": (15,),
    "b_hh": (15,),
    "cube": (2, 3, 4),
}


def called(target: str, values: dict[str, object] | None = None, **tensors: str) -> Call:
    given = Arguments({name: list(text.split()) for name, text in tensors.items()}, values or {}, [])
    return call(f"torch.ops.{target}", given, SHAPES)


def test_a_step_of_a_gru() -> None:
    found = called(
        "aten.gru_cell.default", input="x", hx="h", w_ih="w_ih", w_hh="w_hh", b_ih="b_ih", b_hh="b_hh"
    )
    assert (found.word, found.attributes["units"]) == ("gru", 5)
    seen = ShapedOperation(
        tuple(SHAPES[name or ""] for name in found.inputs), ((2, 5),), found.attributes
    )
    assert WORDS["gru"].rule(seen).products == 2 * 3 * 5 * (4 + 5)


def test_axes_in_another_order() -> None:
    def dims(name: str, **values: object) -> object:
        return called(f"aten.{name}", values, self="cube").attributes["dims"]

    assert dims("permute.default", dims=(2, -2, 0)) == (2, 1, 0)
    assert dims("transpose.int", dim0=-1, dim1=0) == (2, 1, 0)
    assert dims("mT.default") == (0, 2, 1)
    assert dims("movedim.int", source=0, destination=-1) == (1, 2, 0)
    assert dims("movedim.intlist", source=(0, 1), destination=(1, 2)) == (2, 0, 1)


def test_one_name_for_two_words() -> None:
    assert called("aten.max.dim", {"dim": 1}, self="x").word == "amax"
    assert called("aten.max.other", self="x", other="h").word == "maximum"
    assert called("aten.min.other", self="x", other="h").word == "minimum"
    assert called("aten.div.Tensor_mode", {"rounding_mode": "floor"}, self="x").word == "floor_divide"
    assert called("aten.convolution.default", {"transposed": True}, input="x", weight="h").word == (
        "conv_transpose"
    )


def test_index_select_is_an_index_behind_the_axes_before_it() -> None:
    assert called("aten.index_select.default", {"dim": -1}, self="x", index="h").inputs == (
        "x",
        None,
        "h",
    )


def test_only_torchs_own_names_are_known() -> None:
    assert called("aten.relu_.default", self="x").word == "relu"
    assert called("mylib.relu.default", self="x") == Call(
        OPAQUE, ("x",), {"name": "torch.ops.mylib.relu.default"}
    )
    assert called("quantized_decomposed.dequantize_per_tensor.default", input="x").word == "dequantize"
