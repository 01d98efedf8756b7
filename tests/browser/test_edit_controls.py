"""Each control of the live page, by what the commands count; mistakes and words as they are seen."""

from __future__ import annotations

import json
from typing import Any

import pytest
from support.live import SMALL
from support.page import Opening, Page

import archcalc

RESNET = archcalc.load("resnet50").spec.source.text
WORDS = """input = "8x8x3"
layers = ["first = conv {width} k3", "unit", "add @first", "relu"]
[vars]
width = { default = 4, help = "of all maps" }
[block.unit]
layers = "conv {width} k3 same"
"""


def multiplies(**changes: Any) -> int:
    return int(archcalc.load("resnet50", **changes).analyze().multiplies)


def test_every_kind_of_variable_has_its_control(opening: Opening) -> None:
    """Slider and field, select, check box, and a field for a list, as `archcalc flops` counts."""
    page = opening(RESNET, variant="resnet50")
    kinds = page.js(
        "Object.fromEntries([...document.querySelectorAll('#controls [data-name]')].map(row =>"
        " [row.dataset.name, [...row.querySelectorAll('input, select')].map(e => e.type).join()]))"
    )
    assert {kinds[name] for name in ("classes", "groups", "width", "se")} == {"range,text"}
    assert {kinds[name] for name in ("unit", "shortcut", "stride", "variant")} == {"select-one"}
    assert (kinds["bias"], kinds["n"], kinds["input"]) == ("checkbox", "text", "text")
    assert set(kinds) == {*archcalc.load("resnet50").spec.variables, "variant", "input"}

    page.browser.click("#set-bias")
    page.settled()
    assert page.total("parameters") == archcalc.load("resnet50", bias=True).analyze().parameters
    page.put("#set-unit", "basic", "change")
    assert page.total("multiplies") == multiplies(bias=True, unit="basic")
    page.put("#set-n", "1,2,3,4")
    assert page.total("multiplies") == multiplies(bias=True, unit="basic", n="1,2,3,4")
    page.put("#set-input", "64")
    assert page.total("multiplies") == multiplies(bias=True, unit="basic", n="1,2,3,4", input="64")
    assert page.js("document.getElementById('changes').textContent").startswith("4 settings changed")
    page.browser.click("#reset")
    page.settled()
    assert page.total("multiplies") == multiplies()
    fields = "['n', 'unit', 'input'].map(name => document.getElementById(`set-${name}`).value)"
    assert page.js(fields) == ["3,4,6,3", "bottleneck", ""]
    page.put("#set-variant", "resnet18", "change")
    assert page.total("multiplies") == archcalc.load("resnet18").analyze().multiplies


def test_each_key_stroke_is_counted(opening: Opening) -> None:
    page = opening()
    page.replace("conv 5", "conv ")
    asked, seen = page.js("state.number"), []
    for digit in "123":
        page.press(digit, ord(digit), digit)
        page.settled()
        seen.append(page.total("parameters"))
    assert page.js("state.number") == asked + 3
    assert seen == [4 * 28 + filters * 37 for filters in (1, 12, 123)]


def test_a_mistake_is_seen_with_its_help(opening: Opening) -> None:
    """Exactly its characters, behind an emoji too, which is two for a browser; what is old is pale."""
    page = opening(SMALL.replace("Small", "S🎉mall"))
    page.replace("conv 5 k3", "convv 5 k3")
    assert page.underlined() == ["convv"]
    line = "getComputedStyle(document.querySelector('.cm-lintRange-error'))"
    assert page.js(f"[{line}.textDecorationLine, {line}.textDecorationStyle]") == ["underline", "wavy"]
    told = "document.getElementById('mistakes').innerText"
    assert "unknown operator or block `convv`" in page.js(told)
    assert "did you mean `conv`?" in page.js(told)
    opacity = "Number(getComputedStyle(document.querySelector('SELECTOR')).opacity)"
    pale = [opacity.replace("SELECTOR", name) for name in ("#picture", "#totals > *", "#rows")]
    page.until(f"{pale[0]} < .5")  # it fades
    assert [page.js(each) < 0.5 for each in pale] == [True] * 3
    page.js("document.getElementById('search').focus()")
    page.browser.click("#mistakes button")  # leads to its place
    selected = "editor.state.sliceDoc(editor.state.selection.main.from, editor.state.selection.main.to)"
    assert page.js(selected) == "convv" and page.js("editor.hasFocus")
    page.replace("convv", "conv")
    page.until(f"{pale[0]} === 1")
    assert [page.js(each) for each in pale] == [1] * 3


def test_every_mistake_is_underlined(opening: Opening) -> None:
    page = opening()
    page.paste(SMALL.replace("relu", "rely").replace("conv 5", "konv 5"))
    assert page.underlined() == ["rely", "konv"]
    assert page.js("document.querySelectorAll('#mistakes li').length") == 2


