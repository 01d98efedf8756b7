"""JSON of the page → what it asks; everything that is not as it must be is refused."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from archcalc.drawing.measures import MEASURES, By
from archcalc.drawing.pages import WIDE
from archcalc.errors import ArchError
from archcalc.network import Network
from archcalc.spec.catalog import Entry
from archcalc.spec.model import Source, Spec
from archcalc.spec.read import read
from archcalc.tuples import NamedTuple

MOST = 1000  # settings, or blocks that are folded
LONGEST = 4096  # of a name or a value
NARROWEST, WIDEST = 0.1, 10


class Refused(ArchError):
    """What no page of ours asks."""


class Question(NamedTuple):
    """A text and its settings; `number` rises with every key stroke of a `page`.

    `expand` and `close` are blocks to show in full and as one box; `by` is what bars show, `wide` the
    width of the place to its height. A question with `bare` wants the totals alone.
    """

    page: str
    number: int
    name: str
    text: str
    variant: str
    settings: dict[str, str]
    expand: frozenset[str]
    close: frozenset[str]
    by: By
    wide: float
    bare: bool

    def network(self) -> Network:
        """Return the network; a setting whose variable has left the text is left out.

        Raises:
            ArchError: the text is no spec, or a setting does not fit.
        """
        return _network(self.name, self.text, self.variant, tuple(self.settings.items()))


@lru_cache(maxsize=2)
def _network(name: str, text: str, variant: str, settings: tuple[tuple[str, str], ...]) -> Network:
    """Return a network that is asked for again: by its places, or by the page that it was made for."""
    spec, chosen = _spec(name, text), dict(settings)
    own = variant if variant in spec.variants else None
    given: dict[str, Any] = {k: v for k, v in chosen.items() if k in spec.variables}
    size = chosen.get("input", "").strip() or None
    return Network(Entry(own or name, spec, own), given, size)


@lru_cache(maxsize=4)
def _spec(name: str, text: str) -> Spec:
    """Read a text once, while its settings change."""
    return read(Source(name, text))


def question(asked: dict[str, Any]) -> Question:
    """Return what the page asks.

    Raises:
        Refused: it is none of ours.
    """
    number, by, bare = asked.get("number", 0), asked.get("by", "multiplies"), asked.get("bare", False)
    if type(number) is not int or by not in MEASURES or not isinstance(bare, bool):
        raise Refused("no such question")
    settings = asked.get("settings", {})
    if not isinstance(settings, dict) or len(settings) > MOST:
        raise Refused("no such settings")
    return Question(
        word(asked, "page"),
        number,
        word(asked, "name") or "net.toml",
        text_of(asked),
        word(asked, "variant"),
        {_word(name): _word(value) for name, value in settings.items()},
        _words(asked, "expand"),
        _words(asked, "close"),
        by,
        _wide(asked.get("wide", WIDE)),
        bare,
    )


def _wide(number: object) -> float:
    if not isinstance(number, int | float) or not NARROWEST <= number <= WIDEST:
        raise Refused("no such place")
    return number


def text_of(asked: dict[str, Any]) -> str:
    """Return the text of a spec.

    Raises:
        Refused: there is none that a file can hold.
    """
    text = asked.get("text")
    if not isinstance(text, str):
        raise Refused("no text")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise Refused("half a letter") from None
    return text


def word(asked: dict[str, Any], key: str) -> str:
    """Return a short text, '' if it is not there.

    Raises:
        Refused: it is none.
    """
    return _word(asked.get(key, ""))


def _words(asked: dict[str, Any], key: str) -> frozenset[str]:
    found = asked.get(key, [])
    if not isinstance(found, list) or len(found) > MOST:
        raise Refused("no such list")
    return frozenset(map(_word, found))


def _word(value: object) -> str:
    if not isinstance(value, str) or len(value) > LONGEST:
        raise Refused("no such word")
    return value
