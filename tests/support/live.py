"""A live page that is served while a test runs."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from typing import Any

from archcalc.live.server import LiveServer
from archcalc.live.session import Beginning, Session

SMALL = """title = "Small"
input = "8x8x3"
layers = ["conv {n} k3 | relu", "conv 5 k3"]

[vars]
n = { default = 4, help = "filters of the first" }
"""


@contextmanager
def served(
    text: str = SMALL, file: str = "", variant: str = "", settings: dict[str, str] | None = None
) -> Iterator[LiveServer]:
    """Serve a text, or a file."""
    opened = Beginning("net.toml", text, variant, settings or {}, file)
    with LiveServer(Session(opened)) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def send(
    server: LiveServer,
    method: str,
    path: str,
    body: bytes = b"",
    headers: dict[str, str | None] | None = None,
) -> tuple[int, dict[str, str], bytes]:
    """Return code, headers and body; headers are those of our page but for the given."""
    # one that is None is left out
    own: dict[str, str | None] = {"Host": f"127.0.0.1:{server.server_port}", "Origin": server.origin}
    own |= {"Content-Type": "application/json", "Content-Length": str(len(body))}
    if method == "GET":
        own = {"Host": own["Host"]}
    own |= headers or {}
    connection = HTTPConnection("127.0.0.1", server.server_port, timeout=20)
    connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
    for name, value in own.items():
        if value is not None:
            connection.putheader(name, value)
    connection.endheaders(body)
    answer = connection.getresponse()
    found = answer.status, dict(answer.getheaders()), answer.read()
    connection.close()
    return found


def ask(server: LiveServer, what: str, **asked: Any) -> list[dict[str, Any]]:
    """Return the parts of an answer."""
    code, _, body = send(server, "POST", f"/{server.token}/{what}", json.dumps(asked).encode())
    assert code == 200, body
    return [json.loads(line) for line in body.splitlines()]
