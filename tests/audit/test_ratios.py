"""reconcile of a ratio: which two counts have it; none where chance would do as well."""

from __future__ import annotations

import csv
import io
import json

import pytest
from click.testing import CliRunner, Result

from archcalc.audit.ratios import is_ratio, parse
from archcalc.cli import commands
from archcalc.errors import UsageError


def invoke(*words: str) -> Result:
    return CliRunner().invoke(commands, ["reconcile", *words], env={"COLUMNS": "100"})


# VGG-16: 14,714,688 parameters in convs, three linear layers
DENSE = 25_089 * 4096 + 4097 * 4096 + 4097 * 1000
SEPARABLE = [(112, 32, 64), (56, 64, 128), (56, 128, 128), (28, 128, 256), (28, 256, 256)]
SEPARABLE += [(14, 256, 512), *[(14, 512, 512)] * 5, (7, 512, 1024), (7, 1024, 1024)]
FIRST_AND_LAST = 112**2 * 32 * 27 + 1024 * 1000

CASES = [
    # network, ratio, what against what, first count, second count
    ("vgg16", "55%", "3 convs 3×3 against a conv 7×7", 3 * 9, 49),
    ("inception", "2.78x", "a conv 3×3 against a conv 5×5", 9, 25),
    (
        *("inception", "9.68x", "5x5 against 5x5 of inception:bottleneck=16"),
        *(28**2 * 32 * 25 * 192, 28**2 * 16 * (192 + 25 * 32)),
    ),
    (
        *("inception", "89.7% fewer multiplies", "5x5 against 5x5 of inception:bottleneck=16"),
        *(28**2 * 32 * 25 * 192, 28**2 * 16 * (192 + 25 * 32)),
    ),
    ("vgg16", "89.4%", "linear layers against all", DENSE, DENSE + 14_714_688),
    (
        "squeezenet1_0",
        "50x fewer parameters",
        "all against all of alexnet_single",
        1_248_424,
        62_378_344,
    ),
    ("vgg16", "5.4x more parameters", "all against all of resnet50", 138_357_544, 25_557_032),
    ("squeezenet1_0", "50x", "all against all of alexnet_single", 1_248_424, 62_378_344),
    (
        *("mobilenet_v1", "8.56 times", "all against all of mobilenet_v1, full convolutions"),
        FIRST_AND_LAST + sum(size**2 * c * (9 + filters) for size, c, filters in SEPARABLE),
        FIRST_AND_LAST + sum(size**2 * 9 * c * filters for size, c, filters in SEPARABLE),
    ),
]


@pytest.mark.parametrize(
    ("network", "ratio", "reading", "first", "second"), CASES, ids=lambda value: str(value)[:20]
)
def test_right_pair_first(network: str, ratio: str, reading: str, first: int, second: int) -> None:
    result = invoke(network, ratio, "--format", "csv")
    assert result.exit_code == 0, result.output
    row = next(csv.DictReader(io.StringIO(result.output)))
    assert row["reading"] == reading
    assert (int(row["count"]), int(row["against"])) == (first, second)
    digits = f"{min(first, second):,} / {max(first, second):,}"
    turned = f"{max(first, second):,} / {min(first, second):,}"
    text = " ".join(invoke(network, ratio).output.split())
    assert digits in text or turned in text


@pytest.mark.parametrize("text", ["55%", "2.78x", "~90 %", "12 times", "9.68×", "12x fewer parameters"])
def test_ratios(text: str) -> None:
    assert is_ratio(text)
    assert parse(text).figure.number > 0


@pytest.mark.parametrize("text", ["3.8G", "25636712", "2.78", "55% top-1", "12x faster", "x", "%"])
def test_no_ratios(text: str) -> None:
    assert not is_ratio(text)


@pytest.mark.parametrize("text", ["0%", "0x"])
def test_nothing_is_no_ratio(text: str) -> None:
    result = invoke("vgg16", text)
    assert isinstance(result.exception, UsageError)
    assert f"`{text}` is no ratio of two counts" in str(result.exception)


