"""Count a decoder's multiplies for a prompt and for each next token, and the size of its KV cache.

No token attends to later tokens, so the keys and values of a token never change. If they are cached,
the next token costs only its own layers, and one query on all keys so far.
"""

from __future__ import annotations

from archcalc.analysis.costs import Analysis, Layer
from archcalc.errors import Diagnostic, UsageError, shown
from archcalc.operators.attention import Attention
from archcalc.operators.shape import Shape
from archcalc.tuples import NamedTuple


class TokenCost(NamedTuple):
    """The cost of a layer for one token.

    Attributes:
        own: the multiplies that do not depend on earlier tokens.
        pair: the multiplies for each key that the token attends to.
        cached: the number of values in its key and value.
        window: the most keys that a token attends to, itself included; None: all up to itself.
    """

    own: int
    pair: int = 0
    cached: int = 0
    window: int | None = None

    def prompt(self, tokens: int) -> int:
        """Return the multiplies for a prompt of so many tokens, masked scores included."""
        return tokens * self.own + tokens * tokens * self.pair

    def unmasked(self, tokens: int, before: int = 0) -> int:
        """Return the multiplies for so many tokens after `before` others, without masked scores."""
        pairs = self._pairs(before + tokens) - self._pairs(before)
        return tokens * self.own + pairs * self.pair

    def held(self, tokens: int) -> int:
        """Return the number of values in the cache after so many tokens."""
        return self.cached * (tokens if self.window is None else min(tokens, self.window))

    def _pairs(self, tokens: int) -> int:
        full = tokens if self.window is None else min(tokens, self.window)
        return full * (full + 1) // 2 + (tokens - full) * full


def token_costs(analysis: Analysis, name: str) -> tuple[TokenCost, ...]:
    """Return the cost of each layer for a token, in the order of the layers.

    Raises:
        UsageError: the network is no decoder: its tokens depend on later ones.
    """
    tokens, found = analysis.graph.input, []
    if not tokens.is_sequence:
        raise _refused(name, f"its input {tokens} is no sequence")
    if analysis.graph.inputs > 1:
        raise _refused(name, f"it has {analysis.graph.inputs} inputs")
    for layer in analysis.computed:
        if reason := _mixes(layer, int(tokens[0])):
            raise _refused(name, reason)
        found.append(_cost(layer))
    if not any(cost.pair for cost in found):
        raise _refused(name, "it has no attention")
    return (TokenCost(0),) * analysis.graph.inputs + tuple(found)


def _refused(name: str, reason: str) -> UsageError:
    help = "a decoder reads one sequence, and its attention is `causal`, as in gpt2 and llama3_8b"
    return UsageError(Diagnostic(f"{shown(name)} is no decoder: {reason}", help=help))


def _mixes(layer: Layer, tokens: int) -> str:
    """Return why a token of this layer depends on later tokens; '' if it does not."""
    operator, shapes = layer.node.operator, (*layer.inputs, layer.node.shape)
    if isinstance(operator, Attention):
        return "" if operator.causal else f"the attention of {layer.path} is not `causal`"
    whole = all(shape.is_sequence and shape[0] == tokens for shape in shapes)
    if whole and operator.geometry(*layer.inputs) == "pointwise":
        return ""
    return f"`{operator}` ({layer.path}) does not work token by token"


def _cost(layer: Layer) -> TokenCost:
    operator, one = layer.node.operator, tuple(shape.resized(0, 1) for shape in layer.inputs)
    products = [work for work in operator.work(*one) if work.kind == "products"]
    pair = sum(int(work.total) for work in products if work.of_values)
    own = sum(int(work.total) for work in products) - pair
    if not isinstance(operator, Attention):
        return TokenCost(own, pair)
    window = None if operator.window is None else int(operator.window)
    return TokenCost(own, pair, _cached(operator, one), window)


def _cached(operator: Attention, one: tuple[Shape, ...]) -> int:
    """Return the number of values in one token's key and value."""
    if operator.bare:
        keys, values = one[min(1, len(one) - 1)], one[-1]
        return int(keys.channels + values.channels)
    wanted = ("key.weight", "value.weight")
    return sum(int(weight.shape[1]) for weight in operator.weights(*one) if weight.name in wanted)
