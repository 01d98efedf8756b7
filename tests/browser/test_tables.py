"""--format html in a browser: sorts by number, fetches nothing, and what a spec says is no markup."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from support.browser import Browser

import archcalc
from archcalc.cli import commands

COLUMN = """(name => {
  const table = document.querySelector("table");
  const at = [...table.tHead.rows[0].cells].findIndex(cell => cell.textContent === name);
  return [...table.tBodies[0].rows].map(row => row.cells[at].textContent);
})"""


def page(folder: Path, *words: str) -> Path:
    """The page that a command prints, as a file."""
    result = CliRunner().invoke(commands, [*words, "--format", "html"], catch_exceptions=False)
    assert result.exit_code == 0
    path = folder / "page.html"
    path.write_text(result.stdout, encoding="utf-8")
    return path


def numbers(browser: Browser, column: str) -> list[int]:
    return [int(text.replace(",", "")) for text in browser.js(f"{COLUMN}('{column}')")]


def quiet(browser: Browser, path: Path) -> bool:
    """Whether the page asked for nothing but itself, and its console said nothing."""
    return browser.requests == [path.as_uri()] and not browser.complaints


def test_columns_sort_by_number(browser: Browser, tmp_path: Path) -> None:
    browser.open(path := page(tmp_path, "show", "resnet50", "--depth", "1"))
    own = numbers(browser, "multiplies")
    assert sum(own) == archcalc.load("resnet50").analyze().multiplies
    head = "thead th:nth-child(5)"
    assert browser.js(f"document.querySelector('{head}').textContent") == "multiplies"
    browser.click(f"{head} button")
    assert numbers(browser, "multiplies") == sorted(own, reverse=True)
    assert browser.js(f"document.querySelector('{head}').getAttribute('aria-sort')") == "descending"
    browser.click(f"{head} button")
    assert numbers(browser, "multiplies") == sorted(own)
    assert browser.js(f"document.querySelector('{head}').getAttribute('aria-sort')") == "ascending"
    browser.click("thead th:nth-child(1) button")
    names = browser.js(f"{COLUMN}('layer')")
    assert names == sorted(names)
    assert browser.js("document.querySelectorAll('[aria-sort]').length") == 1
    assert quiet(browser, path)


def test_the_keyboard_sorts(browser: Browser, tmp_path: Path) -> None:
    browser.open(page(tmp_path, "params", "lenet5_1998"))
    own = numbers(browser, "parameters")
    browser.js("document.querySelectorAll('th button')[4].focus()")
    browser.press("Enter", 13, "\r")
    assert numbers(browser, "parameters") == sorted(own, reverse=True)


@pytest.mark.parametrize(
    "label", ["</script><script>window.hit=1</script>", "<img src=x onerror=hit()>"]
)
def test_labels_are_text(label: str, browser: Browser, tmp_path: Path) -> None:
    """In the title of a spec and in its paper; a label of a layer cannot hold these signs at all."""
    spec = tmp_path / "net.toml"
    spec.write_text(f'title = "{label}"\npaper = "{label}"\ninput = "8x8x3"\nlayers = "conv 4 k3"\n')
    browser.open(path := page(tmp_path, "show", str(spec)))
    assert browser.js("window.hit") is None
    assert browser.js("document.images.length") == 0
    assert label in browser.js("document.querySelector('h2').textContent")
    assert quiet(browser, path)


@pytest.mark.parametrize(
    ("width", "media"),
    [
        *((width, media) for width in (1440, 390) for media in ({}, {"prefers_color_scheme": "dark"})),
        (1440, {"kind": "print"}),
    ],
)
def test_it_can_be_read(width: int, media: dict[str, Any], browser: Browser, tmp_path: Path) -> None:
    """Text stands out from its ground as WCAG asks of it, and the page never scrolls sideways."""
    browser.size(width, 844)
    browser.media(**media)
    browser.open(page(tmp_path, "show", "googlenet"))
    assert browser.js("document.documentElement.scrollWidth <= innerWidth")
    for element in ("td", "p", "h2"):
        assert browser.js(f"({CONTRAST})(document.querySelector('{element}'))") >= 4.5


CONTRAST = """element => {
  const parts = color => color.match(/[\\d.]+/g).map(Number);
  const light = color => {
    const linear = c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
    const [r, g, b] = parts(color).map(c => linear(c / 255));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const clear = element => parts(getComputedStyle(element).backgroundColor)[3] === 0;
  let ground = element;
  while (clear(ground)) ground = ground.parentElement;
  const pair = [getComputedStyle(element).color, getComputedStyle(ground).backgroundColor].map(light);
  return (Math.max(...pair) + 0.05) / (Math.min(...pair) + 0.05);
}"""
