"""archcalc draw: text, pictures, what is refused; hostile names stay inert."""

from __future__ import annotations

import io
import json
import re
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
from click.testing import CliRunner

from archcalc.cli import commands
from archcalc.errors import ArchError
from archcalc.views import pictures
from archcalc.views.diagnostics import render
from archcalc.views.svg import THEMES

EVIL = '<script>alert("x")</script>&amp;\\"];]]>{}`${x}\u202e'
MODEL = "tests/data/pt2/resnet18.pt2"
SVG = "{http://www.w3.org/2000/svg}"


def output(*words: str) -> str:
    result = CliRunner().invoke(commands, ["draw", *words], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def error(*words: str) -> str:
    with pytest.raises(ArchError) as found:
        commands.main(["draw", *words], standalone_mode=False)
    return render(found.value)


@pytest.mark.parametrize(
    "name",
    ["vgg16", "resnet50", "googlenet", "unet", "densenet121", "vit_b_16", "mobilenet_v2", "swin_t"],
)
def test_the_tree_fits_a_terminal(name: str) -> None:
    lines = output(name).splitlines()
    assert max(map(len, lines)) <= 80
    cut = [line for line in lines[3:] if "…" in line]
    assert cut == [] or name in ("vit_b_16", "swin_t")  # norms and tokens behind a long label


SIZES = (" 16×112×112×64", " 16×112×112×8")


def test_the_columns_of_a_tree_are_as_wide_as_what_is_in_them() -> None:
    """16×112×112×64 has 13 characters; nothing is cut, and all rows end the size in one column."""
    lines = output("16x112x112x3 | conv 64 k3 half | relu | conv 8 | gap").splitlines()
    ends = {line.index(size) + len(size) for line in lines for size in SIZES if size in line}
    assert ends == {lines[2].index("output") + len("output")}


@pytest.mark.parametrize(("columns", "cut"), [("80", True), ("120", False)])
def test_a_wide_terminal_shows_all_of_a_label(
    columns: str, cut: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    lines = output("vit_b_16").splitlines()
    assert max(map(len, lines)) <= int(columns)
    assert ("tokens classtoken posembed dropout" in lines[4]) is not cut


def test_a_key_of_the_legend_stays_in_one_line() -> None:
    """Seven kinds are too wide for 80 columns: the last moves on with its glyph."""
    text = "8x8x4 | conv 4 | conv 4 k3 half g4 | upsample 2 | maxpool 2 | windowattention 2 4"
    legend = output(f"{text} | flatten | linear 3").splitlines()[-3:-1]
    assert legend[0].endswith("↻ rearrangement")
    assert legend[1] == "○ input"


def test_the_tree_says() -> None:
    """Two units of ResNet-50, by hand: 1×1 convs of 64 on 256 channels of 56×56: 102,760,448."""
    lines = output("resnet50").splitlines()
    assert lines[0].startswith("ResNet-50 · 25.6 M parameters")
    at = next(i for i, line in enumerate(lines) if "bottleneck 2–3 ×2" in line)
    assert 2 * 56 * 56 * 256 * 64 == 102_760_448
    assert re.split(r" {2,}", lines[at + 1].strip())[:3] == [
        "├ ■ 1×1 conv 64 · bn relu",
        "56×56×64",
        "103 M",
    ]
    assert "⊕ add · with input relu" in lines[at + 4]


@pytest.mark.parametrize("theme", [None, *THEMES])
def test_svg_is_sound_in_every_theme(theme: str | None, tmp_path: Path) -> None:
    place = tmp_path / "net.svg"
    told = output("resnet50", "-o", str(place), *(["--theme", theme] if theme else []))
    assert "ResNet-50" in told
    text = place.read_text("utf-8")
    root = ElementTree.fromstring(text)
    assert root.tag == f"{SVG}svg"
    assert ("prefers-color-scheme" in text) == (theme is None)
    assert "var(" not in text
    assert not re.search(r"\b(?:href|src|url|@import|<script|onload)\b", text)
    boxes = [g for g in root.iter(f"{SVG}g") if g.get("data-layers")]
    assert all(g.find(f"{SVG}title") is not None for g in boxes)


def test_pictures_are_the_same_each_time(tmp_path: Path) -> None:
    places = [tmp_path / name for name in ("a.svg", "b.svg")]
    for place in places:
        output("googlenet", "-o", str(place))
    assert places[0].read_bytes() == places[1].read_bytes()


def test_png_and_pdf(tmp_path: Path) -> None:
    pytest.importorskip("cairosvg")
    from PIL import Image

    svg, png, pdf = (tmp_path / f"net.{suffix}" for suffix in ("svg", "PNG", "pdf"))
    for place in (svg, png, pdf):
        output("lenet5", "-o", str(place))
    root = ElementTree.fromstring(svg.read_text("utf-8"))
    size = Image.open(io.BytesIO(png.read_bytes())).size
    assert size == tuple(pytest.approx(2 * float(root.get(k, "0")), abs=1) for k in ("width", "height"))
    assert pdf.read_bytes().startswith(b"%PDF")


def test_a_title_ends_within_its_png(tmp_path: Path) -> None:
    """In whatever font: that of `llama3_8b` is wider than all below it."""
    pytest.importorskip("cairosvg")
    from PIL import Image

    output("llama3_8b", "-o", str(place := tmp_path / "net.png"))
    picture = Image.open(place).convert("L")
    edge = picture.crop(
        (picture.width - 8, 0, picture.width, 60)
    )  # 4 pixels of the margin, the title's rows
    assert edge.getextrema() == (255, 255)
    assert picture.crop((0, 0, picture.width, 60)).getextrema()[0] < 100


def test_cairosvg_is_missing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "cairosvg", None)
    message = error("lenet5", "-o", str(tmp_path / "net.png"))
    assert message.splitlines() == [
        "error: png and pdf need cairosvg",
        "  = help: pip install 'archcalc[pictures]', or write an .svg",
    ]
    assert pictures.SUFFIXES == (".svg", ".png", ".pdf")


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    place = tmp_path / "x.svg"
    place.mkdir()
    assert error("lenet5", "-o", str(place)) == f"error: cannot write {place}: Is a directory"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["lenet5", "-o", "net.gif"], "-o: `net.gif` is no name of a picture"),
        (["lenet5", "-o", "x.svg", "--format", "dot"], "-o writes a picture: it takes no --format"),
        (["lenet5", "--theme", "dark"], "--theme is that of a picture"),
        (["lenet5", "--columns", "2"], "--columns are those of a picture"),
        (["lenet5", "--by", "alive", "--format", "dot"], "--format dot has no bars: it takes no --by"),
        (["lenet5", "vgg16"], "draw takes one SPEC"),
        (["resnet50", "--expand", "nothing-like-it"], "--expand: no block is called `nothing-like-it`"),
        (["lenet5", "--expand", "x"], "--expand: no block is called `x`"),
        (["lenet5", "--git", "HEAD"], "`--git` needs a spec file: lenet5 is none"),
        (
            ["lenet5", "--git", "HEAD", "--diff", "alexnet"],
            "--diff and --git each name what SPEC is drawn beside",
        ),
        (["lenet5", "--diff", "lennet5"], "no network is called `lennet5`"),
    ],
)
def test_refusals(words: list[str], message: str) -> None:
    told = error(*words).splitlines()
    assert told[0] == f"error: {message}"
    assert told[1].startswith("  = help: ")


