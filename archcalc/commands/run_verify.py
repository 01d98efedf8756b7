"""Run `archcalc run --verify` by layer or by network, with exit code 1 for a finding."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from archcalc.api import Network
from archcalc.commands.options import show, show_live
from archcalc.commands.run_progress import VerifyProgress
from archcalc.errors import Finding
from archcalc.reports.proofs import Verified, VerifyOptions, proved
from archcalc.reports.table import Table
from archcalc.reports.verification import by_layer, by_network, findings, layers

BY_LAYER = ("json", "csv")  # formats of every layer, however many networks


def verify(
    networks: Iterable[Network], expected: Sequence[dict[str, Any]], table: Table, asked: VerifyOptions
) -> None:
    """Verify and show several networks (with totals in `expected`) by network, one network by layer.

    Raises:
        Finding: a check failed, or a layer was skipped without permission.
    """
    done: list[Verified] = []
    progress = VerifyProgress(expected, asked.all)
    if table.format in BY_LAYER:
        try:
            done.extend(progress.over(proved(networks, asked)))
        except KeyboardInterrupt:  # finished work is kept
            show("run", [layers(each, table) for each in done], table.format)
            raise
        show("run", [layers(each, table) for each in done], table.format)
    elif len(expected) == 1:
        show_live("run", by_layer(next(iter(networks)), table, asked, done), table.format)
    else:
        proofs = progress.over(proved(networks, asked))
        show_live("run", by_network(proofs, expected, asked, done), table.format)
    found = findings(done, asked)
    if found:
        raise Finding(*found)
