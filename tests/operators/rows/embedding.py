"""Words as vectors, and back, by hand: operator, inputs, output, what it costs. The rest is zero."""

from archcalc.operators import operator_class
from archcalc.operators.shape import Shape

embedding, unembed, sinusoid, posembed = map(
    operator_class, ("embedding", "unembed", "sinusoid", "posembed")
)

ROWS = [
    (embedding(20, 300), [Shape(100, 1)], Shape(100, 300), {"weight": 20 * 300}),
    (embedding(50257, 768), [Shape(1024, 1)], Shape(1024, 768), {"weight": 50257 * 768}),
    (embedding(5, 2), [(3, 4, 1)], (3, 4, 2), {"weight": 10}),  # a word at each position of a map
    (  # GPT-2: a linear layer of 768 → 50,257 without biases
        unembed(words=50257),
        [Shape(1024, 768)],
        Shape(1024, 50257),
        {
            "weight": 50257 * 768,
            "headline": 1024 * 50257 * 768,
            "multiplies": 1024 * 50257 * 768,
            "additions": 1024 * 50257 * 767,
            "connections": 1024 * 50257 * 768,
        },
    ),
    (  # of one token
        unembed(words=9),
        [(1, 1, 4)],
        (1, 1, 9),
        {"weight": 36, "headline": 36, "multiplies": 36, "additions": 27, "connections": 36},
    ),
    (sinusoid(), [Shape(50, 512)], Shape(50, 512), {"additions": 50 * 512}),
    (  # GPT-2 has a table of 1,024 places, of which 10 tokens use 10
        posembed(places=1024),
        [Shape(10, 768)],
        Shape(10, 768),
        {"position": 1024 * 768, "additions": 10 * 768},
    ),
]
