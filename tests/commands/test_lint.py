"""`archcalc lint`: every rule finds what it looks for, and leaves alone what is sound."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from support.schema import faults

import archcalc
from archcalc.cli import commands
from archcalc.lint import RULES

WIDE = "32x32x16 | "
# rule: what it says of a network, and a network like it of which it says nothing
CASES = {
    # windows of 3 at 0, 4 and 8 leave out rows 3 and 7 of 11: 11·11 − 9·9
    "unread": ("11x11x16 | conv 16 k3 s4", "40 of 121 positions (33.1 %)", "11x11x16 | conv 16 k3 s2"),
    # ceil(8/2) = 4 outputs need 3·2 + 3 − 8 = 1 zero; of 9 pixels 4·2 + 3 − 9 = 2
    "same": ("8x8x16 | conv 16 k3 s2 same", "one pixel more behind", "9x9x16 | conv 16 k3 s2 same"),
    # (8 − 3)/2 is 2.5: 3 or 4 rows; (9 − 3)/2 is whole
    "ceil": (
        "8x8x16 | maxpool 3 s2 ceil",
        "4×4×16; rounded down it is 3×3×16",
        "9x9x16 | maxpool 3 s2 ceil",
    ),
    # two 5×5 see 9 of 8 pixels; one sees 5
    "field": ("8x8x4 | conv 4 k5 half | conv 4 k5 half", "9×9 pixels", "8x8x4 | conv 4 k5 half"),
    # 32·32·16 values to 32·32·2 is 8 times fewer; to 32·32·4 is 4 times
    "bottleneck": (f"{WIDE}conv 2 | conv 16", "8.0 times fewer", f"{WIDE}conv 4 | conv 16"),
    "bias": (f"{WIDE}conv 16 | bn", "16 biases", f"{WIDE}conv 16 nobias | bn"),
    # of 32·32·(16 + 64) alive at the first layer 64 parts of 80; of 16 + 16 + 16 none is half
    "peak": (
        f"{WIDE}conv 64 | maxpool 4",
        "80.0 % of the peak",
        f"{WIDE}a = conv 16 | conv 16 | add @in",
    ),
    # 4·4·8·100 + 100 of 12,900 + 1,010; behind gap 8·100
    "dense": (
        "4x4x8 | flatten | linear 100 | linear 10",
        "behind `gap` 800",
        "4x4x8 | gap | linear 100",
    ),
}


def lint(*words: object) -> Result:
    return CliRunner().invoke(commands, ["lint", *map(str, words)])


def found(*words: object) -> list[dict[str, object]]:
    told = json.loads(lint(*words, "--format", "json").stdout)
    findings: list[dict[str, object]] = told["networks"][0]["findings"]
    return findings


def of(rule: str, *words: object) -> list[str]:
    return [str(f["told"]) for f in found(*words) if f["rule"] == rule]


@pytest.mark.parametrize("rule", CASES)
def test_a_rule_fires_where_it_should(rule: str) -> None:
    fires, says, quiet = CASES[rule]
    assert any(says in told for told in of(rule, fires)), found(fires)
    assert of(rule, quiet) == []


def test_every_rule_is_tested() -> None:
    assert {*CASES, "align", "unused", "shortcut"} == set(RULES)


def test_widths_are_looked_at_on_demand() -> None:
    """The last layer's width is the number of classes."""
    net = "8x8x16 | conv 12 | relu | conv 24 | gap | linear 10"
    assert of("align", net) == []
    assert of("align", net, "--align", 8) == ["12 channels are no multiple of 8"]
    assert len(of("align", net, "--align", 32)) == 2


def test_a_variable_that_counts_under_no_setting(tmp_path: Path) -> None:
    path = tmp_path / "net.toml"
    path.write_text(
        'input = "8x8x16"\nlayers = ["conv {n}", "if n < 0: conv {m}", "if deep: conv {d}"]\n'
        "[vars]\nn = 16\nm = 16\ndeep = false\nd = 16\n"
    )
    assert of("unused", path) == ["nothing reads the variable `m`, whatever the others are: 16"]


@pytest.mark.parametrize(
    "branch, fires",
    [
        ('"if s > 1: conv 8 s{s}"', True),
        ('["@in", "if s > 1: conv 8 s{s}"]', False),
        ('"if s == 1: @in"', False),  # the identity itself is what may be off
        ('"conv 8 s{s}"', False),
        ('["if s > 1: conv 8 s2", "if s == 1: conv 8"]', False),  # one of both is on
    ],
)
def test_a_shortcut_that_is_dropped(branch: str, fires: bool, tmp_path: Path) -> None:
    """`unit` at s = 1 is main alone, or main and what arrives."""
    path = tmp_path / "net.toml"
    path.write_text(
        'input = "8x8x8"\nlayers = "unit | unit s2"\n[block.unit]\nargs = "s=1"\n'
        f'add.main = "conv 8 k3 s{{s}} p1"\nadd.shortcut = {branch}\n'
    )
    told = of("shortcut", path)
    place = "`add.shortcut` of the block `unit`"
    says = f"{place} adds nothing where its condition is off, not even what arrives"
    assert told == ([says] if fires else [])


@pytest.mark.parametrize(
    "network, rule, layer, says",
    [
        ("alexnet --input 224", "unread", "input", "447 of 50,176"),  # 223 · 223 are read
        ("googlenet", "ceil", "maxpool", "rounded down it is 55×55×64"),
        ("vgg16", "dense", "linear", "102,764,544 parameters"),  # 7·7·512·4096 + 4096
        ("mobilenet_v2", "peak", "stage2/unit/main/expand/conv", "112×112×96"),
    ],
)
def test_what_people_trip_over(network: str, rule: str, layer: str, says: str) -> None:
    assert 224 * 224 - 223 * 223 == 447 and 7 * 7 * 512 * 4096 + 4096 == 102_764_544
    assert any(
        f["rule"] == rule and f["layer"] == layer and says in str(f["told"])
        for f in found(*network.split())
    )


def test_a_rule_can_be_turned_off() -> None:
    assert of("dense", "vgg16", "--off", "dense") == []
    assert of("peak", "vgg16", "--off", "dense") != []


def test_strict_exits_with_a_finding() -> None:
    assert lint("vgg16").exit_code == 0
    assert lint("vgg16", "--strict").exit_code == 1
    assert lint("vgg16", "--strict", "--off", "dense", "--off", "peak").exit_code == 0


def test_annotations_name_the_line(tmp_path: Path) -> None:
    path = tmp_path / "net.toml"
    path.write_text('input = "32x32x16"\nlayers = [\n  "conv 16 nobias",\n  "conv 16",\n  "bn",\n]\n')
    (line,) = lint(path, "--format", "github", "--off", "peak").stdout.splitlines()
    assert line.startswith(f"::error file={path},line=4,title=net%3A bias::16 biases")


def test_json_is_as_the_schema_says() -> None:
    schema = json.loads((Path(archcalc.__file__).parent / "views" / "schema.json").read_text("utf-8"))
    told = json.loads(lint("vgg16", "--format", "json").stdout)
    assert list(faults(told, schema, schema)) == []


@pytest.mark.parametrize("name", ["resnet50", "resnet20", "repvgg_a0", "hrnet_w18", "efficientnet_v2_s"])
def test_branches_that_are_a_choice_are_left_alone(name: str) -> None:
    """By a variable of the spec, from another tensor, or with a line for either case."""
    assert of("shortcut", name) == []
