"""Report `archcalc run --verify --against TOOL`: compare a model's layers with a framework's values."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite
from typing import TYPE_CHECKING, Any

from archcalc.analysis.costs import Layer
from archcalc.api import Network
from archcalc.errors import Diagnostic, UsageError
from archcalc.lowered import ModelNetwork
from archcalc.reports.documents import document
from archcalc.reports.layout import has_costs, label, single, title
from archcalc.reports.model import Column, Measurement, Report
from archcalc.reports.start import Start
from archcalc.reports.table import Table
from archcalc.units import grouped, printable

if TYPE_CHECKING:
    from archcalc.execution.against import Agreement

LIMIT = 1e-4  # of a layer's largest value: float32 sums in another order differ by so much at most
COLUMNS = (
    Column("layer", "layer", "name"),
    Column("output", "output", "text", spare=1),
    Column("compared", "compared", "count"),
    Column("largest", "largest value", "figure", spare=2),
    Column("difference", "difference", "figure"),
    Column("verdict", "", "words"),
)


def against(network: Network, table: Table, start: Start, tool: str) -> tuple[Report, list[Diagnostic]]:
    """Compare each layer of a model file with a framework's values; return the layers that differ too.

    Raises:
        ArchError: the framework does not run this file, or is not installed.
    """
    found = compared(_model_of(network, start, tool), start, tool)
    analysis = network.analyze()
    by_path = {network.graph.nodes[each.node].path: each for each in found}
    names = zip(*single(analysis, has_costs, table), strict=True)
    rows = [_cells(name, str(row.shape), _of(row.layers, by_path)) for row, name in names]
    total = _cells("total", "", found) | {"largest": None}
    bad = [(path, each) for path, each in by_path.items() if not each.share <= LIMIT]

    def documents() -> list[dict[str, Any]]:
        told = [_document(path, each) for path, each in by_path.items()]
        return [{**document(network, analysis), "against": tool, "agreements": told}]

    heading = f"{title(network, analysis)} · {start.told(network)} · against {tool}"
    remarks = _remarks(by_path, len(analysis.computed), tool)
    report = Report(heading, COLUMNS, tuple(rows), total, remarks, documents, label(network))
    return report, [_finding(network, path, each, tool) for path, each in bad]


def _model_of(network: Network, start: Start, tool: str) -> ModelNetwork:
    from archcalc.execution.frameworks import TOOLS

    if not isinstance(network, ModelNetwork):
        help = "`archcalc export SPEC -o net.onnx` makes a file of it, which onnxruntime runs"
        raise UsageError(Diagnostic(f"{label(network)} is a spec, which no framework runs", help=help))
    source, name = network.model.trace.source, printable(network.model.name)
    fitting = [t for t in TOOLS if _SOURCES[t] in source and not name.startswith("torch:")]
    if tool not in fitting:
        help = f"--against {fitting[0]}" if fitting else "export it with its weights, as one of these"
        raise UsageError(Diagnostic(f"{tool} runs {TOOLS[tool]}, which {name} is not", help=help))
    if network.input is not None:
        help = "leave `--input` away; sizes that the file leaves free are given by `--dim`"
        raise UsageError(Diagnostic("`--against` takes the input size of the file", help=help))
    if not start.of_file(network):
        help = "torch.export.save and torch.onnx.export write them, unless they lie on `meta`"
        raise UsageError(
            Diagnostic(f"{name} holds no weights, which `--against` compares with", help=help)
        )
    return network


_SOURCES = {"torch": "torch.export", "onnxruntime": "ONNX"}


def compared(network: ModelNetwork, start: Start, tool: str) -> list[Agreement]:
    """Return how far each layer of a model file is from the tensor that a framework computes."""
    from archcalc.execution.against import agreements
    from archcalc.execution.frameworks import computed

    model = network.model
    weights, image = start.of_one(network)
    return agreements(
        network.graph,
        network.lowered,
        model.trace.tensors,
        weights,
        image,
        lambda inputs, wanted: computed(tool, model.name, model.trace, inputs, wanted),
    )


def _of(layers: Sequence[Layer], by_path: dict[str, Agreement]) -> list[Agreement]:
    return [by_path[layer.path] for layer in layers if layer.path in by_path]


def _cells(name: str, output: str, found: Sequence[Agreement]) -> dict[str, Any]:
    worst = max(found, key=lambda each: each.share, default=None)
    share = worst.share if worst else None
    largest = worst.largest if worst else None
    return {
        "layer": name,
        "output": output,
        "compared": len(found),
        "largest": Measurement(largest, "–" if largest is None else f"{largest:.3g}"),
        "difference": Measurement(share, "–" if share is None else f"{share:.1e}"),
        "verdict": "" if share is None else "ok" if share <= LIMIT else "NOT",
    }


def _document(path: str, found: Agreement) -> dict[str, Any]:
    """Return a layer's comparison as JSON; None for an infinite difference."""
    share = found.share if isfinite(found.share) else None
    return {"layer": path, "tensor": found.tensor, "largest": found.largest, "difference": share}


def _remarks(by_path: dict[str, Agreement], layers: int, tool: str) -> tuple[str, ...]:
    missing = layers - len(by_path)
    are = "makes no tensor of the file and is" if missing == 1 else "make no tensors of the file and are"
    apart = f"; {grouped(missing)} {are} seen in the layers behind"
    told = f"{grouped(len(by_path))} of {grouped(layers)} layers compared{apart if missing else ''}"
    if not by_path:
        return (told,)
    path, worst = max(by_path.items(), key=lambda pair: pair[1].share)
    return (told, f"largest difference: {worst.share:.1e} of the largest value, in {printable(path)}")


def _finding(network: Network, path: str, found: Agreement, tool: str) -> Diagnostic:
    what = f"{found.difference:.3g} from {tool}'s, whose largest is {found.largest:.3g}"
    return Diagnostic(f"{label(network)}: {printable(path)}: values are up to {what}")