@pytest.fixture
def hostile(tmp_path: Path) -> str:
    """A spec whose title and file are hostile; labels of the language are letters, digits, _ . -."""
    path = tmp_path / "a&<b>'.toml"
    path.write_text(
        f"title = {json.dumps(EVIL)}\ninput = '8x8x4'\n"
        "layers = ['x--y.-- = conv 4 k3 p1 | relu | conv 4', 'constructor = conv 4 | conv 4']\n",
        encoding="utf-8",
    )
    return str(path)


def test_hostile_names_stay_inert(hostile: str) -> None:
    svg = output(hostile, "--format", "svg")
    root = ElementTree.fromstring(svg)
    assert not list(root.iter("script"))
    assert not list(root.iter(f"{SVG}script"))
    assert EVIL[:30] in "".join(root.itertext())
    assert "\u202e" not in svg
    assert "\u202e" not in output(hostile)
    twin = Path(hostile).with_name("twin.toml")  # two of one title are told by their names
    twin.write_text(Path(hostile).read_text("utf-8").replace("title = ", "title = 'A twin' #"), "utf-8")
    other = output(hostile, "--diff", str(twin), "--format", "mermaid")
    title = next(line for line in other.splitlines() if "script" in line)
    assert re.fullmatch(r'  subgraph p0\["[^"<>&`\\{}\[\]$]*"\]', title)
    dot = output(hostile, "--diff", str(twin), "--format", "dot")
    (label,) = {line.strip() for line in dot.splitlines() if "script" in line}
    assert re.fullmatch(r'label="(?:[^"\\]|\\["\\])*"', label)


