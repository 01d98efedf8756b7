"""What other tools count, as data: for each quantity, what every class of module adds to a tool's sum.

The tables state the rules of each tool's own source in the version named; the tests hold them against
recorded output. A module that a table does not name adds nothing: that is what the tool does, too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

Rules = Mapping[str, str]  # module → '2 outputs + products'; ANY: every module without an entry
Sums = Mapping[str, int]

ANY = ""


class Count(NamedTuple):
    """A quantity of a tool: its rule in words, sums by name with their rules, how it is printed.

    `ours` is the rule of archcalc's own count, `unit` what both are counted in and what of archcalc's.
    `kinds` says what sums are (see archcalc.audit.conventions) that are not of the command's own kind,
    `whole` what all sums together are called, `base` what the K of the tool's unit is worth.
    """

    says: str
    unit: str
    ours: str
    sums: Mapping[str, Rules]
    prints: Callable[[Sums], tuple[str, ...]]
    kinds: Mapping[str, str] = {}
    whole: str = ""
    base: int = 1000


class Refusal(NamedTuple):
    """Why a tool has no such quantity, and what to ask for instead."""

    message: str
    help: str


class Tool(NamedTuple):
    """A tool in the version whose source was read; `counts` by command.

    `why` says of a module, where a count leaves something of it out, for what reason.
    """

    name: str
    version: str
    library: str
    counts: Mapping[str, Count | Refusal]
    why: Mapping[str, str] = {}


def _each(modules: str, rule: str) -> dict[str, str]:
    return dict.fromkeys(modules.split(), rule)


def _megabytes(size: int) -> str:
    return f"{size / 1e6:0.2f}"


def _units(count: int) -> str:
    """torchinfo/model_statistics.py, to_readable and format_output_num, with Python 3.11's enum."""
    size, name = 1e6, "MEGABYTES"
    if count >= 1e9:
        size, name = (1e12, "TERABYTES") if count >= 1e12 else (1e9, "GIGABYTES")
    scaled = count / size
    return f"(Units.{name}): {int(scaled) if scaled.is_integer() else format(scaled, ',.2f')}"


def _clever(count: int) -> str:
    """thop/utils.py, clever_format."""
    for size, letter in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "K")):
        if count > size:
            return f"{count / size:.2f}{letter}"
    return f"{count:.2f}B"


def _size(count: float) -> str:
    """keras/src/utils/summary_utils.py, readable_memory_size."""
    for unit in ("B", "KB", "MB", "GB", "TB"):
        if count / 1024 < 1:
            return f"{count:.2f} {unit}"
        count /= 1024
    return f"{count:.2f} PB"


def _only(sums: Sums) -> int:
    (count,) = sums.values()
    return count


def _thop(name: str) -> Callable[[Sums], tuple[str, ...]]:
    return lambda sums: (
        f"{name}: {float(_only(sums))}",
        f"clever_format({name}): {_clever(_only(sums))}",
    )


def _torchinfo_memory(sums: Sums) -> tuple[str, ...]:
    sizes = {**sums, "Estimated Total Size (MB)": sum(sums.values())}
    return tuple(f"{title}: {_megabytes(size)}" for title, size in sizes.items())


