"""How people count: what named tools do, and the single habits from which other counts are made.

A convention changes a sum of terms: a tool states its whole sum, a habit adds to the sum or takes from
it. Conventions of one slot exclude each other, and a tool excludes all habits of adding. The sums of
tools are those for networks without attention.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from archcalc.audit.derived import (
    AS_TORCHVISION,
    BY_OPERATOR,
    NO_POOLS,
    WHOLES_END_IN_JOINS,
    View,
    derived,
)
from archcalc.audit.operator_tools import (
    CONVNET_BURDEN,
    CONVNET_BURDEN_MAPS,
    NETSCOPE,
    TF_PROFILER,
    TIMM_ACTIVATIONS,
)
from archcalc.audit.tables import Rules, sums
from archcalc.audit.terms import Rule, rule
from archcalc.audit.thop_tools import THOP, THOP_2019, THOP_2020
from archcalc.audit.torch_profilers import FVCORE, TORCHINFO
from archcalc.audit.torch_summaries import TORCHSUMMARY

Kind = str  # one of DEFAULTS

PRODUCTS = "conv products + deconv products + linear products + attention products"
LEARNED = "weights + biases + norm scales + norm shifts"
STORED = f"{LEARNED} + statistics + fixed"


class Default(NamedTuple):
    """What archcalc itself means by a quantity: `factor` (bytes a number) × the sum."""

    quantity: str
    rule: Rule
    factor: int = 1


DEFAULTS: dict[Kind, Default] = {
    "parameters": Default("parameters", rule(LEARNED)),
    "multiplies": Default("multiplies", rule(PRODUCTS)),
    "values": Default("values", rule("input values + map values")),
    "weight bytes": Default("bytes of weights", rule(STORED), 4),
    "map bytes": Default("bytes of activations", rule("input values + map values"), 4),
    "all bytes": Default(
        "bytes of weights and activations", rule(f"{STORED} + input values + map values"), 4
    ),
}


class Convention(NamedTuple):
    """One habit of counting.

    `rule` is the whole sum of a tool (`slot` "tool"), else what is added to the sum. `doubles` counts
    every product twice, `factor` replaces the bytes of a number, `trunk` leaves the classifier out,
    `base` is what a tool's K is worth: 1,024 where it prints 2²⁰ bytes as MB. `unknown` are operators
    whose count the tool's table does not tell. Among equally many
    departures those of small `weight` come first.
    """

    name: str
    says: str
    slot: str
    rule: Rule = ()
    doubles: bool = False
    factor: int = 0
    trunk: bool = False
    base: int = 0
    weight: int = 13
    unknown: frozenset[str] = frozenset()


def _table(
    name: str,
    says: str,
    tables: Iterable[Rules],
    view: View = BY_OPERATOR,
    base: int = 0,
    weight: int = 9,
) -> Convention:
    """A tool's own table, seen through a view of the code."""
    sum = derived(tables, view)
    return Convention(
        name, says, "tool", sum.rule, factor=sum.each, base=base, weight=weight, unknown=sum.unknown
    )


def _tool(name: str, says: str, sum: str, factor: int = 0, base: int = 0, weight: int = 9) -> Convention:
    return Convention(name, says, "tool", rule(sum), factor=factor, base=base, weight=weight)


def _habit(slot: str, name: str, sum: str, weight: int = 13) -> Convention:
    return Convention(name, name, slot, rule(sum), weight=weight)


TRUNK = Convention(
    "without the classifier",
    "counts up to the last map, without the classifier",
    "part",
    trunk=True,
    weight=11,
)
CONV_ONLY = Convention(
    "conv only",
    "counts conv layers only",
    "part",
    rule("−linear products − attention products"),
    weight=11,
)
TWICE = Convention(
    "FLOPs", "counts a multiply and an addition for each product", "unit", doubles=True, weight=10
)

