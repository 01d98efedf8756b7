"""Report the memory of a network by rule, and the values alive at each step."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from archcalc.analysis.arena import Arena, lay_out
from archcalc.analysis.costs import Analysis
from archcalc.analysis.deployment import Deployed, deployed
from archcalc.analysis.memory import Kernel, Memory, measure, moments
from archcalc.api import Network
from archcalc.formats import Formats, bytes_of, formats_of
from archcalc.graph.model import Graph
from archcalc.operators import ATTENTION
from archcalc.reports.documents import document
from archcalc.reports.layout import change_label, label, rows_of, title
from archcalc.reports.model import Column, Report, with_header
from archcalc.reports.order import Order, ordered
from archcalc.reports.table import Table
from archcalc.reports.timeline import listed, timeline
from archcalc.tuples import NamedTuple
from archcalc.units import binary, decimal_bytes, grouped

RULES = {
    "parameters": "what training can change",
    "weights": "parameters and statistics",
    "deployed": "batch norms folded into the layers before them",
    "stored": "input and every map made",
    "peak": "the most alive at once",
    "arena": "their layout in a block",
}
WEIGHTS = ("parameters", "weights")
COLUMNS: tuple[Column, ...] = (
    Column("rule", "memory", "name"),
    Column("values", "values", "count"),
    Column("bytes", "bytes", "data"),
    Column("size", "size", "text"),
    Column("decimal", "decimal", "text", spare=2),
    Column("meaning", "", "words", spare=3),
)
BASE_COLUMNS = (
    Column("rule", "memory", "name"),
    Column("base", "base", "count"),
    Column("values", "changed", "count"),
    Column("bytes", "bytes", "data"),
    Column("size", "size", "text", spare=1),
    Column("change", "", "change"),
)


class MemoryFigures(NamedTuple):
    """The memory of one network.

    Attributes:
        proven: whether no order has a smaller peak; None if the order is the spec's.
        spec_peak: the peak in the spec's order, in values.
    """

    analysis: Analysis
    deployed: Deployed
    memory: Memory
    arena: Arena
    proven: bool | None
    spec_peak: int
    attention: Kernel

    @property
    def graph(self) -> Graph:
        return self.analysis.graph

    def values(self, batch: int) -> dict[str, int]:
        """Return the number of values by rule: weights once, activations for each image."""
        activations = (self.memory.stored, self.memory.peak, self.arena.size)
        total = self.analysis.total
        counts = [total.parameters, total.stored_numbers, sum(self.deployed)]
        counts += [batch * n for n in activations]
        return dict(zip(RULES, map(int, counts), strict=True))

    def bytes(self, batch: int, formats: Formats) -> dict[str, int]:
        """Return the bytes by rule, in these data types."""
        values = self.values(batch)
        sizes = {
            rule: bytes_of(count, formats.weights if rule in WEIGHTS else formats.activations)
            for rule, count in values.items()
        }
        weights, biases = self.deployed
        sizes["deployed"] = bytes_of(weights, formats.weights) + bytes_of(biases, formats.accumulators)
        return {rule: int(size) for rule, size in sizes.items()}

    def path(self, step: int) -> str:
        return self.graph.nodes[self.memory.steps[step].node].path


class Conditions(NamedTuple):
    """What memory is measured for: data types, batch, order of the layers, kernel of attention."""

    dtype: str
    batch: int
    order: str
    attention: Kernel | None


def _measured(network: Network, asked: Conditions) -> MemoryFigures:
    analysis = network.analyze()
    attention: Kernel = asked.attention or ""
    memory, proven = measure(analysis.graph, None, attention), None
    spec_peak = int(memory.peak)
    if asked.order == "best":
        from archcalc.analysis.schedule import best_order

        schedule = best_order(analysis.graph)
        found = measure(analysis.graph, schedule.order, attention)
        memory = min(memory, found, key=lambda m: int(m.peak)) if attention else found
        # the search ignores values inside attention layers, which can only raise the peak
        proven = schedule.proven and memory.peak == schedule.peak
    arena = lay_out(memory.buffers, int(memory.peak))
    return MemoryFigures(analysis, deployed(analysis.graph), memory, arena, proven, spec_peak, attention)


def reports(network: Network, table: Table, asked: Conditions) -> list[Report]:
    """Return the memory of a network by rule, and the values alive at each step."""
    found, batch, formats = _measured(network, asked), asked.batch, formats_of(asked.dtype)
    values, sizes = found.values(batch), found.bytes(batch, formats)
    rows, columns = _rows(values, sizes, formats), COLUMNS
    if network.base is not None and table.base:
        columns = with_header(BASE_COLUMNS, "values", change_label(network))
        _put_beside(rows, _measured(network.base, asked).values(batch))
    images = f" · {batch:,} images" if batch > 1 else ""
    heading = f"{title(network, found.analysis)} · {asked.dtype}{images}"
    whole = timeline(found.analysis, found.memory, table, formats.activations, batch, label(network))
    steps = ordered(whole, table.order)

    def documents() -> list[dict[str, Any]]:
        figures = _document(found, values, sizes, asked) | {"steps": listed(steps)}
        told = document(network, found.analysis, rows_of(found.analysis, table))
        missed = len(whole.rows) - len(steps.rows)
        return [{**told, "not_shown": missed, "as": None, "memory": figures}]

    remarks = _remarks(network, found, asked.order == "best", batch)
    first = Report(heading, columns, tuple(rows), None, remarks, documents, label(network))
    if table.format == "csv":
        return [steps if table.depth or table.order != Order() else first]
    return [first, steps]


def _rows(values: Mapping[str, int], sizes: Mapping[str, int], formats: Formats) -> list[dict[str, Any]]:
    meanings = RULES | {"deployed": f"batch norms folded, biases {formats.accumulators}"}
    return [
        {
            "rule": rule,
            "values": count,
            "bytes": sizes[rule],
            "size": binary(sizes[rule]),
            "decimal": decimal_bytes(sizes[rule]),
            "meaning": meanings[rule],
        }
        for rule, count in values.items()
    ]


def _put_beside(rows: list[dict[str, Any]], base: Mapping[str, int]) -> None:
    for row in rows:
        before, after = base[row["rule"]], row["values"]
        row.update(base=before, change=(before, after) if before != after else None)


def _remarks(network: Network, found: MemoryFigures, best: bool, batch: int) -> tuple[str, ...]:
    memory = found.memory
    held = " + ".join(f"{grouped(batch * size)} ({part})" for part, size in _terms(found) if size)
    lines = [f"peak at {found.path(memory.peak_step)}: {held}"]
    if best:
        spec = batch * found.spec_peak
        saved = (
            "the spec's order needs no more"
            if spec == batch * memory.peak
            else f"the spec's order needs {grouped(spec)}"
        )
        lines.append(f"order: {'proven best' if found.proven else 'best found, not proven'}; {saved}")
    attends = any(node.operator.name in ATTENTION for node in found.graph.nodes)
    if attends and not found.attention:
        lines.append("what is inside attention layers is left out: --attention fused or plain counts it")
    return (*lines, *_published(network))


def _terms(found: MemoryFigures) -> list[tuple[str, int]]:
    """Return what is alive at the peak: maps by layer; inside attention, the moment with the most."""
    step, nodes = found.memory.peak_step, found.graph.nodes
    alive = found.memory.alive(step)
    sizes = {b: int(b.size) for b in alive if not b.inside}
    within: list[tuple[str, int]] = []
    for index in (b.nodes[0] for b in alive if b.inside):
        node, home = nodes[index], {i: b for b in sizes for i in b.nodes}
        moment = max(
            moments(found.graph, node, home, step, found.attention), key=lambda m: sum(m.values())
        )
        for own in {home[i] for i in (*node.inputs, index)}:
            sizes[own] = 0
        within = [(f"{node.path}: {what}", int(size)) for what, size in moment.items()]
    paths = {b: nodes[b.nodes[-1] if b.dies <= step else b.nodes[0]].path for b in sizes}
    return [*((paths[b], size) for b, size in sizes.items()), *within]


def _published(network: Network) -> Iterator[str]:
    """Yield each wrong published number for this memory once, and how it arose."""
    if network.changed:
        return
    from archcalc.audit.published import numbers

    told = numbers(network.spec.source.name, "map_bytes")
    own = (n for n in told if n.network == network.name and n.quantity == "map_bytes")
    wrong = {n.printed: n for n in own if n.arises}
    if not wrong:
        return
    from archcalc.audit.verdicts import Networks, judge

    networks = Networks(lambda _: network)
    for number in wrong.values():
        verdict = judge(number, networks)
        yield f"published: “{number.says}” ({number.source}): {verdict.reason}"


def _document(
    found: MemoryFigures, values: dict[str, int], sizes: dict[str, int], asked: Conditions
) -> dict[str, Any]:
    memory, batch = found.memory, asked.batch
    return {
        "dtype": asked.dtype,
        "types": formats_of(asked.dtype)._asdict(),
        "batch": batch,
        "order": "spec" if found.proven is None else "best",
        "proven": found.proven,
        "attention": found.attention or None,
        "values": values,
        "bytes": sizes,
        "peak_at": found.path(memory.peak_step),
        "buffers": [
            {
                "offset": batch * offset,
                "size": batch * buffer.size,
                "born": buffer.born,
                "dies": buffer.dies,
                "layers": [found.graph.nodes[i].path for i in buffer.nodes],
            }
            for offset, buffer in zip(found.arena.offsets, memory.buffers, strict=True)
        ],
    }
