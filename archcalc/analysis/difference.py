"""Align the layers of two networks: find which are the same, changed, moved, new or gone."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from itertools import pairwise, takewhile
from typing import Any, Literal, get_args

from archcalc.analysis.costs import Analysis, Layer
from archcalc.analysis.memory import measure
from archcalc.analysis.notebook import Rows, html
from archcalc.analysis.sequences import Match, matches, settled
from archcalc.errors import Diagnostic, UsageError, listed, shown
from archcalc.operators.model import Operator
from archcalc.operators.shape import Shape
from archcalc.symbols import Int
from archcalc.tuples import NamedTuple

Status = Literal["same", "changed", "moved", "new", "gone"]


class DifferenceRow(NamedTuple):
    """A layer in both networks, or in one: then the other's fields are None, and its counts 0."""

    status: Status
    path_before: str | None
    path: str | None
    operator_before: str | None
    operator: str | None
    output_before: Shape | None
    output: Shape | None
    parameters_before: Int
    parameters: Int
    multiplies_before: Int
    multiplies: Int
    alive_before: Int = 0
    alive: Int = 0


class Difference(NamedTuple):
    """Two networks aligned; the counts of the layers sum to the totals of both."""

    before: Analysis
    after: Analysis
    layers: tuple[DifferenceRow, ...]

    def count(self, status: Status) -> int:
        """Return the number of layers with a status: same, changed, moved, new or gone.

        Raises:
            UsageError: there is no such status.
        """
        if not isinstance(status, str) or status not in get_args(Status):
            help = f"statuses: {listed(get_args(Status))}"
            raise UsageError(Diagnostic(f"no layer of a difference is `{shown(status)}`", help=help))
        return sum(row.status == status for row in self.layers)

    def to_dict(self) -> dict[str, Any]:
        """Return plain data for JSON: the totals, before and after, and the rows."""
        totals = {
            name: [int(getattr(side, name)) for side in (self.before, self.after)]
            for name in ("parameters", "multiplies", "flops")
        }
        return {**totals, "layers": list(self.rows)}

    @property
    def rows(self) -> Rows:
        """A flat dict for each layer, as pandas.DataFrame and polars.DataFrame take them."""
        return Rows(
            {k: str(v) if isinstance(v, Shape) else v for k, v in row._asdict().items()}
            for row in self.layers
        )

    def _repr_html_(self) -> str:
        return html([row for row in self.rows if row["status"] != "same"])

    def __repr__(self) -> str:
        counts = [(self.count(status), status) for status in get_args(Status)]
        told = ", ".join(f"{n} {status}" for n, status in counts if n)
        return f"<Difference of {len(self.layers)} layers: {told}>"


def difference(before: Analysis, after: Analysis) -> Difference:
    """Align the layers of two networks by operators, shapes and order, not by their paths."""
    a, b = before.computed, after.computed
    numbers: dict[Any, int] = {}
    exact = _exact(before, numbers), _exact(after, numbers)
    found = _settled(_likely(a, b, exact), (a, b), exact)
    moved = _moved(a, b, found)
    taken = {i for i, _ in moved}, {j for _, j in moved}
    for key in (_purpose, _manner, _name):
        found = _refined(found, (a, b), taken, key)
    alive = _alive(before), _alive(after)
    return Difference(before, after, tuple(_with_alive(_rows(a, b, found, moved), *alive)))


def _alive(analysis: Analysis) -> dict[str | None, Int]:
    """Return the values alive while each layer runs, by its path."""
    layers = analysis.layers
    return {layers[step.node].path: step.live for step in measure(analysis.graph).steps}


def _with_alive(
    rows: list[DifferenceRow], before: dict[str | None, Int], after: dict[str | None, Int]
) -> Iterator[DifferenceRow]:
    for row in rows:
        yield row._replace(alive_before=before.get(row.path_before, 0), alive=after.get(row.path, 0))


def _settled(
    found: list[Match],
    layers: tuple[Sequence[Layer], Sequence[Layer]],
    exact: tuple[list[int], list[int]],
) -> list[Match]:
    """Slide runs that only one network has to the borders of blocks, if equal layers allow it."""
    a, b = layers
    found = settled(found, exact[1], (len(a), len(b)), _seams(b))
    turned = settled([(j, i) for i, j in found], exact[0], (len(b), len(a)), _seams(a))
    return [(i, j) for j, i in turned]


def _seams(layers: Sequence[Layer]) -> Callable[[int, int], tuple[int, bool]]:
    """Return a run's cost: how many blocks its worse end cuts, and whether it begins without weights."""
    blocks = [layer.path.split("/")[:-1] for layer in layers]
    cut = [_shared(*pair) for pair in pairwise([[], *blocks, []])]
    return lambda start, stop: (
        max(cut[start], cut[stop]),
        not layers[start].node.operator.weight_layer,
    )


