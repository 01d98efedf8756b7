"""Match the modules of a file to layers when the file uses names of its own.

A state_dict does not keep the order of execution: safetensors sorts it by name. Three assumptions
are made. A module has the tensors of its layer, in torch's layout. The layers of a module are
contiguous in the network. Siblings whose names differ only in the last number (`layer1`, `layer2`),
or are the first letters of the alphabet, run in that order. If exactly one way to place all modules
remains, it is the match. An .npz file keeps the order of the state_dict, where a module's own tensors
come before those of its children; this order is tried first.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import prod
from typing import TypeAlias

from archcalc.errors import Diagnostic, UsageError
from archcalc.execution.weights import Dims, Slot
from archcalc.files.containers import FileTensor, named
from archcalc.files.layouts import Storage, named_forms
from archcalc.files.modules import Module, module_tree, named_modules
from archcalc.interop.safetensors import word
from archcalc.tuples import NamedTuple
from archcalc.units import grouped

_MOST_STEPS = 1_000_000
_FEW = 4  # the most places that a message lists
Wanted: TypeAlias = Sequence[tuple[Slot, list[Storage]]]
Way: TypeAlias = dict[int, str]  # layer → module


class WantedLayer(NamedTuple):
    """A layer with weights: its number of values, and the storage forms of each of its tensors."""

    path: str
    size: int
    tensors: list[list[Storage]]


def match(
    path: str, tensors: Mapping[str, FileTensor], wanted: Wanted, mapping: Mapping[str, str]
) -> dict[str, str] | None:
    """Return the module of each layer.

    Returns None if the file's names are ours or those of `mapping`, or if nothing fits. Names in
    `mapping` are fixed.

    Raises:
        UsageError: the file fits in more than one way.
    """
    if all(_there(tensors, slot, forms, mapping) for slot, forms in wanted):
        return None
    layers, tree = _layers(wanted), module_tree(tensors)
    if tree is None or not layers:
        return None
    if tree.size != sum(layer.size for layer in layers):
        return _but_last(path, tensors, tree, layers, mapping)
    pins = _pins(tree, layers, mapping)
    for ordered in (True, False) if path.endswith(".npz") else (False,):
        search = _LayoutSearch(tensors, layers, pins or {}, ordered)
        ways = search.ways(tree, 0) if pins is not None else []
        if len(ways) > 1:
            raise UsageError(_ambiguous(path, layers, search.places(ways[0])))
        if ways and search.steps <= _MOST_STEPS:
            return {layers[number].path: prefix for number, prefix in ways[0].items()}
    return None


def _but_last(
    path: str,
    tensors: Mapping[str, FileTensor],
    tree: Module,
    layers: list[WantedLayer],
    mapping: Mapping[str, str],
) -> dict[str, str] | None:
    """Return the match of all layers if only the last one's size differs (mostly other classes)."""
    *others, last = layers
    pins, size = _pins(tree, layers, mapping), tree.size - sum(layer.size for layer in others)
    modules = [module for module in named_modules(tree) if module.size == size]
    for module in modules[-_FEW:] if pins is not None else ():
        shapes = {name[len(module.prefix) + 1 :]: tensors[name].shape for name in module.names}
        forms = [_resized(forms, shapes) for forms in last.tensors]
        found = [*others, WantedLayer(last.path, size, forms)]
        search = _LayoutSearch(tensors, found, pins or {}, path.endswith(".npz"))
        ways = search.ways(tree, 0) if all(forms) else []
        if ways and search.steps <= _MOST_STEPS:
            return {layers[number].path: prefix for number, prefix in ways[0].items()}
    return None


def _resized(forms: list[Storage], shapes: Mapping[str, Dims]) -> list[Storage]:
    """Return the forms of a tensor, with the sizes of the module's tensors of the same names."""
    return [
        form._replace(shapes=(shapes[form.names[0]],))
        for form in forms
        if form.names[0] in shapes and len(shapes[form.names[0]]) == len(form.shapes[0])
    ]


def _there(
    tensors: Mapping[str, FileTensor], slot: Slot, forms: list[Storage], mapping: Mapping[str, str]
) -> bool:
    return any(all(name in tensors for name in names) for names, _ in named_forms(slot, forms, mapping))


def _layers(wanted: Wanted) -> list[WantedLayer]:
    layers: dict[int, WantedLayer] = {}
    for slot, forms in wanted:
        path, size, known = layers.get(slot.layer, (slot.node.path, 0, []))
        theirs = [form for form in forms if form.torch is not False]
        layers[slot.layer] = WantedLayer(path, size + prod(slot.shape), [*known, theirs])
    return list(layers.values())


def _pins(
    tree: Module, layers: list[WantedLayer], mapping: Mapping[str, str]
) -> dict[str, tuple[int, int]] | None:
    """Return the layers (first, past the last) of each mapped module; None if not contiguous."""
    pins: dict[str, tuple[int, int]] = {}
    for ours, theirs in mapping.items():
        inside = [i for i, x in enumerate(layers) if x.path == ours or x.path.startswith(f"{ours}/")]
        module: Module | None = tree
        for part in theirs.split("."):
            module = module and module.children.get(part)
        if not inside or len(inside) != inside[-1] + 1 - inside[0] or module is None or theirs in pins:
            return None
        pins[theirs] = (inside[0], inside[-1] + 1)
    return pins


