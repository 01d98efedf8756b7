"""What results give to a table, a document, a notebook."""

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import archcalc

SMALL = "8x8x1 | conv 4 k3 | relu | conv 2 k3"
RESULTS: dict[str, Callable[[], Any]] = {
    "network": lambda: archcalc.load(SMALL),
    "analysis": lambda: archcalc.load(SMALL).analyze(),
    "memory": lambda: archcalc.load(SMALL).memory(),
    "field": lambda: archcalc.load(SMALL).field(),
    "difference": lambda: archcalc.load(SMALL).diff(archcalc.load("8x8x1 | conv 4 k3")),
}


@pytest.mark.parametrize("name", RESULTS)
def test_rows_documents_and_pages(name: str) -> None:
    found = RESULTS[name]()
    rows = found.rows
    assert rows
    for row in rows:
        assert row.keys() == rows[0].keys()
        assert all(value is None or type(value) in (str, int, float) for value in row.values())
    document = found.to_dict()
    assert json.loads(json.dumps(document)) == document
    assert "<table><tr><th>" in found._repr_html_()  # of a network after its picture
    assert rows._repr_html_().startswith("<table><tr><th>")
    assert repr(found).startswith(f"<{type(found).__name__} ")


def test_the_layers_of_a_network() -> None:
    """8×8×1 → 6×6×4 → 4×4×2: what is alive while a layer runs is its input and its output."""
    rows = archcalc.load(SMALL).show()
    assert [row["output"] for row in rows] == ["8×8×1", "6×6×4", "6×6×4", "4×4×2"]
    assert [row["field_width"] for row in rows] == [1, 3, 3, 5]
    first, relu, last = 8 * 8 + 6 * 6 * 4, 6 * 6 * 4, 6 * 6 * 4 + 4 * 4 * 2
    assert [row["alive"] for row in rows] == [8 * 8, first, relu, last]
    assert rows[3]["multiplies"] == 4 * 4 * 2 * 3 * 3 * 4


def test_names_are_text_on_a_page() -> None:
    rows = archcalc.load("8x8x1 | conv 4 k3").rows
    rows[0]["path"] = "<b>&"
    assert "<td>&lt;b&gt;&amp;</td>" in rows._repr_html_()


def test_a_difference_counts_what_is_new() -> None:
    found = archcalc.load("8x8x1 | conv 4 k3").diff(archcalc.load(SMALL))
    assert [row["status"] for row in found.rows] == ["same", "new", "new"]
    assert found.to_dict()["parameters"] == [9 * 4 + 4, 9 * 4 + 4 + 9 * 4 * 2 + 2]
    with pytest.raises(archcalc.ArchError, match="no layer of a difference is `old`"):
        found.count("old")  # type: ignore[arg-type]


def test_the_list_of_networks() -> None:
    networks = archcalc.list()
    assert "vgg16" in networks
    assert "vgg17" not in networks
    entry = next(entry for entry in networks if entry.name == "vgg16")
    assert (entry.title, entry.year, entry.input) == ("VGG-16", 2014, "224x224x3")
    assert archcalc.load(entry).analyze().parameters == entry.parameters
    assert networks._repr_html_().startswith("<table><tr><th>name</th><th>title</th>")


def conv(channels: int) -> int:
    return channels * (3 * 3 * 3 + 1)


SPEC = 'input = "16x16x3"\nvars.c = 4\nlayers = ["conv {c} k3"]\n'


@pytest.mark.parametrize(
    "values", ["4:12:4", "4,8,12", range(4, 13, 4), [4, 8, 12], np.arange(4, 13, 4)]
)
def test_a_sweep_has_a_row_a_point(values: Any) -> None:
    rows = archcalc.sweep(SPEC, {"c": values})
    assert [(row["c"], row["parameters"]) for row in rows] == [(c, conv(c)) for c in (4, 8, 12)]
    assert rows.refused == []


