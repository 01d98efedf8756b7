"""Sequences of tokens, by hand: operator, inputs, output, what it costs. What is left out is zero."""

from archcalc.operators import operator_class
from archcalc.operators.shape import Shape

tokens, classtoken, posembed, token, transpose, gap = map(
    operator_class, ("tokens", "classtoken", "posembed", "token", "transpose", "gap")
)

ROWS = [
    (tokens(), [(14, 14, 768)], Shape(14 * 14, 768), {}),
    (tokens(), [(3, 5, 2)], Shape(15, 2), {}),
    (tokens(), [(1, 1, 8)], Shape(1, 8), {}),
    (classtoken(), [Shape(196, 768)], Shape(197, 768), {"weight": 768}),
    (  # ViT-B/16: 196 patches and the class token
        posembed(),
        [Shape(197, 768)],
        Shape(197, 768),
        {"position": 197 * 768, "additions": 197 * 768},
    ),
    (token(0), [Shape(197, 768)], (1, 1, 768), {}),
    (token(196), [Shape(197, 768)], (1, 1, 768), {}),  # the last
    (transpose(), [Shape(196, 768)], Shape(768, 196), {}),
    (  # the mean of all tokens: 195 additions and a multiply a channel
        gap(),
        [Shape(196, 768)],
        (1, 1, 768),
        {"additions": 768 * 195, "multiplies": 768},
    ),
]
