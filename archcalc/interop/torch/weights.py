"""What lies in the file and what flows in, from the signature of the graph; which weights are one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from archcalc.interop.trace import Kind, Operation, Tensor, Weight

_KINDS: dict[str, tuple[Kind, str]] = {
    "parameter": ("parameter", "parameter_name"),
    "buffer": ("buffer", "buffer_name"),
    "tensor_constant": ("constant", "tensor_constant_name"),
}
_RESULTS = ("user_output", "loss_output")


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
    """What of the archive holds each weight; the same for tied ones. Tensors on meta hold nothing."""
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
    weights: Iterable[Weight], operations: Iterable[Operation], tensors: Mapping[str, Tensor]
) -> dict[str, str]:
    """Storage of weights that the graph shows to be another one, where the file says nothing.

    Of two that are one, torch writes the second in the place of both: inside module `embed` an operation
    reads `head.weight`, of the shape of `embed.weight`, which nobody reads.
    """
    by_tensor = {weight.tensor: weight for weight in weights}
    read: dict[str, list[Weight]] = {}
    used = set()
    for operation in operations:
        for name in operation.inputs:
            weight = by_tensor.get(name or "")
            if weight is not None:
                used.add(weight.tensor)
                read.setdefault(operation.module, []).append(weight)
    found = {}
    for weight in by_tensor.values():
        if weight.tensor in used or weight.kind != "parameter":
            continue
        shape = tensors[weight.tensor].shape
        module = weight.name.rpartition(".")[0]
        others = [w for w in read.get(module, ()) if tensors[w.tensor].shape == shape]
        strangers = [w for w in others if w.name.rpartition(".")[0] != module]
        if strangers:
            found[weight.name] = strangers[0].storage
    return found
