"""State the rules of Keras, whose summary counts the variables of layers."""

from __future__ import annotations

from archcalc.audit.tables import ANY, NoCount, Tool, ToolCount, summary_lines

_WEIGHTS = {"Trainable params": "weight bytes", "Non-trainable params": "weight bytes"}

# keras/src/utils/summary_utils.py: the variables of all layers
KERAS = Tool(
    "keras",
    "3.15.1",
    "keras",
    {
        "params": ToolCount(
            "the variables of all layers; running means and variances are not trainable",
            "parameters",
            "parameters",
            {
                "Trainable params": {ANY: "parameters"},
                "Non-trainable params": {ANY: "statistics", "Normalization": "2 channels + once"},
            },
            summary_lines(1),
            whole="Total params",
        ),
        "flops": NoCount(
            "Keras prints no FLOPs: `model.summary()` shows parameters and their size",
            "`--as torchinfo`, `thop` or `fvcore`; Keras has `params` and `memory`",
        ),
        "memory": ToolCount(
            "the variables of all layers at 4 bytes, no activations",
            "bytes (weights)",
            "4 parameters + 4 statistics",
            {
                "Trainable params": {ANY: "4 parameters"},
                "Non-trainable params": {ANY: "4 statistics", "Normalization": "8 channels + 4 once"},
            },
            summary_lines(4),
            {**_WEIGHTS, "Total params": "weight bytes"},
            "Total params",
            1024,
        ),
    },
)
