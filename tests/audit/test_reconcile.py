"""reconcile: the right reason first, with the arithmetic that proves it; none where there is none."""

from __future__ import annotations

import csv
import io
import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from hypothesis import given, settings
from hypothesis import strategies as st
from support.neighbors import named

from archcalc.audit.conventions import CONVENTIONS, KINDS
from archcalc.audit.neighbor import Neighbor
from archcalc.audit.neighbors import neighbors
from archcalc.audit.printed import counted, parse
from archcalc.audit.readings import Reading, readings
from archcalc.audit.search import Findings, find
from archcalc.cli import commands
from archcalc.errors import UsageError
from archcalc.spec import catalog


def search(network: str, number: str) -> Findings:
    return find(named(network), parse(number))


# what VGG-16 computes, map by map: 224², 112², 56², 28² and 14² positions
CONV_VALUES = 224**2 * 64 * 2 + 112**2 * 128 * 2 + 56**2 * 256 * 3 + 28**2 * 512 * 3 + 14**2 * 512 * 3
POOL_VALUES = 112**2 * 64 + 56**2 * 128 + 28**2 * 256 + 14**2 * 512 + 7**2 * 512
CONV_PRODUCTS = 9 * (
    224**2 * 64 * (3 + 64)
    + 112**2 * 128 * (64 + 128)
    + 56**2 * 256 * (128 + 2 * 256)
    + 28**2 * 512 * (256 + 2 * 512)
    + 14**2 * 512 * 3 * 512
)
DENSE_PRODUCTS = 25_088 * 4096 + 4096 * 4096 + 4096 * 1000
VGG16 = CONV_PRODUCTS + DENSE_PRODUCTS

# what a conv of ResNet-50 that strides in the first 1×1 saves: 3/4 of 128·256·56² and so on
SAVED = 3 * (56**2 * 256 * 128) // 4 * 3

