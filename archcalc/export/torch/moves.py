"""Write joins, moves, tokens and attention as torch code."""

from __future__ import annotations

from math import sqrt
from typing import Any

from archcalc.export.refusal import ExportError
from archcalc.export.torch.layers import plain
from archcalc.export.torch.piece import Form, LayerCode, PieceRule, arg, as_it_is
from archcalc.export.torch.pools import around
from archcalc.graph.model import Graph, Node

_PLACES = {"channels": -1, "length": -2, "width": -2, "height": -3, "frames": -4}


def _dim(name: str, form: Form, rank: int) -> int:
    """Return the index of a named axis of a tensor."""
    place = _PLACES[name] % (rank + 2)
    return place if form == "last" else 1 if name == "channels" else place + 1


def join(sign: str) -> PieceRule:
    """Return a rule that joins the inputs with an operator; the writer decides their axis order."""

    def rule(graph: Graph, node: Node) -> LayerCode:
        places = [f"{{{i}}}" for i in range(len(node.inputs))]
        call = places[0]
        for place in places[1:]:
            call = f"torch.maximum({call}, {place})" if sign == "max" else f"{call} {sign} {place}"
        return LayerCode("first", call)

    return rule


def concat(graph: Graph, node: Node) -> LayerCode:
    op: Any = node.operator
    places = ", ".join(f"{{{i}}}" for i in range(len(node.inputs)))
    return LayerCode("first", f"torch.cat([{places}], {_dim(op.axis, 'first', node.shape.rank)})")


def piece(graph: Graph, node: Node) -> LayerCode:
    op: Any = node.operator
    begin, dim = int(op.start), _dim(op.axis, "first", node.shape.rank)
    part = f"{begin or ''}:{begin + int(op.size)}"
    return LayerCode("first", f"{{0}}[{', '.join([':'] * dim + [part])}]")


def crop(graph: Graph, node: Node) -> LayerCode:
    op: Any = node.operator
    pairs = tuple((-int(a), -int(b)) for a, b in op.size)
    return LayerCode("first", f"F.pad({{0}}, {around(pairs)})")


def pad(graph: Graph, node: Node) -> LayerCode:
    op: Any = node.operator
    mode = ', "reflect"' if op.reflect else ', "replicate"' if op.edge else ""
    pairs = tuple((int(a), int(b)) for a, b in op.size)
    return LayerCode("first", f"F.pad({{0}}, {around(pairs)}{mode})")


def pad_channels(graph: Graph, node: Node) -> LayerCode:
    more = int(node.shape.channels) - int(graph.input_shapes(node)[0].channels)
    zeros = ", ".join(["0, 0"] * node.shape.rank)
    return LayerCode("first", f"F.pad({{0}}, ({zeros}, 0, {arg('more', more)}))")


def resize(graph: Graph, node: Node) -> LayerCode:
    op: Any = node.operator
    size = ", ".join(str(int(n)) for n in node.shape.extents)
    linear = {1: "linear", 2: "bilinear", 3: "trilinear"}[node.shape.rank]
    mode = f', mode="{"bicubic" if op.bicubic else linear}"' if op.bilinear or op.bicubic else ""
    corners = ", align_corners=True" if mode and op.corners else ""
    return LayerCode(
        "first",
        f"F.interpolate({{0}}, ({size},){mode}{corners})".replace(",)", ")")
        if "," in size
        else f"F.interpolate({{0}}, {size}{mode}{corners})",
    )


def shuffle(graph: Graph, node: Node) -> LayerCode:
    op: Any = node.operator
    return LayerCode("first", f"F.channel_shuffle({{0}}, {arg('groups', op.groups)})")


def pixels(function: str) -> PieceRule:
    def rule(graph: Graph, node: Node) -> LayerCode:
        op: Any = node.operator
        factors = {int(f) for f in op.factor}
        if len(op.factor) != 2 or len(factors) > 1:
            raise ExportError("a factor for each axis")
        return LayerCode("first", f"F.{function}({{0}}, {factors.pop()})")

    return rule


def to_depth(graph: Graph, node: Node) -> LayerCode:
    op: Any = node.operator
    factors = {int(f) for f in op.factor}
    if len(op.factor) != 2 or len(factors) > 1:
        raise ExportError("a factor for each axis")
    return LayerCode("last", f"to_depth({{0}}, {factors.pop()})", needs=("to_depth",))


