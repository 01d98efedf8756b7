"""NamedTuple as of `typing`, at half the price: a command's start makes a hundred of them.

That of `typing` compiles the annotation of each field to see whether it could be a type, which mypy
does better. All else is the same: both hand over to `collections.namedtuple`.
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

_namedtuple: Callable[..., Any] = namedtuple  # mypy knows it with words written out alone


class _Maker(type):
    """Makes named tuples of the classes that are derived from its one instance."""

    def __new__(cls, name: str, bases: tuple[type, ...], body: dict[str, Any]) -> Any:
        fields = body.get("__annotations__", {})
        defaults = [body[field] for field in fields if field in body]
        made = _namedtuple(name, fields, defaults=defaults, module=body["__module__"])
        for key, value in body.items():
            if key not in fields and key != "__module__":
                setattr(made, key, value)
        return made


if TYPE_CHECKING:
    from typing import NamedTuple as NamedTuple
else:
    NamedTuple = type.__new__(_Maker, "NamedTuple", (), {})
