"""archcalc report: what it refuses, and the column that it reads."""

from __future__ import annotations

from pathlib import Path

import pytest

from archcalc.cli import commands
from archcalc.errors import ArchError
from archcalc.reports.column import column


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
