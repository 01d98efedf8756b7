"""Every test of this folder has a real browser, or is skipped where there is none."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from support.browser import Browser, program
from support.live import SMALL, served
from support.page import Page


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests of this folder."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def window() -> Iterator[Browser]:
    """One browser for all tests of a worker."""
    path = program()
    if path is None:
        pytest.skip("no Chromium: install one, or name it in $ARCHCALC_BROWSER")
    browser = Browser(path)
    yield browser
    browser.close()


@pytest.fixture
def browser(window: Browser) -> Browser:
    """The browser with a window and media as at its start."""
    window.size(1440, 900)
    window.media()
    return window


class Openings:
    """Opens texts on pages of their own; `server` is that of the last."""

    def __init__(self, browser: Browser, stack: ExitStack) -> None:
        self.browser, self.stack = browser, stack

    def __call__(self, text: str = SMALL, **more: Any) -> Page:
        self.server = self.stack.enter_context(served(text, **more))
        return Page(self.browser, self.server.address)


@pytest.fixture
def opening(browser: Browser) -> Iterator[Openings]:
    """Pages that complain of nothing and ask nothing of others."""
    with ExitStack() as stack:
        yield Openings(browser, stack)
        browser.js(
            "typeof state === 'object' && (state.saved = state.text)"
        )  # else it would ask whether to leave
        assert not browser.complaints
        own = ("http://127.0.0.1:", "blob:", "data:")
        outside = [url for url in browser.requests if not url.startswith(own)]
        assert outside == []
        browser.open("about:blank")
