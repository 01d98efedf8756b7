"""`archcalc import`: a model file becomes a spec, and nothing is lost."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import archcalc
from archcalc.cli import commands
from archcalc.errors import ArchError

DATA = Path(__file__).parents[1] / "data/pt2"
RESNET = str(DATA / "resnet18.pt2")


def run(*words: str) -> Result:
    return CliRunner().invoke(commands, ["import", *words])


def refusal(*words: str) -> str:
    error = run(*words).exception
    assert isinstance(error, ArchError)
    return " / ".join((d.message + (f" ({d.help})" if d.help else "")) for d in error.diagnostics)


def test_the_spec_counts_what_the_file_counts(tmp_path: Path) -> None:
    place = tmp_path / "net.toml"
    told = run(RESNET, "-o", str(place)).output
    model, network = archcalc.load_model(RESNET), archcalc.load(place)
    assert network.analyze().parameters == model.parameters
    assert network.analyze().multiplies == model.multiplies
    assert f"{model.parameters:,} parameters, {model.multiplies:,} multiplies" in told
    bundled = archcalc.load("resnet18")
    assert network.memory().peak == bundled.memory().peak
    ends = [{**n.field().rows[-1], "path": ""} for n in (network, bundled)]
    assert ends[0] == ends[1]


def test_resnet18_is_a_block_of_two_convs_and_four_stages(tmp_path: Path) -> None:
    """8 units and the stem: written out they are 68 lines."""
    lines = run(RESNET).output.splitlines()
    assert lines[0].startswith("# resnet18.pt2, torch.export")
    assert len(lines) < 32
    assert lines.count("[block.basic_block]") == 1
    assert sum(" basic_block {" in line for line in lines) == 7  # one of them twice


def test_what_was_imported_is_swept_over_its_width(tmp_path: Path) -> None:
    place = tmp_path / "net.toml"
    run(RESNET, "-o", str(place))
    found = list(archcalc.sweep(place, {"width": [32, 64]}))
    wide = next(row for row in found if row["width"] == 64)
    assert wide["parameters"] == archcalc.load("resnet18").analyze().parameters
    assert len(found) == 2


def test_a_file_that_exists_stays(tmp_path: Path) -> None:
    place = tmp_path / "net.toml"
    place.write_text("mine")
    assert refusal(RESNET, "-o", str(place)) == f"{place} exists (--force writes over it)"
    assert place.read_text() == "mine"
    assert run(RESNET, "-o", str(place), "--force").exit_code == 0
    assert "basic_block" in place.read_text()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["vgg16"], "vgg16 is a spec already (`archcalc cat` prints it)"),
        ([RESNET, RESNET], "import takes one FILE (a spec for each: one after the other)"),
        (
            [RESNET, "-o", "net.txt"],
            "-o: `net.txt` is no name of a spec (the name of a spec ends in .toml)",
        ),
    ],
)
def test_refusals(words: list[str], told: str) -> None:
    assert refusal(*words) == told
