"""Every published number comes out as its entry promises, and the known errors by their arithmetic."""

from __future__ import annotations

from typing import Any

import pytest
from support.verdicts import NETWORKS, verdicts

from archcalc.audit import search
from archcalc.audit.published import Published
from archcalc.audit.quantities import LayerScope
from archcalc.audit.search import Findings
from archcalc.audit.verdicts import CONVENTIONAL, Verdict, judge
from archcalc.errors import UsageError


def test_nothing_fails() -> None:
    """Every number holds that its entry does not call wrong, unexplained, or quoted from memory."""
    assert [verdict for verdict in verdicts() if verdict.fails] == []


def test_entries_promise_what_comes_out() -> None:
    """No derivation, excuse or other network stays behind that the computation does not need."""
    for verdict in verdicts():
        number = verdict.number
        assert (verdict.kind == "wrong") == bool(number.arises), number
        assert not number.open or verdict.kind == "unexplained", number


NOTHING = Findings(matches=(), nearest=(), most=0, tried=0, chance=0)


def test_what_the_search_explains(monkeypatch: pytest.MonkeyPatch) -> None:
    """All others stand by what their source says: no story is found for them by chance."""
    monkeypatch.setattr(search, "find", lambda *_: NOTHING)
    explained = [v.number for v in verdicts() if judge(v.number, NETWORKS).kind != v.kind]
    assert {(number.network, number.printed) for number in explained} == {
        ("vgg16", "15.3 G"),  # conv layers only
        ("googlenet", "1.43G"),  # pools rounded down
        ("googlenet", "1431556352"),
        ("lenet5", "60k"),  # the network of 1998
        ("inception_v3:input=224x224x3", "5.75 G"),  # an input of 299, 4 a batch-norm value
    }


def found(network: str, quantity: str, printed: str, at: str = "") -> Verdict:
    of_network = [v for v in verdicts() if (v.number.network, v.number.at) == (network, at)]
    (verdict, *same) = [
        v for v in of_network if (v.number.quantity, v.number.printed) == (quantity, printed)
    ]
    assert all(other.kind == verdict.kind for other in same)
    return verdict


REDUCED, FULL = 28 * 28 * 16 * 192, 28 * 28 * 32 * 5 * 5 * 16  # the 1×1 and the 5×5 of a bottleneck
STEM = 7 * 7 * 3 * 64
SEPARABLE = 7 * 7 * 24 + 24 * 64


@pytest.mark.parametrize(
    ("place", "kind", "computed", "reached"),
    [
        # AlexNet, Fig. 2: one side of the map was replaced by the channels of a tower
        (("alexnet", "neurons", "253,440", "conv"), "wrong", 55 * 55 * 96, 55 * 48 * 96),
        # the five convs, and with the three dense layers
        (
            ("alexnet", "neurons", "650,000"),
            "convention",
            650_080 + 4096 + 4096 + 1000,
            55 * 55 * 96 + 27 * 27 * 256 + 13 * 13 * (384 + 384 + 256),
        ),
        (("alexnet", "conv_layers", "8"), "wrong", 5, 5 + 3),
        (("alexnet", "input_values", "150,528"), "variant", 227 * 227 * 3, 224 * 224 * 3),
        # VGG-16: the lecture's table, and with the input of every conv once more
        (("vgg16", "stored", "24M"), "wrong", 15_237_608, 24_319_464),
        (("vgg16", "map_bytes", "93MB"), "wrong", 4 * 15_237_608, 4 * 24_319_464),
        (("vgg16", "map_bytes", "96MB"), "wrong", 4 * 15_237_608, 4 * 24_000_000),
        # one sentence of the ResNet paper counts conv layers alone, then all of them
        (("vgg16", "multiplies", "15.3 G"), "convention", 15_470_264_320, 15_346_630_656),
        (("vgg19", "multiplies", "19.6 G"), "rounded", 19_508_428_800 + 123_633_664, None),
        (("resnet50_paper", "multiplies", "3.8 G"), "rounded", 3_857_973_248, None),
        # GoogLeNet: the stem of Table 1 is separable; pools rounded down lose a row
        (("googlenet", "multiplies", "1.5 billion"), "variant", 1_582_671_872, 1_498_677_248),
        (("googlenet", "multiplies", "1.43G"), "variant", 1_582_671_872, 1_431_556_352),
        (("googlenet", "weights", "2.7K", "conv1"), "variant", STEM, SEPARABLE),
        (
            ("googlenet", "multiplies", "34M", "conv1"),
            "variant",
            112 * 112 * STEM,
            112 * 112 * SEPARABLE,
        ),
        # its 5a was counted with a reduction of 48
        (
            ("googlenet", "multiplies", "54M", "5a"),
            "wrong",
            49 * (832 * (256 + 160 + 32 + 128) + 9 * 160 * 320 + 25 * 32 * 128),
            49 * (832 * (256 + 160 + 48 + 128) + 9 * 160 * 320 + 25 * 48 * 128),
        ),
        (("googlenet", "weights", "463K", "4c"), "unexplained", 509_440, None),
        # the notes: rounded to half millions
        (
            ("inception:bottleneck=16", "multiplies", "2.5 Mil", "5x5/reduce"),
            "wrong",
            REDUCED,
            2_500_000,
        ),
        (
            ("inception:bottleneck=16", "multiplies", "12.5 Mil", "5x5"),
            "wrong",
            REDUCED + FULL,
            12_500_000,
        ),
        # the naive module's pool keeps the channels of the input
        (
            ("inception:proj=0", "shape", "28x28x256"),
            "variant",
            (28, 28, 64 + 128 + 32 + 192),
            (28, 28, 64 + 128 + 32 + 32),
        ),
        (("resnet34", "linear_layers", "0"), "wrong", 1, 1 - 1),
        (("lenet5", "conv_layers", "4"), "wrong", 2, 2 + 2),
        (("lenet5_1998", "parameters", "60,000"), "exact", 60_000, None),
    ],
    ids=str,
)
def test_known_errors(place: tuple[str, ...], kind: str, computed: Any, reached: Any) -> None:
    verdict = found(*place)
    assert (verdict.kind, verdict.computed, verdict.reached) == (kind, computed, reached)


