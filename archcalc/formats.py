"""Number formats: the bits of a value; the types of weights, activations and accumulators."""

from __future__ import annotations

from archcalc.errors import Diagnostic, UsageError, listed, shown, suggestion
from archcalc.symbols import Int
from archcalc.tuples import NamedTuple

BITS = {
    "float32": 32,
    "float16": 16,
    "bfloat16": 16,
    "int8": 8,
    "int4": 4,
    "float64": 64,
    "int16": 16,
    "int32": 32,
}


def bytes_of(values: Int, dtype: str) -> Int:
    """Bytes of values side by side; of less than a byte each, the last byte is filled up."""
    bits = BITS[dtype]
    return (values * bits + 7) // 8 if bits % 8 else values * (bits // 8)


class Formats(NamedTuple):
    """The types of weights, of activations, and of the sums of their products, which biases join."""

    weights: str
    activations: str
    accumulators: str


def formats_of(text: str) -> Formats:
    """Read 'int8', one type for all, or 'int4xfloat16' and 'int8xint8xint32', a type each.

    Accumulators that are not named are int32 where activations are integers, else as activations.

    Raises:
        UsageError: there is no such type, or there are more than three.
    """
    parts = text.split("x")
    if len(parts) > 3:
        message = f"`{shown(text)}` names {len(parts)} types"
        help = "one each for weights, activations and accumulators: `int8xint8xint32`"
        raise UsageError(Diagnostic(message, help=help))
    for part in parts:
        if part not in BITS:
            help = suggestion(part, BITS) or f"dtypes: {listed(BITS)}"
            raise UsageError(Diagnostic(f"no dtype is called `{shown(part)}`", help=help))
    weights, activations = parts[0], parts[min(1, len(parts) - 1)]
    sums = "int32" if activations.startswith("int") else activations
    return Formats(weights, activations, parts[2] if len(parts) > 2 else sums)
