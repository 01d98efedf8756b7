"""Model files with something changed: graphs of torch.export as trees and as bytes, ONNX as bytes."""

from __future__ import annotations

import copy
import json
import random
import zipfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from support.campaign import mutate

DATA = Path(__file__).parents[1] / "data"
HUGE = (1 << 63) - 1
MEMBER = "m/models/m.json"
LARGE = ("resnet18", "torch_2_6")  # the first is 20 times the size of the others
STRANGE = (None, True, -1, 0, HUGE, 1.5, "", "x", [], {}, [[]], {"as_int": -3}, "s0", 10**30)


@cache
def _texts() -> tuple[str, ...]:
    """Return the graphs of all small `.pt2` files."""
    found = []
    for path in sorted((DATA / "pt2").glob("*.pt2")):
        if path.stem not in LARGE:
            with zipfile.ZipFile(path) as file:
                found.append(file.read(f"{path.stem}/models/model.json").decode())
    return tuple(found)


@cache
def _onnx() -> tuple[bytes, ...]:
    return tuple(path.read_bytes() for path in sorted((DATA / "onnx").glob("*.onnx")))


@cache
def _keras() -> tuple[str, ...]:
    return tuple(path.read_text() for path in sorted((DATA / "keras").glob("*_[23].json")))


def graph(chance: random.Random, texts: tuple[str, ...]) -> str:
    """Change the text of a graph: values gone, swapped, replaced; some cut, or bytes changed."""
    tree = json.loads(chance.choice(texts))
    for _ in range(chance.choice((1, 1, 1, 2, 5))):
        places = list(_places(tree))
        holder, key = chance.choice(places)
        other, there = chance.choice(places)
        try:
            chosen = chance.choice(STRANGE) if chance.random() < 0.6 else other[there]
            holder[key] = copy.deepcopy(chosen)
        except (KeyError, IndexError):
            continue
    text = json.dumps(tree)
    if chance.random() < 0.1:
        at = chance.randrange(len(text))
        text = text[:at] + chance.choice(("", "x", '"', "}")) + text[at + 1 :]
    return text


def _places(tree: Any) -> Iterator[tuple[Any, Any]]:
    for key in tree if isinstance(tree, dict) else range(len(tree)) if isinstance(tree, list) else ():
        yield tree, key
        yield from _places(tree[key])


def pt2(chance: random.Random, path: Path) -> None:
    """Make a `.pt2` file: nine of ten with a changed graph, the others with changed bytes of the zip."""
    zipped = chance.random() < 0.1
    method = zipfile.ZIP_STORED if zipped else zipfile.ZIP_DEFLATED
    with zipfile.ZipFile(path, "w", method) as file:
        file.writestr(MEMBER, chance.choice(_texts()) if zipped else graph(chance, _texts()))
    if zipped:
        path.write_bytes(mutate(path.read_bytes(), chance))


def keras(chance: random.Random, path: Path) -> None:
    """Make a Keras model: a zip with a changed config, or the changed JSON itself."""
    text = graph(chance, _keras())
    if chance.random() < 0.5:
        path.write_text(text)
        return
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("metadata.json", '{"keras_version": "3.0"}')
        file.writestr("config.json", text)


def onnx(chance: random.Random, path: Path) -> None:
    """Make an ONNX file with bytes changed, gone, doubled; with numbers of up to ten bytes put in."""
    data = bytearray(chance.choice(_onnx()))
    for _ in range(chance.choice((1, 1, 1, 1, 2, 5, 20))):
        at = chance.randrange(len(data))
        match chance.randrange(5):
            case 0 | 1:
                data[at] = chance.randrange(256)
            case 2:
                data[at : at + 1] = b"\xff" * chance.randrange(1, 10) + bytes([chance.randrange(128)])
            case 3:
                del data[at : at + chance.randrange(1, 50)]
            case 4:
                other = chance.randrange(len(data))
                data[at:at] = data[other : other + chance.randrange(1, 80)]
        data = data or bytearray(b"\0")
    path.write_bytes(data)
