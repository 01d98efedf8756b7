"""archcalc report: what it refuses, and the column that it reads."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

import archcalc
from archcalc.cli import commands
from archcalc.errors import ArchError
from archcalc.reports.column import column
from archcalc.reports.page import Ball, gathered
from archcalc.views.charts import chart


def refused(*words: str) -> str:
    with pytest.raises(ArchError) as error:
        commands.main(["report", *words], standalone_mode=False)
    return error.value.diagnostics[0].message


def test_what_is_no_page(tmp_path: Path) -> None:
    assert "x.txt` is no name of a page" in refused("lenet5", "-o", str(tmp_path / "x.txt"))
    assert "cannot write" in refused("lenet5", "-o", str(tmp_path / "none" / "x.html"))
    assert "--by is for the chart" in refused(
        "lenet5", "--by", "a.csv:b", "-o", str(tmp_path / "x.html")
    )


def test_a_column_by_names(tmp_path: Path) -> None:
    """Names stand in `name`, or in the first column; a mark of the byte order is none of the name."""
    path = tmp_path / "a.csv"
    path.write_text("\ufefftop1,name\n69.8,resnet18\n1e2,vgg16\n", encoding="utf-8")
    assert column(f"{path}:top1") == {"resnet18": 69.8, "vgg16": 100}
    path.write_text("net,top1\nresnet18,69.8\n")
    assert column(f"{path}:top1") == {"resnet18": 69.8}


@pytest.mark.parametrize(
    ("text", "word", "message"),
    [
        ("name,top1\nvgg16,x\n", "top1", "--by: `x` in line 2 of "),
        ("name,top1\nvgg16\n", "top1", "--by: `None` in line 2 of "),
        ("name,top1\nvgg16,nan\n", "top1", "--by: `nan` in line 2 of "),
        ("name,top1\nvgg16,1\n", "top5", "has no column `top5`"),
        ("", "top5", "has no column `top5`"),
    ],
)
def test_what_is_no_column(text: str, word: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(text)
    assert message in refused("lenet5", "vgg16", "--by", f"{tmp_path / 'a.csv'}:{word}", "-o", "x.html")


def test_what_is_no_file(tmp_path: Path) -> None:
    words = ("lenet5", "vgg16", "-o", "x.html", "--by")
    assert "names no column of a file" in refused(*words, "top1")
    assert "cannot read" in refused(*words, f"{tmp_path}/ghost.csv:top1")
    (tmp_path / "b.csv").write_bytes(b"\xff\xfe")
    assert "not utf-8" in refused(*words, f"{tmp_path}/b.csv:top1")


def test_a_column_that_names_no_network(tmp_path: Path) -> None:
    """An error with both names; a setting makes another network, whose accuracy is its own."""
    (tmp_path / "a.csv").write_text("name,top1\nresnet-50,76.1\nresnet18,69.8\n")
    words = ("--by", f"{tmp_path / 'a.csv'}:top1", "-o", str(tmp_path / "x.html"))
    with pytest.raises(ArchError) as error:
        commands.main(["report", "resnet50", "resnet18:classes=10", *words], standalone_mode=False)
    (told,) = error.value.diagnostics
    assert told.message == f"--by: {tmp_path / 'a.csv'} names none of resnet50, resnet18:classes=10"
    assert told.help == "it names resnet-50, resnet18"
    assert not (tmp_path / "x.html").exists()


def test_networks_that_a_column_does_not_name_are_told(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("name,top1\nlenet5,99\n")
    words = ("--by", f"{tmp_path / 'a.csv'}:top1", "-o", str(tmp_path / "x.html"))
    CliRunner().invoke(
        commands, ["report", "lenet5", "lenet5:classes=5", *words], catch_exceptions=False
    )
    page = (tmp_path / "x.html").read_text("utf-8")
    assert page.count('class="ball"') == 1
    assert "<p>without top1: lenet5:classes=5</p>" in page


def test_networks_of_one_title_are_told_apart(tmp_path: Path) -> None:
    specs = [tmp_path / name for name in ("old.toml", "new.toml")]
    for spec in specs:
        spec.write_text("title = 'My net'\ninput = '8x8x3'\nlayers = 'conv 4'\n")
    place = tmp_path / "x.html"
    words = ["report", *map(str, specs), "-o", str(place)]
    assert CliRunner().invoke(commands, words, catch_exceptions=False).exit_code == 0
    page = place.read_text("utf-8")
    assert "<h1>old: My net · 8×8×3 → 8×8×4</h1>" in page
    assert "<h1>new: My net · 8×8×3 → 8×8×4</h1>" in page


def test_the_field_of_a_repeat_is_that_of_its_last_copy(tmp_path: Path) -> None:
    """A 3×3 conv sees 3 pixels; each of three units of two more adds 4: 3 + 3·4."""
    spec = tmp_path / "net.toml"
    spec.write_text(
        "input = '64x64x4'\nlayers = ['conv 4 k3 half', 's = 3 x unit']\n"
        "[block.unit]\nadd.main = 'conv 4 k3 half | relu | conv 4 k3 half'\nadd.skip = '@in'\n"
    )
    page = gathered(archcalc.load(str(spec)))
    assert [(mark.value, mark.told) for mark in page.fields] == [
        (3, "conv: 3×3 pixels"),
        (3 + 3 * 4, "s/unit3/add: 15×15 pixels"),
    ]


def test_fields_of_a_sequence_are_lengths(tmp_path: Path) -> None:
    """A kernel of 9 after one of 9 and a stride of 4: 9 + 4·8 = 41 positions, as strips in a row."""
    place = tmp_path / "x.html"
    words = ["report", "16000x1 | conv 4 k9 s4 | conv 4 k9", "-o", str(place)]
    assert CliRunner().invoke(commands, words, catch_exceptions=False).exit_code == 0
    page = place.read_text("utf-8")
    assert "Receptive field over 16,000 positions" in page
    assert "conv2: 41 positions" in page
    heights = set(re.findall(r'<rect class="field"[^>]* height="(\d+)"', page))
    assert len(heights) == 1


@pytest.mark.parametrize("more", [1.02, 1.3, 4, 1000])
def test_an_axis_names_at_least_two_numbers(more: float) -> None:
    """However near or far the networks are; numbers stand at the places that they name."""
    found = [Ball("a", 400, 400.0, 1), Ball("b", int(400 * more), 400 * more, 1)]
    svg = chart(found, "parameters")
    for anchor in ("middle", "end"):
        ticks = re.findall(rf'text-anchor="{anchor}">([\d.]+)', svg)
        assert len(set(ticks)) >= 2


def test_a_page_has_the_budget_and_what_lint_finds(tmp_path: Path) -> None:
    """36·8 weights, 8 biases, 16 of the norm, of 400; a bias that a batch norm takes away."""
    spec = tmp_path / "net.toml"
    text = "input = '8x8x4'\nlayers = 'conv 8 k3 | bn'\n[budget]\nmax-params = 400\n"
    spec.write_text(text)
    tables = {table.title: table for table in gathered(archcalc.load(str(spec))).tables}
    (limit,) = tables["Budget"].rows
    assert 36 * 8 + 8 + 2 * 8 == 312
    assert (limit["bound"].rank, limit["value"].rank) == (400, 312)
    assert "bias" in {row["rule"] for row in tables["To look at"].rows}
    assert "Budget" not in {table.title for table in gathered(archcalc.load("lenet5")).tables}
