"""Read the settings of a layer: every number is checked before it is used."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from archcalc.errors import shown

LARGEST = 1 << 40  # of a size
MOST_AXES = 8


class LayerError(Exception):
    """A fact about a layer that cannot be counted; the reader adds the place."""

    def __init__(self, fact: str, help: str = "") -> None:
        super().__init__(fact)
        self.help = help


class UnknownLayerError(LayerError):
    """No rule knows the layer."""


class Settings:
    """The `config` of a layer."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        self.config = config

    def get(self, key: str, default: Any = None) -> Any:
        """Return a setting, the default where the file has none or null."""
        value = self.config.get(key)
        return default if value is None else value

    def flag(self, key: str, default: bool) -> bool:
        """Return a setting that is true or false."""
        return bool(self.get(key, default))

    def size(self, key: str, default: int | None = None) -> int:
        """Return a positive integer."""
        return size(self.get(key, default), key)

    def sizes(self, key: str, axes: int, default: int | None = None) -> tuple[int, ...]:
        """Return a positive integer for each axis; one stands for all."""
        value = self.get(key, default)
        values = value if isinstance(value, list) else [value] * axes
        if len(values) != axes:
            raise LayerError(f"{key} has {len(values)} numbers for {axes} axes")
        return tuple(size(v, key) for v in values)

    def pairs(self, key: str, axes: int) -> list[tuple[int, int]]:
        """Return what is added or cut before and behind each axis."""
        value = self.get(key, 1)
        values = value if isinstance(value, list) else [value] * axes
        if axes == 1 and isinstance(value, list) and len(value) == 2:
            values = [value]
        if len(values) != axes:
            raise LayerError(f"{key} has {len(values)} entries for {axes} axes")
        found = [tuple(v) if isinstance(v, list) else (v, v) for v in values]
        if any(len(p) != 2 or not all(_counts(n) for n in p) for p in found):
            raise LayerError(f"{key} must be integers from 0, not {shown(value)}")
        return [(p[0], p[1]) for p in found]

    @property
    def channels_first(self) -> bool:
        """Whether the layer's images lie channels first."""
        return bool(self.get("data_format") == "channels_first")


def _counts(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= LARGEST


def size(value: Any, key: str) -> int:
    """Return a positive integer of a file.

    Raises:
        LayerError: it is none, or larger than any model's.
    """
    if value is None:
        raise LayerError(f"{key} is not given")
    if isinstance(value, float) and value == int(value):  # as some writers of JSON have it
        value = int(value)
    if not _counts(value) or not value:
        raise LayerError(f"{key} must be a positive integer, not {shown(value)}")
    return int(value)


def axis_of(value: Any, rank: int) -> int:
    """Return an axis counted from 0, also of a list of one.

    Raises:
        LayerError: there is no such axis.
    """
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if isinstance(value, bool) or not isinstance(value, int) or not -rank <= value < rank:
        raise LayerError(f"axis {shown(value)} is none of {rank} axes")
    return value % rank