def test_parts_that_chance_finds_are_doubtful() -> None:
    """12×: "fewer parameters than AlexNet", which nobody can tell; some part or other has it."""
    result = invoke("googlenet", "12x")
    assert result.exit_code == 1
    text = " ".join(result.output.split())
    assert "unexplained: 12x has too few digits" in text
    assert "would print so by chance" in text
    assert "in print: 12 (Szegedy et al. 2014): googlenet ratio, unexplained" in text
    nothing = invoke("googlenet", "12x fewer parameters")  # networks alone are asked for
    assert nothing.exit_code == 1
    assert "unexplained: none of" in nothing.output


def test_json_tells_both_counts() -> None:
    (document,) = json.loads(invoke("inception", "2.78x", "--format", "json").output)["networks"]
    match = document["matches"][0]
    assert document["explained"]
    assert match["second"]["value"] / match["first"]["value"] == match["ratio"] == 25 / 9
    assert match["form"] == "times"


@pytest.mark.parametrize(
    ("network", "ratio", "told"),
    [
        ("vgg16", "5.4x fewer parameters", "5.4137 = 138,357,544 / 25,557,032 parameters: all"),
        ("squeezenet1_0", "50x more parameters", "49.966 = 62,378,344 / 1,248,424 parameters: all"),
        ("vgg16", "81.5% fewer parameters", "0.81528 = 1 − 25,557,032 / 138,357,544 parameters: all"),
    ],
)
def test_a_statement_the_wrong_way_round_is_reversed(network: str, ratio: str, told: str) -> None:
    """VGG-16 has 5.4 times as many as ResNet-50, SqueezeNet a fiftieth of AlexNet's."""
    result = invoke(network, ratio)
    text = " ".join(result.output.split())
    assert result.exit_code == 1
    assert f"reversed: {told}" in text
    assert f"has {'more' if 'more' in ratio else 'fewer'}, not all" in text
    (document,) = json.loads(invoke(network, ratio, "--format", "json").output)["networks"]
    assert (document["explained"], document["matches"]) == (False, [])
    assert document["reversed"]


def test_of_a_variant_it_is_said_which_has_fewer() -> None:
    """Inception's own 5x5 takes 28²·32·25·192 products, with a bottleneck of 16 28²·16·(192 + 25·32)."""
    text = " ".join(invoke("inception", "89.7% fewer multiplies").output.split())
    assert "5x5 of inception:bottleneck=16 has fewer, not 5x5" in text
    assert "not 5x5" not in invoke("inception", "89.7%").output


POINTWISE = sum(c * filters for _, c, filters in SEPARABLE)
DEPTHWISE = sum(9 * c for _, c, _ in SEPARABLE)
WEIGHTS = POINTWISE + DEPTHWISE + 27 * 32 + 1024 * 1000
POINTWISE_WORK = sum(size**2 * c * filters for size, c, filters in SEPARABLE)
WORK = FIRST_AND_LAST + sum(size**2 * c * (9 + filters) for size, c, filters in SEPARABLE)


@pytest.mark.parametrize(
    ("ratio", "reading", "first", "second"),
    [
        # Howard et al. 2017, Table 2: what kind of layers has the work, and the weights
        ("94.86%", "1×1 convs against all", POINTWISE_WORK, WORK),
        ("95%", "1×1 convs against all", POINTWISE_WORK, WORK),
        ("74.59 %", "1×1 convs against all", POINTWISE, WEIGHTS),
        ("74.59% of the weights", "1×1 convs against all", POINTWISE, WEIGHTS),
        ("24.33%", "linear layers against all", 1024 * 1000, WEIGHTS),
        ("1.06%", "depthwise 3×3 convs against all", DEPTHWISE, WEIGHTS),
        ("3.06%", "depthwise 3×3 convs against all", sum(9 * s**2 * c for s, c, _ in SEPARABLE), WORK),
    ],
)
def test_shares_by_kernel(ratio: str, reading: str, first: int, second: int) -> None:
    result = invoke("mobilenet_v1", ratio, "--format", "csv")
    assert result.exit_code == 0, result.output
    rows = list(csv.DictReader(io.StringIO(result.output)))
    assert (reading, first, second) in [(r["reading"], int(r["count"]), int(r["against"])) for r in rows]
    assert rows[0]["reading"] == reading
