"""What must be stated about every operator, and how operators are written and called."""

from __future__ import annotations

import inspect
from fractions import Fraction
from itertools import chain
from typing import Any

import pytest
from support.operator_facts import CONVENTIONS, GEOMETRIES, stated

from archcalc.arithmetic import Margin
from archcalc.operators import FAMILIES, TABLE, operator_class
from archcalc.operators.argument import Argument
from archcalc.operators.input import Input
from archcalc.operators.model import Grid, Operator, Window
from archcalc.operators.shape import Shape
from archcalc.spec.model import JOINS

FACTS = (
    "name",
    "arguments",
    "weight_layer",
    "stored",
    "buffer",
    "output_shape",
    "weights",
    "work",
    "connections",
    "geometry",
    "kept",
)


@pytest.mark.parametrize("name", [*TABLE, "input"])
def test_every_fact_is_stated_below_operator(name: str) -> None:
    cls = Input if name == "input" else operator_class(name)
    below = cls.__mro__[: cls.__mro__.index(Operator)]
    stated = set(chain.from_iterable(vars(c) for c in below))
    assert [fact for fact in FACTS if fact not in stated] == []
    assert vars(cls)["name"] == name


def test_names_are_in_one_family_and_no_class_is_left_out() -> None:
    names = [name for names in FAMILIES.values() for name in names.split()]
    assert len(names) == len(set(names)) == len(TABLE)
    modules = {inspect.getmodule(operator_class(name)) for name in TABLE}
    classes = [
        cls
        for module in modules
        for _, cls in inspect.getmembers(module, inspect.isclass)
        if cls.__module__ == getattr(module, "__name__", "") and "name" in vars(cls)
    ]
    assert sorted(cls.name for cls in classes if issubclass(cls, Operator)) == sorted(TABLE)
    assert {operator_class(name).__module__.rpartition(".")[2] for name in TABLE} == set(FAMILIES)


@pytest.mark.parametrize("name", TABLE)
def test_arguments_can_be_written(name: str) -> None:
    """Required ones first, one-letter names for sizes, each of its own name and with a help."""
    arguments = operator_class(name).arguments
    assert len({a.name for a in arguments}) == len({a.attribute for a in arguments}) == len(arguments)
    assert sorted(arguments, key=lambda a: not a.required) == list(arguments)
    assert all(a.help for a in arguments)
    assert not any(a.kind == "flag" and (a.required or a.default) for a in arguments)


@pytest.mark.parametrize("fact", CONVENTIONS)
def test_conventions(fact: str) -> None:
    assert stated(fact) == CONVENTIONS[fact]


@pytest.mark.parametrize("geometry", GEOMETRIES)
def test_geometry_without_window(geometry: str) -> None:
    for name in GEOMETRIES[geometry]:
        cls = operator_class(name)
        operator = cls(
            *[2 for a in cls.arguments if a.required], **({"low": 0} if name == "clip" else {})
        )
        assert operator.geometry(Shape(1, 1, 4)) == geometry


def test_the_other_operators_slide_a_window() -> None:
    windowed = {"conv", "maxpool", "avgpool", "sumpool", "adaptivepool", "todepth", "windowattention"}
    windowed |= {"deconv", "upsample", "pad", "crop", "pixelshuffle", "pixelunshuffle"}
    windowed |= {"resize", "deformconv", "roll", "permute", "reshape"}
    assert set(TABLE) - set().union(*GEOMETRIES.values()) == windowed


def test_geometry_of_tokens() -> None:
    """A linear layer sees one token; windows of attention stand side by side."""
    assert operator_class("linear")(8).geometry(Shape(9, 4)) == "pointwise"
    assert operator_class("todepth")((2, 3)).geometry(Shape(4, 6, 1)) == Window(
        (2, 3), (2, 3), (0, 0), (1, 1)
    )
    shifted = operator_class("windowattention")(2, 7, shift=3)
    assert shifted.geometry(Shape(14, 14, 4)) == Grid((7, 7), (3, 3))
    assert shifted.geometry(Shape(7, 8, 4)) == Grid((7, 7), (0, 3))  # one window spans the height


KINDS = [
    ("conv", (8,), {}, 4, "conv"),
    ("conv", (8,), {"g": 2}, 4, "grouped conv"),
    ("conv", (8,), {"g": 4}, 4, "depthwise conv"),
    ("conv", (8,), {"g": 1}, 1, "conv"),
    ("deconv", (8,), {"g": 4}, 4, "deconv"),
    ("linear", (8,), {}, 4, "linear"),
]


@pytest.mark.parametrize("name, required, optional, channels, kind", KINDS)
def test_kind(name: str, required: Any, optional: Any, channels: int, kind: str) -> None:
    assert operator_class(name)(*required, **optional).kind(Shape(1, 1, channels)) == kind


