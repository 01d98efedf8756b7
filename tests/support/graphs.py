"""Random graphs, for laws that must hold for all of them."""

from __future__ import annotations

import random

from archcalc.arithmetic import Margin
from archcalc.errors import ShapeError, Span
from archcalc.graph.model import Graph, Node
from archcalc.operators import operator_class
from archcalc.operators.input import Input
from archcalc.operators.model import Operator
from archcalc.operators.shape import Shape


def random_graph(seed: int, nodes: int) -> Graph:
    """Make a graph of so many nodes at most, of maps of 1 to 8 pixels a side."""
    pick = random.Random(seed)
    shape = Shape(pick.choice([4, 6, 8]), pick.choice([4, 8]), pick.randint(1, 4))
    made = [Node("input", Input(shape), (), shape, Span(()))]
    while len(made) < nodes:
        operator, inputs = _random_operator(pick, len(made))
        try:
            shapes = [made[i].shape for i in inputs]
            made.append(
                Node(f"n{len(made)}", operator, inputs, operator.output_shape(*shapes), Span(()))
            )
        except ShapeError:
            continue
    side = tuple((f"side{i}", i) for i in range(1, len(made) - 1) if pick.random() < 0.05)
    return Graph(tuple(made), len(made) - 1, side)


def _random_operator(pick: random.Random, count: int) -> tuple[Operator, tuple[int, ...]]:
    recent = max(0, count - 4)
    one = pick.randrange(recent, count)
    kind = pick.choice(
        [
            "conv",
            "conv",
            "relu",
            "relu",
            "bn",
            "maxpool",
            "add",
            "add",
            "concat",
            "mul",
            "flatten",
            "upsample",
            "pad",
            "deconv",
            "resize",
        ]
    )
    if kind in ("add", "concat", "mul"):
        others = [pick.randrange(recent, count) for _ in range(pick.randint(1, 2))]
        return operator_class(kind)(), (one, *others)
    if kind == "resize":
        mode = pick.choice([{}, {"bilinear": True}, {"bilinear": True, "corners": True}])
        return operator_class("resize")(**mode), (one, pick.randrange(recent, count))
    arguments = {
        "conv": lambda: operator_class("conv")(pick.randint(1, 4), k=pick.choice([1, 3]), half=True),
        "maxpool": lambda: operator_class("maxpool")(2, s=pick.choice([1, 2])),
        "upsample": lambda: operator_class("upsample")(2, bilinear=pick.random() < 0.5),
        "pad": lambda: operator_class("pad")(Margin(pick.randint(0, 1), pick.randint(0, 2))),
        "deconv": lambda: operator_class("deconv")(
            2, k=pick.choice([1, 2, 3]), s=2, d=pick.choice([1, 3])
        ),
    }
    return arguments.get(kind, lambda: operator_class(kind)())(), (one,)
