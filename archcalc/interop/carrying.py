"""Carry the axis of images from the inputs of each word to its outputs."""

from __future__ import annotations

from collections.abc import Callable, Container
from math import prod

from archcalc.interop.trace import Operation, Shape
from archcalc.interop.vocabulary import MAKING
from archcalc.interop.ways import (
    Axis,
    Carried,
    MixedImagesError,
    Way,
    from_left,
    from_right,
    has_batch,
    placed,
    plain,
    size_of,
    view,
)


def conv(op: Carried, shape: Shape) -> Way | None:
    """Keep the first axis; images that lie in the channels stay there, group by group."""
    way, weight = op.way(0), op.inputs[1] or ()
    if way is None or op.rank(0) < len(weight):
        raise MixedImagesError
    if not has_batch(way[1]):
        return placed(shape, {at: [axis] for at, axis in enumerate(way)})
    (count, batch), groups = way[1][0], op.attributes.get("groups", 1)
    if not batch or groups % count or shape[1] % count:
        raise MixedImagesError
    return (plain(shape[0]), ((count, True), (shape[1] // count, False)), *map(plain, shape[2:]))


def permute(op: Carried, shape: Shape) -> Way | None:
    """Permute the axes."""
    way = op.way(0) or ()
    return tuple(way[dim] for dim in op.attributes["dims"])


def without(op: Carried, shape: Shape) -> Way | None:
    """Remove the axis on which one entry is chosen."""
    way = op.way(0) or ()
    dims = op.dims(len(way)) or {0}
    if any(has_batch(way[dim]) for dim in dims):
        raise MixedImagesError
    return tuple(axis for at, axis in enumerate(way) if at not in dims)


def cat(op: Carried, shape: Shape) -> Way | None:
    """Join along another axis, or the images of several inputs one after the other: (inputs, images)."""
    at = int(op.attributes.get("dim") or 0) % max(len(shape), 1)
    carrying = {way[at] for way in op.ways if way is not None and has_batch(way[at])}
    if not carrying:
        return from_right(op, shape)
    axis = carrying.pop()
    if carrying or any(way is None for way in op.ways) or size_of(axis) * len(op.ways) != shape[at]:
        raise MixedImagesError
    way = [plain(size) for size in shape]
    way[at] = ((len(op.ways), False), *axis)
    return tuple(way)


def split(op: Carried, shape: Shape) -> Way | None:
    """Split along another axis, or take the images of some inputs out of such a row again."""
    at = int(op.attributes.get("dim") or 0) % max(len(shape), 1)
    axis = (op.way(0) or ())[at]
    if not has_batch(axis):
        return from_right(op, shape)
    (_, batch), images = axis[0], size_of(axis[1:])
    if batch or shape[at] % images:
        raise MixedImagesError
    times = ((shape[at] // images, False),) if shape[at] != images else ()
    return tuple((*times, *axis[1:]) if i == at else a for i, a in enumerate(op.way(0) or ()))


def stack(op: Carried, shape: Shape) -> Way | None:
    """Add a new axis that holds the inputs."""
    at = int(op.attributes.get("dim", 0)) % len(shape)
    axes: dict[int, list[Axis]] = {}
    for way in op.ways:
        for old, axis in enumerate(way or ()):
            axes.setdefault(old + (old >= at), []).append(axis)
    return placed(shape, axes)


def reduce(op: Carried, shape: Shape) -> Way | None:
    """Remove axes, or make them 1; without any axis left the output is one number, without a batch."""
    way = op.way(0) or ()
    dims = op.dims(len(way))
    if not shape or (dims is None and prod(shape) == 1):
        return None
    if dims is None or any(has_batch(way[dim]) for dim in dims):
        raise MixedImagesError
    if len(shape) == len(way):
        return tuple(plain(1) if at in dims else axis for at, axis in enumerate(way))
    return tuple(axis for at, axis in enumerate(way) if at not in dims)


def matmul(op: Carried, shape: Shape, first: int = 0) -> Way | None:
    """Keep rows of the first and columns of the second input; the summed axis holds no batch."""
    a, b = op.way(first), op.way(first + 1)
    ranks = op.rank(first), op.rank(first + 1)
    if min(ranks) < 2:
        return from_left(op, shape) if b is None else _refuse()
    axes: dict[int, list[Axis]] = {}
    for way, kept, other in ((a, -2, -1), (b, -1, -2)):
        if way is None:
            continue
        if has_batch(way[other]):
            raise MixedImagesError
        axes.setdefault(len(shape) + kept, []).append(way[kept])
        for at, axis in enumerate(way[:-2]):
            axes.setdefault(at - len(way) + len(shape), []).append(axis)
    return placed(shape, axes)


def _refuse() -> Way | None:
    raise MixedImagesError


def addmm(op: Carried, shape: Shape) -> Way | None:
    """Carry a matmul of the last two axes."""
    return matmul(op, shape, first=1)


def attention(op: Carried, shape: Shape) -> Way | None:
    """Keep the images, which lie before the last two axes in queries, keys and values alike."""
    axes: dict[int, list[Axis]] = {}
    for position, way in enumerate(op.ways[:3]):
        if way is None:
            continue
        if has_batch(way[-1]) or has_batch(way[-2]):
            raise MixedImagesError
        for at, axis in enumerate(way[:-2]):
            axes.setdefault(at - len(way) + len(shape), []).append(axis)
            if position and size_of(axis) != shape[at - len(way) + len(shape)]:
                raise MixedImagesError
    return placed(shape, axes)


def scatter(op: Carried, shape: Shape) -> Way | None:
    """Keep the axes of the tensor written into; a constant gets the images where the other has them."""
    if op.way(0) is not None:
        return placed(shape, {at: [axis] for at, axis in enumerate(op.way(0) or ())})
    axes: dict[int, list[Axis]] = {}
    for way in op.ways[1:]:
        for at, axis in enumerate(way or ()):
            axes.setdefault(at, []).append(axis)
    return placed(shape, axes)


def embedding(op: Carried, shape: Shape) -> Way | None:
    """Carry a row of the table for each number."""
    way = op.way(1)
    if op.way(0) is not None or way is None:
        raise MixedImagesError
    return (*way, *map(plain, shape[len(way) :]))


def index(op: Carried, shape: Shape) -> Way | None:
    """Place the axes of neighboring indices where the first of them is."""
    own = op.way(0)
    places = [at for at, shape in enumerate(op.inputs[1:]) if shape is not None]
    if not places or places != list(range(places[0], places[-1] + 1)):
        raise MixedImagesError
    if any(has_batch(own[at]) for at in places if own is not None):
        raise MixedImagesError
    wide = max(op.rank(at + 1) for at in places)
    axes: dict[int, list[Axis]] = {}
    for at, axis in enumerate(own or ()):
        axes.setdefault(at if at < places[0] else at - len(places) + wide, []).append(axis)
    for place in places:
        way = op.way(place + 1) or ()
        for at, axis in enumerate(way):
            axes.setdefault(places[0] + wide - len(way) + at, []).append(axis)
    return placed(shape, axes)


def repeat(op: Carried, shape: Shape) -> Way | None:
    """Repeat all images as a whole: (times, images)."""
    way = op.way(0) or ()
    fresh = len(shape) - len(way)
    wider = [
        axis if size_of(axis) == size else ((size // max(size_of(axis), 1), False), *axis)
        for axis, size in zip(way, shape[fresh:], strict=True)
    ]
    return (*map(plain, shape[:fresh]), *wider)


def repeat_each(op: Carried, shape: Shape) -> Way | None:
    """Repeat each image several times: (images, times)."""
    way = op.way(0) or ()
    if len(way) != len(shape):
        raise MixedImagesError
    return tuple(
        axis if size_of(axis) == size else (*axis, (size // max(size_of(axis), 1), False))
        for axis, size in zip(way, shape, strict=True)
    )


def recurrent(op: Carried, shape: Shape) -> Way | None:
    """Carry x and the first output [steps, images, …] or the reverse, and states [layers, images, …]."""
    way = op.way(0)
    at = 0 if op.attributes.get("batch_first") else 1
    if way is not None and len(way) == 2 == len(shape):  # one step of a cell
        return placed(shape, {0: [way[0]]}) if at == 0 else _refuse()
    if way is None or len(way) != 3 or not has_batch(way[at]):
        raise MixedImagesError
    return placed(shape, {(at if shape == op.outputs[0] else 1): [way[at]]})


def einsum(op: Carried, shape: Shape) -> Way | None:
    """Keep the letter of the batch, which must be in the result."""
    left, arrow, result = str(op.attributes.get("equation", "")).replace(" ", "").partition("->")
    if not arrow or "." in left:
        raise MixedImagesError
    axes: dict[int, list[Axis]] = {}
    for term, way in zip(left.split(","), op.ways, strict=True):
        for letter, axis in zip(term, way or (), strict=False):
            if has_batch(axis):
                axes.setdefault(result.find(letter), []).append(axis)
    return placed(shape, axes)


Carry = Callable[[Carried, Shape], Way | None]
_TABLE: tuple[tuple[Carry, str], ...] = (
    (conv, "conv conv_transpose deform_conv"),
    (from_left, "linear bilinear max_pool avg_pool lp_pool adaptive_avg_pool adaptive_max_pool one_hot"),
    (from_left, "upsample_nearest upsample_linear upsample_cubic grid_sample unfold fold max_unpool"),
    (from_left, "pixel_shuffle pixel_unshuffle channel_shuffle batch_norm layer_norm group_norm"),
    (from_left, "instance_norm rms_norm local_response_norm quantize dequantize fake_quantize"),
    (view, "view"),
    (permute, "permute"),
    (without, "select unbind"),
    (cat, "cat"),
    (split, "split"),
    (stack, "stack"),
    (reduce, "sum mean prod amax amin argmax any var std var_mean norm logsumexp"),
    (matmul, "matmul"),
    (addmm, "addmm"),
    (attention, "attention"),
    (embedding, "embedding"),
    (index, "index"),
    (scatter, "scatter index_put"),
    (repeat, "repeat"),
    (repeat_each, "repeat_interleave"),
    (recurrent, "lstm gru rnn_tanh rnn_relu"),
    (einsum, "einsum"),
    (lambda op, shape: _refuse(), "opaque nonzero cdist scatter_add embedding_bag"),
)
_CARRY: dict[str, Carry] = {word: carry for carry, words in _TABLE for word in words.split()}
_MAKING = frozenset(MAKING)


def carry(operation: Operation, carried: Carried, wanted: Container[str]) -> dict[str, Way]:
    """Return the ways of the wanted outputs; words without a rule align their axes from the right.

    Raises:
        MixedImagesError: the operation mixes images, or cannot be followed.
    """
    if operation.word in _MAKING:
        return {}
    rule = _CARRY.get(operation.word, from_right)
    try:
        made = [
            (name, rule(carried, shape))
            for name, shape in zip(operation.outputs, carried.outputs, strict=True)
            if name in wanted
        ]
    except (IndexError, KeyError, TypeError, ValueError, ZeroDivisionError) as error:
        raise MixedImagesError from error
    return {name: way for name, way in made if way is not None}
