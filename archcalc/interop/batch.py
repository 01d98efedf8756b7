"""Make counts per image: follow the batch of a file through every operation and set it to 1."""

from __future__ import annotations

from math import prod

from archcalc.interop.carrying import carry
from archcalc.interop.prune import Pruned
from archcalc.interop.trace import Operation, Shape, Trace
from archcalc.interop.ways import Carried, MixedImagesError, Way, plain


def per_image(trace: Trace, pruned: Pruned) -> Trace:
    """Return the trace with the shapes of a batch of one.

    The first axis of every input is the batch if all inputs agree in it, no operation with work mixes
    its entries, and every output still has it (or is one number, a loss). Otherwise the shapes stay, and
    a note says that counts are those of the file.
    """
    images = {trace.tensors[name].shape[0] for name in trace.inputs if trace.tensors[name].shape}
    if images <= {1}:
        return trace
    if len(images) > 1 or 0 in images:
        sizes = ", ".join(map(str, sorted(images)))
        return _as_it_is(trace, f"its inputs begin with axes of {sizes}")
    (count,) = images
    ways: dict[str, Way] = {}
    for name in trace.inputs:
        shape = trace.tensors[name].shape
        if shape:
            ways[name] = (((count, True),), *map(plain, shape[1:]))
    read = {name for operation in pruned.live for name in operation.inputs if name}
    read.update(trace.outputs)
    for operation in pruned.live:
        try:
            _follow(trace, operation, ways, read)
        except MixedImagesError:
            return _as_it_is(trace, f"{operation.place} joins or parts what lies along it")
    for name in trace.outputs:
        if name not in ways and prod(trace.tensors[name].shape) != 1 and name not in pruned.behind:
            return _as_it_is(trace, f"output {name} has none")
    return _of_one(trace, ways, count)


def _follow(trace: Trace, operation: Operation, ways: dict[str, Way], read: set[str]) -> None:
    found = tuple(ways.get(name or "") for name in operation.inputs)
    if not any(found):
        return
    shapes = tuple(None if name is None else trace.tensors[name].shape for name in operation.inputs)
    outputs = tuple(trace.tensors[name].shape for name in operation.outputs)
    carried = Carried(shapes, outputs, found, operation.attributes)
    ways.update(carry(operation, carried, read))


def _as_it_is(trace: Trace, why: str) -> Trace:
    note = f"counts are those of the whole input, not of one image: no axis is the batch, as {why}"
    return trace._replace(notes=(*trace.notes, note))


def _of_one(trace: Trace, ways: dict[str, Way], count: int) -> Trace:
    tensors = dict(trace.tensors)
    for name, way in ways.items():
        tensors[name] = tensors[name]._replace(shape=_shape(way))
    note = f"exported for a batch of {count}: counts are those of one image"
    return trace._replace(tensors=tensors, notes=(*trace.notes, note))


def _shape(way: Way) -> Shape:
    return tuple(prod(size for size, batch in axis if not batch) for axis in way)
