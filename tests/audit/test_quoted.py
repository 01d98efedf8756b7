"""Who has printed a number: the same digits in the same unit, whatever the spelling."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from archcalc.api import load
from archcalc.audit.printed import parse
from archcalc.audit.quoted import quoted
from archcalc.audit.verdicts import Networks, Verdict
from archcalc.cli import commands


def found(family: str, text: str) -> list[Verdict]:
    return list(quoted(f"{family}.toml", parse(text), Networks(load)))


def test_what_is_in_print_is_recomputed() -> None:
    """convnet-burden's AlexNet has no local response normalization: biases of 650,080 conv and 9,192
    dense outputs, 2 for each of 658,272 rectified values, 2 · 2² for each of 122,464 pooled ones.
    """
    (verdict,) = found("alexnet", "727M")
    assert (verdict.number.network, verdict.kind) == ("alexnet:lrn=false", "convention")
    assert "convnet-burden" in verdict.number.source
    products = 724_406_816
    assert verdict.reached == products + 650_080 + 9_192 + 2 * 658_272 + 2 * 2 * 2 * 122_464


@pytest.mark.parametrize("text", ["3.8G", "3.8 billion", "3.8 GFLOPs"])
def test_spellings(text: str) -> None:
    assert "He et al. 2015, Table 1" in {verdict.number.source for verdict in found("resnet", text)}


@pytest.mark.parametrize("text", ["3.80G", "3.8M", "3800000000", "3.7G"])
def test_other_digits_and_units_are_other_numbers(text: str) -> None:
    assert "He et al. 2015, Table 1" not in {verdict.number.source for verdict in found("resnet", text)}


def test_the_command_names_the_source() -> None:
    result = CliRunner().invoke(commands, ["reconcile", "resnet50", "3.8G", "--format", "json"])
    (document,) = json.loads(result.output)["networks"]
    assert {
        "network": "resnet50_paper",
        "layer": "",
        "quantity": "multiplies",
        "printed": "3.8 G",
        "source": "He et al. 2015, Table 1",
        "verdict": "rounded",
    } in document["in_print"]
    told = " ".join(CliRunner().invoke(commands, ["reconcile", "resnet50", "3.8G"]).output.split())
    assert "in print: 3.8 G (He et al. 2015, Table 1): resnet50_paper multiplies, truncated" in told