def roll(graph: Graph, node: Node) -> LayerCode:
    op: Any = node.operator
    rank = node.shape.rank
    dims = range(2, rank + 2) if op.axis == "positions" else [_dim(op.axis, "first", rank)]
    return LayerCode("first", f"{{0}}.roll({tuple([int(op.shift)] * len(dims))}, {tuple(dims)})")


def permute(graph: Graph, node: Node) -> LayerCode:
    op: Any = node.operator
    return LayerCode(
        "last", f"{{0}}.permute({', '.join(str(d) for d in (0, *(int(a) + 1 for a in op.order)))})"
    )


def reshape(graph: Graph, node: Node) -> LayerCode:
    sizes = ", ".join(str(int(n)) for n in node.shape)
    return LayerCode("last", f"{{0}}.reshape(-1, {sizes})")


def tokens(graph: Graph, node: Node) -> LayerCode:
    rank = graph.input_shapes(node)[0].rank
    return LayerCode("last", "{0}" if rank == 1 else f"{{0}}.flatten(1, {rank})")


def token(graph: Graph, node: Node) -> LayerCode:
    index = int(getattr(node.operator, "index"))  # noqa: B009
    return LayerCode("last", f"{{0}}[:, {index}]", made="flat")


def class_token(graph: Graph, node: Node) -> LayerCode:
    modules = {"": f"nn.Parameter(torch.zeros({arg('channels', node.shape.channels)}))"}
    call = "torch.cat([self.{m}.expand(len({0}), 1, -1), {0}], 1)"
    return LayerCode("last", call, modules, {"weight": ("", lambda w: w.reshape(-1))})


def position(graph: Graph, node: Node) -> LayerCode:
    places = [int(n) for n in graph.weights(graph.holder(node))[0].shape]
    part = f"[:{int(node.shape[0])}]" if places[0] > node.shape[0] else ""
    made = f"nn.Parameter(torch.zeros({places[0]}, {places[1]}))"
    return LayerCode("last", f"{{0}} + self.{{m}}{part}", {"": made}, {"position": ("", as_it_is)})


def embedding(graph: Graph, node: Node) -> LayerCode:
    op: Any = node.operator
    if graph.nodes[node.inputs[0]].inputs:
        raise ExportError("ids that a layer computes")
    made = f"nn.Embedding({int(op.words)}, {int(op.channels)})"
    return LayerCode("flat", "self.{m}({0})", {"": made}, {"weight": (".weight", as_it_is)}, "last")


def unembed(graph: Graph, node: Node) -> LayerCode:
    return LayerCode("last", "F.linear({0}, self.{m}.weight)")


def sinusoid(graph: Graph, node: Node) -> LayerCode:
    return LayerCode("last", "{0} + waves(*{0}.shape[1:]).to({0})", needs=("waves",))


def reduction(function: str) -> PieceRule:
    def rule(graph: Graph, node: Node) -> LayerCode:
        op: Any = node.operator
        rank = graph.input_shapes(node)[0].rank
        dims = tuple(range(1, rank + 1)) if op.axis == "positions" else (_dim(op.axis, "last", rank),)
        return LayerCode("last", f"{{0}}.{function}({dims}, keepdim=True)")

    return rule


def matmul(graph: Graph, node: Node) -> LayerCode:
    op: Any = node.operator
    other = "{1}.transpose(-1, -2)" if op.transposed else "{1}"
    factor = f" * {int(graph.input_shapes(node)[0].channels)} ** -0.5" if op.scaled else ""
    return LayerCode("last", f"{{0}} @ {other}{factor}")


