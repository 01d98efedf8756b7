"""archcalc help: the pages that go deeper than the README, and the help of a command."""

from __future__ import annotations

import os
import sys

import click

from archcalc.errors import Diagnostic, UsageError, suggestion
from archcalc.units import printable

FOLDER = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "help")
WIDTH = 100  # of a line of text, where the terminal is wider


def topics() -> dict[str, str]:
    """Return each page with its title."""
    found = {}
    for file in sorted(os.listdir(FOLDER)):
        name, suffix = os.path.splitext(file)
        if suffix == ".md":
            found[name] = page(name).partition("\n")[0].removeprefix("# ")
    return found


def page(name: str) -> str:
    """Return the Markdown of a page."""
    with open(os.path.join(FOLDER, f"{name}.md"), encoding="utf-8") as file:
        return file.read()


def _complete(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    return [name for name in topics() if name.startswith(incomplete)]


@click.command("help")
@click.argument("topic", required=False, shell_complete=_complete)
@click.pass_context
def command(ctx: click.Context, topic: str | None) -> None:
    """Show the page of a TOPIC, or the help of a command; without a TOPIC, list them.

    \b
    Example: archcalc help counting
             archcalc help params      as `archcalc params --help`
    """
    assert ctx.parent is not None
    group = ctx.parent.command
    assert isinstance(group, click.Group)
    known = topics()
    if topic is None:
        click.echo(_contents(known))
    elif topic in known:
        _show(page(topic))
    elif asked := group.get_command(ctx.parent, topic):
        asked.make_context(topic, ["--help"], parent=ctx.parent)
    else:
        names = [*known, *group.list_commands(ctx)]
        help = suggestion(topic, names) or f"pages: {', '.join(known)}"
        raise UsageError(Diagnostic(f"no page is called `{printable(topic)}`", help=help))


def _contents(known: dict[str, str]) -> str:
    width = max(map(len, known))
    rows = [f"  {name:{width}}  {title}" for name, title in known.items()]
    more = "`archcalc help COMMAND` is `archcalc COMMAND --help`; a page is shown by its name."
    return "\n".join([f"{len(known)} pages", "", *rows, "", more])


def _show(text: str) -> None:
    """Render on a terminal; return the Markdown as it is for a file or a pipe."""
    if not sys.stdout.isatty():
        click.echo(text.rstrip("\n"))
        return
    from rich.console import Console
    from rich.markdown import Markdown

    console = Console()
    console.print(Markdown(text), width=min(console.width, WIDTH))