def test_a_difference_is_marked() -> None:
    """VGG-19 has one conv more in each of the last three stages: three boxes, each conv and relu."""
    told = json.loads(output("vgg16", "--diff", "vgg19", "--format", "json"))
    (drawing,) = told["networks"]
    new = [box for box in drawing["boxes"] if box["mark"] == "new"]
    assert [(box["network"], box["path"].split("/")[0]) for box in new] == [
        (1, "stage3"),
        (1, "stage4"),
        (1, "stage5"),
    ]
    assert {box["mark"] for box in drawing["boxes"] if box["network"] == 0} == {""}
    lines = output("vgg16", "--diff", "vgg19").splitlines()
    assert sum(line.startswith("+ ├ ■ 3×3 conv") for line in lines) == 3
    assert "+ new  − gone  ~ changed  → moved" in lines


def test_two_of_one_title_are_told_apart(tmp_path: Path) -> None:
    """By their files, or by their places where the files have one name, too; 4·5 + 5 and 4·6 + 6."""
    paths = [tmp_path / name / f"{name}.toml" for name in ("old", "new")]
    for path, units in zip(paths, (5, 6), strict=True):
        path.parent.mkdir()
        for place in (path, path.with_name("net.toml")):
            place.write_text(f"title = 'My net'\ninput = '1x1x4'\nlayers = 'linear {units}'\n", "utf-8")
    heads = [line for line in output(*_diff(*paths)).splitlines() if "parameters" in line]
    assert heads == [
        "old · 25 parameters · 20 multiplies",
        "new · 30 parameters · 24 multiplies",
    ]
    same = output(*_diff(*(path.with_name("net.toml") for path in paths)))
    assert [line[:7] for line in same.splitlines() if "parameters" in line] == ["net (1)", "net (2)"]


def _diff(*paths: Path) -> list[str]:
    return [str(paths[0]), "--diff", str(paths[1])]


def test_depth_closes_blocks() -> None:
    boxes = json.loads(output("resnet50", "--depth", "1", "--format", "json"))["networks"][0]["boxes"]
    closed = [box["label"] for box in boxes if box["kind"] == "closed"]
    assert closed == ["stage1", "stage2", "stage3", "stage4"]
    opened = output("resnet50", "--depth", "1", "--expand", "stage2", "--format", "json")
    labels = [
        box["label"] for box in json.loads(opened)["networks"][0]["boxes"] if box["kind"] == "frame"
    ]
    assert labels == ["stage2", "bottleneck", "bottleneck2", "bottleneck3", "bottleneck4"]


def test_what_is_closed_by_itself_is_told(tmp_path: Path) -> None:
    """HRNet's stages would make a picture of seven pages; with --depth nothing is said."""
    place = str(tmp_path / "net.svg")
    told = output("hrnet_w18", "-o", place).splitlines()
    assert told[1:] == ["blocks 1 deep are closed: --depth 2 opens them"]
    assert len(output("hrnet_w18", "-o", place, "--depth", "1").splitlines()) == 1


def test_what_does_not_sum_up_has_no_share() -> None:
    """The most alive at once of VGG-16 is that of its second conv, both maps: 2 · 224·224·64."""
    lines = output("vgg16", "--by", "alive").splitlines()
    assert lines[-1] == "values alive at once; a full bar is 6.42 M"
    assert 2 * 224 * 224 * 64 == 6_422_528
    (line,) = [line for line in lines if line.endswith("█" * 10)]
    assert "3×3 conv 64" in line
