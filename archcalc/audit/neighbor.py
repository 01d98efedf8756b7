"""A network near the one that was named: how one would ask for it, and in what it differs."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

from archcalc.analysis.costs import Analysis, analyze
from archcalc.network import Network
from archcalc.operators.shape import Shape
from archcalc.spec.catalog import Entry
from archcalc.spec.expressions import Value
from archcalc.spec.settings import show_value
from archcalc.tuples import NamedTuple

if TYPE_CHECKING:
    from archcalc.audit.terms import Ledger


class Change(NamedTuple):
    """One way in which a neighbor is not the network that was named.

    It counts as so many `steps`; of equally many, those of small `weight` come first.
    """

    name: str
    says: str
    weight: int
    steps: int = 1


class Neighbor:
    """A network near the one named: how one would ask for it, and in what it differs."""

    def __init__(
        self,
        entry: Entry,
        given: Mapping[str, Any],
        input: Shape | None = None,
        changes: tuple[Change, ...] = (),
        rewrite: str = "",
        network: Network | None = None,
    ) -> None:
        self.entry, self.given, self.input = entry, dict(given), input
        self.changes, self.rewrite, self._built = changes, rewrite, network

    @classmethod
    def of(cls, network: Network) -> Neighbor:
        """Return the network that was named: its own nearest neighbor."""
        given = {name: value for name, value in network.changed.items() if name != "input"}
        return cls(network.entry, given, network.input, network=network)

    @property
    def name(self) -> str:
        """'resnet50:stride=1x1:input=256x256x3', with ', pools rounded down' behind."""
        settings = [f"{name}={show_value(value)}" for name, value in self.values_given.items()]
        if self.input is not None:
            settings.append(f"input={'x'.join(map(str, self.input))}")
        name = ":".join([self.entry.name, *settings])
        return f"{name}, {self.rewrite}" if self.rewrite else name

    @cached_property
    def _network(self) -> Network:
        if self._built is not None:
            return self._built
        size = None if self.input is None else "x".join(map(str, self.input))
        return Network(self.entry, self.given, size)

    @property
    def steps(self) -> int:
        """How many departures its changes are."""
        return sum(change.steps for change in self.changes)

    @cached_property
    def values(self) -> dict[str, Value]:
        """Every variable's value."""
        return self._network.values

    @property
    def values_given(self) -> dict[str, Value]:
        """Those that were set."""
        return {name: self.values[name] for name in self.given}

    @cached_property
    def analysis(self) -> Analysis:
        """Its exact costs.

        Raises:
            ArchError: the layers do not fit each other.
        """
        if not self.rewrite:
            return self._network.analyze()
        from archcalc.audit.rewrites import REWRITES  # few networks are rewritten

        return analyze(REWRITES[self.rewrite].of(self._network.graph))

    @cached_property
    def ledger(self) -> Ledger:
        from archcalc.audit.terms import Ledger  # a footnote of `memory` adds nothing up

        return Ledger(self.analysis)

    @cached_property
    def trunk(self) -> Ledger:
        from archcalc.audit.terms import Ledger

        return Ledger(self.analysis, trunk=True)

    def changed(self, change: Change, **differences: Any) -> Neighbor:
        """Return the same with one more change."""
        own = {
            "entry": self.entry,
            "given": self.given,
            "input": self.input,
            "rewrite": self.rewrite,
            **differences,
        }
        return Neighbor(changes=(*self.changes, change), **own)
