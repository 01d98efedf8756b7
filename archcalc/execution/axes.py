"""Three axes for every loop nest: a map is a volume of one frame, a sequence stands upright in one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from archcalc.execution.model import Array

Triple = tuple[int, int, int]


def lifted(sizes: Sequence[Any], fill: int) -> Triple:
    """Return sizes along one to three axes as along three; missing ones are `fill`."""
    plain = [int(size) for size in sizes]
    if len(plain) == 1:
        return fill, plain[0], fill
    frames, height, width = [fill] * (3 - len(plain)) + plain
    return frames, height, width


def volumes(x: Array) -> Array:
    """Return images × positions × channels as images × frames × height × width × channels."""
    return x.reshape(volume_shape(x.shape))


def volume_shape(shape: Sequence[int]) -> tuple[int, ...]:
    """Return the shape of the result of `volumes`."""
    return (shape[0], *lifted(shape[1:-1], 1), shape[-1])
