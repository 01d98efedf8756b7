"""List how people count: the sums of named tools, and the single habits that make other counts.

A convention changes a sum of terms: a tool states its whole sum, a habit adds to the sum or subtracts
from it. Conventions of one slot exclude each other, and a tool excludes all additive habits. The sums
tools are those for networks without attention.
"""

from __future__ import annotations

from archcalc.audit.convention import (
    LEARNED,
    STORED,
    Convention,
    Kind,
    counted_by,
    habit,
    table,
    tool,
)
from archcalc.audit.derived import AS_TORCHVISION, NO_POOLS, WHOLES_END_IN_JOINS
from archcalc.audit.operator_tools import (
    CONV_AND_LINEAR_OUTPUTS,
    CONVNET_BURDEN,
    CONVNET_BURDEN_MAPS,
    NETSCOPE,
    TF_PROFILER,
)
from archcalc.audit.tables import sums
from archcalc.audit.terms import rule
from archcalc.audit.thop_tools import THOP, THOP_2019, THOP_2020
from archcalc.audit.torch_profilers import FVCORE, TORCHINFO
from archcalc.audit.torch_summaries import TORCHSUMMARY

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

# tools that look at modules: name, addition, table, and who prints its counts besides the tool
_MODULE_TOOLS = (
    ("thop 0.0.31", "conv biases, 2 a batch-norm value and average pools", THOP_2020, ()),
    (
        "thop 0.1.1",
        "4 a normalized value, average pools, softmax, upsampling, whole windows of transposed convs",
        THOP,
        (),
    ),
    (
        "thop 2019",
        "conv biases, 4 a batch-norm value, the additions of linear layers and average pools",
        THOP_2019,
        (),
    ),
    (
        "fvcore",
        "2 a batch-norm value, 5 a layer-norm value and global pools",
        FVCORE,
        ("fvcore", "timm"),
    ),
)
_BEFORE_FLATTEN = "(torchvision has a global one before a flatten, too)"
_UNSEEN = "global pools are no modules"
_WORK_TOOLS = (
    *(
        table(
            n,
            f"{n} adds {says} {_BEFORE_FLATTEN}",
            sums(rules, "flops"),
            AS_TORCHVISION,
            printers=printers,
        )
        for n, says, rules, printers in _MODULE_TOOLS
    ),
    *(
        table(
            f"{n}, {_UNSEEN}",
            f"{n} adds {says}; {_UNSEEN}",
            sums(rules, "flops"),
            NO_POOLS,
            weight=10,
            printers=printers,
        )
        for n, says, rules, printers in _MODULE_TOOLS
    ),
    table(
        "torchinfo",
        "torchinfo adds conv biases, and counts each parameter of other layers once",
        sums(TORCHINFO, "flops"),
        NO_POOLS,
    ),
    table(
        "Netscope",
        "Netscope adds the neighbors of each local response norm and 1 a batch-norm value",
        [NETSCOPE],
    ),
    table(
        "convnet-burden",
        "convnet-burden adds biases, 2 a ReLU, 2 a pooled position and the additions of maps",
        [CONVNET_BURDEN],
    ),
    table(
        "tf.profiler",
        "tf.profiler counts 2 a product, biases and the window of each pool's output",
        [TF_PROFILER],
    ),
)
_WORK_HABITS = (
    habit("bias", "adds biases", "conv biases added + linear biases added"),
    habit("bias", "adds the biases of convs", "conv biases added"),
    habit("norm", "adds 1 a batch-norm value", "bn values"),
    habit("norm", "adds 2 a batch-norm value", "2 bn values"),
    habit("norm", "adds 4 a batch-norm value", "4 bn values"),
    habit("activation", "adds 1 an activation", "relu values + curve values"),
    habit("activation", "adds 2 an activation", "2 relu values + 2 curve values"),
    habit(
        "pool",
        "adds the outputs of pools",
        "max pool outputs + average pool outputs + global pool outputs",
    ),
    habit(
        "pool",
        "adds the windows of pools",
        "max pool windows + average pool windows + global pool inputs",
    ),
    habit("join", "adds elementwise additions and products", "additions of maps + products of maps"),
)
_PARAMETER_TOOLS = (
    tool("Keras", "Keras counts running means and variances", f"{LEARNED} + statistics"),
    tool(
        "Keras with biases",
        "Keras counts running means and variances, and its ResNets keep biases next to batch norm",
        f"{LEARNED} + statistics + idle biases",
    )._replace(in_keras=True),
    counted_by(
        ("TF-Slim",),
        "3 a batch-norm channel",
        "counts 3 a batch-norm channel, as TF-Slim's table of MobileNet v1 does",
        f"{LEARNED} + bn channels",
    ),
    counted_by(
        ("TF-Slim",),
        "without batch norm",
        "leaves batch norm out, as if folded, and no bias in its place, as TF-Slim's table of "
        "MobileNet v2 does",
        "weights + biases",
    ),
)
_PARAMETER_HABITS = (
    habit("statistics", "counts running means and variances", "statistics", 11),
    habit("idle", "keeps biases next to batch norm", "idle biases"),
    habit("bias", "leaves biases out", "−biases", 12),
    habit("norm", "leaves batch norm out", "−norm scales − norm shifts"),
    habit("norm", "leaves the scales of batch norm out", "−norm scales"),
    habit("fixed", "counts fixed numbers", "fixed", 11),
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
    tool(
        "Keras with biases",
        "Keras' ResNets keep biases next to batch norm, and its MB is 2²⁰",
        f"{STORED} + idle biases",
        4,
        1024,
    )._replace(in_keras=True),
    habit("statistics", "leaves running means and variances out", "−statistics", 11),
    habit("idle", "keeps biases next to batch norm", "idle biases", 14),
    *_DTYPES,
)
GRADIENTS = Convention("gradients too", "counts a gradient for each value", "dtype", factor=8, weight=12)
_PASS = "Forward/backward pass size (MB)"
_OUTPUTS_TWICE = table(
    "torchsummary",
    "torchsummary: 2 × 4 bytes for the output of every module, without the input, and its MB is 2²⁰",
    sums(TORCHSUMMARY, "memory", _PASS),
    WHOLES_END_IN_JOINS,
    1024,
)
_OUTPUTS_ONCE = _OUTPUTS_TWICE._replace(
    name="outputs once",
    says="the output of every module once, without the input: half of what torchsummary prints",
    factor=_OUTPUTS_TWICE.factor // 2,
    weight=10,
    printers=("torchsummary",),
)
_MAP_TOOLS = (
    _OUTPUTS_TWICE,
    _OUTPUTS_ONCE,
    table(
        "torchinfo",
        "torchinfo: 2 × 4 bytes for the output of every module that has parameters",
        sums(TORCHINFO, "memory", _PASS),
        NO_POOLS,
        1000,
    ),
    table(
        "convnet-burden",
        "convnet-burden: maps and batch norms without the input, and its MB is 2²⁰",
        [CONVNET_BURDEN_MAPS],
        base=1024,
    ),
)
_ALL_TOOLS = (
    table(
        "torchsummary",
        "torchsummary: input, 2 × the output of every module, parameters; its MB is 2²⁰",
        sums(TORCHSUMMARY, "memory"),
        WHOLES_END_IN_JOINS,
        1024,
    ),
    table(
        "torchinfo",
        "torchinfo: input, 2 × the output of every module that has parameters, parameters",
        sums(TORCHINFO, "memory"),
        NO_POOLS,
        1000,
    ),
)
_VALUE_HABITS = (
    habit("input", "leaves the input out", "−input values", 12),
    habit("activation", "adds activations", "relu values + curve values"),
    habit("norm", "adds normalizations", "bn values + ln values + lrn values"),
    habit("dropout", "adds dropout", "dropout values"),
)
_NEURONS = (
    table(
        "fvcore's activations",
        "fvcore counts the outputs of conv and linear layers: timm prints its counts, and pycls "
        "counts so",
        [CONV_AND_LINEAR_OUTPUTS],
        printers=("fvcore", "timm", "pycls"),
    ),
)

CONVENTIONS: dict[Kind, tuple[Convention, ...]] = {
    "parameters": (*_PARAMETER_TOOLS, *_PARAMETER_HABITS, TRUNK),
    "multiplies": (*_WORK_TOOLS, TWICE, CONV_ONLY, TRUNK, *_WORK_HABITS),
    "connections": (TRUNK,),
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
    "connections": ("connections",),
    "bytes": ("weight bytes", "map bytes", "all bytes"),
}


def kinds(quantity: str, whole: bool) -> tuple[Kind, ...]:
    """Return what a number may count: connections and bytes without a word only to the last digit."""
    unsaid = (*KINDS["connections"], *KINDS["bytes"])
    return KINDS[quantity] + (unsaid if whole and not quantity else ())
