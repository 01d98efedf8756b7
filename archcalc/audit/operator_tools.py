"""State the rules of tools that read a network by its operators, one layer for each of ours."""

from __future__ import annotations

from archcalc.audit.tables import ANY, Rules, each, free

_MOVES = (
    "concat roll permute reshape"
    " flatten slice shuffle pad crop padchannels todepth pixelshuffle pixelunshuffle tokens token"
    " transpose upsample droppath"
)
_CURVES = "sigmoid tanh swish gelu hsigmoid hswish"
_PRODUCTS = each("conv deconv linear", "products")
_BIASED = each("conv deconv linear", "products + biases added")

NETSCOPE: Rules = {
    **_PRODUCTS,
    "lrn": "neighbors",
    **each("bn scale", "outputs"),
    **free("input ln relu relu6 leaky softmax dropout add mul maxpool avgpool gap", _CURVES, _MOVES),
}
CONVNET_BURDEN: Rules = {
    **_BIASED,
    **each("relu relu6 leaky", "2 outputs"),
    **each("maxpool avgpool", "2 strides"),
    "add": "joins",
    "lrn": "scalings",
    **free("input bn ln scale softmax dropout mul gap", _CURVES, _MOVES),
}
CONVNET_BURDEN_MAPS: Rules = {ANY: "4 stored", "bn": "4 stored + 4 outputs", "input": "0"}
TF_PROFILER: Rules = {
    **each("conv deconv linear", "2 products + biases added"),
    **each("maxpool avgpool", "windows"),
    "gap": "inputs",
    **free("input bn ln lrn scale relu relu6 leaky softmax dropout add mul", _CURVES, _MOVES),
}
CONV_AND_LINEAR_OUTPUTS: Rules = {
    **each("conv deconv linear", "outputs"),
    **free("input bn ln lrn scale relu relu6 leaky softmax dropout add mul", _CURVES, _MOVES),
    **free("maxpool avgpool gap"),
}
BY_OPERATOR = (NETSCOPE, CONVNET_BURDEN, CONVNET_BURDEN_MAPS, TF_PROFILER, CONV_AND_LINEAR_OUTPUTS)
# operators whose count in these tools is unknown: no number is explained by it
UNTOLD_HERE = (  # of torch alone
    "adaptivepool sub maximum mean sum max groupnorm instancenorm rmsnorm hardtanh prelu elu selu "
    "softplus mish logsoftmax glu"
)
UNTOLD = (
    "matmul rbf sumpool clip swiglu offset factor resize deformconv attention windowattention "
    "classtoken posembed "
    "embedding unembed sinusoid rnn gru lstm"
)
