"""archcalc run: the network executed, and what was predicted held against what was done."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from archcalc.analysis.costs import Costs, Layer
from archcalc.analysis.summary import Row
from archcalc.api import Network
from archcalc.commands.layout import document, label, single, title
from archcalc.commands.options import ALL, DEPTH, FORMAT, Table, show, spec_command
from archcalc.errors import ArchError, Diagnostic, UsageError
from archcalc.units import grouped
from archcalc.views.report import Column, Report

if TYPE_CHECKING:
    from archcalc.numerics.signals import Signal
    from archcalc.numerics.verify import Verdict

INITS = ("he", "xavier", "normal", "zeros", "zero-residual")  # numerics.weights, which imports numpy
CLASSICS = ("lenet5", "lenet5_1998", "inception", "alexnet", "vgg16", "resnet50")
OUTPUTS = (
    Column("name", "output", "name"),
    Column("shape", "shape", "text"),
    Column("mean", "mean", "text"),
    Column("std", "std", "text"),
    Column("largest", "largest", "text"),
    Column("top", "top classes", "words"),
)
SIGNALS = (
    Column("layer", "layer", "name"),
    Column("output", "output", "text", spare=1),
    Column("mean", "mean", "text"),
    Column("std", "std", "text"),
    Column("zeros", "zeros", "text"),
    Column("largest", "largest", "text"),
)
CHECKS = (
    Column("layer", "layer", "name"),
    Column("output", "output", "text", spare=2),
    Column("parameters", "parameters", "count"),
    Column("multiplies", "multiplies", "count"),
    Column("checks", "checks", "count", spare=1),
    Column("verdict", "", "words"),
)


class Finding(ArchError):
    """Something that was predicted was not what was executed."""

    exit_code = 1


@spec_command("run", fallback=CLASSICS)
@click.option("--verify", is_flag=True, help="Hold every prediction against what was executed.")
@click.option("--stats", is_flag=True, help="Mean, deviation, zeros and largest value of every layer.")
@click.option("--init", type=click.Choice(INITS), default="he", help="Seeded weights.")
@click.option("--seed", type=click.IntRange(0, 2**63 - 1), default=0, help="Of weights and input.")
@click.option("--batch", type=click.IntRange(1, 4096), default=1, help="Images at once.")
@ALL
@DEPTH
@FORMAT
def command(
    networks: list[Network], table: Table, verify: bool, stats: bool, init: str, seed: int, batch: int
) -> None:
    """Run SPEC on NumPy with seeded weights; with --verify, prove its counts.

    \b
    Example: archcalc run lenet5 --verify

    \b
    output       mean, standard deviation, zeros, largest absolute value, and the
                 classes with the largest values
    --stats      the same for every layer: do signals die or explode on the way?
    --verify     each layer runs three times: by its definition on arrays that
                 count what NumPy does, by compiled loops that count every step,
                 and by the fast kernel. Shapes, parameters, every kind of the
                 census and the values must agree. Exit code 1 if one does not.
    checks       comparisons that were made for a layer

    Without a SPEC it takes the classics: lenet5, lenet5_1998, inception, alexnet,
    vgg16 and resnet50.
    """
    if verify:
        _verify(networks, table, init, seed)
        return
    reports = [_executed(network, table, stats, init, seed, batch) for network in networks]
    show("run", reports, table.format)


def _require_kernels(network: Network) -> None:
    """Refuse operators that no kernel runs before any work is done."""
    from archcalc.numerics.kernels import KERNELS

    missing = dict.fromkeys(
        node.operator.name for node in network.graph.nodes[1:] if node.operator.name not in KERNELS
    )
    if missing:
        names = ", ".join(f"`{name}`" for name in missing)
        help = "its counts are closed forms: `archcalc flops`, `archcalc params`"
        raise UsageError(
            Diagnostic(f"{network.name} has operators that do not run yet: {names}", help=help)
        )


def _executed(network: Network, table: Table, stats: bool, init: str, seed: int, batch: int) -> Report:
    from archcalc.numerics.forward import Forward
    from archcalc.numerics.signals import seeded_input, signal, top_classes
    from archcalc.numerics.weights import make

    _require_kernels(network)
    graph = network.graph
    forward = Forward(graph, make(graph, init, seed), batch)
    signals: list[dict[str, Any]] = []

    def watch(index: int, value: Any) -> None:
        node = graph.nodes[index]
        signals.append({"layer": node.path, "output": str(node.shape), **_cells(signal(value))})

    outputs = forward.run(seeded_input(graph.input, batch, seed), watch if stats else None)
    rows = [
        {
            "name": name,
            "shape": "×".join(map(str, value.shape)),
            "top": ", ".join(map(str, top_classes(value, 5))),
            **_cells(signal(value)),
        }
        for name, value in outputs.items()
    ]
    analysis = network.analyze()

    def documents() -> list[dict[str, Any]]:
        return [{**document(network, analysis), "outputs": rows, "signals": signals}]

    heading = f"{title(network, analysis)} · {init} · seed {seed}"
    shown, columns = (signals, SIGNALS) if stats else (rows, OUTPUTS)
    return Report(heading, columns, tuple(shown), None, (), documents, label(network))


def _cells(found: Signal) -> dict[str, Any]:
    return {
        "mean": f"{found.mean:.3g}",
        "std": f"{found.std:.3g}",
        "zeros": f"{100 * found.zeros:.1f} %",
        "largest": f"{found.largest:.3g}",
    }


def _verify(networks: list[Network], table: Table, init: str, seed: int) -> None:
    """A report a network, as soon as it is done; a Finding at the end if something does not hold."""
    failed: list[str] = []
    for network in networks:
        _require_kernels(network)
        report, failures = _verified(network, table, init, seed)
        show("run", [report], table.format)
        if table.format == "table":
            click.echo()
        sys.stdout.flush()
        failed += [f"{network.name}: {failure}" for failure in failures]
    if failed:
        raise Finding(*(Diagnostic(message) for message in failed))


def _verified(network: Network, table: Table, init: str, seed: int) -> tuple[Report, list[str]]:
    from archcalc.numerics.signals import seeded_input
    from archcalc.numerics.verify import verify
    from archcalc.numerics.weights import make

    graph, analysis = network.graph, network.analyze()
    image = seeded_input(graph.input, 1, seed)
    verdicts = {v.path: v for v in verify(graph, make(graph, init, seed), image)}
    bad = [verdict for verdict in verdicts.values() if not verdict.holds]
    rows = [
        _row(name, row, [verdicts[layer.path] for layer in row.layers])
        for row, name in zip(*single(analysis, _matters, table), strict=True)
    ]
    checks = sum(len(verdict.checks) for verdict in verdicts.values())
    looped = sum(1 for verdict in verdicts.values() if not verdict.skipped)
    wrong = f", {len(bad)} NOT" if bad else ""
    remark = (
        f"{len(verdicts) - len(bad)} layers verified{wrong} by {grouped(checks)} checks; every multiply "
        f"was done, and {looped} layers also counted theirs in compiled loops"
    )
    total = {"layer": "total", **_counts(analysis.total), "checks": checks}

    def documents() -> list[dict[str, Any]]:
        told = [
            v._asdict() | {"checks": [c._asdict() for c in v.checks], "holds": v.holds}
            for v in verdicts.values()
        ]
        return [{**document(network, analysis), "verdicts": told}]

    report = Report(
        title(network, analysis), CHECKS, tuple(rows), total, (remark,), documents, label(network)
    )
    return report, [f"{verdict.path}: {_words(verdict)}" for verdict in bad]


def _matters(layer: Layer) -> bool:
    return bool(layer.costs.stored_numbers or layer.costs.multiplies)


def _counts(costs: Costs) -> dict[str, Any]:
    return {"parameters": costs.stored_numbers, "multiplies": costs.multiplies}


def _row(name: str, row: Row, verdicts: list[Verdict]) -> dict[str, Any]:
    bad = [verdict for verdict in verdicts if not verdict.holds]
    return {
        "layer": name,
        "output": str(row.shape),
        **_counts(row.costs),
        "checks": sum(len(verdict.checks) for verdict in verdicts),
        "verdict": _words(bad[0]) if bad else "ok",
    }


def _words(verdict: Verdict) -> str:
    """What is wrong with a layer."""
    first = verdict.failures[0]
    return f"{first.what} by {first.by}: predicted {first.predicted}, executed {first.executed}"
