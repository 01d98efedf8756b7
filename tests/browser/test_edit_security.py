"""What other pages, other tabs and hostile texts try against the live page, in a real browser."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from support.browser import Browser
from support.live import SMALL, served
from support.page import Opening, Page

from archcalc.live.handler import LARGEST

HOSTILE = "</title></svg></script><script>window.hit = 1</script><img src=x onerror='window.hit = 2'>"


@contextmanager
def elsewhere(html: str) -> Iterator[str]:
    """Serve a page of another origin on this machine."""

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(html.encode())

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


TRIES = """(async () => {
  const post = headers => ({method: "POST", headers, body: BODY});
  const tried = {
    read: () => fetch(PAGE).then(() => "read"),
    opaque: () => fetch(PAGE, {mode: "no-cors"}).then(r => r.type),
    json: () => fetch(SAVE, post({"Content-Type": "application/json"})).then(() => "read"),
    simple: () => fetch(SAVE, {...post({"Content-Type": "text/plain"}), mode: "no-cors"})
      .then(r => r.type),
    put: () => fetch(SAVE, {method: "PUT", body: BODY}).then(() => "read"),
    beacon: async () => navigator.sendBeacon(SAVE, new Blob([BODY], {type: "text/plain"})) && "sent",
    image: () => new Promise((good, bad) => {
      const image = new Image();
      Object.assign(image, {onload: () => good("read"), onerror: bad, src: PAGE});
    }),
    script: () => new Promise((good, bad) => {
      const script = document.createElement("script");
      Object.assign(script, {onload: () => good("read"), onerror: bad, src: PAGE});
      document.head.append(script);
    }),
    socket: () => new Promise((good, bad) => {
      const socket = new WebSocket(PAGE.replace("http", "ws"));
      Object.assign(socket, {onopen: () => good("read"), onerror: bad});
    }),
    frame: () => new Promise(good => {
      const frame = document.createElement("iframe");
      const seen = () => frame.contentDocument?.body?.textContent ? "read" : "refused";
      Object.assign(frame, {onload: () => good(seen()), src: PAGE});
      document.body.append(frame);
    }),
  };
  const found = {};
  for (const [name, work] of Object.entries(tried)) found[name] = await work().catch(() => "refused");
  return found;
})()"""


def test_a_page_of_another_origin_gets_nothing(browser: Browser, tmp_path: Path) -> None:
    """Even one that knows the token, which it cannot."""
    file = tmp_path / "net.toml"
    file.write_text(SMALL)
    with served(file=str(file)) as server, elsewhere("<!doctype html><body>other") as other:
        browser.open(other)
        version = "0" * 64
        script = TRIES.replace("SAVE", repr(server.address + "save")).replace(
            "PAGE", repr(server.address)
        )
        body = f'{{"text": "gone", "version": "{version}"}}'
        found = browser.js(script.replace("BODY", repr(body)))
        assert "read" not in found.values(), found
        assert found["json"] == found["read"] == found["put"] == found["image"] == "refused"
        assert file.read_text() == SMALL
        browser.complaints.clear()
    browser.open("about:blank")


def test_a_form_of_another_origin_writes_nothing(browser: Browser, tmp_path: Path) -> None:
    """A form is no request that asks before: what it sends is refused by its origin."""
    file = tmp_path / "net.toml"
    with served(file=str(file)) as server:
        form = f'<form method="post" action="{server.address}save" enctype="text/plain">'
        field = """<input name='{"text": "gone", "version": "", "x": "' value='"}'></form>"""
        with elsewhere(f"<!doctype html>{form}{field}") as other:
            browser.open(other)
            browser.leave("document.forms[0].submit()")
            assert browser.js("location.pathname.endsWith('/save')")
            assert browser.js("document.body.textContent") == "refused"
        assert not file.exists()
    browser.complaints.clear()
    browser.open("about:blank")


@pytest.mark.parametrize("host", ["localhost", "[::1]"])
def test_another_name_of_this_machine_is_no_address(browser: Browser, host: str) -> None:
    with served() as server:
        address = server.address.replace("127.0.0.1", host)
        try:
            browser.open(address)
            assert "editor" not in browser.js("document.documentElement.innerHTML")
        except AssertionError as error:  # nothing listens there
            assert "editor" not in str(error)
    browser.complaints.clear()
    browser.open("about:blank")


def test_the_page_itself_may_ask_for_no_more(opening: Opening) -> None:
    """Wrong token, method, path, type and size, sent from the page of the right origin."""
    page = opening()
    root = "location.pathname"
    sent = (
        "(path, more) => fetch(path, {method: 'POST', headers: {'Content-Type': 'application/json'},"
        " body: '{}', ...more}).then(r => r.status)"
    )
    large = f"new Blob([new Uint8Array({LARGEST + 1})])"
    for code, call in {
        200: f"({root} + 'opened', {{}})",
        404: "('/wrong/opened', {})",
        501: f"({root} + 'opened', {{method: 'PUT'}})",
        415: f"({root} + 'opened', {{headers: {{'Content-Type': 'text/plain'}}}})",
        # nothing of it is read: the connection may end before it has been sent
        413: f"({root} + 'answer', {{body: {large}}}).catch(() => 413)",
    }.items():
        assert page.js(f"({sent}){call}") == code
    for path in ("../../etc/passwd", "%2e%2e/%2e%2e/etc/passwd", "vendor/codemirror.js", "page.css"):
        assert page.js(f"fetch({root} + {path!r}).then(r => r.status)") == 404
    page.browser.complaints.clear()  # Chromium tells each refusal


def test_a_hostile_label_is_text_everywhere(opening: Opening, tmp_path: Path) -> None:
    title = HOSTILE.replace("'", "\\u0027").replace('"', "\\u0022")
    text = SMALL.replace('"Small"', f'"{title}"').replace("filters of the first", title)
    page = opening(text)
    assert page.js("document.title.length") > 0
    assert page.js("window.hit") is None
    assert page.js("document.querySelectorAll('img, #picture script').length") == 0
    assert page.js("document.getElementById('title').textContent").startswith("</title></svg>")
    file, report = tmp_path / "net.toml", tmp_path / "net.html"
    file.write_text(text)
    picture = tmp_path / "net.svg"
    for command in (["report", str(file), "-o", str(report)], ["draw", str(file), "-o", str(picture)]):
        subprocess.run([sys.executable, "-m", "archcalc", *command], check=True, capture_output=True)
    page.js("state.saved = state.text")
    for made in (report, picture):
        page.browser.open(made)
        assert page.js("window.hit") is None
        assert page.js("document.querySelectorAll('img').length") == 0
        page.browser.requests[:] = []


def test_the_second_of_two_tabs_loses_nothing(opening: Opening, tmp_path: Path) -> None:
    """Its save is refused, its text stays, and what the first wrote can be opened."""
    file = tmp_path / "net.toml"
    file.write_text(SMALL)
    page = opening(file=str(file))
    browser, first = page.browser, page.browser._session
    other = browser.call("Target.createTarget", url="about:blank")["targetId"]
    attached = browser.call("Target.attachToTarget", targetId=other, flatten=True)
    browser._session = attached["sessionId"]
    try:
        for domain in ("Page", "Runtime"):
            browser.call(f"{domain}.enable")
        second = Page(browser, page.address)
        second.replace("conv 5 k3", "conv 6 k3")
        second.press("s", 83, ctrl=True)
        second.until("state.text === state.saved")
    finally:
        browser._session = first
    browser.call("Target.closeTarget", targetId=other)
    page.replace("conv 5 k3", "conv 7 k3")
    page.press("s", 83, ctrl=True)
    page.until("document.getElementById('status').classList.contains('wrong')")
    assert "changed on disk" in page.status()
    assert file.read_text() == SMALL.replace("conv 5", "conv 6")
    assert "conv 7" in page.js("editor.state.doc.toString()")
    page.js("document.getElementById('own').click()")
    page.until("state.text === state.saved && state.text.includes('conv 6')")
    page.settled()


def test_ctrl_c_leaves_nothing(browser: Browser, tmp_path: Path) -> None:
    file = tmp_path / "net.toml"
    file.write_text(SMALL)
    command = [sys.executable, "-m", "archcalc", "edit", str(file), "--no-browser"]
    home = {**os.environ, "TMPDIR": str(tmp_path / "tmp"), "HOME": str(tmp_path / "home")}
    for name in ("tmp", "home"):
        (tmp_path / name).mkdir()
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=home
    )
    assert process.stdout is not None
    address = process.stdout.readline().strip()
    page = Page(browser, address)
    page.replace("conv 5 k3", "conv 7 k3")
    page.press("s", 83, ctrl=True)
    page.until("state.text === state.saved")
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=20)
    assert (process.returncode, told) == (0, "ended\n")
    assert sorted(p.name for p in tmp_path.rglob("*")) == ["home", "net.toml", "tmp"]
    import socket

    with socket.socket() as free:
        assert free.connect_ex(("127.0.0.1", int(urlsplit(address).port or 0))) != 0
    page.js("set('n', '9', '4')")
    page.until("document.getElementById('status').classList.contains('wrong')")
    assert "the server has ended" in page.status()
    browser.complaints.clear()
    browser.open("about:blank")