CASES = [
    # network, number, the network it is, conventions, count, how it prints
    ("resnet50", "4.1G", "resnet50", [], 4_089_184_256, "4.1 rounds 4.089"),
    ("resnet50", "4.1 GMACs", "resnet50", [], 4_089_184_256, "4.1 rounds 4.089"),
    ("resnet50", "3.8G", "resnet50_paper", [], 4_089_184_256 - SAVED, "3.8 truncates 3.858"),
    ("resnet50", "3.8 GFLOPs", "resnet50_paper", [], 3_857_973_248, "3.8 truncates 3.858"),
    ("resnet50", "8.2 GFLOPs", "resnet50", ["FLOPs"], 2 * 4_089_184_256, "8.2 rounds 8.178"),
    (
        *("resnet50", "4111514624", "resnet50", ["thop 0.0.31"]),
        4_089_184_256 + 2 * 11_113_984 + (7 * 7 + 1) * 2048,
        "",
    ),
    (
        *("resnet50", "4133742592", "resnet50", ["thop 0.1.1"]),
        4_089_184_256 + 4 * 11_113_984 + (7 * 7 + 1) * 2048,
        "",
    ),
    (
        "resnet50",
        "4.14G",
        "resnet50",
        ["thop 2019"],
        4_089_184_256 + 2_047_000 + 4 * 11_113_984 + 102_400,
        "4.14 rounds 4.1358",
    ),
    (
        "mobilenet_v2",
        "314130496",
        "mobilenet_v2",
        ["thop 0.0.31, global pools are no modules"],
        300_774_272 + 2 * 6_678_112,
        "",
    ),
    ("resnet50", "25610152", "resnet50", ["Keras"], 25_557_032 + 53_120, ""),
    ("resnet50", "98 MB", "resnet50", ["Keras with biases"], 4 * 25_636_712, "98 rounds 97.80"),
    ("vgg16", "15470314496", "vgg16", ["thop 0.1.1"], VGG16 + 2 * 25_088, ""),
    (
        *("resnet50", "25636712", "resnet50", ["Keras with biases"]),
        25_557_032 + 53_120 + 26_560,  # means and variances; a bias for each of 53 convs' filters
        "",
    ),
    ("vgg16", "15.5G", "vgg16", [], VGG16, "15.5 rounds 15.470"),
    ("vgg16", "15.3G", "vgg16", ["conv only"], CONV_PRODUCTS, "15.3 rounds 15.347"),
    (
        *("vgg16", "30.7G", "vgg16", ["tf.profiler", "without the classifier"]),
        2 * CONV_PRODUCTS + CONV_VALUES + 4 * POOL_VALUES,
        "30.7 rounds 30.713",
    ),
    (
        *("vgg16", "30712930304", "vgg16", ["tf.profiler", "without the classifier"]),
        2 * 15_346_630_656 + 13_547_520 + 6_121_472,
        "",
    ),
    ("vgg16", "15483862016", "vgg16", ["thop 0.0.31"], VGG16 + CONV_VALUES + 2 * 25_088, ""),
    ("vgg16", "553MB", "vgg16", [], 4 * 138_357_544, "553 rounds 553.43"),
    ("vgg16", "528 MB", "vgg16", [], 4 * 138_357_544, "528 rounds 527.79"),
    (
        *("vgg16", "218.59MB", "vgg16", ["torchsummary"]),
        # twice each conv, ReLU, pool, linear layer and dropout, in float32
        2 * 4 * (2 * CONV_VALUES + POOL_VALUES + 2 * 4096 + 1000 + 2 * 2 * 4096),
        "218.59 rounds 218.5897",
    ),
    (
        *("vgg16", "109.29MB", "vgg16", ["outputs once"]),  # half of it: 114,603,936 bytes
        4 * (2 * CONV_VALUES + POOL_VALUES + 2 * 4096 + 1000 + 2 * 2 * 4096),
        "109.29 rounds 109.2948",
    ),
    (
        *("vgg16", "114603936", "vgg16", ["outputs once"]),
        4 * (2 * CONV_VALUES + POOL_VALUES + 2 * 4096 + 1000 + 2 * 2 * 4096),
        "",
    ),
    ("googlenet", "1.43G", "googlenet, pools rounded down", [], 1_431_556_352, "1.43 rounds 1.4316"),
    ("googlenet", "1.5G", "googlenet_separable", [], 1_498_677_248, "1.5 rounds 1.499"),
    ("googlenet", "6.6M", "googlenet_torch", [], 6_624_904, "6.6 rounds 6.625"),
    ("googlenet", "13,004,888", "googlenet_torch:aux=true", [], 13_004_888, ""),
    ("alexnet", "61.1M", "alexnet_torch", [], 61_100_840, "61.1 rounds 61.101"),
    (
        *("alexnet", "727M", "alexnet", ["Netscope"]),
        724_406_816 + 5 * (55**2 * 96 + 27**2 * 256),  # 5 neighbors a normalized value
        "727 rounds 726.79",
    ),
    ("mobilenet_v2", "3.5M", "mobilenet_v2", [], 3_504_872, "3.5 rounds 3.505"),
    ("mobilenet_v2", "300M", "mobilenet_v2", [], 300_774_272, "300 truncates 300.77"),
    (
        *("mobilenet_v2", "314M", "mobilenet_v2", ["thop 0.0.31"]),
        300_774_272 + 2 * 6_678_112 + (7 * 7 + 1) * 1280,
        "314 rounds 314.19",
    ),
    (
        "mobilenet_v2",
        "3.47M",
        "mobilenet_v2",
        ["without batch norm"],
        3_504_872 - 34_112,
        "3.47 rounds 3.4708",
    ),
    (
        "mobilenet_v1",
        "4.24M",
        "mobilenet_v1",
        ["3 a batch-norm channel"],
        4_231_976 + 10_944,
        "4.24 rounds 4.2429",
    ),
    ("lenet5", "60k", "lenet5_1998", [], 156 + 12 + 1516 + 32 + 48_120 + 10_164, "60 is exact"),
    (
        "resnet152",
        "360.87 MB",
        "resnet152",
        ["torchinfo"],
        8 * (2 * 22_554_112 + 1000),
        "360.87 rounds 360.8738",
    ),
    ("resnet152", "11.3G", "resnet152_paper", [], 11_282_415_616, "11.3 rounds 11.282"),
    ("resnet50", "3868560384", "resnet50_paper", ["Netscope"], 3_857_973_248 + 10_587_136, ""),
]


@pytest.mark.parametrize(
    ("network", "number", "found", "conventions", "count", "wording"),
    sorted(CASES, key=lambda case: case[0]),  # what is near a network is built once
    ids=lambda value: str(value)[:20],
)
def test_right_reason_first(
    network: str, number: str, found: str, conventions: list[str], count: int, wording: str
) -> None:
    findings = search(network, number)
    best = findings.matches[0]
    reading = best.reading
    assert (reading.network.name, [c.name for c in reading.way.conventions]) == (found, conventions)
    assert (reading.value, best.wording) == (count, wording)
    assert findings.nearest == ()


