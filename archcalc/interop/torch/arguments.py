"""The arguments of a node as torch's schema writes them: a union by one key, `{"as_int": 3}`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from archcalc.tuples import NamedTuple

Resolve = Callable[[str], Any]  # the value of a symbolic integer by its name


class Arguments(NamedTuple):
    """What a node is given: tensors by the argument's name, plain values, and graphs inside it."""

    tensors: dict[str, list[str | None]]
    values: dict[str, Any]
    graphs: list[Mapping[str, Any]]


def arguments(inputs: list[Any], resolve: Resolve) -> Arguments:
    """Sort the inputs of a node. Raises the errors of dict and list where it violates the schema."""
    found = Arguments({}, {}, [])
    for position, given in enumerate(inputs):
        name = given["name"] or str(position)
        ((kind, value),) = given["arg"].items()
        if kind == "as_tensor":
            found.tensors[name] = [value["name"]]
        elif kind == "as_tensors":
            found.tensors[name] = [each["name"] for each in value]
        elif kind == "as_optional_tensors":
            found.tensors[name] = [_optional(each) for each in value]
        elif kind == "as_optional_tensor":
            found.tensors[name] = [_optional(value)]
        elif kind == "as_nested_tensors":
            found.tensors[name] = [each["name"] for row in value for each in row]
        elif kind == "as_graph":
            found.graphs.append(value)
        else:
            found.values[name] = plain(kind, value, resolve)
    return found


def _optional(argument: Mapping[str, Any]) -> str | None:
    tensor = argument.get("as_tensor")
    return None if tensor is None else str(tensor["name"])


def plain(kind: str, value: Any, resolve: Resolve) -> Any:
    """Return a plain value: lists as tuples, symbols resolved, None where there is none."""
    if kind == "as_none":
        return None
    if kind in ("as_sym_int", "as_sym_float", "as_sym_bool"):
        return _symbolic(value, resolve)
    if kind in ("as_sym_ints", "as_sym_floats", "as_sym_bools"):
        return tuple(_symbolic(each, resolve) for each in value)
    return tuple(value) if isinstance(value, list) else value


def _symbolic(value: Mapping[str, Any], resolve: Resolve) -> Any:
    ((kind, given),) = value.items()
    return resolve(given) if kind == "as_name" else given


def outputs(listed: list[Any]) -> list[str]:
    """Return the tensors that a node makes, and a list's one by one."""
    names: list[str] = []
    for output in listed:
        ((kind, value),) = output.items()
        if kind == "as_tensor":
            names.append(value["name"])
        elif kind == "as_tensors":
            names += [each["name"] for each in value]
        elif kind in ("as_optional_tensor", "as_optional_tensors"):
            several = value if isinstance(value, list) else [value]
            names += [name for each in several if (name := _optional(each)) is not None]
    return names
