"""How the live page looks: nothing is cut off, nothing stays open, lists and charts are seen."""

from __future__ import annotations

import json

import pytest
from support.page import Opening, Page

import archcalc

# a part of the page whose content is wider than it is
WIDER = "((e) => e.scrollWidth > e.clientWidth)(document.querySelector('SELECTOR'))"
# whether the middle of an element is what is seen there
SEEN = """(e => {
  if (!e) return false;
  const {x, y, width, height} = e.getBoundingClientRect();
  return e.contains(document.elementFromPoint(x + width / 2, y + height / 2));
})(document.querySelector('SELECTOR'))"""


def open_bundled(opening: Opening, name: str) -> Page:
    network = archcalc.load(name)
    return opening(network.spec.source.text, variant=network.variant or "")


def is_wider(page: Page, selector: str) -> bool:
    return bool(page.js(WIDER.replace("SELECTOR", selector)))


def is_seen(page: Page, selector: str) -> bool:
    return bool(page.js(SEEN.replace("SELECTOR", selector)))


@pytest.mark.parametrize(("width", "height"), [(1440, 900), (720, 450), (390, 844)])
def test_large_counts_are_seen_whole(opening: Opening, width: int, height: int) -> None:
    """79,070,347,919,360 multiplies; 720×450 is a window of 1440×900 at 200 %."""
    page = open_bundled(opening, "llama3_8b")
    page.browser.size(width, height)
    assert not is_wider(page, "html")
    assert not is_wider(page, "#totals")
    shown = "document.querySelector('[data-total=multiplies]').getBoundingClientRect().right"
    assert page.js(f"{shown} <= document.querySelector('#totals').getBoundingClientRect().right")
    if width < 1024:
        page.browser.click("[data-tab=layers][role=tab]")
    assert not is_wider(page, "#rows")


def test_both_sides_of_the_field_are_grouped(opening: Opening) -> None:
    page = open_bundled(opening, "resnet152")
    assert page.js("document.querySelector('[data-total=field]').textContent") == "1,451×1,451"


def test_help_is_seen_beside_the_completions(opening: Opening) -> None:
    page = opening()
    page.replace('"conv 5 k3"', '"maxp')
    page.js("CM.startCompletion(editor)")
    page.until(SEEN.replace("SELECTOR", ".cm-completionInfo .told"))  # it is placed a little later
    assert "dilation" in page.js("document.querySelector('.cm-completionInfo').textContent")
    page.browser.media(forced_colors="active")
    marked = "document.querySelector('.cm-tooltip-autocomplete li[aria-selected]')"
    assert page.js(f"getComputedStyle({marked}).outlineStyle") == "solid"


def test_a_word_is_told_with_a_row_an_argument(opening: Opening) -> None:
    page = opening()
    at = page.js(
        "(c => [c.left + 2, (c.top + c.bottom) / 2])(editor.coordsAtPos(state.text.indexOf('conv')))"
    )
    for x in (at[0] + 8, at[0]):
        page.browser.call("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=at[1])
    page.until(SEEN.replace("SELECTOR", ".cm-tooltip-hover .told b"))
    left = "[...document.querySelectorAll('.told NAME')].map(e => e.getBoundingClientRect().left)"
    assert page.js("document.querySelectorAll('.told dt').length") > 5
    for column in ("dt", "dd"):
        assert len(set(page.js(left.replace("NAME", column)))) == 1


def test_completions_do_not_come_up_once_the_text_is_left(opening: Opening) -> None:
    """They come a little after what was typed."""
    page = opening()
    page.replace("conv 5 k3", "conv 6 k3 | re")
    page.js("document.getElementById('search').focus()")
    page.js("new Promise(done => setTimeout(done, 400))")
    assert page.js("document.querySelector('.cm-tooltip-autocomplete')") is None


@pytest.mark.parametrize("size", [(1440, 900), (390, 844), (720, 450)])
def test_a_chart_is_seen_whole_once_opened(opening: Opening, size: tuple[int, int]) -> None:
    page = open_bundled(opening, "inception")
    page.browser.size(*size)
    page.js("inTab('settings')")
    page.move("n5", 16)
    page.browser.click("[data-name=n5] button")
    page.until("points.length > 20")
    for part in (".sweep .choose", ".sweep svg", ".sweep p"):
        assert is_seen(page, part), part
    box = "((e) => e.getBoundingClientRect())(document.querySelector('SELECTOR'))"
    chart, settings = (box.replace("SELECTOR", name) for name in (".sweep", "#settings"))
    assert page.js(f"{chart}.bottom <= {settings}.bottom && {chart}.top >= {settings}.top")


def test_a_long_help_leaves_the_text_its_place(opening: Opening) -> None:
    """An unknown word is told all operators: a few lines, and all of them when pointed at."""
    page = opening()
    page.replace("conv 5 k3", "c")
    high = "document.querySelector('#mistakes').getBoundingClientRect().height"
    assert page.underlined() == ["c"]
    closed = page.js(high)
    assert closed < 130
    page.browser.hover("#mistakes button")
    page.until(f"{high} > {json.dumps(closed)}")


@pytest.mark.parametrize("name", ["googlenet", "resnet152", "llama3_8b"])
def test_a_phone_reads_a_picture_by_scrolling_down(opening: Opening, name: str) -> None:
    """In one column that has the width, with labels of seven pixels or more."""
    page = open_bundled(opening, name)
    page.browser.size(390, 844)
    page.browser.click("[data-tab=drawn][role=tab]")
    page.until("state.wide === .3")
    page.settled()
    assert not is_wider(page, "#picture")
    scale = page.js("svg.getBoundingClientRect().width / svg.viewBox.baseVal.width")
    assert 11 * scale >= 7  # a label has 11 pixels of the drawing's
    assert page.js("svg.getBoundingClientRect().width") > 300


def test_a_window_of_another_shape_has_another_picture(opening: Opening) -> None:
    page = open_bundled(opening, "googlenet")
    wide = "svg.viewBox.baseVal.width"
    columns = page.js(wide)
    page.browser.size(1440, 3000)
    page.until(f"{wide} < {columns} * .7")
    page.browser.size(1440, 900)
    page.until(f"{wide} === {columns}")
    page.settled()
    assert page.total("parameters") == archcalc.load("googlenet").analyze().parameters


@pytest.mark.parametrize("size", [(1024, 768), (1440, 900), (1920, 1080), (2560, 1300)])
def test_the_first_picture_has_the_shape_of_its_place(opening: Opening, size: tuple[int, int]) -> None:
    """It is asked for before anything is laid out, and not again."""
    page = opening()
    page.browser.size(*size)
    page.browser.open(page.address)
    page.settled()
    asked = page.js("performance.getEntriesByType('resource').map(e => e.name.split('/').at(-1))")
    assert asked[0] == "begin" and "answer" not in asked
    assert page.js("state.wide === shapeOf()")
    places = page.js("[expected(), measured()].map(({width, height}) => [width, height])")
    assert places[0] == places[1]  # else it would be laid out twice
    page.js("$('hits').textContent = '1234 of 5000'")  # the longest that is told there
    assert not is_wider(page, "#tools")
