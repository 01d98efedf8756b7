"""Write layers with weights, and elementwise functions, as torch code."""

from __future__ import annotations

from math import prod
from typing import Any

from archcalc.export.refusal import ExportError
from archcalc.export.torch.piece import Form, LayerCode, PieceRule, arg, as_it_is, sizes
from archcalc.export.torch.pools import around, by_name, even
from archcalc.export.windows import declared, sides
from archcalc.graph.model import Graph, Node


def conv(graph: Graph, node: Node) -> LayerCode:
    op: Any = node.operator
    if op.table is not None:
        raise ExportError("a table of connections between channels")
    x = graph.input_shapes(node)[0]
    pairs = sides(op, x)
    exact = declared(op, x) if even(declared(op, x)) else pairs
    words = {"stride": op.s, "padding": [], "dilation": op.d}
    call = "self.{m}({0})"
    if even(exact):
        words["padding"] = [before for before, _ in exact]
    elif any(n for pair in pairs for n in pair):
        call = f"self.{{m}}(F.pad({{0}}, {around(pairs)}))"
    more = by_name(words, {"stride": 1, "padding": 0, "dilation": 1})
    more += f", groups={arg('groups', op.g)}" if op.g != 1 else ""
    more += ", bias=False" if op.nobias else ""
    inside, filters = arg("channels", x.channels), arg("filters", op.filters)
    made = f"nn.Conv{x.rank}d({inside}, {filters}, {sizes('kernel', op.k)}{more})"
    weights = {
        "weight": (".weight", lambda w: w.transpose(-1 % w.ndim, -2 % w.ndim, *range(w.ndim - 2)))
    }
    return LayerCode("first", call, {"": made}, weights | _bias(op))


def _bias(op: Any) -> dict[str, Any]:
    return {} if op.nobias else {"bias": (".bias", as_it_is)}


