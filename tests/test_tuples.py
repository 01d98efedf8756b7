"""Named tuples are those of `typing`."""

from __future__ import annotations

import copy
import pickle
import typing
from typing import Any

import pytest

from archcalc.tuples import NamedTuple


class Ours(NamedTuple):
    """A place."""

    x: int
    y: int = 2
    unknown: Nowhere | None = None  # type: ignore[name-defined]  # noqa: F821

    @property
    def total(self) -> int:
        return self.x + self.y

    @classmethod
    def of(cls, text: str) -> Ours:
        return cls(*map(int, text.split()))


class Theirs(typing.NamedTuple):
    """A place."""

    x: int
    y: int = 2
    unknown: str | None = None

    @property
    def total(self) -> int:
        return self.x + self.y

    @classmethod
    def of(cls, text: str) -> Theirs:
        return cls(*map(int, text.split()))


@pytest.mark.parametrize("cls", [Ours, Theirs])
def test_alike(cls: Any) -> None:
    one = cls(1)
    assert one == (1, 2, None) == cls.of("1 2") == cls(x=1, y=2)
    assert (one.x, one.total, cls(1, y=5).total) == (1, 3, 6)
    assert one._replace(y=4) == (1, 4, None)
    assert one._asdict() == {"x": 1, "y": 2, "unknown": None}
    assert repr(one) == f"{cls.__name__}(x=1, y=2, unknown=None)"
    assert pickle.loads(pickle.dumps(one)) == copy.deepcopy(one) == one
    assert type(copy.copy(one)) is cls
    assert (cls.__doc__, cls.__module__, cls.__qualname__) == ("A place.", __name__, cls.__name__)
    assert (cls._fields, cls._field_defaults) == (("x", "y", "unknown"), {"y": 2, "unknown": None})
    assert list(cls.__annotations__) == ["x", "y", "unknown"]
    match one:
        case cls(x, y):
            assert (x, y) == (1, 2)
    with pytest.raises(AttributeError):
        one.x = 3
    with pytest.raises(AttributeError):
        one.z = 3
    with pytest.raises(TypeError, match="missing 1 required positional argument: 'x'"):
        cls()
