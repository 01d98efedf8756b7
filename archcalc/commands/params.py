"""archcalc params: how many numbers the network learns, and where they sit."""

from __future__ import annotations

from archcalc.api import Network
from archcalc.commands.options import AS, show_ordered, spec_command, table_options
from archcalc.reports.params import report
from archcalc.reports.table import Table


@spec_command("params")
@AS
@table_options
def command(networks: list[Network], table: Table, tool: str | None) -> None:
    """Count the parameters of SPEC, by layer and role.

    \b
    Example: archcalc params vgg16 --classes 10

    \b
    weights, biases  what conv and linear layers learn
    norms            scale and shift of normalizations, learned too
    parameters       their sum: what training can change
    statistics       running mean and variance of batch norm (Keras counts them,
                     torch does not)
    fixed            numbers set by hand, never learned (the RBF layer of 1998)
    share            of the network's parameters
    MiB              of all these numbers, at 4 bytes (float32), 2 (float16) or
                     1 (int8)
    module           with --as: what runs the layer in the code that the tool
                     looks at
    """
    show_ordered("params", [report(network, table, tool) for network in networks], table)
