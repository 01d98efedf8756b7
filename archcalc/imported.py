"""Count a model of others straight from the operations and shapes in its file.

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
    """A torch.export or ONNX file. Counts are those of one image, if the file shows where its batch is.

    Attributes:
        name: the file as it was asked for.
        trace: its operations on named tensors.
        tally: what each of them costs, and which weights it uses.
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
            inputs: shapes of inputs by name, including the batch, where the file leaves sizes free.
            dims: free sizes by their names.
            allow_unknown: count the known operations only: totals are lower bounds.

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
            ArchError: operations are unknown and that is not allowed.
        """
        from archcalc.interop.batch import per_image
        from archcalc.interop.prune import prune
        from archcalc.interop.tally import tally

        pruned = prune(trace)
        single = per_image(trace, pruned)
        return cls(name, single, tally(single, pruned, allow_unknown))

    @property
    def title(self) -> str:
        """The title: 'ResNet (resnet18.pt2)'."""
        own, file = self.trace.modules.get("", ""), Path(self.name).name
        return f"{own} ({file})" if own not in ("", file) else file

    @property
    def parameters(self) -> int:
        """Numbers that layers use and training can change; shared ones once, frozen ones too."""
        return self.tally.parameters

    @property
    def multiplies(self) -> int:
        """Products of a weight and an input value, and of attention (MACs)."""
        return self.tally.counts.products

    @property
    def counts(self) -> Counts:
        """The whole census; `products` are the multiplies above."""
        return self.tally.counts

    @property
    def complete(self) -> bool:
        """Whether every operation is known; otherwise all counts are lower bounds."""
        return not self.tally.unknown

    @cached_property
    def weights(self) -> tuple[Use, ...]:
        """The weights that layers or outputs use, each once."""
        return (*(use for row in self.tally.rows for use in row.uses), *self.tally.returned)

    @property
    def frozen(self) -> int:
        """Numbers of the parameters that training leaves unchanged."""
        kept = (u for u in self.weights if u.weight.kind == "parameter" and not u.weight.trains)
        return sum(use.size for use in kept)

    @property
    def bytes(self) -> int:
        """Bytes of all used weights, in the file's own types."""
        return sum(map(self.bytes_of, self.weights))

    def bytes_of(self, use: Use) -> int:
        """Return the bytes of a weight in its own type."""
        bits = bits_of(self.trace.tensors[use.weight.tensor].dtype)
        return -(-use.size * bits // 8)

    def modules(self, depth: int = DEEPEST) -> tuple[Gathered, ...]:
        """Return modules down to a depth, in the order in which each first works, with their costs."""
        return gather(self.tally.rows, self.trace.modules, depth)

    @property
    def rows(self) -> list[dict[str, Any]]:
        """A flat dict per module, as pandas and polars take them."""
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
    """A `.safetensors` file, or the index of its shards: names, shapes and types, no graph.

    Attributes:
        name: the file as it was asked for.
        table: its tensors by name.
    """

    complete = True

    def __init__(self, name: str) -> None:
        """Raises:
        ArchError: the file is missing, or contradicts itself.
        """
        from archcalc.interop.safetensors import read

        self.name, self.table = name, read(name)

    def modules(self, depth: int = DEEPEST) -> dict[str, list[str]]:
        """Return the names of tensors by module at this depth: 'conv1.weight' in 'conv1'."""
        found: dict[str, list[str]] = {}
        for name in self.table.tensors:
            parts = name.split(".")[:-1][:depth]
            found.setdefault(".".join(parts), []).append(name)
        return found


def bits_of(dtype: str) -> int:
    """Return the bits of a value, from the name of its type: 'bfloat16', 'float8_e4m3fn', 'bool'."""
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
    """Return the model of a `.pt2` or `.onnx` file, as in `load_model("model.onnx", dims={"batch": 1})`.

    Also takes an `nn.Module`: `load_model(net, input=(3, 224, 224))`. The other arguments are those of
    `Model.read`.

    Args:
        model: a path, or a module, which its own torch exports.
        input: of a module: the size without the batch, or a tensor, several, or a dict by argument.

    Raises:
        ArchError: the file is missing or no model, operations are unknown, or sizes are not given.
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