# tools that look at modules: name, what it adds, its table
_MODULE_TOOLS = (
    ("thop 0.0.31", "conv biases, 2 a batch-norm value and average pools", THOP_2020),
    (
        "thop 0.1.1",
        "4 a normalized value, average pools, softmax, upsampling, whole windows of transposed convs",
        THOP,
    ),
    (
        "thop 2019",
        "conv biases, 4 a batch-norm value, the additions of linear layers and average pools",
        THOP_2019,
    ),
    ("fvcore", "2 a batch-norm value, 5 a layer-norm value and global pools", FVCORE),
)
_BEFORE_FLATTEN = "(torchvision has a global one before a flatten, too)"
_UNSEEN = "global pools are no modules"
_WORK_TOOLS = (
    *(
        _table(n, f"{n} adds {says} {_BEFORE_FLATTEN}", sums(tool, "flops"), AS_TORCHVISION)
        for n, says, tool in _MODULE_TOOLS
    ),
    *(
        _table(
            f"{n}, {_UNSEEN}", f"{n} adds {says}; {_UNSEEN}", sums(tool, "flops"), NO_POOLS, weight=10
        )
        for n, says, tool in _MODULE_TOOLS
    ),
    _table(
        "torchinfo",
        "torchinfo adds conv biases, and counts each parameter of other layers once",
        sums(TORCHINFO, "flops"),
        NO_POOLS,
    ),
    _table(
        "Netscope",
        "Netscope adds the neighbors of each local response norm and 1 a batch-norm value",
        [NETSCOPE],
    ),
    _table(
        "convnet-burden",
        "convnet-burden adds biases, 2 a ReLU, 2 a pooled position and the additions of maps",
        [CONVNET_BURDEN],
    ),
    _table(
        "tf.profiler",
        "tf.profiler counts 2 a product, biases and the window of each pool's output",
        [TF_PROFILER],
    ),
)
_WORK_HABITS = (
    _habit("bias", "adds biases", "conv biases added + linear biases added"),
    _habit("bias", "adds the biases of convs", "conv biases added"),
    _habit("norm", "adds 1 a batch-norm value", "bn values"),
    _habit("norm", "adds 2 a batch-norm value", "2 bn values"),
    _habit("norm", "adds 4 a batch-norm value", "4 bn values"),
    _habit("activation", "adds 1 an activation", "relu values + curve values"),
    _habit("activation", "adds 2 an activation", "2 relu values + 2 curve values"),
    _habit(
        "pool",
        "adds the outputs of pools",
        "max pool outputs + average pool outputs + global pool outputs",
    ),
    _habit(
        "pool",
        "adds the windows of pools",
        "max pool windows + average pool windows + global pool inputs",
    ),
    _habit("join", "adds elementwise additions and products", "additions of maps + products of maps"),
)
_PARAMETER_TOOLS = (
    _tool("Keras", "Keras counts running means and variances", f"{LEARNED} + statistics"),
    _tool(
        "Keras with biases",
        "Keras counts running means and variances, and its ResNets keep biases next to batch norm",
        f"{LEARNED} + statistics + idle biases",
    ),
    _tool("TF-Slim", "TF-Slim's table counts 3 a batch-norm channel", f"{LEARNED} + bn channels"),
    _tool("TF-Slim", "TF-Slim's table leaves batch norm out", "weights + biases"),
)
_PARAMETER_HABITS = (
    _habit("statistics", "counts running means and variances", "statistics", 11),
    _habit("idle", "keeps biases next to batch norm", "idle biases"),
    _habit("bias", "leaves biases out", "−biases", 12),
    _habit("norm", "leaves batch norm out", "−norm scales − norm shifts"),
    _habit("norm", "leaves the scales of batch norm out", "−norm scales"),
    _habit("fixed", "counts fixed numbers", "fixed", 11),
)
_DTYPES = tuple(
    Convention(
        name,
        f"{name}, {size} bytes a number" if size > 1 else f"{name}, a byte a number",
        "dtype",
        factor=size,
    )
    for name, size in (("float16", 2), ("int8", 1), ("float64", 8))
)
_WEIGHT_BYTES = (
    _tool(
        "Keras with biases",
        "Keras' ResNets keep biases next to batch norm, and its MB is 2²⁰",
        f"{STORED} + idle biases",
        4,
        1024,
    ),
    _habit("statistics", "leaves running means and variances out", "−statistics", 11),
    _habit("idle", "keeps biases next to batch norm", "idle biases"),
    *_DTYPES,
)
GRADIENTS = Convention("gradients too", "counts a gradient for each value", "dtype", factor=8, weight=12)
_PASS = "Forward/backward pass size (MB)"
_MAP_TOOLS = (
    _table(
        "torchsummary",
        "torchsummary: 2 × 4 bytes for the output of every module, without the input, and its MB is 2²⁰",
        sums(TORCHSUMMARY, "memory", _PASS),
        WHOLES_END_IN_JOINS,
        1024,
    ),
    _table(
        "torchinfo",
        "torchinfo: 2 × 4 bytes for the output of every module that has parameters",
        sums(TORCHINFO, "memory", _PASS),
        NO_POOLS,
        1000,
    ),
    _table(
        "convnet-burden",
        "convnet-burden: maps and batch norms without the input, and its MB is 2²⁰",
        [CONVNET_BURDEN_MAPS],
        base=1024,
    ),
)
_ALL_TOOLS = (
    _table(
        "torchsummary",
        "torchsummary: input, 2 × the output of every module, parameters; its MB is 2²⁰",
        sums(TORCHSUMMARY, "memory"),
        WHOLES_END_IN_JOINS,
        1024,
    ),
    _table(
        "torchinfo",
        "torchinfo: input, 2 × the output of every module that has parameters, parameters",
        sums(TORCHINFO, "memory"),
        NO_POOLS,
        1000,
    ),
)
_VALUE_HABITS = (
    _habit("input", "leaves the input out", "−input values", 12),
    _habit("activation", "adds activations", "relu values + curve values"),
    _habit("norm", "adds normalizations", "bn values + ln values + lrn values"),
    _habit("dropout", "adds dropout", "dropout values"),
)
_NEURONS = (
    _table("timm", "timm and pycls count the outputs of conv and linear layers", [TIMM_ACTIVATIONS]),
)

CONVENTIONS: dict[Kind, tuple[Convention, ...]] = {
    "parameters": (*_PARAMETER_TOOLS, *_PARAMETER_HABITS, TRUNK),
    "multiplies": (*_WORK_TOOLS, TWICE, CONV_ONLY, TRUNK, *_WORK_HABITS),
    "values": (*_NEURONS, *_VALUE_HABITS, TRUNK),
    "weight bytes": (*_WEIGHT_BYTES, TRUNK),
    "map bytes": (*_MAP_TOOLS, *_VALUE_HABITS, GRADIENTS, *_DTYPES[:-1], TRUNK),
    "all bytes": (*_ALL_TOOLS, *_DTYPES),
}
KINDS: dict[str, tuple[Kind, ...]] = {
    "": ("parameters", "multiplies", "values"),
    "parameters": ("parameters",),
    "multiplies": ("multiplies",),
    "FLOPs": ("multiplies",),
    "values": ("values",),
    "bytes": ("weight bytes", "map bytes", "all bytes"),
}