def deconv(graph: Graph, node: Node) -> LayerCode:
    op: Any = node.operator
    x = graph.input_shapes(node)[0]
    groups, filters = int(op.g), int(op.filters)
    pairs = tuple((int(a), int(b)) for a, b in op.p)
    words: dict[str, Any] = {"stride": op.s, "padding": [], "output_padding": op.out, "dilation": op.d}
    call = "self.{m}({0})"
    if even(pairs):
        words["padding"] = [before for before, _ in pairs]
    else:
        call = f"F.pad(self.{{m}}({{0}}), {around(tuple((-a, -b) for a, b in pairs))})"
    more = by_name(words, {"stride": 1, "padding": 0, "output_padding": 0, "dilation": 1})
    more += f", groups={arg('groups', op.g)}" if op.g != 1 else ""
    more += ", bias=False" if op.nobias else ""
    inside = arg("channels", x.channels)
    made = (
        f"nn.ConvTranspose{x.rank}d({inside}, {arg('filters', filters)}, {sizes('kernel', op.k)}{more})"
    )

    def turned(w: Any) -> Any:
        axes = w.ndim - 2
        apart = w.reshape(*w.shape[:-1], groups, filters // groups)
        moved = apart.transpose(axes + 1, axes, axes + 2, *range(axes))
        return moved.reshape(-1, filters // groups, *w.shape[:axes])

    return LayerCode("first", call, {"": made}, {"weight": (".weight", turned)} | _bias(op))


def linear(graph: Graph, node: Node) -> LayerCode:
    op: Any = node.operator
    x = graph.input_shapes(node)[0]
    bias = ", bias=False" if op.nobias else ""
    made = f"nn.Linear({arg('channels', x.channels)}, {arg('units', op.units)}{bias})"
    form: Form = "flat" if prod(x[:-1]) == 1 else "last"
    return LayerCode(
        form, "self.{m}({0})", {"": made}, {"weight": (".weight", lambda w: w.T)} | _bias(op)
    )


def batch_norm(graph: Graph, node: Node) -> LayerCode:
    op: Any = node.operator
    rank, channels = graph.input_shapes(node)[0].rank, arg("channels", node.shape.channels)
    eps = "" if op.eps == 1e-5 else f", eps={op.eps!r}"
    weights: dict[str, Any] = {
        "mean": (".running_mean", as_it_is),
        "variance": (".running_var", as_it_is),
    }
    weights |= {} if op.noscale else {"scale": (".weight", as_it_is)}
    weights |= {} if op.noshift else {"shift": (".bias", as_it_is)}
    if op.noscale == op.noshift:
        affine = ", affine=False" if op.noscale else ""
        made = f"nn.BatchNorm{rank}d({channels}{eps}{affine})"
        return LayerCode("first", "self.{m}({0})", {"": made}, weights)
    made = f'HalfNorm({channels}, "{"weight" if op.noshift else "bias"}"{eps})'
    return LayerCode("first", "self.{m}({0})", {"": made}, weights, needs=("HalfNorm",))


def _affine(op: Any) -> tuple[str, dict[str, Any]]:
    if op.noscale and not op.noshift:
        raise ExportError("a shift without a scale")
    weights: dict[str, Any] = {} if op.noscale else {"scale": (".weight", as_it_is)}
    weights |= {} if op.noshift else {"shift": (".bias", as_it_is)}
    return f", eps={op.eps!r}", weights


def layer_norm(graph: Graph, node: Node) -> LayerCode:
    op: Any = node.operator
    eps, weights = _affine(op)
    more = ", elementwise_affine=False" if op.noscale else ", bias=False" if op.noshift else ""
    eps = "" if op.eps == 1e-5 else eps
    made = f"nn.LayerNorm({arg('channels', node.shape.channels)}{eps}{more})"
    return LayerCode("last", "self.{m}({0})", {"": made}, weights)


def group_norm(graph: Graph, node: Node) -> LayerCode:
    op: Any = node.operator
    eps, weights = _affine(op)
    if op.noscale != op.noshift:
        raise ExportError("a scale without a shift")
    channels, eps = arg("channels", node.shape.channels), "" if op.eps == 1e-5 else eps
    if op.name == "groupnorm":
        affine = ", affine=False" if op.noscale else ""
        made = f"nn.GroupNorm({arg('groups', op.groups)}, {channels}{eps}{affine})"
    else:
        affine = "" if op.noscale else ", affine=True"
        made = f"nn.InstanceNorm{node.shape.rank}d({channels}{eps}{affine})"
    return LayerCode("first", "self.{m}({0})", {"": made}, weights)


def rms_norm(graph: Graph, node: Node) -> LayerCode:
    op: Any = node.operator
    more = ", elementwise_affine=False" if op.noscale else ""
    made = f"nn.RMSNorm({arg('channels', node.shape.channels)}, eps={op.eps!r}{more})"
    weights = {} if op.noscale else {"scale": (".weight", as_it_is)}
    return LayerCode("last", "self.{m}({0})", {"": made}, weights)


def response_norm(graph: Graph, node: Node) -> LayerCode:
    size = int(getattr(node.operator, "size"))  # noqa: B009
    return LayerCode(
        "first", f"F.local_response_norm({{0}}, {size}, alpha={1e-4 * size:g}, beta=0.75, k=2.0)"
    )


def scale(graph: Graph, node: Node) -> LayerCode:
    op: Any = node.operator
    ones = " ".join(["", *["None"] * node.shape.rank]).replace(" None", ", None")
    channels = arg("channels", node.shape.channels)
    call, modules = f"{{0}} * self.{{m}}[:{ones}]", {"": f"nn.Parameter(torch.ones({channels}))"}
    weights: dict[str, Any] = {"weight": ("", as_it_is)}
    if not op.nobias:
        call += f" + self.{{m}}_bias[:{ones}]"
        modules["_bias"] = f"nn.Parameter(torch.zeros({channels}))"
        weights["bias"] = ("_bias", as_it_is)
    return LayerCode("first", call, modules, weights)


def prelu(graph: Graph, node: Node) -> LayerCode:
    op: Any = node.operator
    made = "nn.PReLU()" if op.shared else f"nn.PReLU({arg('channels', node.shape.channels)})"
    return LayerCode(
        "first", "self.{m}({0})", {"": made}, {"weight": (".weight", lambda w: w.reshape(-1))}
    )


def clip(graph: Graph, node: Node) -> LayerCode:
    op: Any = node.operator
    return LayerCode("first", f"{{0}}.clamp({op.low!r}, {op.high!r})")


def recurrent(kind: str) -> PieceRule:
    def rule(graph: Graph, node: Node) -> LayerCode:
        op: Any = node.operator
        if op.bias_count == 1 or getattr(op, "before", False):
            raise ExportError(
                "a single bias of a gate" if op.bias_count == 1 else "a reset before the product"
            )
        width = graph.input_shapes(node)[0].channels
        more = f", num_layers={op.layers}" if op.layers > 1 else ""
        more += ", bidirectional=True" if op.both else ""
        more += ", bias=False" if op.nobias else ""
        more += f", proj_size={int(op.proj)}" if op.proj is not None else ""
        more += ', nonlinearity="relu"' if getattr(op, "act", "tanh") == "relu" else ""
        made = f"nn.{kind}({arg('channels', width)}, {arg('units', op.units)}, batch_first=True{more})"
        weights = {
            w.name: (f".{w.name}", as_it_is if len(w.shape) == 1 else lambda v: v.T)
            for w in graph.weights(graph.holder(node))
        }
        call = "self.{m}({0})[0]"
        if not op.last:
            return LayerCode("last", call, {"": made}, weights)
        ends = f"ends({call}, {int(op.state)})" if op.both else f"{call}[:, -1]"
        return LayerCode("last", ends, {"": made}, weights, "flat", ("ends",) if op.both else ())

    return rule


def plain(call: str, form: Form = "first") -> PieceRule:
    """Return a rule for an elementwise function; `{d}` in `call` is the channel axis."""
    return lambda graph, node: LayerCode(form, call)


def leaky(graph: Graph, node: Node) -> LayerCode:
    op: Any = node.operator
    return LayerCode("first", f"F.leaky_relu({{0}}, {op.slope!r})")


def elu(graph: Graph, node: Node) -> LayerCode:
    op: Any = node.operator
    return LayerCode("first", f"F.elu({{0}}, {op.alpha!r})")


def dropout(graph: Graph, node: Node) -> LayerCode:
    return LayerCode("first", "self.{m}({0})", {"": "nn.Dropout()"})


_FREE = """
relu relu6 hardtanh leaky elu selu sigmoid tanh softplus mish swish gelu hsigmoid hswish clip dropout
droppath
"""
FREE = frozenset(_FREE.split())  # layers that work in any axis order
LAYERS: dict[str, PieceRule] = {
    "conv": conv,
    "deconv": deconv,
    "linear": linear,
    "bn": batch_norm,
    "ln": layer_norm,
    "groupnorm": group_norm,
    "instancenorm": group_norm,
    "rmsnorm": rms_norm,
    "lrn": response_norm,
    "scale": scale,
    "prelu": prelu,
    "clip": clip,
    "leaky": leaky,
    "elu": elu,
    "dropout": dropout,
    "droppath": plain("{0}"),
    "lstm": recurrent("LSTM"),
    "gru": recurrent("GRU"),
    "rnn": recurrent("RNN"),
    **{
        name: plain(f"F.{function}({{0}})")
        for name, function in {
            "relu": "relu",
            "relu6": "relu6",
            "hardtanh": "hardtanh",
            "selu": "selu",
            "softplus": "softplus",
            "mish": "mish",
            "swish": "silu",
            "gelu": "gelu",
            "hsigmoid": "hardsigmoid",
            "hswish": "hardswish",
        }.items()
    },
    "sigmoid": plain("torch.sigmoid({0})"),
    "tanh": plain("torch.tanh({0})"),
    "softmax": plain("{0}.softmax(-1)", "last"),
    "logsoftmax": plain("{0}.log_softmax(-1)", "last"),
    "glu": plain("F.glu({0}, -1)", "last"),
}
