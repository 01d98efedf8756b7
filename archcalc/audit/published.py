"""The numbers of specs/published/, one file a family: what was printed, where, and how it came about."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterator
from typing import Any, NamedTuple

from archcalc.analysis.memory import stored
from archcalc.graph.model import Graph
from archcalc.spec.bundle import folder
from archcalc.spec.evaluate import evaluate
from archcalc.spec.expressions import parse
from archcalc.units import grouped


class Published(NamedTuple):
    """One printed number. `arises` is an expression over computed quantities that explains it."""

    network: str
    quantity: str
    value: int
    unit: str
    printed: str
    source: str
    remark: str
    arises: str

    def explain(self, graph: Graph) -> str:
        """'published: "96MB …" (source): …', with the computed quantities filled in."""
        quantities = computed(graph)
        if self.arises:
            quantities["arises"] = int(evaluate(parse(self.arises), quantities.__getitem__))  # type: ignore[arg-type]
        shown = {name: grouped(value) for name, value in quantities.items()}
        return f"published: “{self.printed}” ({self.source}): {self.remark.format_map(shown)}."


def computed(graph: Graph) -> dict[str, int]:
    """The quantities that a remark or a derivation may name."""
    convs = (node for node in graph.nodes if node.operator.name == "conv")
    inputs = sum(int(graph.nodes[node.inputs[0]].shape.values) for node in convs)
    return {"stored": int(stored(graph)), "conv_inputs": inputs}


def numbers(network: str, spec_name: str, quantity: str) -> Iterator[Published]:
    """What has been printed about a quantity of a bundled network."""
    path = os.path.join(folder(), "published", spec_name)
    if not os.path.isfile(path):
        return
    with open(path, "rb") as file:
        entries: list[dict[str, Any]] = tomllib.load(file).get("number", [])
    for entry in entries:
        if entry["network"] == network and entry["quantity"] == quantity:
            yield Published(**{"remark": "", "arises": "", **entry})
