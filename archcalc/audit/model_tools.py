"""What torchinfo and fvcore print for a file of torch, where their rules hold for all of it.

Both look at the same operations and modules that torch.export records. A file with anything that a tool
counts by a rule which the file does not tell has no such reading. `thop`, whose rules go by classes that
users may rename, is not told.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import prod

from archcalc.audit.facts import OF_TOOL, told
from archcalc.audit.model_file import ModelFile
from archcalc.audit.readings import Reading, Summand
from archcalc.interop.tally import OperationCost

# what fvcore has a handle for that goes by other than products, or may see under another name
_ELSEWHERE = """
attention bilinear cdist deform_conv einsum gru lstm rnn_relu rnn_tanh group_norm instance_norm rms_norm
upsample_nearest upsample_linear upsample_cubic grid_sample addmm
"""
FVCORE_ELSE = frozenset(_ELSEWHERE.split())


def by_tools(file: ModelFile) -> Iterator[Reading]:
    """Return the sums of the tools whose rules hold."""
    if file.model.trace.source.startswith("torch"):
        yield from _fvcore(file)
        yield from _torchinfo(file)


def _fvcore(file: ModelFile) -> Iterator[Reading]:
    rows = file.model.tally.rows
    if any(map(_otherwise, rows)):
        return
    terms = (
        (1, "products", file.model.multiplies),
        (2, "values that batch norm writes", _values(file, "batch_norm")),
        (5, "values that layer norm writes", _values(file, "layer_norm")),
        (1, "inputs of adaptive average pools", _values(file, "adaptive_avg_pool", reads=True)),
    )
    says = "fvcore adds 2 a batch-norm value, 5 a layer-norm value and adaptive average pools"
    parts = tuple(Summand(*term) for term in terms if term[2])
    yield told(file, "multiplies", "fvcore", says, parts, OF_TOOL)


def _otherwise(row: OperationCost) -> bool:
    """Return whether fvcore's rule for an operation is not known here; a norm needs scale and shift."""
    norm = _is(row, "batch_norm") or _is(row, "layer_norm")
    return row.operation.word in FVCORE_ELSE or (norm and not all(row.operation.inputs[1:3]))


def _torchinfo(file: ModelFile) -> Iterator[Reading]:
    """Count mult-adds: each parameter once, where the class has Conv in its name at every position."""
    trace, everywhere, once = file.model.trace, 0, 0
    weights = {weight.tensor: weight for weight in trace.weights if weight.kind == "parameter"}
    for row in file.model.tally.rows:
        operation = row.operation
        found = [weights[name] for name in operation.inputs if name in weights]
        used = [use for use in row.uses if use.weight.kind == "parameter"]
        own = (f"{operation.module}.weight", f"{operation.module}.bias")
        shape = trace.tensors[operation.outputs[0]].shape
        foreign = len(found) != len(used) or any(weight.name not in own for weight in found)
        if foreign or (used and not shape):
            return  # a module that runs twice, whose parts have the parameters, or without an axis
        size = sum(use.size for use in used)
        if "Conv" in trace.modules.get(operation.module, ""):
            everywhere += size * prod((*shape[:1], *shape[2:]))
        else:
            once += size * shape[0] if used else 0
    says = "torchinfo counts parameters once, those of Conv… modules at every position"
    parts = (
        Summand(1, "parameters of Conv… modules at every position", everywhere),
        Summand(1, "other parameters, once", once),
    )
    yield told(file, "multiplies", "torchinfo", says, tuple(p for p in parts if p.amount), OF_TOOL)


def _is(row: OperationCost, word: str) -> bool:
    return row.operation.word == word


def _values(file: ModelFile, word: str, reads: bool = False) -> int:
    """Count values that all operations of a word write, or read first."""
    tensors = file.model.trace.tensors
    found = (row.operation for row in file.model.tally.rows if _is(row, word))
    names = (op.inputs[0] or "" if reads else op.outputs[0] for op in found)
    return sum(prod(tensors[name].shape) for name in names)
