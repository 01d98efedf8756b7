"""Lines of specs with an input each: every operator that other formats can say."""

from __future__ import annotations

_LINES = """
conv 8 k3 @ 7x9x5; conv 8 k3x5 s2x3 p1x2 @ 11x13x5; conv 8 k3 s2 p0:1x2:0 @ 11x12x4
conv 8 k3 half d2 @ 9x8x4; conv 8 k3 p1 g4 @ 7x9x12; conv 6 k5 s2 half g6 @ 9x9x6
conv 12 k3 half d2 g6 @ 9x9x6; conv 8 k3 s2 same @ 8x9x4; conv 8 k4 same @ 8x9x4
conv 4 k3 s2 same g4 @ 8x9x4; deconv 6 k4 s2 p1 @ 5x7x4; deconv 6 k2 s3 @ 5x7x4
deconv 6 k3 s2 p1 g2 @ 5x7x4; deconv 6 k4 s2 p0:1x2:1 @ 5x7x4; deconv 4 k3 s2 p1 g4 out=1 @ 8x8x4
deconv 6 k3x2 s2x4 d3x2 p1x2 g2 out=1 @ 5x7x4; linear 7 @ 1x1x5; maxpool 3 s2 @ 8x9x4
maxpool 3 s2 ceil @ 8x9x4; maxpool 2 s2 p1 ceil @ 7x8x4; maxpool 2 s3 ceil @ 10x9x4
maxpool 3 s2 same @ 8x9x4; avgpool 3 s2 p1 @ 8x9x4; avgpool 3 s2 same @ 8x9x4
avgpool 3 s2 p0:1 @ 8x9x4; avgpool 3 s2 ceil @ 8x9x4; avgpool 3 s2 p1 nozeros @ 8x9x4
sumpool 3 s2 p1 @ 8x9x4; gap @ 8x9x4; bn @ 8x9x4; bn noscale eps={0.1} @ 8x9x4; bn noshift @ 8x9x4
ln @ 8x9x4; ln noscale noshift @ 8x9x4; groupnorm 2 @ 8x9x4; instancenorm @ 8x9x4
groupnorm 2 noscale noshift @ 8x9x4; rmsnorm @ 8x9x4; rmsnorm noscale eps={0.1} @ 7x12
lrn 5 @ 8x9x11; scale @ 8x9x4; upsample 2x3 @ 4x5x3; upsample 2 bilinear @ 4x5x3
upsample 3x2 bicubic @ 4x5x3; upsample 2 bilinear corners @ 4x5x3; upsample 3 bilinear @ 7x3
upsample 2 bilinear @ 3x4x5x2; resize 9x3 @ 4x5x3; resize 11 @ 7x3; resize 9x3 bilinear @ 4x5x3
resize 65 bilinear corners @ 33x5x3; resize 3x13 bicubic @ 9x5x3; conv 4 k3 s2 p0:1 @ 16x3
conv 4 k2x3x3 s1x2x2 p1x0:1x1 @ 4x7x6x3; deconv 4 k3 s2 p1 d2 out=1 @ 9x3
maxpool 1x3 s2 d2 @ 1x9x4; maxpool 3 s2 d2 @ 5x6x7x3; adaptivepool 5 @ 10x10x4
adaptivepool 5x3x1 max @ 5x6x4x3; pad 1:2 reflect @ 5x3; pad 1x0:2 @ 4x5x3
pad 3:1x2:4 edge @ 4x5x3; crop 1:0x2:1 @ 4x5x3; pixelshuffle 2 @ 4x5x12; pixelunshuffle 2 @ 4x6x3
shuffle 3 @ 4x5x12; todepth 2 @ 5x8x3; padchannels 7 @ 4x5x3; slice 3 from=2 @ 4x5x6
slice 3 from=2 axis=height @ 6x5x4; relu | concat @in axis=width @ 6x5x4; gap | add @in @ 6x5x4
slice 1 | mul @in @ 6x5x4; maxpool 6x1 | sub @in @ 6x5x4; mean | mul @in @ 6x5x4; max @ 6x5x4
matmul @in transposed scaled | softmax | matmul @in @ 4x5x3; sum axis=height @ 6x5x4
mean axis=positions @ 6x5x4; roll 2 @ 6x5x4; roll {-7} axis=width @ 6x5x4; permute 1x0x2 @ 6x5x4
permute 2x0x1 @ 6x5x4; reshape 3x_x8 @ 6x5x4; sigmoid | maximum @in @ 6x5x4; flatten @ 4x5x3
tokens | transpose @ 4x5x3; tokens | token 7 @ 4x5x3; tokens | attention 3 @ 4x5x12
tokens | attention 6 kv=2 head=8 causal nobias rotary base=500 @ 4x5x12
tokens | attention 3 bare causal @ 4x5x12; tokens | attention 2 bare causal window=4 @ 4x5x12
tokens | rnn 7 @ 4x5x12; tokens | gru 7 @ 4x5x12; tokens | gru 7 layers=3 both @ 4x5x12
tokens | gru 7 both last @ 4x5x12; tokens | lstm 7 layers=2 both @ 4x5x12
tokens | lstm 7 both last @ 4x5x12; tokens | lstm 7 nobias @ 4x5x12; tokens | sinusoid @ 4x5x12
windowattention 3 4 @ 8x12x12; windowattention 3 4 shift=2 @ 9x10x12; relu @ 6x5x4
windowattention 3 4 shift=2 @ 4x10x12; relu6 @ 6x5x4; leaky @ 6x5x4
clip low={-1.5} high={0.5} @ 6x5x4; clip low={0.5} @ 6x5x4; clip high={0.5} @ 6x5x4
hardtanh @ 6x5x4; prelu @ 6x5x4; prelu @ 7x12; elu alpha={2.5} @ 6x5x4; selu @ 6x5x4
softplus @ 6x5x4; mish @ 6x5x4; logsoftmax @ 6x5x4; glu @ 6x5x4; swiglu @ 6x5x4; swish @ 6x5x4
offset 6x5x4 @ 6x5x4; offset 6x1x4 fixed @ 6x5x4; offset 4 @ 6x5x4; offset 1 fixed @ 7x12
factor 6x5x1 @ 6x5x4; factor 4 fixed @ 6x5x4; factor 12 @ 7x12; factor 1 fixed @ 6x5x4
gelu @ 6x5x4; hsigmoid @ 6x5x4; hswish @ 6x5x4; softmax @ 6x5x4; softmax @ 7x12; tanh @ 6x5x4
"""
LINES = [tuple(case.split(" @ ")) for case in _LINES.strip().replace("\n", "; ").split("; ")]
