"""Operators with inputs that are small and cover every argument, and weights for them."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from archcalc.arithmetic import Margin
from archcalc.operators import TABLE, operator_class
from archcalc.operators.model import Operator
from archcalc.operators.shape import Shape

RNG = np.random.default_rng(0)


def op(name: str, *required: Any, **optional: Any) -> Operator:
    """Make an operator by its name in a spec."""
    return operator_class(name)(*required, **optional)


MAP, VECTOR, SEQUENCE = Shape(7, 9, 6), Shape(1, 1, 12), Shape(5, 12)
LINE, VOLUME = Shape(7, 6), Shape(4, 5, 4, 6)
CASES: list[tuple[Operator, tuple[Shape, ...]]] = [
    (op("conv", 4, k=3), (MAP,)),
    (op("conv", 4, k=(1, 5), s=(2, 1), p=(0, 2), nobias=True), (MAP,)),
    (op("conv", 4, k=3, d=2, half=True), (MAP,)),
    (op("conv", 4, k=4, s=3, same=True), (MAP,)),
    (op("conv", 6, k=3, g=3, half=True), (MAP,)),
    (op("conv", 12, k=3, g=6, half=True, nobias=True), (MAP,)),
    (op("conv", 2, k=3, table=[[0, 1], [1, 2, 5]]), (MAP,)),
    (op("conv", 4, k=3, s=2, p=Margin(0, 1)), (MAP,)),
    (op("conv", 4, k=3, g=2, p=(Margin(2, 0), 1)), (MAP,)),
    (op("conv", 4, p=Margin(0, 1)), (MAP,)),
    (op("deconv", 4, k=3, s=2), (MAP,)),
    (op("deconv", 4, k=3, s=2, p=(Margin(0, 1), Margin(2, 1))), (MAP,)),
    (op("deconv", 4, k=3, s=2, p=1, out=1), (MAP,)),
    (op("deconv", 2, k=3, d=2), (Shape(4, 3, 2),)),
    (op("deconv", 4, k=(3, 2), s=(2, 4), d=(3, 2), g=2, p=(1, 0), out=(2, 1)), (Shape(4, 3, 6),)),
    (op("deconv", 4, k=2, s=3, nobias=True), (MAP,)),
    (op("deconv", 6, k=4, s=2, p=1, g=3), (MAP,)),
    (op("deformconv", 4, k=3, p=1), (MAP, Shape(7, 9, 18))),
    (op("deformconv", 4, k=(2, 3), s=2, d=(1, 2), p=Margin(0, 1), g=2), (MAP, Shape(4, 3, 12))),
    (op("deformconv", 6, k=3, g=3, half=True, modulated=True), (MAP, Shape(7, 9, 27))),
    (op("deformconv", 2, modulated=True, nobias=True), (MAP, Shape(7, 9, 3))),
    (op("linear", 5), (VECTOR,)),
    (op("linear", 5, nobias=True), (VECTOR,)),
    (op("rbf", 5), (VECTOR,)),
    (op("maxpool", 2), (MAP,)),
    (op("maxpool", 3, s=2, ceil=True), (MAP,)),
    (op("maxpool", 3, s=1, half=True), (MAP,)),
    (op("maxpool", 3, s=2, p=Margin(0, 2), ceil=True), (MAP,)),
    (op("avgpool", 3, s=2, p=1), (MAP,)),
    (op("avgpool", 3, s=2, p=(Margin(2, 0), Margin(0, 1)), ceil=True), (MAP,)),
    (op("avgpool", 3, s=2, p=Margin(0, 2), nozeros=True), (MAP,)),
    (op("sumpool", (2, 3)), (MAP,)),
    (op("adaptivepool", (3, 2)), (MAP,)),
    (op("adaptivepool", 12), (MAP,)),
    (op("adaptivepool", 4, max=True), (MAP,)),
    (op("gap"), (MAP,)),
    (op("bn"), (MAP,)),
    (op("bn", noscale=True), (MAP,)),
    (op("bn", eps=0.001), (MAP,)),
    (op("ln"), (MAP,)),
    (op("ln", eps=1e-6), (SEQUENCE,)),
    (op("ln"), (VECTOR,)),
    (op("ln"), (Shape(2, 3, 1),)),
    (op("groupnorm", 3), (MAP,)),
    (op("groupnorm", 1, eps=0.5), (MAP,)),
    (op("groupnorm", 6), (VECTOR,)),
    (op("bn", noscale=True, noshift=True), (MAP,)),
    (op("bn", noshift=True), (MAP,)),
    (op("ln", noscale=True), (SEQUENCE,)),
    (op("ln", noshift=True), (SEQUENCE,)),
    (op("groupnorm", 2, noscale=True, noshift=True), (MAP,)),
    (op("instancenorm"), (MAP,)),
    (op("instancenorm", noscale=True, noshift=True, eps=0.5), (MAP,)),
    (op("instancenorm"), (VECTOR,)),
    (op("rmsnorm"), (MAP,)),
    (op("rmsnorm", noscale=True, eps=0.5), (SEQUENCE,)),
    (op("rmsnorm"), (VECTOR,)),
    (op("lrn", 5), (MAP,)),
    (op("scale"), (MAP,)),
    (op("scale", nobias=True), (MAP,)),
    (op("add"), (MAP, MAP, MAP)),
    (op("add", crop=True), (MAP, Shape(9, 11, 6))),
    (op("mul"), (MAP, Shape(1, 1, 6))),
    (op("mul"), (Shape(1, 1, 6), MAP)),
    (op("mul"), (MAP, Shape(7, 9, 1))),
    (op("mul"), (Shape(1, 1, 6), Shape(1, 1, 6), MAP)),
    (op("add"), (Shape(7, 1, 6), Shape(1, 9, 6), MAP)),
    (op("add"), (SEQUENCE, VECTOR)),
    (op("sub"), (MAP, MAP, Shape(1, 1, 6))),
    (op("sub"), (Shape(1, 1, 6), VOLUME)),
    (op("sub", crop=True), (MAP, Shape(9, 11, 6))),
    (op("maximum"), (MAP, MAP, MAP)),
    (op("maximum"), (SEQUENCE, Shape(1, 12))),
    (op("concat", axis="height"), (MAP, Shape(2, 9, 6), MAP)),
    (op("concat", axis="width", crop=True), (MAP, Shape(8, 11, 6))),
    (op("concat", axis="length"), (VECTOR, SEQUENCE)),
    (op("concat", axis="frames"), (VOLUME, VOLUME)),
    (op("slice", 3, axis="height", **{"from": 2}), (MAP,)),
    (op("slice", 9, axis="width"), (MAP,)),
    (op("slice", 2, axis="length", **{"from": 3}, rank=1), (SEQUENCE,)),
    (op("slice", 2, axis="frames", **{"from": 1}, rank=3), (VOLUME,)),
    (op("matmul"), (SEQUENCE, Shape(12, 3))),
    (op("matmul", transposed=True, scaled=True), (SEQUENCE, Shape(7, 12))),
    (op("matmul"), (MAP, Shape(7, 6, 4))),
    (op("matmul"), (Shape(1, 9, 6), Shape(7, 6, 4))),
    (op("matmul", transposed=True), (VOLUME, Shape(3, 6))),
    (op("matmul", scaled=True), (VECTOR, Shape(12, 3))),
    *(
        (op(name, axis=axis, rank=x.rank), (x,))
        for name in ("mean", "sum", "max")
        for x in (LINE, MAP, VOLUME)
        for axis in (*x.axes, "channels", "positions")
    ),
    (op("roll", 2), (MAP,)),
    (op("roll", -3, axis="width"), (MAP,)),
    (op("roll", 16, axis="height"), (MAP,)),
    (op("roll", 4, axis="channels"), (MAP,)),
    (op("roll", 3, rank=1), (SEQUENCE,)),
    (op("roll", 1, rank=3), (VOLUME,)),
    (op("roll", 1, axis="frames", rank=3), (VOLUME,)),
    (op("permute", (1, 0, 2)), (MAP,)),
    (op("permute", (2, 1, 0)), (MAP,)),
    (op("permute", (0, 2, 1)), (MAP,)),
    (op("permute", (0, 1, 2)), (MAP,)),
    (op("permute", (1, 0), rank=1), (SEQUENCE,)),
    (op("permute", (0, 2, 1, 3), rank=3), (VOLUME,)),
    (op("permute", (3, 0, 2, 1), rank=3), (VOLUME,)),
    (op("reshape", (9, 7, 6)), (MAP,)),
    (op("reshape", (-1, 6)), (MAP,)),
    (op("reshape", (7, -1)), (MAP,)),
    (op("reshape", (3, 7, 2, 9)), (MAP,)),
    (op("reshape", (378,)), (MAP,)),
    (op("reshape", (4, 15), rank=1), (SEQUENCE,)),
    (op("concat"), (MAP, Shape(7, 9, 2))),
    (op("flatten"), (MAP,)),
    (op("tokens"), (MAP,)),
    (op("classtoken"), (SEQUENCE,)),
    (op("classtoken"), (Shape(1, 3),)),
    (op("posembed"), (SEQUENCE,)),
    (op("posembed"), (Shape(1, 3),)),
    (op("token", 0), (SEQUENCE,)),
    (op("token", 4), (SEQUENCE,)),
    (op("posembed", places=5), (SEQUENCE,)),
    (op("sinusoid"), (SEQUENCE,)),
    (op("offset", (1,)), (MAP,)),
    (op("offset", (9, 1, 6)), (Shape(9, 7, 6),)),
    (op("factor", (6,), fixed=True), (Shape(9, 7, 6),)),
    (op("factor", (1, 3), rank=1), (Shape(5, 3),)),
    (op("sinusoid"), (Shape(4, 7),)),
    (op("embedding", 7, 3), (Shape(9, 1),)),
    (op("embedding", 5, 1), (Shape(3, 4, 1),)),
    (op("embedding", 1, 4), (Shape(1, 1, 1),)),
    (op("unembed", words=7), (SEQUENCE,)),
    (op("unembed", words=3), (VECTOR,)),
    (op("rnn", 4), (LINE,)),
    (op("rnn", 3, act="relu", layers=2, both=True, biases=1), (LINE,)),
    (op("gru", 4), (LINE,)),
    (op("gru", 3, before=True, layers=3, nobias=True), (Shape(4, 2),)),
    (op("gru", 2, before=True, both=True, last=True), (Shape(3, 5),)),
    (op("lstm", 4), (LINE,)),
    (op("lstm", 3, both=True, layers=2, biases=1, last=True), (Shape(3, 5),)),
    (op("lstm", 4, proj=2, layers=2, both=True), (Shape(3, 5),)),
    (op("transpose"), (SEQUENCE,)),
    (op("transpose"), (Shape(1, 3),)),
    (op("attention", 3), (SEQUENCE,)),
    (op("attention", 1), (SEQUENCE,)),
    (op("attention", 12), (SEQUENCE,)),
    (op("attention", 1), (Shape(1, 2),)),
    (op("attention", 6, kv=2), (SEQUENCE,)),
    (op("attention", 3, kv=1, head=2, nobias=True), (SEQUENCE,)),
    (op("attention", 3, head=8, noout=True), (SEQUENCE,)),
    (op("attention", 3, causal=True), (SEQUENCE,)),
    (op("attention", 3, window=2), (SEQUENCE,)),
    (op("attention", 2, kv=1, causal=True, window=3, rotary=True, nobias=True), (SEQUENCE,)),
    (op("attention", 3, rotary=True, base=500), (SEQUENCE,)),
    (op("attention", 3, relative=2), (SEQUENCE,)),
    (op("attention", 3), (SEQUENCE, Shape(7, 4))),
    (op("attention", 4, kv=2, noout=True, relative=3), (SEQUENCE, Shape(5, 6))),
    (op("attention", 3, rotary=True, nobias=True), (SEQUENCE, Shape(2, 6), Shape(2, 5))),
    (op("attention", 3, bare=True), (SEQUENCE,)),
    (op("attention", 4, bare=True, causal=True, rotary=True), (Shape(5, 8),)),
    (op("attention", 4, kv=2, bare=True, relative=4), (SEQUENCE, Shape(5, 6))),
    (op("attention", 4, kv=2, bare=True), (SEQUENCE, Shape(7, 6), Shape(7, 10))),
    (op("windowattention", 2, 3), (Shape(6, 9, 6),)),
    (op("windowattention", 3, 4), (MAP,)),
    (op("windowattention", 2, 4, shift=1), (MAP,)),
    (op("windowattention", 2, 3, shift=2), (MAP,)),
    (op("windowattention", 6, 7, shift=3), (Shape(7, 10, 6),)),
    (op("windowattention", 1, 1), (MAP,)),
    (op("upsample", (2, 3)), (MAP,)),
    (op("upsample", (2, 3), bilinear=True), (MAP,)),
    (op("upsample", 3, bicubic=True), (MAP,)),
    (op("upsample", 2, bilinear=True, corners=True), (MAP,)),
    (op("resize", (12, 5)), (MAP,)),
    (op("resize", (12, 5), bilinear=True), (MAP,)),
    (op("resize", (4, 13), bicubic=True), (MAP,)),
    (op("resize", (13, 5), bilinear=True, corners=True), (MAP,)),
    (op("resize", (4, 11), bicubic=True, corners=True), (MAP,)),
    (op("resize", bilinear=True), (MAP, Shape(5, 20, 2))),
    (op("pad", 2), (MAP,)),
    (op("pad", (Margin(0, 1), Margin(3, 0))), (MAP,)),
    (op("pad", (Margin(2, 1), 3), reflect=True), (MAP,)),
    (op("pad", (Margin(0, 9), 1), edge=True), (MAP,)),
    (op("crop", 2), (MAP,)),
    (op("crop", (Margin(0, 1), Margin(3, 0))), (MAP,)),
    (op("pixelshuffle", (3, 2)), (MAP,)),
    (op("pixelshuffle", 1), (MAP,)),
    (op("pixelunshuffle", (2, 3)), (Shape(4, 6, 3),)),
    (op("todepth", 2), (Shape(4, 6, 3),)),
    (op("todepth", (3, 2)), (MAP,)),
    (op("todepth", 8), (MAP,)),
    (op("padchannels", 8), (MAP,)),
    (op("slice", 2, **{"from": 3}), (MAP,)),
    (op("shuffle", 3), (MAP,)),
    *(
        (op(name), (MAP,))
        for name, family in TABLE.items()
        if family in ("activation", "gating") and name != "clip"
    ),
    (op("clip", low=-0.25, high=0.5), (MAP,)),
    (op("clip", low=0.25), (MAP,)),
    (op("clip", high=-0.25), (MAP,)),
    (op("leaky", slope=0.5), (MAP,)),
    (op("prelu"), (VECTOR,)),
    (op("prelu"), (SEQUENCE,)),
    (op("prelu", shared=True), (MAP,)),
    (op("elu", alpha=2.5), (MAP,)),
    (op("glu"), (VECTOR,)),
    (op("swiglu"), (SEQUENCE,)),
    (op("logsoftmax"), (VECTOR,)),
]
ALONG_AXES: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = [
    ("conv", (4,), {"k": 3}),
    ("conv", (4,), {"k": 3, "s": 2, "p": 1, "nobias": True}),
    ("conv", (4,), {"k": 3, "s": 2, "p": Margin(0, 1)}),
    ("conv", (4,), {"k": 3, "d": 2, "half": True}),
    ("conv", (4,), {"k": 4, "s": 3, "same": True}),
    ("conv", (6,), {"k": 3, "g": 3, "half": True}),
    ("conv", (6,), {"k": 3, "g": 6, "half": True}),
    ("conv", (2,), {"k": 3, "half": True, "table": [[0, 1], [1, 2, 5]]}),
    ("deconv", (4,), {"k": 3, "s": 2}),
    ("deconv", (4,), {"k": 3, "s": 2, "d": 3, "p": 1, "out": 1}),
    ("deconv", (4,), {"k": 3, "s": 2, "p": Margin(0, 1)}),
    ("deconv", (6,), {"k": 4, "s": 2, "p": 1, "g": 3, "nobias": True}),
    ("maxpool", (2,), {}),
    ("maxpool", (3,), {"s": 2, "ceil": True}),
    ("maxpool", (2,), {"s": 1, "d": 2, "p": 1}),
    ("avgpool", (3,), {"s": 2, "p": 1}),
    ("avgpool", (3,), {"s": 2, "same": True}),
    ("avgpool", (3,), {"s": 2, "p": Margin(0, 1)}),
    ("sumpool", (2,), {"s": 1}),
    ("adaptivepool", (2,), {}),
    ("adaptivepool", (4,), {"max": True}),
    ("gap", (), {}),
    ("bn", (), {}),
    ("ln", (), {}),
    ("groupnorm", (3,), {}),
    ("instancenorm", (), {}),
    ("rmsnorm", (), {}),
    ("lrn", (5,), {}),
    ("scale", (), {}),
    ("flatten", (), {}),
    ("upsample", (2,), {}),
    ("upsample", (3,), {"bilinear": True}),
    ("resize", (5,), {}),
    ("resize", (9,), {"bilinear": True, "corners": True}),
    ("pad", (Margin(1, 2),), {}),
    ("pad", (2,), {"reflect": True}),
    ("pad", (Margin(1, 0),), {"edge": True}),
    ("crop", (Margin(1, 0),), {}),
    ("pixelshuffle", (1,), {}),
    ("todepth", (2,), {}),
    ("padchannels", (8,), {}),
    ("slice", (2,), {"from": 3}),
    ("shuffle", (3,), {}),
    *((name, (), {}) for name, family in TABLE.items() if family == "gating"),
    *((name, (), {}) for name, family in TABLE.items() if family == "activation" and name != "clip"),
    ("clip", (), {"low": -0.5, "high": 0.5}),
    ("prelu", (), {"shared": True}),
]
CASES += [
    (op(name, *given, rank=x.rank, **optional), (x,))
    for x in (LINE, VOLUME)
    for name, given, optional in ALONG_AXES
]
CASES += [
    (op(name), inputs)
    for x in (LINE, VOLUME)
    for name, inputs in (
        ("add", (x, x, x)),
        ("concat", (x, x.of(2))),
        ("mul", (x, Shape(1, 1, 6))),
        ("mul", (Shape(1, 1, 6), x)),
    )
]
CASES += [
    (op("conv", 4, k=(1, 3, 2), s=(1, 2, 1), p=(0, 1, 1), rank=3), (VOLUME,)),
    (op("conv", 4, k=(3, 1, 1), s=(2, 1, 1), p=(1, 0, 0), rank=3), (VOLUME,)),
    (op("conv", 4, rank=3), (VOLUME,)),
    (op("deconv", 2, k=(2, 3, 1), s=(2, 1, 3), p=(0, 1, 0), rank=3), (VOLUME,)),
    (op("maxpool", (1, 3), s=2, d=2), (Shape(1, 9, 2),)),
    (op("maxpool", 3, s=2, d=2, p=2, ceil=True), (MAP,)),
    (op("maxpool", 3, s=1, d=2, same=True), (MAP,)),
    (op("todepth", (1, 2, 3), rank=3), (VOLUME,)),
    (op("pixelshuffle", 2, rank=1), (LINE,)),
    (op("pixelshuffle", (1, 3, 2), rank=3), (VOLUME,)),
    (op("pixelunshuffle", 3, rank=1), (Shape(12, 2),)),
    (op("pixelunshuffle", (2, 1, 2), rank=3), (VOLUME,)),
    (op("upsample", (3, 1, 2), rank=3), (VOLUME,)),
    (op("tokens"), (VOLUME,)),
    (op("linear", 5), (Shape(1, 1, 1, 6),)),
    (op("rbf", 5), (Shape(1, 1, 1, 6),)),
    (op("add", crop=True), (LINE, Shape(9, 6))),
    (op("add", crop=True), (VOLUME, Shape(6, 7, 5, 6))),
    (op("mul"), (VOLUME, Shape(1, 1, 1, 6))),
]


def arrays_of(operator: Operator, inputs: tuple[Shape, ...]) -> list[Any]:
    """Return normal values; ids of all words for an embedding."""
    if operator.name == "embedding":
        facts: Any = operator
        ids = np.arange(inputs[0].values) % facts.words
        return [ids.astype(np.float32).reshape(1, *map(int, inputs[0]))]
    return [RNG.standard_normal((1, *map(int, x)), dtype=np.float32) for x in inputs]


def weights_of(operator: Operator, inputs: tuple[Shape, ...]) -> dict[str, Any]:
    """Return positive weights, averages over what they sum: nothing overflows in a deep network."""
    shapes = {w.name: tuple(map(int, w.shape)) for w in operator.weights(*inputs)}
    return {
        name: (RNG.random(shape, dtype=np.float32) + np.float32(0.5)) / np.float32(prod(shape[:-1]))
        for name, shape in shapes.items()
    }
