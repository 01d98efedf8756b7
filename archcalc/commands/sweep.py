"""archcalc sweep: a whole design space at once."""

from __future__ import annotations

import csv
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any

import click

from archcalc.analysis.step import OPTIMIZERS
from archcalc.api import Network
from archcalc.commands.dtype import DTYPE
from archcalc.commands.options import (
    FORMAT,
    Size,
    SpecCommand,
    Suffixed,
    complete_setting,
    show,
    spec_command,
)
from archcalc.commands.sweep_progress import SweepProgress
from archcalc.commands.yielding import Yielding
from archcalc.errors import Diagnostic, UsageError, shown
from archcalc.formats import formats_of
from archcalc.reports.sweep import report
from archcalc.reports.sweep_front import drawn, refuse_undrawn
from archcalc.reports.table import Table
from archcalc.sweeps.evaluation.request import Request, request
from archcalc.sweeps.evaluation.run import sweep
from archcalc.sweeps.evaluation.stream import Chunk, cores
from archcalc.sweeps.metrics import MEANING
from archcalc.sweeps.space.model import make_space
from archcalc.sweeps.space.points import Points, grid, read_points
from archcalc.sweeps.space.points import sample as draw
from archcalc.sweeps.space.unread import notes
from archcalc.units import printable, safe

MOST_ROWS = 20  # of a table without --top


VARY = click.option(
    "--vary",
    multiple=True,
    metavar="NAME=VALUES",
    help="first:last:step, or values with commas.",
    shell_complete=complete_setting,
)