def test_arithmetic_of_the_cases() -> None:
    """The sums above are those of an independent program and of the tools."""
    assert (CONV_VALUES, POOL_VALUES, VGG16) == (13_547_520, 1_530_368, 15_470_264_320)
    assert CONV_PRODUCTS == 15_346_630_656
    assert 4_089_184_256 - SAVED == 3_857_973_248
    assert 2 * CONV_VALUES + POOL_VALUES + 2 * 4096 + 1000 + 2 * 2 * 4096 == 28_650_984


@pytest.mark.parametrize(
    ("network", "number", "found", "count", "wording"),
    [
        ("resnet50", "4.09", "resnet50", 4_089_184_256, "4.09 rounds 4.0892"),
        ("resnet50", "3.8", "resnet50_paper", 4_089_184_256 - SAVED, "3.8 truncates 3.858"),
        ("resnet50", "25.56", "resnet50", 25_557_032, "25.56 rounds 25.5570"),
        ("vgg16", "15470.26", "vgg16", VGG16, "15,470.26 rounds 15,470.2643"),
    ],
)
def test_fractions_without_a_unit(
    network: str, number: str, found: str, count: int, wording: str
) -> None:
    """The same reasons as with a unit: G, G, M and M."""
    best = find(named(network), counted(parse(number))).matches[0]
    assert (best.reading.network.name, best.reading.value, best.wording) == (found, count, wording)
    unit = "G" if count > 10**9 and float(number) < 1000 else "M"
    text = " ".join(invoke(network, number).output.split())
    assert f"{number}: no unit, tried as G and M" in text
    assert f"printed without a unit, which is {unit} here" in text


@pytest.mark.parametrize("number", ["1e-5", "0.001", "4.0912K"])
def test_no_count_is_refused(number: str) -> None:
    assert isinstance(invoke("resnet50", number).exception, UsageError)


def test_multiplies_that_are_printed_as_flops() -> None:
    """15.5 G is half of VGG-16's FLOPs, 30.9 G is all of them."""
    told = "printed as FLOPs, but a product counts once: these are multiplies (MACs)"
    told += f"; the FLOPs of vgg16, 2 × multiplies, are {2 * VGG16:,}"
    for words in (("15.5 GFLOPs",), ("15.5G", "--quantity", "FLOPs")):
        assert told in " ".join(invoke("vgg16", *words).output.split())
    for words in (("30.9 GFLOPs",), ("15.5 GMACs", "--quantity", "FLOPs"), ("15.5G",)):
        result = invoke("vgg16", *words)
        assert result.exit_code == 0
        assert "printed as FLOPs" not in result.output


def test_a_bare_number_is_parameters_or_multiplies_first() -> None:
    """GoogLeNet has 6,031,768 values, and 56²·(64 + 192) normalized ones: 6,834,584 print as 6.8 M."""
    normalized = 6_031_768 + 56**2 * (64 + 192)
    findings = search("googlenet", "6.8M")
    assert findings.matches == ()
    assert [match.reading.value for match in findings.doubtful] == [normalized]
    assert invoke("googlenet", "6.8M").exit_code == 1
    assert search("googlenet", "6.8M values").matches[0].reading.value == normalized
    # without the classifier, which has 1024·1000 + 1000 of the 6,998,552; with 10 classes
    trunk = 6_998_552 - 1_025_000
    tens = 6_998_552 - 1_025 * 990
    values = [match.reading.value for match in search("googlenet", "6.0M").matches]
    assert values == [trunk, tens, 6_031_768]
    # a tool has a name of its own: one value a conv output, as many as batch norm has, and 1000
    (match,) = search("resnet50", "11.1M").matches
    assert match.reading.value == 11_113_984 + 1000


def test_labels_that_mean_another_unit_say_so() -> None:
    best = search("vgg16", "528 MB").matches[0]
    assert "1,048,576" in best.scale.says
    assert best.steps == 1
    assert search("vgg16", "553 MB").matches[0].scale.says == ""


