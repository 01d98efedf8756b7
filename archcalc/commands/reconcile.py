"""archcalc reconcile: what a printed number counts, of which network, and how."""

from __future__ import annotations

from typing import Any

import click

from archcalc.api import load
from archcalc.audit.conventions import KINDS
from archcalc.audit.neighbor import Neighbor
from archcalc.audit.printed import Printed, counted, parse
from archcalc.audit.quoted import quoted, quoted_ratio
from archcalc.audit.ratios import Ratio, is_ratio
from archcalc.audit.ratios import found as pairs_of
from archcalc.audit.ratios import parse as ratio
from archcalc.audit.search import find
from archcalc.audit.verdicts import Networks
from archcalc.commands.options import FORMAT, ModelCommand, show, spec_command
from archcalc.errors import Diagnostic, UsageError
from archcalc.network import Network
from archcalc.reports.layout import label
from archcalc.reports.ratios import report as ratio_report
from archcalc.reports.reconcile import AskedNumber, known_in_print, report
from archcalc.reports.reconcile_words import in_print
from archcalc.reports.table import Table
from archcalc.units import printable

MOST_ROWS = 4


@spec_command("reconcile", most=1, usage="SPEC NUMBER", cls=ModelCommand)
@click.option(
    "--quantity",
    type=click.Choice([name for name in KINDS if name]),
    help="What NUMBER counts, where its own unit does not say.",
)
@FORMAT
def command(networks: list[Any], table: Table, quantity: str | None, words: list[str]) -> None:
    """Explain a printed NUMBER of SPEC: which network it is, what it counts, how it was rounded.

    \b
    Example: archcalc reconcile resnet50 3.8G
             archcalc reconcile vgg16 218.59MB
             archcalc reconcile resnet50 25,636,712
             archcalc reconcile inception 9.68x
    A model file may stand for SPEC (.pt2, .onnx, .keras): archcalc help models

    A number means every count that rounds or truncates to its digits; one with all its
    digits, that count alone; a fraction without a unit is tried in units of G and of M,
    as torchinfo prints such numbers; a whole number may be bytes. Variants of the network,
    its switches, usual input sizes and both ways of rounding a pool are combined with what
    tools and tables count. What departs least from archcalc's own count comes first.
    Exit code 1: nothing matches.
    A ratio (55%, 2.78x, 12x fewer parameters) is that of two counts: parts of the network and
    the whole, a variant and another, a kernel and another. If another network has fewer where
    the text says that SPEC has, the statement is `reversed`, and the exit code 1.

    \b
    reading      the network, and the conventions by which it counts
    count        the exact count that prints as NUMBER
    digits       whether NUMBER is it rounded, truncated or exactly; fitted: the
                 size of a file, whose format adds some bytes around each tensor;
                 of a number in print, the verdict of `archcalc audit`
    departures   in how many ways the reading is not archcalc's own count of
                 SPEC; a number of up to 3 digits is given two, others three,
                 because with more almost any number can be had; three at once
                 are no explanation, but arithmetic that fits; values
                 (activations) are one where NUMBER is neither whole nor says
                 that it counts them
    by chance    how many of the readings would print so if they lay anywhere
                 within a factor of two; where that is likely, two departures
                 are believed only if each has a name of its own: a variant,
                 a tool, a part of the network, truncation
    in print     who has printed these digits, and what `archcalc audit` finds; it
                 leads where the first reading has another count
    """
    _reconcile(networks[0], _number(words), quantity, table)


def _reconcile(network: Any, number: str, quantity: str | None, table: Table) -> None:
    if not isinstance(network, Network):
        _of_file(network, number, quantity, table)
    elif is_ratio(number):
        _ratio(network, ratio(number), table)
    else:
        _count(network, counted(parse(number), quantity or ""), quantity, table)


def _count(network: Network, printed: Printed, quantity: str | None, table: Table) -> None:
    """Show what prints like the number; exit with code 1 if nothing does."""
    findings = find(Neighbor.of(network), printed, quantity or "")
    networks_by_name = Networks(load)
    sources = list(quoted(network.spec.source.name, printed, networks_by_name))
    known = known_in_print(network.entry.name, sources)
    asked = AskedNumber(network.name, label(network), printed, quantity)
    show("reconcile", [report(asked, findings, sources, known, _most(table))], table.format)
    _end(bool(findings.matches or known))


def _ratio(network: Network, asked: Ratio, table: Table) -> None:
    """Show the pairs that have the ratio; exit with code 1 if there are none."""
    origin = Neighbor.of(network)
    networks = Networks(load)
    sources = list(quoted_ratio(network.spec.source.name, asked, networks))
    pairs = pairs_of(origin, asked)
    told = ratio_report(origin.name, label(network), asked, pairs, in_print(sources), _most(table))
    show("reconcile", [told], table.format)
    _end(bool(pairs.matches or known_in_print(network.entry.name, sources)))


def _of_file(model: Any, number: str, quantity: str | None, table: Table) -> None:
    """Show it for a model file, which has no neighbors, and of which nothing is in print."""
    from archcalc.audit.model_facts import find as find_in_file
    from archcalc.audit.model_facts import find_ratio

    title = printable(model.name)
    if is_ratio(number):
        asked_ratio = ratio(number)
        pairs = find_ratio(model, asked_ratio)
        told = ratio_report(model.name, title, asked_ratio, pairs, [], _most(table))
        explained = bool(pairs.matches)
    else:
        asked = AskedNumber(model.name, title, counted(parse(number), quantity or ""), quantity)
        findings = find_in_file(model, asked.printed, quantity or "")
        told, explained = report(asked, findings, [], [], _most(table)), bool(findings.matches)
    show("reconcile", [told], table.format)
    _end(explained)


def _most(table: Table) -> int | None:
    """Return the number of rows that are shown."""
    return None if table.format == "csv" else MOST_ROWS


def _end(explained: bool) -> None:
    if not explained:
        click.get_current_context().exit(1)


def _number(words: list[str]) -> str:
    if not words:
        help = "as in `archcalc reconcile resnet50 3.8G`"
        raise UsageError(Diagnostic("reconcile needs a NUMBER behind the SPEC", help=help))
    return " ".join(words)
