"""Report the multiplies of training by layer: forward, and backward to inputs and weights."""

from __future__ import annotations

from typing import Any

from archcalc.analysis.training import Backward, backward
from archcalc.api import Network
from archcalc.errors import Diagnostic, UsageError, listed, shown
from archcalc.reports.documents import document
from archcalc.reports.layout import has_multiplies, label, output, single, title
from archcalc.reports.model import Column, Report
from archcalc.reports.table import Table
from archcalc.tuples import NamedTuple
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
    """The length of a training run: `images` (or sequences) an epoch."""

    images: int = 1
    epochs: int = 1


def sample(network: Network) -> str:
    """Return what a network is trained on: 'image', or 'sequence' (of ids)."""
    texts = any(node.operator.name == "embedding" for node in network.graph.nodes)
    return "sequence" if texts else "image"


def refuse_untrained(network: Network) -> None:
    """Refuse a network without trainable parameters.

    Raises:
        UsageError: all parameters are frozen, or there are none.
    """
    if not int(network.analyze().total.trainable):
        frozen = int(network.analyze().total.frozen)
        help = (
            f"all {grouped(frozen)} parameters are frozen: leave the head out of --freeze or [train]"
            if frozen
            else "`archcalc params SPEC` shows its layers: none has a parameter"
        )
        raise UsageError(Diagnostic(f"{shown(network.name)} has nothing to train", help=help))


def report(network: Network, table: Table, run: Run) -> Report:
    """Return the multiplies of one image, forward and backward, by layer.

    Raises:
        UsageError: the network has no trainable parameters.
    """
    refuse_untrained(network)
    analysis = network.analyze()
    ways = {x.path: way for x, way in zip(analysis.layers, backward(analysis), strict=True)}
    rows, names = single(analysis, has_multiplies, table)
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
        tuple(_remarks(network, whole, run, int(analysis.total.frozen))),
        lambda: [
            document(network, analysis, None if table.all else rows) | _document(forward, summed, run)
        ],
        label(network),
    )


def _document(forward: int, summed: Backward, run: Run) -> dict[str, Any]:
    whole = forward + sum(map(int, summed))
    counts = {"forward": forward, **summed._asdict(), "multiplies": whole, **run._asdict()}
    return {
        "as": None,
        "protocol": {"images": 1, "crops": 1, "networks": 1},
        "training": {**counts, "of_run": whole * run.images * run.epochs},
    }


def through(network: Network) -> str:
    """Name the blocks that train before the last frozen layer: the backward pass goes through it.

    Returns '' if there are none.
    """
    analysis = network.analyze()
    weighted = [i for i, layer in enumerate(analysis.layers) if layer.costs.parameters]
    frozen = [i for i in weighted if i in network.graph.frozen]
    before = [i for i in weighted if frozen and i < frozen[-1] and i not in network.graph.frozen]
    if not before:
        return ""
    names = dict.fromkeys(analysis.layers[i].path.partition("/")[0] for i in before)
    train = "still train" if len(names) > 1 else "still trains"
    return f"; before the last of them {listed(names)} {train}: the way back goes through what is frozen"


def _total(ways: list[Backward]) -> Backward:
    return Backward(sum(int(w.to_inputs) for w in ways), sum(int(w.to_weights) for w in ways))


def _remarks(network: Network, whole: int, run: Run, frozen: int) -> list[str]:
    what = sample(network)
    lines = [
        f"multiplies of one {what}: forward; back through each layer to its inputs, where anything",
        "before it is trained; and to its weights, where these are.",
    ]
    told = [" ".join(lines)]
    if frozen:
        told.append(f"{grouped(frozen)} parameters are frozen{through(network)}")
    if run.images > 1:
        told.append(f"an epoch of {grouped(run.images)} {what}s: {grouped(whole * run.images)}")
    if run.epochs > 1:
        every = whole * run.images * run.epochs
        told.append(f"{grouped(run.epochs)} epochs: {grouped(every)}")
    return told
