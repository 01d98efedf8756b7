"""draw --format mermaid and dot: their grammar line by line, what their boxes and arrows say."""

from __future__ import annotations

import re

import pytest
from click.testing import CliRunner

from archcalc.cli import commands

# https://mermaid.js.org/syntax/flowchart.html and https://graphviz.org/doc/info/lang.html
TEXT = r'"(?:[\w ×·.,/+–→…]|#\d+;)*"'
STYLE = r"(?:(?:fill|stroke|color):#[0-9a-f]{6}|stroke-width:3px|stroke-dasharray:4 2)"
MERMAID = {
    "box": rf"(\w+)\[{TEXT}\]",
    "open": rf"subgraph (\w+)\[{TEXT}\]",
    "close": r"end",
    "arrow": r"(\w+) (?:-->|-\.->|~~~) (\w+)",
    "class": r"class (\w+) \w+",
    "other": rf"flowchart (?:TB|LR)|direction TB|classDef \w+ {STYLE}(?:,{STYLE})*",
}
QUOTED = r'"(?:[^"\\]|\\["\\])*"'
ATTRIBUTES = rf"\[\w+=(?:{QUOTED}|[\w.]+)(?:, \w+=(?:{QUOTED}|[\w.]+))*\]"
DOT = {
    "open": r"digraph network \{|subgraph (cluster_\w+) \{",
    "close": r"\}",
    "arrow": rf"(\w+) -> (\w+)(?: {ATTRIBUTES})?",
    "other": rf"(?:graph|node|edge) {ATTRIBUTES}|label={QUOTED}",
    "box": rf"(\w+) {ATTRIBUTES}",
}
NETWORKS = [
    *(["vgg16"], ["googlenet"], ["unet"], ["densenet121"], ["vit_b_16"], ["swin_t"], ["xception"]),
    ["resnet50", "--depth", "1"],
    ["resnet50", "--diff", "resnet50:stride=1x1"],
]


def output(*words: str) -> list[str]:
    result = CliRunner().invoke(commands, ["draw", *words], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout.splitlines()


def parsed(lines: list[str], grammar: dict[str, str]) -> dict[str, list[tuple[str | None, ...]]]:
    """What stands in each line, by kind."""
    found: dict[str, list[tuple[str | None, ...]]] = {kind: [] for kind in grammar}
    for line in lines:
        kinds = ((k, m) for k, rule in grammar.items() if (m := re.fullmatch(rule, line.strip())))
        kind, match = next(kinds, (None, None))
        assert kind is not None and match is not None, line
        found[kind].append(match.groups())
    return found


@pytest.mark.parametrize("words", NETWORKS, ids=" ".join)
@pytest.mark.parametrize(("format", "grammar"), [("mermaid", MERMAID), ("dot", DOT)])
def test_every_line_is_grammar(words: list[str], format: str, grammar: dict[str, str]) -> None:
    """Names are declared once, arrows lead from one to another of them, what opens is closed."""
    found = parsed(output(*words, "--format", format), grammar)
    assert len(found["open"]) == len(found["close"])
    names = [name for name, *_ in (*found["box"], *found["open"]) if name]
    assert len(names) == len(set(names))
    used = {name for kind in ("arrow", "class") for names in found.get(kind, []) for name in names}
    assert used <= set(names)
    boxes = {name for name, *_ in found["box"]}
    assert boxes <= used


def test_mermaid_and_dot_have_the_boxes() -> None:
    """LeNet-5 is a chain: of n boxes, n − 1 arrows; dot has as many blocks."""
    found = parsed(output("lenet5", "--format", "mermaid"), MERMAID)
    assert len(found["arrow"]) == len(found["box"]) - 1 == 7
    blocks = [parsed(output("resnet18", "--format", name), rules)["open"] for name, rules in BOTH]
    assert len(blocks[0]) == len(blocks[1]) - 1  # the whole of dot opens, too


BOTH = (("mermaid", MERMAID), ("dot", DOT))


def test_arrows_back_to_the_next_copy_are_dashed() -> None:
    """ViT-B's encoder, twelve times: from the end of one, the sum, to what reads it in the next.

    Of the two that do, the attention with its norm and the sum behind it, both arrows go back.
    """
    mermaid = [line.split() for line in output("vit_b_16", "--format", "mermaid") if "-.->" in line]
    dot = [line.split() for line in output("vit_b_16", "--format", "dot") if "style=dashed," in line]
    assert [(a, b) for a, _, b in mermaid] == [(a, b) for a, _, b, *_ in dot]
    assert len({a for a, _, _ in mermaid}) == 1
    assert len(mermaid) == 2


def test_differences_are_marked() -> None:
    """The three convs that VGG-19 has more than VGG-16, in both; two networks from left to right."""
    mermaid = output("vgg16", "--diff", "vgg19", "--format", "mermaid")
    assert mermaid[:2] == ["flowchart LR", "  p0 ~~~ p1"]
    assert (
        sum(
            re.fullmatch(r' +b\d+\["new 3×3 conv (256|512) relu"\]', line) is not None
            for line in mermaid
        )
        == 3
    )
    assert sum(re.fullmatch(r"  class b\d+ new", line) is not None for line in mermaid) == 3
    assert sum(line.startswith("  classDef new stroke:#009e73,") for line in mermaid) == 1
    dot = output("vgg16", "--diff", "vgg19", "--format", "dot")
    assert sum('label="new 3×3' in line and 'color="#009e73", penwidth' in line for line in dot) == 3
