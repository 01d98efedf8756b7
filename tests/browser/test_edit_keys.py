"""Everything on the live page with the keyboard alone."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from support.live import SMALL
from support.page import Opening, Page

import archcalc

INCEPTION = archcalc.load("inception").spec.source.text
RESNET = archcalc.load("resnet18").spec.source.text


def arrow_down(page: Page, times: int) -> None:
    for _ in range(times):
        page.press("ArrowDown", 40)


def tab(page: Page) -> None:
    page.press("Tab", 9)


@pytest.mark.parametrize(
    ("down", "name", "begin"),
    [
        (0, "net.svg", "<svg "),
        (1, "net.toml", SMALL),
        (2, "net-layers.toml", 'title = "Small"'),
        (3, "net.csv", "network,layer,"),
    ],
)
def test_export(opening: Opening, tmp_path: Path, down: int, name: str, begin: str) -> None:
    page = opening()
    page.browser.call("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(tmp_path))
    page.press("d", 68, "d")
    arrow_down(page, down)
    page.press("Enter", 13, "\r")
    page.until("document.getElementById('status').textContent.includes('downloaded')")
    end = time.monotonic() + 30
    while not ((tmp_path / name).exists() and (tmp_path / name).stat().st_size):
        assert time.monotonic() < end
        time.sleep(0.02)
    assert (tmp_path / name).read_text().startswith(begin)
    assert page.js("document.getElementById('exports').matches(':popover-open')") is False


def test_link_and_command(opening: Opening) -> None:
    page = opening(INCEPTION, variant="inception")
    page.js("window.copied = []; navigator.clipboard.writeText = async text => { copied.push(text); }")
    page.move("bottleneck", 16)
    for down in (4, 5):
        page.press("d", 68, "d")
        arrow_down(page, down)
        page.press("Enter", 13, "\r")
        page.until("document.getElementById('status').textContent.includes('copied')")
        page.until("document.activeElement === document.body")
    page.until("copied.length === 2")
    link, command = page.js("copied")
    assert link == f"{page.address}#set.bottleneck=16"
    assert command.endswith("--bottleneck 16")


def test_a_menu_is_left_by_escape(opening: Opening) -> None:
    page = opening()
    page.press("?", 191, "?")
    assert page.js("document.getElementById('help').matches(':popover-open')")
    page.press("Escape", 27)
    assert page.js("document.querySelectorAll(':popover-open').length") == 0


def test_slider_chart_and_writing(opening: Opening, tmp_path: Path) -> None:
    """From `s`: arrows move the slider, two Tabs lead to its chart, `w` writes, Ctrl-S saves."""
    file = tmp_path / "net.toml"
    page = opening(file=str(file))
    page.press("s", 83, "s")
    page.press("ArrowRight", 39)
    page.settled()
    assert page.total("parameters") == 5 * 28 + 5 * (9 * 5 + 1)
    tab(page)
    assert page.here == "set-n"
    tab(page)
    page.press("Enter", 13, "\r")
    page.until("points.length > 20")
    page.press("w", 87, "w")
    page.until("Object.keys(state.settings).length === 0")
    page.settled()
    page.press("s", 83, ctrl=True)
    page.until("state.text === state.saved")
    assert file.read_text() == SMALL.replace("default = 4", "default = 5")


def test_from_a_box_to_its_line_and_back(opening: Opening) -> None:
    page = opening(RESNET, variant="resnet18")
    page.js("editor.focus()")
    page.leave()
    page.press("End", 35)
    last = page.here
    assert "linear" in last
    page.press("t", 84, "t")
    page.until("editor.hasFocus")
    line = "editor.state.doc.lineAt(editor.state.selection.main.head).text"
    assert "linear {classes}" in page.js(line)
    page.press("Home", 36)
    for _ in range(5):  # "gap | linear", stages 4 to 1, the stem
        page.press("ArrowUp", 38)
    assert "maxpool" in page.js(line)
    page.leave()
    page.until("document.activeElement.dataset.path === 'conv'")
    page.browser.click("#picture g.box:not(.frame)[data-path^='stage4/']")
    page.until(f"!{line}.includes('maxpool')")
    assert "conv {" in page.js(line)
    assert page.js("svg.contains(document.activeElement)")


def test_one_tab_stop_leads_into_the_picture(opening: Opening) -> None:
    page = opening(RESNET, variant="resnet18")
    page.js("document.getElementById('larger').focus()")
    tab(page)
    assert page.js("svg.contains(document.activeElement)")
    tab(page)
    assert not page.js("svg.contains(document.activeElement)")


def test_shift_enter_closes_the_block_around_a_closed_one(opening: Opening) -> None:
    page = opening(archcalc.load("resnet50").spec.source.text, variant="resnet50")
    page.js("goTo(leaves().find(box => box.dataset.path.startsWith('stage1/')))")
    page.press("Enter", 13, "\r")
    page.settled()
    assert page.here == "stage1/bottleneck"
    told = {"key": "Enter", "code": "Enter", "windowsVirtualKeyCode": 13, "modifiers": 8, "text": "\r"}
    page.browser.call("Input.dispatchKeyEvent", type="keyDown", **told)
    page.settled()
    assert page.here == "stage1"
    assert not page.js("leaves().some(box => box.dataset.path.startsWith('stage1/'))")
    page.press("Enter", 13, "\r")
    page.settled()
    assert page.here.startswith("stage1/bottleneck")


def test_what_has_the_focus_stays_in_sight_when_it_is_enlarged(opening: Opening) -> None:
    page = opening(RESNET, variant="resnet18")
    page.js("goTo(leaves().at(-1))")
    for _ in range(6):
        page.press("+", 187, "+")
    sight = """(({top, bottom, left, right}, place) =>
      top >= place.top && bottom <= place.bottom && left >= place.left && right <= place.right
    )(...[document.activeElement, $('picture')].map(e => e.getBoundingClientRect()))"""
    assert page.js("document.getElementById('picture').scrollHeight") > 2000
    assert page.js(sight)
    page.press("0", 48, "0")
    assert page.js(sight)