@pytest.mark.parametrize(
    ("network", "number"),
    [("resnet50", "9.9G"), ("vgg16", "96MB"), ("alexnet", "650,001"), ("vgg16", "15470264321")],
)
def test_unexplained_is_said(network: str, number: str) -> None:
    """And what comes nearest is the nearest of all readings with as many departures."""
    printed, origin = parse(number), named(network)
    findings = find(origin, printed)
    assert findings.matches == ()
    low, high = printed.interval()
    for nearest in findings.nearest:
        off = nearest.reading.value - (low if nearest.off < 0 else high - 1)
        assert nearest.off == off or len(printed.scales) > 1
    if len(printed.scales) == 1:
        best = min(findings.nearest, key=lambda n: abs(n.off))
        for reading in readings(origin, printed.unit, findings.most):
            distance = max(low - reading.value, reading.value - (high - 1))
            assert distance <= 0 or distance >= abs(best.off)


NETWORKS = ("lenet5", "alexnet", "squeezenet1_0", "vit_b_32")


@pytest.mark.parametrize(("network", "most"), [("lenet5", 2), ("alexnet", 2), ("googlenet_torch", 1)])
@pytest.mark.parametrize("quantity", KINDS)
def test_every_reading_is_a_sum_of_its_parts(network: str, most: int, quantity: str) -> None:
    """And the departures lead from the network's own count to the reading's."""
    last = 0
    for reading in readings(named(network), quantity, most):
        assert reading.steps >= last
        last = reading.steps
        parts = sum(part.factor * part.amount for part in reading.parts)
        assert reading.way.each * parts == reading.value
        assert reading.own + sum(d.amount for d in reading.departures) == reading.value


@settings(max_examples=20, deadline=None)
@given(
    st.sampled_from(NETWORKS), st.integers(1, 9999), st.sampled_from(["K", "M", "G", " GFLOPs", "MB"])
)
def test_whatever_matches_prints_so(network: str, number: int, suffix: str) -> None:
    scales = {"K": [10**3], "M": [10**6], "G": [10**9], " GFLOPs": [10**9], "MB": [10**6, 2**20]}
    findings = search(network, f"{number}{suffix}")
    for match in findings.matches:
        values = [match.reading.value / scale for scale in scales[suffix]]
        assert any(number - 0.5 <= value < number + 1 for value in values)
        assert all(departure.amount for departure in match.reading.departures)
        assert match.steps <= findings.most
        assert match.plain or findings.chance <= 0.5
    assert not (findings.matches and findings.nearest)


def test_no_more_departures_than_the_digits_allow() -> None:
    """Counts of two departures that three digits would have to truncate, which were a third."""
    network = named("lenet5")
    values = {r.value for r in readings(network, "parameters", 2) if r.steps == 2 and r.value >= 10_000}
    truncated = [value for value in values if value % 1000 > 500][:20]
    assert truncated
    for value in truncated:
        findings = find(network, parse(f"{value // 1000 / 1000:.3f}M"), "parameters")
        assert all(match.steps <= findings.most for match in findings.matches)
        assert all(nearest.off for nearest in findings.nearest)


def test_three_departures_need_more_than_chance(monkeypatch: pytest.MonkeyPatch) -> None:
    """ResNet-18 at 64×64 as torchinfo counts it: 5 digits, so that chance is small."""
    assert search("resnet18", "148.57M").matches[0].steps == 3
    monkeypatch.setattr("archcalc.audit.search.LEAST_CHANCE", 0.0)
    assert search("resnet18", "148.57M").matches == ()
    assert search("resnet50", "3.8G").matches  # two by name are believed whatever the chances


def test_what_chance_makes_is_doubtful() -> None:
    """ResNet-50 has no 96 MB; basic units as torchsummary counts them are nobody's network."""
    findings = search("resnet50", "96MB")
    assert findings.matches == ()
    assert findings.chance > 1
    assert "resnet50:unit=basic" in [match.reading.network.name for match in findings.doubtful]
    text = " ".join(invoke("resnet50", "96MB").output.split())
    assert "unexplained: 96MB has too few digits" in text
    assert invoke("resnet50", "96MB").exit_code == 1


@pytest.mark.parametrize("quantity", KINDS)
def test_conventions_that_go_together(quantity: str) -> None:
    """One of each slot; a tool says all that is counted, but not how much of the network."""
    for reading in readings(named("lenet5"), quantity, 3):
        slots = [convention.slot for convention in reading.way.conventions]
        assert len(set(slots)) == len(slots)
        assert "tool" not in slots or set(slots) <= {"tool", "part"}


