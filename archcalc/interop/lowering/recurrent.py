"""Lower recurrent layers: one LSTM, GRU or RNN operation has all layers and directions."""

from __future__ import annotations

from itertools import takewhile
from typing import Any

from archcalc.interop.lowering.assembly import LoweringState
from archcalc.interop.lowering.axes import Axis, Layout
from archcalc.interop.lowering.laying import Weighing
from archcalc.interop.lowering.model import LoweringError
from archcalc.interop.trace import Operation, Shape

_GATES = {"lstm": 4, "gru": 3, "rnn_tanh": 1, "rnn_relu": 1}


def recurrent(low: LoweringState, op: Operation) -> None:
    """Lower a recurrent layer; its outputs are the states of all steps, and the last state.

    Raises:
        LoweringError: its initial state is not zero, it has several sequences, or some outputs are read.
    """
    layout = low.layout(op.inputs[0])
    states = 1 + int(op.attributes.get("states", 0))
    weights = [name for name in op.inputs[states:] if name]
    if any(low.live(name) for name in op.inputs[1:states]):
        raise LoweringError("its initial state depends on the input")
    if any(low.pruned.behind.get(name or "") for name in op.inputs[1:states]):
        raise LoweringError("its initial state is stored")
    if not all(_of_zeros(low, name) for name in op.inputs[1:states] if name):
        raise LoweringError("its initial state is not zero")
    if op.attributes.get("own_way"):
        raise LoweringError(str(op.attributes["own_way"]))
    steps, batch = (1, 0) if op.attributes.get("batch_first") else (0, 1)
    if len(layout.file) != 3 or low.atoms.shape(layout.file)[batch] != 1:
        raise LoweringError("it processes several sequences at once")
    x = low.spread(layout, (layout.file[steps], layout.file[2]))
    given, held = _arguments(low, op, weights)
    node = low.add(op.word.partition("_")[0], [x.node], held, **given)
    made = low.atoms.new(int(low.nodes[node].shape.channels))
    low.set(op.outputs[0], Layout(node, (*layout.file[:2], made), (layout.file[steps], made)))
    for place, state in enumerate(op.outputs[1:]):
        if state in low.wanted:
            _last(low, node, state, place, given)


_ZEROS = (None, "zeros", "zeros_like", "new_zeros")  # None: an ONNX node (it stores other values)
_MOVES = ("copy", "cast", "view", "expand", "permute", "cat", "slice", "select")


def _of_zeros(low: LoweringState, name: str) -> bool:
    """Return whether a constant is made of zeros by filling and moves only."""
    makers = {made: op for op in low.pruned.folded for made in op.outputs}
    wanted = [name]
    while wanted:
        op = makers.get(wanted.pop())
        if op is None:
            continue
        if op.word == "fill":
            if op.attributes.get("function") not in _ZEROS:
                return False
        elif op.word in _MOVES:
            wanted += [read for read in op.inputs if read]
        else:
            return False
    return True


def _arguments(
    low: LoweringState, op: Operation, weights: list[str]
) -> tuple[dict[str, Any], list[Weighing]]:
    """Return the operator's arguments and its weights: W, U, their biases, a projection."""
    shapes = [low.shape(name) for name in weights]
    if len(shapes[0]) == 3:
        return _of_onnx(op, weights, shapes)
    units, state = shapes[0][0] // _GATES[op.word], shapes[1][1]
    biases = min(2, sum(1 for _ in takewhile(lambda shape: len(shape) == 1, shapes[2:])))
    projected = state != units
    names = ["weight_ih", "weight_hh", *("bias_ih", "bias_hh")[:biases], *["weight_hr"] * projected]
    ways = low.shape(op.outputs[0])[-1] // state
    layers = len(weights) // (len(names) * ways)
    if len(weights) != layers * ways * len(names):
        raise LoweringError("its number of weights does not fit whole layers")
    ends = [f"l{layer}{way}" for layer in range(layers) for way in ("", "_reverse")[:ways]]
    called = [f"{name}_{end}" for end in ends for name in names]
    held: list[Weighing] = [
        (name, tensor, shape, tuple(reversed(range(len(shape)))))
        for name, tensor, shape in zip(called, weights, shapes, strict=True)
    ]
    given: dict[str, Any] = {"units": units, "layers": layers, "both": ways == 2}
    given |= {"biases": biases} if biases == 1 else {"nobias": not biases}
    given |= {"proj": state} if projected else {}
    given |= {"act": "relu"} if op.word == "rnn_relu" else {}
    return given, held


_ORDER = {"lstm": (0, 2, 3, 1), "gru": (1, 0, 2)}  # torch's gates among ONNX's i o f c and z r h


def _of_onnx(
    op: Operation, weights: list[str], shapes: list[Shape]
) -> tuple[dict[str, Any], list[Weighing]]:
    """Return the arguments and weights of ONNX's layer: W, R, and the biases of both in one tensor."""
    gates, ways, units = _GATES[op.word], shapes[0][0], shapes[1][-1]
    order = _ORDER.get(op.word, (0,))
    held: list[Any] = []
    for way, end in enumerate(("", "_reverse")[:ways]):
        first = way * gates
        for name, tensor, shape in zip(("ih", "hh"), weights, shapes, strict=False):
            blocks = ways * gates, tuple(first + gate for gate in order)
            laid = (gates * units, shape[-1]), (1, 0)
            held.append((f"weight_{name}_l0{end}", tensor, *laid, None, 1.0, blocks))
        for at, name in enumerate(("ih", "hh") if len(weights) > 2 else ()):
            blocks = 2 * ways * gates, tuple((2 * way + at) * gates + gate for gate in order)
            held.append((f"bias_{name}_l0{end}", weights[2], (gates * units,), (0,), None, 1.0, blocks))
    given: dict[str, Any] = {"units": units, "layers": 1, "both": ways == 2, "nobias": len(weights) < 3}
    given |= {"before": True} if op.word == "gru" and op.attributes.get("before") else {}
    given |= {"act": "relu"} if op.word == "rnn_relu" else {}
    return given, held


def _last(low: LoweringState, node: int, state: str, place: int, given: dict[str, Any]) -> None:
    """Take the state after the last step, for one layer in one direction."""
    if place or given["layers"] > 1 or given["both"]:
        what = "its memory cells" if place else "the last states of several layers"
        raise LoweringError(f"{what} are read")
    shape = low.nodes[node].shape
    last = low.add("token", [node], index=int(shape[0]) - 1)
    channels = low.atoms.new(int(shape.channels))
    around: list[Axis] = [()] * (len(low.shape(state)) - 1)
    own: list[Axis] = [()] * (len(low.nodes[last].shape) - 1)
    low.set(state, Layout(last, (*around, channels), (*own, channels)))
