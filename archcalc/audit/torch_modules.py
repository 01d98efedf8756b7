"""Name the modules that code is made of, as tools see them and archcalc.audit.modules reads them."""

from __future__ import annotations

# no modules: calls of functions and tensors, which hooks do not see
NO_MODULES = (
    "add sub mul maximum concat mean sum max roll permute reshape"
    " flatten slice shuffle pad crop padchannels todepth"
    " tokens token transpose Parameter"
)
FUNCTIONS = "F.relu F.avg_pool2d F.max_pool2d F.adaptive_avg_pool2d Tensor.mean"
# composite modules, and modules that leave a map's values unchanged in eval mode
WHOLES = (
    "Inception Fire BasicBlock Bottleneck InvertedResidual MBConv ResBottleneckBlock CNBlock"
    " SqueezeExcitation Permute StochasticDepth Flatten _DenseLayer"
)
PARTS = f"BasicConv2d {WHOLES}"  # the first ends with a function: it is what else is a ReLU
UNCOUNTED = "SELU Softplus Mish Hardtanh GLU LogSoftmax"  # whose work no tool counts
ACTIVATIONS = f"ReLU ReLU6 LeakyReLU Sigmoid Tanh SiLU GELU Hardsigmoid Hardswish ELU {UNCOUNTED}"
POOLS = "MaxPool2d AvgPool2d AdaptiveAvgPool2d AdaptiveMaxPool2d"
MOVES = "PixelShuffle PixelUnshuffle"  # which no tool counts
OTHERS = f"LocalResponseNorm Dropout Softmax Upsample {MOVES}"
ATTENTIONS = "MultiheadAttention ShiftedWindowAttention"
# of one leaf module: those of attention, and tensors of a module that has parts, are none
NORMS = "BatchNorm2d LayerNorm LayerNorm2d InstanceNorm2d GroupNorm RMSNorm"
LEAVES = f"Conv2d ConvTranspose2d Linear PReLU {NORMS}"
REST = (NO_MODULES, FUNCTIONS, PARTS, ACTIVATIONS, POOLS, OTHERS, ATTENTIONS)
