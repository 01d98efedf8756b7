"""`locate` against hand-written documents, and against `tomllib` on generated ones."""

from __future__ import annotations

import random
import sys
import tomllib
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time
from itertools import pairwise
from types import FrameType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archcalc.spec.locate import EntryPlace, Keys, locate

Table = dict[str, Any]


def paths(value: object, keys: Keys = ()) -> Iterator[tuple[Keys, Any]]:
    """Everything in a parsed document but its root."""
    if keys:
        yield keys, value
    if isinstance(value, dict | list):
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield from paths(item, (*keys, key))


def check(text: str) -> dict[Keys, EntryPlace]:
    """Locate everything in `text`, and hold each place against what `tomllib` reads."""
    places = locate(text)
    parsed = dict(paths(tomllib.loads(text)))
    assert places.keys() == parsed.keys()
    for keys, found in places.items():
        check_key(text, keys, found)
        check_value(text, found, parsed[keys])
    return places


def check_key(text: str, keys: Keys, found: EntryPlace) -> None:
    if isinstance(keys[-1], int):
        assert found.key == found.value
    else:
        assert tomllib.loads(text[slice(*found.key)] + " = 1") == {keys[-1]: 1}


def check_value(text: str, found: EntryPlace, value: Any) -> None:
    source = text[slice(*found.value)]
    if isinstance(value, dict | list) and source[0] not in "[{":
        assert tomllib.loads(f"[{source}]")  # a name: the table comes from a header or dotted key
        return
    assert repr(tomllib.loads("v = " + source)["v"]) == repr(value)
    if isinstance(value, str):
        check_string(text, found, value)


def check_string(text: str, found: EntryPlace, value: str) -> None:
    start, end = found.value
    offsets = [found.offset(text, index) for index in range(len(value) + 1)]
    assert all(a < b for a, b in pairwise(offsets))
    assert "".join(decoded(text, at, text[start]) for at in offsets[:-1]) == value
    assert text[offsets[-1] : end] in ('"', "'", '"""', "'''")


def decoded(text: str, at: int, quote: str) -> str:
    """The character that stands, or whose escape stands, at `at`."""
    if quote == "'" or text[at] != "\\":
        return text[at]
    length = {"u": 6, "U": 10}.get(text[at + 1], 2)
    char: str = tomllib.loads(f'v = "{text[at : at + length]}"')["v"]
    return char


def shown(text: str, keys: Keys) -> tuple[str, str]:
    """The source of the key and of the value found for `keys`."""
    found = check(text)[keys]
    return text[slice(*found.key)], text[slice(*found.value)]


