"""Read weights and inputs from the signature of the graph, and find which weights are one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from archcalc.interop.trace import Kind, Operation, StoredWeight, Tensor
from archcalc.tuples import NamedTuple

_KINDS: dict[str, tuple[Kind, str]] = {
    "parameter": ("parameter", "parameter_name"),
    "buffer": ("buffer", "buffer_name"),
    "tensor_constant": ("constant", "tensor_constant_name"),
}
_RESULTS = ("user_output", "loss_output")
_MOST_READ = 1000  # weights that one module reads itself
_DEEPEST = 40  # modules around a weight


class Signature(NamedTuple):
    """The graph's inputs told apart, by their names in the graph, and its outputs."""

    weights: tuple[tuple[str, Kind, str], ...]  # name of its own, kind, tensor
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]


def signature(written: Mapping[str, Any]) -> Signature:
    """Read torch's GraphSignature; what is no tensor is passed over, as are updates of buffers."""
    weights: list[tuple[str, Kind, str]] = []
    inputs: list[str] = []
    for spec in written["input_specs"]:
        ((kind, value),) = spec.items()
        if kind in _KINDS:
            own, name = _KINDS[kind]
            weights.append((str(value[name]), own, value["arg"]["name"]))
        elif kind == "user_input" and "as_tensor" in value["arg"]:
            inputs.append(value["arg"]["as_tensor"]["name"])
    outputs = []
    for spec in written["output_specs"]:
        ((kind, value),) = spec.items()
        if kind in _RESULTS:
            argument = value["arg"]
            tensor = argument.get("as_tensor") or (argument if "name" in argument else None)
            outputs += [tensor["name"]] if tensor else []
    return Signature(tuple(weights), tuple(inputs), tuple(outputs))


def storages(config: Mapping[str, Any]) -> dict[str, str]:
    """Return the storage of each weight; tied ones have the same. Tensors on meta have none."""
    found = {}
    for name, payload in config.items():
        meta = payload.get("tensor_meta")
        if meta is None or meta["device"]["type"] == "meta":
            continue
        offset = meta["storage_offset"].get("as_int", 0)
        sizes = "x".join(str(size.get("as_int")) for size in meta["sizes"])
        found[name] = f"{payload['path_name']}+{offset}: {sizes}"
    return found


def tied(
    weights: Iterable[StoredWeight], operations: Iterable[Operation], tensors: Mapping[str, Tensor]
) -> dict[str, str]:
    """Return parameters that share storage by the graph, if the file says nothing of storage.

    Of several that are one, torch writes the last in the place of all. So one that nobody reads is
    another if an operation in its module reads that one in its place (`embed` reads `head.weight`), if
    that one lies in a module inside its own (`predictions.bias`, `predictions.decoder.bias`), or if it
    has the shape of one that is found to be shared.
    """
    parameters = [weight for weight in weights if weight.kind == "parameter"]
    by_tensor = {weight.tensor: weight for weight in parameters}
    read: dict[str, dict[str, StoredWeight]] = {}  # by module, and by name
    for operation in operations:
        found = [by_tensor[name] for name in operation.inputs if name in by_tensor]
        if found:
            read.setdefault(operation.module, {}).update((weight.name, weight) for weight in found)
    used = {name: weight for found in read.values() for name, weight in found.items()}
    around = {outer: weight for weight in used.values() for outer in _outside(weight.name)}
    unread = [weight for weight in parameters if weight.name not in used]
    shared: dict[str, StoredWeight] = {}
    for weight in unread:
        module = _module(weight.name)
        inside = read.get(module, {}).values() if len(read.get(module, {})) <= _MOST_READ else ()
        others = [other for other in inside if _module(other.name) != module]
        others += [around[weight.name]] if weight.name in around else []
        for other in others:
            if tensors[other.tensor].shape == tensors[weight.tensor].shape:
                shared.setdefault(weight.name, other)
    alike = {tensors[other.tensor].shape: other for other in shared.values()}
    for weight in unread:
        twin = alike.get(tensors[weight.tensor].shape)
        if twin is not None:
            shared.setdefault(weight.name, twin)
    return {name: weight.storage for name, weight in shared.items()}


def _module(name: str) -> str:
    return name.rpartition(".")[0]


def _outside(name: str) -> list[str]:
    """Return the names that it would have in the modules around: 'a.b.bias' → 'a.bias', 'bias'."""
    *modules, _, last = ("", *name.split("."))[-_DEEPEST:]
    found = []
    while modules:
        found.append(".".join([*modules[1:], last]))
        modules.pop()
    return found
