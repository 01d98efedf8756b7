"""What the page may ask of the server, by name."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from functools import cache
from itertools import islice
from typing import Any

from archcalc import garbage
from archcalc.live import answer  # the others are imported when a page asks for more than numbers
from archcalc.live.question import Refused, question, text_of, word
from archcalc.live.session import Session
from archcalc.spec import catalog
from archcalc.units import printable

LONG = 0.2  # seconds
Answering = Callable[[Session, dict[str, Any]], Iterator[answer.Part]]


def _opened(session: Session, asked: dict[str, Any]) -> Iterator[answer.Part]:
    """Tell what is open."""
    opened = session.opened
    text, version = session.read()
    yield {
        "part": "opened",
        "name": opened.name,
        "text": text,
        "variant": opened.variant,
        "settings": opened.settings,
        "file": opened.file,
        "version": version,
    }


def _operators(session: Session, asked: dict[str, Any]) -> Iterator[answer.Part]:
    """Tell which operators a text may hold."""
    yield {"part": "operators", "operators": _usages()}


@cache
def _usages() -> list[list[Any]]:
    """Return name, usage, what it is, and usage and help of each argument."""
    import inspect

    from archcalc.operators import TABLE, operator_class

    found = []
    for name in TABLE:
        cls = operator_class(name)
        usage = " ".join([name, *(a.usage for a in cls.arguments)])
        told = [[a.usage, a.help] for a in cls.arguments]
        found.append([name, usage, inspect.getdoc(cls) or "", told])
    return found


def _begin(session: Session, asked: dict[str, Any]) -> Iterator[answer.Part]:
    """Tell what is open, and answer its text, with what its link says in place of its own settings."""
    opened = session.opened
    text, _ = session.read()
    own = {"name": opened.name, "text": text, "variant": opened.variant, "settings": opened.settings}
    told = {key: asked.get(key) for key in ("variant", "settings")}
    given = {key: value for key, value in told.items() if value is not None}
    answered = _answer(session, {**asked, **own, **given})  # which refuses before anything is told
    yield from _opened(session, asked)
    yield from answered


def warm(session: Session) -> None:
    """Answer what is open until a page asks, which finds most of it done; not what takes long."""
    begun = time.monotonic()
    for _ in _begin(session, {}):
        if time.monotonic() - begun > LONG:
            return


def _answer(session: Session, asked: dict[str, Any]) -> Iterator[answer.Part]:
    """Answer a text and its settings, unless the page has asked again."""
    ask = question(asked)
    session.ask(ask.page, ask.number)
    return _current(session, ask.page, ask.number, answer.answer(ask))


def _sweep(session: Session, asked: dict[str, Any]) -> Iterator[answer.Part]:
    from archcalc.live import swept

    ask, values = question(asked), asked.get("values")
    if not isinstance(values, list) or len(values) > swept.MOST:
        raise Refused("no such values")
    variable = word(asked, "variable")
    page = f"{ask.page} sweep"
    session.ask(page, ask.number)
    texts = [word({"value": value}, "value") for value in values]
    return _current(session, page, ask.number, swept.swept(ask, variable, texts, word(asked, "block")))


def _current(
    session: Session, page: str, number: int, parts: Iterator[answer.Part]
) -> Iterator[answer.Part]:
    """Yield parts while nobody asks again; one question is answered at a time."""
    while True:
        with session.computing, garbage.paused():
            if session.is_late(page, number):
                return
            part = list(islice(parts, 1))
        if not part:
            return
        yield from part


def _bundled(session: Session, asked: dict[str, Any]) -> Iterator[answer.Part]:
    """List the bundled networks, or tell the text of one by its name; no path is one."""
    name = word(asked, "name")
    if not name:
        yield {"part": "bundled", "networks": _networks()}
        return
    entry = next((entry for entry in catalog.bundled() if entry.name == name), None)
    if entry is None:
        raise Refused("no such network")
    yield {
        "part": "opened",
        "name": entry.name,
        "text": entry.spec.source.text,
        "variant": entry.variant or "",
        "settings": {},
        "file": "",
        "version": "",
    }


@cache
def _networks() -> list[list[str]]:
    return [[entry.name, _title(entry), entry.spec.source.name] for entry in catalog.bundled()]


def _title(entry: catalog.Entry) -> str:
    own = entry.spec.variants[entry.variant].about if entry.variant else {}
    return printable(str(own.get("title", entry.spec.about.get("title", entry.name))))


def _save(session: Session, asked: dict[str, Any]) -> Iterator[answer.Part]:
    yield {"part": "saved", "version": session.save(text_of(asked), word(asked, "version"))}


def _export(session: Session, asked: dict[str, Any]) -> Iterator[answer.Part]:
    from archcalc.live import exported

    ask, form = question(asked), word(asked, "form")
    if form not in exported.FORMS:
        raise Refused("no such form")
    yield {"part": "exported", **exported.exported(ask, form)}


def _written(session: Session, asked: dict[str, Any]) -> Iterator[answer.Part]:
    from archcalc.live.written import written

    yield {"part": "written", **written(question(asked))}


def _places(session: Session, asked: dict[str, Any]) -> Iterator[answer.Part]:
    from archcalc.live.places import places

    yield {"part": "places", **places(question(asked))}


ANSWERS: dict[str, Answering] = {
    "begin": _begin,
    "opened": _opened,
    "operators": _operators,
    "answer": _answer,
    "sweep": _sweep,
    "bundled": _bundled,
    "save": _save,
    "export": _export,
    "written": _written,
    "places": _places,
}
