"""Questions of the README, answered a second time by arithmetic."""

from __future__ import annotations

from typing import Any

import archcalc
from archcalc.formats import formats_of
from archcalc.sweeps.evaluation.request import request
from archcalc.sweeps.evaluation.run import PointRow, sweep
from archcalc.sweeps.space.model import make_space
from archcalc.sweeps.space.points import grid


def answer(
    network: str, settings: dict[str, Any], varied: list[str], where: str, by: str
) -> list[PointRow]:
    formats = formats_of(settings.pop("dtype", "float32"))
    points = grid(make_space(archcalc.load(network, **settings), varied))
    return list(sweep(request(points, formats, where, "", by, None, 20), lambda points: None).rows())


def vgg(width: int, head: str, n: list[int]) -> int:
    """Multiplies at 160 pixels: 3×3 convs of 1, 2, 4, 8 and 8 widths, a pool after each stage."""
    channels, side, found = 3, 160, 0
    for factor, count in zip((1, 2, 4, 8, 8), n, strict=True):
        for _ in range(count):
            found += side**2 * 9 * channels * factor * width
            channels = factor * width
        side //= 2
    dense = channels * 1000
    if head == "fc":
        dense = side**2 * channels * 4096 + 4096 * 4096 + 4096 * 1000
    return found + dense


def test_the_widest_vgg() -> None:
    depths = [[1, 1, 1, 1, 1], [1, 1, 2, 2, 2], [2, 2, 2, 2, 2], [2, 2, 3, 3, 3], [2, 2, 4, 4, 4]]
    varied = ["width=1:64", "head=fc,gap", "n=" + ",".join(map(str, depths)).replace(" ", "")]
    rows = answer("vgg16", {"input": "160x160x3"}, varied, "multiplies <= 300M", "max:width")
    fitting = [
        (-width, width, head, n, vgg(width, head, n))
        for width in range(1, 65)
        for head in ("fc", "gap")
        for n in depths
        if vgg(width, head, n) <= 300_000_000
    ]
    expected = sorted(fitting, key=lambda found: found[0])[:20]
    assert [(row.values["width"], row.metrics["multiplies"]) for row in rows] == [
        (str(width), multiplies) for _, width, _, _, multiplies in expected
    ]


def test_the_bottleneck_that_halves() -> None:
    """28·28 positions: 64 and 32 of 1×1, 128 of 3×3 and 32 of 5×5 on 192 channels; then reduced."""
    plain = 28 * 28 * (192 * (64 + 32) + 9 * 192 * 128 + 25 * 192 * 32)
    assert plain == 308_281_344
    rest = 28 * 28 * (192 * (64 + 32) + 192 * 96 + 9 * 96 * 128)
    widest = (plain // 2 - rest) // (28 * 28 * (192 + 25 * 32))
    where, by = "multiplies <= 308281344 // 2", "max:bottleneck"
    best = answer("inception", {"reduce3": 96}, ["bottleneck=1:192"], where, by)[0]
    assert best.values == {"bottleneck": str(widest)}


def test_resnets_in_half_a_mebibyte() -> None:
    """Values a pixel: the first pool's 64/4 + 64/16; the first bottleneck's (64 + 256 + 256)/16."""
    most = {"basic": 20, "bottleneck": 36}
    varied = ["input=96:224:32", "unit=basic,bottleneck", "n=[1,1,1,1],[2,2,2,2],[3,4,6,3]"]
    rows = answer("resnet50", {"dtype": "int8"}, varied, "peak <= 512KiB", "")
    assert [(row.values["input"], row.values["unit"], row.metrics["peak"]) for row in rows] == [
        (f"{side}x{side}x3", unit, most[unit] * side**2)
        for side in range(96, 225, 32)
        for unit in most
        for _ in range(3)
        if most[unit] * side**2 <= 512 * 1024
    ]
