"""Pictures in a browser: every text within its box as it is really set, and themes."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner
from support.browser import Browser
from support.imported import RECORDED

import archcalc
from archcalc.cli import commands

WIDER = """[...document.querySelectorAll('g.box')].flatMap(box => {
  const body = box.querySelector('.body').getBBox();
  return [...box.querySelectorAll(':scope > text')]
    .filter(text => {
      const {x, width} = text.getBBox();
      return x < body.x - 1 || x + width > body.x + body.width + 1;
    })
    .map(text => text.textContent);
})"""
OUTSIDE = """[...document.querySelectorAll('text, rect, path')].filter(part => {
  const {x, y, width, height} = part.getBBox();
  const {width: wide, height: high} = document.documentElement.viewBox.baseVal;
  return x < -1 || y < -1 || x + width > wide + 1 || y + height > high + 1;
}).length"""


def draw(folder: Path, *words: str) -> Path:
    path = folder / "net.svg"
    command = ["draw", *words, "-o", str(path)]
    assert CliRunner().invoke(commands, command, catch_exceptions=False).exit_code == 0
    return path


@pytest.mark.parametrize(
    "name",
    [
        *("alexnet", "vgg16", "googlenet", "resnet50", "densenet121", "mobilenet_v2", "unet"),
        *("inception_v3", "efficientnet_b0", "vit_b_16", "swin_t", "convnext_tiny", "squeezenet1_0"),
        *("shufflenet_v2_x1_0", "regnet_y_400mf", "resnext50_32x4d", "lenet5_1998", "xception"),
        *("llama3_8b", "gpt2"),  # whose titles are wider than what is below them
    ],
)
def test_texts_fit_as_they_are_set(name: str, browser: Browser, tmp_path: Path) -> None:
    """The widths that the layout reckons with are those of a font that need not be here."""
    browser.open(path := draw(tmp_path, name))
    assert browser.js("document.querySelectorAll('g.box text').length") > 5
    assert browser.js(WIDER) == []
    assert browser.js(OUTSIDE) == 0
    assert (browser.requests, browser.complaints) == ([path.as_uri()], [])


@pytest.mark.parametrize("model", RECORDED, ids=lambda path: path.name)
def test_texts_fit_in_pictures_of_model_files(model: Path, browser: Browser, tmp_path: Path) -> None:
    browser.open(draw(tmp_path, str(model)))
    assert browser.js("document.querySelectorAll('g.box text').length") > 2
    assert (browser.js(WIDER), browser.js(OUTSIDE)) == ([], 0)
    assert not browser.complaints


def test_themes(browser: Browser, tmp_path: Path) -> None:
    """Without --theme a picture is as its reader is, light, dark or in print; with it, the same."""
    background = "getComputedStyle(document.querySelector('.paper')).fill"
    browser.open(draw(tmp_path, "lenet5"))
    light = browser.js(background)
    browser.media(prefers_color_scheme="dark")
    assert browser.js(background) != light
    browser.media("print")
    assert browser.js(background) == "none"
    browser.media()
    browser.open(draw(tmp_path, "lenet5", "--theme", "dark"))
    dark = browser.js(background)
    browser.media(prefers_color_scheme="light")
    assert browser.js(background) == dark != light


def test_boxes_are_reached_and_told(browser: Browser, tmp_path: Path) -> None:
    """By Tab, one after another; each says its layers and its cost."""
    browser.open(draw(tmp_path, "alexnet"))
    browser.press("Tab", 9)
    first = browser.js("document.activeElement.dataset.path")
    browser.press("Tab", 9)
    second = browser.js("document.activeElement.dataset.path")
    assert first and second and first != second
    assert browser.js("document.activeElement.querySelector('title').textContent.length") > 10


def test_a_notebook_shows_the_picture_and_the_layers(browser: Browser, tmp_path: Path) -> None:
    page = tmp_path / "cell.html"
    page.write_text(f"<!doctype html><meta charset=utf-8>{archcalc.load('resnet18')._repr_html_()}")
    browser.open(page)
    assert browser.js("document.images[0].complete && document.images[0].naturalWidth") > 300
    assert browser.js("document.querySelectorAll('details tr').length") > 60
    assert not browser.complaints