def test_twelve_times_fewer() -> None:
    """AlexNet's 60,965,224 parameters over GoogLeNet's 6,998,552 are 8.7."""
    verdict = found("googlenet", "ratio", "12")
    assert verdict.kind == "unexplained"
    assert verdict.computed * 6_998_552 == 60_965_224


def test_a_slip_of_one_is_seen() -> None:
    """Every whole number, one more: nothing explains it (sums that are searched for are tried below)."""
    for verdict in verdicts():
        number = verdict.number
        searched = number.quantity in CONVENTIONAL and not number.at
        if verdict.kind == "exact" and number.printed.replace(",", "").isdecimal() and not searched:
            more = str(int(number.printed.replace(",", "")) + 1)
            slip = number._replace(printed=more, read="primary")
            assert more.endswith("00") or judge(slip, NETWORKS).fails, number


@pytest.mark.parametrize(
    "slip",
    [
        {"network": "vgg16", "quantity": "parameters", "printed": "138,357,545"},
        {"network": "resnet50", "quantity": "multiplies", "printed": "4,089,184,257"},
        {"network": "vgg16", "quantity": "map_bytes", "printed": "96MB", "arises": "stored"},
        {"network": "googlenet", "quantity": "weights", "at": "4a", "printed": "364K"},
        {"network": "vgg11", "quantity": "file", "printed": "506.7 MiB"},  # less than its numbers
        {"network": "vgg11", "quantity": "file", "printed": "507.0 MiB"},  # 122 kB more, for 22 tensors
    ],
    ids=str,
)
def test_wrong_numbers_fail(slip: dict[str, str]) -> None:
    place = {"source": "a test", "url": "", "read": "primary", "at": "", "claim": slip["quantity"]}
    number = Published(**{**place, **slip})  # type: ignore[arg-type]
    assert judge(number, NETWORKS).fails
    for excuse in ({"open": True}, {"read": "memory"}):
        assert not judge(number._replace(**excuse), NETWORKS).fails  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("conv_layers", 13),
        ("linear_parameters", 123_642_856),
        ("stage1_stored", 2 * 224 * 224 * 64 + 112 * 112 * 64),
        ("resnet34_weight_layers", 34),
        ("relu_values", 13_555_712),
    ],
)
def test_quantities_of_a_part(name: str, value: int) -> None:
    """An operator's, a block's, another network's, a term's."""
    assert LayerScope.of("vgg16", "", NETWORKS).value(name) == value


def test_unknown_quantities_and_layers() -> None:
    with pytest.raises(UsageError, match="no quantity is called `multiply`"):
        LayerScope.of("vgg16", "", NETWORKS).value("multiply")
    with pytest.raises(UsageError, match="vgg16 has no layer `stage9`"):
        LayerScope.of("vgg16", "stage9", NETWORKS)
