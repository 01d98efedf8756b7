"""What `archcalc.load` takes from Python."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import archcalc


def test_a_path_is_a_file(tmp_path: Path) -> None:
    path = tmp_path / "absent.toml"
    with pytest.raises(archcalc.ArchError, match=r"absent\.toml"):
        archcalc.load(path)


def test_a_tuple_is_an_input_size() -> None:
    assert (
        archcalc.load("vgg16", input=(64, 96, 3)).input == archcalc.load("vgg16", input="64x96x3").input
    )


@pytest.mark.parametrize("name", [None, 5, 1.5, b"vgg16", [], set()])
def test_what_names_no_network(name: Any) -> None:
    with pytest.raises(archcalc.ArchError, match=f"a {type(name).__name__} names no network"):
        archcalc.load(name)


@pytest.mark.parametrize("size", [3.5, (64.0, 64, 3), (None,), object(), b"28", {64}, {64: 64}])
def test_what_is_no_input_size(size: Any) -> None:
    with pytest.raises(
        archcalc.ArchError, match=f"a {type(size).__name__} of this kind is no input size"
    ):
        archcalc.load("vgg16", input=size)


@pytest.mark.parametrize("size", [True, (True, 64, 3)])
def test_a_bool_is_no_input_size(size: Any) -> None:
    kind = type(size).__name__
    with pytest.raises(archcalc.ArchError, match=f"a {kind} of this kind is no input size"):
        archcalc.load("vgg16", input=size)


@pytest.mark.parametrize("size", [64, np.int64(64), (64, 64), "64"])
def test_an_integer_is_a_square(size: Any) -> None:
    assert archcalc.load("vgg16", input=size).input == (64, 64, 3)


TOML = 'input = "8x8x1"\nlayers = ["conv 4 k3", "conv 2 k3"]\n'


@pytest.mark.parametrize("text", [TOML, "8x8x1 | conv 4 k3 | conv 2 k3"])
def test_the_text_of_a_spec(text: str) -> None:
    first, second = 3 * 3 * 1 * 4 + 4, 3 * 3 * 4 * 2 + 2
    analysis = archcalc.load(text).analyze()
    assert analysis.parameters == first + second
    assert [row["parameters"] for row in analysis.rows] == [0, first, second]
    assert json.loads(json.dumps(analysis.to_dict())) == analysis.to_dict()
    assert analysis.to_dict()["parameters"] == first + second


def test_memory_field_and_diff() -> None:
    small, large = archcalc.load("8x8x1 | conv 4 k3"), archcalc.load("8x8x1 | conv 4 k3 | conv 2 k3")
    assert small.memory().stored == 8 * 8 * 1 + 6 * 6 * 4  # no padding: 8 - 3 + 1
    field = large.field().of_network
    assert field.width is not None
    assert field.width.size == 3 + 2
    assert [row.operator for row in small.diff(large).layers if row.status == "new"] == ["conv 2 k3"]


@pytest.mark.parametrize("other", [None, "vgg16", 5])
def test_what_no_network_is_compared_with(other: Any) -> None:
    with pytest.raises(archcalc.ArchError, match=f"a {type(other).__name__} is no network"):
        archcalc.load("vgg16").diff(other)


def test_list_names_what_load_takes() -> None:
    names = archcalc.list().names
    assert len(set(names)) == len(names)
    assert all(archcalc.load(name).name == name for name in names[::10])


JUNK: list[Any] = [None, True, 0, -1, 10**30, 2.5, float("nan"), "", " ", "x", "\n", "a\nb", "\0", ":"]
JUNK += [b"a", [], (1, 2, 3), {1: 2}, object(), np.int64(7), np.float32(3), np.arange(3), set(), len]
JUNK += ["8x8x1 |", "| |", "vgg16:", ".", "\ud800", 2 + 1j, (1, (2,)), range(3), [None]]


@pytest.mark.parametrize("number", range(len(JUNK)))
def test_every_refusal_is_an_arch_error(number: int) -> None:
    junk = JUNK[number]
    calls: list[Any] = [
        lambda: archcalc.load(junk),
        lambda: archcalc.load("vgg16", input=junk),
        lambda: archcalc.load("vgg16", classes=junk).analyze(),
        lambda: archcalc.load("resnet50", stride=junk).analyze(),
        lambda: archcalc.load("8x8x1 | conv 4").diff(junk),
    ]
    for call in calls:
        try:
            call()
        except archcalc.ArchError as error:
            assert str(error)


def test_an_integer_of_numpy_is_an_integer() -> None:
    assert archcalc.load("vgg16", classes=np.int64(10)).values["classes"] == 10
    blocks = archcalc.load("resnet50", n=[np.int8(2), np.uint64(2), 2, 2]).values["n"]
    assert blocks == archcalc.load("resnet50", n=[2, 2, 2, 2]).values["n"]


def test_values_of_numpy_are_values() -> None:
    half = archcalc.load("mobilenet_v1", width=0.5).values
    assert archcalc.load("mobilenet_v1", width=np.float64(0.5)).values == half
    assert archcalc.load("mobilenet_v1", width=np.float32(0.5)).values == half
    assert archcalc.load("resnet50", n=np.array([1, 2, 3, 4])).values["n"] == [1, 2, 3, 4]
    assert archcalc.load("resnet50", n=range(1, 5)).values["n"] == [1, 2, 3, 4]


def test_what_is_set_twice_is_refused() -> None:
    with pytest.raises(archcalc.ArchError, match="`classes` is set twice: 10 and 20"):
        archcalc.load("vgg16:classes=10", classes=20)
    with pytest.raises(archcalc.ArchError, match="`input` is set twice: 64 and 96"):
        archcalc.load("vgg16:input=64", input=96)
    assert archcalc.load("vgg16:classes=10", classes=10).values["classes"] == 10