class SweepCommand(SpecCommand):
    """`sweep SPEC …`, and `sweep show DIR` and `sweep plot DIR` for what was written."""

    lasting = True
    models = "refused"
    every_setting_counts = False  # one point may leave unread what another reads

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        if args and args[0] in ("show", "plot"):
            command: click.Command = import_module(f"archcalc.commands.sweep_{args[0]}").command
            return command.make_context(f"{info_name} {args[0]}", args[1:], parent, **extra)
        return super().make_context(info_name, args, parent, **extra)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Let --dask take an address or nothing: the next word may be the spec."""
        following = zip(args, [*args[1:], ""], strict=False)
        args = [f"{a}=" if a == "--dask" and "://" not in b else a for a, b in following]
        return super().parse_args(ctx, args)


@spec_command("sweep", most=1, cls=SweepCommand)
@VARY
@click.option("--points", metavar="FILE", help="The points of a CSV file instead.")
@click.option("--sample", type=Suffixed(min=1), metavar="N", help="N random points.")
@click.option("--seed", type=click.IntRange(0, 2**63), help="Of the random points; 0 if not given.")
@click.option("--where", default="", metavar="CONDITION", help="Keep only points that satisfy it.")
@click.option("--pareto", default="", metavar="NAMES", help="Points that no other beats in all these.")
@click.option("--top", type=Suffixed(1, 10**6), metavar="N", help="The N best points.")
@click.option("--by", default="", metavar="NAME", help="What is best: the least of it, or max:NAME.")
@click.option("--plot", is_flag=True, help="Draw the front of --pareto, as text.")
@click.option("-o", "--output", metavar="DIR", help="Write all rows there, as Parquet or CSV parts.")
@click.option("--resume", is_flag=True, help="Go on with what DIR holds already.")
@click.option("--dask", metavar="[ADDRESS]", help="On a cluster of workers, or on the one there.")
@DTYPE
@click.option("--batch", type=click.IntRange(1, 2**31), help="Of `training`, `roofline`: images.")
@click.option("--optimizer", cls=Yielding, type=click.Choice(OPTIMIZERS), help="Of `training`.")
@click.option("--device", cls=Yielding, metavar="NAME", help="Of `roofline`: as in a100-80gb.")
@click.option(
    "--flops-per-s", cls=Yielding, type=Suffixed(1, 2**62), metavar="RATE", help="Instead: as in 4T."
)
@click.option("--bytes-per-s", cls=Yielding, type=Size(), metavar="RATE", help="As in 50G.")
@FORMAT
def command(networks: list[Network], table: Table, words: list[str], **options: Any) -> None:
    """Evaluate SPEC over a space of its variables: every point as the other commands count it.

    \b
    Example: archcalc sweep resnet50 --vary width=16:128:8 --vary input=96:224:32
                 --where 'multiplies <= 600M and peak <= 1MiB'
                 --pareto params,max:output

    \b
    --vary       width=16:128:8, width=0.25:1:0.25, input=96x96x3,128x128x3 or
                 input=96:224:32 (square), 'n=[2,2,2,2],[3,4,6,3]', an item:
                 'c[2]=64:512:32'; else the spec's [space]
    --where      metrics, variables (head == 'gap', n[2] >= 3), the metrics of a
                 block by its path (multiplies('stage4'); of all blocks called
                 so, as '5x5', where nothing lies at that path), numbers with
                 units (600M, 512KiB), + - * // % (by 0 holds nowhere),
                 comparisons, and, or, not
    --pareto     max:NAME is to be large; metrics, blocks' and variables
    parameters   what training can change
    multiplies   products of a weight and an input value (macs); flops: 2 each
    weights      bytes of all parameters and statistics, of --dtype
    stored       bytes of the input and of every map made
    peak         most bytes of activations alive at once
    field        receptive field, the larger side; the image's if all is seen
    output       the last map before the head, its smaller side
    deployed, arena, training   bytes, counted where --where or a goal names them:
                 of weights with batch norms folded, of a layout of activations
                 in one block, of a step of training (--batch, --optimizer)
    roofline     likewise: nanoseconds on --device, or at the two rates
    -o DIR       parts of a million points each, a manifest, and what was counted;
                 `archcalc sweep show DIR` tells what it holds, and
                 `archcalc sweep plot DIR -o front.svg` draws it
    --dask       a worker for each core here; --dask tcp://host:8786 takes a
                 running cluster, which shares the directory of -o
    count        points of the same --pareto values; the first of them is shown
    """
    if words:
        help = "one network is swept at a time; variables go to --vary"
        raise UsageError(Diagnostic(f"what is `{printable(words[0])}`?", help=help))
    _sweep(networks[0], table.format, **options)


def _sweep(
    network: Network,
    format: str,
    output: str | None,
    resume: bool,
    dask: str | None,
    plot: bool,
    **options: Any,
) -> None:
    """Write into a directory, as a stream of CSV, or as a report."""
    space = {key: options.pop(key) for key in ("vary", "points", "sample", "seed")}
    points, dtype = _points(network, **space), options.pop("dtype")
    for note in notes(points):
        click.echo(f"note: {printable(note)}", err=True)
    asked = request(points, formats_of(dtype), **options, rows=MOST_ROWS)
    if plot:
        refuse_undrawn(asked, "a directory" if output is not None else format)
    if output is not None:
        _into(output, resume, asked, format, dtype, dask)
        return
    streams = format == "csv" and not (asked.pareto or asked.by)
    if streams and dask is not None:
        help = "-o DIR writes them; --pareto or --top prints some"
        raise UsageError(Diagnostic("--dask does not print all points", help=help))
    progress = SweepProgress(points.size)
    with progress:
        if dask is not None:
            from archcalc.sweeps.distributed import tasks

            outcome = tasks.sweep(dask, asked, progress, progress.note)
        else:
            write = _csv_writer(points) if streams else None
            outcome = sweep(asked, progress, write, progress.note, cores())
    if not streams:
        front = [drawn(outcome)] if plot and outcome.collected.kept else []
        show("sweep", [report(network, outcome), *front], format)


def _points(
    network: Network, vary: Sequence[str], points: str | None, sample: int | None, seed: int | None
) -> Points:
    if seed is not None and sample is None:
        help = "--sample 1000 takes a thousand of them"
        raise UsageError(Diagnostic("--seed is of random points, and there are none", help=help))
    if points is not None:
        if vary or sample is not None:
            raise UsageError("--points names every point: no --vary and no --sample go with it")
        return read_points(network, points)
    space = make_space(network, vary)
    return grid(space) if sample is None else draw(space, sample, seed or 0)


def _into(path: str, resume: bool, asked: Request, format: str, dtype: str, dask: str | None) -> None:
    from archcalc.reports.sweep_folder import reports
    from archcalc.sweeps.results.manifest import identity
    from archcalc.sweeps.results.store import create
    from archcalc.sweeps.results.stored import sweep_into

    _refuse_goals(asked)
    kind = "csv" if format == "csv" else "parquet"
    store = create(path, identity(asked.points, dtype, asked.where, kind, asked.others), resume)
    found = sum(count["points"] for count in store.sound().values())
    progress = SweepProgress(asked.points.size, found)
    try:
        with progress:
            if dask is not None:
                from archcalc.sweeps.distributed import tasks

                tasks.sweep_into(dask, store, asked, progress, progress.note)
            else:
                sweep_into(store, asked, progress, progress.note, cores())
    except KeyboardInterrupt:
        click.echo(f"stopped; the same command with --resume goes on in {printable(path)}", err=True)
        raise
    shown = reports(store, asked.pareto, asked.by, asked.top)
    show("sweep", shown, "table" if format == "csv" else format)


def _refuse_goals(asked: Request) -> None:
    """Refuse to choose among what DIR holds by what it does not hold as whole numbers."""
    axes = {axis.name: axis.values for axis in asked.points.space.axes}
    for goal in (*asked.pareto, *([asked.by] if asked.by else ())):
        if goal.name not in MEANING and not all(type(v) is int for v in axes.get(goal.name, [""])):
            help = "without -o the choice is made while points stream by"
            message = f"-o DIR writes no column `{shown(goal.name)}` of whole numbers to choose by"
            raise UsageError(Diagnostic(message, help=help))


def _csv_writer(points: Points) -> Callable[[Chunk], None]:
    """Write a header, then a line for every kept point."""
    axes = points.space.axes
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow([*(axis.name for axis in axes), *MEANING])
    texts: list[dict[int, str]] = [{} for _ in axes]

    def text(number: int, digit: int) -> str:
        known = texts[number]
        if digit not in known:
            known[digit] = safe(axes[number].text(digit))
        return known[digit]

    def write(chunk: Chunk) -> None:
        digits = chunk.digits[:, chunk.lanes].T.tolist()
        results = chunk.found.results[: len(MEANING), chunk.lanes].T.tolist()
        for row, found in zip(digits, results, strict=True):
            writer.writerow([*(text(i, digit) for i, digit in enumerate(row)), *found])

    return write
