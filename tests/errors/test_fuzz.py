"""Mutated specs and random command lines: a right analysis or an error in plain words, nothing else.

`FUZZ=100 pytest tests/errors/test_fuzz.py` tries a hundred times as many.
"""

from __future__ import annotations

import json
import os
import re
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from archcalc import cli
from archcalc.analysis.costs import analyze, count, total
from archcalc.api import Network
from archcalc.errors import ArchError
from archcalc.graph import effort
from archcalc.spec import catalog
from archcalc.spec.bundle import families
from archcalc.spec.catalog import Entry
from archcalc.spec.model import Source
from archcalc.spec.read import read
from archcalc.views.diagnostics import render

SECONDS = 5.0  # of processor time for one example; they take milliseconds
SCALE = int(os.environ.get("FUZZ", "1"))
TEXTS = [Path(path).read_text(encoding="utf-8") for path in families()]
WORDS = sorted({word for text in TEXTS for word in re.findall(r"\w+|[^\w\s]", text)})
SIGNS = """0 -1 1e400 nan inf 0.5 1979-05-27 # [ ] { } [[ ]] = == | @ @in ... . , : x if in k3 k0 half
    {n} {channels} {1/0} {(} {[1][9]} {-1} {0.5} {true} {'relu'} {min()} {~1} {''} [block.b] [vars]"""
STRANGE = [
    *SIGNS.split(),
    *["", "'", '"', '"""', "'''", "\\", "\\u001b", "\x1b", "\u202e", "\ufeff", "\u0661", "é", "漢"],
    *["\t", "\r", "\n", "9" * 25, "9" * 5000, "0x" + "f" * 5000, "1000000000 x", "upsample 99999999"],
    *["output a = ", "a = ", "if 1:", "concat @in", "add @in", "args = 'a b=1'", "{n is n}"],
]


def sampled(words: str) -> st.SearchStrategy[str]:
    return st.sampled_from(words.split())


characters = st.one_of(
    st.sampled_from(list("{}[]|@=.'\"\\#0x \n")), st.characters(exclude_categories=["Cs"])
)
pieces = st.one_of(st.sampled_from(WORDS), st.sampled_from(STRANGE), characters)
quiet = settings(deadline=None, suppress_health_check=list(HealthCheck), database=None)


@contextmanager
def bounded() -> Iterator[None]:
    """Small networks only, and not for long."""
    start = time.process_time()
    with patch.object(effort, "MOST_NODES", 2000), patch.object(effort, "MOST_WORK", 50_000):
        yield
    assert time.process_time() - start < SECONDS


def check_spec(text: str) -> None:
    """Every variant: right, or refused."""
    with bounded():
        try:
            spec = read(Source("fuzz.toml", text))
        except ArchError as error:
            check_error(error, text)
            return
        for variant in [None, *list(spec.variants)[:3]]:
            try:
                check_network(Network(Entry("fuzz", spec, variant), {}))
            except ArchError as error:
                check_error(error, text)


def check_network(network: Network) -> None:
    """Totals are the sums over the layers, each counted by itself; every layer reads those before it."""
    analysis = analyze(network.graph)
    alone = [count(layer.node.operator, layer.inputs) for layer in analysis.layers]
    assert analysis.total == total(alone)
    assert analysis.parameters == sum(costs.parameters for costs in alone)
    assert analysis.multiplies == sum(costs.multiplies for costs in alone)
    for index, node in enumerate(network.graph.nodes):
        assert all(0 <= i < index for i in node.inputs)
        assert all(type(size) is int and 0 < size < 2**63 for size in node.shape)
        assert node.path.isprintable()


def check_error(error: ArchError, text: str) -> None:
    """Printable, and the places are inside the text."""
    assert error.diagnostics
    shown = render(error).split("\n")
    assert shown[0].startswith("error: ")
    rows = text.split("\n")
    for line in shown:
        assert line.isprintable()
        assert len(line) < 1100
        if place := re.match(r" +┌─ fuzz\.toml:(\d+):(\d+)$", line):
            row, column = int(place[1]), int(place[2])
            assert 1 <= row <= len(rows)
            assert 1 <= column <= len(rows[row - 1]) + 1


