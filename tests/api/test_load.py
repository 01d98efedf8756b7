"""What `archcalc.load` takes from Python."""

from pathlib import Path
from typing import Any

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


@pytest.mark.parametrize("size", [3.5, (64.0, 64, 3), (None,), object()])
def test_what_is_no_input_size(size: Any) -> None:
    with pytest.raises(
        archcalc.ArchError, match=f"a {type(size).__name__} of this kind is no input size"
    ):
        archcalc.load("vgg16", input=size)
