"""Provide `archcalc.list`: the bundled networks, for a person and for a table."""

from __future__ import annotations

from archcalc.analysis.notebook import html
from archcalc.totals import totals
from archcalc.tuples import NamedTuple


class Listed(NamedTuple):
    """A bundled network; `archcalc.load` takes it, or its name."""

    name: str
    title: str
    year: int | None
    family: str
    input: str
    parameters: int
    multiplies: int

    def __fspath__(self) -> str:
        """Return its name where a path to a spec is expected."""
        return self.name


class Listing(list[Listed]):
    """The bundled networks by family; pandas and polars take it as a table."""

    @property
    def names(self) -> list[str]:
        """The names alone."""
        return [entry.name for entry in self]

    def __contains__(self, wanted: object) -> bool:
        """Return whether a network, or one of that name, is bundled."""
        return any(wanted in (entry, entry.name) for entry in self)

    def _repr_html_(self) -> str:
        return html([entry._asdict() for entry in self])


def listing() -> Listing:
    """Return the bundled networks: name, title, year, family, input, parameters, multiplies.

    >>> "resnet50" in archcalc.list()
    True
    """
    return Listing(Listed(**{**row, "input": "x".join(map(str, row["input"]))}) for row in totals())
