"""Describe axes as ordered products of atoms, so that views and permutations move no values."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise

from archcalc.tuples import NamedTuple

Axis = tuple[int, ...]  # atoms, the outermost first; an axis of size 1 has none


class Layout(NamedTuple):
    """The layout of a tensor of the file: how the output of a node holds it.

    `file` are the axes that the tensor has in the file, `own` the axes of the node's output. Both
    consist of the same atoms.
    """

    node: int
    file: tuple[Axis, ...]
    own: tuple[Axis, ...]


class Atoms:
    """The sizes whose products are the axes. An atom that was split stands for its parts."""

    def __init__(self) -> None:
        self._sizes: list[int] = []
        self._parts: dict[int, Axis] = {}

    def new(self, size: int) -> Axis:
        """Return an axis of this size that shares no atom with others."""
        if size == 1:
            return ()
        self._sizes.append(size)
        return (len(self._sizes) - 1,)

    def split(self, atom: int, outer: int) -> Axis:
        """Split an atom into an outer part of size `outer` and an inner part; return both."""
        parts = (*self.new(outer), *self.new(self._sizes[atom] // outer))
        self._parts[atom] = parts
        return parts

    def leaves(self, axis: Axis) -> Axis:
        """Return the axis in atoms that are not split further."""
        if not self._parts:
            return axis
        found: list[int] = []
        left = list(reversed(axis))
        while left:
            atom = left.pop()
            parts = self._parts.get(atom)
            if parts is None:
                found.append(atom)
            else:
                left.extend(reversed(parts))
        return tuple(found)

    def size(self, axis: Iterable[int]) -> int:
        product = 1
        for atom in axis:
            product *= self._sizes[atom]
        return product

    def shape(self, axes: Iterable[Axis]) -> tuple[int, ...]:
        return tuple(self.size(axis) for axis in axes)

    def resolved(self, layout: Layout) -> Layout:
        """Return the same layout in atoms that are not split further."""
        file, own = (tuple(map(self.leaves, axes)) for axes in (layout.file, layout.own))
        return Layout(layout.node, file, own)

    def fused(self, layout: Layout) -> Layout:
        """Return the same layout; atoms that are adjacent in the file and in the node become one."""
        if all(len(axis) < 2 for axis in layout.file):
            return layout
        follows = {a: b for axis in layout.own for a, b in pairwise(axis)}
        instead: dict[int, Axis] = {}
        for axis in layout.file:
            run: list[int] = []
            for atom in (*axis, -1):
                if run and follows.get(run[-1]) == atom:
                    run.append(atom)
                    continue
                if len(run) > 1:
                    made = self.new(self.size(run))
                    instead |= {run[0]: made, **dict.fromkeys(run[1:], ())}
                run = [atom]
        if not instead:
            return layout
        file, own = (
            tuple(tuple(b for a in axis for b in instead.get(a, (a,))) for axis in axes)
            for axes in (layout.file, layout.own)
        )
        return Layout(layout.node, file, own)

    def viewed(self, axes: Sequence[Axis], shape: Sequence[int]) -> tuple[Axis, ...] | None:
        """Return the axes after a row-major view as `shape`; None if the atoms do not fit it."""
        left = [atom for axis in reversed(axes) for atom in reversed(self.leaves(axis))]
        found: list[Axis] = []
        for size in shape:
            axis: list[int] = []
            while size > 1:
                if not left:
                    return None
                atom = left.pop()
                have = self._sizes[atom]
                if have > size and have % size == 0:
                    left.extend(reversed(self.split(atom, size)))
                    continue
                if size % have:
                    return None
                axis.append(atom)
                size //= have
            found.append(tuple(axis))
        return None if left else tuple(found)

    def paired(self, a: Axis, b: Axis) -> dict[int, int] | None:
        """Return which atom of `a` corresponds to which atom of `b`, for two axes of one size.

        Atoms are split where that is needed. Returns None if their sizes do not divide each other.
        """
        left, right, pairs = list(self.leaves(a))[::-1], list(self.leaves(b))[::-1], {}
        while left and right:
            x, y = left.pop(), right.pop()
            n, m = self._sizes[x], self._sizes[y]
            if n == m:
                pairs[x] = y
            elif n % m == 0:
                left.extend(reversed(self.split(x, m)))
                right.append(y)
            elif m % n == 0:
                right.extend(reversed(self.split(y, n)))
                left.append(x)
            else:
                return None
        return None if left or right else pairs
