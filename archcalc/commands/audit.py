"""archcalc audit: the published numbers, recomputed: which hold, and what the others really are."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from fractions import Fraction
from typing import Any

import click

from archcalc.api import find, load
from archcalc.audit.published import Published, families, numbers
from archcalc.audit.verdicts import KINDS, Networks, Verdict, judge, shown
from archcalc.commands.options import FORMAT, complete_words, show
from archcalc.errors import Diagnostic, UsageError
from archcalc.reports.model import Column, Report
from archcalc.units import printable

MOST_NAMED = 2
FINDINGS = ("wrong", "unexplained")
COLUMNS = (
    Column("number", "number", "name"),
    Column("printed", "printed", "text"),
    Column("computed", "computed", "text", spare=1),
    Column("verdict", "verdict", "name"),
    Column("source", "source", "words"),
    Column("reason", "reason", "data"),
)
PLAIN = tuple(c._replace(kind="data") if c.key == "computed" else c for c in COLUMNS)
SUMMARY = (
    Column("source", "source", "name"),
    Column("all", "all", "count"),
    *(Column(kind, "open" if kind == "unexplained" else kind, "count") for kind in KINDS),
)


@click.command("audit")
@click.argument("specs", nargs=-1, metavar="[SPEC]...", shell_complete=complete_words)
@click.option("--all", "all_", is_flag=True, help="Every number, not only the findings.")
@click.option("--source", metavar="TEXT", help="Only numbers of sources whose name holds TEXT.")
@FORMAT
def command(specs: tuple[str, ...], all_: bool, source: str | None, format: str) -> None:
    """Recompute what papers, course notes and tools have printed about the bundled networks.

    Without SPEC and --source: how many numbers of each source hold, then those that are wrong
    or that nobody can explain. With SPECs: every number of these networks, or of a family (vgg).

    \b
    Example: archcalc audit googlenet
             archcalc audit vgg16 --source keras

    \b
    exact        the printed number is the computed one, to the last digit
    rounded      the computed number rounds, or truncates, to the printed digits
    convention   it is what its source counts: biases too, conv layers only, MiB …
    variant      it belongs to another variant of the network, which is named
    wrong        it disagrees, and a computed derivation tells how it came about
    unexplained  it disagrees, and nothing that we compute comes out so (“open” in
                 the summary)
    computed     what archcalc counts under the number's own name

    Accuracies, times and other measurements cannot be computed and are not listed. What an entry
    of specs/published/ says about its number is a promise that has to be computed: exit code 1 if
    a number that should hold does not. A wrong number whose derivation comes out, one that its
    entry calls unexplained and one quoted from memory are findings of the literature, no failure.
    """
    chosen = [number for number in _chosen(specs) if _of_source(number, source)]
    if source and not chosen:
        help = "`archcalc audit` lists the sources"
        raise UsageError(
            Diagnostic(f"no source of these numbers is called `{printable(source)}`", help=help)
        )
    networks = Networks(load)
    verdicts = [judge(number, networks) for number in chosen]
    every = all_ or bool(specs) or bool(source) or format in ("csv", "json")
    reports = [_table(verdicts, every, plain=format == "csv")]
    if not specs and not source and format not in ("csv", "json"):
        reports.insert(0, _summary(verdicts))
    show("audit", reports, format)
    if any(verdict.fails for verdict in verdicts):
        click.get_current_context().exit(1)


def _chosen(specs: Iterable[str]) -> Iterator[Published]:
    """The numbers of all families, or of the named ones; of one network where a variant is named.

    Each comes once, however often it is asked for.
    """
    asked: set[tuple[str, int]] = set()
    if not specs:
        for family in families():
            yield from numbers(family)
    for name in specs:
        entry, settings = find(name)
        if settings:
            help = f"`archcalc audit {printable(entry.name)}`; reconcile takes settings"
            raise UsageError(Diagnostic("audit takes networks without settings", help=help))
        file = os.path.basename(entry.spec.source.name)
        for place, number in enumerate(numbers(file)):
            meant = f"{entry.name}.toml" == file or number.network.split(":")[0] == entry.name
            if meant and (file, place) not in asked:
                asked.add((file, place))
                yield number


def _of_source(number: Published, text: str | None) -> bool:
    return not text or text.lower() in number.source.lower()


def _summary(verdicts: list[Verdict]) -> Report:
    """Verdicts by source: papers and tools by their name, whatever table or file it was."""
    by_source: dict[str, list[Verdict]] = {}
    for verdict in verdicts:
        by_source.setdefault(verdict.number.source.partition(",")[0], []).append(verdict)
    rows = [{"source": name, **_counts(by_source[name])} for name in sorted(by_source)]
    total = {"source": "total", **_counts(verdicts)}
    title = f"{len(verdicts)} published numbers, recomputed"
    return Report(title, SUMMARY, tuple(rows), total, (), list)


def _counts(verdicts: list[Verdict]) -> dict[str, int | None]:
    kinds = [verdict.kind for verdict in verdicts]
    return {"all": len(kinds), **{kind: kinds.count(kind) or None for kind in KINDS}}


def _table(verdicts: list[Verdict], every: bool, plain: bool) -> Report:
    """`plain`: computed numbers as a program reads them, not as people do."""
    listed = [v for v in verdicts if every or v.kind in FINDINGS or v.fails]
    failed = sum(v.fails for v in verdicts)
    remarks = [*_reasons(listed), *([f"{failed} that should hold do not"] if failed else [])]
    title = f"{len(listed)} {'published' if every else 'wrong or unexplained'} numbers"
    documents = [_document(verdict) for verdict in verdicts]
    columns, rows = (PLAIN if plain else COLUMNS), tuple(_row(verdict, plain) for verdict in listed)
    return Report(title, columns, rows, None, tuple(remarks), lambda: documents)


def _reasons(verdicts: list[Verdict]) -> Iterator[str]:
    """Each reason once, behind the printed numbers that it explains."""
    explained: dict[str, dict[str, None]] = {}
    for verdict in verdicts:
        if verdict.reason and verdict.kind != "rounded":
            explained.setdefault(verdict.reason, {})[f"{_name(verdict)} {verdict.number.printed}"] = None
    for reason, texts in explained.items():
        names = list(texts)
        more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
        yield f"{', '.join(names[:MOST_NAMED])}{more}: {reason}"


def _name(verdict: Verdict) -> str:
    """'googlenet 4a weights'."""
    return f"{verdict.number.subject} {verdict.number.quantity.replace('_', ' ')}"


def _row(verdict: Verdict, plain: bool) -> dict[str, Any]:
    number, computed = verdict.number, verdict.computed
    return {
        "number": _name(verdict),
        "printed": number.printed,
        "computed": _plain(computed) if plain and not isinstance(computed, tuple) else shown(computed),
        "verdict": verdict.kind,
        "reason": verdict.reason,
        "source": number.source,
    }


def _document(verdict: Verdict) -> dict[str, Any]:
    return {
        **verdict.number._asdict(),
        "verdict": verdict.kind,
        "computed": _plain(verdict.computed),
        "reached": _plain(verdict.reached),
        "reason": verdict.reason,
        "fails": verdict.fails,
    }


def _plain(value: Any) -> Any:
    """An integer, a ratio with all digits of a float, or a size as a list."""
    if isinstance(value, tuple):
        return list(map(int, value))
    return float(value) if isinstance(value, Fraction) else value
