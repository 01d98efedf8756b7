"""archcalc draw: a network as a picture by its blocks."""

from __future__ import annotations

import click

from archcalc.api import Network, load
from archcalc.commands.options import complete_block, complete_words, spec_command
from archcalc.drawing.fitting import fitting, opened_by
from archcalc.drawing.layout import Drawable, Wishes
from archcalc.drawing.measures import MEASURES, By
from archcalc.errors import Diagnostic, UsageError
from archcalc.reports.drawn import drawn
from archcalc.reports.table import Table
from archcalc.units import printable
from archcalc.views.pictures import FORMATS, check, made, told
from archcalc.views.placing import put
from archcalc.views.svg import THEMES


@spec_command("draw", usage="SPEC")
@click.option("-o", "--output", metavar="FILE", help="An .svg, .png or .pdf; else a tree as text.")
@click.option(
    "--expand",
    multiple=True,
    metavar="NAME",
    shell_complete=complete_block,
    help="Show a block, and all in it, unfolded.",
)
@click.option("--depth", type=click.IntRange(1, 100), help="Blocks at this depth are one box each.")
@click.option("--by", type=click.Choice(MEASURES), default="multiplies", help="What bars show.")
@click.option("--columns", type=click.IntRange(1, 100), help="As many columns at most.")
@click.option("--theme", type=click.Choice(THEMES), help="Of a picture; else as its reader has it.")
@click.option(
    "--diff",
    "other",
    metavar="OTHER",
    shell_complete=complete_words,
    help="Beside OTHER: what is new, gone, changed.",
)
@click.option("--git", "revision", metavar="REV", help="A file beside itself at this revision.")
@click.option("--format", type=click.Choice(FORMATS), default="tree", help="What to print.")
def command(
    networks: list[Network],
    table: Table,
    output: str | None,
    expand: tuple[str, ...],
    by: By,
    columns: int | None,
    theme: str | None,
    other: str | None,
    revision: str | None,
) -> None:
    """Draw SPEC by its blocks: a tree as text, or a picture in a file.

    \b
    Example: archcalc draw resnet50
             archcalc draw unet -o unet.svg
             archcalc draw resnet50 --diff resnet50:stride=1x1 -o change.svg
             archcalc draw --git main my-net.toml -o change.png

    \b
    3×3 conv 64 /2  a kernel of 3 × 3, 64 filters, a stride of 2
    bn relu         norms and activations are in the box of their layer
    ×3              equal blocks in a row, on maps of one size, drawn once
    112×112×64      the map that leaves a box: height × width × channels
    bar             multiplies, or what --by says, of all layers of the box
    alive, field    of --by: the most values at once; the larger side in pixels
    new, gone       only in the second, in the first; changed: in both, not alike

    More: archcalc help pictures
    """
    wishes = Wishes(frozenset(expand), table.depth, by, columns)
    _refuse_unused(table.format, output, theme, wishes)
    if output is not None:
        check(output)
    parts = drawn(*_pair(networks, other, revision), wishes)
    if output is None:
        click.echo(told(table.format, parts, theme), color=True)
    else:
        _write(output, parts, theme)


def _write(output: str, parts: list[Drawable], theme: str | None) -> None:
    """Write a picture and say what is in it."""
    drawing, shown = fitting(parts)
    put(output, made(output, drawing, theme))
    click.echo(f"{printable(output)}: {parts[-1].title}")
    if shown != parts:
        click.echo(opened_by(shown))


def _pair(
    networks: list[Network], other: str | None, revision: str | None
) -> tuple[Network, Network | None]:
    """Return the network, or the first of two, and the second."""
    if len(networks) > 1:
        help = "--diff OTHER draws two beside each other"
        raise UsageError(Diagnostic("draw takes one SPEC", help=help))
    if revision is None:
        return networks[0], load(other) if other else None
    if other is not None:
        help = "leave one of them away"
        raise UsageError(Diagnostic("--diff and --git each name what SPEC is drawn beside", help=help))
    from archcalc.commands.revision import at_revision

    return at_revision(networks[0], revision), networks[0]


def _refuse_unused(format: str, output: str | None, theme: str | None, wishes: Wishes) -> None:
    """Refuse options that would have no effect."""
    if output is None and format != "svg" and theme is not None:
        help = "-o FILE makes one, or --format svg"
        raise UsageError(Diagnostic("--theme is that of a picture", help=help))
    if output is None and format not in ("svg", "json") and wishes.columns is not None:
        help = "-o FILE makes one, or --format svg"
        raise UsageError(Diagnostic("--columns are those of a picture", help=help))
    if format in ("mermaid", "dot") and wishes.by != "multiplies":
        message = f"--format {format} has no bars: it takes no --by"
        raise UsageError(Diagnostic(message, help="a tree or a picture has them"))
    if output is not None and format != "tree":
        message = "-o writes a picture: it takes no --format"
        raise UsageError(Diagnostic(message, help="leave one of them away"))