@st.composite
def mutated(draw: st.DrawFn) -> str:
    """A bundled spec with some words, characters or lines gone, doubled, exchanged or replaced."""
    text = draw(st.sampled_from(TEXTS))
    for _ in range(draw(st.integers(1, 4))):
        kind = draw(st.sampled_from([r"\w+|\s+|[^\w\s]", r"[\s\S]", r"[^\n]*\n"]))
        parts = re.findall(kind, text) or [""]
        at = draw(st.integers(0, len(parts) - 1))
        other = draw(st.integers(0, len(parts) - 1))
        match draw(st.sampled_from(["delete", "double", "exchange", "replace", "insert", "cut"])):
            case "delete":
                del parts[at]
            case "double":
                parts.insert(at, parts[at])
            case "exchange":
                parts[at], parts[other] = parts[other], parts[at]
            case "replace":
                parts[at] = draw(pieces)
            case "insert":
                parts.insert(at, draw(pieces))
            case "cut":
                del parts[at:]
        text = "".join(parts)
    return text


@pytest.mark.attack  # tests/attack/test_specs.py mutates specs in every run
@settings(quiet, max_examples=400 * SCALE)
@given(mutated())
def test_mutated_specs(text: str) -> None:
    check_spec(text)


VARIABLES = {"n": 3, "m": [1, 2], "t": [[1, 2], [3]], "w": 0.75, "c": 2}
USED = "if n == m and t == w and c == 2: relu"  # every variable is mentioned


