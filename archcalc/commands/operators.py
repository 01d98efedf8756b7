"""archcalc operators: the reference of the spec language, from the operator table itself."""

from __future__ import annotations

import inspect
import textwrap

import click

from archcalc.errors import Diagnostic, UsageError
from archcalc.operators import FAMILIES, TABLE, operator_class
from archcalc.operators.model import Operator
from archcalc.units import printable

WIDTH, INDENT = 80, 16


def _complete(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    return [name for name in TABLE if name.startswith(incomplete)]


@click.command("operators")
@click.argument("name", required=False, metavar="[OPERATOR]", shell_complete=_complete)
def command(name: str | None) -> None:
    """List the operators of the spec language, or explain OPERATOR.

    \b
    Example: archcalc operators conv

    Required arguments stand in order; those with = are optional (k3, s2x1, from=16); words alone are
    flags. The explanation says what one layer counts.
    """
    if name is None:
        click.echo("\n".join(map(_family, FAMILIES)))
    elif name in TABLE:
        click.echo(_explain(operator_class(name)))
    else:
        from archcalc.graph.missing import meant  # of mistakes only

        help = meant(name, TABLE) or f"operators: {', '.join(TABLE)}"
        raise UsageError(Diagnostic(f"no operator is called `{printable(name)}`", help=help))


def usage(cls: type[Operator]) -> str:
    """Return the usage line: 'conv filters k=1 s=1 p=0 …'."""
    least, most = cls.labels
    label = "" if most == 0 else "@label" if most == 1 else "@label…"
    required = [argument.usage for argument in cls.arguments if argument.required]
    others = [argument.usage for argument in cls.arguments if not argument.required]
    labels = [label if least else f"[{label}]"] if label else []
    return " ".join([cls.name, *required, *labels, *others])


def _family(family: str) -> str:
    """Show one family: operators with arguments on lines of their own, the others together."""
    classes = [operator_class(name) for name in FAMILIES[family].split()]
    plain = " ".join(cls.name for cls in classes if not cls.arguments)
    lines = []
    for cls in classes:
        if cls.arguments:
            lines += textwrap.wrap(usage(cls), WIDTH - INDENT, subsequent_indent="  ")
    if plain:
        lines += textwrap.wrap(plain, WIDTH - INDENT)
    heads = [family, *[""] * (len(lines) - 1)]
    return "\n".join(f"{head:{INDENT}}{line}" for head, line in zip(heads, lines, strict=True))


def _explain(cls: type[Operator]) -> str:
    lines = textwrap.wrap(usage(cls), WIDTH, subsequent_indent="  ")
    for paragraph in f"{inspect.getdoc(cls)}".split("\n\n"):
        lines += ["", *textwrap.wrap(paragraph, WIDTH)]
    if cls.arguments:
        lines += ["", *(f"  {argument.usage:10}  {argument.help}" for argument in cls.arguments)]
    return "\n".join(lines)