def test_flops_double_the_products_only() -> None:
    """LeNet-5: 2 × 416,520, and one for each of 6,518 outputs with a bias."""
    ways = {r.value for r in readings(named("lenet5"), "FLOPs", 1) if r.network.name == "lenet5"}
    assert {416_520, 2 * 416_520, 416_520 + 6_518, 2 * 416_520 + 6_518} <= ways
    assert 2 * (416_520 + 6_518) not in ways


def test_tools_are_not_claimed_for_attention() -> None:
    for reading in readings(named("vit_b_32"), "multiplies", 1):
        assert not any(convention.slot == "tool" for convention in reading.way.conventions)


def test_few_digits_tell_little() -> None:
    """Chance falls tenfold with each digit, and without it almost any number would be explained."""
    two, three, five = (search("resnet50", number).chance for number in ("3.9G", "3.86G", "3.8580G"))
    assert two > three > five
    assert search("resnet50", "25636712").chance < 1e-3


def test_fewest_departures_come_first() -> None:
    """15.5 G is VGG-16 as it is, although conv biases and much else would print so, too."""
    assert [match.steps for match in search("vgg16", "15.5G").matches] == [0]
    steps = {match.steps for match in search("resnet50", "3.8G").matches}
    assert steps == {2}


def test_relatives_come_once_and_by_steps() -> None:
    found = list(neighbors(named("resnet50")))
    names = [neighbor.name for neighbor in found]
    assert len(set(names)) == len(names)
    assert [r.steps for r in found] == sorted(r.steps for r in found)
    assert names[0] == "resnet50"
    assert names.index("resnet50_paper") < names.index("resnet101")
    assert "resnet50_v2" in names  # of another file


def test_pools_rounded_the_other_way() -> None:
    """GoogLeNet says ceil; without it, all its maps are those of floor: 1,431,556,352 multiplies."""
    (down,) = [r for r in neighbors(named("googlenet")) if r.name == "googlenet, pools rounded down"]
    shapes = [str(node.shape) for node in down.analysis.graph.nodes]  # `half` pools included
    assert "27×27×192" in shapes  # 55 → 27, not 28
    assert down.analysis.multiplies == 1_431_556_352


def test_a_named_setting_is_kept() -> None:
    given = named("resnet50", classes=10)
    (match,) = find(given, parse("23,528,522")).matches  # 25,557,032 − 2049·990
    assert match.reading.departures == ()
    assert {"classes"} <= {name for r in neighbors(given) for name in r.given}
    gated = Neighbor(catalog.find("resnet50"), {"se": 16})  # which resnet_v2.toml does not have
    assert {r.entry.spec.source.name for r in neighbors(gated)} == {"resnet.toml"}


def test_conventions_of_one_kind_have_different_sums() -> None:
    """Two names for one sum would be an explanation twice."""
    for kind, conventions in CONVENTIONS.items():
        sums = [(c.rule, c.doubles, c.factor, c.trunk) for c in conventions]
        assert len({repr(s) for s in sums}) == len(sums), kind


@cache
def invoke(*words: str) -> Result:
    return CliRunner().invoke(commands, ["reconcile", *words], env={"COLUMNS": "80"})


def document(*words: str) -> dict[str, Any]:
    (network,) = json.loads(invoke(*words, "--format", "json").output)["networks"]
    assert isinstance(network, dict)
    return network


def test_formats_agree() -> None:
    told = document("vgg16", "30.7G")
    assert told["explained"]
    rows = list(csv.DictReader(io.StringIO(invoke("vgg16", "30.7G", "--format", "csv").output)))
    assert [int(row["count"]) for row in rows] == [match["value"] for match in told["matches"]]
    best = told["matches"][0]
    assert best["each"] * sum(part["factor"] * part["amount"] for part in best["parts"]) == best["value"]
    for format in ("table", "md", "latex"):
        assert f"{best['value']:,}" in invoke("vgg16", "30.7G", "--format", format).output


def test_screen_shows_the_sum_and_its_arithmetic() -> None:
    result = invoke("resnet50", "4111514624")
    text = " ".join(result.output.split())
    assert result.exit_code == 0
    assert "4,089,184,256 multiplies of resnet50 + 22,330,368 thop" in text
    assert (
        "= 4,111,514,624 = 4,089,184,256 products + 2 × 11,113,984 bn values"
        " + 100,352 global pool inputs + 2,048 global pool outputs"
    ) in text


