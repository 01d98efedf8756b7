"""The option --dtype: a type for all values, or one each for weights, activations and accumulators."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from archcalc.formats import BITS, formats_of

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem


class TypesOfValues(click.types.StringParamType):
    """A type of `archcalc.formats`, or up to three with x between them."""

    name = "dtype"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        formats_of(str(value))
        return str(value)

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        from click.shell_completion import CompletionItem

        return [CompletionItem(name) for name in BITS if name.startswith(incomplete)]


TYPES = TypesOfValues()
DTYPE = click.option(
    "--dtype",
    type=TYPES,
    default="float32",
    metavar="TYPE",
    help="Of all values, or of weights x activations (x accumulators): int8, int4xfloat16.",
)
