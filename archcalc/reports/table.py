"""Define the options that all tables share."""

from __future__ import annotations

from typing import Any

from archcalc.reports.order import Order
from archcalc.tuples import NamedTuple


class Table(NamedTuple):
    """The options of a table: its format, its rows and their order, and whether the base is beside."""

    format: str
    depth: int | None
    all: bool
    base: bool
    order: Order = Order()

    @classmethod
    def of(cls, params: dict[str, Any]) -> Table:
        """Take the options of a table out of a command's parameters."""
        format, depth = params.pop("format"), params.pop("depth", None)
        # a machine wants the layers, not what fits a screen
        machine = format in ("csv", "json")
        all = params.pop("all_", False) or (machine and not depth)
        order = Order(params.pop("sort_", None), params.pop("top_", None))
        return cls(format, depth, all, not params.pop("no_base", False) and not machine, order)
