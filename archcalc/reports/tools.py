"""Report --as TOOL: what another tool counts for a network, layer by layer, and by which rule."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from archcalc.analysis.costs import Analysis, Layer
from archcalc.analysis.summary import Row
from archcalc.api import Network
from archcalc.audit.recount import Recount, recount
from archcalc.reports.documents import document
from archcalc.reports.layout import label, output, ranked, single, title
from archcalc.reports.model import Column, Ranked, Report
from archcalc.reports.table import Table
from archcalc.units import grouped


def report(network: Network, table: Table, tool: str, quantity: str, **others: Any) -> Report:
    """Return a tool's count (of params, flops or memory) by layer, beside archcalc's own.

    `others` are the further keys of the command's JSON.

    Raises:
        UsageError: the tool has no such count, or it is unknown for this network.
    """
    analysis = network.analyze()
    functions = functions_of(network)
    found = recount(tool, quantity, network.name, network.spec.source, analysis, functions)
    columns = (
        Column("layer", "layer", "name"),
        Column("output", "output", "text", spare=2),
        Column("module", "module", "words", spare=1),
        *(Column(name, name, "data") for name in found.sums if len(found.sums) > 1),
        Column("tool", tool, "count"),
        Column("ours", found.rule.unit.partition(" ")[0], "count"),
    )
    total = _cells(found, range(len(analysis.layers)))
    rows, made = _rows(analysis, found, table)
    return Report(
        f"{title(network, analysis)} · as {tool}",
        columns,
        tuple(made),
        {"layer": "total", **total},
        (*_prints(found), *_differences(found), *_about(network, found)),
        lambda: [{**document(network, analysis, rows), "as": _document(analysis, found), **others}],
        label(network),
    )


def _rows(analysis: Analysis, found: Recount, table: Table) -> tuple[list[Row], list[dict[str, Any]]]:
    """Return the rows of layers with a count, and their cells; the input has cells if it is counted."""
    place = {layer.path: i for i, layer in enumerate(analysis.layers)}

    def matters(layer: Layer) -> bool:
        cells = _cells(found, [place[layer.path]])
        return bool(cells["tool"] or cells["ours"])

    rows, names = single(analysis, matters, table)
    made = []
    if matters(analysis.layers[0]):
        made.append(_row(found, "input", ranked(analysis.graph.input), [0]))
    for name, row in zip(names, rows, strict=True):
        members = [place[layer.path] for layer in row.layers]
        counted = [i for i in members if matters(analysis.layers[i])]
        made.append(_row(found, name, output(row), counted or members))
    return rows, made


def _row(found: Recount, name: str, output: Ranked, members: Sequence[int]) -> dict[str, Any]:
    modules = {found.modules(i) for i in members}
    module = modules.pop() if len(modules) == 1 else ""
    return {"layer": name, "output": output, "module": module, **_cells(found, members)}


def _cells(found: Recount, members: Sequence[int]) -> dict[str, int]:
    sums = {name: sum(counts[i] for i in members) for name, counts in found.sums.items()}
    return {**sums, "tool": sum(sums.values()), "ours": sum(found.ours[i] for i in members)}


def _prints(found: Recount) -> list[str]:
    tool = f"{found.tool.name} {found.tool.version}"
    return [f"{tool} prints {' · '.join(found.printed)}", f"its rule: {found.rule.says}"]


def _differences(found: Recount) -> list[str]:
    ours = f"archcalc's {grouped(sum(found.ours))} {found.rule.unit}"
    if not found.differences:
        return [f"these are {ours}: nothing is added or left out"]
    lines = [f"{grouped(found.total)} = {ours}, and"]
    for d in found.differences:
        times = f"{abs(d.factor)} × " if abs(d.factor) > 1 else ""
        verb = "adds" if d.factor > 0 else "leaves out"
        why = f" ({d.why})" if d.why else ""
        lines.append(f"{verb} {times}{d.says}: {grouped(abs(d.amount))}{why}")
    return lines


def _about(network: Network, found: Recount) -> list[str]:
    """Name the code that the modules are from, and the library's own variant of this network."""
    code = found.code
    lines = [f"modules as in {code.file} ({code.library})"] if code.file else []
    if not code.file and found.tool.library == "torchvision":
        told = _in_torch(network)
        own = "where its modules are; pools and relu else functions" if told else "for each operator"
        known = "as the file tells" if told else "no reference code is known"
        lines.append(f"modules: one of torch.nn {own}; {known}")
    own = f"{network.name}_{'keras' if found.tool.library == 'keras' else 'torch'}"
    if own in network.spec.variants:
        lines.append(f"the network of {code.library} is {own}")
    return lines


# operations that tools count only as modules: the class of the module, and the function
_FUNCTIONS = {
    "relu": ("ReLU", "F.relu"),
    "max_pool": ("MaxPool2d", "F.max_pool2d"),
    "avg_pool": ("AvgPool2d", "F.avg_pool2d"),
    "adaptive_avg_pool": ("AdaptiveAvgPool2d", "F.adaptive_avg_pool2d"),
    "mean": ("AdaptiveAvgPool2d", "Tensor.mean"),
}


def _in_torch(network: Network) -> bool:
    from archcalc.lowered import ModelNetwork

    return isinstance(network, ModelNetwork) and network.model.trace.source.startswith("torch")


def functions_of(network: Network) -> dict[str, str]:
    """Return by path the layers of a torch file that call a function, not a module, and the function."""
    if not _in_torch(network):
        return {}
    lowered, trace = network.lowered, network.model.trace  # type: ignore[attr-defined]
    maker = {name: operation for operation in trace.operations for name in operation.outputs}
    found = {}
    for each in lowered.held:
        operation = maker.get(each.tensor)
        while operation and operation.word in _SAME:
            operation = maker.get(operation.inputs[0] or "")
        cls, function = _FUNCTIONS.get(operation.word if operation else "", ("", ""))
        node = network.graph.nodes[each.node]
        if (
            operation
            and node.operator.name in _OPERATORS
            and function
            and trace.modules.get(operation.module) != cls
        ):
            found[node.path] = function
    return found


_SAME = ("view", "dropout", "copy", "cast")  # operations that keep a layer's values in their order
_OPERATORS = ("relu", "maxpool", "avgpool", "adaptivepool", "gap")


def _document(analysis: Analysis, found: Recount) -> dict[str, Any]:
    return {
        "tool": found.tool.name,
        "version": found.tool.version,
        "code": found.code.file or None,
        "printed": list(found.printed),
        "unit": found.rule.unit,
        "total": found.total,
        "ours": sum(found.ours),
        "sums": {name: sum(counts) for name, counts in found.sums.items()},
        "differences": [d._asdict() for d in found.differences],
        "layers": [
            {"path": layer.path, "module": found.modules(i), **_cells(found, [i])}
            for i, layer in enumerate(analysis.layers)
        ],
    }