class _LayoutSearch:
    """The search for ways to place modules from a layer on; it stops at two, which are ambiguous."""

    def __init__(
        self,
        tensors: Mapping[str, FileTensor],
        layers: list[WantedLayer],
        pins: Mapping[str, tuple[int, int]],
        ordered: bool,
    ) -> None:
        self.tensors, self.layers, self.pins, self.ordered = tensors, layers, pins, ordered
        self.sums = [0]
        for layer in layers:
            self.sums.append(self.sums[-1] + layer.size)
        self.ends = {total: number for number, total in enumerate(self.sums)}
        self.known: dict[tuple[str, int], list[Way]] = {}
        self.splits: list[tuple[int, str, str]] = []
        self.steps = 0

    def ways(self, module: Module, start: int) -> list[Way]:
        key = (module.prefix, start)
        if key not in self.known:
            self.known[key] = self._ways(module, start)
        return self.known[key]

    def _ways(self, module: Module, start: int) -> list[Way]:
        end = self.ends.get(self.sums[start] + module.size)
        if end is None or self.pins.get(module.prefix, (start, end)) != (start, end):
            return []
        if end == start + 1 and self._fits(module, self.layers[start]):
            return [{start: module.prefix}]
        found: list[Way] = []
        for inner in self._orders(module, start):
            way = {number: name for ways in inner for number, name in ways[0].items()}
            if found:
                first = min(i for i in way if way[i] != found[0][i])
                self.splits.append((first, found[0][first], way[first]))
            found.append(way)
            found += [way | ways[1] for ways in inner if len(ways) > 1][:1]
            if len(found) > 1:
                break
        return found[:2]

    def _fits(self, module: Module, layer: WantedLayer) -> bool:
        """Return whether the module has exactly the tensors of the layer."""
        cut = len(module.prefix) + 1
        shapes = {name[cut:]: self.tensors[name].shape for name in module.names}
        used: set[str] = set()
        for forms in layer.tensors:
            fitting = (f for f in forms if tuple(shapes.get(name) for name in f.names) == f.shapes)
            form = next(fitting, None)
            if form is None:
                return False
            used.update(form.names)
        return bool(module.prefix) and used == shapes.keys()

    def _orders(self, module: Module, start: int) -> Iterator[list[list[Way]]]:
        """Yield the orders of a module's children that fit; an order is a list of each child's ways."""
        series = module.series(self.ordered)
        heads, taken = [0] * len(series), list[tuple[int, list[Way]]]()
        starts, options = [start], [iter(range(len(series)))]
        dead: set[tuple[int, ...]] = set()
        fruitful = 0  # search states that led to an order
        while options:
            number, inner = self._next(series, heads, options[-1], starts[-1])
            if inner:
                heads[number] += 1
                taken.append((number, inner))
                size = series[number][heads[number] - 1].size
                starts.append(self.ends[self.sums[starts[-1]] + size])
                if len(taken) == len(module.children):
                    yield [ways for _, ways in taken]
                    fruitful = len(taken)
                self.steps += len(series) // 100  # a look at all heads
                options.append(iter(() if tuple(heads) in dead else range(len(series))))
                continue
            if len(taken) >= fruitful:
                dead.add(tuple(heads))
            fruitful = min(fruitful, len(taken))
            options.pop()
            starts.pop()
            if taken:
                heads[taken.pop()[0]] -= 1

    def _next(
        self, series: list[list[Module]], heads: list[int], options: Iterator[int], start: int
    ) -> tuple[int, list[Way]]:
        """Return the next series whose first remaining child fits at `start`, with its ways."""
        for number in options:
            self.steps += 1
            if self.steps > _MOST_STEPS:
                break
            if heads[number] < len(series[number]):
                inner = self.ways(series[number][heads[number]], start)
                if inner:
                    return number, inner
        return 0, []

    def places(self, way: Way) -> list[tuple[int, str, str]]:
        """Return the places where a way has an alternative: (layer, its module, the other module)."""
        return sorted({split for split in self.splits if way[split[0]] == split[1]})


def _ambiguous(path: str, layers: list[WantedLayer], places: list[tuple[int, str, str]]) -> Diagnostic:
    few = [
        f"`{word(layers[number].path)}` may be `{word(one)}` or `{word(other)}`"
        for number, one, other in places[:_FEW]
    ]
    listed = ", ".join([*few, "…"] if len(places) > _FEW else few)
    count = f"{grouped(len(places))} place{'s' if len(places) != 1 else ''}"
    return Diagnostic(
        f"{named(path)} has names of its own, and fits in more than one way at {count}: {listed}",
        help="a map tells, with a line for each place: `our/path = their.prefix`; "
        "or save the state_dict as .npz, which keeps its order",
    )
