"""Group parts that can become one block: they differ in sizes, and some lack runs of layers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from archcalc.recovery.bodies import IN, Body, Item, is_channels, number, skeleton
from archcalc.recovery.layout import BodyLayout, lay_out, rows_or_branches
from archcalc.recovery.parts import ModulePart, Wiring
from archcalc.recovery.variants import Detour, runs_between
from archcalc.tuples import NamedTuple

MOST_RUNS = 4
MOST_KINDS = 16  # families of one class that a body is compared with
MOST_BODIES = 64  # different bodies of one class: more are hardly variants of each other
LONGEST_CHAIN = 4  # layers that are written out instead of called


class Instance(NamedTuple):
    """A part and its body."""

    part: ModulePart
    body: Body


class Family:
    """The instances of one block.

    Attributes:
        body: the longest body; other instances lack some of the `runs`.
        present: for each instance its item at each place of `body`, or None.
        layout: the lines or branches in which the body is written.
    """

    def __init__(self, cls: str, body: Body, layout: BodyLayout) -> None:
        self.cls, self.body, self.layout = cls, body, layout
        self.runs: tuple[Detour, ...] = ()
        self.instances: list[Instance] = []
        self.present: list[list[Item | None]] = []

    def add(self, instance: Instance, lacks: Sequence[Detour] = ()) -> None:
        """Add an instance that lacks some runs."""
        gone = {i for run in lacks for i in range(run.start, run.stop)}
        items = iter(instance.body)
        self.instances.append(instance)
        self.present.append([None if i in gone else next(items) for i in range(len(self.body))])

    def admits(self, runs: Sequence[Detour]) -> BodyLayout | None:
        """Return the layout of the body if these runs become optional too; None if there is none."""
        found = {*self.runs, *runs}
        ordered = sorted(found)
        if len(found) > MOST_RUNS or any(a.stop > b.start for a, b in pairwise(ordered)):
            return None
        return lay_out(self.body, tuple(ordered))

    def allow(self, runs: Sequence[Detour], layout: BodyLayout) -> None:
        """Make these runs optional."""
        self.runs = tuple(sorted({*self.runs, *runs}))
        self.layout = layout

    def arriving(self, place: int, instance: int) -> int:
        """Return the node whose tensor arrives at an item of the body, even if the instance lacks it."""
        ref = self.body[place].refs[0]
        while ref != IN:
            item = self.present[instance][ref]
            if item is not None:
                return item.part.output
            ref = self.body[next(r.start for r in self.runs if r.start <= ref < r.stop)].refs[0]
        return self.source(instance)

    def source(self, instance: int) -> int:
        """Return the node whose tensor enters an instance."""
        return self._sources[instance]

    def settle(self, wiring: Wiring) -> None:
        """Look up the node that enters each instance; called once all instances are added."""
        self._sources = [wiring.sources(i.part)[0] for i in self.instances]


def families(
    cls: str, instances: Sequence[Instance], wiring: Wiring, nested: bool = False
) -> Iterator[Family]:
    """Yield families of parts of one class, the largest bodies first.

    `nested` says that the parts are inside other modules with a class. There, slightly longer chains
    are written out instead of called.
    """
    alike: dict[object, list[Instance]] = {}
    for instance in instances:
        alike.setdefault(skeleton(instance.body), []).append(instance)
    found: list[Family] = []
    for group in sorted(alike.values(), key=lambda g: -len(g[0].body)):
        if len(alike) > MOST_BODIES or not _joins(found, group, wiring):
            family = Family(cls, group[0].body, rows_or_branches(group[0].body))
            found.append(family)
            for instance in group:
                family.add(instance)
    for family in found:
        if len(family.instances) > 1 and not _is_short_chain(family.body, nested):
            family.settle(wiring)
            yield family


def _joins(found: Sequence[Family], group: Sequence[Instance], wiring: Wiring) -> bool:
    """Add a group of instances to the family that has their body with further runs, if there is one."""
    body = group[0].body
    for family in found[:MOST_KINDS]:
        ways = [
            (len({*runs} & {*family.runs}), _likeness(family, body, runs, wiring), runs, layout)
            for runs in runs_between(family.body, body)
            if (family.cls or not _calls(family.body, runs))
            and (layout := family.admits(runs)) is not None
        ]
        if ways:
            *_, runs, layout = max(ways, key=lambda way: way[:2])
            family.allow(runs, layout)
            for instance in group:
                family.add(instance, runs)
            return True
    return False


def _calls(body: Body, runs: Sequence[Detour]) -> bool:
    return any(body[i].is_call for run in runs for i in range(run.start, run.stop))


def _likeness(family: Family, body: Body, runs: Sequence[Detour], wiring: Wiring) -> int:
    """Count the equal sizes (other than channels) of a family's body without runs and another body."""
    gone = {i for run in runs for i in range(run.start, run.stop)}
    kept = [item for i, item in enumerate(family.body) if i not in gone]
    return sum(
        a == b
        for one, other in zip(kept, body, strict=True)
        for a, b in zip(_sizes(one, wiring), _sizes(other, wiring), strict=False)
    )


def _sizes(item: Item, wiring: Wiring) -> list[object]:
    if item.is_call:
        return []
    node = wiring.graph.nodes[item.part.first]
    arriving = wiring.graph.nodes[node.inputs[0]].shape.channels
    own = [(a.name, number(node.operator, a)) for a in node.operator.arguments]
    return [
        "all" if value == arriving else value
        for name, value in own
        if value is not None and not is_channels(node.operator, name)
    ]


def _is_short_chain(body: Body, nested: bool) -> bool:
    """Return whether a body is better written out than called: one conv with norm and activation."""
    if len(body) == 1:
        return True
    if len(body) > LONGEST_CHAIN or any(item.is_call for item in body):
        return False
    weighted = sum(item.weight_layers for item in body)
    return weighted <= 1 + nested and all(item.refs == (i - 1,) for i, item in enumerate(body))
