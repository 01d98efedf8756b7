"""The page: one document with its styles and scripts in it, and the policy that it lives under."""

from __future__ import annotations

from functools import cache
from pathlib import Path

HERE = Path(__file__).parent
NAMES = ("vendor/codemirror", "../views/lights", "renewing", "editor", "picture", "jumps")
SCRIPTS = tuple(HERE / f"{name}.js" for name in (*NAMES, "counts", "settings", "page"))
FIRST = HERE / "asking.js"  # asks while the page is read


def policy(nonce: str) -> str:
    """Return what the page may do: run and style what has the nonce, ask this server, nothing else."""
    own = f"'nonce-{nonce}'" if nonce else "'none'"
    return (
        f"default-src 'none'; script-src {own}; style-src {own}; connect-src 'self'; img-src data:; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )


def page(nonce: str) -> bytes:
    """Return the document. It holds no data: it asks for them."""
    return nonce.encode().join(_between_nonces())


@cache
def _between_nonces() -> list[bytes]:
    scripts = b"".join(map(_script, SCRIPTS))
    body = (HERE / "page.html").read_bytes().replace(b"STYLE", (HERE / "page.css").read_bytes())
    return body.replace(b"FIRST", _script(FIRST)).replace(b"SCRIPTS", scripts).split(b"NONCE")


def _script(file: Path) -> bytes:
    return b'<script nonce="NONCE">\n%b</script>\n' % file.read_bytes()
