"""A first hour with the live page, as the commands and the page itself tell what to do."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from xml.etree import ElementTree

import pytest
from support.browser import Browser
from support.page import Page

import archcalc

MODEL = Path(__file__).parents[1] / "data/weighted/convnext.pt2"


@contextmanager
def edited(browser: Browser, folder: Path, *words: str) -> Iterator[Page]:
    """Run `archcalc edit` in a folder, with its page; Ctrl-C ends it."""
    command = [sys.executable, "-m", "archcalc", "edit", *words, "--no-browser"]
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        page = Page(browser, process.stdout.readline().strip())
        browser.call("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(folder))
        yield page
        assert page.js("state.text === state.saved")  # nothing is lost
        assert not browser.complaints
        browser.open("about:blank")
    finally:
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0


def until_there(file: Path) -> str:
    end = time.monotonic() + 30
    while not file.exists():
        assert time.monotonic() < end, file
        time.sleep(0.02)
    return file.read_text()


def test_the_bottleneck_of_the_notes(browser: Browser, tmp_path: Path) -> None:
    """The 5×5 branch at 12.4 M multiplies, found with the slider, saved, and drawn for a talk."""
    with edited(browser, tmp_path, "inception", "-o", "mine.toml") as page:
        shown = "document.querySelector('#rows tr[title=\"5x5\"]').textContent"
        assert "120,422,400" in page.js(shown)  # 28·28·32 · 5·5·192
        page.press("s", 83, "s")
        for _ in range(20):
            if page.js("document.activeElement.getAttribute('aria-label')") == "bottleneck, slider":
                break
            page.press("Tab", 9)
        for _ in range(40):
            page.press("ArrowRight", 39)
            page.settled()
            if "12,443,648" in page.js(shown):
                break
        # 28·28·16·192 for the reduction, 28·28·32·5·5·16 behind it
        assert 28 * 28 * 16 * 192 + 28 * 28 * 32 * 25 * 16 == 12_443_648
        assert page.js("document.activeElement.value") == "16"
        assert "▼ 89.7 %" in page.js(shown)  # 1 − 12,443,648 / 120,422,400
        page.browser.click("#write")
        page.until("Object.keys(state.settings).length === 0")
        page.settled()
        page.press("s", 83, ctrl=True)
        page.until("state.text === state.saved")
        assert page.status() == "mine.toml · saved; this network is mine.toml:inception"
        assert page.js("commandLine()") == "archcalc edit mine.toml:inception"
        page.js("document.activeElement.blur()")
        page.press("d", 68, "d")
        page.press("Enter", 13, "\r")
        figure = until_there(tmp_path / "inception.svg")
    mine = archcalc.load(f"{tmp_path / 'mine.toml'}:inception")
    rows = [row for row in mine.analyze().rows if row["path"].startswith("5x5/")]
    assert sum(row["multiplies"] for row in rows) == 12_443_648
    assert "conv 16" in "".join(ElementTree.fromstring(figure).itertext())
    assert sorted(file.name for file in tmp_path.iterdir()) == ["inception.svg", "mine.toml"]


def test_a_model_of_ones_own(browser: Browser, tmp_path: Path) -> None:
    """A .pt2 becomes a text that is saved, and opened again as it was."""
    shutil.copy(MODEL, tmp_path / "model.pt2")
    expected = archcalc.load(str(MODEL)).analyze()
    with edited(browser, tmp_path, "model.pt2", "-o", "model.toml") as page:
        assert page.total("parameters") == expected.parameters
        assert page.total("multiplies") == expected.multiplies
        page.press("s", 83, ctrl=True)
        page.until("document.getElementById('status').textContent.endsWith('saved')")
    with edited(browser, tmp_path, "model.toml") as page:
        assert page.total("parameters") == expected.parameters
        assert page.total("multiplies") == expected.multiplies
    assert sorted(file.name for file in tmp_path.iterdir()) == ["model.pt2", "model.toml"]


@pytest.mark.parametrize("name", ["model.pt2", "my model.onnx"])
def test_a_model_that_is_opened_as_a_text_is_told_how(
    browser: Browser, tmp_path: Path, name: str
) -> None:
    shutil.copy(MODEL, tmp_path / name)
    with edited(browser, tmp_path, "inception") as page:
        before = page.js("state.text")
        page.press("o", 79, "o")
        document = browser.call("DOM.getDocument")["root"]["nodeId"]
        field = browser.call("DOM.querySelector", nodeId=document, selector="#file")["nodeId"]
        browser.call("DOM.setFileInputFiles", nodeId=field, files=[str(tmp_path / name)])
        page.until("document.getElementById('status').classList.contains('wrong')")
        quoted = f"'{name}'" if " " in name else name
        assert f"archcalc edit {quoted} -o mine.toml" in page.status()
        assert page.js("state.text") == before
