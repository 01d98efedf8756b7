"""reconcile on model files: which count of the file prints so, by the same rules as of a spec."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

import archcalc
from archcalc.audit.model_file import ModelFile
from archcalc.audit.model_tools import by_tools
from archcalc.cli import commands

DATA = Path(__file__).parents[1] / "data"
RESNET18 = DATA / "pt2" / "resnet18.pt2"
# torchvision's documentation: 11,689,512 parameters and 1.81 GFLOPS (multiply-adds)
PARAMETERS, MULTIPLIES = 11_689_512, 1_814_073_344
CONV1 = 112 * 112 * 64 * 7 * 7 * 3
CHANNELS = 64 + 4 * 64 + 5 * (128 + 256 + 512)  # of batch norms: 20 in all
NORMED = 112**2 * 64 + 56**2 * 4 * 64 + 5 * (28**2 * 128 + 14**2 * 256 + 7**2 * 512)
POOLED = 7 * 7 * 512


def invoke(*words: str) -> Result:
    return CliRunner().invoke(commands, ["reconcile", *words], catch_exceptions=False)


def document(*words: str) -> dict[str, Any]:
    (found,) = json.loads(invoke(*words, "--format", "json").stdout)["networks"]
    return found


@pytest.mark.parametrize(
    ("number", "name", "value"),
    [
        ("11.7M", [], PARAMETERS),
        ("1.81G", [], MULTIPLIES),
        ("1.814 GMACs", [], MULTIPLIES),
        ("3.63 GFLOPs", ["FLOPs"], 2 * MULTIPLIES),
        ("3628146688", ["FLOPs"], 2 * MULTIPLIES),
        (f"{CONV1} MACs", ["conv1"], CONV1),
        ("513,000 parameters", ["fc"], 512 * 1000 + 1000),
        ("9408 parameters", ["conv1"], 64 * 7 * 7 * 3),
        (f"{MULTIPLIES - 512_000}", ["conv only"], MULTIPLIES - 512_000),
        (f"{PARAMETERS + 2 * CHANNELS}", ["counts running means and variances"], 11_699_112),
        # what the state dict holds besides: a counter in each of 20 norms
        (f"{PARAMETERS + 2 * CHANNELS + 20}", ["state dict"], 11_699_132),
        (f"{PARAMETERS - 2 * CHANNELS + CHANNELS}", ["batch norms folded"], 11_684_712),
        (f"{4 * (PARAMETERS + 2 * CHANNELS)} bytes", [], 46_796_448),
        (f"{4 * (PARAMETERS + 2 * CHANNELS) + 8 * 20} bytes", ["state dict"], 46_796_608),
        (f"{4 * PARAMETERS} bytes", ["in the file"], 46_758_048),  # torchinfo's total_param_bytes
        (f"{MULTIPLIES + 2 * NORMED + POOLED}", ["fvcore"], 1_819_065_856),
        (f"{MULTIPLIES + 2 * CHANNELS + 1000}", ["torchinfo"], 1_814_083_944),
        (f"{MULTIPLIES + NORMED}", ["adds 1 a batch-norm value"], MULTIPLIES + NORMED),
    ],
)
def test_the_first_reading(number: str, name: list[str], value: int) -> None:
    best = document(str(RESNET18), number)["matches"][0]
    assert best["value"] == value
    assert [departure["name"] for departure in best["departures"]][-1:] == name
    assert best["each"] * sum(part["factor"] * part["amount"] for part in best["parts"]) == value
    own = best["value"] - sum(departure["amount"] for departure in best["departures"])
    assert own in (PARAMETERS, MULTIPLIES, 4 * (PARAMETERS + 2 * CHANNELS))


def test_tools_print_what_they_were_recorded_to_print() -> None:
    with (DATA / "tools.csv").open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["network"] == "resnet18"]
    wanted = {
        row["tool"]: int(row["value"])
        for row in rows
        if row["quantity"] in ("FlopCountAnalysis.total()", "total_mult_adds")
    }
    found = by_tools(ModelFile(archcalc.load_model(RESNET18)))
    assert {reading.way.conventions[0].name: reading.value for reading in found} == wanted


@pytest.mark.parametrize("name", ["attention", "lstm", "decomposed"])
def test_no_tool_where_its_rule_is_not_known(name: str) -> None:
    """fvcore leaves attention out, and the parameters of these lie in no leaf module of their own."""
    assert list(by_tools(ModelFile(archcalc.load_model(DATA / "pt2" / f"{name}.pt2")))) == []


def test_onnx_files_have_modules_but_no_tools_of_torch() -> None:
    model = archcalc.load_model(DATA / "onnx" / "classifier.onnx")
    assert list(by_tools(ModelFile(model))) == []
    found = document(str(DATA / "onnx" / "classifier.onnx"), f"{model.multiplies} MACs")
    assert (found["matches"][0]["value"], found["matches"][0]["steps"]) == (model.multiplies, 0)


def test_what_trains_and_what_no_layer_uses() -> None:
    """A frozen conv 3 → 6 and its norm; a linear layer 6 → 4 beside one that nothing uses."""
    frozen = archcalc.load_model(DATA / "pt2" / "frozen.pt2")
    trained = frozen.parameters - (6 * 3 * 3 * 3 + 2 * 6)
    best = document(str(DATA / "pt2" / "frozen.pt2"), f"{trained} parameters")["matches"][0]
    assert best["departures"][0]["name"] in ("trainable", "linear operations")
    unused = DATA / "pt2" / "unused.pt2"
    held = archcalc.load_model(unused).tally.parameters_of_the_file
    best = document(str(unused), f"{held} parameters")["matches"][0]
    assert (best["value"], best["departures"][0]["name"]) == (held, "in the file")


def test_ratios_of_modules() -> None:
    """layer1 is 4 convs 64 → 64 of 3×3 on 56²; 512,000 products of all are in fc."""
    layer1 = 4 * 56 * 56 * 64 * 64 * 9
    first = document(str(RESNET18), "25.49%")["matches"][0]
    assert first["first"] == {"name": "layer1", "value": layer1}
    assert first["second"] == {"name": "all", "value": MULTIPLIES}
    assert invoke(str(RESNET18), "77.77%").exit_code == 1


def test_nothing_matches() -> None:
    result = invoke(str(RESNET18), "1823523841")
    assert result.exit_code == 1
    assert "unexplained: none of" in result.stdout
    assert document(str(RESNET18), "1823523841")["explained"] is False


def test_formats_agree() -> None:
    told = csv.DictReader(io.StringIO(invoke(str(RESNET18), "1.81G", "--format", "csv").stdout))
    assert [int(row["count"]) for row in told] == [MULTIPLIES]
    assert f"{MULTIPLIES:,}" in invoke(str(RESNET18), "1.81G", "--format", "md").stdout


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("strange.pt2", "5M", "--allow-unknown"), "does not know: no count is exact"),
        (("strange.pt2", "5%", "--allow-unknown"), "does not know: no count is exact"),
        (("strange.pt2", "5M"), "strange.pt2 holds 2 operations that archcalc does not know"),
        (("frozen.pt2", "5 values"), "nothing is known of the values that"),
        (("frozen.pt2", "x"), "`x` is no number"),
        (("frozen.pt2",), "reconcile needs a NUMBER behind the SPEC"),
    ],
)
def test_refusals(words: tuple[str, ...], message: str) -> None:
    result = CliRunner().invoke(commands, ["reconcile", str(DATA / "pt2" / words[0]), *words[1:]])
    assert message in str(result.exception)
