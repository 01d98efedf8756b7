"""Rules of recurrent layers: torch's lstm, gru and rnn as one operation, all layers and directions."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from archcalc.interop.counts import Counts, Rule, ShapedOperation
from archcalc.interop.trace import Shape

# sigmoid: an addition, a division, an exponential; tanh: 2 additions, a division, 2 exponentials
_LSTM = Counts(multiplies=3, additions=8, divisions=5, exponentials=7)  # σ σ σ tanh; c; tanh; h
_GRU = Counts(multiplies=3, additions=6, divisions=3, exponentials=4)  # σ σ tanh; r·n; (1 − z)·n + z·h
_TANH = Counts(additions=2, divisions=1, exponentials=2)
_RELU = Counts(comparisons=1)


def recurrent(gates: int, cell: Counts) -> Rule:
    """Return a rule for inputs x, *states, *weights; attributes states (how many of them) and units.

    x is [steps, batch, in], or as batch_first says; units are those of all layers and directions.

    Every matrix [rows, columns] multiplies once a step; the sums of the input's and the state's join
    with one addition more, and every bias is one. `cell` is what a unit does besides in a step.
    """

    def rule(op: ShapedOperation) -> Counts:
        first = 1 + int(op.attributes.get("states", 0))
        weights = [shape for shape in op.inputs[first:] if shape]
        steps = prod(op.shape(0)[:-1])
        matrices = [shape for shape in weights if not _bias(weights, shape)]
        rows = sum(prod(shape[:-1]) for shape in matrices)
        biases = sum(prod(shape) for shape in weights if shape not in matrices)
        units = int(op.attributes["units"])
        products = sum(map(prod, matrices))
        sums = products - rows + units * gates + biases
        return Counts(products=products, additions=sums).plus(cell.times(units)).times(steps)

    return rule


def roles(op: ShapedOperation) -> tuple[str, ...]:
    """Return the role of each input of a recurrent layer if it is a weight: 'bias' or 'weight'."""
    first = 1 + int(op.attributes.get("states", 0))
    weights = [shape for shape in op.inputs[first:] if shape]
    return tuple("bias" if shape and _bias(weights, shape) else "weight" for shape in op.inputs)


def _bias(weights: Sequence[Shape], shape: Shape) -> bool:
    """ONNX writes biases as [directions, 2 · gates · hidden] beside matrices of three axes."""
    return len(shape) < 2 or (len(shape) == 2 and any(len(other) == 3 for other in weights))


lstm = recurrent(4, _LSTM)
gru = recurrent(3, _GRU)
rnn_tanh = recurrent(1, _TANH)
rnn_relu = recurrent(1, _RELU)
