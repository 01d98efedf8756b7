"""`archcalc check`: budgets of a spec, of its parts, of the command line, and against git."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from support.schema import faults

import archcalc
from archcalc.cli import commands
from archcalc.errors import ArchError

# conv 3·3·4·8 + 8, of 8·8 positions; linear 8·10 + 10
CONV, LINEAR = 3 * 3 * 4 * 8 + 8, 8 * 10 + 10
PRODUCTS = 8 * 8 * 8 * 3 * 3 * 4
NET = """input = "8x8x4"
layers = ["a = conv {width} k3 half", "gap | linear 10"]
[vars]
width = 8
"""


@pytest.fixture
def net(tmp_path: Path) -> Path:
    path = tmp_path / "net.toml"
    path.write_text(NET)
    return path


def check(*words: object) -> Result:
    return CliRunner().invoke(commands, ["check", *map(str, words)])


def limits(*words: object) -> list[dict[str, object]]:
    told = json.loads(check(*words, "--format", "json").stdout)
    found: list[dict[str, object]] = told["networks"][0]["limits"]
    return found


@pytest.mark.parametrize(
    "option, least, value",
    [
        ("--max-params", CONV + LINEAR, CONV + LINEAR),
        ("--max-multiplies", PRODUCTS + 80, PRODUCTS + 80),
        ("--max-weights", 4 * (CONV + LINEAR), 4 * (CONV + LINEAR)),
        ("--max-peak", 4 * 8 * 8 * (4 + 8), 4 * 8 * 8 * (4 + 8)),  # the conv's input and output
        ("--max-stored", 4 * (8 * 8 * (4 + 8) + 8 + 10), 4 * (8 * 8 * (4 + 8) + 8 + 10)),
    ],
)
def test_a_limit_turns_where_the_value_is(net: Path, option: str, least: int, value: int) -> None:
    assert check(net, option, least).exit_code == 0
    over = check(net, option, least - 1)
    assert over.exit_code == 1 and " over" in over.stdout
    assert [f["value"] for f in limits(net, option, least)] == [value]


def test_a_least_limit_turns_where_the_value_is(net: Path) -> None:
    assert check(net, "--min-field", 3).exit_code == 0
    short = check(net, "--min-field", 4)
    assert short.exit_code == 1 and "1 short" in short.stdout
    assert check(net, "--min-output", 8).exit_code == 0
    assert check(net, "--min-output", 9).exit_code == 1


def test_bytes_are_of_the_data_type(net: Path) -> None:
    assert check(net, "--max-weights", CONV + LINEAR, "--dtype", "int8").exit_code == 0
    assert check(net, "--max-weights", "1KB").exit_code == 1
    assert check(net, "--max-weights", "1KB", "--dtype", "float16").exit_code == 0


def test_conditions(net: Path) -> None:
    assert check(net, "--where", f"multiplies == {PRODUCTS} + 80 and width == 8").exit_code == 0
    broken = check(net, "--where", "peak <= 1KiB")
    assert broken.exit_code == 1 and "≤ 1.0 KiB   3.0 KiB   300.0 %  2.0 KiB over" in broken.stdout
    either = check(net, "--where", "peak <= 1KiB or width == 9")
    assert either.exit_code == 1 and "does not hold" in either.stdout


def test_a_broken_condition_says_by_how_much(net: Path) -> None:
    """Of two that must hold it is the one that fails; its sides may stand either way."""
    for text in (
        f"multiplies('a') <= {PRODUCTS - 5}",
        f"width == 8 and {PRODUCTS - 5} >= multiplies('a')",
    ):
        (found,) = limits(net, "--where", text)
        assert (found["bound"], found["value"], found["fits"]) == (PRODUCTS - 5, PRODUCTS, False)
        assert "5 over" in check(net, "--where", text).stdout
    assert "1 short" in check(net, "--where", "width >= 9").stdout
    assert "does not hold" in check(net, "--where", "width > 8").stdout


def test_settings_near_a_condition_of_a_block() -> None:
    """5×5 of 192 channels: 28·28·32·25·192 products; behind 16 channels 28·28·(16·192 + 32·25·16),
    and with 3 outputs 28·28·3·25·192 = 11,289,600, with 4 of them 15,052,800."""
    assert 28 * 28 * (16 * 192 + 32 * 25 * 16) <= 12_500_000 < 28 * 28 * 4 * 25 * 192
    told = check("inception", "--where", "multiplies('5x5') <= 12.5M")
    assert told.exit_code == 1
    assert f"{28 * 28 * 32 * 25 * 192 - 12_500_000:,} over" in told.stdout
    assert "each alone would fit: bottleneck = 16 · n5 = 3" in told.stdout


def test_classes_are_no_choice(net: Path) -> None:
    """Fewer classes would fit, but they are what the network is for."""
    net.write_text(
        NET.replace("linear 10", "linear {classes}").replace("[vars]", "[vars]\nclasses = 10")
    )
    told = json.loads(check(net, "--max-params", CONV + LINEAR - 1, "--format", "json").stdout)
    assert told["networks"][0]["nearest"] == [{"width": "7"}]


def test_a_block_that_is_not_there(net: Path) -> None:
    with pytest.raises(ArchError) as caught:
        CliRunner().invoke(
            commands, ["check", str(net), "--where", "multiplies('zzz') <= 1"], catch_exceptions=False
        )
    (told,) = caught.value.diagnostics
    assert told.message == "no layer or block is called `zzz`"
    assert told.help.startswith("a, ") and told.help.endswith(
        "; `archcalc show SPEC --all` lists all layers"
    )


BUDGET = f"""
[budget]
dtype = "int8"
max-params = {CONV + LINEAR}
max-weights = "{CONV + LINEAR}"
where = ["width <= 8", "field >= 3"]
[budget.a]
max-params = {CONV - 1}
"""


def test_a_budget_in_the_spec(net: Path) -> None:
    net.write_text(NET + BUDGET)
    found = limits(net)
    assert [f["fits"] for f in found] == [True, True, True, True, False]
    assert [f["line"] for f in found] == [8, 9, 10, 10, 12]
    assert (found[-1]["part"], found[-1]["value"]) == ("a", CONV)
    assert found[-1]["heaviest"] == [{"path": "a", "value": CONV}]
    assert check(net).exit_code == 1


def test_annotations_of_github(net: Path) -> None:
    """The runner reads ::error file=…,line=…,title=…::message, with %, : and , escaped."""
    net.write_text(NET + BUDGET)
    (line,) = check(net, "--format", "github").stdout.splitlines()
    head, _, message = line.removeprefix("::error ").partition("::")
    place = dict(part.split("=") for part in head.split(","))
    assert place == {"file": str(net), "line": "12", "title": "net%3A a%3A parameters"}
    assert message == f"{CONV}, ≤ {CONV - 1} allowed: 1 over; most parameters of a: a {CONV} (100.0 %25)"


def test_the_nearest_setting_fits_and_the_one_before_does_not(net: Path) -> None:
    bound = 3 * 3 * 4 * 5 + 5 + 5 * 10 + 10  # width 5
    told = json.loads(check(net, "--max-params", bound, "--format", "json").stdout)
    assert told["networks"][0]["nearest"] == [{"width": "5"}]
    assert check(f"{net}:width=5", "--max-params", bound).exit_code == 0
    assert check(f"{net}:width=6", "--max-params", bound).exit_code == 1


def test_several_specs_are_all_told(net: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.toml"
    other.write_text(NET.replace("width = 8", "width = 4"))
    told = check(net, other, "--max-params", CONV)
    assert told.exit_code == 1
    assert told.stdout.count("parameters") >= 2 and "fits" in told.stdout and "over" in told.stdout


def test_against_a_revision(tmp_path: Path, net: Path) -> None:
    """One filter more: 4·3·3 + 1 + 10 parameters, over 0 % and under 15 % of what there was."""

    def git(*words: str) -> None:
        own = ["-c", "user.name=t", "-c", "user.email=t@t"]
        subprocess.run(["git", *own, *words], cwd=tmp_path, check=True, capture_output=True)

    git("init", "-q", "-b", "main")
    git("add", "net.toml")
    git("commit", "-qm", "one")
    assert check(net, "--against", "main").exit_code == 0
    net.write_text(NET.replace("width = 8", "width = 9"))
    assert check(net, "--against", "main").exit_code == 1
    assert 47 / (CONV + LINEAR) < 0.15
    assert check(net, "--against", "main", "--tolerance", "15%").exit_code == 0
    assert check(net, "--against", "main", "--tolerance", "0.11").exit_code == 1


@pytest.mark.parametrize(
    "words, message, help",
    [
        ((), "has no budget", "[budget] in the spec"),
        (("--max-params", "much"), "`much` is no count", ""),
        (("--where", "size < 3"), "unknown name `size`", ""),
        (("--tolerance", "some", "--max-params", "1"), "`some` is no share", "--tolerance 1%"),
    ],
)
def test_refusals(net: Path, words: tuple[str, ...], message: str, help: str) -> None:
    with pytest.raises(ArchError, match=re.escape(message)) as caught:
        CliRunner().invoke(commands, ["check", str(net), *words], catch_exceptions=False)
    (told,) = caught.value.diagnostics
    assert help in told.help


@pytest.mark.parametrize(
    "text, message, help",
    [
        ("[budget]\nmax-prams = 3\n", "no limit is called `max-prams`", "did you mean `max-params`?"),
        ("[budget.a]\nmin-field = 3\n", "no limit of a part is called `min-field`", ""),
        ("[budget.b]\nmax-params = 3\n", "no layer or block is called `b`", ""),
        ("[budget]\nmax-params = true\n", "a budget is a number or text", "as in max-params"),
        ('[budget]\ndtype = "int7"\n', "no dtype is called `int7`", "did you mean `int8`?"),
    ],
)
def test_a_wrong_budget_has_its_place(net: Path, text: str, message: str, help: str) -> None:
    net.write_text(NET + text)
    with pytest.raises(ArchError) as caught:
        CliRunner().invoke(commands, ["check", str(net), "--max-params", "1"], catch_exceptions=False)
    (told,) = caught.value.diagnostics
    assert help in told.help


def test_json_is_as_the_schema_says(net: Path) -> None:
    schema = json.loads((Path(archcalc.__file__).parent / "views" / "schema.json").read_text("utf-8"))
    told = json.loads(check(net, "--max-params", 1, "--format", "json").stdout)
    assert list(faults(told, schema, schema)) == []
