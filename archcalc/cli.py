"""The command table, and the one place where an error becomes text and an exit code."""

from __future__ import annotations

import os
import sys
from importlib import import_module

import click

from archcalc.errors import ArchError, Diagnostic

COMMANDS = (
    *("list", "show", "params", "flops", "memory", "field", "explain"),
    *("compare", "sweep", "reconcile", "audit", "run", "cat", "operators"),
)


class Commands(click.Group):
    """Imports a command when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        command: click.Command = import_module(f"archcalc.commands.{name}").command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            from archcalc.errors import UsageError, suggestion
            from archcalc.units import printable

            help = suggestion(args[0], COMMANDS) or f"commands: {', '.join(COMMANDS)}"
            raise UsageError(Diagnostic(f"no command is called `{printable(args[0])}`", help=help))
        return super().resolve_command(ctx, args)


@click.command(cls=Commands, context_settings={"max_content_width": 100})
@click.version_option(package_name="archcalc", message="archcalc %(version)s")
def commands() -> None:
    """What a neural network architecture costs, and whether the number you read is true.

    \b
    Example: archcalc params vgg16
             archcalc flops inception --bottleneck 16
             archcalc COMMAND SPEC --help    lists the variables of a SPEC

    SPEC is a bundled name (`archcalc list`), a .toml file, or - for standard input.
    """


def main() -> None:
    """Run the command line. Exit codes: 0 fine, 1 a finding, 2 bad input, 130 interrupted."""
    for stream in (sys.stdout, sys.stderr):
        if "utf" not in (stream.encoding or "").lower():
            stream.reconfigure(errors="replace")  # type: ignore[union-attr]
    sys.exit(_run())


def _run() -> int:
    try:
        code = commands.main(standalone_mode=False)
        sys.stdout.flush()
    except ArchError as error:
        from archcalc.views.diagnostics import render

        click.echo(render(error), err=True)
        return error.exit_code
    except click.ClickException as error:
        from archcalc.views.diagnostics import render

        context = getattr(error, "ctx", None)
        help = f"{context.command_path} --help" if context else ""
        click.echo(render(ArchError(Diagnostic(error.format_message(), help=help))), err=True)
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # nothing more can be said
        return 0
    return code or 0
