"""Report the memory of a training step: its parts, and the bytes alive in the two passes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from archcalc.analysis.kept import KeptTensor, kept
from archcalc.analysis.step import TrainingStep, require_floats, step
from archcalc.analysis.summary import block
from archcalc.api import Network
from archcalc.errors import Diagnostic, UsageError, shown, suggestion
from archcalc.formats import Formats, formats_of
from archcalc.graph.model import Graph
from archcalc.reports.documents import document
from archcalc.reports.layout import label, rows_of, title
from archcalc.reports.model import Column, Report
from archcalc.reports.table import Table
from archcalc.reports.timeline import finest
from archcalc.reports.training import refuse_untrained, sample, through
from archcalc.tuples import NamedTuple
from archcalc.units import binary, decimal_bytes, grouped

PARTS = {
    "weights": "parameters and statistics",
    "gradients": "of what is trained",
    "optimizer": "its numbers for each of them",
    "master": "float32 copies of them",
    "kept": "for the way back",
    "on the way": "derivatives, and values that are not kept",
}
COLUMNS = (
    Column("part", "memory", "name"),
    Column("bytes", "bytes", "data"),
    Column("size", "size", "text"),
    Column("decimal", "decimal", "text", spare=2),
    Column("meaning", "", "words", spare=3),
)
TURNS = (
    Column("layer", "layer", "name"),
    Column("keeps", "keeps", "text"),
    Column("forward", "alive forward", "text"),
    Column("back", "and back", "text"),
    Column("bar", "", "bar", spare=3),
)


class Training(NamedTuple):
    """The options of a training step.

    Attributes:
        dtype: the data types, as `formats_of` reads them.
        attention: the kernel of attention: fused or plain.
        checkpoint: patterns of the blocks whose tensors are computed again in the backward pass.
        memory: the bytes that the largest batch must fit in.
        torch: whether tensors are kept as torch keeps them.
    """

    dtype: str = "float32"
    batch: int = 1
    optimizer: str = "sgd"
    attention: str = "fused"
    checkpoint: tuple[str, ...] = ()
    memory: int | None = None
    torch: bool = False

    @property
    def formats(self) -> Formats:
        """The data types.

        Raises:
            UsageError: they are not floating-point types.
        """
        formats = formats_of(self.dtype)
        require_floats(formats)
        return formats


def tensors(network: Network, how: Training) -> tuple[KeptTensor, ...]:
    """Return the tensors kept for the backward pass: those that derivatives need, or torch's."""
    if not how.torch:
        return kept(network.analyze(), how.attention)
    from archcalc.audit.torch_saved import torch_keeps

    spec = network.spec.source.name
    return kept(network.analyze(), how.attention, lambda layer: torch_keeps(layer, spec))


def measured(network: Network, how: Training) -> TrainingStep:
    """Return the memory of a training step."""
    blocks = _blocks(network.graph, how.checkpoint)
    return step(network.analyze(), tensors(network, how), how.formats, how.optimizer, blocks)


def _blocks(graph: Graph, patterns: Sequence[str]) -> dict[int, int]:
    """Return for each node in a block that a pattern names the number of the outermost such block.

    Raises:
        UsageError: no layer or block matches a pattern.
    """
    from fnmatch import fnmatchcase

    found: dict[int, int] = {}
    numbers: dict[str, int] = {}
    for pattern in patterns:
        before = len(found)
        for index, node in enumerate(graph.nodes):
            parts = node.path.split("/")
            around = ("/".join(parts[:end]) for end in range(1, len(parts) + 1))
            block = next((path for path in around if fnmatchcase(path, pattern)), None)
            if block and node.inputs and index not in found:
                found[index] = numbers.setdefault(block, len(numbers))
        if len(found) == before:
            paths = sorted({node.path.rpartition("/")[0] for node in graph.nodes})
            help = suggestion(pattern, paths) or "`archcalc show SPEC --all` lists the layers"
            message = f"no layer or block is called like `{shown(pattern)}`"
            raise UsageError(Diagnostic(message, help=help))
    return found


