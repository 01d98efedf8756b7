"""File sizes: what torch.save and safetensors wrote for eleven networks, explained to the byte."""

from __future__ import annotations

import csv
import json
from itertools import pairwise
from pathlib import Path

import pytest
from click.testing import CliRunner
from support.neighbors import named

from archcalc.audit.neighbor import Neighbor
from archcalc.audit.printed import parse
from archcalc.audit.readings import Reading, readings
from archcalc.audit.saved import CONTAINERS, saved
from archcalc.audit.search import find
from archcalc.cli import commands

ROWS = list(csv.DictReader((Path(__file__).parent.parent / "data" / "files.csv").open()))
FORMATS = {
    "torch_zip": "torch.save",
    "torch_legacy": "torch.save before 1.6",
    "safetensors": "safetensors",
}


def network(row: dict[str, str]) -> Neighbor:
    name, _, switch = row["network"].partition(":")
    return named(name, **({"aux": True} if switch else {}))


def bare(reading: Reading) -> int:
    return sum(part.factor * part.amount for part in reading.parts if "around" not in part.term)


# a second each, for kinds of layers that the six others have
MORE = ("resnet50", "regnet_y_400mf", "mnasnet1_0", "inception_v3:aux=true", "efficientnet_b0")


@pytest.mark.parametrize(
    "row",
    [pytest.param(row, marks=pytest.mark.zoo if row["network"] in MORE else ()) for row in ROWS],
    ids=lambda row: row["network"],
)
def test_recorded_files(row: dict[str, str]) -> None:
    for column, container in FORMATS.items():
        best = find(network(row), parse(f"{row[column]} bytes")).matches[0]
        (convention,) = best.reading.way.conventions
        assert convention.name == f"file of {container}"
        assert best.reading.value == int(row[column])
        assert bare(best.reading) == int(row["tensor_bytes"])
        assert f"around {row['tensors']} tensors" in best.reading.parts[-1].term
        counters = [p.amount for p in best.reading.parts if p.term == "counters of batch norms"]
        assert sum(counters) == int(row["counters"])


def test_tensors_alone() -> None:
    """ResNet-18: 4 bytes for each of 11,689,512 + 9,600 numbers, 8 for each of 20 counters."""
    best = find(named("resnet18"), parse("46796608")).matches[0]
    assert [c.name for c in best.reading.way.conventions] == ["tensors of a state dict"]
    assert best.reading.value == 4 * (11_689_512 + 9_600) + 8 * 20


def test_files_of_a_size_to_some_digits() -> None:
    """torchvision says 97.781 MB of ResNet-50, and means 2²⁰ bytes."""
    best = find(named("resnet50"), parse("97.781 MB")).matches[0]
    assert best.reading.way.conventions[0].name == "file of torch.save"
    assert 97.7805 <= best.reading.value / 2**20 < 97.7815
    assert "1,048,576" in best.scale.says


def test_containers_do_not_overlap() -> None:
    for before, after in pairwise(CONTAINERS):
        assert before.least < before.most < after.least


@pytest.mark.parametrize("number", ["25557032 params", "102.4M", "102522523 MACs"])
def test_what_is_no_size_of_a_file(number: str) -> None:
    assert not list(saved(named("resnet50"), parse(number)))


@pytest.mark.parametrize("number", ["46830571", "46830571 bytes"])
def test_fitted_bytes_are_never_exact(number: str) -> None:
    """34,123 = 8 · 20 counters + 33,963 bytes that were chosen so that the number comes out."""
    result = CliRunner().invoke(commands, ["reconcile", "resnet18", number, "--format", "json"])
    (match,) = json.loads(result.output)["networks"][0]["matches"]
    assert (match["how"], match["parts"][-1]["amount"]) == ("fitted", 33_963)


def test_what_is_exact_comes_before_what_is_fitted() -> None:
    """ResNet-50's own bytes lie where resnet50_v2 may be as a file; two departures are exact, too."""
    exact = find(named("resnet50"), parse(str(4 * (25_557_032 + 53_120)))).matches
    assert [(m.reading.network.name, m.steps, m.fitted) for m in exact] == [("resnet50", 0, False)]
    origin = named("resnet18")
    sums = {r.value for r in readings(origin, "bytes", 2) if r.way.kind == "weight bytes"}
    both = sorted(value for value in sums if any(saved(origin, parse(f"{value} bytes"))))
    assert both
    for value in both:
        first = find(origin, parse(f"{value} bytes")).matches[0]
        assert (first.reading.value, first.fitted) == (value, False)


def test_a_size_to_three_digits_may_be_a_file() -> None:
    """torch.save wrote 14,212,972 bytes of MobileNet v2: 13.555 · 2²⁰."""
    best = find(named("mobilenet_v2"), parse("13.6 MB")).matches[0]
    assert best.reading.way.conventions[0].name == "file of torch.save before 1.6"
    assert 13.55 <= best.reading.value / 2**20 < 13.65