@pytest.mark.parametrize("words", [("resnet50", "9.9G"), ("resnet50", "3.8G"), ("vgg16", "96 MB")])
def test_screen_fits(words: tuple[str, ...]) -> None:
    assert max(map(len, invoke(*words).output.splitlines())) <= 80


def test_exit_codes() -> None:
    assert invoke("resnet50", "4.1", "GMACs").exit_code == 0  # two words are one number
    unexplained = invoke("resnet50", "9.9G")
    assert unexplained.exit_code == 1
    assert "unexplained" in unexplained.output
    assert not document("resnet50", "9.9G")["explained"]


def test_quantity_that_the_number_does_not_name() -> None:
    """Half the bytes are those of float16; a bare number with all its digits may be bytes, too."""
    half = str(2 * 138_357_544)
    for words in ((), ("--quantity", "bytes")):
        (match,) = document("vgg16", half, *words)["matches"]
        assert [departure["name"] for departure in match["departures"]] == ["float16"]
    (match,) = document("vgg16", str(4 * 138_357_544))["matches"]
    assert match["departures"] == []


OWN_BYTES = [
    # network, bytes, of what, departures: 25,557,032 parameters and 53,120 means and variances, …
    ("resnet50", 4 * (25_557_032 + 53_120), "weights", []),
    ("resnet50", 4 * 16_987_624, "activations", []),
    ("vgg16", 4 * (3 * 224**2 + CONV_VALUES + POOL_VALUES + 2 * 4096 + 1000), "activations", []),
    ("vgg16", 4 * (138_357_544 + 15_237_608), "weights and activations", []),
    ("resnet18", 4 * (11_689_512 + 9_600), "weights", []),
    ("resnet18", 4 * 11_689_512, "weights", ["torchinfo 1.8.0 Params size (MB)"]),
    ("resnet50", 4 * 25_557_032, "weights", ["torchinfo 1.8.0 Params size (MB)"]),
    ("resnet18", 2 * (11_689_512 + 9_600), "weights", ["float16"]),
    ("resnet18", 2 * 11_689_512, "weights", ["leaves running means and variances out", "float16"]),
    ("alexnet", 8 * 60_965_224, "weights", ["float64"]),
]


@pytest.mark.parametrize(("network", "number", "of", "departures"), OWN_BYTES)
def test_bare_whole_numbers_may_be_bytes(
    network: str, number: int, of: str, departures: list[str]
) -> None:
    """The same reading leads as of so many bytes, and it is exact."""
    for told in (document(network, str(number)), document(network, f"{number} bytes")):
        best = told["matches"][0]
        assert (best["network"], best["value"], best["quantity"]) == (network, number, f"bytes of {of}")
        assert best["how"] == "exact"
        assert [departure["name"] for departure in best["departures"]] == departures


def test_a_byte_a_number_is_a_count() -> None:
    """Keras' parameters are as many as the bytes of int8: the bare number is the count alone."""
    number = 25_557_032 + 53_120
    (match,) = document("resnet50", str(number))["matches"]
    assert (match["quantity"], match["departures"][0]["name"]) == ("parameters", "Keras")
    (match,) = document("resnet50", f"{number} bytes")["matches"]
    assert match["departures"][0]["name"] == "int8"


@pytest.mark.parametrize(
    ("network", "number", "own"),
    [
        ("densenet121", "30.8MB", 4 * 8_062_504),  # 30.756 · 2²⁰
        ("shufflenet_v2_x1_0", "8.8MB", 4 * (2_278_604 + 16_180)),  # 8.754 · 2²⁰
    ],
)
def test_keras_keeps_biases_of_its_own_networks_only(network: str, number: str, own: int) -> None:
    first = search(network, number).matches[0].reading
    assert (first.network.name, first.value) == (network, own)


def test_keras_biases_are_offered_where_keras_has_them() -> None:
    for other in ("mobilenet_v2", "densenet121", "resnet18", "inception_v3"):
        for quantity in ("parameters", "bytes"):
            for reading in readings(named(other), quantity, 1):
                assert "Keras with biases" not in [c.name for c in reading.way.conventions]
    for other in ("resnet50", "resnet152_paper", "resnet101_v2"):
        offered = [r for r in readings(named(other), "bytes", 1) if r.network.name == other]
        assert "Keras with biases" in [c.name for r in offered for c in r.way.conventions]


