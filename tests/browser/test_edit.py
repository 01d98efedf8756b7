"""The live page in a browser: what is typed is counted, told, drawn, saved; keys do everything."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from support.live import SMALL, ask
from support.page import Opening

import archcalc

INCEPTION = archcalc.load("inception").spec.source.text


def test_typing_counts_as_the_commands_do(opening: Opening) -> None:
    page = opening()
    page.replace("conv 5 k3", "conv 6 k3")
    expected = archcalc.load(SMALL.replace("conv 5", "conv 6")).analyze()
    assert page.total("parameters") == 4 * 28 + 6 * 37 == expected.parameters
    assert page.total("multiplies") == 36 * 4 * 27 + 16 * 6 * 36 == expected.multiplies
    shown = page.js("document.querySelector('[data-total=multiplies]').textContent")
    assert shown == f"{36 * 4 * 27 + 16 * 6 * 36:,}"
    # 16·5·36 products of the second have become 16·6·36
    part = 100 * 16 * 36 / (36 * 4 * 27 + 16 * 5 * 36)
    assert page.js("document.querySelectorAll('#totals i.more')[1].textContent") == f"▲ {part:.1f} %"


def test_a_mistake_is_underlined_and_mended(opening: Opening) -> None:
    page = opening()
    before = page.js("document.getElementById('picture').innerHTML")
    page.replace("conv 5 k3", "conv 5 k9")
    assert page.underlined() == ["k9"]
    assert page.pale
    assert page.js("document.getElementById('picture').innerHTML") == before
    assert "9" in page.js("document.getElementById('mistakes').textContent")
    page.replace("k9", "k1")
    assert page.underlined() == [] and not page.pale
    assert page.js("document.getElementById('mistakes').children.length") == 0
    assert page.total("parameters") == 4 * 28 + 5 * 5


def test_slider_field_and_picture_agree(opening: Opening) -> None:
    page = opening(INCEPTION, variant="inception")
    page.move("bottleneck", 16)
    assert page.js("document.getElementById('set-bottleneck').value") == "16"
    assert page.total("multiplies") == archcalc.load("inception", bottleneck=16).analyze().multiplies
    drawn = page.js("document.querySelector('#picture').textContent")
    assert "conv 16" in drawn
    row = "[...document.querySelectorAll('#rows tr')].find(r => r.title === '5x5/reduce')"
    row = page.js(f"{row}.textContent")
    assert f"{28 * 28 * 16 * 192:,}" in row
    both = page.js("document.querySelector('#rows tr.sum[title=\"5x5\"]').textContent")
    assert f"{28 * 28 * 16 * 192 + 28 * 28 * 32 * 25 * 16:,}" in both  # 12,443,648
    page.put("#set-bottleneck", "0")
    assert page.js("document.querySelector('[data-name=bottleneck] input[type=range]').value") == "0"
    assert page.js("document.querySelectorAll('#totals i').length") == 0


def test_fast_typing_shows_the_last_answer_only(opening: Opening) -> None:
    page = opening(archcalc.load("resnet50").spec.source.text, variant="resnet50")
    page.js(
        "window.seen = []; new MutationObserver(() => window.seen.push("
        "document.querySelector('[data-total=parameters]').dataset.value))"
        ".observe(document.getElementById('totals'),"
        " {subtree: true, childList: true, attributes: true});"
        "for (const n of '123456789') {const e = document.getElementById('set-classes');"
        " e.value = n; e.dispatchEvent(new Event('input'))}"
    )
    page.settled()
    last = archcalc.load("resnet50", classes=9).analyze().parameters
    assert page.total("parameters") == last
    assert set(page.js("window.seen")) == {str(last)}
    assert "linear 9" in page.js("document.querySelector('#picture').textContent")


def test_saving_and_a_file_that_changed(opening: Opening, tmp_path: Path) -> None:
    file = tmp_path / "net.toml"
    file.write_bytes(SMALL.encode().replace(b"\n", b"\r\n"))
    page = opening(file=str(file))
    page.replace("conv 5 k3", "conv 7 k3")
    page.press("s", 83, ctrl=True)
    page.until("state.text === state.saved")
    assert file.read_bytes() == SMALL.replace("conv 5", "conv 7").encode().replace(b"\n", b"\r\n")
    file.write_text("theirs")
    page.replace("conv 7 k3", "conv 8 k3")
    page.press("s", 83, ctrl=True)
    page.until("document.getElementById('status').classList.contains('wrong')")
    assert "changed on disk" in page.js("document.getElementById('status').textContent")
    assert file.read_text() == "theirs"


def test_saving_again_before_it_is_saved(opening: Opening, tmp_path: Path) -> None:
    """The second is told the version that the first has made; a key that is held saves once."""
    file = tmp_path / "net.toml"
    file.write_text(SMALL)
    page = opening(file=str(file))
    page.replace("conv 5 k3", "conv 7 k3")
    page.js("for (let i = 0; i < 3; i++) $('save').click()")
    page.js("saving")
    assert page.status().endswith("saved")
    assert file.read_text() == SMALL.replace("conv 5", "conv 7")
    held = "new KeyboardEvent('keydown', {key: 's', ctrlKey: true, repeat: true, cancelable: true})"
    page.js(f"window.before = saving; dispatchEvent({held})")
    assert page.js("before === saving")


def test_keys_do_everything(opening: Opening) -> None:
    page = opening(archcalc.load("resnet18").spec.source.text, variant="resnet18")
    page.replace("ResNet-50", "ResNet-50")  # the cursor is in the text
    page.leave()
    first = page.here
    assert first == page.js("leaves()[0].dataset.path")
    assert page.js("document.querySelectorAll('#picture [tabindex=\"0\"]').length") == 1
    page.press("ArrowDown", 40)
    page.press("ArrowDown", 40)
    page.press("ArrowDown", 40)
    assert page.here.startswith("stage1/")
    boxes = page.js("leaves().length")
    page.press("Enter", 13, "\r")
    page.settled()
    assert page.js("leaves().length") < boxes
    assert page.js("document.activeElement.classList.contains('block')")
    page.press("Enter", 13, "\r")
    page.settled()
    assert page.js("leaves().length") == boxes
    page.press("x", 88, "x")
    page.settled()
    assert page.js("leaves().length") > boxes
    page.press("/", 191, "/")
    assert page.here == "search"
    page.browser.call("Input.insertText", text="linear")
    assert page.js("document.getElementById('hits').textContent") == "1 found"
    page.press("Enter", 13, "\r")
    page.press("Escape", 27)
    assert "linear" in page.here
    page.press("s", 83, "s")
    assert page.js("document.activeElement.closest('#settings') !== null")
    page.js("document.activeElement.blur()")
    page.press("e", 69, "e")
    assert page.js("editor.hasFocus")
    page.leave()
    page.press("o", 79, "o")
    page.until("document.getElementById('found').children.length > 50")
    page.browser.call("Input.insertText", text="lenet5_1998")
    page.press("Enter", 13, "\r")
    page.until("state.name === 'lenet5_1998'")
    page.settled()
    assert page.total("parameters") == archcalc.load("lenet5_1998").analyze().parameters


def test_words_are_completed_and_told(opening: Opening) -> None:
    page = opening()
    page.replace('"conv 5 k3"', '"maxp')
    page.js("CM.startCompletion(editor)")
    page.until("document.querySelector('.cm-tooltip-autocomplete li') !== null")
    assert "maxpool" in page.js("document.querySelector('.cm-tooltip-autocomplete').textContent")
    assert "filters" in page.js("toldBox(told('conv')).textContent")
    assert "filters of the first" in page.js("toldBox(told('n')).textContent")


def test_a_variable_is_swept_from_its_slider(opening: Opening) -> None:
    page = opening(INCEPTION, variant="inception")
    page.browser.click("[data-name=bottleneck] button")
    dots = "document.querySelectorAll('.sweep circle').length"
    page.until(f"points.length > 30 && {dots} === points.length")
    sixteen = page.js("points.find(point => Number(point.value) > 15 && Number(point.value) < 20)")
    whole = archcalc.load("inception", bottleneck=int(sixteen["value"])).analyze()
    assert sixteen["multiplies"] == str(whole.multiplies)
    page.put(".sweep select[aria-label=across]", "parameters", "change")
    front = page.js("document.querySelectorAll('.sweep circle.front, .sweep circle.now').length")
    assert 1 <= front <= page.js("points.length")


def test_labels_are_text(opening: Opening) -> None:
    hit = "</title></svg></script><script>window.hit = 1</script><img src=x onerror=alert(1)>"
    page = opening(f"title = '{hit}'\ninput = '8x8x3'\nlayers = 'conv 4 k3 | bn'\n")
    assert page.js("window.hit") is None
    assert page.js("document.querySelectorAll('img').length") == 0
    assert hit[:8] in page.js("document.getElementById('title').textContent")


def test_what_others_try_is_refused(opening: Opening) -> None:
    """No other script runs, nothing is sent elsewhere: the policy says so in the console."""
    page = opening()
    add = "s.textContent = 'window.hit = 1'; document.body.append(s)"
    page.js(f"(s => {{{add}}})(document.createElement('script'))")
    assert page.js("window.hit") is None
    sent = page.js("fetch('http://127.0.0.1:9/').then(() => 'sent', () => 'refused')")
    assert sent == "refused"
    assert any("Content Security Policy" in said for said in page.browser.complaints)
    page.browser.complaints.clear()


def test_two_tabs(opening: Opening, tmp_path: Path) -> None:
    """Each has its own answers; the second to save is refused."""
    file = tmp_path / "net.toml"
    file.write_text(SMALL)
    page = opening(file=str(file))
    (other,) = ask(opening.server, "opened")
    ask(opening.server, "save", text=SMALL + "# other\n", version=other["version"])
    assert file.read_text() == SMALL + "# other\n"
    page.replace("conv 5 k3", "conv 7 k3")
    page.press("s", 83, ctrl=True)
    page.until("document.getElementById('status').classList.contains('wrong')")
    assert file.read_text() == SMALL + "# other\n"


def test_what_is_lit_stays_so_while_the_counts_change(opening: Opening) -> None:
    page = opening()
    page.browser.hover("g.box[data-path=conv2]")
    lit = "[...document.querySelectorAll('.lit')].map(e => e.localName).sort()"
    before = page.js(lit)
    assert "tr" in before
    page.move("n", 9)
    assert page.js(lit) == before


def test_a_phone_has_tabs(opening: Opening) -> None:
    page = opening()
    page.browser.size(390, 844)
    assert page.js("document.documentElement.scrollWidth") <= 390
    sections = "[...document.querySelectorAll('main > section')]"
    visible = f"{sections}.filter(s => s.offsetParent).map(s => s.id)"
    assert page.js(visible) == ["totals", "text"]
    for name in ("settings", "drawn", "layers"):
        page.browser.click(f"[data-tab={name}][role=tab]")
        assert page.js(visible) == ["totals", name]
        assert page.js("document.documentElement.scrollWidth") <= 390


def test_a_mistake_in_a_setting_is_told_where_it_is_made(opening: Opening) -> None:
    """On a phone the text is behind another tab."""
    page = opening()
    page.browser.size(390, 844)
    page.browser.click("[data-tab=settings][role=tab]")
    page.put("#set-n", "many")
    assert "must be an integer" in page.js("document.getElementById('status').textContent")
    assert page.pale
    page.put("#set-n", "6")
    assert not page.pale
    assert page.total("parameters") == 6 * 28 + 5 * (9 * 6 + 1)
    assert page.js("document.getElementById('status').classList.contains('wrong')") is False


@pytest.mark.parametrize("when", ["before", "amid"])
def test_a_server_that_has_ended_is_told(opening: Opening, when: str) -> None:
    page = opening()
    if when == "before":
        page.js("window.fetch = () => Promise.reject(new TypeError('refused'))")
    else:
        broken = "new ReadableStream({pull: told => told.error(new TypeError('network error'))})"
        page.js(f"window.fetch = async () => new Response({broken})")
    page.js("set('n', '9', '4')")
    page.until("document.getElementById('status').classList.contains('wrong')")
    assert "the server has ended" in page.js("document.getElementById('status').textContent")


def test_what_is_seen_is_exported(opening: Opening, tmp_path: Path) -> None:
    """The picture is a file as `archcalc draw` makes it, with its styles."""
    page = opening()
    page.browser.call("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(tmp_path))
    page.browser.click("#export")
    page.browser.click("[data-form=svg]")
    page.until("document.getElementById('status').textContent.includes('downloaded')")
    end = time.monotonic() + 30
    while not (tmp_path / "net.svg").exists():
        assert time.monotonic() < end
        time.sleep(0.02)
    svg = (tmp_path / "net.svg").read_text()
    assert svg.startswith("<svg ") and "<style>" in svg and "conv 5" in svg


def test_settings_are_written_into_the_text_and_saved(opening: Opening, tmp_path: Path) -> None:
    file = tmp_path / "net.toml"
    page = opening(file=str(file))
    page.move("n", 7)
    page.browser.click("#write")
    page.until("Object.keys(state.settings).length === 0")
    page.settled()
    assert page.total("parameters") == 7 * 28 + 5 * (9 * 7 + 1)
    assert page.js("document.getElementById('changes').hidden")
    page.press("s", 83, ctrl=True)
    page.until("state.text === state.saved")
    assert file.read_text() == SMALL.replace("default = 4", "default = 7")


def test_the_link_carries_the_settings(opening: Opening) -> None:
    page = opening(INCEPTION, variant="inception")
    page.move("bottleneck", 16)
    link = page.js("linked()")
    assert link.endswith("#set.bottleneck=16")
    page.browser.open("about:blank")
    page.browser.open(link)
    page.settled()
    assert page.total("multiplies") == archcalc.load("inception", bottleneck=16).analyze().multiplies
    assert page.js("document.getElementById('set-bottleneck').value") == "16"


def test_themes(opening: Opening) -> None:
    page = opening()
    background = "getComputedStyle(document.querySelector('#text')).backgroundColor"
    light = page.js(background)
    page.browser.media(prefers_color_scheme="dark")
    assert page.js(background) != light
    page.browser.media(forced_colors="active")
    assert page.js("getComputedStyle(document.querySelector('.step')).fill").startswith("rgb")
    page.browser.media(prefers_reduced_motion="reduce")
    assert page.js("getComputedStyle(document.querySelector('#picture')).transitionDuration") == "0s"
