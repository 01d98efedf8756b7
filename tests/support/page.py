"""The live page of a served text in a browser, as somebody uses it."""

from __future__ import annotations

import json
import time
from typing import Any, Protocol

from support.browser import Browser

from archcalc.live.server import LiveServer


class Page:
    """The page of a served text in the browser."""

    def __init__(self, browser: Browser, address: str) -> None:
        self.browser, self.js, self.address = browser, browser.js, address
        browser.open(address)
        self.settled()
        self.until("state.operators.length > 0")  # the last that a new page asks for

    def until(self, condition: str) -> None:
        end = time.monotonic() + 30
        while not self.js(condition):
            assert time.monotonic() < end, condition
            time.sleep(0.01)

    def settled(self) -> None:
        """Wait for the last answer."""
        self.until("document.body.dataset.answered === String(state.number) && state.number > 0")

    def total(self, name: str) -> int:
        return int(self.js(f"document.querySelector('[data-total={name}]').dataset.value"))

    def replace(self, old: str, new: str) -> None:
        """Put the cursor behind a word of the text, and type another in its place."""
        start = self.js(f"state.text.indexOf({json.dumps(old)})")
        selection = {"anchor": start, "head": start + len(old)}
        self.js(f"editor.focus(); editor.dispatch({json.dumps({'selection': selection})})")
        self.browser.call("Input.insertText", text=new)
        self.settled()

    def paste(self, text: str) -> None:
        """Put another text in the place of all of it."""
        whole = f"{{from: 0, to: editor.state.doc.length, insert: {json.dumps(text)}}}"
        self.js(f"editor.dispatch({{changes: {whole}, selection: {{anchor: 0}}}})")
        self.settled()

    def underlined(self) -> list[str]:
        found = self.js("[...document.querySelectorAll('.cm-lintRange-error')].map(e => e.textContent)")
        assert isinstance(found, list)
        return found

    @property
    def pale(self) -> bool:
        return bool(self.js("document.body.classList.contains('pale')"))

    def put(self, selector: str, value: object, event: str = "input") -> None:
        """Give a field or slider a value."""
        field = f"document.querySelector({json.dumps(selector)})"
        send = f"e.dispatchEvent(new Event({json.dumps(event)}))"
        self.js(f"(e => {{e.value = {json.dumps(value)}; {send}}})({field})")
        self.settled()

    def move(self, name: str, value: object) -> None:
        """Move a slider."""
        self.put(f"[data-name={name}] input[type=range]", value)

    def leave(self) -> None:
        """Leave the text by Escape; a list of completions takes one of its own."""
        self.until("CM.completionStatus(editor.state) !== 'pending'")
        if self.js("CM.completionStatus(editor.state)"):
            self.press("Escape", 27)
        self.press("Escape", 27)
        self.until("svg.contains(document.activeElement)")

    def press(self, key: str, code: int, text: str = "", ctrl: bool = False) -> None:
        told: dict[str, Any] = {"key": key, "code": key, "windowsVirtualKeyCode": code}
        told["modifiers"] = 2 if ctrl else 0
        self.browser.call("Input.dispatchKeyEvent", type="keyDown", text=text, **told)
        self.browser.call("Input.dispatchKeyEvent", type="keyUp", **told)

    @property
    def here(self) -> str:
        """Return the path of the box that has the focus, or what else has it."""
        return str(self.js("document.activeElement.dataset.path ?? document.activeElement.id"))

    def status(self) -> str:
        return str(self.js("document.getElementById('status').textContent"))


class Opening(Protocol):
    """Opens a text on a page of its own; `server` is that of the last."""

    server: LiveServer

    def __call__(self, text: str = ..., **more: Any) -> Page: ...
