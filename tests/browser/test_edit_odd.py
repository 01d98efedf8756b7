"""The live page with what nobody expects: much text, many layers, long names, many mistakes."""

from __future__ import annotations

import pytest
from support.live import SMALL
from support.page import Opening

from archcalc.live import handler


def test_two_megabytes_are_pasted_and_edited(opening: Opening) -> None:
    page = opening()
    page.paste(SMALL + "".join(f"# {number:30}\n" for number in range(65_000)))
    assert page.js("state.text.length") > 2_000_000
    page.replace("conv 5 k3", "conv 6 k3")
    assert page.total("parameters") == 4 * 28 + 6 * 37


def test_a_text_that_is_too_large_is_told(opening: Opening, monkeypatch: pytest.MonkeyPatch) -> None:
    page = opening()
    monkeypatch.setattr(handler, "LARGEST", 10_000)  # of the server in this process
    page.js("editor.dispatch({changes: {from: editor.state.doc.length, insert: '#'.repeat(10000)}})")
    page.until("document.getElementById('status').classList.contains('wrong')")
    assert page.status() == "too large"
    assert page.total("parameters") == 4 * 28 + 5 * 37
    page.paste(SMALL.replace("conv 5", "conv 6"))
    assert page.total("parameters") == 4 * 28 + 6 * 37
    page.browser.complaints.clear()  # Chromium tells the refusal


def test_a_thousand_layers_are_counted_drawn_and_listed(opening: Opening) -> None:
    """Of 1 to 7 filters by turns, so that none folds into another."""
    filters = [1 + number % 7 for number in range(1000)]
    layers = ",\n".join(f'"conv {count} k3 same"' for count in filters)
    page = opening(f'input = "4x4x3"\nlayers = [{layers}]\n')
    pairs = list(zip([3, *filters], filters, strict=False))
    assert page.total("parameters") == sum(9 * a * b + b for a, b in pairs)
    assert page.total("multiplies") == sum(16 * 9 * a * b for a, b in pairs)
    assert page.js("[leaves().length, $('rows').querySelectorAll('tbody tr').length]") == [1001, 1001]
    page.js("goTo(leaves()[0])")
    page.press("End", 35)
    assert page.here == "conv1000"


@pytest.mark.parametrize("size", [(1440, 900), (390, 844)])
def test_long_names_push_nothing_aside(opening: Opening, size: tuple[int, int]) -> None:
    """A title, a label, a variable with its help, and a mistake about it, of hundreds of letters."""
    long, name = "y " * 500 + "x" * 500, "v" * 60
    layers = f'layers = ["{"a" * 300} = conv {{{name}}}", "conv 5"]\n'
    text = f'title = "{long}"\ninput = "8x8x3"\n{layers}[vars]\n'
    text += f'{name} = {{ default = 4, help = "{long}" }}\n'
    page = opening(text)
    page.browser.size(*size)
    wide = (
        "[...document.querySelectorAll('html, header, #settings, #totals, #layers, #text, #mistakes')]"
    )
    wider = f"{wide}.filter(e => e.scrollWidth > e.clientWidth).map(e => e.id || e.tagName)"
    for tab in ("settings", "drawn", "layers", "text"):
        page.js(f"inTab('{tab}')")
        assert page.js(wider) == []
    page.paste(text + f"{'w' * 500} = 4\n")
    assert page.pale and page.js(wider) == []


def test_many_mistakes_are_listed_and_leave_the_text_its_place(opening: Opening) -> None:
    page = opening()
    lines = ",\n".join(f'"konv{number} 4"' for number in range(300))
    page.paste(f'input = "8x8x3"\nlayers = [{lines}]\n')
    listed = page.js("document.querySelectorAll('#mistakes li').length")
    assert listed >= 1
    room = "document.getElementById('NAME').getBoundingClientRect().height"
    high = {name: page.js(room.replace("NAME", name)) for name in ("editor", "mistakes", "text")}
    assert high["editor"] > high["text"] / 2
    page.paste(SMALL)
    assert not page.pale


def test_a_variable_with_a_name_of_the_language_of_pages(opening: Opening) -> None:
    """It is a word like others: told where it is one, and changed once it is."""
    page = opening()
    assert page.js("told('constructor')") is None
    page.paste(SMALL.replace("{n}", "{constructor}").replace("\nn =", "\nconstructor ="))
    marked = "document.querySelector('[data-name=constructor]').classList.contains('changed')"
    assert page.js(marked) is False
    assert page.js("told('constructor').usage") == "constructor = 4"
    page.move("constructor", 6)
    assert page.js(marked) is True
