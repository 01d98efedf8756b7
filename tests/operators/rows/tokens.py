"""Sequences of tokens, by hand: operator, inputs, output, what it costs. What is left out is zero."""

from archcalc.operators import operator_class
from archcalc.operators.model import Tokens

tokens, classtoken, posembed, token, transpose, gap = map(
    operator_class, ("tokens", "classtoken", "posembed", "token", "transpose", "gap")
)

ROWS = [
    (tokens(), [(14, 14, 768)], Tokens(14 * 14, 1, 768), {}),
    (tokens(), [(3, 5, 2)], Tokens(15, 1, 2), {}),
    (tokens(), [(1, 1, 8)], Tokens(1, 1, 8), {}),
    (classtoken(), [Tokens(196, 1, 768)], Tokens(197, 1, 768), {"weight": 768}),
    (  # ViT-B/16: 196 patches and the class token
        posembed(),
        [Tokens(197, 1, 768)],
        Tokens(197, 1, 768),
        {"position": 197 * 768, "additions": 197 * 768},
    ),
    (token(0), [Tokens(197, 1, 768)], (1, 1, 768), {}),
    (token(196), [Tokens(197, 1, 768)], (1, 1, 768), {}),  # the last
    (transpose(), [Tokens(196, 1, 768)], Tokens(768, 1, 196), {}),
    (  # the mean of all tokens: 195 additions and a multiply a channel
        gap(),
        [Tokens(196, 1, 768)],
        (1, 1, 768),
        {"additions": 768 * 195, "multiplies": 768},
    ),
]
