"""check, lint, solve, transfer and training on every bundled network: an answer, or one clear error.

All of them take minutes together and wait for `-m zoo`; the small ones run always.
"""

from __future__ import annotations

import pytest
from click.testing import CliRunner

import archcalc
from archcalc.cli import commands
from archcalc.errors import ArchError
from archcalc.spec import catalog
from archcalc.views.diagnostics import render

SMALL = ("lenet5", "inception", "llama3_copy", "siamese", "ds_cnn")
LINES = {
    "check": "--max-params 1M --max-multiplies 1G --max-peak 1MiB",
    "lint": "--align 8",
    "flops": "--training --images 1000 --epochs 2",
    "memory": "--training --batch 4 --optimizer adam --memory 8GiB",
    "transfer": "--images 100 --epochs 2 --memory 8GiB",
    "solve": "--vary input={half},{own} --best max:multiplies",
    "show": "--roofline --device t4 --batch 2",
}


def networks() -> list[object]:
    names = catalog.names()
    assert len(names) > 100 and set(SMALL) <= set(names)
    return [name if name in SMALL else pytest.param(name, marks=pytest.mark.zoo) for name in names]


@pytest.mark.parametrize("name", networks())
@pytest.mark.parametrize("command", LINES)
def test_an_answer_or_one_clear_error(command: str, name: str) -> None:
    shape = archcalc.load(name).graph.input
    sizes = ("x".join(map(str, (*(n // by or 1 for n in shape[:-1]), shape[-1]))) for by in (2, 1))
    half, own = sizes
    words = [command, name, *LINES[command].format(half=half, own=own).split()]
    try:
        result = CliRunner().invoke(commands, words, catch_exceptions=False)
    except ArchError as error:
        text = render(error)
        assert error.exit_code == 2 and text.count("error: ") == 1
        assert 10 < len(text) < 800 and "Traceback" not in text, text
    else:
        assert result.exit_code in (0, 1) and len(result.stdout.splitlines()) > 2
        assert result.stdout.startswith(archcalc.load(name).title[:8])
