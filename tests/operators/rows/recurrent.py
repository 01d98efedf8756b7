"""Recurrent layers, by hand: operator, inputs, output, what it costs. What is left out is zero.

A sum of p products takes p − 1 additions; the sums of inputs and state join with one more.
"""

from archcalc.operators import operator_class
from archcalc.operators.shape import Shape

rnn, gru, lstm = map(operator_class, ("rnn", "gru", "lstm"))

ROWS = [
    (  # torch's nn.LSTM(300, 512, 2): 3,768,320 parameters
        lstm(512, layers=2),
        [Shape(100, 300)],
        Shape(100, 512),
        {
            "weight": 4 * 512 * (300 + 512) + 4 * 512 * (512 + 512),
            "bias": 2 * 2 * 4 * 512,
            "headline": 100 * (4 * 512 * 812 + 4 * 512 * 1024),
            "multiplies": 100 * (4 * 512 * 812 + 4 * 512 * 1024) + 100 * 2 * 3 * 512,
            "additions": 100 * 4 * 512 * (299 + 511 + 1 + 2)
            + 100 * 4 * 512 * (511 + 511 + 1 + 2)
            + 100 * 2 * 512 * (3 + 2 * 2 + 1),  # σ σ σ, tanh twice, the cell
            "exponentials": 100 * 2 * 512 * (3 + 2 * 2),
            "divisions": 100 * 2 * 512 * 5,
            "connections": 100 * 4 * 512 * (300 + 512 + 2 + 512 + 512 + 2),
        },
    ),
    (  # 5 steps of 3 values, to and fro, states of 4 projected to 2
        lstm(4, proj=2, both=True, biases=1),
        [Shape(5, 3)],
        Shape(5, 4),
        {
            "weight": 2 * (16 * 3 + 16 * 2 + 4 * 2),
            "bias": 2 * 16,
            "headline": 2 * 5 * (16 * 3 + 16 * 2 + 4 * 2),
            "multiplies": 2 * 5 * 88 + 2 * 5 * 4 * 3,
            "additions": 2 * 5 * (16 * (2 + 1 + 1 + 1) + 4 * 8 + 2 * 3),
            "exponentials": 2 * 5 * 4 * 7,
            "divisions": 2 * 5 * 4 * 5,
            "connections": 2 * 5 * (16 * (3 + 2 + 1) + 4 * 2),
        },
    ),
    (  # the state after the last of 7 steps
        gru(6, last=True),
        [Shape(7, 4)],
        (1, 1, 6),
        {
            "weight": 3 * 6 * (4 + 6),
            "bias": 2 * 3 * 6,
            "headline": 7 * 3 * 6 * 10,
            "multiplies": 7 * 180 + 7 * 6 * 3,  # r·n, (1 − z)·n, z·h
            "additions": 7 * 18 * (3 + 5 + 1 + 2) + 7 * 6 * (2 + 2 + 2),  # σ σ, tanh, 1 − z and the sum
            "exponentials": 7 * 6 * 4,
            "divisions": 7 * 6 * 3,
            "connections": 7 * 18 * (4 + 6 + 2),
        },
    ),
    (
        rnn(2, act="relu", nobias=True),
        [Shape(3, 5)],
        Shape(3, 2),
        {
            "weight": 2 * 5 + 2 * 2,
            "headline": 3 * 14,
            "multiplies": 3 * 14,
            "additions": 3 * 2 * (4 + 1 + 1),
            "comparisons": 3 * 2,
            "connections": 3 * 14,
        },
    ),
]
