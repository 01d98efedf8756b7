"""Define what commands share: options of every table, and `--help` that lists a spec's variables."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

import click

from archcalc import garbage
from archcalc.api import Network
from archcalc.commands.words import ModelReading, Reads, networks, split
from archcalc.commands.yielding import give_way
from archcalc.errors import ArchError, UsageError
from archcalc.reports.model import Live, Report
from archcalc.reports.order import ordered
from archcalc.reports.table import Table
from archcalc.units import parse_count, printable
from archcalc.views import FORMATS, render


class Suffixed(click.IntRange):
    """An integer that may have a suffix: 10k, 2M."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if isinstance(value, str) and value[:1].isdigit() and value[-1].isalpha():
            value = parse_count(value)
        return super().convert(value, param, ctx)


class Size(click.ParamType[int]):
    """A number of bytes: 8GiB, 500MB."""

    name = "size"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        try:
            return value if isinstance(value, int) else parse_count(value, 1)
        except UsageError:
            message = f"`{printable(str(value))}` is no number of bytes; write 8GiB, 500MB or 50G"
            raise UsageError(message) from None


if TYPE_CHECKING:
    from click.shell_completion import CompletionItem


# click keeps the help option of the first context that asks, possibly not the command line's
SETTINGS = {
    "ignore_unknown_options": True,
    "max_content_width": 100,
    "help_option_names": ["-h", "--help"],
}


class SpecCommand(click.Command):
    """A command that takes specs, and options for their variables."""

    usage = "SPEC..."  # its words in `--help`
    every_setting_counts = True  # an unread setting is an error
    looked_over = True  # before it begins
    lasting = False  # whether garbage is collected meanwhile
    models: Reads = "lowered"  # what it makes of a model file
    tensors = False  # whether it also reads files of weights alone

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        args = give_way(self.params, args)
        ctx.meta["words"] = [word for word in args if word not in ("--help", "-h")]
        if "--" in args:
            args.insert(args.index("--"), "--")  # click takes one for itself
        return super().parse_args(ctx, args)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        super().format_options(ctx, formatter)
        for word in split(ctx.meta.get("words", [])).specs:
            rows = _variable_rows(word)
            if rows:
                with formatter.section(f"Variables of {printable(word)}"):
                    formatter.write_dl(rows)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """List the options of the command, and the variables of its specs."""
        from archcalc.commands.completion import options

        return [
            *options(ctx, incomplete),
            *super().shell_complete(ctx, incomplete),
        ]

    def collect_usage_pieces(self, ctx: click.Context) -> list[str]:
        return ["[OPTIONS]", self.usage, "[--VARIABLE VALUE]..."]

    def networks(self, ctx: click.Context, most: int | None) -> tuple[list[Any], list[str]]:
        """Return the networks of the words, with variables set, and the words after the first `most`."""
        own = [name.lstrip("-") for p in self.params if isinstance(p, click.Option) for name in p.opts]
        p = ctx.params
        how = ModelReading(self.name or "", self.models, self.tensors)
        return networks(p["words"], p["set_"], p["input_"], own, most, how)


class ModelCommand(SpecCommand):
    """A command that counts model files straight from their operations: torch.export's and ONNX."""

    models = "counted"


class TensorCommand(ModelCommand):
    """A command that also counts files of weights."""

    tensors = True


def spec_command(
    name: str,
    most: int | None = None,
    fallback: Sequence[str] = (),
    cls: type[SpecCommand] = SpecCommand,
    usage: str = SpecCommand.usage,
) -> Callable[[Callable[..., None]], SpecCommand]:
    """Turn a function into a command over specs; it gets the networks and its own options.

    With `most`, only that many words are specs; the function gets the others as `words`. `fallback`
    are the specs if there are no words.
    """

    def decorate(function: Callable[..., None]) -> SpecCommand:
        @click.pass_context
        def callback(ctx: click.Context, /, **params: Any) -> None:
            command = ctx.command
            assert isinstance(command, SpecCommand)
            for shared in ("words", "set_", "input_"):
                params.pop(shared)
            if "format" in params:
                params["table"] = Table.of(params)
            if not ctx.params["words"]:
                ctx.params["words"] = fallback
            with nullcontext() if command.lasting else garbage.paused():
                found, words = command.networks(ctx, most)
                look_over(found if command.looked_over else (), command.every_setting_counts)
                if most is not None:
                    params["words"] = words
                function(found, **params)

        callback.__doc__ = function.__doc__
        own = getattr(function, "__click_params__", [])
        callback.__click_params__ = [*own, *reversed(_COMMON)]  # type: ignore[attr-defined]
        made = click.command(name, cls=cls, context_settings=SETTINGS)(callback)
        assert isinstance(made, SpecCommand)
        made.usage = usage
        return made

    return decorate