WRITTEN = [
    ("conv", (64,), {"k": 7, "s": 2, "p": 3, "nobias": True}, "conv 64 k7 s2 p3 nobias"),
    ("conv", (64,), {"k": (1, 7), "p": (0, 3), "d": 1, "g": 4}, "conv 64 k1x7 p0x3 g4"),
    ("conv", (64,), {"k": 3, "p": Margin(0, 1)}, "conv 64 k3 p0:1"),
    ("conv", (64,), {"k": 3, "p": Margin(1, 1)}, "conv 64 k3 p1"),
    ("maxpool", (3,), {"p": (Margin(0, 1), 1)}, "maxpool 3 p0:1x1"),
    ("conv", (2,), {"half": True, "table": [[0], [0, 1]]}, "conv 2 half table={[[0], [0, 1]]}"),
    ("deconv", (4,), {"k": 3, "s": 2, "out": 1}, "deconv 4 k3 s2 out=1"),
    ("deconv", (4,), {"k": 3, "d": 2, "out": (1, 0)}, "deconv 4 k3 d2 out=1x0"),
    ("deformconv", (4,), {"k": 3, "p": 1, "modulated": True}, "deformconv 4 k3 p1 modulated"),
    ("maxpool", (3,), {}, "maxpool 3"),
    ("maxpool", (3,), {"s": "window"}, "maxpool 3"),
    ("maxpool", (3,), {"s": 3}, "maxpool 3"),
    ("maxpool", ((2, 3),), {"s": 2, "ceil": True}, "maxpool 2x3 s2 ceil"),
    ("slice", (16,), {"from": 48}, "slice 16 from=48"),
    ("bn", (), {"noscale": True}, "bn noscale"),
    ("bn", (), {"noscale": True, "noshift": True}, "bn noscale noshift"),
    ("bn", (), {"eps": 1e-5}, "bn"),
    ("bn", (), {"eps": Fraction(1, 1000)}, "bn eps={0.001}"),
    ("ln", (), {"eps": Fraction(1, 10**6)}, "ln eps={0.000001}"),
    ("ln", (), {"eps": 1}, "ln eps={1.0}"),
    ("leaky", (), {"slope": 0.1}, "leaky"),
    ("leaky", (), {"slope": Fraction(1, 100)}, "leaky slope={0.01}"),
    ("clip", (), {"low": -1}, "clip low={-1.0}"),
    ("clip", (), {"low": Fraction(-1, 2), "high": 6}, "clip low={-0.5} high={6.0}"),
    ("elu", (), {"alpha": 2}, "elu alpha={2.0}"),
    ("prelu", (), {"shared": True}, "prelu shared"),
    ("concat", (), {"crop": True}, "concat crop"),
    ("upsample", ((2, 1),), {}, "upsample 2x1"),
    ("upsample", (2,), {"bilinear": True, "corners": True}, "upsample 2 bilinear corners"),
    ("resize", (65,), {}, "resize 65"),
    ("resize", ((65, 33),), {"bicubic": True}, "resize 65x33 bicubic"),
    ("resize", (), {"bilinear": True}, "resize bilinear"),
    ("pad", (Margin(0, 1),), {"edge": True}, "pad 0:1 edge"),
    ("pad", ((1, Margin(2, 0)),), {}, "pad 1x2:0"),
    ("crop", (2,), {}, "crop 2"),
    ("pixelshuffle", (2,), {}, "pixelshuffle 2"),
    ("token", (0,), {}, "token 0"),
    ("windowattention", (3, 7), {"shift": 3}, "windowattention 3 7 shift=3"),
    ("relu", (), {}, "relu"),
]


@pytest.mark.parametrize("name, required, optional, text", WRITTEN, ids=[w[-1] for w in WRITTEN])
def test_written_as_in_a_spec(name: str, required: Any, optional: Any, text: str) -> None:
    operator = operator_class(name)(*required, **optional)
    assert str(operator) == text
    assert repr(operator) == f"<{text}>"


def test_usage_of_arguments() -> None:
    usages = [a.usage for a in operator_class("conv").arguments]
    assert usages == ["filters", "k=1", "s=1", "p=0", "d=1", "g=1", "half", "same", "nobias", "table"]
    assert [a.usage for a in operator_class("maxpool").arguments][:2] == ["window", "s=window"]
    assert [a.usage for a in operator_class("bn").arguments] == ["noscale", "noshift", "eps={0.00001}"]
    assert [a.usage for a in operator_class("clip").arguments] == ["low={…}", "high={…}"]
    assert Argument("nobias", "flag", "no bias", False).written(False) == "nobias=false"


def test_required_arguments_by_name() -> None:
    for name, field in (("maxpool", "window"), ("conv", "filters"), ("linear", "units")):
        cls = operator_class(name)
        assert str(cls(**{field: 3})) == str(cls(3)) == f"{name} 3"


def test_shapes_as_text() -> None:
    assert [str(Shape(1, 1, 9)), str(Shape(2, 1, 9)), str(Shape(1, 2, 9))] == ["9", "2×1×9", "1×2×9"]


def test_a_sequence_is_no_map() -> None:
    """Equal numbers, another kind: layers that are counted once, by their inputs, stay apart."""
    tokens, column = Shape(197, 768), Shape(197, 1, 768)
    assert str(tokens) == "197×768"
    assert str(Shape(1, 768)) == "1×768"
    assert tokens == Shape(197, 768) != Shape(196, 768)
    assert tokens != column
    assert column != tokens
    assert len({tokens, column, Shape(197, 768)}) == 2
    assert (tokens.values, tokens.positions) == (197 * 768, 197)


def test_input() -> None:
    """The image: a map that is stored, and costs nothing."""
    image = Input(Shape(224, 225, 3))
    assert image.output_shape() == Shape(224, 225, 3)
    assert (image.weight_layer, image.stored, image.buffer) == (False, True, "fresh")
    assert (image.weights(), image.work(), image.connections(), image.geometry()) == (
        (),
        (),
        0,
        "pointwise",
    )


@pytest.mark.parametrize("name", JOINS)
def test_a_crop_is_centered(name: str) -> None:
    """(64 − 56) // 2 rows above, (61 − 56) // 2 columns before; the odd one is cut at the end."""
    shapes = Shape(56, 56, 8), Shape(64, 61, 8), Shape(57, 56, 8)
    join: Any = operator_class(name)
    assert join(crop=True).offsets(*shapes) == ((0, 0), (4, 2), (0, 0))
    assert join().offsets(*shapes) == ((0, 0),) * 3
