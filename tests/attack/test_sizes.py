"""Huge numbers in a text: what an analysis costs depends on the layers, never on a number."""

from __future__ import annotations

import random
from pathlib import Path

from support.campaign import Bounds, archcalc, besiege, sizes

STEPS = """conv {a} k{b} p{c}|conv {a} k{b} s{c} same|conv {a} k3 d{b} p{b}|conv {a} k{b}x{c} p{c}x{b}
    maxpool {b} same|maxpool {b} s{c} p{c}|avgpool {b} s{c} same|maxpool {b} s{c} ceil|sumpool {b} p{c}
    deconv {a} k{b}|deconv {a} k{b} s{c}|deconv {a} k{b} s{c} p{a}|upsample {b}|upsample {b}x{c}
    todepth {b}|padchannels {b}|slice {b} from={c}|shuffle {b}|lrn {b}|gap|flatten|relu|softmax
    conv {a} k{b} p{c}:{b}|maxpool {b} p{c}:1|pad {b}:{c}|pad {b} reflect|crop {b}:{c}|pixelshuffle {b}
    upsample {b} bilinear|resize {b}x{c} bilinear corners|resize {b} bicubic|resize @in
    pixelunshuffle {b}|deconv {a} k{b} s{c} d{b}|deconv {a} k3 s{b} d{c} out={c}
    deformconv {a} k{b} p{c} @in|conv {a} k{b} half g{c}|@in|add @in|concat @in|concat @in crop
    tokens classtoken|linear {b}"""
KINDS = [step for line in STEPS.split("\n") for step in line.strip().split("|")]
INPUTS = ("{b}x{c}x4", "8x8x4", "2048x2048x3", "1x{b}x{a}", "64x64x16")
COMMANDS = ("params", "flops", "memory", "field", "show")


def number(chance: random.Random) -> int:
    """Mostly small, sometimes beyond all memory or 64 bits."""
    if chance.random() < 0.6:
        return chance.choice((1, 2, 3, 4, 5, 7, 8))
    exponent = chance.choice((6, 8, 10, 11, 16, 31, 32, 62, 63, 64))
    return max(2**exponent + chance.randint(-1, 1), 1)


def written(template: str, chance: random.Random) -> str:
    return template.format(a=chance.randint(1, 8), b=number(chance), c=number(chance))


def attack(chance: random.Random, index: int) -> str:
    lines = [
        " | ".join(written(chance.choice(KINDS), chance) for _ in range(chance.randint(1, 3)))
        for _ in range(chance.randint(1, 3))
    ]
    size = written(chance.choice(INPUTS), chance)
    Path("net.toml").write_text(f'input = "{size}"\nlayers = {lines}\n', encoding="utf-8")
    codes = set()
    for command in COMMANDS:
        codes.add(archcalc(command, "net.toml").code)
    assert len(codes) == 1, (size, lines)
    return "refused" if codes == {2} else "counted"


@sizes(100, 20_000)
def test_huge_arguments(count: int, tmp_path: Path) -> None:
    told = besiege(attack, count, tmp_path, Bounds(seconds=2.0, memory=300 * 10**6))
    assert min(told["counted"], told["refused"]) > count // 20, told
