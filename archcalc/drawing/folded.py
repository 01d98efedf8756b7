"""Fold a graph into a tree of boxes: one box per layer with its norms, and ×N for equal repeats."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any

from archcalc.drawing import words
from archcalc.drawing.tree import Chip, Group, Unit, every
from archcalc.graph.model import Graph
from archcalc.tuples import NamedTuple

LONGEST = 4  # the most units of a repeated pattern: (swin, shifted swin) ×3
FEWEST = 5  # the fewest equal layers outside blocks that fold
_MOST = 0.6  # the largest share of all boxes in one block
_NUMBERED = re.compile(r"(.*?)(\d*)")


class Folding(NamedTuple):
    """The options of a tree: blocks to show in full, the mark of each layer, the depth to open.

    `close` are the paths of blocks that are one box each.
    """

    expand: frozenset[str] = frozenset()
    marks: Sequence[str] = ()
    depth: int | None = None
    close: frozenset[str] = frozenset()

    def opens(self, path: str) -> bool:
        """Return whether a block, or one around it, is to be shown in full, by its path or name."""
        parts = path.split("/")
        return any(self.expand.intersection(names_of(parts[: i + 1])) for i in range(len(parts)))

    def closes(self, path: str) -> bool:
        """Return whether a block is one box, by its path or depth."""
        deep = self.depth is not None and path.count("/") + 1 >= self.depth
        return path in self.close or (deep and not self.opens(path))


def names_of(parts: Sequence[str]) -> tuple[str, ...]:
    """Return the names of a block: its path, its own name, and the name without its number."""
    return "/".join(parts), parts[-1], parts[-1].rstrip("0123456789")


def fold(graph: Graph, folding: Folding) -> tuple[Unit, ...]:
    """Fold the network into units from top to bottom; blocks hold their own units."""
    return _beside(graph, _Folder(graph, folding).units(range(len(graph.nodes)), 0))


def unpacked(units: tuple[Unit, ...], folding: Folding) -> tuple[Unit, ...]:
    """Open a block that holds most of the network, so that its parts can stand in several columns."""
    for at, unit in enumerate(units):
        wide = isinstance(unit, Group) and not unit.copies and len(unit.children) >= FEWEST
        if folding.closes(unit.path):
            continue
        if wide and isinstance(unit, Group) and _boxes(unit) > _MOST * sum(map(_boxes, units)):
            return unpacked((*units[:at], *unit.children, *units[at + 1 :]), folding)
    return units


def _boxes(unit: Unit) -> int:
    return sum(map(_boxes, unit.children)) if isinstance(unit, Group) else 1


def _beside(graph: Graph, units: tuple[Unit, ...]) -> tuple[Unit, ...]:
    """Move units that do not lead to the main output (another head) after the unit they branch off."""
    at = {i: k for k, unit in enumerate(units) for i in every(unit)}
    reads = [
        {at[j] for i in every(unit) for j in graph.nodes[i].inputs} - {k} for k, unit in enumerate(units)
    ]
    main, waiting = set(), [at[graph.output]]
    while waiting:
        unit = waiting.pop()
        if unit not in main:
            main.add(unit)
            waiting += reads[unit]
    place: dict[int, tuple[int, int]] = {}
    for k in range(len(units)):
        before = max((place[j][0] for j in reads[k] - {k}), default=-1)
        place[k] = (k, -1) if k in main else (before, k)
    return tuple(units[k] for k in sorted(place, key=place.__getitem__))


class _Folder:
    def __init__(self, graph: Graph, folding: Folding) -> None:
        self.nodes, self.outputs, self.folding = graph.nodes, set(graph.outputs), folding
        self.parts = [node.path.split("/") for node in graph.nodes]
        self.readers: list[list[int]] = [[] for _ in graph.nodes]
        for i, node in enumerate(graph.nodes):
            for j in node.inputs:
                self.readers[j].append(i)
        self.small = [words.is_small(node.operator) for node in graph.nodes]

    def units(self, indices: Iterable[int], depth: int) -> tuple[Unit, ...]:
        found: list[Unit] = []
        for key, run in groupby(indices, lambda i: self._key(i, depth)):
            if isinstance(key, int):
                found.append(Chip(self.nodes[key].path, (key,)))
            else:
                inner = tuple(run)
                path = "/".join(self.parts[inner[0]][: depth + 1])
                found += self._opened(self._group(path, key, self.units(inner, depth + 1)))
        return tuple(self._folded(self._absorbed(self._without_branch(self._fused(found)))))

    def _key(self, i: int, depth: int) -> int | str:
        parts = self.parts[i]
        return parts[depth] if len(parts) > depth + 1 else i

    def _group(self, path: str, name: str, children: tuple[Unit, ...]) -> Unit:
        """Group units as a block; a block with only one block in it becomes that block."""
        if len(children) > 1:
            return _grouped(path, name, children)
        (only,) = children
        if isinstance(only, Chip):
            return only._replace(path=path)
        if only.copies and only.name:
            name = f"{name}: {only.name}"
        return only._replace(path=path, name=name)

    def _opened(self, unit: Unit) -> tuple[Unit, ...]:
        """Replace a block that reads several outside tensors by its units."""
        if isinstance(unit, Chip) or unit.copies or self.folding.closes(unit.path):
            return (unit,)
        return unit.children if len(set(self._read(unit.nodes))) > 1 else (unit,)

    def _read(self, nodes: Sequence[int]) -> Iterator[int]:
        own = set(nodes)
        return (j for i in nodes for j in self.nodes[i].inputs if j not in own)

    def _without_branch(self, units: list[Unit]) -> list[Unit]:
        """Remove the frame of a join's only branch inside the frame of the block."""
        groups = [u for u in units if isinstance(u, Group)]
        others = [u for u in units if isinstance(u, Chip)]
        if len(groups) != 1 or groups[0].copies or not others:
            return units
        if not all(words.is_join(self.nodes[u.nodes[0]].operator) for u in others):
            return units
        return [k for u in units for k in (u.children if isinstance(u, Group) else (u,))]

    def _fused(self, units: list[Unit]) -> list[Unit]:
        """Merge norms and activations into the box of the layer they belong to."""
        fused: list[Unit] = []
        for unit in units:
            last = fused[-1] if fused else None
            if isinstance(last, Chip) and isinstance(unit, Chip) and self._belongs(last, unit):
                path = last.path if not self._all_small(last) else unit.path
                fused[-1] = Chip(path, last.nodes + unit.nodes)
            else:
                fused.append(unit)
        return fused

    def _belongs(self, a: Chip, b: Chip) -> bool:
        if a.copies or b.copies or a.nodes[0] == 0 or not self._chained(a.nodes, b.nodes):
            return False
        alone = not words.is_join(self.nodes[b.nodes[0]].operator)
        return self._all_small(b) or (self._all_small(a) and alone)

    def _all_small(self, chip: Chip) -> bool:
        return all(self.small[i] for i in chip.nodes)

    def _chained(self, a: Sequence[int], b: Sequence[int]) -> bool:
        """Return whether `b` reads only the last output of `a`, and nothing else reads `a`."""
        own, after, last = set(a), set(b), a[-1]
        if not own.isdisjoint(self.outputs) or set(self._read(b)) != {last}:
            return False
        return all(r in own or r in after for i in a for r in self.readers[i])

    def _absorbed(self, units: list[Unit]) -> list[Unit]:
        """Merge an activation after a block into the block's last box."""
        found: list[Unit] = []
        for unit in units:
            last = found[-1] if found else None
            if (
                isinstance(last, Group)
                and isinstance(unit, Chip)
                and all(words.is_activation(self.nodes[i].operator) for i in unit.nodes)
                and self._chained(last.nodes, unit.nodes)
                and (longer := _longer(last, unit.nodes))
            ):
                found[-1] = longer
            else:
                found.append(unit)
        return found

    def _folded(self, units: list[Unit]) -> list[Unit]:
        folded: list[Unit] = []
        keys = [self._signature(unit) for unit in units]
        at = 0
        while at < len(units):
            period, times = self._repeats(units, keys, at)
            run = units[at : at + period * times]
            folded.append(self._named(_repeated(run, period)) if times > 1 else run[0])
            at += period * times if times > 1 else 1
        return folded

    def _named(self, unit: Unit) -> Unit:
        """Add to the name what the last copy lacks."""
        lacking = unit.nodes[len(unit.copies[-1]) :]
        if isinstance(unit, Chip) or not lacking:
            return unit
        told = " ".join(self.nodes[i].operator.name for i in lacking)
        return unit._replace(name=f"{unit.name}, the last without {told}".removeprefix(", "))

    def _repeats(self, units: list[Unit], keys: list[Any], at: int) -> tuple[int, int]:
        """Return the period that folds most units from here, and its number of repeats."""
        best = 1, 1
        if self.folding.expand and self.folding.opens(units[at].path):
            return best
        for period in range(2 if units[at].copies else 1, LONGEST + 1):
            times = self._times(units, keys, at, period)
            enough = 2 if any(isinstance(u, Group) for u in units[at : at + period]) else FEWEST
            if times >= enough and period * times > best[0] * best[1]:
                best = period, times
        return best

    def _times(self, units: list[Unit], keys: list[Any], at: int, period: int) -> int:
        times, first = 1, keys[at : at + period]
        before: tuple[int, ...] = ()
        while len(found := units[at + times * period : at + (times + 1) * period]) == period:
            start = at + times * period
            here = keys[start : start + period]
            short = here[-1] != first[-1]
            if here[:-1] != first[:-1] or (
                short and not self._but_for_the_end(here[-1], first[-1], units[at + period - 1])
            ):
                break
            before, nodes = before or _flat(units[at : at + period]), _flat(found)
            opened = self.folding.expand and any(self.folding.opens(unit.path) for unit in found)
            if opened or not self._chained(before, nodes):
                break
            times, before = times + 1, nodes
            if short:
                break
        return times

    def _but_for_the_end(self, key: Any, first: Any, unit: Unit) -> bool:
        """Return whether the last copy lacks only the activation that ends the others."""
        lacking = unit.nodes[len(key) - 1 :]
        return bool(
            lacking
            and key == first[: len(key)]
            and all(words.is_activation(self.nodes[i].operator) for i in lacking)
        )

    def _signature(self, unit: Unit) -> tuple[Any, ...]:
        """Return what copies must share: operators, map sizes (channels may grow), edges, and marks."""
        own = unit.nodes
        at = {node: k for k, node in enumerate(own)}
        marks = self.folding.marks
        key: list[Any] = [len(unit.copies)]
        for i in own:
            _, operator, inputs, shape, _, shares = self.nodes[i]
            read = tuple((at.get(j, -1), self.nodes[j].shape[:-1]) for j in inputs)
            lender = at.get(shares, shares)
            key.append((id(operator), shape[:-1], read, lender, marks[i] if marks else ""))
        return tuple(key)


