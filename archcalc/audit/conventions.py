"""How people count: what named tools do, and the single habits from which other counts are made.

A convention changes a sum of terms: a tool states its whole sum, a habit adds to the sum or takes from
it. Conventions of one slot exclude each other, and a tool excludes all habits of adding. The sums of
tools are those for networks without attention.
"""

from __future__ import annotations

from typing import NamedTuple

from archcalc.audit.terms import Rule, rule

Kind = str  # one of DEFAULTS

PRODUCTS = "conv products + deconv products + linear products + attention products"
LEARNED = "weights + biases + norm scales + norm shifts"
STORED = f"{LEARNED} + statistics + fixed"
MODULES = (
    "conv values + linear values + bn values + ln values + lrn values + relu values + curve values"
    " + softmax values + max pool outputs + average pool outputs + global pool outputs"
    " + dropout values + join values"
)


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
    `base` is what a tool's K is worth: 1,024 where it prints 2²⁰ bytes as MB. Among equally many
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

# tools that hook modules: name, what it adds, its sum, and what it adds for global average pools
_HOOKED = (
    (
        "thop 0.0.31",
        "conv biases, 2 a batch-norm value and average pools",
        f"{PRODUCTS} + conv biases added + 2 bn values + average pool outputs",
        "global pool inputs + global pool outputs + 2 flattened values",
    ),
    (
        "thop 0.1.1",
        "4 a normalized value and average pools",
        f"{PRODUCTS} + 4 bn values + 4 ln values + average pool outputs",
        "global pool inputs + global pool outputs + 2 flattened values",
    ),
    (
        "thop 2019",
        "conv biases, 4 a batch-norm value, the additions of linear layers and average pools",
        "conv products + deconv products + 2 linear products − linear values"
        " + conv biases added + 4 bn values + average pool windows + average pool outputs",
        "global pool inputs + global pool outputs + 2 flattened values",
    ),
    (
        "fvcore",
        "2 a batch-norm value, 5 a layer-norm value and global pools",
        f"{PRODUCTS} + 2 bn values + 5 ln values",
        "global pool inputs + flattened values",
    ),
)
_BEFORE_FLATTEN = "(torchvision has a global one before a flatten, too)"
_UNSEEN = "global pools are no modules"
_WORK_TOOLS = (
    *(
        _tool(n, f"{n} adds {says} {_BEFORE_FLATTEN}", f"{sum} + {pools}")
        for n, says, sum, pools in _HOOKED
    ),
    *(
        _tool(f"{n}, {_UNSEEN}", f"{n} adds {says}; {_UNSEEN}", sum, weight=10)
        for n, says, sum, _ in _HOOKED
    ),
    _tool(
        "torchinfo",
        "torchinfo adds conv biases, and counts each parameter of other layers once",
        "conv products + deconv products + conv biases added + linear parameters"
        " + norm scales + norm shifts",
    ),
    _tool(
        "Netscope",
        "Netscope adds the neighbors of each local response norm and 1 a batch-norm value",
        f"{PRODUCTS} + lrn neighbors + bn values + scale values",
    ),
    _tool(
        "convnet-burden",
        "convnet-burden adds biases, 2 a ReLU, 2 a pooled position and the additions of maps",
        f"{PRODUCTS} + conv biases added + linear biases added + 2 relu values + 2 max pool strides"
        " + 2 average pool strides + additions of maps + lrn scalings",
    ),
    _tool(
        "tf.profiler",
        "tf.profiler counts 2 a product, biases and the window of each pool's output",
        "2 conv products + 2 deconv products + 2 linear products + 2 attention products"
        " + conv biases added + linear biases added + max pool windows + average pool windows"
        " + global pool inputs",
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
_MAP_TOOLS = (
    _tool(
        "torchsummary",
        "torchsummary: 2 × 4 bytes for the output of every module, without the input, and its MB is 2²⁰",
        MODULES,
        8,
        1024,
    ),
    _tool(
        "torchinfo",
        "torchinfo: 2 × 4 bytes for the output of every module that has parameters",
        "conv values + linear values + bn values + ln values",
        8,
        1000,
    ),
    _tool(
        "convnet-burden",
        "convnet-burden: maps and batch norms without the input, and its MB is 2²⁰",
        "map values + bn values",
        4,
        1024,
    ),
)
_ALL_TOOLS = (
    _tool(
        "torchsummary",
        "torchsummary: input, 2 × the output of every module, parameters; its MB is 2²⁰",
        f"{LEARNED} + input values + 2 {MODULES.replace(' + ', ' + 2 ')}",
        4,
        1024,
    ),
    _tool(
        "torchinfo",
        "torchinfo: input, 2 × the output of every module that has parameters, parameters",
        f"{LEARNED} + input values + 2 conv values + 2 linear values + 2 bn values + 2 ln values",
        4,
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
    _tool(
        "timm",
        "timm and pycls count the outputs of conv and linear layers",
        "conv values + linear values",
    ),
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
