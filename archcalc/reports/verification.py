"""Report `archcalc run --verify`: a row for each layer, or each network, as they are verified."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from time import monotonic
from typing import TYPE_CHECKING, Any

from archcalc.analysis.costs import Analysis
from archcalc.analysis.summary import Row
from archcalc.api import Network
from archcalc.errors import Diagnostic
from archcalc.reports.documents import document
from archcalc.reports.layout import has_costs, label, single, title
from archcalc.reports.model import Column, Live, Report
from archcalc.reports.proofs import Verified, VerifyOptions, sized
from archcalc.reports.table import Table
from archcalc.units import binary, grouped

if TYPE_CHECKING:
    from archcalc.execution.verify import Check, LayerVerdict, Proof

LAYERS = (
    Column("layer", "layer", "name"),
    Column("output", "output", "text", spare=2),
    Column("parameters", "parameters", "count"),
    Column("multiplies", "multiplies", "count"),
    Column("checks", "checks", "count", spare=1),
    Column("verdict", "", "words"),
)
NETWORKS = (
    Column("network", "network", "name"),
    Column("input", "input", "text", spare=1),
    Column("layers", "layers", "count"),
    Column("parameters", "params", "scaled", spare=2),
    Column("multiplies", "multiplies", "count"),
    Column("checks", "checks", "count"),
    Column("seconds", "seconds", "text"),
    Column("verdict", "", "words"),
)
WIDEST = {"checks": 99_999, "seconds": "999.9"}  # the widest values, unknown in advance


# ---- one network: a row a layer


def by_layer(network: Network, table: Table, asked: VerifyOptions, done: list[Verified]) -> Live:
    """Return a network's verification, a row for each layer; its result is added to `done`."""
    from archcalc.execution.verify import Proof, Verification

    name, began = label(network), monotonic()
    network = sized(network, asked.quick)
    analysis = network.analyze()
    verification = Verification(network.graph, *asked.start.of_one(network))
    verdicts: dict[str, LayerVerdict] = {}
    named = list(zip(*single(analysis, has_costs, table), strict=True))

    def rows() -> Iterator[dict[str, Any]]:
        judged = iter(verification)
        for row, name in named:
            while any(layer.path not in verdicts for layer in row.layers):
                verdict = next(judged)
                verdicts[verdict.path] = verdict
            yield _layer_row(name, row, [verdicts[layer.path] for layer in row.layers])
        verdicts.update((verdict.path, verdict) for verdict in judged)

    def finish() -> tuple[dict[str, Any], tuple[str, ...]]:
        whole = len(verdicts) == len(analysis.computed)
        arena = verification.arena() if whole else ()
        done.append(Verified(name, network, Proof(tuple(verdicts.values()), arena, monotonic() - began)))
        return _total(analysis, done[0].proof), _remarks(analysis, done[0].proof)

    wide = tuple({**_layer_row(name, row, ()), "checks": WIDEST["checks"]} for row, name in named)
    total = {"layer": "total", **_counts(analysis.total), "checks": WIDEST["checks"]}
    report = Report(_title(network, asked), LAYERS, wide, total, (), list, label(network))
    return Live(report, rows(), finish)


def _layer_row(name: str, row: Row, verdicts: Sequence[LayerVerdict]) -> dict[str, Any]:
    bad = [check for verdict in verdicts for check in verdict.failures]
    skipped = [verdict.skipped for verdict in verdicts if verdict.skipped]
    return {
        "layer": name,
        "output": str(row.shape),
        **_counts(row.costs),
        "checks": sum(len(verdict.checks) for verdict in verdicts),
        "verdict": f"NOT: {_words(bad[0])}" if bad else f"skipped: {skipped[0]}" if skipped else "ok",
    }


def _total(analysis: Analysis, proof: Proof) -> dict[str, Any]:
    return {"layer": "total", **_counts(analysis.total), "checks": proof.checks}


def _counts(costs: Any) -> dict[str, Any]:
    return {"parameters": costs.parameters, "multiplies": costs.multiplies}


def _title(network: Network, asked: VerifyOptions) -> str:
    quick = " · quick: a small input" if asked.quick else ""
    own = f" · {asked.start.told(network)}" if asked.start.of_file(network) else asked.start.heading
    return f"{title(network, network.analyze())}{own}{quick}"


def _remarks(analysis: Analysis, proof: Proof) -> tuple[str, ...]:
    """Return the verdict, the work that was done for it, and the arena."""
    failed, skipped = sum(not v.holds for v in proof.verdicts), len(proof.left_out)
    looped = sum(not (v.uncounted or v.skipped) for v in proof.verdicts)
    missing = len(analysis.computed) - len(proof.verdicts)
    counts = {"NOT verified": failed, "skipped": skipped, "not reached": missing}
    others = "".join(f", {grouped(count)} {words}" for words, count in counts.items() if count)
    verified = f"{_layers(len(proof.verdicts) - failed - skipped)} verified"
    done = "every multiply of theirs was done" if others else "every multiply was done"
    verdict = (
        f"{verified} by {grouped(proof.checks)} checks{others}; {done}, and {_layers(looped)} also "
        "counted theirs in compiled loops"
    )
    if not proof.arena:
        return (verdict,)
    size = proof.arena[0].executed
    arena = f"arena: {binary(size)} ({grouped(size)} bytes), every output at the place predicted"
    return (verdict, arena) if all(c.what != "bytes" for _, c in proof.failures) else (verdict,)


# ---- several networks: a row a network


