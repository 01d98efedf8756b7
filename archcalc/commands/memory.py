"""archcalc memory: what the activations of one image need, by rule, and where the peak is."""

from __future__ import annotations

from typing import Any

import click

from archcalc.api import Network
from archcalc.commands.as_tool import TOOLS, refuse_beside_as
from archcalc.commands.dtype import DTYPE
from archcalc.commands.options import (
    ALL,
    DEPTH,
    FORMAT,
    NO_BASE,
    SORT,
    TOP,
    Size,
    show,
    show_ordered,
    spec_command,
)
from archcalc.commands.yielding import Yielding
from archcalc.errors import Diagnostic, UsageError
from archcalc.reports.memory import Conditions, reports
from archcalc.reports.table import Table

OPTIMIZERS = ("sgd", "momentum", "adam", "adamw")
_OWN = ("optimizer", "checkpoint", "freeze", "memory")  # options of --training

TRAINING = click.option("--training", is_flag=True, help="What a step of training needs.")
OPTIMIZER = click.option(
    "--optimizer",
    cls=Yielding,
    type=click.Choice(OPTIMIZERS),
    help="With --training: it keeps 0, 1, 2, 2 numbers a parameter.",
)
CHECKPOINT = click.option(
    "--checkpoint",
    cls=Yielding,
    multiple=True,
    metavar="BLOCK",
    help="With --training: blocks that keep only what they read, and run again.",
)
FREEZE = click.option(
    "--freeze", multiple=True, metavar="PATTERN", help="With --training: layers not trained."
)
LIMIT = click.option(
    "--memory",
    cls=Yielding,
    type=Size(),
    metavar="SIZE",
    help="With --training: the largest batch that fits, as in 8GiB.",
)
AS_TORCH = click.option(
    "--as",
    "tool",
    type=click.Choice((*TOOLS, "torch")),
    help="What this tool prints; torch, with --training: what its autograd saves.",
)


@spec_command("memory")
@DTYPE
@click.option(
    "--batch", type=click.IntRange(1, 2**31), default=1, help="Images at once: times the activations."
)
@click.option(
    "--order", type=click.Choice(["spec", "best"]), default="spec", help="Order of the operators."
)
@click.option(
    "--attention",
    type=click.Choice(["fused", "plain"]),
    help="Count what is alive inside attention layers, too.",
)
@AS_TORCH
@TRAINING
@OPTIMIZER
@CHECKPOINT
@FREEZE
@LIMIT
@NO_BASE
@SORT
@TOP
@ALL
@DEPTH
@FORMAT
def command(networks: list[Network], table: Table, tool: str | None, **asked: Any) -> None:
    """Show the memory of SPEC for one image, by rule, and when how much of it is alive.

    \b
    Example: archcalc memory vgg16 --dtype float16

    \b
    parameters  what training can change
    weights     all parameters and statistics
    deployed    with batch norms folded into the layers before them; biases and
                shifts in the type of accumulators
    stored      the input and every map made anew (lecture tables' rule): not by
                norms, activations, scale, offset, factor, posembed, sinusoid,
                dropout, flatten, tokens, reshape
    peak        the most alive at once: elementwise layers overwrite an input
                that nobody else needs, all others write a fresh buffer, freed
                after its last reader; outputs live to the end
    arena       a layout of those buffers at fixed offsets, at least the peak
    alive       values alive while a step runs; --sort and --top order these
                steps, which csv shows with one of these or --depth
    attention   plain: with queries, keys, values and all scores; fused: without
                the scores (FlashAttention); if not given, what is inside
                attention layers is left out
    order       best: the order with the smallest peak, and whether it is proven
    module      with --as: what runs the layer in the code that the tool looks at
    dtype       int8: of all; int4xfloat16: of weights and activations;
                int8xint8xint32: of accumulators, too; archcalc help memory
    MiB is 2^20 bytes, MB 10^6

    \b
    gradients, optimizer, master, kept, on the way   of --training: archcalc help
                budgets
    """
    own = {name: asked.pop(name) for name in _OWN}
    if asked.pop("training"):
        _training(networks, table, tool, {**asked, **own})
    else:
        _plain(networks, table, tool, asked, own)


def _plain(
    networks: list[Network], table: Table, tool: str | None, asked: dict[str, Any], own: dict[str, Any]
) -> None:
    option = "as torch" if tool == "torch" else next((name for name in _OWN if own[name]), "")
    if option:
        raise UsageError(Diagnostic(f"--{option} counts with --training only", help="add --training"))
    if tool:
        given = {"dtype": "float32", "batch": 1, "order": "spec", "attention": None}
        refuse_beside_as(**{name: asked[name] != plain for name, plain in given.items()})
        from archcalc.reports import tools

        found = [tools.report(n, table, tool, "memory", memory=None) for n in networks]
        show_ordered("memory", found, table)
        return
    found = [part for n in networks for part in reports(n, table, Conditions(**asked))]
    show("memory", found, table.format)


def _training(networks: list[Network], table: Table, tool: str | None, asked: dict[str, Any]) -> None:
    from archcalc.reports.step import Training
    from archcalc.reports.step import reports as of_step

    order, freeze = asked.pop("order"), asked.pop("freeze")
    if tool not in (None, "torch") or order != "spec":
        name = f"--as {tool}" if tool else "--order"
        help = "the order of training is that of the spec; `--as torch` knows what torch saves"
        raise UsageError(Diagnostic(f"{name} and --training exclude each other", help=help))
    plain = {name: value for name, value in asked.items() if value is not None}
    how = Training(**plain, torch=tool == "torch")
    found = [n.freezing(freeze) if freeze else n for n in networks]
    show("memory", [part for n in found for part in of_step(n, table, how)], table.format)