def reports(network: Network, table: Table, how: Training) -> list[Report]:
    """Return the parts of a step's memory, and the bytes alive when each layer runs in both passes.

    Raises:
        UsageError: the network has no trainable parameters.
    """
    refuse_untrained(network)
    found, batch = measured(network, how), how.batch
    sizes = sizes_of(found, batch)
    rows = tuple(_row(part, sizes[part], meaning) for part, meaning in PARTS.items() if sizes[part])
    analysis = network.analyze()
    images = f" · {batch:,} {sample(network)}s" if batch > 1 else ""
    heading = f"{title(network, analysis)} · {how.dtype}, {how.optimizer}{images}"

    def documents() -> list[dict[str, Any]]:
        plain = document(network, analysis, rows_of(analysis, table))
        return [{**plain, "as": None, "memory": None, "step": _document(found, sizes, how)}]

    whole = _row("together", int(found.peak(batch)), "the most at once")
    remarks = tuple(_remarks(network, found, how))
    name = label(network)
    first = Report(heading, COLUMNS, rows, whole, remarks, documents, name)
    return [first] if table.format == "csv" else [first, _turns(network, found, table, how)]


def sizes_of(found: TrainingStep, batch: int) -> dict[str, int]:
    """Return the bytes of each part; together they are the peak."""
    state, stored = found.state, found.kept.of(batch)
    beside = found.peak(batch) - state.total - stored
    return dict(zip(PARTS, map(int, (*state, stored, beside)), strict=True))


def _row(part: str, size: int, meaning: str) -> dict[str, Any]:
    sizes = {"size": binary(size), "decimal": decimal_bytes(size)}
    return {"part": part, "bytes": size, **sizes, "meaning": meaning}


def _turns(network: Network, found: TrainingStep, table: Table, how: Training) -> Report:
    """Return a row for each layer that keeps a tensor; in a long network, for each block."""
    graph, alive = network.graph, [int(turn.of(how.batch)) for turn in found.alive]
    keeps: dict[int, list[str]] = {}
    for tensor in tensors(network, how):
        keeps.setdefault(tensor.node, []).append(tensor.made.name if tensor.made else "output")
    paths = {i: graph.nodes[i].path for i in keeps}
    depth = None if table.all else table.depth or finest(list(paths.values()))
    groups: dict[str, list[int]] = {}
    for i, path in paths.items():
        groups.setdefault(block(path, depth), []).append(i)
    rows = []
    for path, members in groups.items():
        forward = max(alive[i] for i in members)
        back = max(alive[2 * len(graph.nodes) - 1 - i] for i in members)
        names = ", ".join(dict.fromkeys(name for i in members for name in keeps[i]))
        sizes = {"forward": binary(forward), "back": binary(back), "bar": (back, max(alive))}
        rows.append({"layer": path, "keeps": names, **sizes})
    heading = f"{label(network)}: kept, and alive at each turn beside what stays"
    return Report(heading, TURNS, tuple(rows), None, (), list)


def _remarks(network: Network, found: TrainingStep, how: Training) -> list[str]:
    total = network.analyze().total
    told = ["as torch 2.14 saves it on the CPU"] if how.torch else []
    if any(node.operator.name in ("attention", "windowattention") for node in network.graph.nodes):
        told.append(f"attention: {how.attention}; --attention says otherwise")
    if int(total.frozen):
        told.append(f"{grouped(int(total.frozen))} parameters are frozen{through(network)}")
    if how.checkpoint:
        plain = measured(network, how._replace(checkpoint=()))
        saved = int(plain.kept.of(how.batch) - found.kept.of(how.batch))
        often = grouped(int(found.recomputed))
        told.append(
            f"checkpoints: {binary(saved)} fewer kept, {often} multiplies of one {sample(network)} again"
        )
    if how.memory:
        fits = found.largest_batch(how.memory)
        least = (
            f"not one {sample(network)} fits {binary(how.memory)}: it takes {binary(int(found.peak(1)))}"
        )
        most = f"the largest batch that fits {binary(how.memory)}: {grouped(fits)}"
        told.append(most if fits else least)
    outputs = sum(int(x.node.shape.values) for x in network.analyze().computed)
    told.append(
        f"torchsummary's rule, twice every output: {binary(8 * outputs * how.batch)}; accelerate's, "
        f"4 × the parameters: {binary(16 * int(total.parameters))}"
    )
    return told


def _document(found: TrainingStep, sizes: dict[str, int], how: Training) -> dict[str, Any]:
    fits = found.largest_batch(how.memory) if how.memory else None
    return {
        "dtype": how.dtype,
        "batch": how.batch,
        "optimizer": how.optimizer,
        "attention": how.attention,
        "as_torch": how.torch,
        "bytes": {part.replace(" ", "_"): size for part, size in sizes.items()},
        "peak": found.peak(how.batch),
        "recomputed": found.recomputed,
        "largest_batch": fits,
    }
