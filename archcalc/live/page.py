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
    return _document().replace("NONCE", nonce).encode()


@cache
def _document() -> str:
    style = (HERE / "page.css").read_text(encoding="utf-8")
    body = (HERE / "page.html").read_text(encoding="utf-8")
    scripts = "".join(map(_script, SCRIPTS))
    return body.replace("STYLE", style).replace("FIRST", _script(FIRST)).replace("SCRIPTS", scripts)


def _script(file: Path) -> str:
    return f'<script nonce="NONCE">\n{file.read_text(encoding="utf-8")}</script>\n'
