"""archcalc flops: the multiplies of a network, and everything else that it computes."""

from __future__ import annotations

from typing import Any

import click

from archcalc.commands.as_tool import AS, layers_of, refuse_beside_as
from archcalc.commands.dtype import TYPES
from archcalc.commands.options import (
    ModelCommand,
    Suffixed,
    end,
    show_ordered,
    spec_command,
    table_options,
)
from archcalc.commands.yielding import Yielding
from archcalc.errors import Diagnostic, UsageError
from archcalc.network import Network
from archcalc.reports.flops import multiplied, report
from archcalc.reports.model import Report
from archcalc.reports.table import Table


@spec_command("flops", cls=ModelCommand)
@click.option(
    "--census", is_flag=True, help="All work by operator: also additions, comparisons, divisions, …"
)
@click.option(
    "--batch", type=click.IntRange(1, 2**31), default=1, help="Images at once: times the work."
)
@click.option(
    "--crops", type=click.IntRange(1, 2**31), default=1, help="Crops an image: times the work."
)
@click.option("--ensemble", type=click.IntRange(1, 2**31), default=1, help="Networks: times the work.")
@click.option("--training", is_flag=True, help="Forward, and back to inputs and to weights.")
@click.option("--freeze", multiple=True, metavar="PATTERN", help="With --training: layers not trained.")
@click.option("--images", type=Suffixed(1, 2**40), help="With --training: images an epoch.")
@click.option("--epochs", type=Suffixed(1, 2**31), help="With --training: epochs.")
@click.option(
    "--prefill", cls=Yielding, type=Suffixed(1, 2**31), metavar="N", help="A prompt of N tokens."
)
@click.option(
    "--decode", cls=Yielding, type=Suffixed(1, 2**31), metavar="N", help="N tokens more, one by one."
)
@click.option(
    "--context",
    cls=Yielding,
    type=Suffixed(0, 2**31),
    metavar="N",
    help="With --decode: tokens before; the prompt's if not given.",
)
@click.option("--dtype", type=TYPES, metavar="TYPE", help="Of the cache of --prefill and --decode.")
@AS
@table_options
def command(
    networks: list[Any], table: Table, census: bool, tool: str | None, training: bool, **counts: Any
) -> None:
    """Count the multiplies and FLOPs of SPEC, by layer, for one image.

    \b
    Example: archcalc flops inception --bottleneck 16
             archcalc flops llama3_8b --prefill 2048 --decode 100 --dtype bfloat16
    A model file may stand for SPEC (.pt2, .onnx, .keras): archcalc help models

    \b
    multiplies    products of a weight and an input value in conv, linear and
                  attention layers: the papers' multiply-adds, everybody's MACs;
                  zero padding counts
    FLOPs         2 × multiplies: one multiply and one add a product
    share         of the network's multiplies
    connections   links from an input value to an output, plus one per bias used
                  (LeCun 1998), of one image
    census        every operation of every operator, by kind, the small ones too
    to inputs, to weights   with --training: products on the way back through a
                  layer; of what --freeze (or [train]) freezes none, and none
                  before the first trained layer
    prompt        with --prefill: of all its tokens at once; scores that the
                  causal mask hides count
    next token    with --decode: of one token, whose query meets --context keys
                  and its own; all tokens: of all that --decode asks for
    cache         bytes of the keys and values of all tokens so far
    module        with --as: what runs the layer in the code the tool looks at
    """
    show_ordered("flops", _reports(networks, table, census, tool, training, counts), table)
    end(networks)


def _reports(
    networks: list[Any],
    table: Table,
    census: bool,
    tool: str | None,
    training: bool,
    counts: dict[str, Any],
) -> list[Report]:
    own = {name: counts.pop(name) for name in ("freeze", "images", "epochs")}
    decoded = {name: counts.pop(name) for name in ("prefill", "decode", "context", "dtype")}
    protocol = dict(zip(("images", "crops", "networks"), counts.values(), strict=True))
    given = {"census": census, **{name: n > 1 for name, n in counts.items()}}
    if any(value is not None for value in decoded.values()):
        refused = {
            **given,
            "training": training,
            "as": bool(tool),
            **{k: bool(v) for k, v in own.items()},
        }
        return _decoding(networks, table, protocol["images"], refused, decoded)
    if tool:
        refuse_beside_as(**given, training=training)
    if training or any(own.values()):
        return _training(networks, table, training, given, own)
    return [_report(n, table, protocol, census, tool) for n in networks]


def _training(
    networks: list[Any], table: Table, training: bool, given: dict[str, bool], own: dict[str, Any]
) -> list[Report]:
    from archcalc.reports.training import Run
    from archcalc.reports.training import report as trained

    if not training:
        option = next(name for name, value in own.items() if value)
        raise UsageError(Diagnostic(f"--{option} counts with --training only", help="add --training"))
    beside = next((name for name, is_given in given.items() if is_given), "")
    if beside:
        help = "--training counts one image; --images and --epochs multiply it"
        raise UsageError(Diagnostic(f"--{beside} and --training exclude each other", help=help))
    run = Run(own["images"] or 1, own["epochs"] or 1)
    layered = [layers_of(network, "training") for network in networks]
    return [trained(n.freezing(own["freeze"]) if own["freeze"] else n, table, run) for n in layered]


def _decoding(
    networks: list[Any], table: Table, batch: int, given: dict[str, bool], decoded: dict[str, Any]
) -> list[Report]:
    from archcalc.reports.decoding import Decoding
    from archcalc.reports.decoding import report as of_decoder

    asked = {name: value for name, value in decoded.items() if value is not None}
    option = "prefill" if "prefill" in asked else "decode" if "decode" in asked else ""
    if not option or ("context" in asked and "decode" not in asked):
        needs = "--decode" if "context" in asked else "--prefill or --decode"
        help = "as in --prefill 2048, or --decode 1 --context 2048"
        raise UsageError(
            Diagnostic(f"--{next(iter(asked.keys() - {'prefill'}))} counts with {needs} only", help=help)
        )
    if option == "decode" and "context" not in asked:
        help = "--context 2048 says how many, --prefill 2048 counts them, too"
        raise UsageError(Diagnostic("--decode: after how many tokens?", help=help))
    beside = next((name for name, is_given in given.items() if is_given and name != "batch"), "")
    if beside:
        raise UsageError(f"--{beside} and --{option} exclude each other")
    layered = [layers_of(network, "decoding") for network in networks]
    return [of_decoder(n, table, Decoding(**asked, batch=batch)) for n in layered]


def _report(
    network: Any, table: Table, protocol: dict[str, int], census: bool, tool: str | None
) -> Report:
    if tool or isinstance(network, Network):
        network = layers_of(network, "as")
        return report(network, table, protocol, census, tool)
    from archcalc.reports import models

    return multiplied(models.work(network, table, protocol, census), protocol)