def attention(graph: Graph, node: Node) -> LayerCode:
    """Write attention; torch scales the scores itself, so the scale leaves our query weights."""
    op: Any = node.operator
    if op.relative is not None or op.window is not None:
        raise ExportError("a bias by distance, or a window of tokens")
    shapes = graph.input_shapes(node)
    own = {w.name: w.shape for w in graph.weights(graph.holder(node))}
    kv = op.heads if op.kv is None else op.kv
    if op.bare:
        options = f"{int(op.heads)}, {int(kv)}" + (", causal=True" if op.causal else "")
        options += f", base={int(op.base)}" if op.rotary else ""
        names = ", ".join(f"{{{min(i, len(shapes) - 1)}}}" for i in range(3))
        return LayerCode("last", f"attend({names}, {options})", needs=_turned(op, "attend"))
    width = int(own["query.weight"][-1])
    memory = int(shapes[min(1, len(shapes) - 1)].channels)
    words = [arg("channels", shapes[0].channels), arg("heads", op.heads)]
    words += [f"kv={int(kv)}"] if kv != op.heads else []
    words += [f"width={width}"] if width != shapes[0].channels else []
    words += [f"memory={memory}"] if memory != shapes[0].channels else []
    words += ["causal=True"] if op.causal else []
    words += [f"base={int(op.base)}"] if op.rotary else []
    words += ["bias=False"] if op.nobias else []
    words += ["output=False"] if op.noout else []
    if len(shapes) > 2 and shapes[2].channels != memory:
        raise ExportError("values of other channels than keys")
    factor = sqrt(width / int(op.heads))
    weights: dict[str, Any] = {}
    for name in own:
        times = factor if name.startswith("query") else 1.0
        bias = name.endswith("bias")
        weights[name] = (
            f".{name}",
            lambda w, t=times, b=bias: (w.reshape(-1) if b else w.T) * w.dtype.type(t),
        )
    names = ", ".join(f"{{{i}}}" for i in range(len(shapes)))
    made = f"Attention({', '.join(words)})"
    return LayerCode(
        "last", f"self.{{m}}({names})", {"": made}, weights, needs=_turned(op, "attend", "Attention")
    )


def _turned(op: Any, *names: str) -> tuple[str, ...]:
    return ("turn", *names) if op.rotary else names


def window_attention(graph: Graph, node: Node) -> LayerCode:
    op: Any = node.operator
    channels, heads = int(node.shape.channels), int(op.heads)
    words = [arg("channels", channels), arg("heads", heads), arg("window", op.window)]
    words += [f"shift={int(op.shift)}"] if op.shift else []
    weights: dict[str, Any] = {"position": (".position", lambda w: w.reshape(-1, heads))}
    for name in ("query", "key", "value", "output"):
        times = sqrt(channels / heads) if name == "query" else 1.0
        weights[f"{name}.weight"] = (f".{name}.weight", lambda w, t=times: w.T * w.dtype.type(t))
        weights[f"{name}.bias"] = (f".{name}.bias", lambda w, t=times: w.reshape(-1) * w.dtype.type(t))
    made = f"WindowAttention({', '.join(words)})"
    return LayerCode("last", "self.{m}({0})", {"": made}, weights, needs=("WindowAttention",))


def stored(sign: str) -> PieceRule:
    """Return a rule for a join with a stored tensor: one number per channel, or one per value."""

    def rule(graph: Graph, node: Node) -> LayerCode:
        op: Any = node.operator
        if op.of is not None:
            raise ExportError("a table that is made beforehand of other numbers")
        extents = [int(n) for n in op.shape]
        start = "zeros" if sign == "+" else "ones"
        made = (
            f"nn.{'Buffer' if op.fixed else 'Parameter'}(torch.{start}({', '.join(map(str, extents))}))"
        )
        if len(extents) > 1:
            return LayerCode("last", f"{{0}} {sign} self.{{m}}", {"": made}, {op.table: ("", as_it_is)})
        ones = ", None" * node.shape.rank
        weights = {op.table: ("", lambda w: w.reshape(-1))}
        return LayerCode("first", f"{{0}} {sign} self.{{m}}[:{ones}]", {"": made}, weights)

    return rule


JOINS = {"add": "+", "sub": "-", "mul": "*", "maximum": "max"}
MOVES: dict[str, PieceRule] = {
    **{name: join(sign) for name, sign in JOINS.items()},
    "concat": concat,
    "slice": piece,
    "crop": crop,
    "pad": pad,
    "padchannels": pad_channels,
    "upsample": resize,
    "resize": resize,
    "shuffle": shuffle,
    "pixelshuffle": pixels("pixel_shuffle"),
    "pixelunshuffle": pixels("pixel_unshuffle"),
    "todepth": to_depth,
    "roll": roll,
    "permute": permute,
    "reshape": reshape,
    "flatten": lambda graph, node: LayerCode("last", "{0}.flatten(1)", made="flat"),
    "tokens": tokens,
    "token": token,
    "transpose": plain("{0}.transpose(1, 2)", "last"),
    "classtoken": class_token,
    "posembed": position,
    "embedding": embedding,
    "unembed": unembed,
    "sinusoid": sinusoid,
    "mean": reduction("mean"),
    "sum": reduction("sum"),
    "max": reduction("amax"),
    "matmul": matmul,
    "attention": attention,
    "windowattention": window_attention,
    "offset": stored("+"),
    "factor": stored("*"),
    "swiglu": lambda graph, node: LayerCode("last", "swiglu({0})", needs=("swiglu",)),
}
