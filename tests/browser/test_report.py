"""The page of a network in a browser: one quiet file; what stands for the same layers lights up."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner
from support.browser import Browser

import archcalc
from archcalc.cli import commands

LIT = """[...document.querySelectorAll('SELECTOR.lit')].map(element => element.dataset.layers)"""


def write(folder: Path, *words: str) -> Path:
    path = folder / "report.html"
    result = CliRunner().invoke(commands, ["report", *words, "-o", str(path)], catch_exceptions=False)
    assert result.exit_code == 0
    return path


def lit(browser: Browser, selector: str) -> list[str]:
    found = browser.js(LIT.replace("SELECTOR", selector))
    assert isinstance(found, list)
    return found


def quiet(browser: Browser, path: Path) -> bool:
    return browser.requests == [path.as_uri()] and not browser.complaints


def test_rows_picture_and_charts_light_each_other(browser: Browser, tmp_path: Path) -> None:
    browser.open(path := write(tmp_path, "resnet18"))
    row = "tbody tr:nth-child(2)"  # the first conv, with its norm and its relu
    layers = browser.js(f"document.querySelector('{row}').dataset.layers")
    assert layers == "1-3"
    browser.hover(f"{row} td")
    assert lit(browser, "tr") == lit(browser, "g.box") == [layers]
    assert lit(browser, ".step") == ["1", "2", "3"]
    box = f'g.box[data-layers="{layers}"]'
    browser.hover("h1")
    assert not lit(browser, "tr")
    browser.hover(f"{box} text")
    assert lit(browser, "tr") == [layers]
    browser.js(f"document.querySelector('{box}').focus()")
    assert lit(browser, "tr") == [layers]
    browser.hover('.step[data-layers="2"]')
    assert lit(browser, "tr") == lit(browser, "g.box") == [layers]
    assert quiet(browser, path)


def test_rows_of_the_table_sum_up_as_the_command_does(browser: Browser, tmp_path: Path) -> None:
    """Boxes that stand for several layers count them all."""
    browser.open(write(tmp_path, "densenet121"))
    analysis = archcalc.load("densenet121").analyze()
    for column, total in ((5, analysis.parameters), (6, analysis.multiplies)):
        table = "document.querySelector('table')"
        cells = f"[...{table}.tBodies[0].rows].map(row => Number(row.cells[{column - 1}].dataset.v))"
        assert browser.js(f"{cells}.reduce((sum, count) => sum + count, 0)") == total


def test_several_networks_stand_side_by_side(browser: Browser, tmp_path: Path) -> None:
    """A light in one network leaves the others dark."""
    (tmp_path / "accuracy.csv").write_text("name,top1\nresnet18,69.8\nresnet50,76.1\n")
    words = ("resnet18", "resnet50", "--by", f"{tmp_path / 'accuracy.csv'}:top1")
    browser.open(path := write(tmp_path, *words))
    assert browser.js("document.querySelectorAll('.ball').length") == 2
    assert "top1 69.8" in browser.js("document.querySelector('.balls').textContent")
    browser.hover("article:nth-of-type(2) tbody tr:nth-child(2) td")
    lights = "document.querySelectorAll('article:nth-of-type({}) .lit').length"
    assert browser.js(lights.format(2)) > 0
    assert browser.js(lights.format(1)) == 0
    assert quiet(browser, path)


@pytest.mark.parametrize(
    "name",
    [
        *("vgg16", "googlenet", "unet", "densenet121", "vit_b_16", "mobilenet_v2", "swin_t"),
        *("alexnet_torch", "nasnet_large", "hrnet_w18"),
    ],
)
def test_small_and_quiet(name: str, browser: Browser, tmp_path: Path) -> None:
    """Under 300 kB; no line of the console, no request; nothing hangs out of a window of 390 pixels."""
    browser.size(390, 844)
    browser.open(path := write(tmp_path, name))
    assert path.stat().st_size < 300_000
    assert quiet(browser, path)
    assert browser.js("document.documentElement.scrollWidth <= innerWidth")


def test_labels_are_text(browser: Browser, tmp_path: Path) -> None:
    """In titles, papers and paths, which stand in the table, in tooltips and in the picture."""
    spec = tmp_path / "net.toml"
    hit = "</title></svg></script><script>window.hit = 1</script>"
    spec.write_text(f"title = '{hit}'\npaper = '{hit}'\ninput = '8x8x3'\nlayers = 'conv 4 k3 | bn'\n")
    browser.open(path := write(tmp_path, str(spec)))
    assert browser.js("window.hit") is None
    assert quiet(browser, path)


def test_a_folder_of_a_sweep(browser: Browser, tmp_path: Path) -> None:
    """Every row is in a cell, the front ends in the best of each metric, and the table has its rows."""
    spec = tmp_path / "net.toml"
    spec.write_text('input = "8x8x3"\nlayers = "conv {a} k3 | conv {b} k3"\n[vars]\na = 1\nb = 1\n')
    folder = str(tmp_path / "results")
    words = ["sweep", str(spec), "--vary", "a=1:40", "--vary", "b=1:40", "-o", folder]
    assert CliRunner().invoke(commands, words, catch_exceptions=False).exit_code == 0
    browser.open(path := write(tmp_path, folder))
    assert "1,600 rows" in browser.js("document.querySelector('h1').textContent")
    points = browser.js("[...document.querySelectorAll('.best title')].map(t => t.textContent)")
    # a = b = 1: 6·6·27 + 4·4·9 products, 27 + 1 + 9 + 1 numbers; with 40 each the most of both
    least, most = 6 * 6 * 27 + 4 * 4 * 9, 40 * (6 * 6 * 27) + 40 * 40 * 9 * 4 * 4
    assert points[0].startswith(f"multiplies {least:,}, parameters 38")
    assert points[-1].startswith(f"multiplies {most:,}, parameters {40 * 28 + 40 * (9 * 40 + 1):,}")
    assert browser.js("document.querySelectorAll('tbody tr').length") == len(points)
    assert quiet(browser, path)


@pytest.mark.parametrize(
    "text", ["16000x1 | conv 4 k9 s4 | gap | linear 3", "16x112x112x3 | conv 16 k3x5x5 s1x2x2 | gap"]
)
def test_sequences_and_volumes_have_pages(text: str, browser: Browser, tmp_path: Path) -> None:
    browser.open(path := write(tmp_path, text))
    total = archcalc.load(text).analyze().multiplies
    assert f"{total:,}" in browser.js("document.querySelector('tfoot').textContent")
    assert quiet(browser, path)


def test_a_printed_page_holds_its_tables(browser: Browser, tmp_path: Path) -> None:
    """The differences of two networks within 718 pixels, a page of 8.5 inches with its margins.

    Chromium paints no buttons in the header that it repeats on each page: their texts stand there.
    """
    browser.open(path := write(tmp_path, "resnet50", "resnet50:stride=1x1"))
    browser.media("print")
    browser.size(718, 900)
    assert browser.js("[...document.querySelectorAll('table')].every(t => t.offsetWidth <= 718)")
    button = "getComputedStyle(document.querySelector('th button')).display"
    assert browser.js(button) == "contents"
    assert quiet(browser, path)


def test_a_picture_on_a_phone_can_be_read(browser: Browser, tmp_path: Path) -> None:
    """Its smallest letters, of 9 pixels, keep five of them; the figure scrolls, the page does not."""
    browser.size(390, 844)
    browser.open(write(tmp_path, "resnet50"))
    scale = "(s => s.getBoundingClientRect().width / s.viewBox.baseVal.width)"
    assert 9 * browser.js(f"{scale}(document.querySelector('.picture svg'))") > 5
    assert browser.js("document.documentElement.scrollWidth <= innerWidth")
