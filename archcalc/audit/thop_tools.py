"""State the rules of thop in the versions whose numbers are in print.

The tests check the last version against recorded output; earlier ones state what their sources say.
"""

from __future__ import annotations

from archcalc.audit.tables import NoCount, Tool, ToolCount, each, free, thop_lines
from archcalc.audit.torch_modules import (
    ACTIVATIONS,
    ATTENTIONS,
    FUNCTIONS,
    MOVES,
    NO_MODULES,
    PARTS,
    REST,
    UNCOUNTED,
)

# thop/profile.py, register_hooks, and vision/calc_func.py: a rule by the exact class; dfs_count takes
# operations and parameters from classes with a rule alone
THOP = Tool(
    "thop",
    "0.1.1-2209072238",
    "torchvision",
    {
        "params": ToolCount(
            "the parameters of modules that ran and whose class has a rule",
            "parameters",
            "parameters",
            {
                "params": {
                    **free("input LayerNorm2d GroupNorm RMSNorm", *REST),
                    **each("Conv2d ConvTranspose2d Linear PReLU", "parameters"),
                    **each("BatchNorm2d LayerNorm InstanceNorm2d", "parameters"),
                }
            },
            thop_lines("params"),
        ),
        "flops": ToolCount(
            "by the exact class of a module; calls of functions and classes without a rule count 0",
            "multiplies",
            "products",
            {
                "macs": {
                    **each("Conv2d Linear", "products"),
                    "ConvTranspose2d": "products as if forward",
                    **each("BatchNorm2d LayerNorm InstanceNorm2d", "4 outputs"),
                    **each("AvgPool2d Upsample PReLU", "outputs"),
                    "AdaptiveAvgPool2d": "inputs − inputs rounded off + outputs",
                    "Softmax": "3 outputs − positions",
                    **free(
                        "input LayerNorm2d GroupNorm RMSNorm",
                        NO_MODULES,
                        FUNCTIONS,
                        PARTS,
                        ACTIVATIONS,
                        ATTENTIONS,
                    ),
                    **free("MaxPool2d AdaptiveMaxPool2d LocalResponseNorm Dropout", MOVES),
                }
            },
            thop_lines("macs"),
        ),
        "memory": NoCount(
            "thop prints no memory: `profile` counts operations and parameters",
            "`--as torchinfo` estimates memory, `--as fvcore` counts activations",
        ),
    },
    {
        "MultiheadAttention": "no rule for this class",
        "ShiftedWindowAttention": "no rule for this class",
        **dict.fromkeys(("GroupNorm", "RMSNorm"), "no rule for this class"),
        "LayerNorm2d": "no rule for this class, though it inherits from LayerNorm",
        "Parameter": "a tensor of a module with parts",
        "side outputs": "not run in eval mode",
    },
)

_NOTHING = {
    **free("input LayerNorm LayerNorm2d", NO_MODULES, FUNCTIONS, PARTS, ATTENTIONS),
    **free("ReLU ReLU6 Sigmoid Tanh SiLU GELU Hardsigmoid Hardswish PReLU ELU", UNCOUNTED),
    **free("InstanceNorm2d GroupNorm RMSNorm"),
    **free("MaxPool2d AdaptiveMaxPool2d LocalResponseNorm Dropout", MOVES),
    **free("Upsample"),  # nearest: other modes count
}


def _old(version: str, rules: dict[str, str]) -> Tool:
    """Return a version with these operations; all versions count a bias wherever one is added."""
    says = "by the exact class of a module; calls of functions and classes without a rule count 0"
    macs = {
        "Conv2d": "products + biases added",
        "ConvTranspose2d": "products as if forward + biases added",
        "AdaptiveAvgPool2d": "inputs − inputs beyond whole windows + outputs",
        "LeakyReLU": "outputs",
        "Softmax": "3 outputs − positions",
        **_NOTHING,
        **rules,
    }
    count = ToolCount(says, "multiplies", "products", {"macs": macs}, thop_lines("macs"))
    return Tool("thop", version, "torchvision", {"flops": count})


# thop/vision/basic_hooks.py of 2020 and thop/count_hooks.py of 2019; there a kernel of k × k is given
# as k, and its window counts k
THOP_2020 = _old(
    "0.0.31-2005241907", {"Linear": "products", "BatchNorm2d": "2 outputs", "AvgPool2d": "outputs"}
)
THOP_2019 = _old(
    "0.0.31-1909021322",
    {
        "Linear": "2 products − outputs",
        "BatchNorm2d": "4 outputs",
        "AvgPool2d": "window rows + outputs",
    },
)
