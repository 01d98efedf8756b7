"""The server of the page: for this machine, this address and this page alone."""

from __future__ import annotations

import os
from socketserver import ThreadingTCPServer
from typing import Any

from archcalc.live.session import Session

HOME = "127.0.0.1"


class LiveServer(ThreadingTCPServer):
    """Listens on the loopback address; `address` has the token that opens it."""

    daemon_threads = allow_reuse_address = True

    def __init__(self, session: Session) -> None:
        self.session, self.token = session, os.urandom(24).hex()
        super().__init__((HOME, 0), _handler)
        self.server_port: int = self.server_address[1]
        self.origin = f"http://{HOME}:{self.server_port}"
        self.address = f"{self.origin}/{self.token}/"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A page that is closed, or leaves an answer that is late, is no error."""
        import sys

        if not isinstance(sys.exception(), ConnectionError | TimeoutError):
            super().handle_error(request, client_address)


def _handler(*request: Any) -> Any:
    from archcalc.live.handler import LiveHandler  # a third of the imports, while the browser starts

    return LiveHandler(*request)