def _shared(one: list[str], other: list[str]) -> int:
    """Return the number of blocks that both layers are in."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))


def _exact(analysis: Analysis, numbers: dict[Any, int]) -> list[int]:
    """Number equal layers alike; of layers without weights (relus), those that follow equal layers."""
    inputs = analysis.graph.inputs
    keys = [-1] * inputs
    for layer in analysis.computed:
        follows = None if layer.node.operator.weight_layer else keys[layer.node.inputs[0]]
        keys.append(numbers.setdefault((_identity(layer), follows), len(numbers)))
    return keys[inputs:]


@lru_cache(maxsize=4096)
def _text(operator: Operator) -> str:
    return str(operator)


def _identity(layer: Layer) -> tuple[str, tuple[Shape, ...], Shape]:
    return _text(layer.node.operator), layer.inputs, layer.node.shape


def _purpose(layer: Layer) -> Any:
    return _text(layer.node.operator), layer.node.shape


def _manner(layer: Layer) -> Any:
    """Return the operator and its arguments without the first, which is the width."""
    name, _, arguments = _text(layer.node.operator).partition(" ")
    return name, arguments.partition(" ")[2]


def _name(layer: Layer) -> Any:
    return layer.node.operator.name


def _names(layers: Sequence[Layer]) -> list[Any]:
    return [_name(layer) for layer in layers]


def _likely(a: Sequence[Layer], b: Sequence[Layer], exact: tuple[list[int], list[int]]) -> list[Match]:
    """Match equal layers in order; but all by place, if operators agree one by one and few are equal."""
    found = matches(*exact)
    if _names(a) != _names(b):
        return found
    weighted = [i for i, layer in enumerate(a) if layer.node.operator.weight_layer]
    kept = sum(a[i].node.operator.weight_layer for i, _ in found)
    permuted = sorted(exact[0][i] for i in weighted) == sorted(exact[1][i] for i in weighted)
    if permuted or 2 * kept > len(weighted):
        return found
    return [(i, i) for i in range(len(a))]


def _matched(a: Sequence[Any], b: Sequence[Any]) -> list[Match]:
    """Return the `matches` of two sequences of keys of any type."""
    numbers: dict[Any, int] = {}
    coded = [[numbers.setdefault(key, len(numbers)) for key in keys] for keys in (a, b)]
    return matches(*coded)


def _refined(
    found: list[Match],
    layers: tuple[Sequence[Layer], Sequence[Layer]],
    taken: tuple[set[int], set[int]],
    key: Callable[[Layer], Any],
) -> list[Match]:
    """Match more layers between those that are matched: by place, or by a weaker key."""
    a, b = layers
    more: list[Match] = []
    i = j = 0
    for end in [*found, (len(a), len(b))]:
        left = [n for n in range(i, end[0]) if n not in taken[0]]
        right = [n for n in range(j, end[1]) if n not in taken[1]]
        if left and right:
            if _names([a[n] for n in left]) == _names([b[n] for n in right]):
                more += zip(left, right, strict=True)
            else:
                pairs = _matched([key(a[n]) for n in left], [key(b[n]) for n in right])
                more += [(left[x], right[y]) for x, y in pairs]
        more.append(end)
        i, j = end[0] + 1, end[1] + 1
    return more[:-1]


def _moved(a: Sequence[Layer], b: Sequence[Layer], found: list[Match]) -> list[Match]:
    """Match runs of equal layers at other places; each begins with a layer that has weights."""
    known = {i for i, _ in found}, {j for _, j in found}
    waiting: dict[Any, list[int]] = {}
    for i in reversed(range(len(a))):
        if i not in known[0]:
            waiting.setdefault(_identity(a[i]), []).append(i)
    moved: dict[int, int] = {}
    used: set[int] = set()
    for j in (j for j in range(len(b)) if j not in known[1]):
        follower = moved.get(j - 1, -2) + 1
        places = waiting.get(_identity(b[j]), [])
        while places and places[-1] in used:
            places.pop()
        if (
            0 < follower < len(a)
            and follower not in known[0]
            and follower not in used
            and _identity(a[follower]) == _identity(b[j])
        ):
            moved[j] = follower
        elif places and b[j].node.operator.weight_layer:
            moved[j] = places.pop()
        if j in moved:
            used.add(moved[j])
    return [(i, j) for j, i in moved.items()]


def _rows(
    a: Sequence[Layer], b: Sequence[Layer], found: list[Match], moved: list[Match]
) -> list[DifferenceRow]:
    """Return the rows in the order of the second network; layers that are gone keep their places."""
    partner = {j: i for i, j in moved}
    left = {i for i, _ in moved}
    rows: list[DifferenceRow] = []
    i = j = 0
    for x, y in [*found, (len(a), len(b))]:
        rows += [_row("gone", a[n], None) for n in range(i, x) if n not in left]
        for n in range(j, y):
            rows.append(_row("moved", a[partner[n]], b[n]) if n in partner else _row("new", None, b[n]))
        if x < len(a) and y < len(b):
            rows.append(_row("same" if _identity(a[x]) == _identity(b[y]) else "changed", a[x], b[y]))
        i, j = x + 1, y + 1
    return rows


def _row(status: Status, a: Layer | None, b: Layer | None) -> DifferenceRow:
    return DifferenceRow(
        status,
        a.path if a else None,
        b.path if b else None,
        _text(a.node.operator) if a else None,
        _text(b.node.operator) if b else None,
        a.node.shape if a else None,
        b.node.shape if b else None,
        a.costs.parameters if a else 0,
        b.costs.parameters if b else 0,
        a.costs.multiplies if a else 0,
        b.costs.multiplies if b else 0,
    )