def _summary(bytes_each: int) -> Callable[[Sums], tuple[str, ...]]:
    """keras/src/utils/summary_utils.py, print_summary; the sums are numbers or bytes of 4 each."""

    def lines(sums: Sums) -> tuple[str, ...]:
        counts = {title: count // bytes_each for title, count in sums.items()}
        counts = {"Total params": sum(counts.values()), **counts}
        return tuple(f"{title}: {n:,} ({_size(4 * n)})" for title, n in counts.items())

    return lines


_WEIGHTS = {"Trainable params": "weight bytes", "Non-trainable params": "weight bytes"}
_SIZES = {
    "Input size (MB)": "map bytes",
    "Forward/backward pass size (MB)": "map bytes",
    "Params size (MB)": "weight bytes",
}
# of one leaf module: those of attention, and tensors of a module that has parts, are none
_LEAVES = "Conv2d ConvTranspose2d Linear BatchNorm2d LayerNorm LayerNorm2d"

# torchinfo/layer_info.py: calculate_macs multiplies a leaf module's weight and bias by the batch size,
# and by the positions too if its class is called Conv…; model_statistics.py doubles the output bytes
# of leaf modules with parameters, and adds to total_params what is left over in modules with parts;
# torchinfo.py measures the input's storage with sys.getsizeof
_TORCHINFO = Tool(
    "torchinfo",
    "1.8.0",
    "torchvision",
    {
        "params": Count(
            "all parameters, whether they are used or not",
            "parameters",
            "parameters",
            {"Total params": {ANY: "parameters"}},
            lambda sums: (f"Total params: {_only(sums):,}", f"Trainable params: {_only(sums):,}"),
        ),
        "flops": Count(
            "weights and biases of modules without parts, once; at every position if the class is Conv…",
            "multiplies",
            "products",
            {
                "mult-adds": {
                    "Conv2d": "products + biases added",
                    "ConvTranspose2d": "parameters everywhere",
                    "Linear": "products − products beyond the first position + biases",
                    **_each("BatchNorm2d LayerNorm LayerNorm2d", "parameters"),
                }
            },
            lambda sums: (f"Total mult-adds {_units(_only(sums))}",),
        ),
        "memory": Count(
            "4 bytes a value: the input; of modules with parameters and without parts, the outputs "
            "twice (for gradients) and the parameters",
            "bytes (stored and weights)",
            "4 stored + 4 parameters + 4 statistics",
            {
                "Input size (MB)": {"input": "4 outputs + object"},
                "Forward/backward pass size (MB)": _each(_LEAVES, "8 outputs"),
                "Params size (MB)": _each(_LEAVES, "4 parameters"),
            },
            _torchinfo_memory,
            _SIZES,
            "Estimated Total Size (MB)",
        ),
    },
    {
        "MultiheadAttention": "a module with parts, whose work no part does",
        "ShiftedWindowAttention": "a module with parts, whose work no part does",
        "Linear": "the parameters count once, not at every position",
        "Parameter": "a tensor of a module with parts",
        "side outputs": "not run in eval mode",
    },
)

# thop/profile.py, register_hooks, and vision/calc_func.py: a rule by the exact class; dfs_count takes
# operations and parameters from classes with a rule alone
_THOP = Tool(
    "thop",
    "0.1.1-2209072238",
    "torchvision",
    {
        "params": Count(
            "the parameters of modules that ran and whose class has a rule",
            "parameters",
            "parameters",
            {"params": _each("Conv2d ConvTranspose2d Linear BatchNorm2d LayerNorm", "parameters")},
            _thop("params"),
        ),
        "flops": Count(
            "by the exact class of a module; calls of functions and classes without a rule count 0",
            "multiplies",
            "products",
            {
                "macs": {
                    **_each("Conv2d Linear", "products"),
                    "ConvTranspose2d": "products as if forward",
                    **_each("BatchNorm2d LayerNorm", "4 outputs"),
                    **_each("AvgPool2d Upsample", "outputs"),
                    "AdaptiveAvgPool2d": "inputs + outputs",
                    "Softmax": "3 outputs − positions",
                }
            },
            _thop("macs"),
        ),
        "memory": Refusal(
            "thop prints no memory: `profile` counts operations and parameters",
            "`--as torchinfo` estimates memory, `--as fvcore` counts activations",
        ),
    },
    {
        "MultiheadAttention": "no rule for this class",
        "ShiftedWindowAttention": "no rule for this class",
        "LayerNorm2d": "no rule for this class, though it inherits from LayerNorm",
        "Parameter": "a tensor of a module with parts",
        "side outputs": "not run in eval mode",
    },
)

# fvcore/nn/flop_count.py, activation_count.py and jit_handles.py: handles by the operation of a trace
_FVCORE = Tool(
    "fvcore",
    "0.1.5.post20221221",
    "torchvision",
    {
        "params": Count(
            "all parameters, whether they are used or not",
            "parameters",
            "parameters",
            {"parameter_count": {ANY: "parameters"}},
            lambda sums: (f"parameter_count: {_only(sums)}",),
        ),
        "flops": Count(
            "the operations of a trace; those without a rule count 0, with a warning",
            "multiplies",
            "products",
            {
                "flops": {
                    **_each("Conv2d ConvTranspose2d Linear ShiftedWindowAttention", "products"),
                    "MultiheadAttention": "products − products of pairs",
                    "BatchNorm2d": "2 outputs",
                    **_each("LayerNorm LayerNorm2d", "5 outputs"),
                    **_each("AdaptiveAvgPool2d F.adaptive_avg_pool2d", "inputs"),
                    "Upsample": "outputs",
                }
            },
            lambda sums: (f"FlopCountAnalysis.total(): {_only(sums)}",),
        ),
        "memory": Count(
            "outputs of convolutions and matrix products, in values",
            "values (stored)",
            "stored",
            {
                "activations": {
                    **_each("Conv2d ConvTranspose2d Linear", "outputs"),
                    "MultiheadAttention": "4 outputs",
                    "ShiftedWindowAttention": "5 window values + scores",
                }
            },
            lambda sums: (f"ActivationCountAnalysis.total(): {_only(sums)}",),
            {"activations": "values"},
        ),
    },
    {
        "MultiheadAttention": "no handle for aten::scaled_dot_product_attention",
        "side outputs": "not run in eval mode",
    },
)

# keras/src/utils/summary_utils.py: the variables of all layers
_KERAS = Tool(
    "keras",
    "3.15.1",
    "keras",
    {
        "params": Count(
            "the variables of all layers; running means and variances are not trainable",
            "parameters",
            "parameters",
            {
                "Trainable params": {ANY: "parameters"},
                "Non-trainable params": {ANY: "statistics", "Normalization": "2 channels + once"},
            },
            _summary(1),
            whole="Total params",
        ),
        "flops": Refusal(
            "Keras prints no FLOPs: `model.summary()` shows parameters and their size",
            "`--as torchinfo`, `thop` or `fvcore`; Keras has `params` and `memory`",
        ),
        "memory": Count(
            "the variables of all layers at 4 bytes, no activations",
            "bytes (weights)",
            "4 parameters + 4 statistics",
            {
                "Trainable params": {ANY: "4 parameters"},
                "Non-trainable params": {ANY: "4 statistics", "Normalization": "8 channels + 4 once"},
            },
            _summary(4),
            {**_WEIGHTS, "Total params": "weight bytes"},
            "Total params",
            1024,
        ),
    },
)

TOOLS = {tool.name: tool for tool in (_TORCHINFO, _THOP, _FVCORE, _KERAS)}
