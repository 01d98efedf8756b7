"""archcalc field: what each map sees of the image."""

from __future__ import annotations

from archcalc.api import Network
from archcalc.commands.options import ALL, DEPTH, FORMAT, SORT, TOP, show_ordered, spec_command
from archcalc.reports.field import report
from archcalc.reports.table import Table


@spec_command("field")
@SORT
@TOP
@ALL
@DEPTH
@FORMAT
def command(networks: list[Network], table: Table) -> None:
    """Show the receptive field of every map of SPEC.

    \b
    Example: archcalc field vgg16

    \b
    field     pixels of the image that one value depends on (height × width)
    stride    pixels from one value to the next
    padding   how far the first value reaches beyond the image
    offset    the center of the first value, in pixels from the first pixel's
    smallest  the smallest square input (strip, where SPEC's is one pixel high or
              wide) that every layer accepts, and the smallest at which the center
              of a value of the last map lies inside the image
    note      exceeds image: sees more than there is; misaligned: from a join
              of branches whose strides or centers differ
    unread    positions of a map that strides skip: nothing ever reads them
    """
    show_ordered("field", [report(network, table) for network in networks], table)
