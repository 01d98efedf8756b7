"""Report what training multiplies: forward, and back to inputs and weights."""

from __future__ import annotations

from typing import Any, NamedTuple

from archcalc.analysis.training import Backward, backward
from archcalc.api import Network
from archcalc.reports.layout import document, label, output, single, title
from archcalc.reports.model import Column, Report
from archcalc.reports.table import Table
from archcalc.units import grouped

COLUMNS = (
    Column("layer", "layer", "name"),
    Column("output", "output", "text", spare=2),
    Column("forward", "forward", "count"),
    Column("to_inputs", "to inputs", "count"),
    Column("to_weights", "to weights", "count"),
    Column("multiplies", "together", "count"),
    Column("share", "share", "share", spare=1),
)


class Run(NamedTuple):
    """How often a network is trained on an image: `images` an epoch."""

    images: int = 1
    epochs: int = 1


def report(network: Network, table: Table, run: Run) -> Report:
    """Return the multiplies of one image, forward and backward, by layer."""
    analysis = network.analyze()
    ways = {x.path: way for x, way in zip(analysis.layers, backward(analysis), strict=True)}
    rows, names = single(analysis, lambda layer: bool(layer.costs.multiplies), table)
    summed = _total(list(ways.values()))
    forward = int(analysis.multiplies)
    whole = forward + sum(map(int, summed))

    def cells(name: str, own: int, way: Backward) -> dict[str, Any]:
        counts = {"forward": own, **way._asdict(), "multiplies": (together := own + sum(way))}
        return {"layer": name, **counts, "share": (together, whole)}

    lines = tuple(
        cells(name, int(row.costs.multiplies), _total([ways[x.path] for x in row.layers]))
        | {"output": output(row)}
        for name, row in zip(names, rows, strict=True)
    )
    return Report(
        title(network, analysis),
        COLUMNS,
        lines,
        cells("total", forward, summed) | {"share": None},
        tuple(_remarks(whole, run, int(analysis.total.frozen))),
        lambda: [
            {
                **document(network, analysis, None if table.all else rows),
                "as": None,
                "protocol": {"images": 1, "crops": 1, "networks": 1},
                "training": {
                    "forward": forward,
                    **summed._asdict(),
                    "multiplies": whole,
                    **run._asdict(),
                    "of_run": whole * run.images * run.epochs,
                },
            }
        ],
        label(network),
    )


def _total(ways: list[Backward]) -> Backward:
    return Backward(sum(int(w.to_inputs) for w in ways), sum(int(w.to_weights) for w in ways))


def _remarks(whole: int, run: Run, frozen: int) -> list[str]:
    lines = [
        "multiplies of one image: forward; back through each layer to its inputs, where anything",
        "before it is trained; and to its weights, where these are.",
    ]
    told = [" ".join(lines)]
    if frozen:
        told.append(f"{grouped(frozen)} parameters are frozen")
    if run.images > 1:
        told.append(f"an epoch of {grouped(run.images)} images: {grouped(whole * run.images)}")
    if run.epochs > 1:
        every = whole * run.images * run.epochs
        told.append(f"{grouped(run.epochs)} epochs: {grouped(every)}")
    return told
