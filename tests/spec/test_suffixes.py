"""Values of variables that are written with a suffix: 10k is 10,000."""

import pytest

import archcalc
from archcalc.sweeps.space.model import make_space

LIST = 'input = "8x8x3"\nvars.c = [4, 4]\nlayers = ["conv {c[0]}", "conv {c[1]}"]\n'


@pytest.mark.parametrize(
    ("text", "value"),
    [("10k", 10_000), ("10K", 10_000), ("1.5k", 1500), ("2M", 2_000_000), ("1G", 10**9), (" 3k ", 3000)],
)
def test_an_integer_may_have_a_suffix(text: str, value: int) -> None:
    assert archcalc.load(f"vgg16:classes={text}").values["classes"] == value


@pytest.mark.parametrize(
    "text", ["1.2345k", "k", "1kk", "10q", "1e3", "0x10", "--1k", "1-k", "1.k.", "٣k"]
)
def test_what_is_no_integer(text: str) -> None:
    with pytest.raises(archcalc.ArchError, match="`classes` must be an integer, not"):
        archcalc.load("vgg16", classes=text)


def test_the_items_of_a_list() -> None:
    assert archcalc.load(LIST, c="1k,2").values["c"] == [1000, 2]


def test_the_ends_and_the_step_of_a_range() -> None:
    network = archcalc.load("vgg16")
    assert list(make_space(network, ["classes=1k:4k:1.5k"]).axes[0].values) == [1000, 2500, 4000]
    assert list(make_space(network, ["classes=10,1k"]).axes[0].values) == [10, 1000]
