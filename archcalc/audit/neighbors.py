"""Find the networks that a number may really belong to: near variants, settings and sizes."""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import lru_cache
from itertools import count, islice

from archcalc.audit.neighbor import Change, Neighbor
from archcalc.audit.rewrites import REWRITES
from archcalc.errors import ArchError
from archcalc.operators.shape import Shape
from archcalc.spec.bundle import families
from archcalc.spec.catalog import Entry, entries
from archcalc.spec.expressions import Value
from archcalc.spec.settings import settle, show_value
from archcalc.spec.source import read_file

USUAL_SIZES = (224, 227, 256, 299)
OTHER_SIZES = (28, 32, 64, 112, 128, 160, 192, 240, 288, 320, 331, 384, 512)  # two steps away
USUAL_CLASSES = (1000, 1001, 10, 100)
MOST_NODES = 40_000  # of all networks that a search tries, except the first
MOST_NEIGHBORS = 600


def neighbors(network: Neighbor) -> Iterator[Neighbor]:
    """Yield networks by the number of their changes, from none; each once, only those that fit.

    One change: a variant of the same name, a variable, the input's size, how pools round, batch norm
    folded. Two: two such changes, or another network of the family.
    """
    seen: set[object] = set()
    left = MOST_NODES
    for neighbor in islice(_candidates(network), MOST_NEIGHBORS):
        if left <= 0:
            break
        key = _key(neighbor)
        if key in seen:
            continue
        seen.add(key)
        try:
            nodes = len(neighbor.analysis.layers)
        except ArchError:
            if neighbor is network:
                raise
            continue
        if neighbor.changes:
            left -= nodes
        yield neighbor


class Remembered:
    """Neighbors that are made once, when they are first asked for."""

    def __init__(self, more: Iterator[Neighbor]) -> None:
        self._more, self._known = more, list[Neighbor]()

    def __iter__(self) -> Iterator[Neighbor]:
        for index in count():
            if index == len(self._known):
                following = next(self._more, None)
                if following is None:
                    return
                self._known.append(following)
            yield self._known[index]


@lru_cache(maxsize=2)  # many numbers are asked about one network; all would fill the memory
def remembered(network: Neighbor) -> Remembered:
    """Return the neighbors of a network, cached for consecutive searches."""
    return Remembered(neighbors(network))


def _key(neighbor: Neighbor) -> object:
    """Return a key of the network: neighbors with the same key are the same."""
    spec = neighbor.entry.spec
    input = neighbor.input or spec.inputs_of(neighbor.entry.variant)
    return spec.source.name, repr(sorted(neighbor.values.items())), tuple(input), neighbor.rewrite


def _candidates(network: Neighbor) -> Iterator[Neighbor]:
    yield network
    siblings, settings = list(_siblings(network)), list(_settings(network))
    yield from (*siblings, *settings, *_classes(network), *_rewritten(network), *_sizes(network))
    yield from _family(network)
    yield from _sizes(network, OTHER_SIZES, steps=2)
    for neighbor in (*siblings, *settings):
        yield from (*_settings(neighbor), *_rewritten(neighbor), *_sizes(neighbor))


def _siblings(network: Neighbor) -> Iterator[Neighbor]:
    """Yield variants that share the name: resnet50_paper and resnet50_v2 for resnet50."""
    for entry in _others(network):
        if _shares_name(entry.name, network):
            change = Change(entry.name, f"{entry.name}: {_differences(network, entry)}", 10)
            yield network.changed(change, entry=entry)


def _family(network: Neighbor) -> Iterator[Neighbor]:
    """Yield the other variants of the file, and of files with a similar name."""
    for entry in _others(network):
        if not _shares_name(entry.name, network):
            says = f"{entry.name}, another network of the family"
            yield network.changed(Change(entry.name, says, 22, steps=2), entry=entry)