@pytest.mark.parametrize(
    ("text", "keys", "key", "value"),
    [
        ("a = 1", ("a",), "a", "1"),
        ("\n # a = 0\n\ta\t=\t1 # a = 2", ("a",), "a", "1"),
        ("a=1#b", ("a",), "a", "1"),
        ('"a b" = true', ("a b",), '"a b"', "true"),
        ('"\\u0061\\"" = true', ('a"',), '"\\u0061\\""', "true"),
        ("'\\' = false", ("\\",), "'\\'", "false"),
        ('"" = ""', ("",), '""', '""'),
        ("'' = ''", ("",), "''", "''"),
        ("1.2 = 3.4", ("1", "2"), "2", "3.4"),
        ("a . 'b.c' = 1", ("a", "b.c"), "'b.c'", "1"),
        ("a.b = 1\na.c = 2", ("a",), "a", "a"),
        ("a.b.c = 1", ("a", "b"), "b", "b"),
        ("[ a . b ] # c\nd = 1", ("a", "b"), "b", "a . b"),
        ("[a.b]\n[a]", ("a",), "a", "a"),
        ("[a]\nb = 1\n['c']\nb = 2", ("c", "b"), "b", "2"),
        ("[a]", ("a",), "a", "a"),
        ("[a]\nb.c = 1\n[a.d]\ne = 2", ("a", "d", "e"), "e", "2"),
        ("a.b = 1\n[a.c]\nd = 2", ("a", "c", "d"), "d", "2"),
        ("[[a.b]]\n[[ a.b ]]\nc = 1", ("a", "b"), "b", "a.b"),
        ("[[a]]\n[[a]]\nb = 1", ("a", 1, "b"), "b", "1"),
        ("[[a]]\n[[a]]", ("a", 1), "a", "a"),
        ("[[a]]\n[[a.b]]\n[[a]]\n[[a.b]]\n[[a.b]]\nc=1", ("a", 1, "b", 1, "c"), "c", "1"),
        ("[[a]]\n[a.b.c]\nd = 1", ("a", 0, "b", "c", "d"), "d", "1"),
        ("a = {b = 1, c.d = {e = 2}}", ("a", "c", "d", "e"), "e", "2"),
        ("a = {b = 1, c.d = {e = 2}}", ("a", "c", "d"), "d", "{e = 2}"),
        ("a = {b = 1, c.d = {e = 2}}", ("a", "c"), "c", "c"),
        ("a = {}", ("a",), "a", "{}"),
        ("a = [ ]", ("a",), "a", "[ ]"),
        ("a = [1, [2, 3],\n [4], # ]\n]", ("a", 1, 1), "3", "3"),
        ("a = [1, [2, 3],\n [4], # ]\n]", ("a", 2), "[4]", "[4]"),
        ("a = [1, [2, 3],\n [4], # ]\n]\nb = 5", ("b",), "b", "5"),
        ("a = [{b = [{c = 1}]}]", ("a", 0, "b", 0, "c"), "c", "1"),
        ('a = \'[#="\'\nb = "]#=\'\\""', ("b",), "b", '"]#=\'\\""'),
        ('a = """\n"[x]"" # = 1\n\\"""""" # b', ("a",), "a", '"""\n"[x]"" # = 1\n\\""""""'),
        ("a = '''\n'[x]'' # = 1\n''''' # b", ("a",), "a", "'''\n'[x]'' # = 1\n'''''"),
        ("a = 1979-05-27 07:32:00.5-07:00 # b", ("a",), "a", "1979-05-27 07:32:00.5-07:00"),
        ("a = 1979-05-27 # b", ("a",), "a", "1979-05-27"),
        ("a = [07:32:00,-inf,+1e-3,0xAf]", ("a", 1), "-inf", "-inf"),
        ("a = {b=nan,c=1}", ("a", "b"), "b", "nan"),
    ],
)
def test_place(text: str, keys: Keys, key: str, value: str) -> None:
    assert shown(text, keys) == (key, value)


def test_the_first_place_of_a_table_wins() -> None:
    text = "[a.b]\n[a]\nc.d = 1\nc.e = 2"
    places = check(text)
    assert places["a",].key == (1, 2)
    assert places["a", "c"].key == (10, 11)


@pytest.mark.parametrize("text", ["", "\n", "# only a comment", " \t", "\n\n  # a = 1\n"])
def test_nothing_to_find(text: str) -> None:
    assert check(text) == {}


@pytest.mark.parametrize(
    ("text", "offsets"),
    [
        ("'a\\n'", [1, 2, 3, 4]),
        ('"a\\n\\u00e9\\U0001F600\\\\\\"z"', [1, 2, 4, 10, 20, 22, 24, 25]),
        ('""', [1]),
        ("''", [1]),
        ('""""""', [3]),
        ("''''''", [3]),
        ('"""\n\nb"""', [4, 5, 6]),
        ("'''\n\n\\'''", [4, 5, 6]),
        ("'''a'''", [3, 4]),
        ("'''a'''''", [3, 4, 5, 6]),
        ('"""a"""""', [3, 4, 5, 6]),
        ('"""a\\  \n\n \tb"""', [3, 11, 12]),
        ('"""\\\n  """', [7]),
        ('"""\n\\\n\\\n\\\\\n"""', [8, 10, 11]),
        ('"""a\\n b\\ \n c"""', [3, 4, 6, 7, 12, 13]),
    ],
)
def test_offset(text: str, offsets: list[int]) -> None:
    text = "v = " + text
    found = check(text)["v",]
    assert [found.offset(text, index) - 4 for index in range(len(offsets))] == offsets


def test_nesting_300_arrays_deep_does_not_fail() -> None:
    text = "a = " + "[" * 300 + "1" + "]" * 300
    tomllib.loads(text)
    places = locate(text)
    assert places["a", *[0] * 300].value == (304, 305)
    assert places["a", *[0] * 299].value == (303, 306)


def test_nesting_300_tables_deep_does_not_fail() -> None:
    text = "a = " + "{b = " * 300 + "1" + "}" * 300 + f"\n[{'.'.join('c' * 300)}]\nd = 1"
    places = locate(text)
    assert text[slice(*places["a", *["b"] * 300].value)] == "1"
    assert text[slice(*places[*["c"] * 300, "d"].value)] == "1"


class Sliced(str):
    """A text that counts the characters copied out of it by slices."""

    copied = 0

    def __getitem__(self, index: Any) -> str:
        part = super().__getitem__(index)
        self.copied += len(part)
        return part


