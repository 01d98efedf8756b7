"""Find arguments that most layers of a kind share, for the `[defaults]` of a spec."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from archcalc.graph.model import Graph
from archcalc.graph.write import toml_text
from archcalc.operators import operator_class

OFTEN = 0.75  # the share of a kind's layers that makes their common argument a default

Defaults = Mapping[str, Mapping[str, Any]]  # by operator and argument


def defaults_of(graph: Graph) -> Defaults:
    """Return the flags and numbers that most layers of a kind share, unless they are the language's."""
    found: dict[str, dict[str, Any]] = {}
    kinds: dict[str, list[Any]] = {}
    for node in graph.nodes[graph.inputs :]:
        kinds.setdefault(node.operator.name, []).append(node.operator)
    for name, operators in kinds.items():
        for argument in operators[0].arguments:
            if argument.kind in ("flag", "number") and not argument.required:
                values = Counter(getattr(o, argument.attribute) for o in operators)
                value, count = values.most_common(1)[0]
                usual = operators[0].default_of(argument)
                if value != usual and count >= max(2, OFTEN * len(operators)):
                    found.setdefault(name, {})[argument.name] = value
    return found


def defaults_table(defaults: Defaults) -> list[str]:
    """Return the lines of the `[defaults]` table; none if there are no defaults."""
    lines = []
    for name, values in defaults.items():
        arguments = {a.name: a for a in operator_class(name).arguments}
        words = " ".join(arguments[n].written(v) for n, v in values.items())
        lines.append(f"{name} = {toml_text(words)}")
    return ["[defaults]", *lines, ""] if lines else []
