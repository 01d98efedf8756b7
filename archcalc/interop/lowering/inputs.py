"""Find the axis of an input that holds its channels, from the first operation that reads it."""

from __future__ import annotations

from archcalc.interop.prune import Pruned
from archcalc.interop.trace import Operation, Trace

_POOLS = "max_pool avg_pool adaptive_avg_pool adaptive_max_pool local_response_norm"
_RESIZED = "upsample_nearest upsample_linear upsample_cubic"
_MAPS = f"conv conv_transpose batch_norm group_norm instance_norm {_POOLS} {_RESIZED}"
_SECOND = frozenset(_MAPS.split())
_RECURRENT = ("lstm", "gru", "rnn_tanh", "rnn_relu")
_LAST = frozenset(("linear", "layer_norm", "rms_norm", "matmul", "attention", *_RECURRENT))
_MOST_STEPS = 60


def channels_of(trace: Trace, pruned: Pruned, name: str) -> int:
    """Return the index of the channel axis, or −1 where the input holds word indices (no channels)."""
    shape = trace.tensors[name].shape
    readers: dict[str, list[Operation]] = {}
    for operation in pruned.live:
        for read in operation.inputs:
            if read is not None:
                readers.setdefault(read, []).append(operation)
    axes: list[int] = list(range(len(shape)))
    tensor = name
    for _ in range(_MOST_STEPS):
        for reader in readers.get(tensor, []):
            if reader.word == "embedding" and tensor == reader.inputs[1]:
                return -1
            if reader.word in _SECOND and len(axes) > 2:
                return axes[1]
            if reader.word in _LAST and axes:
                return axes[-1]
        following = readers.get(tensor, [])
        if not following:
            break
        step = following[0]
        if step.word == "permute":
            axes = [axes[dim] for dim in step.attributes["dims"]]
        elif len(trace.tensors[step.outputs[0]].shape) != len(axes):
            break
        tensor = step.outputs[0]
    return 1 if len(shape) >= 4 else len(shape) - 1
