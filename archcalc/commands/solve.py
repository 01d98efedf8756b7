"""archcalc solve: the settings that fit best."""

from __future__ import annotations

import click

from archcalc.api import Network
from archcalc.commands.dtype import DTYPE
from archcalc.commands.options import FORMAT, SpecCommand, Suffixed, show, spec_command
from archcalc.commands.sweep import VARY
from archcalc.commands.sweep_progress import SweepProgress
from archcalc.errors import Diagnostic, UsageError
from archcalc.formats import formats_of
from archcalc.reports.sweep import solved
from archcalc.reports.table import Table
from archcalc.sweeps.evaluation.request import request
from archcalc.sweeps.evaluation.run import sweep
from archcalc.sweeps.space.model import make_space
from archcalc.sweeps.space.points import grid
from archcalc.units import printable


class SolveCommand(SpecCommand):
    """A command over the points of a space, as a sweep is."""

    lasting = True
    models = "refused"
    every_setting_counts = False  # one point may leave unread what another reads


@spec_command("solve", most=1, cls=SolveCommand)
@VARY
@click.option("--where", default="", metavar="CONDITION", help="What must hold.")
@click.option("--best", metavar="NAME", help="The least of it, or max:NAME.  [required]")
@click.option("--top", type=Suffixed(1, 1000), default=1, metavar="N", help="The N best.")
@DTYPE
@FORMAT
def command(
    networks: list[Network],
    table: Table,
    words: list[str],
    vary: tuple[str, ...],
    where: str,
    best: str | None,
    top: int,
    dtype: str,
) -> None:
    """Find the settings of SPEC that fit best; an error, or exit code 1, if none fits.

    \b
    Example: archcalc solve resnet50 --vary width=8:128:8 --vary input=96:224:32
                 --where 'multiplies <= 600M and peak <= 2MiB' --best max:params

    \b
    --vary, --where   as in `archcalc sweep`
    --best            max:params wants the most parameters, peak the least peak;
                      of equals, the first in the order of --vary
    metrics           as in `archcalc sweep`; weights, stored and peak in bytes

    Every point of the space is looked at, or left out because bounds of whole
    rows show that none of theirs can fit or be better: what is found is the best.
    """
    if words:
        help = "one network is solved at a time; variables go to --vary"
        raise UsageError(Diagnostic(f"what is `{printable(words[0])}`?", help=help))
    if best is None:
        help = "as in `--best max:params` or `--best peak`"
        raise UsageError(Diagnostic("--best is missing: what is to be small, or large?", help=help))
    points = grid(make_space(networks[0], vary))
    asked = request(points, formats_of(dtype), where, "", best, top, top)
    progress = SweepProgress(points.size)
    with progress:
        outcome = sweep(asked, progress, None, progress.note)
    show("solve", [solved(networks[0], outcome)], table.format)
    if not outcome.collected.kept:
        click.get_current_context().exit(1)
