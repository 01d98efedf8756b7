"""The help of every command fits a terminal of 80 columns, also with the variables of a spec."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from archcalc.cli import COMMANDS, commands
from archcalc.spec import catalog

WIDTH = 80


def help_lines(*words: str) -> list[str]:
    result = CliRunner().invoke(commands, [*words, "--help"], "archcalc", env={"COLUMNS": str(WIDTH)})
    assert result.exit_code == 0
    return result.output.splitlines()


@pytest.mark.parametrize("words", [[], *([command] for command in COMMANDS)], ids=" ".join)
def test_help_fits(words: list[str]) -> None:
    assert [line for line in help_lines(*words) if len(line) > WIDTH] == []


def test_variables_fit() -> None:
    families = {catalog.find(name).spec.source.name: name for name in catalog.names()}
    assert len(families) > 20
    for name in families.values():
        assert [line for line in help_lines("show", name) if len(line) > WIDTH] == []