def _grouped(path: str, name: str, children: tuple[Unit, ...]) -> Group:
    return Group(path, name, children, tuple(sorted(i for c in children for i in every(c))))


def _flat(units: Sequence[Unit]) -> tuple[int, ...]:
    return tuple(sorted(i for unit in units for i in every(unit)))


def _longer(group: Group, nodes: tuple[int, ...]) -> Group | None:
    """Return the group with more layers in its last box; None if it is a repeat of its own."""
    last = group.children[-1]
    if group.copies or last.copies:
        return None
    grown = last._replace(nodes=last.nodes + nodes) if isinstance(last, Chip) else _longer(last, nodes)
    return grown and group._replace(children=(*group.children[:-1], grown), nodes=group.nodes + nodes)


def _repeated(run: Sequence[Unit], period: int) -> Unit:
    """Return the first `period` units as one, with the others as its copies."""
    parts = [run[i : i + period] for i in range(0, len(run), period)]
    copies = tuple(map(_flat, parts[1:]))
    if period > 1:
        return _grouped(run[0].path, "", tuple(parts[0]))._replace(copies=copies)
    first = run[0]
    if isinstance(first, Chip):
        return first._replace(copies=copies)
    return first._replace(copies=copies, name=_run_name([getattr(u, "name", "") for u in run]))


def _run_name(names: Sequence[str]) -> str:
    """Name a run: 'bottleneck 2–4' for bottleneck2, bottleneck3, bottleneck4; 'dense' for two."""
    found = [_NUMBERED.fullmatch(name) for name in names]
    bases = {match[1] for match in found if match}
    numbers = [int(match[2] or 1) for match in found if match]
    if len(bases) > 1 or numbers != list(range(numbers[0], numbers[0] + len(numbers))):
        return f"{names[0]} – {names[-1]}"
    (base,) = bases
    return base if numbers[0] == 1 and names[0] == base else f"{base} {numbers[0]}–{numbers[-1]}"
