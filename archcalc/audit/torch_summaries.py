"""State the rules of torchsummary and ptflops, which count what hooks and calls see."""

from __future__ import annotations

from archcalc.audit.tables import ANY, NoCount, Sums, Tool, ToolCount, each, free, only
from archcalc.audit.torch_modules import (
    ACTIVATIONS,
    FUNCTIONS,
    LEAVES,
    MOVES,
    NO_MODULES,
    OTHERS,
    PARTS,
    POOLS,
    REST,
    UNCOUNTED,
    WHOLES,
)
from archcalc.audit.torch_profilers import SIZES


def _mebibytes(sums: Sums) -> tuple[str, ...]:
    sizes = {**sums, "Estimated Total Size (MB)": sum(sums.values())}
    return tuple(f"{title}: {size / 1024**2:0.2f}" for title, size in sizes.items())


def _parameters(sums: Sums) -> tuple[str, ...]:
    return (
        f"Total params: {only(sums):,}",
        f"Trainable params: {only(sums):,}",
        "Non-trainable params: 0",
    )


def _macs(sums: Sums) -> tuple[str, ...]:
    """Format as ptflops/utils.py, flops_to_string."""
    count = only(sums)
    text = f"{count} Mac"
    for size, unit in ((10**9, "GMac"), (10**6, "MMac"), (10**3, "KMac")):
        if count >= size:
            text = f"{round(count / size, 2)} {unit}"
            break
    return f"macs (pytorch): {count}", f"flops_to_string(macs) (pytorch): {text}"


_UNSEEN = (NO_MODULES, FUNCTIONS)
_PARAMETERS = {
    **free("input", *REST),
    **each(LEAVES, "parameters"),
}
_SEEN = f"{LEAVES} {PARTS} {ACTIVATIONS} {POOLS} {OTHERS}"

# torchsummary/torchsummary.py: a hook on every module but Sequential, ModuleList and the whole; each
# call of one adds its output, and the sizes of its `weight` and `bias`; the network is in train mode
TORCHSUMMARY = Tool(
    "torchsummary",
    "1.5.1",
    "torchvision",
    {
        "params": ToolCount(
            "weights and biases of each module at each call; tensors of other names are not seen",
            "parameters",
            "parameters",
            {"Total params": _PARAMETERS},
            _parameters,
        ),
        "flops": NoCount(
            "torchsummary prints no FLOPs: `summary` shows parameters and sizes",
            "`--as torchinfo`, `thop`, `fvcore` or `ptflops`; torchsummary has `params` and `memory`",
        ),
        "memory": ToolCount(
            "4 bytes a value: the input, the outputs of each module twice (for gradients), those with "
            "parts included, and parameters; its MB is 2²⁰",
            "bytes (stored and weights)",
            "4 stored + 4 parameters + 4 statistics",
            {
                "Input size (MB)": {**free(LEAVES, *REST), "input": "4 outputs"},
                "Forward/backward pass size (MB)": {
                    **free("input", *_UNSEEN),
                    **each(_SEEN, "8 outputs"),
                },
                "Params size (MB)": {
                    **free("input", *REST),
                    **each(LEAVES, "4 parameters"),
                },
            },
            _mebibytes,
            SIZES,
            "Estimated Total Size (MB)",
            1024,
        ),
    },
    {"Parameter": "a tensor of another name than weight and bias"},
    {
        "_DenseLayer": "a dense layer takes a list of maps",
        "MultiheadAttention": "nn.MultiheadAttention puts out None beside its map",
        "ShiftedWindowAttention": "the modules inside of a Swin block are not known here",
        "side outputs": "it runs in train mode, and what side outputs are made of is untold",
    },
)

# ptflops/pytorch_ops.py: hooks by the exact class of a module; pytorch_engine.py also replaces functions
# of torch.nn.functional, which modules call in turn: what both see counts twice
PTFLOPS = Tool(
    "ptflops",
    "0.7.5",
    "torchvision",
    {
        "params": ToolCount(
            "all parameters, whether they are used or not",
            "parameters",
            "parameters",
            {"params": {ANY: "parameters"}},
            lambda sums: (f"params: {only(sums)}",),
        ),
        "flops": ToolCount(
            "by the exact class of a module, and calls of functions: a module that calls one has both",
            "multiplies",
            "products",
            {
                "macs": {
                    **each("Conv2d Linear", "products + biases added"),
                    "ConvTranspose2d": "products at all inputs + biases added",
                    **each("BatchNorm2d InstanceNorm2d GroupNorm", "2 outputs"),
                    **each("ReLU PReLU ELU GELU Upsample", "2 outputs"),
                    **each("LayerNorm F.relu ReLU6 LeakyReLU SiLU Softmax BasicConv2d", "outputs"),
                    **each(POOLS, "2 inputs"),
                    **each("F.avg_pool2d F.max_pool2d F.adaptive_avg_pool2d", "inputs"),
                    "MultiheadAttention": "products + 5 outputs + scores",
                    "ShiftedWindowAttention": "products of pairs + scores",
                    **free("RMSNorm", UNCOUNTED),
                    **free("input LayerNorm2d Tensor.mean Sigmoid Tanh Hardsigmoid Hardswish"),
                    # F.local_response_norm calls mul, avg_pool3d of the padded map, mul and add
                    "LocalResponseNorm": "4 outputs + padding channels",
                    **free("Dropout", NO_MODULES, WHOLES, MOVES),
                }
            },
            _macs,
        ),
        "memory": NoCount(
            "ptflops prints no memory: it counts operations and parameters",
            "`--as torchinfo` estimates memory, `--as fvcore` counts activations",
        ),
    },
    {"ShiftedWindowAttention": "F.linear is not replaced", "side outputs": "not run in eval mode"},
)
