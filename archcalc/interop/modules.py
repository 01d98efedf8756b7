"""Gather the rows of a tally by module, down to a depth; a module's own rows come at its first place."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from archcalc.interop.counts import NONE, Counts, total
from archcalc.interop.tally import OperationCost, Use
from archcalc.tuples import NamedTuple


class Gathered(NamedTuple):
    """A module, or a single operation outside any: the work and weights of its rows.

    `name` is the module's path, or the word of operations directly in the enclosing module.
    """

    name: str
    cls: str
    rows: tuple[OperationCost, ...]

    @property
    def counts(self) -> Counts:
        """The sum of its rows."""
        return total(row.counts for row in self.rows) if self.rows else NONE

    @property
    def uses(self) -> tuple[Use, ...]:
        """The weights that its rows are the first to use."""
        return tuple(use for row in self.rows for use in row.uses)


def gather(
    rows: Iterable[OperationCost], modules: Mapping[str, str], depth: int
) -> tuple[Gathered, ...]:
    """Gather rows by module down to a depth, in the order in which each module first works.

    At depth 1 'layer1.0.conv1' counts for 'layer1'. Depth counts modules, not dots: a name with a dot is
    one module. Operations above that depth, in a module that contains others, form rows of their own
    under their word: 'layer1.0/add'.
    """
    found: dict[tuple[str, str], list[OperationCost]] = {}
    above = _with_others_inside(modules)
    for row in rows:
        around = chain(row.operation.module, modules)
        path = around[min(depth, len(around)) - 1] if around and depth else ""
        inner = len(around) <= depth and (path in above or not path)
        word = row.operation.word if inner and depth else ""
        found.setdefault((path, word), []).append(row)
    return tuple(
        Gathered(_name(path, word), modules.get(path, "") if not word else "", tuple(of))
        for (path, word), of in found.items()
    )


def _name(path: str, word: str) -> str:
    return f"{path}/{word}" if path and word else path or word


def chain(path: str, modules: Mapping[str, str]) -> list[str]:
    """Return the modules around a path and the path itself, outermost first, without the model."""
    parts, around = path.split(".") if path else [], []
    for end in range(1, len(parts) + 1):
        prefix = ".".join(parts[:end])
        if prefix in modules or end == len(parts):
            around.append(prefix)
    return around


def _with_others_inside(modules: Mapping[str, str]) -> set[str]:
    return {prefix for path in modules for prefix in chain(path, modules)[:-1]}
