"""The command table, and the one place where an error becomes text and an exit code."""

from __future__ import annotations

import errno
import io
import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any, TextIO

import click

from archcalc import garbage
from archcalc.errors import ArchError, Diagnostic, UsageError, suggestion
from archcalc.units import printable

COMMANDS = (
    *("list", "show", "draw", "report", "edit", "params", "flops", "memory", "field", "explain"),
    *(
        "compare",
        "diff",
        "check",
        "lint",
        "sweep",
        "solve",
        "transfer",
        "reconcile",
        "audit",
        "run",
        "import",
        "export",
        "cat",
        "operators",
    ),
    "help",
)
# their exit code says something, if they could come to an end
VERDICTS = ("run", "audit", "check", "lint", "solve", "reconcile")
WRITING = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EBADF)


class ClosedPipeError(Exception):
    """Nobody reads standard output any more: `| head`."""


@contextmanager
def _piped() -> Iterator[None]:
    """click would make exit code 1 of a closed pipe, as if something were found."""
    try:
        yield
    except BrokenPipeError as error:
        raise ClosedPipeError from error


class Commands(click.Group):
    """Imports a command when it is asked for."""

    def make_context(self, *args: Any, **extra: Any) -> click.Context:
        with _piped():
            return super().make_context(*args, **extra)

    def invoke(self, ctx: click.Context) -> Any:
        with _piped():
            return super().invoke(ctx)

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        module = "import_model" if name == "import" else name
        command: click.Command = import_module(f"archcalc.commands.{module}").command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        unknown = bool(args) and args[0] not in COMMANDS and not args[0].startswith("-")
        if unknown and not ctx.resilient_parsing:
            help = suggestion(args[0], COMMANDS) or f"commands: {', '.join(COMMANDS)}"
            raise UsageError(Diagnostic(f"no command is called `{printable(args[0])}`", help=help))
        found = super().resolve_command(ctx, args)
        garbage.collect_again()
        return found


@click.command(
    cls=Commands, context_settings={"max_content_width": 100, "help_option_names": ["-h", "--help"]}
)
@click.version_option(package_name="archcalc", message="archcalc %(version)s")
def commands() -> None:
    """What a neural network architecture costs, and whether the number you read is true.

    \b
    Example: archcalc params vgg16
             archcalc flops inception --bottleneck 16
             archcalc COMMAND SPEC --help    lists the variables of a SPEC

    SPEC is a bundled name (`archcalc list`), a .toml file, - for standard input,
    or a network in one text: "28x28x192 | conv 16 | conv 32 k5 half".
    TAB completes all that: `archcalc help completion`.
    """


def run() -> int:
    """Run the command line.

    Exit codes: 0 success, 1 a finding, 2 bad input, 130 interrupted, and 141, as in a shell, if the
    reader of a command in `VERDICTS` closed the pipe before its end.
    """
    _prepare()
    return _run()


def _run() -> int:
    try:
        if sys.stdout is None:
            help = "`> /dev/null` throws it away"
            raise UsageError(Diagnostic("standard output is closed", help=help))
        code = commands.main(sys.argv[1:] or ["--help"], standalone_mode=False)
        sys.stdout.flush()
    except ArchError as error:
        return _tell(error)
    except click.ClickException as error:
        context = getattr(error, "ctx", None)
        help = f"{context.command_path} --help" if context else ""
        return _tell(UsageError(Diagnostic(error.format_message(), help=help)))
    except (click.Abort, KeyboardInterrupt):
        return 130
    except (ClosedPipeError, BrokenPipeError):
        _discard(sys.stdout)
        return 141 if sys.argv[1:2] and sys.argv[1] in VERDICTS else 0
    except OSError as error:
        return _refused(error)
    return code or 0


def _prepare() -> None:
    """Streams that lose nothing in silence, and write `?` where they have no letter.

    Warnings of packages are for programmers: they would stand between our own lines.
    """
    if not sys.warnoptions:
        warnings.simplefilter("ignore")
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w")  # noqa: SIM115  (the shell closed it: `2>&-`)
    if isinstance(getattr(sys.stdout, "buffer", None), io.RawIOBase):  # by PYTHONUNBUFFERED
        encoding = sys.stdout.encoding
        sys.stdout = open(sys.stdout.fileno(), "w", encoding=encoding, closefd=False)  # noqa: SIM115
    for stream in filter(None, (sys.stdout, sys.stderr)):
        if "utf" not in (stream.encoding or "").lower():
            stream.reconfigure(errors="replace")


def _tell(error: ArchError) -> int:
    from archcalc.views.diagnostics import render

    try:
        click.echo(render(error), err=True)
    except OSError:
        _discard(sys.stderr)
    return error.exit_code


def _refused(error: OSError) -> int:
    """What the operating system refuses, mostly to write: then the rest goes nowhere."""
    reason = (error.strerror or str(error)).lower()
    if error.filename is not None:
        return _tell(ArchError(f"`{printable(str(error.filename))}`: {reason}"))
    if error.errno not in WRITING:
        return _tell(ArchError(f"the system refuses: {reason}"))
    _discard(sys.stdout)
    return _tell(ArchError(f"cannot write the output: {reason}"))


def _discard(stream: TextIO) -> None:
    """What is still to be written to it makes no trouble at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
