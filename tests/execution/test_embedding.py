"""Words as vectors against their definition, tied heads, and what an embedding refuses to look up."""

from __future__ import annotations

from math import cos, sin
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

import archcalc
from archcalc.analysis.costs import analyze
from archcalc.cli import commands
from archcalc.errors import UsageError
from archcalc.execution.inputs import seeded, vocabularies
from archcalc.execution.reference import run
from archcalc.execution.verify import prove
from archcalc.execution.weights import make
from archcalc.graph.build import build
from archcalc.graph.model import Graph
from archcalc.operators import operator_class
from archcalc.spec.model import Source
from archcalc.spec.read import read


def graph_of(input: str, *lines: str) -> Graph:
    return build(read(Source("net.toml", f'input = "{input}"\nlayers = {[*lines]}')), {})


def test_rows_of_the_table() -> None:
    table = np.arange(12, dtype=np.float32).reshape(4, 3)
    ids = np.array([[[3], [0], [3]]], np.float32)
    y = run(operator_class("embedding")(4, 3), [ids], {"weight": table})
    assert y.tolist() == [[[9, 10, 11], [0, 1, 2], [9, 10, 11]]]


@pytest.mark.parametrize("value, said", [(4, "4"), (-1, "-1"), (0.5, "0.5"), (np.nan, "nan")])
def test_what_is_no_id(value: float, said: str) -> None:
    ids = np.array([[[3], [0], [3]], [[1], [value], [2]]], np.float32)
    with pytest.raises(UsageError) as caught:
        run(operator_class("embedding")(4, 3), [ids], {"weight": np.zeros((4, 3), np.float32)})
    message = f"`embedding 4 3` reads {said} at place 1 of image 1, which is no id"
    assert [(d.message, d.help) for d in caught.value.diagnostics] == [
        (message, "ids are whole numbers of 0 … 3")
    ]


def test_ids_of_a_file(tmp_path: Path) -> None:
    """The same from the command line."""
    np.save(tmp_path / "ids.npy", np.full((1, 6, 1), 10, np.float32))
    arguments = ["run", "6x1 | embedding 10 4", "--image", str(tmp_path / "ids.npy")]
    result = CliRunner().invoke(commands, arguments)
    assert isinstance(result.exception, UsageError)
    assert "`embedding 10 4` reads 10 at place 0 of image 0, which is no id" in str(result.exception)
    np.save(tmp_path / "ids.npy", np.full((1, 6, 1), 9, np.float32))
    assert CliRunner().invoke(commands, arguments).exit_code == 0


def test_seeded_ids_are_below_the_fewest_words() -> None:
    """Two columns of ids, of 3 and of 50 words: an input holds ids that both know."""
    lines = ["ids = slice 1", "@in | slice 1 from=1 | embedding 50 4", "@ids | embedding 3 4"]
    graph = graph_of("40x2", *lines)
    assert vocabularies(graph) == {0: 3}
    assert set(np.unique(seeded(graph, 0, 2, 0))) == {0, 1, 2}


def test_other_inputs_are_no_ids() -> None:
    assert vocabularies(graph_of("8x4", "linear 3")) == {}


def test_computed_values_are_no_ids() -> None:
    graph = graph_of("8x4", "linear 1", "embedding 5 3")
    with pytest.raises(UsageError) as caught:
        seeded(graph, 0, 1, 0)
    message = "embedding (`embedding 5 3`) reads no ids: linear computes values"
    assert caught.value.diagnostics[0].message == message


def test_waves() -> None:
    x = np.zeros((1, 5, 6), np.float32)
    y = run(operator_class("sinusoid")(), [x], {})
    for place in range(5):
        for pair in range(3):
            angle = place / 10000 ** (2 * pair / 6)
            np.testing.assert_allclose(
                y[0, place, 2 * pair : 2 * pair + 2], [sin(angle), cos(angle)], 1e-6
            )


def test_a_table_of_more_places() -> None:
    position = np.arange(8, dtype=np.float32).reshape(4, 2)
    y = run(
        operator_class("posembed")(places=4), [np.ones((1, 2, 2), np.float32)], {"position": position}
    )
    assert y.tolist() == [[[1, 2], [3, 4]]]


def test_a_tied_head() -> None:
    """Its table counts once, its products each time; its weights are those of the embedding."""
    graph = graph_of("7x1", "tok = embedding 30 8", "ln", "unembed @tok")
    analysis = archcalc.load("7x1 | embedding 30 8 | ln | linear 30 nobias").analyze()
    tied = analyze(graph)
    assert (tied.parameters, analysis.parameters) == (30 * 8 + 16, 2 * 30 * 8 + 16)
    assert tied.multiplies == analysis.multiplies == 7 * 30 * 8
    weights = make(graph)
    assert list(weights) == ["tok", "ln"]
    assert prove(graph, weights, seeded(graph, 0, 1, 0)).verdict == "verified"
