"""State the rules of torchinfo and fvcore, which inspect the modules of torch.nn.

The tests check each against recorded output of the version named.
"""

from __future__ import annotations

from archcalc.audit.tables import (
    ANY,
    Tool,
    ToolCount,
    each,
    free,
    only,
    sizes_in_megabytes,
    units,
)
from archcalc.audit.torch_modules import (
    ACTIVATIONS,
    FUNCTIONS,
    LEAVES,
    MOVES,
    NO_MODULES,
    NORMS,
    OTHERS,
    PARTS,
    POOLS,
    REST,
)

SIZES = {
    "Input size (MB)": "map bytes",
    "Forward/backward pass size (MB)": "map bytes",
    "Params size (MB)": "weight bytes",
}

# torchinfo/layer_info.py: calculate_macs multiplies a leaf module's weight and bias by the batch size,
# and by the positions too if its class is called Conv…; model_statistics.py doubles the output bytes
# of leaf modules with parameters, and adds to total_params what is left over in modules with parts;
# torchinfo.py measures the input's storage with sys.getsizeof
TORCHINFO = Tool(
    "torchinfo",
    "1.8.0",
    "torchvision",
    {
        "params": ToolCount(
            "all parameters, whether they are used or not",
            "parameters",
            "parameters",
            {"Total params": {ANY: "parameters"}},
            lambda sums: (f"Total params: {only(sums):,}", f"Trainable params: {only(sums):,}"),
        ),
        "flops": ToolCount(
            "weights and biases of modules without parts, once; at every position if the class is Conv…",
            "multiplies",
            "products",
            {
                "mult-adds": {
                    "Conv2d": "products + biases added",
                    "ConvTranspose2d": "parameters everywhere",
                    "Linear": "products − products beyond the first position + biases",
                    **each(f"PReLU {NORMS}", "parameters"),
                    **free("input", *REST),
                }
            },
            lambda sums: (f"Total mult-adds {units(only(sums))}",),
        ),
        "memory": ToolCount(
            "4 bytes a value: the input; of modules with parameters and without parts, the outputs "
            "twice (for gradients) and the parameters",
            "bytes (stored and weights)",
            "4 stored + 4 parameters + 4 statistics",
            {
                "Input size (MB)": {**free(LEAVES, *REST), "input": "4 outputs + object"},
                "Forward/backward pass size (MB)": {**free("input", *REST), **each(LEAVES, "8 outputs")},
                "Params size (MB)": {**free("input", *REST), **each(LEAVES, "4 parameters")},
            },
            sizes_in_megabytes,
            SIZES,
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

# fvcore/nn/flop_count.py, activation_count.py and jit_handles.py: handles by the operation of a trace
FVCORE = Tool(
    "fvcore",
    "0.1.5.post20221221",
    "torchvision",
    {
        "params": ToolCount(
            "all parameters, whether they are used or not",
            "parameters",
            "parameters",
            {"parameter_count": {ANY: "parameters"}},
            lambda sums: (f"parameter_count: {only(sums)}",),
        ),
        "flops": ToolCount(
            "the operations of a trace; those without a rule count 0, with a warning",
            "multiplies",
            "products",
            {
                "flops": {
                    **each("Conv2d ConvTranspose2d Linear ShiftedWindowAttention", "products"),
                    "MultiheadAttention": "products − products of pairs",
                    "BatchNorm2d": "2 outputs",
                    **each("LayerNorm LayerNorm2d InstanceNorm2d GroupNorm", "5 outputs"),
                    **each("AdaptiveAvgPool2d F.adaptive_avg_pool2d", "inputs"),
                    "Upsample": "outputs",
                    **free("input PReLU RMSNorm", NO_MODULES, PARTS, ACTIVATIONS),
                    **free("F.relu F.avg_pool2d F.max_pool2d Tensor.mean AvgPool2d"),
                    **free("MaxPool2d AdaptiveMaxPool2d"),
                    **free("LocalResponseNorm Dropout Softmax", MOVES),
                }
            },
            lambda sums: (f"FlopCountAnalysis.total(): {only(sums)}",),
        ),
        "memory": ToolCount(
            "outputs of convolutions and matrix products, in values",
            "values (stored)",
            "stored",
            {
                "activations": {
                    **each("Conv2d ConvTranspose2d Linear", "outputs"),
                    "MultiheadAttention": "4 outputs",
                    "ShiftedWindowAttention": "5 window values + scores",
                    **free("input PReLU", NORMS, NO_MODULES, FUNCTIONS),
                    **free(PARTS, ACTIVATIONS, POOLS, OTHERS),
                }
            },
            lambda sums: (f"ActivationCountAnalysis.total(): {only(sums)}",),
            {"activations": "values"},
        ),
    },
    {
        "MultiheadAttention": "no handle for aten::scaled_dot_product_attention",
        "side outputs": "not run in eval mode",
    },
)
