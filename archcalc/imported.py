"""Count the costs of a model file directly from its operations and shapes.

>>> archcalc.load_model("resnet18.pt2").parameters
11689512
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cached_property
from os import PathLike, fspath
from pathlib import Path
from typing import Any

from archcalc.errors import Diagnostic, UsageError
from archcalc.interop.counts import Counts
from archcalc.interop.modules import Gathered, gather
from archcalc.interop.tally import Tally, Use
from archcalc.interop.trace import Trace

DEEPEST = 1_000


class Model:
    """A torch.export or ONNX file. Counts are for one image if the file shows which axis is the batch.

    Attributes:
        name: the file as it was asked for.
        trace: its operations on named tensors.
        tally: the cost of each operation, and the weights that it uses.
    """

    def __init__(self, name: str, trace: Trace, tally: Tally) -> None:
        self.name, self.trace, self.tally = name, trace, tally

    @classmethod
    def read(
        cls,
        path: str | PathLike[str],
        inputs: Mapping[str, tuple[int, ...]] | None = None,
        dims: Mapping[str, int] | None = None,
        allow_unknown: bool = False,
    ) -> Model:
        """Return the model in a file.

        Args:
            inputs: shapes of inputs by name, batch included, for sizes that the file leaves free.
            dims: values of the file's free sizes, by their names.
            allow_unknown: count only the known operations; totals are then lower bounds.

        Raises:
            ArchError: the file is missing or no model, operations are unknown, or sizes are not given.
        """
        from archcalc.interop.load import read

        name = fspath(path)
        return cls.of(name, read(name, inputs or {}, dims or {}), allow_unknown)

    @classmethod
    def of(cls, name: str, trace: Trace, allow_unknown: bool = False) -> Model:
        """Return the model of a trace.

        Raises:
            ArchError: an operation is unknown and `allow_unknown` is false.
        """
        from archcalc.interop.batch import per_image
        from archcalc.interop.prune import prune
        from archcalc.interop.tally import tally

        pruned = prune(trace)
        single = per_image(trace, pruned)
        return cls(name, single, tally(single, pruned, allow_unknown))

    @property
    def title(self) -> str:
        """The model's class and its file: 'ResNet (resnet18.pt2)'."""
        own, file = self.trace.modules.get("", ""), Path(self.name).name
        return f"{own} ({file})" if own not in ("", file) else file

    @property
    def parameters(self) -> int:
        """The number of parameters that layers use: shared ones once, frozen ones included."""
        return self.tally.parameters

    @property
    def multiplies(self) -> int:
        """The number of multiplies (MACs): of weights with inputs, and inside attention."""
        return self.tally.counts.products

    @property
    def counts(self) -> Counts:
        """The counts of all kinds of operations; `products` are the multiplies above."""
        return self.tally.counts

    @property
    def complete(self) -> bool:
        """Whether every operation is known; if not, all counts are lower bounds."""
        return not self.tally.unknown

    @cached_property
    def weights(self) -> tuple[Use, ...]:
        """The weights that layers or outputs use, each once."""
        return (*(use for row in self.tally.rows for use in row.uses), *self.tally.returned)

    @property
    def frozen(self) -> int:
        """The number of parameters that training leaves unchanged."""
        kept = (u for u in self.weights if u.weight.kind == "parameter" and not u.weight.trains)
        return sum(use.size for use in kept)

    @property
    def bytes(self) -> int:
        """The bytes of all used weights, in the file's own data types."""
        return sum(map(self.bytes_of, self.weights))

    def bytes_of(self, use: Use) -> int:
        """Return the bytes of a weight in its own data type."""
        bits = bits_of(self.trace.tensors[use.weight.tensor].dtype)
        return -(-use.size * bits // 8)

    def modules(self, depth: int = DEEPEST) -> tuple[Gathered, ...]:
        """Return the modules down to a depth, with costs, in the order of their first operations."""
        return gather(self.tally.rows, self.trace.modules, depth)

    @property
    def rows(self) -> list[dict[str, Any]]:
        """One flat dict per module, ready for a pandas or polars data frame."""
        return [
            {
                "path": module.name,
                "class": module.cls,
                "parameters": parameters_of(module),
                "multiplies": module.counts.products,
            }
            for module in self.modules()
        ]

    def to_dict(self) -> dict[str, Any]:
        """Return totals and rows as plain data for JSON."""
        return {
            "name": self.name,
            "source": self.trace.source,
            "parameters": self.parameters,
            "multiplies": self.multiplies,
            "complete": self.complete,
            "rows": self.rows,
        }

    def __repr__(self) -> str:
        return f"<Model {self.title}: {self.parameters:,} parameters, {self.multiplies:,} multiplies>"


class Tensors:
    """A `.safetensors` file, or the index of its shards: names, shapes and types, without a graph.

    Attributes:
        name: the file as it was asked for.
        table: its tensors by name.
    """

    complete = True

    def __init__(self, name: str) -> None:
        """Read the names, shapes and types of a file.

        Raises:
            ArchError: the file is missing, or contradicts itself.
        """
        from archcalc.interop.safetensors import read

        self.name, self.table = name, read(name)

    def modules(self, depth: int = DEEPEST) -> dict[str, list[str]]:
        """Return the names of tensors by module, down to a depth: 'conv1.weight' is in 'conv1'."""
        found: dict[str, list[str]] = {}
        for name in self.table.tensors:
            parts = name.split(".")[:-1][:depth]
            found.setdefault(".".join(parts), []).append(name)
        return found


def bits_of(dtype: str) -> int:
    """Return the bits of one value of a type: 16 for 'bfloat16', 8 for 'float8_e4m3fn' and 'bool'."""
    digits = re.search(r"\d+", dtype)
    return int(digits[0]) if digits else 8


def parameters_of(module: Gathered) -> int:
    """Count the parameters that a module is the first to use."""
    return sum(use.size for use in module.uses if use.weight.kind == "parameter")


def output_of(module: Gathered, trace: Trace) -> tuple[int, ...]:
    """Return the output shape of a module's last operation."""
    return trace.tensors[module.rows[-1].operation.outputs[0]].shape


def load_model(
    model: Any,
    /,
    *,
    input: Any = None,
    inputs: Mapping[str, tuple[int, ...]] | None = None,
    dims: Mapping[str, int] | None = None,
    allow_unknown: bool = False,
) -> Model:
    """Return the model in a `.pt2` or `.onnx` file: `load_model("model.onnx", dims={"batch": 1})`.

    It also takes an `nn.Module`: `load_model(net, input=(3, 224, 224))`. `Model.read` explains the
    other arguments.

    Args:
        model: a path, or a module, which the installed torch then exports.
        input: for a module only: the input's size without the batch, a tensor, several tensors, or a
            dict of them by argument name.

    Raises:
        ArchError: the file is missing or is not a model, an operation is unknown, or a size is free.
    """
    from archcalc.interop.export import is_module, read_module

    if is_module(model):
        trace = read_module(model, input)
        return Model.of(trace.name, trace, allow_unknown)
    if not isinstance(model, (str, PathLike)):
        help = "a path, or an nn.Module with its input=(3, 224, 224)"
        raise UsageError(Diagnostic(f"a {type(model).__name__} is no model", help=help))
    if input is not None:
        help = 'inputs={"x": (1, 3, 224, 224)} gives the shapes of a file, batch included'
        raise UsageError(Diagnostic("`input` is of a module in hand, not of a file", help=help))
    return Model.read(model, inputs, dims, allow_unknown)
