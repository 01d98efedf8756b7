"""A Chromium driven over its debugging pipe: no port, no driver program."""

from __future__ import annotations

import base64
import itertools
import json
import os
import select
import shutil
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

FLAGS = [
    *("--headless=new", "--no-sandbox", "--remote-debugging-pipe", "--disable-gpu", "--hide-scrollbars"),
    *("--no-first-run", "--disable-background-networking", "--disable-component-update"),
    *("--disable-sync", "--disable-quic", "--disable-extensions", "--disable-default-apps"),
]
SECONDS = 60.0  # for one answer, on a busy machine


def program() -> str | None:
    """Return the browser that $ARCHCALC_BROWSER names, which must exist, else a Chromium of the path."""
    named = os.environ.get("ARCHCALC_BROWSER")
    if named:
        found = shutil.which(named)
        assert found, f"$ARCHCALC_BROWSER names no program: {named}"
        return found
    names = ("chromium", "chromium-browser", "google-chrome", "chrome")
    return next((path for name in names if (path := shutil.which(name))), None)


class Browser:
    """One window. `requests` and `complaints` hold what the page asked for and what its console said."""

    def __init__(self, path: str) -> None:
        self._home = tempfile.mkdtemp()
        theirs, self._out = os.pipe()
        self._in, mine = os.pipe()

        def wire() -> None:
            """Connect the browser, which reads from 3 and writes to 4; these pipes may end there."""
            reading, writing = os.dup(theirs), os.dup(mine)
            os.dup2(os.dup(reading), 3)
            os.dup2(os.dup(writing), 4)

        self._process = subprocess.Popen(
            [path, *FLAGS, f"--user-data-dir={self._home}", "about:blank"],
            preexec_fn=wire,
            close_fds=False,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(theirs)
        os.close(mine)
        self._buffer, self._numbers = b"", itertools.count(1)
        self._session: str | None = None
        self._events: list[dict[str, Any]] = []
        self.requests: list[str] = []
        self.complaints: list[str] = []
        target = next(t for t in self.call("Target.getTargets")["targetInfos"] if t["type"] == "page")
        attached = self.call("Target.attachToTarget", targetId=target["targetId"], flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Return the answer to a command of the DevTools protocol."""
        number = next(self._numbers)
        message = {"id": number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._out, json.dumps(message).encode() + b"\0")
        while True:
            got = self._next()
            if got.get("id") == number:
                assert "error" not in got, f"{method}: {got['error']}"
                result = got["result"]
                assert isinstance(result, dict)
                return result

    def open(self, page: Path | str) -> None:
        """Show a file, or an address, until it is loaded; what was told of pages before is forgotten."""
        self._events.clear()
        self.requests.clear()
        self.complaints.clear()
        self.call("Page.navigate", url=page.as_uri() if isinstance(page, Path) else page)
        self._wait_for_load()

    def leave(self, expression: str) -> None:
        """Run what leads to another page, until that is loaded: a page that goes answers nothing."""
        self._events.clear()
        self.js(expression)
        self._wait_for_load()

    def _wait_for_load(self) -> None:
        while not any(event["method"] == "Page.loadEventFired" for event in self._events):
            self._next()

    def js(self, expression: str) -> Any:
        """Return the value of an expression on the page."""
        found = self.call(
            "Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True
        )
        assert "exceptionDetails" not in found, found["exceptionDetails"]
        return found["result"].get("value")

    def click(self, selector: str) -> None:
        """Press and release the mouse in the middle of an element."""
        x, y = self._middle(selector)
        for what in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=what, x=x, y=y, button="left", clickCount=1)

    def hover(self, selector: str) -> None:
        """Move the mouse to the middle of an element."""
        x, y = self._middle(selector)
        self.call("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)

    def press(self, key: str, code: int, text: str = "") -> None:
        """Press a key by its name, its Windows key code and what it types: ("Enter", 13, CR)."""
        told = {"key": key, "code": key, "windowsVirtualKeyCode": code}
        self.call("Input.dispatchKeyEvent", type="keyDown", text=text, **told)
        self.call("Input.dispatchKeyEvent", type="keyUp", **told)

    def choose(self, file: Path) -> None:
        """Give a file to the page's next choice of one, when it asks."""
        asked = "Page.fileChooserOpened"
        while not (found := [event for event in self._events if event["method"] == asked]):
            self._next()
        node = found[-1]["params"]["backendNodeId"]
        self._events.clear()
        self.call("DOM.setFileInputFiles", backendNodeId=node, files=[str(file)])

    def size(self, width: int, height: int) -> None:
        """Make the window so large, in pixels."""
        sizes = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self.call("Emulation.setDeviceMetricsOverride", **sizes)

    def media(self, kind: str = "", **features: str) -> None:
        """Emulate a medium ('print') and features: `prefers_color_scheme="dark"`."""
        told = [{"name": name.replace("_", "-"), "value": value} for name, value in features.items()]
        self.call("Emulation.setEmulatedMedia", media=kind, features=told)

    def shot(self) -> bytes:
        """Return a picture of the window as PNG."""
        return base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"])

    def close(self) -> None:
        """End the browser and delete what it wrote."""
        self._process.terminate()
        self._process.wait(SECONDS)
        os.close(self._out)
        os.close(self._in)
        shutil.rmtree(self._home, ignore_errors=True)

    def _middle(self, selector: str) -> Sequence[float]:
        found = self.js(
            f"(() => {{const e = document.querySelector({json.dumps(selector)});"
            " e.scrollIntoView({block: 'center'}); const r = e.getBoundingClientRect();"
            " return [r.x + r.width / 2, r.y + r.height / 2]})()"
        )
        assert isinstance(found, list)
        return found

    def _next(self) -> dict[str, Any]:
        end = time.monotonic() + SECONDS
        while b"\0" not in self._buffer:
            ready, _, _ = select.select([self._in], [], [], max(end - time.monotonic(), 0))
            assert ready, "the browser does not answer"
            part = os.read(self._in, 1 << 16)
            assert part, "the browser has ended"
            self._buffer += part
        message, self._buffer = self._buffer.split(b"\0", 1)
        told = json.loads(message)
        assert isinstance(told, dict)
        self._note(told)
        return told

    def _note(self, event: dict[str, Any]) -> None:
        method, told = event.get("method"), event.get("params", {})
        if method is not None:
            self._events.append(event)
        if method == "Network.requestWillBeSent":
            self.requests.append(told["request"]["url"])
        elif method == "Runtime.exceptionThrown":
            self.complaints.append(json.dumps(told["exceptionDetails"]))
        elif method == "Runtime.consoleAPICalled" and told["type"] in ("error", "warning", "assert"):
            self.complaints.append(json.dumps(told["args"]))
        elif method == "Log.entryAdded" and told["entry"]["level"] in ("error", "warning"):
            self.complaints.append(told["entry"]["text"])