def _others(network: Neighbor) -> Iterator[Entry]:
    """Yield entries of the same file, then of neighboring files, if they know the given variables."""
    own = network.entry
    found = [own._replace(name=name, variant=name) for name in own.spec.variants]
    for path in families() if _bundled(own) else ():
        stem = os.path.basename(path)
        if stem != own.spec.source.name and _first_word(stem) == _first_word(own.spec.source.name):
            found += entries(read_file(path)._replace(name=stem))
    for entry in found:
        if entry.name != own.name and set(network.given) <= set(entry.spec.variables):
            yield entry


def _first_word(file: str) -> str:
    return file.removesuffix(".toml").split("_")[0]


def _bundled(entry: Entry) -> bool:
    return any(os.path.basename(path) == entry.spec.source.name for path in families())


def _shares_name(name: str, network: Neighbor) -> bool:
    """Return whether a name begins with the first name of the file that begins the network's."""
    own = network.entry.name
    root = min(
        (v for v in network.entry.spec.variants if f"{own}_".startswith(f"{v}_")), key=len, default=own
    )
    return f"{name}_".startswith(f"{root}_")


def kept_biases(network: Neighbor) -> bool:
    """Return whether Keras has the network, with biases of convs next to batch norm."""
    return any(
        name.endswith("_keras") and variant.values.get("bias") is True and _shares_name(name, network)
        for name, variant in network.entry.spec.variants.items()
    )


def _differences(network: Neighbor, entry: Entry) -> str:
    """Describe the differences: 'stride=1x1 (not 3x3)'."""
    other = settle(entry.spec, entry.variant, network.given)
    own = network.values
    if other.keys() != own.keys():
        return f"a network of {entry.spec.source.name}"
    parts = [f"{n}={show_value(v)} (not {show_value(own[n])})" for n, v in other.items() if v != own[n]]
    sizes = [e.spec.inputs_of(e.variant) for e in (entry, network.entry)]
    if network.input is None and sizes[0] != sizes[1]:
        parts.append(f"input {'×'.join(map(str, sizes[0]))}")
    return ", ".join(parts)


def _settings(network: Neighbor) -> Iterator[Neighbor]:
    """Yield each switch and choice set otherwise, and numbers as in variants of the same name."""
    spec = network.entry.spec
    siblings = [variant for name, variant in spec.variants.items() if _shares_name(name, network)]
    for name, variable in spec.variables.items():
        values = [variable.default, *variable.choices, *(s.values.get(name) for s in siblings)]
        if isinstance(variable.default, bool):
            values += [False, True]
        for value in values:
            if value is not None and not any(c.name.startswith(f"{name}=") for c in network.changes):
                yield from _set(network, name, value)


def _classes(network: Neighbor) -> Iterator[Neighbor]:
    """Yield other usual numbers of classes: TF-Slim's ImageNet has 1,001."""
    if network.values.get("classes") in USUAL_CLASSES:
        for number in USUAL_CLASSES:
            yield from _set(network, "classes", number)


def _set(network: Neighbor, name: str, value: Value) -> Iterator[Neighbor]:
    if value != network.values[name]:
        shown = show_value(value)
        says = f"{name}={shown} (not {show_value(network.values[name])})"
        change = Change(f"{name}={shown}", says, 15)
        yield network.changed(change, given={**network.given, name: value})


def _rewritten(network: Neighbor) -> Iterator[Neighbor]:
    """Yield all pools rounded the other way, and batch norm folded, where that changes the network."""
    try:
        graph = network.analysis.graph
    except ArchError:
        return
    for name, rewrite in REWRITES.items():
        if rewrite.makes_another(graph):
            yield network.changed(Change(name, rewrite.says, rewrite.weight), rewrite=name)


def _sizes(
    network: Neighbor, sizes: tuple[int, ...] = USUAL_SIZES, steps: int = 1
) -> Iterator[Neighbor]:
    """Yield other square inputs."""
    own = network.input or network.entry.spec.inputs_of(network.entry.variant)
    height, width, channels = own if len(own) == 3 else (0, 1, 0)
    if height == width and isinstance(channels, int):
        for size in sizes:
            if size != height:
                says = f"an input of {size}×{size} (not {height}×{width})"
                change = Change(f"input={size}", says, 14 * steps, steps)
                yield network.changed(change, input=Shape(size, size, channels))
