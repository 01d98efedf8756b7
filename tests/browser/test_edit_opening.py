"""What the live page begins with: files of one's own, broken ones, links; and what is taken back."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from support.live import SMALL
from support.page import Opening, Page

import archcalc

INCEPTION = archcalc.load("inception").spec.source.text
OWN = 'input = "6x6x2"\nlayers = ["conv 7 k3"]\n'


def press_to_choose(page: Page) -> None:
    """`o`, then Tab to the choice of a file, and Enter, as somebody without a mouse does."""
    page.browser.call("Page.setInterceptFileChooserDialog", enabled=True)
    page.press("o", 79, "o")
    page.until("document.getElementById('found').children.length > 50")
    for _ in range(5):
        page.press("Tab", 9)
        if page.here == "file":
            break
    assert page.here == "file"
    outline = "getComputedStyle(document.activeElement.closest('.button')).outlineStyle"
    assert page.js(outline) == "solid"  # it is seen where one is
    page.press("Enter", 13, "\r")


def test_a_file_of_ones_own_by_the_keyboard(opening: Opening, tmp_path: Path) -> None:
    own = tmp_path / "own.toml"
    own.write_bytes(OWN.replace("\n", "\r\n").encode())
    page = opening()
    press_to_choose(page)
    page.browser.choose(own)
    page.until("state.name === 'own.toml'")
    page.settled()
    assert page.total("parameters") == 7 * (9 * 2 + 1)
    assert page.js("state.text") == OWN
    assert page.js("document.getElementById('opening').open") is False
    assert page.status() == "own.toml, no file"


def test_nothing_of_the_network_before_is_taken_back(opening: Opening, tmp_path: Path) -> None:
    """Ctrl-Z ends at the text as it was opened, and Ctrl-S cannot write another's."""
    file = tmp_path / "net.toml"
    file.write_text(SMALL)
    page = opening(file=str(file))
    for _ in range(3):
        page.js("editor.focus()")
        page.press("z", 90, ctrl=True)
    assert page.js("editor.state.doc.toString()") == SMALL
    page.js("openBundled('lenet5_1998')")
    page.until("state.name === 'lenet5_1998'")
    page.settled()
    page.js("document.getElementById('own').click()")
    page.until(f"state.file === {str(file)!r}")
    page.settled()
    page.replace("conv 5 k3", "conv 6 k3")
    page.move("n", 9)  # a slider is no change of the text
    for _ in range(5):
        page.press("z", 90, ctrl=True)
    page.until("state.text === state.saved")
    page.settled()
    assert page.js("editor.state.doc.toString()") == SMALL
    assert page.total("parameters") == 9 * 28 + 5 * (9 * 9 + 1)
    page.press("y", 89, ctrl=True)
    page.settled()
    assert "conv 6 k3" in page.js("editor.state.doc.toString()")
    page.press("z", 90, ctrl=True)
    page.settled()


def test_a_setting_of_a_link_that_does_not_fit_is_undone(opening: Opening) -> None:
    page = opening()
    page.browser.open("about:blank")
    page.browser.open(f"{page.address}#set.n=abc")
    page.settled()
    assert page.pale and "abc" in page.js("document.getElementById('mistakes').textContent")
    assert page.js("document.getElementById('changes').textContent").startswith("1 setting changed")
    page.js("document.getElementById('reset').click()")
    page.settled()
    assert not page.pale
    assert page.total("parameters") == 4 * 28 + 5 * 37


def test_a_text_that_is_wrong_from_the_start(opening: Opening, tmp_path: Path) -> None:
    """No picture yet, no key that fails; the first right text is what changes are told from."""
    page = opening("layers = [")
    assert page.pale and page.underlined() != []
    heads = "[...document.querySelectorAll('#rows th')].map(e => e.getBoundingClientRect().top)"
    assert len(set(page.js(heads))) == 1
    for key in ("+", "-", "0", "w", "?", "?", "/"):
        page.press(key, 0, key)
    page.press("Escape", 27)
    page.paste(SMALL)
    assert not page.pale
    assert page.total("parameters") == 4 * 28 + 5 * 37
    assert page.js("document.querySelectorAll('#totals i, #rows i').length") == 0
    page.replace("conv 5 k3", "conv 6 k3")
    part = 100 * 37 / (4 * 28 + 5 * 37)
    assert page.js("document.querySelector('#totals i').textContent") == f"▲ {part:.1f} %"
    part = 100 / 5  # 5·37 parameters have become 6·37
    assert page.js("document.querySelector('#rows i').textContent") == f"▲ {part:.1f} %"
    page.paste("")
    assert page.pale
    assert "no `layers`" in page.js("document.getElementById('mistakes').textContent")


def test_nothing_is_saved_where_nothing_was_opened(opening: Opening) -> None:
    page = opening()
    page.browser.open("about:blank")
    page.browser.open(f"{page.address}#net=nonsense")
    page.until("document.getElementById('status').textContent !== ''")
    page.press("s", 83, ctrl=True)
    page.press("w", 87, "w")
    page.js("saving")
    assert page.status() == "no such network"
    page.browser.complaints.clear()  # Chromium tells the refusal