def completed(page: Page, typed: str) -> list[str]:
    """Return what is offered behind what is typed for `relu`, as it is seen."""
    page.js("editor.focus()")
    page.paste(WORDS)
    page.replace("relu", typed)
    page.js("CM.startCompletion(editor)")
    page.until("document.querySelector('.cm-tooltip-autocomplete li') !== null")
    found = page.js("[...document.querySelectorAll('.cm-completionLabel')].map(e => e.textContent)")
    page.press("Escape", 27)
    assert isinstance(found, list)
    return found


def test_all_kinds_of_words_are_completed(opening: Opening) -> None:
    page = opening(WORDS)
    assert completed(page, "maxp")[0] == "maxpool"
    assert completed(page, "uni")[0] == "unit"
    assert completed(page, "conv {wi")[0] == "width"
    assert completed(page, "add @fi") == ["@first"]


def test_steps_and_rows_are_those_of_the_commands(opening: Opening) -> None:
    """8·8·3 values go in, 6·6·4 come out, then 4·4·5: both sides of a layer are alive at its step."""
    page = opening()
    # the input; conv beside it; relu, which is done in place; and the last
    steps = [8 * 8 * 3, 8 * 8 * 3 + 6 * 6 * 4, 6 * 6 * 4, 6 * 6 * 4 + 4 * 4 * 5]
    high = "[...document.querySelectorAll('#alive rect')].map(e => Number(e.getAttribute('height')))"
    assert page.js(high) == pytest.approx([100 * step / max(steps) for step in steps])
    assert f"{max(steps):,}" in page.js("document.getElementById('peak').textContent")
    assert page.total("peak") == 4 * max(steps)
    rows = page.js(
        "[...document.querySelectorAll('#rows tbody tr')].map(row =>"
        " [...row.querySelectorAll('td')].slice(1).map(e => Number(e.textContent.replaceAll(',', ''))))"
    )
    assert rows == [[0, 0], [4 * 28, 36 * 4 * 27], [5 * 37, 16 * 5 * 36]]


def test_the_front_is_what_nothing_else_beats(opening: Opening) -> None:
    """Peak memory over multiplies of the Inception module, as the commands count each point."""
    page = opening(archcalc.load("inception").spec.source.text, variant="inception")
    page.browser.click("[data-name=bottleneck] button")
    page.until(
        "points.length > 30 && document.querySelectorAll('.sweep circle').length === points.length"
    )
    page.put(".sweep select[aria-label=across]", "parameters", "change")
    page.put(".sweep select[aria-label=upwards]", "multiplies", "change")
    counted = {}
    for value in page.js("points.map(point => point.value)"):
        analysis = archcalc.load("inception", bottleneck=int(value)).analyze()
        counted[value] = (int(analysis.parameters), int(analysis.multiplies))
    best = {
        value
        for value, (a, b) in counted.items()
        if not any(c <= a and d <= b and (c, d) != (a, b) for c, d in counted.values())
    }
    shown = page.js(
        "[...document.querySelectorAll('.sweep circle')].filter(e => e.classList.contains('front'))"
        ".map(e => e.textContent)"
    )
    assert {text.split()[1].rstrip(":") for text in shown} == best
    for value, (a, b) in counted.items():
        point = page.js(f"points.find(point => point.value === {json.dumps(value)})")
        assert (int(point["parameters"]), int(point["multiplies"])) == (a, b)


def test_settings_that_are_not_in_the_text_are_told_at_saving(opening: Opening, tmp_path: Any) -> None:
    file = tmp_path / "net.toml"
    file.write_text(SMALL)
    page = opening(file=str(file))
    page.move("n", 9)
    page.press("s", 83, ctrl=True)
    page.until("document.getElementById('status').textContent.includes('saved')")
    assert page.status().endswith("saved; 1 setting is not in the text: w writes it")
    assert file.read_text() == SMALL


def test_a_fold_is_no_change(opening: Opening) -> None:
    """A row of one copy is told from one copy of what was opened, with a setting and without."""
    page = opening(archcalc.load("resnet18").spec.source.text, variant="resnet18")
    changes = "document.querySelectorAll('#rows i').length"
    page.js("fold(boxOf('stage2/basic/main/conv')); unfold(boxOf('stage1/basic/main/conv'))")
    page.settled()
    assert page.js(changes) == 0
    page.move("classes", 500)  # changes the last row alone, and the sum of no block
    assert page.js(changes) == 2
    rows = page.js("document.querySelectorAll('#rows tr').length")
    page.js("fold(boxOf('stage3/basic/main/conv'))")
    page.settled()
    page.until("baseFold === foldNow()")
    assert page.js("document.querySelectorAll('#rows tr').length") < rows
    assert page.js(changes) == 2
    page.js("unfold(boxOf('stage1/basic/main/conv'))")
    page.settled()
    page.until("baseFold === foldNow()")
    assert page.js(changes) == 2


def test_rows_are_told_from_what_was_opened_where_it_begins_with_settings(opening: Opening) -> None:
    page = opening(
        archcalc.load("inception").spec.source.text, variant="inception", settings={"n5": "16"}
    )
    page.until("baseFold === foldNow()")
    row = "document.querySelector('#rows tr[title=\"5x5\"] i').textContent"
    assert page.js(row) == "▼ 50.0 %"