def written(template: str, *parts: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.builds(template.format, *parts)


terms = sampled("n m w t c channels 0 1 2 7 0.5 2.50 'a' true [] [1,'a']")
signs = sampled("+ - * / // % < <= == != in is and or **")
functions = sampled("min max floor ceil round_to sum len abs")
expressions = st.recursive(
    terms,
    lambda inner: st.one_of(
        written("{} {} {}", inner, signs, inner),
        written("({}) {} ({})", inner, signs, inner),
        written("{}({})", functions, inner),
        written("{}({}, {})", functions, inner, inner),
        written("{}[{}]", inner, inner),
        written("{} if {} else {}", inner, inner, inner),
        written("{}{}", st.sampled_from(["not ", "-", "+", "~", "("]), inner),
    ),
    max_leaves=5,
)
sizes = st.one_of(st.sampled_from(["4", "1x3", "8"]), written("{{{}}}", expressions))
calls = sampled("conv relu maxpool linear flatten add concat b d slice")
arguments = st.one_of(
    sizes,
    written("{}{}", st.sampled_from("kspdg"), sizes),
    written("{}={}", st.sampled_from(["from", "nobias", "table", "c"]), sizes),
    st.sampled_from(["half", "same", "nobias", "ceil", "crop", "@in", "@a", "..."]),
)
steps = st.one_of(
    written("{} {}", calls, st.lists(arguments, max_size=2).map(" ".join)),
    written("{{{}}}", expressions),
    pieces,
)
lines = written(
    "{}{}{}",
    st.one_of(st.just(""), written("if {}: ", expressions)),
    st.one_of(st.sampled_from(["", "a = ", "output a = "]), written("{} x ", sizes)),
    st.lists(steps, min_size=1, max_size=3).map(" | ".join),
)
numbers = st.one_of(sampled("n w c 1 2 3 0.5 channels m[0] len(t)"), written("{} + {}", terms, terms))
sound = written(
    "{}{}",
    st.sampled_from(["", "", "", "if n > 2: ", "a = ", "2 x ", "{n} x ", "z = 0 x ", "output y = "]),
    st.one_of(
        st.sampled_from(
            ["relu", "conv 4", "maxpool 2", "@in", "@in | conv 3 k3", "gap | linear 5", "b", "d 4"]
        ),
        st.sampled_from(
            ["@in | add @in", "mul @in crop", "concat @in", "upsample 2x1", "b s2", "{'b'} c3"]
        ),
        written("conv {{{}}} k{{{}}} half", numbers, numbers),
        written("conv 4 s{{{}}} | d {{{}}}", numbers, numbers),
        written("{{ceil({})}} x b c{{{}}}", numbers, numbers),
    ),
)
bodies = st.one_of(
    *[st.lists(sound, min_size=1, max_size=4)] * 5,
    st.lists(st.one_of(sound, lines), min_size=1, max_size=3),
)


@st.composite
def composed(draw: st.DrawFn) -> str:
    """A spec of lines, blocks and expressions that are put together at random, most of them sound."""
    strange = draw(st.integers(0, 9))
    parts = {
        "layers": [USED, *draw(bodies)],
        "input": f"{draw(sizes) if strange == 1 else 8}x{{n}}x4",
        "vars": VARIABLES
        | ({"c": draw(st.sampled_from([1.0, "relu", True, []]))} if strange == 2 else {}),
        "defaults": {"conv": draw(arguments) if strange == 3 else "nobias={n > 3}"},
        "block": {
            "b": {
                "args": f"c=4 d={draw(sizes) if strange == 4 else '{c}'}",
                "layers": "conv {d} ... | relu",
            },
            "d": {
                "args": "c",
                draw(sampled("add concat mul")): {"x": draw(bodies), "y": "@in"},
                "then": "bn",
            },
        },
        "variants": {"a": {"n": draw(st.integers(-1, 4)), "w": 1.5}},
    }
    return toml(parts)


def toml(table: dict[str, Any], path: str = "") -> str:
    """A table as TOML, values before tables."""
    flat = [(key, value) for key, value in table.items() if not isinstance(value, dict)]
    text = "".join(f"{key} = {json.dumps(value, ensure_ascii=False)}\n" for key, value in flat)
    for key, value in table.items():
        if isinstance(value, dict):
            text += f"[{path}{key}]\n{toml(value, f'{path}{key}.')}"
    return text


@settings(quiet, max_examples=150 * SCALE)
@given(composed())
def test_composed_specs(text: str) -> None:
    check_spec(text)


@settings(quiet, max_examples=300 * SCALE)
@given(expressions)
def test_expressions(text: str) -> None:
    parts = {"input": "8x8x4", "layers": [USED, f"conv {{{text}}}"], "vars": VARIABLES}
    check_spec(toml({**parts, "variants": {"a": {"n": 0, "w": 1.5, "c": -1}}}))


specs = sampled("vgg16 resnet50 inception lenet5_1998 ResNet-50 vgg - ghost.toml")
options = sampled("--n --classes --bn --no-bn --act --table --input --set --depth -- -x --all")
values = st.one_of(
    sampled("10 2,2,2,2,2 [[0]] relu true 64x64x3 0x1x1 vgg16:n=1,1,1,1,1 resnet50:stride:x"),
    st.sampled_from(STRANGE),
    st.text(max_size=6).filter(lambda text: "/" not in text),
)
words = st.one_of(
    specs, options, values, written("{}={}", options, values), written("{}={}", values, values)
)


@pytest.mark.attack  # tests/attack/test_command_lines.py mutates them in every run
@settings(quiet, max_examples=40 * SCALE)
@given(st.sampled_from(["params", "flops", "show"]), st.lists(words, max_size=6))
def test_command_lines(command: str, words: list[str]) -> None:
    out, err = StringIO(), StringIO()
    with (
        bounded(),
        patch.object(sys, "argv", ["archcalc", command, *words]),
        patch.object(catalog, "read_stdin", lambda: Source("<stdin>", "")),
        redirect_stdout(out),
        redirect_stderr(err),
    ):
        code = cli._run()
    assert all(line.isprintable() for line in (out.getvalue() + err.getvalue()).split("\n"))
    if code == 0:
        assert out.getvalue() and not err.getvalue()
    else:
        assert code == 2 and err.getvalue().startswith("error: ") and not out.getvalue()
