"""archcalc transfer: what fine-tuning costs, by what is frozen."""

from __future__ import annotations

import click

from archcalc.api import Network
from archcalc.commands.dtype import DTYPE
from archcalc.commands.memory import OPTIMIZERS
from archcalc.commands.options import FORMAT, Size, Suffixed, show, spec_command
from archcalc.commands.yielding import Yielding
from archcalc.reports.step import Training
from archcalc.reports.table import Table
from archcalc.reports.training import Run
from archcalc.reports.transfer import report


@spec_command("transfer")
@click.option("--new-head", cls=Yielding, type=click.IntRange(1, 2**31), help="Units of a new head.")
@click.option("--images", type=Suffixed(1, 2**40), default=1000, help="Images an epoch: 1000.")
@click.option("--epochs", type=Suffixed(1, 2**31), default=20, help="Epochs: 20.")
@click.option("--batch", type=click.IntRange(1, 2**31), default=32, help="Images at once: 32.")
@click.option("--optimizer", cls=Yielding, type=click.Choice(OPTIMIZERS), help="sgd if not given.")
@click.option("--memory", cls=Yielding, type=Size(), metavar="SIZE", help="The largest batch in 8GiB.")
@DTYPE
@FORMAT
def command(
    networks: list[Network],
    table: Table,
    new_head: int | None,
    images: int,
    epochs: int,
    batch: int,
    optimizer: str | None,
    memory: int | None,
    dtype: str,
) -> None:
    """Show what fine-tuning SPEC costs, for each part that may be frozen.

    \b
    Example: archcalc transfer vgg16 --classes 3 --images 1000 --epochs 20
             archcalc transfer model.pt2 --new-head 3 --memory 8GiB

    \b
    frozen up to  a top-level block or line behind which one tensor is alive
    trains        head: only the last layer; last blocks: at least half of the
                  multiplies before the head are frozen; everything
    trainable, frozen   parameters
    an image      multiplies of a step, forward and back, as flops --training
    an epoch, in total   times --images, times --epochs
    memory        the peak of memory --training at --batch
    batch         the largest one that fits --memory
    on disk       bytes of the frozen part's outputs for all images
    saved         multiplies in total, if these are computed once
    """
    how = Training(dtype, batch, optimizer or "sgd", memory=memory)
    show("transfer", [report(n, how, Run(images, epochs), new_head) for n in networks], table.format)
