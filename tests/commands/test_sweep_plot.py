"""archcalc sweep plot and the histograms of sweep show: words, pictures, what is refused."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from itertools import pairwise
from pathlib import Path

import pytest
from support.commands import archcalc

from archcalc.errors import ArchError
from archcalc.reports.model import spark
from archcalc.views import plot

SPEC = """input = "8x8x4"
layers = ["conv {a} k3 half", "conv {a} g{b}"]
[vars]
a = 4
b = 1
"""
NAME = "a$b<i>\\frac&--"  # what mathematical text, pages and comments would not take as it is


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("plot")
    (place / f"{NAME}.toml").write_text(SPEC)
    words = ["--vary", "a=1:80", "--vary", "b=1:8", "-o", "out", "--format", "csv"]
    result = run(place, f"{NAME}.toml", *words)
    assert result.returncode == 0, result.stderr
    return place


def run(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return archcalc(folder, "sweep", *words)


# a multiple of b: 80, 40, 26, 20, 16, 13, 11 and 10 of them
ROWS = 80 + 40 + 26 + 20 + 16 + 13 + 11 + 10


@pytest.mark.parametrize("words", [["--y", "max:params"], ["--cumulative", "peak"]], ids=" ".join)
def test_pictures(folder: Path, words: list[str]) -> None:
    """Well-formed, the same for the same rows, with dark text on white."""
    from PIL import Image

    for name in ("one.svg", "two.svg", "one.png", "one.PDF"):
        result = run(folder, "plot", "out", *words, "-o", name)
        assert (result.returncode, result.stderr) == (0, "")
        assert result.stdout.startswith(f"{name}: {ROWS} rows of 640 points")
    assert (folder / "one.svg").read_bytes() == (folder / "two.svg").read_bytes()
    assert ElementTree.parse(folder / "one.svg").getroot().tag.endswith("svg")
    assert (folder / "one.PDF").read_bytes().startswith(b"%PDF")
    picture = Image.open(io.BytesIO((folder / "one.png").read_bytes())).convert("RGB")
    assert picture.size == (1280, 880)
    colors = {color for _, color in picture.getcolors(1 << 24) or ()}
    assert picture.getpixel((2, 2)) == (255, 255, 255)
    assert {_rgb(plot._INK), _rgb(plot._BEST)} <= colors


def _rgb(text: str) -> tuple[int, ...]:
    return tuple(bytes.fromhex(text[1:]))


def test_shades_and_the_front_are_told_apart_in_gray() -> None:
    """Luminance of Rec. 601, as gray printers have it."""

    def gray(text: str) -> float:
        red, green, blue = _rgb(text)
        return 0.299 * red + 0.587 * green + 0.114 * blue

    shades = [gray(shade) for shade in plot._SHADES]
    assert all(first - second > 40 for first, second in pairwise(shades))
    assert gray("#ffffff") - shades[0] > 20  # a cell with a single row is not paper


def test_histograms_as_text(folder: Path) -> None:
    result = run(folder, "plot", "out", "--cumulative", "output")
    assert result.returncode == 0, result.stderr
    assert f"output of {ROWS} rows of 640 points" in result.stdout
    # every map is 8×8: one bin holds all
    (line,) = [line.split() for line in result.stdout.splitlines() if "100.0 %" in line]
    assert line == ["8", "8", str(ROWS), "100.0", "%", "100.0", "%", "██████████"]
    both = run(folder, "plot", "out")
    assert "multiplies of" in both.stdout
    assert "parameters of" in both.stdout


def test_show_has_histograms(folder: Path) -> None:
    shown = run(folder, "show", "out", "--pareto", "params,multiplies")
    assert shown.returncode == 0, shown.stderr
    (line,) = [line for line in shown.stdout.splitlines() if line.startswith("  peak")]
    assert "█" in line
    found = json.loads(run(folder, "show", "out", "--format", "json").stdout)["networks"][0]
    peak = next(s for s in found["sweep"]["spreads"] if s["name"] == "peak")
    # a channel is 8·8 values of 4 bytes; alive are 4 and 1 of them, or 80 and 80
    assert (peak["least"], peak["most"]) == (256 * (4 + 1), 256 * 2 * 80)


def test_a_spark_for_each_count() -> None:
    assert spark([0, 1, 50, 100, 800]) == " ▁▁▁█"
    assert spark([1, 2, 3, 4, 5, 6, 7, 8]) == "▁▂▃▄▅▆▇█"


@pytest.mark.parametrize(
    ("words", "message", "help"),
    [
        (["nowhere"], "nowhere holds no sweep", ""),
        (["out", "--x", "multiplys"], "--x: unknown name `multiplys`", "did you mean `multiplies`?"),
        (["out", "--cumulative", "width"], "--cumulative: unknown name `width`", "there are parameters"),
        (["out", "--x", "peak,field"], "--x takes one name", ""),
        (["out", "--x", "peak", "--y", "max:peak"], "--x and --y are both peak", ""),
        (["out", "--cumulative", "peak", "--x", "peak"], "--cumulative draws one metric", ""),
        (["out", "-o", "front.jpg"], "-o: `front.jpg` is no name of a picture", ".svg, .png, .pdf"),
        (["out", "-o", "front"], "-o: `front` is no name of a picture", ".svg, .png, .pdf"),
        (["out", "-o", "no/front.png"], "cannot write no/front.png: No such file or directory", ""),
        ([], "Missing argument 'DIR'", ""),
    ],
)
def test_bad_words(folder: Path, words: list[str], message: str, help: str) -> None:
    result = run(folder, "plot", *words)
    assert (result.returncode, result.stdout) == (2, "")
    assert f"error: {message}" in result.stderr
    assert help in result.stderr
    assert "Traceback" not in result.stderr


def test_matplotlib_is_optional(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(ArchError) as caught:
        plot.check("front.svg")
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.message == "pictures need matplotlib"
    assert "pip install 'archcalc[plot]'" in diagnostic.help


def test_text_needs_no_matplotlib(folder: Path) -> None:
    code = """
import sys
sys.modules["matplotlib"] = None
sys.argv = ["archcalc", "sweep", "plot", "out"]
from archcalc.__main__ import main
main()
"""
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, encoding="utf-8"
    )
    assert result.returncode == 0, result.stderr
    assert "so far" in result.stdout
