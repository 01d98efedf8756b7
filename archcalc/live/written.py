"""Settings of the page → edits of the text that make them its own."""

from __future__ import annotations

import json

from archcalc.errors import Keys
from archcalc.live.answer import Part, utf16
from archcalc.live.question import Question, Refused
from archcalc.network import Network
from archcalc.spec.expressions import Value
from archcalc.spec.locate import EntryPlace, Range, locate
from archcalc.spec.settings import show_value

Places = dict[Keys, EntryPlace]
Edit = tuple[int, int, str]


def written(asked: Question) -> Part:
    """Return the edits that set the values of the page's settings: in the variant, else as defaults.

    Raises:
        ArchError: the text is no network, or a setting does not fit.
    """
    network, text = asked.network(), asked.text
    places = locate(text)
    edits: list[Edit] = []
    entries = []
    table = _table(network, places, text)
    for name, value in network.changed.items():
        place = _place(network, places, name, table is None)
        if place is None:
            entries.append(f"{name} = {_literal(value)}")
        else:
            edits.append((*place, _literal(value)))
    if table is not None and entries:
        edits.append(_inserted(text, table, ", ".join(entries)))
    return {"edits": [[utf16(text, a), utf16(text, b), new] for a, b, new in sorted(edits)]}


def _table(network: Network, places: Places, text: str) -> Range | None:
    """Return the variant's inline table, None if it has none that can take more."""
    place = places.get(("variants", network.variant)) if network.variant else None
    return place.value if place and text[place.value[0]] == "{" else None


def _place(network: Network, places: Places, name: str, default: bool) -> Range | None:
    """Return the place of a value: in the variant, else, if wanted, of the default."""
    own = places.get(("variants", str(network.variant), name))
    if own or not default:
        return own.value if own else None
    spec = network.spec
    keys: Keys = spec.keys_of(spec.main) if name == "input" else ("vars", name)
    found = places.get((*keys, "default")) or places.get(keys)
    if found is None:
        raise Refused(f"`{name}` has no place in the text")
    return found.value


def _inserted(text: str, table: Range, entries: str) -> Edit:
    """Return the edit that puts entries first in an inline table."""
    at = table[0] + 1
    return at, at, f" {entries}," if text[at : table[1] - 1].strip() else f" {entries} "


def _literal(value: Value) -> str:
    """Return a value as TOML has it."""
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, list):
        return f"[{', '.join(map(_literal, value))}]"
    return show_value(value)
