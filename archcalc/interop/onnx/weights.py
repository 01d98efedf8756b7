"""Find the role of a stored tensor: a parameter of the operator that uses it, statistic, constant."""

from __future__ import annotations

import re

from archcalc.interop.onnx.tensors import FLOATS
from archcalc.interop.onnx.values import Value
from archcalc.interop.trace import Kind
from archcalc.interop.vocabulary import WORDS

_STATISTICS = ("mean", "variance")
# words that multiply or look up what they are given: a stored input is learned
_LEARNED = frozenset(
    [
        "matmul",
        "einsum",
        "bilinear",
        "attention",
        "lstm",
        "gru",
        "rnn_tanh",
        "rnn_relu",
        "prelu",
        "embedding",
    ]
)
_JOINS = frozenset(("add", "sub", "mul", "div", "cat"))
_MADE = re.compile(
    r"(^|[/_.])const(ant(ofshape)?)?([/_.\d]|$)|^_?val_\d+$|(^|[/_.])masks?$|inv_freq", re.IGNORECASE
)
# what exporters call the results of arithmetic on weights that they did beforehand
_NUMBERED = re.compile(
    r"^onnx::|^\d+$|_output_\d+$|^(unsqueeze|squeeze|index|permute|transpose|view|reshape|expand|clone|getitem|add|mul|sub"
    r"|div|cat|stack|select|slice|masked_fill|_?to(_copy)?|arange|(full|zeros|ones|empty|rand|randn)(_like)?|where|sin|cos|pad|repeat"
    r"|flatten|neg|exp|sqrt|pow|scalar_tensor_default)(_\d+)?$"
)


def role_of(word: str, position: int) -> str:
    """Return the role of a weight at this input of the word, '' where the input has no role."""
    roles = WORDS[word].roles if word in WORDS else ()
    return roles[position] if not callable(roles) and position < len(roles) else ""


def learns(word: str, position: int) -> bool:
    """Return whether this input is learned, even if it is first made of other tensors."""
    return word in _LEARNED or role_of(word, position) not in ("", *_STATISTICS)


def kind(word: str, position: int, value: Value, folded: bool) -> Kind:
    """Return the role of a stored value for the operation that reads it at this input.

    Besides the layers' own weights these are learned: operands broadcast along one axis (a bias, a
    scale), named tables (positions, a class token), and the tensors that weights are made of. Masks and
    numbers that an exporter computed have no name, or a telling one.
    """
    role = role_of(word, position)
    if role in _STATISTICS:
        return "buffer"
    if word == "instance_norm" and _neutral(value):
        return "constant"
    if role or (word in _LEARNED and (value.size > 1 or word == "prelu")):
        return "parameter"
    name = value.name
    if value.dtype not in FLOATS or value.size < 2 or _MADE.search(name):
        return "parameter" if folded and word == "dequantize" and position == 0 else "constant"
    if not _NUMBERED.search(name):
        return "parameter"
    vector = sum(extent > 1 for extent in value.shape) == 1
    return "parameter" if vector and (folded or word in _JOINS) else "constant"


def _neutral(value: Value) -> bool:
    """Return whether it is the ones or zeros of a norm that has no scale and shift here.

    A norm of groups is written as that of its groups, each with such a scale, and a scale behind it.
    """
    made = bool(_MADE.search(value.name) or _NUMBERED.search(value.name))
    one = value.size < 2 or (value.stored is not None and value.stored.uniform)
    return made and one


def computed(value: Value, is_a: Kind) -> bool:
    """Return whether a constant is a table that torch's exporter computed: positions, masks."""
    table = sum(extent > 1 for extent in value.shape) > 1 and value.dtype in FLOATS
    if value.stored is None or value.stored.uniform:  # zeros that a state begins with
        return False
    return (
        table and is_a == "constant" and bool(_NUMBERED.search(value.name) or _MADE.search(value.name))
    )