def test_own_files(tmp_path: Path) -> None:
    path = tmp_path / "net.toml"
    path.write_text('input = "8x8x1"\nlayers = "conv 2 k3 | bn | relu"\n')
    # 6·6·2 outputs × 9 products, and 2 a batch-norm value: 648 + 2·72
    best = document(str(path), "792")["matches"][0]
    assert best["value"] == 6 * 6 * 2 * 9 + 2 * 6 * 6 * 2


def test_reading_names_are_safe(tmp_path: Path) -> None:
    path = tmp_path / "a\x1b[31mb.toml"
    path.write_text(
        'input = "8x8x1"\nlayers = "conv 2 k3"\n[vars]\nx = true\n[defaults]\nconv="nobias={x}"\n'
    )
    for number in ("648", "720", "9.99G"):
        assert "\x1b" not in invoke(str(path), number).output


def test_large_networks_end_the_search(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A network of more layers than a search tries has no neighbors that are looked at twice."""
    monkeypatch.setattr("archcalc.audit.neighbors.MOST_NODES", 4_000)
    path = tmp_path / "deep.toml"
    path.write_text(
        'input = "8x8x1"\nlayers = "{n} x conv 1"\n[vars]\nn = 5000\nb = true\n'
        '[defaults]\nconv = "nobias={b}"\n'
    )
    found = list(neighbors(named(str(path))))
    assert len(found) <= 2
    assert isinstance(next(readings(found[0], "", 1)), Reading)


def test_many_choices_end_the_search(tmp_path: Path) -> None:
    """Ten thousand pairs of choices, most of which do not even build."""
    path = tmp_path / "choices.toml"
    choices = ", ".join(f'"a{i}"' for i in range(100))
    variables = "".join(f'{v} = {{ default = "a0", choices = [{choices}] }}\n' for v in ("x", "y"))
    lines = """["if x == 'a0': conv 2 k3", "if y != 'a0': conv 2 k99"]"""
    path.write_text(f'input = "8x8x1"\nlayers = {lines}\n[vars]\n{variables}')
    assert 1 < len(list(neighbors(named(str(path))))) <= 600


def test_pools_that_cannot_round_have_no_other_way(tmp_path: Path) -> None:
    path = tmp_path / "same.toml"
    path.write_text('input = "9x9x1"\nlayers = "conv 2 k3 | maxpool 2 same"\n')
    assert not [neighbor.name for neighbor in neighbors(named(str(path))) if "pools" in neighbor.rewrite]


TOLD = [
    # options, number, reading, count: as torchinfo, thop and fvcore printed them (tools.csv), …
    (["vit_b_16"], "173232616", "vit_b_16, torchinfo 1.8.0 mult-adds", 173_232_616),
    (["vit_b_16"], "11286254592", "vit_b_16, thop 0.1.1-2209072238 macs", 11_286_254_592),
    (["vit_b_16"], "16867412736", "vit_b_16, fvcore 0.1.5.post20221221 flops", 16_867_412_736),
    (["unet"], "54534340608", "unet, thop 0.1.1", 54_534_340_608),
    # the ten outputs of softmax count 3 each but one; 4 a batch-norm value
    (["allconv"], "2018653", "allconv, thop 0.1.1", 1_924_672 + 4 * 23_488 + 3 * 10 - 1),
    # … the peak: the input of a unit and its two branches; a branch, a bottleneck, a module
    (["resnet50"], "7.2MB", "resnet50, peak", 4 * (64 + 256 + 256) * 56 * 56),
    (["resnet50"], "7225344", "resnet50, peak", 4 * (64 + 256 + 256) * 56 * 56),
    (["inception"], "120Mil", "inception 5x5, course notes A", 28 * 28 * 32 * 25 * 192),
    (
        ["inception", "--bottleneck", "16"],
        "12.4M",
        "inception:bottleneck=16 5x5",
        28 * 28 * 16 * (192 + 25 * 32),
    ),
    (
        ["googlenet"],
        "304M",
        "googlenet 3b",
        28 * 28 * (256 * (128 + 128 + 32 + 64) + 9 * 128 * 192 + 25 * 32 * 96),
    ),
    # modules 3a and 3b: 1×1, 3×3, 5×5 with their reductions, the projection, and biases
    (
        ["googlenet"],
        "552432",
        "googlenet at 28×28",
        192 * (64 + 96 + 16 + 32)
        + 9 * 96 * 128
        + 25 * 16 * 32
        + 64
        + 96
        + 128
        + 16
        + 32
        + 32
        + 256 * (128 + 128 + 32 + 64)
        + 9 * 128 * 192
        + 25 * 32 * 96
        + 128
        + 128
        + 192
        + 32
        + 96
        + 64,
    ),
    (["densenet121"], "1024000", "densenet121, fvcore, flops of Linear", 1024 * 1000),
    # 0.4 GF of the paper: its last stage has 384 channels, torchvision's 400
    (["regnet_x_400mf"], "5157512", "regnet_x_400mf_pycls", 5_157_512),
]


@pytest.mark.parametrize(("words", "number", "reading", "count"), TOLD, ids=lambda v: str(v)[:24])
def test_tools_parts_and_peaks(words: list[str], number: str, reading: str, count: int) -> None:
    result = invoke(words[0], number, *words[1:], "--format", "csv")
    assert result.exit_code == 0, result.output
    row = next(csv.DictReader(io.StringIO(result.output)))
    assert (row["reading"], int(row["count"])) == (reading, count)


def test_what_the_audit_knows_leads() -> None:
    """The 54 M of Table 1 for module 5a: no reading has them, and its entry says whence they are."""
    result = invoke("googlenet", "54M", "--format", "csv")
    row = next(csv.DictReader(io.StringIO(result.output)))
    wrong = 49 * (832 * (256 + 160 + 48 + 128) + 9 * 160 * 320 + 25 * 48 * 128)
    assert (result.exit_code, row["reading"], int(row["count"])) == (
        0,
        "googlenet 5a, Szegedy et al. 2014",
        wrong,
    )


def test_three_departures_are_arithmetic_that_fits() -> None:
    """A number made of three: the arithmetic is shown, and how many such sums chance would make."""
    three = next(
        reading
        for reading in readings(named("resnet18"), "multiplies", 3)
        if reading.steps == 3 and search("resnet18", str(reading.value)).matches[0].steps == 3
    )
    text = " ".join(invoke("resnet18", str(three.value)).output.split())
    tried = sum(1 for _ in readings(named("resnet18"), "", 3))
    told = re.search(r"arithmetic that fits, no more: 3 departures at once; of ([\d,]+) readings", text)
    assert told
    assert int(told[1].replace(",", "")) >= tried
    assert "readings fewer than 0.001 would print so by chance" in text
    assert "arithmetic that fits" not in invoke("resnet50", "3.8G").output  # a variant, truncated


# LeNet-5 of 1998 by layer (LeCun et al. 1998, section II.B): C1, S2, C3, S4, C5, F6, outputs
LINKS = 122_304 + 5_880 + 151_600 + 2_000 + 48_120 + 10_164 + 10 * 84


@pytest.mark.parametrize(
    ("network", "number", "found", "count"),
    [
        ("lenet5", "423038", "lenet5", 416_520 + 6_518),  # products, and a bias for each output
        ("lenet5", "340908", "lenet5_1998", LINKS),
        ("lenet5", "341k connections", "lenet5_1998", LINKS),
        ("lenet5_1998", "340,908 connections", "lenet5_1998", LINKS),
        ("lenet5_1998", "340908", "lenet5_1998", LINKS),
    ],
)
def test_connections(network: str, number: str, found: str, count: int) -> None:
    best = document(network, number)["matches"][0]
    assert (best["network"], best["value"], best["quantity"]) == (found, count, "connections")
    assert best["steps"] == (found != network)


def test_connections_as_many_as_multiplies_are_multiplies() -> None:
    """AllConv has no bias: the one count is not told twice."""
    (match,) = document("allconv", "1924672")["matches"]
    assert (match["quantity"], match["steps"]) == ("multiplies", 0)


def test_later_networks_have_multiplies_with_biases_rather_than_connections() -> None:
    """AlexNet of torch: 714,188,480 products, and a bias at each output, as ptflops says."""
    biases = 64 * 55**2 + (192 * 27**2) + (384 + 256 + 256) * 13**2 + 4096 + 4096 + 1000
    told = document("alexnet_torch", str(714_188_480 + biases))["matches"]
    assert [match["quantity"] for match in told[:2]] == ["multiplies", "connections"]
