"""Every test of this folder has a real browser, or is skipped where there is none."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.browser import Browser, program


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