def test_another_link_in_the_same_tab(opening: Opening) -> None:
    page = opening(INCEPTION, variant="inception")
    page.js("location.hash = 'set.bottleneck=16'")
    page.until("state.settings.bottleneck === '16' && state.number > 1")
    page.settled()
    assert page.total("multiplies") == archcalc.load("inception", bottleneck=16).analyze().multiplies
    page.replace('"Inception module"', '"Mine"')
    page.js("location.hash = 'set.bottleneck=32&by=params'")
    page.until("state.settings.bottleneck === '32'")
    page.settled()
    assert page.total("multiplies") == archcalc.load("inception", bottleneck=32).analyze().multiplies
    assert "Mine" in page.js("state.text")  # what is not saved stays
    assert page.js("[state.by, document.getElementById('by').value]") == ["params", "params"]


def test_a_link_without_the_settings_of_the_command(opening: Opening) -> None:
    """`archcalc edit inception --bottleneck 16`, then Undo: the link opens what is seen."""
    page = opening(INCEPTION, variant="inception", settings={"bottleneck": "16"})
    assert page.total("multiplies") == archcalc.load("inception", bottleneck=16).analyze().multiplies
    page.browser.click("#reset")
    page.settled()
    link = page.js("linked()")
    page.browser.open("about:blank")
    page.browser.open(link)
    page.settled()
    assert page.total("multiplies") == archcalc.load("inception").analyze().multiplies


def test_reloading_keeps_the_settings(opening: Opening) -> None:
    page = opening()
    page.move("n", 9)
    page.until("location.hash === '#set.n=9'")
    page.browser.open("about:blank")
    page.js("history.back()")
    page.until("location.pathname.length > 9 && typeof state === 'object'")
    page.settled()
    assert page.total("parameters") == 9 * 28 + 5 * (9 * 9 + 1)


def test_a_text_that_was_downloaded_is_saved(opening: Opening, tmp_path: Path) -> None:
    """Where there is no file, Save downloads; leaving the page asks nothing then."""
    page = opening()
    page.browser.call("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(tmp_path))
    page.replace("conv 5 k3", "conv 6 k3")
    assert page.status() == "net.toml, no file · not saved"
    leaving = "!dispatchEvent(new Event('beforeunload', {cancelable: true}))"
    assert page.js(leaving)  # the browser asks whether to leave
    page.press("s", 83, ctrl=True)
    page.until("document.getElementById('status').textContent === 'net.toml · downloaded'")
    assert page.js("state.text === state.saved && !document.title.startsWith('•')")
    assert not page.js(leaving)


@pytest.mark.parametrize(("own", "ends"), [("-5", (-32, -1)), ("4", (1, 32)), ("0", (0, 128))])
def test_a_slider_reaches_as_far_as_its_value(opening: Opening, own: str, ends: tuple[int, int]) -> None:
    page = opening(f'input = "8x8x3"\nlayers = ["conv {{n+6}}"]\n[vars]\nn = {own}\n')
    slider = "document.querySelector('[data-name=n] input[type=range]')"
    assert page.js(f"[{slider}.min, {slider}.max, {slider}.value].map(Number)") == [*ends, int(own)]
    page.put("#set-n", "1000")
    assert page.js(f"{slider}.value") == "1000"
    assert page.total("parameters") == 4 * 1006


def test_a_metric_that_does_not_change_is_a_line_in_the_middle(opening: Opening) -> None:
    """Its one value is written once, and within the chart, however large it is."""
    text = 'input = "8x8x3"\nlayers = ["conv {m}", "maxpool {n} s1 same"]\n'
    page = opening(f"{text}[vars]\nn = 4\nm = {10**15}\n")
    page.browser.click("[data-name=n] button")
    page.until("points.length > 20")
    page.put(".sweep select[aria-label=upwards]", "parameters", "change")
    told = "[...document.querySelectorAll('.sweep text')].map(e => e.textContent).join()"
    page.until(f"{told} === '4 P,1,32'")  # 4·10¹⁵ weights and biases; the last point may be on its way
    left = "document.querySelector('.sweep text').getBoundingClientRect().left"
    assert page.js(f"{left} > document.querySelector('.sweep').getBoundingClientRect().left")
    assert page.js("document.querySelector('.sweep circle').getAttribute('cy')") == "68"


def test_the_base_is_what_was_opened_however_early_somebody_types(opening: Opening) -> None:
    page = opening()
    other = SMALL.replace("conv 5 k3", "conv 6 k3")
    told = {"name": "b.toml", "text": other, "variant": "", "settings": {}, "file": "", "version": ""}
    at = other.index("conv 6 k3") + len("conv 6")
    early = f"editor.dispatch({{changes: {{from: {at}, insert: '0'}}}})"
    page.js(f"(() => {{ load({json.dumps(told)}); {early} }})()")
    page.settled()
    page.until("base !== null")
    assert page.total("parameters") == 4 * 28 + 60 * 37
    assert page.js("base.totals.parameters") == str(4 * 28 + 6 * 37)
    page.until("document.querySelectorAll('#totals i.more').length > 0")