def work(text: str, run: Callable[[str], object]) -> int:
    """Lines of Python run, and characters copied by slices: a measure that does not depend on
    the machine. What a pattern does inside one match is not counted."""
    lines = 0

    def trace(frame: FrameType, event: str, arg: object) -> Any:
        nonlocal lines
        lines += event == "line"
        return trace

    sliced, before = Sliced(text), sys.gettrace()
    sys.settrace(trace)
    try:
        run(sliced)
    finally:
        sys.settrace(before)
    return lines + sliced.copied


@pytest.mark.parametrize(
    "line",
    [
        "k{} = 1 # c\n",
        "a.b{}.c = 'x'\n",
        "[h{}]\nk = [1, [2], {{x.y = 3}},\n4]\n",
        "[[a]]\n[[a.b]]\nk = '''\n{}\n'''\n[a.c]\n",
        '"\\u0061{}" = """\\\n  ""x"""\n',
    ],
)
def test_work_is_linear(line: str) -> None:
    small, large = ("".join(line.format(f"{i:04}") for i in range(n)) for n in (100, 400))
    tomllib.loads(large)
    assert work(large, locate) <= 4 * work(small, locate)


def test_work_of_an_offset_is_linear() -> None:
    def last(text: str) -> int:
        return EntryPlace((0, 1), (0, len(text))).offset(text, len(text))

    small, large = ('"' + "x\\n" * n + '"' for n in (100, 400))
    assert work(large, last) <= 4 * work(small, last)


class Emitter:
    """Writes a table as TOML, choosing at random among the ways to write it.

    `offsets` gives, for the source of each string written, where its characters stand in it.
    """

    def __init__(self, choose: random.Random) -> None:
        self.choose = choose
        self.offsets: dict[str, list[int]] = {}

    def maybe(self) -> bool:
        return self.choose.random() < 0.5

    def blank(self) -> str:
        return self.choose.choice(["", " ", "\t", "  "])

    def gap(self) -> str:
        """What may stand between the items of an array."""
        return self.choose.choice(["", " ", "\n", " # ],\"'''\n", "\n\t#\n\n"])

    def end(self) -> str:
        return self.blank() + self.choose.choice(["", "# k = \"[{'''"]) + "\n"

    def document(self, table: Table) -> str:
        return self.body(table, []).removesuffix(self.choose.choice(["", "\n"]))

    def body(self, table: Table, path: list[str]) -> str:
        """The lines of a table whose header has been written, then those of its subtables."""
        pairs, sections = [], []
        for key, value in table.items():
            if self.by_header(value):
                sections.append(self.section(value, [*path, key]))
            else:
                pairs += [self.line(pair) for pair in self.pairs([key], value)]
        return "".join(pairs + sections)

    def by_header(self, value: Any) -> bool:
        tables = value if isinstance(value, list) and value else [value]
        return all(isinstance(table, dict) for table in tables) and self.maybe()

    def section(self, value: Any, path: list[str]) -> str:
        if isinstance(value, list):
            return "".join(self.line(f"[[{self.key(path)}]]") + self.body(v, path) for v in value)
        body = self.body(value, path)
        implied = body.lstrip().startswith("[") and self.maybe()
        return body if implied else self.line(f"[{self.key(path)}]") + body

    def line(self, statement: str) -> str:
        return self.blank() + statement + self.end()

    def pairs(self, path: list[str], value: Any) -> Iterator[str]:
        """`value` as one pair, or as a pair with a dotted key for each of its items."""
        if isinstance(value, dict) and value and self.maybe():
            for key, item in value.items():
                yield from self.pairs([*path, key], item)
        else:
            yield f"{self.key(path)}={self.blank()}{self.value(value)}"

    def key(self, path: list[str]) -> str:
        dotted = f"{self.blank()}.{self.blank()}".join(self.key_part(part) for part in path)
        return self.blank() + dotted + self.blank()

    def key_part(self, key: str) -> str:
        bare = key.isascii() and key.replace("-", "").replace("_", "").isalnum()
        if bare and self.choose.random() < 0.8:
            return key
        return self.literal(key) if self.maybe() and fits_literal(key) else self.basic(key)

    def value(self, value: Any) -> str:
        if isinstance(value, dict):
            pairs = [pair for k, v in value.items() for pair in self.pairs([k], v)]
            return self.blank().join(("{", f"{self.blank()},{self.blank()}".join(pairs), "}"))
        if isinstance(value, list):
            items = "".join(f"{self.gap()}{self.value(v)}{self.gap()}," for v in value)
            return "[" + items.removesuffix(self.choose.choice(["", ","])) + self.gap() + "]"
        if isinstance(value, str):
            return self.string(value)
        if isinstance(value, datetime):
            return value.isoformat(self.choose.choice("T "))
        if isinstance(value, date | time):
            return value.isoformat()
        return str(value).lower()

    def string(self, value: str) -> str:
        kinds = [self.basic, self.long_basic]
        kinds += [self.literal] if fits_literal(value) else []
        kinds += [self.long_literal] if fits_long_literal(value) else []
        return self.choose.choice(kinds)(value)

    def written(self, opening: str, pieces: list[str], closing: str) -> str:
        """The pieces as one source; each is a character or its escape, or an escaped line end."""
        offsets, at = [], len(opening)
        for piece in pieces:
            if not line_end(piece):
                offsets.append(at)
            at += len(piece)
        source = opening + "".join(pieces) + closing
        self.offsets[source] = [*offsets, at]
        return source

    def literal(self, value: str) -> str:
        return self.written("'", list(value), "'")

    def long_literal(self, value: str) -> str:
        trimmed = "\n" if value.startswith("\n") or self.maybe() else ""
        return self.written("'''" + trimmed, list(value), "'''")

    def basic(self, value: str) -> str:
        pieces = [self.char(char, raw=plain(char) and char not in '"\\') for char in value]
        return self.written('"', pieces, '"')

    def long_basic(self, value: str) -> str:
        pieces: list[str] = []
        for char in value:
            if self.choose.random() < 0.1:
                pieces.append("\\" + self.blank() + "\n" + self.choose.choice(["", " ", "\n\t "]))
            trimmed = bool(pieces) and line_end(pieces[-1]) and char in " \t\n"
            third = pieces[-2:] == ['"', '"'] and char == '"'
            raw = (plain(char) or char == "\n") and char != "\\" and not trimmed and not third
            pieces.append(self.char(char, raw=raw))
        trimmed_line = "\n" if pieces[:1] == ["\n"] or self.maybe() else ""
        return self.written('"""' + trimmed_line, pieces, '"""')

    def char(self, char: str, *, raw: bool) -> str:
        short = {"\b": "b", "\t": "t", "\n": "n", "\f": "f", "\r": "r", '"': '"', "\\": "\\"}
        ways = [f"\\U{ord(char):08x}"]
        ways += [f"\\u{ord(char):04X}"] if ord(char) < 0x10000 else []
        ways += ["\\" + short[char]] if char in short else []
        return char if raw and self.choose.random() < 0.8 else self.choose.choice(ways)


