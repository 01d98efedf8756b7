"""The page changes in place what it shows: it comes to what would be made where nothing had stood."""

from __future__ import annotations

import random
import re

import pytest
from support.page import Opening

import archcalc

PLACES = ("totals", "alive", "rows", "picture")
# what stands there, and what stands there when it has been made from nothing
BOTH = f"""(async () => {{
  const places = {list(PLACES)}.map($), before = places.map(place => place.cloneNode(true));
  for (const place of places) (place.querySelector("tbody") ?? place).replaceChildren();
  [svg, pieces, nodes] = [null, [], null];
  await recompute();
  return places.filter((place, i) => !place.isEqualNode(before[i])).map(({{id}}) => id);
}})()"""


def edited(text: str, chance: random.Random) -> str:
    """Change a number or a word of the text, as somebody who types might."""
    found = chance.choice([*re.finditer(r"\b[1-9]\d*\b|\b(?:relu|bn)\b", text)])
    new = str(int(found[0]) + chance.choice((-1, 1, 16))) if found[0].isdigit() else "sigmoid"
    return text[: found.start()] + new + text[found.end() :]


@pytest.mark.parametrize("name", ["inception", "googlenet", "mobilenet_v2"])
def test_after_edits_the_page_is_as_if_made_anew(opening: Opening, name: str) -> None:
    network, chance = archcalc.load(name), random.Random(name)
    original = text = network.spec.source.text
    page = opening(text, variant=network.variant or "")
    drawn = 0
    for number in range(20):
        text = edited(original if number % 4 == 0 else text, chance)
        page.paste(text)
        if page.pale:
            continue
        drawn += 1
        assert page.js(BOTH) == [], text
    assert drawn > 8


def test_words_alone_are_changed_in_the_boxes_that_stand_there(opening: Opening) -> None:
    page = opening(archcalc.load("inception").spec.source.text, variant="inception")
    page.js(
        "window.before = [...$('picture').querySelectorAll('*'), ...$('rows').querySelectorAll('tr')]; 0"
    )
    page.replace("28x28x192", "14x28x192")
    assert "14×28×256" in page.js("$('picture').textContent")
    assert page.js("before.length > 50 && before.every(node => node.isConnected)")


def test_a_text_with_signs_of_the_language_of_pictures(opening: Opening) -> None:
    """Names and titles of a drawing are told as they are when they are changed in place, too."""
    text = "title = 'a < b & \"c\"'\ninput = '8x8x3'\nlayers = ['conv 4 k3', 'bn']\n"
    page = opening(text)
    page.replace("a < b", "a > `b`")
    assert page.js("svg.getAttribute('aria-label')").startswith('a > `b` & "c"')
    assert page.js(BOTH) == []


def test_only_a_box_of_another_form_is_made_anew(opening: Opening) -> None:
    """The bar of the linear layer, 400 multiplies, is longer than a pixel first, and then shorter.

    A full bar has 68 pixels: the second conv's 4·4·40·36 = 23,040 multiplies, then 124·124·40·36.
    """
    text = "input = '8x8x4'\nlayers = ['conv 4 k3 | conv 40 k3 | gap | linear 10']\n"
    page = opening(text)
    assert page.js("svg.querySelectorAll('g.box rect.bar').length") == 3
    page.js("goTo(boxOf('linear')); window.before = [...svg.querySelectorAll('*')]; 0")
    page.replace("8x8x4", "128x128x4")
    assert page.js("svg.querySelectorAll('g.box rect.bar').length") == 2
    gone = page.js(
        "[...new Set(before.filter(n => !n.isConnected).map(n => n.closest('g.box').dataset.path))]"
    )
    assert gone == ["linear"]
    assert page.js("boxOf('linear').tabIndex") == 0
    assert page.js(BOTH) == []
