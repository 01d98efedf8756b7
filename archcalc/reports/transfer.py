"""Report the cost of fine-tuning at each point up to which a network may be frozen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from archcalc.analysis.costs import analyze
from archcalc.analysis.transfer import FreezePoint, new_head, points
from archcalc.api import Network
from archcalc.errors import Diagnostic, UsageError, shown
from archcalc.graph.model import Graph
from archcalc.reports.documents import document
from archcalc.reports.layout import label, title
from archcalc.reports.model import Column, Report, with_header
from archcalc.reports.step import Training
from archcalc.reports.training import Run, sample
from archcalc.units import binary, grouped

COLUMNS = (
    Column("frozen_to", "frozen up to", "name"),
    Column("regime", "trains", "text"),
    Column("trainable", "trainable", "scaled", spare=1),
    Column("frozen", "frozen", "scaled", spare=3),
    Column("multiplies", "an image", "scaled"),
    Column("of_epoch", "an epoch", "scaled", spare=5),
    Column("of_run", "in total", "scaled", spare=4),
    Column("peak", "bytes", "data"),
    Column("memory", "memory", "text"),
    Column("largest_batch", "batch", "count", hide_empty=True),
    Column("disk", "disk bytes", "data"),
    Column("on_disk", "on disk", "text"),
    Column("saved", "saved", "scaled", spare=2),
)


def report(network: Network, how: Training, run: Run, units: int | None) -> Report:
    """Return a row for each point, from nothing frozen to all but the head.

    `units`: the units of a new head; None: the head stays.

    Raises:
        UsageError: there is nothing to train, or no head to replace.
    """
    graph, told = _with_head(network, units)
    analysis = analyze(graph)
    found = points(graph, how.formats, how.optimizer, how.attention)
    if not found:
        help = "`archcalc params SPEC` shows its layers; [train] may have frozen all of them"
        raise UsageError(Diagnostic(f"{shown(network.name)} has nothing to train", help=help))
    names = _regimes(found)
    rows = tuple(
        {**_numbers(point, how, run), "regime": names.get(i, "")} for i, point in enumerate(found)
    )
    shown_rows = tuple(
        {**row, "memory": binary(row["peak"]), "on_disk": binary(row["disk"]) if row["saved"] else ""}
        for row in rows
    )
    asked = {**run._asdict(), "batch": how.batch, "optimizer": how.optimizer, "dtype": how.dtype}
    return Report(
        f"{title(network, analysis)} · {how.dtype}, {how.optimizer} · {how.batch:,} {sample(network)}s",
        _columns(network),
        shown_rows,
        None,
        (*told, *_remarks(network, run, how, rows)),
        lambda: [
            {**document(network, analysis), "transfer": {**asked, "new_head": units, "points": rows}}
        ],
        label(network),
    )


def _columns(network: Network) -> tuple[Column, ...]:
    header = {"image": "an image", "sequence": "a sequence"}[sample(network)]
    return with_header(COLUMNS, "multiplies", header)


def _with_head(network: Network, units: int | None) -> tuple[Graph, list[str]]:
    if units is None:
        return network.graph, []
    made = new_head(network.graph, units)
    if made is None:
        message = f"{shown(network.name)} has no last dense layer or conv of its own to replace"
        raise UsageError(Diagnostic(message, help="without --new-head it is trained as it is"))
    graph, head = made
    return graph, [f"new head: {graph.nodes[head].path} has {grouped(units)} units"]


def _regimes(found: Sequence[FreezePoint]) -> dict[int, str]:
    """Name three rows by what they train: everything, the last blocks (half of the work), the head."""
    forward = found[-1].before
    half = next((i for i, point in enumerate(found) if 2 * point.before >= forward), 0)
    middle = {half: "last blocks"} if 0 < half < len(found) - 1 else {}
    return {**middle, len(found) - 1: "head", 0: "everything"}


def _numbers(point: FreezePoint, how: Training, run: Run) -> dict[str, Any]:
    saved = point.saved(*run)
    return {
        "frozen_to": point.path if point.cut else "none",
        "trainable": point.trainable,
        "frozen": point.frozen,
        "multiplies": point.step,
        "of_epoch": point.step * run.images,
        "of_run": point.step * run.images * run.epochs,
        "peak": point.training.peak(how.batch),
        "largest_batch": None if how.memory is None else point.training.largest_batch(how.memory),
        "disk": point.kept_bytes(run.images, how.formats) if point.cut else 0,
        "saved": saved,
        "pays_from": 2 if point.before else None,
    }


def _remarks(network: Network, run: Run, how: Training, rows: Sequence[Mapping[str, Any]]) -> list[str]:
    what = sample(network)
    once = (
        f"on disk: the frozen part's outputs, computed once {'an' if what == 'image' else 'a'} {what} "
        "and not once an epoch; saved: its multiplies in all other epochs, so that it pays from epoch 2"
    )
    told = [f"{grouped(run.images)} {what}s, {grouped(run.epochs)} epochs", once]
    if how.memory is not None and not any(row["largest_batch"] for row in rows):
        least = min(row["peak"] for row in rows)
        images = f"{how.batch:,} {what}s take {binary(least)} or more"
        told.append(f"not one {what} fits {binary(how.memory)}; {images}")
    return told