def line_end(piece: str) -> bool:
    return piece[0] == "\\" and piece[1:2] in {" ", "\t", "\n"}


def plain(char: str) -> bool:
    return char == "\t" or (char >= " " and char != "\x7f")


def fits_literal(value: str) -> bool:
    return all(plain(char) and char != "'" for char in value)


def fits_long_literal(value: str) -> bool:
    inner = value.rstrip("'")
    return (
        all(plain(char) or char == "\n" for char in value)
        and "'''" not in inner
        and len(value) - len(inner) < 3
    )


tricky = st.sampled_from("\"'\\\n\t\r #=[]{},.é😀ab0")
characters = st.one_of(tricky, st.characters(exclude_categories=["Cs"]))
strings = st.text(characters, max_size=12)
names = st.one_of(st.sampled_from(["a", "b", "c-d", "1", ""]), st.text(characters, max_size=4))
instants = st.one_of(
    st.dates(),
    st.times(),
    st.datetimes(),
    st.datetimes(timezones=st.just(UTC)),
)
leaves = st.one_of(strings, st.integers(), st.booleans(), st.floats(allow_nan=False), instants)
values = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(names, inner, max_size=4),
        st.lists(st.dictionaries(names, inner, max_size=3), max_size=3),
    ),
    max_leaves=20,
)
tables = st.dictionaries(names, values, max_size=5)


@settings(max_examples=300, deadline=None)
@given(tables, st.integers(0, 2**32))
def test_agrees_with_tomllib(table: Table, seed: int) -> None:
    emitter = Emitter(random.Random(seed))
    text = emitter.document(table)
    assert tomllib.loads(text) == table
    places = check(text)
    for keys, value in paths(table):
        if isinstance(value, str):
            found = places[keys]
            offsets = emitter.offsets[text[slice(*found.value)]]
            assert [found.offset(text, i) - found.value[0] for i in range(len(offsets))] == offsets