def look_over(networks: Iterable[Any], settings: bool) -> None:
    """Refuse unread settings; print notes to standard error, so that documents stay unchanged."""
    for network in networks:
        if not isinstance(network, Network):  # a model file has no settings
            continue
        if settings:
            network.refuse_unread()
        try:
            note = network.note
        except ArchError:  # the command will report it, or sweep other points
            continue
        if note:
            click.echo(f"note: {printable(note)}", err=True)


def complete_words(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Complete specs and their settings for the shell."""
    from archcalc.commands import completion  # only after TAB

    return completion.complete_words(ctx, param, incomplete)


def complete_setting(
    ctx: click.Context, param: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Complete `NAME=VALUE` of a variable for the shell."""
    from archcalc.commands import completion

    return completion.complete_setting(ctx, param, incomplete)


def complete_block(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Complete a block of the spec for the shell."""
    from archcalc.commands import completion

    return completion.complete_block(ctx, param, incomplete)


_COMMON = [
    click.Argument(
        ["words"], nargs=-1, type=click.UNPROCESSED, metavar="SPEC", shell_complete=complete_words
    ),
    click.Option(
        ["--set", "set_"],
        multiple=True,
        metavar="NAME=VALUE",
        help="Set a variable, whatever its name.",
        shell_complete=complete_setting,
    ),
    click.Option(
        ["--input", "input_"],
        multiple=True,
        metavar="SIZE",
        help="Another input: 320 (square), 320x256 or 320x256x3; x=1x3x320x320 of a model file.",
    ),
]
FORMAT = click.option("--format", type=click.Choice(FORMATS), default="table", help="How to print it.")
DEPTH = click.option(
    "--depth", type=click.IntRange(1, 100), help="Group layers by this many parts of their path."
)
ALL = click.option("--all", "all_", is_flag=True, help="A row for every layer, weights or not.")
NO_BASE = click.option(
    "--no-base", is_flag=True, help="With a variable set: only the result, not what it changes."
)

SORT = click.option(
    "--sort", "sort_", metavar="COLUMN", help="Order rows by a column, the largest number first."
)
TOP = click.option(
    "--top", "top_", type=click.IntRange(1), metavar="N", help="Only the first N rows, and the total."
)


def table_options(function: Callable[..., None]) -> Callable[..., None]:
    """Add --format, --depth, --all, --sort, --top and --no-base."""
    for option in (NO_BASE, TOP, SORT, ALL, DEPTH, FORMAT):
        function = option(function)
    return function


def end(networks: Iterable[Any]) -> None:
    """Exit with code 1 if totals are lower bounds: operations of a model file are unknown."""
    if not all(getattr(network, "complete", True) for network in networks):
        click.get_current_context().exit(1)


def show(command: str, reports: Sequence[Report], format: str) -> None:
    """Print reports on standard output."""
    click.echo(render(format, command, reports), color=True)


def show_ordered(command: str, reports: Sequence[Report], table: Table) -> None:
    """Print reports of layers on standard output, in the order of `--sort` and `--top`."""
    show(command, [ordered(report, table.order) for report in reports], table.format)


def show_live(command: str, live: Live, format: str) -> None:
    """Print a report while it is made: a table row by row, other formats at the end."""
    from archcalc.views.table import LiveTable

    expected, rows, finish = live
    stream = LiveTable(expected) if format == "table" else None
    made: list[dict[str, Any]] = []
    stopped: KeyboardInterrupt | None = None
    if stream:
        click.echo(stream.head(), color=True)
    try:
        for row in rows:
            made.append(row)
            if stream:
                click.echo(stream.row(row), color=True)
    except KeyboardInterrupt as interrupt:
        stopped = interrupt
    total, remarks = finish()
    if stream:
        last = [stream.row(total, strong=True)] if total else []
        click.echo("\n".join([*last, stream.foot(remarks)]), color=True)
    else:
        show(command, [expected._replace(rows=tuple(made), total=total, remarks=remarks)], format)
    if stopped:
        raise stopped


def _variable_rows(word: str) -> list[tuple[str, str]]:
    from archcalc.api import find
    from archcalc.spec.settings import show_value

    try:
        entry, _ = find(word)
    except ArchError:
        return []  # --help works all the same
    spec = entry.spec
    own = spec.variants[entry.variant].values if entry.variant else {}
    rows = []
    for variable in spec.variables.values():
        choices = f" ({', '.join(map(show_value, variable.choices))})" if variable.choices else ""
        default = show_value(own.get(variable.name, variable.default))
        told = printable(f"{variable.help}{choices}".strip())
        rows.append((printable(f"--{variable.name} {default}"[:40]), told))
    if spec.variants:
        rows.append((printable(f"{word.partition(':')[0]}:VARIANT"), ", ".join(spec.variants)))
    return rows