def test_a_sweep_in_mixed_types() -> None:
    """c filters of 27 numbers and a bias at 4 bits; the 16×16×3 that enter and c maps of 14×14 at 16."""
    rows = archcalc.sweep(SPEC, {"c": [1, 2, 3]}, dtype="int4xfloat16")
    assert [row["weights"] for row in rows] == [-(-conv(c) // 2) for c in (1, 2, 3)] == [14, 28, 42]
    assert [row["stored"] for row in rows] == [2 * (16 * 16 * 3 + 14 * 14 * c) for c in (1, 2, 3)]


def test_a_sweep_over_inputs() -> None:
    rows = archcalc.sweep(archcalc.load(SPEC), {"input": [8, (16, 8, 3), "8x16x3"]})
    assert [row["input"] for row in rows] == ["8x8x3", "16x8x3", "8x16x3"]
    assert [row["multiplies"] for row in rows] == [n * 27 * 4 for n in (6 * 6, 14 * 6, 6 * 14)]


def test_a_sweep_keeps_what_is_asked_for() -> None:
    rows = archcalc.sweep(SPEC, {"c": range(1, 100)}, where=f"parameters <= {conv(10)}")
    assert [row["c"] for row in rows] == list(range(1, 11))
    best = archcalc.sweep(SPEC, {"c": range(1, 100)}, by="max:parameters", top=2)
    assert [row["c"] for row in best] == [99, 98]
    front = archcalc.sweep(SPEC, {"c": range(5, 9), "input": [8, 16]}, pareto=["params", "max:output"])
    assert [(row["c"], row["output"], row["count"]) for row in front] == [(5, 14, 1)]
    assert len(archcalc.sweep(SPEC, {"c": range(1, 100)}, sample=7, seed=3)) == 7


def test_a_sweep_tells_what_is_no_network() -> None:
    rows = archcalc.sweep(SPEC, {"input": [2, 3]})
    assert [row["input"] for row in rows] == ["3x3x3"]
    assert [(refusal.points, refusal.example) for refusal in rows.refused] == [(1, {"input": "2x2x3"})]


ODD: list[Any] = [None, True, 0, -1, 10**30, 2.5, float("nan"), "", " ", "x", "\n", "1:2:0", "9:1", {}]
ODD += [b"a", [], (1, 2, 3), {1: 2}, object(), np.int64(7), np.float32(3), np.arange(3), set(), len]
ODD += ["\ud800", 2 + 1j, (1, (2,)), range(3), range(0), range(9, 1), [None], [[[]]], "a=b", "vgg16"]


@pytest.mark.parametrize("number", range(len(ODD)))
def test_every_refusal_is_an_arch_error(number: int) -> None:
    odd = ODD[number]
    network = archcalc.load("8x8x1 | conv 4 k3")
    calls: list[Any] = [
        lambda: archcalc.sweep(odd, {"classes": [10]}),
        lambda: archcalc.sweep(SPEC, odd),
        lambda: archcalc.sweep(SPEC, {"c": odd}),
        lambda: archcalc.sweep(SPEC, {"input": odd}),
        lambda: archcalc.sweep(SPEC, {odd if getattr(odd, "__hash__", None) else "d": [1]}),
        *(
            lambda option=option: archcalc.sweep(SPEC, {"c": [1, 2]}, **{option: odd})
            for option in ("where", "pareto", "by", "top", "sample", "seed", "dtype")
        ),
        lambda: network.symbolic(odd),
        lambda: network.shrunken(odd),
        lambda: network.diff(network).count(odd),
    ]
    for call in calls:
        try:
            call()
        except archcalc.ArchError as error:
            assert str(error)


def test_odd_arguments_are_named() -> None:
    network = archcalc.load("8x8x1 | conv 4 k3")
    cases: list[tuple[Any, str]] = [
        (lambda: network.symbolic(5), "a int names no variable"),
        (lambda: network.shrunken("x"), "`x` is no number of pixels"),
        (lambda: archcalc.sweep(SPEC, 5), "a int says not what to vary"),
        (lambda: archcalc.sweep(SPEC, {5: [1]}), "a int names no variable"),
        (lambda: archcalc.sweep(SPEC, {"c": []}), "`c` takes no values"),
        (lambda: archcalc.sweep(SPEC, {"c": [None]}), "`c`: a NoneType is no value of a variable"),
        (lambda: archcalc.sweep(SPEC, {"c": [1]}, top=0), "`top` must be an integer from 1, not `0`"),
        (lambda: archcalc.sweep(SPEC, {"c": [1]}, where=1), "`where` must be text, not a int"),
        (lambda: archcalc.sweep(SPEC, {"c": [1]}, pareto=1), "`pareto` must name metrics"),
        (lambda: archcalc.sweep(SPEC, {"c": [1]}, dtype="f"), "no dtype is called `f`"),
        (lambda: archcalc.sweep(SPEC, {"c": [1]}, top=10**7), "more than 1,000,000 rows"),
    ]
    for call, message in cases:
        with pytest.raises(archcalc.ArchError, match=message):
            call()