def by_network(
    proofs: Iterable[Verified],
    expected: Sequence[dict[str, Any]],
    asked: VerifyOptions,
    done: list[Verified],
) -> Live:
    """Return a row for each network, in the order of `proofs`; results are added to `done`.

    `expected` are the networks' names and totals, from `expect`.
    """
    began = monotonic()

    def rows() -> Iterator[dict[str, Any]]:
        for each in proofs:
            done.append(each)
            yield _network_row(each)

    def finish() -> tuple[dict[str, Any], tuple[str, ...]]:
        found = [_network_row(each) for each in done]
        summed = ("layers", "parameters", "multiplies", "checks")
        sums = {key: sum(row[key] for row in found) for key in summed}
        seconds = f"{monotonic() - began:.1f}"
        accepted = (each for each in done if asked.allow_skips or _copies(each, done))
        skips = [_accepted(text, each, done) for each in accepted for text in _skips(each)]
        remarks = (_verdicts(done, len(expected)), *skips)
        return {"network": "total", **sums, "seconds": seconds}, remarks

    quick = " · quick: each at a small input" if asked.quick else ""
    heading = f"{len(expected)} networks executed layer by layer{asked.start.heading}{quick}"
    wide = tuple({"network": row["name"], **row, **WIDEST} for row in expected)
    sums = {key: sum(row[key] for row in expected) for key in ("parameters", "multiplies")}
    total = {"network": "total", **sums, **WIDEST}
    report = Report(heading, NETWORKS, wide, total, (), list)
    return Live(report, rows(), finish)


def expect(network: Network) -> dict[str, Any]:
    """Return the name, input size and counts of a network before it runs."""
    analysis = network.analyze()
    shape = "×".join(map(str, network.graph.input))
    return {"name": label(network), "input": shape, **_counts(analysis.total)}


def _network_row(done: Verified) -> dict[str, Any]:
    analysis, proof = done.network.analyze(), done.proof
    return {
        "network": done.name,
        "input": "×".join(map(str, analysis.graph.input)),
        "layers": len(proof.verdicts),
        **_counts(analysis.total),
        "checks": proof.checks,
        "seconds": f"{proof.seconds:.1f}",
        "verdict": "ok" if proof.verdict == "verified" else proof.verdict,
    }


def _verdicts(done: Sequence[Verified], wanted: int) -> str:
    """Return the verdict over all networks: '41 verified, 3 skipped'."""
    counts = {"verified": 0, "skipped": 0, "NOT verified": 0}
    for each in done:
        counts[each.proof.verdict] += 1
    parts = [f"{count} {words}" for words, count in counts.items() if count or words == "verified"]
    missing = wanted - len(done)
    return ", ".join([*parts, f"{missing} not reached"] if missing else parts)


def findings(done: Sequence[Verified], asked: VerifyOptions) -> list[Diagnostic]:
    """Return the failures; if there are none, what was skipped without permission."""
    found = [Diagnostic(text) for each in done for text in _failures(each)]
    if found or asked.allow_skips:
        return found
    help = "--allow-skips accepts that"
    missed = (each for each in done if not _copies(each, done))
    return [Diagnostic(text, help=help) for each in missed for text in _skips(each)]


def _copies(skipped: Verified, done: Sequence[Verified]) -> list[str]:
    """Return the verified networks of the same file with the same operators as a skipped one."""
    if not skipped.proof.skipped:
        return []
    own = _operators(skipped)
    verified = (each for each in done if each.proof.verdict == "verified")
    return [
        each.name
        for each in verified
        if each.network.spec.source.name == skipped.network.spec.source.name and _operators(each) == own
    ]


def _operators(done: Verified) -> set[str]:
    return {node.operator.name for node in done.network.graph.nodes}


def _accepted(text: str, skipped: Verified, done: Sequence[Verified]) -> str:
    copies = _copies(skipped, done)
    return f"{text}; {copies[0]}, a network of the same layers, is verified" if copies else text


# ---- words


def _words(check: Check) -> str:
    """Say what a failed check predicted and executed."""
    return f"{check.what} by {check.by}: predicted {check.predicted}, executed {check.executed}"


def _failures(done: Verified) -> Iterator[str]:
    for path, check in done.proof.failures:
        yield f"{done.name}: {path or 'arena'}: {_words(check)}"


def _skips(done: Verified) -> list[str]:
    """Say what was not executed, with the reasons."""
    if done.proof.skipped:
        return [f"{done.name}: {done.proof.skipped}"]
    reasons: dict[str, int] = {}
    for verdict in done.proof.left_out:
        reasons[verdict.skipped] = reasons.get(verdict.skipped, 0) + 1
    if not reasons:
        return []
    told = "; ".join(f"{reason} ({count})" for reason, count in reasons.items())
    return [f"{done.name}: {_layers(len(done.proof.left_out))} skipped: {told}"]


def _layers(count: int) -> str:
    return "1 layer" if count == 1 else f"{grouped(count)} layers"


def layers(done: Verified, table: Table) -> Report:
    """Return a row for each layer of a verified network."""
    analysis, proof = done.network.analyze(), done.proof
    verdicts = {verdict.path: verdict for verdict in proof.verdicts}
    rows = [
        _layer_row(name, row, [verdicts[layer.path] for layer in row.layers if layer.path in verdicts])
        for row, name in zip(*single(analysis, has_costs, table), strict=True)
    ]

    def documents() -> list[dict[str, Any]]:
        told = [v._asdict() | {"checks": _documents(v.checks), "holds": v.holds} for v in proof.verdicts]
        own = {
            "verdict": proof.verdict,
            "skipped": proof.skipped,
            "seconds": round(proof.seconds, 3),
            "arena": _documents(proof.arena),
        }
        return [{**document(done.network, analysis), **own, "verdicts": told}]

    return Report("", LAYERS, tuple(rows), None, (), documents, label(done.network))


def _documents(checks: Iterable[Check]) -> list[dict[str, Any]]:
    return [check._asdict() for check in checks]
