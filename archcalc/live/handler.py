"""What the page's server answers to one request: the page, or parts of an answer; else a refusal."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable, Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler
from itertools import chain, islice
from typing import TYPE_CHECKING, Any

from archcalc import garbage
from archcalc.errors import ArchError
from archcalc.live.page import page, policy
from archcalc.live.question import Refused
from archcalc.live.server import HOME, LiveServer
from archcalc.live.session import Session
from archcalc.spec.source import LARGEST_FILE

if TYPE_CHECKING:
    from archcalc.live.answer import Part
    from archcalc.live.asked import Answering

LARGEST = 2 * LARGEST_FILE  # bytes of a question: in JSON a line end is two
PATIENCE = 60  # seconds that a connection may say nothing


class LiveHandler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "archcalc", ""
    timeout = PATIENCE
    wbufsize = 1 << 16  # a head goes out with what follows it
    disable_nagle_algorithm = True  # which would hold back parts for 40 ms
    server: LiveServer

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing is told on the terminal."""

    def do_GET(self) -> None:
        wanted = f"/{self.server.token}/"
        if self._is_from_elsewhere():
            self._refuse(403)
        elif not secrets.compare_digest(self.path.encode(), wanted.encode()):
            self._refuse(404)
        else:
            nonce = secrets.token_urlsafe(16)
            self._head(200, "text/html; charset=utf-8", policy(nonce), body := page(nonce))
            self.wfile.write(body)

    def do_POST(self) -> None:
        code = self._verdict()
        if code:
            self._refuse(code, "too large" if code == 413 else "refused")
            return
        body = self.rfile.read(int(self.headers["Content-Length"]))
        answering = _answers()[self._name()]
        try:
            parts = _told(answering, self.server.session, body)
            first = list(islice(parts, 1))
        except Refused as error:
            self._refuse(400, str(error))
            return
        self._stream(chain(first, parts))

    def _verdict(self) -> int:
        """Return the code of a refusal; 0: none. Nothing is read of a question that is refused."""
        length, name = self.headers.get("Content-Length", ""), self._name()
        if self._is_from_elsewhere() or self.headers.get("Origin") != self.server.origin:
            return 403
        if name is None or name not in _answers():
            return 404
        if self.headers.get("Content-Type") != "application/json":
            return 415
        if not (length.isascii() and length.isdecimal()) or "Transfer-Encoding" in self.headers:
            return 411
        return 413 if len(length) > 12 or int(length) > LARGEST else 0

    def _is_from_elsewhere(self) -> bool:
        """Return whether a name of another leads here, or another's page asks."""
        hosts = self.headers.get_all("Host", [])
        site = self.headers.get("Sec-Fetch-Site", "none")
        return hosts != [f"{HOME}:{self.server.server_port}"] or site not in ("none", "same-origin")

    def _name(self) -> Any:
        """Return what is asked, None without the token."""
        token, _, name = self.path.removeprefix("/").partition("/")
        return name if secrets.compare_digest(token.encode(), self.server.token.encode()) else None

    def _stream(self, parts: Iterable[Part]) -> None:
        """Send each part as a line of JSON as soon as it is there."""
        self.send_response(200)
        self._safe_headers("application/x-ndjson", policy(""))
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for line in map(partial(json.dumps, separators=(",", ":")), parts):
            data = line.encode() + b"\n"
            self.wfile.write(b"%x\r\n%b\r\n" % (len(data), data))
            self.wfile.flush()
        self.wfile.write(b"0\r\n\r\n")
        self.wfile.flush()
        garbage.collect()

    def _refuse(self, code: int, why: str = "refused") -> None:
        self.close_connection = True
        self._head(code, "text/plain; charset=utf-8", policy(""), body := why.encode())
        self.wfile.write(body)

    def _head(self, code: int, kind: str, policy: str, body: bytes) -> None:
        self.send_response(code)
        self._safe_headers(kind, policy)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()

    def _safe_headers(self, kind: str, policy: str) -> None:
        self.send_header("Content-Type", kind)
        self.send_header("Content-Security-Policy", policy)
        for name, value in (
            ("X-Content-Type-Options", "nosniff"),
            ("Cache-Control", "no-store"),
            ("Referrer-Policy", "no-referrer"),
            ("Cross-Origin-Resource-Policy", "same-origin"),
            ("Cross-Origin-Opener-Policy", "same-origin"),
        ):
            self.send_header(name, value)


def _answers() -> dict[str, Answering]:
    from archcalc.live import asked  # what counts and draws, when the address has been told

    return asked.ANSWERS


def _read(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        raise Refused("no JSON") from None
    if not isinstance(found, dict):
        raise Refused("no question")
    return found


def _told(answering: Answering, session: Session, body: bytes) -> Iterator[Part]:
    """Yield the parts of an answer; an error among them is the last.

    Raises:
        Refused: no page of ours asks that.
    """
    try:
        yield from answering(session, _read(body))
    except Refused:
        raise
    except ArchError as error:
        from archcalc.live.answer import mistakes

        yield {"part": "mistakes", "mistakes": mistakes(error, "")}
