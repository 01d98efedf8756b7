"""Mutated specs: counted right or refused in plain words, in time."""

from __future__ import annotations

import random
import re
from pathlib import Path

from support.campaign import allow, archcalc, besiege, sizes, timed

from archcalc.analysis.costs import analyze, count, total
from archcalc.api import Network
from archcalc.errors import ArchError
from archcalc.operators import TABLE
from archcalc.spec.bundle import families
from archcalc.spec.catalog import Entry
from archcalc.spec.model import Source
from archcalc.spec.read import read

TEXTS = [Path(path).read_text(encoding="utf-8") for path in families()]
WORDS = sorted({word for text in TEXTS for word in re.findall(r"\w+|[^\w\s]", text)})
SIGNS = "0 -1 1e400 nan inf 0.5 # [ ] { } [[ ]] = | @ @in ... if in k3 k0 p0 s0 half same {n} {-1}"
STRANGE = [
    *SIGNS.split(),
    *TABLE,
    *("9" * 25, "9" * 5000, "1000000000", "2147483648", "9223372036854775807", "k2000000000"),
    *("todepth 2147483648", "upsample 99999", "maxpool 9000000000 same", "p1000000000", "d999999999"),
    *(
        "\\u001b",
        "\x1b",
        "\u202e",
        "\ufeff",
        "\r",
        "\r\r\n",
        "\t",
        '"""',
        "'''",
        "\\",
        "é",
        "漢",
        "\x85",
    ),
    *("output a = ", "a = ", "if 1: ", "2 x ", "60 x ", "concat @in", "add @in", "{channels}", "{1/0}"),
    *(
        "mul @in",
        "matmul @in",
        "matmul @a transposed",
        "concat @in axis=height",
        "mean axis=width",
        "roll {-3}",
    ),
    *(
        "slice 3 from=1 axis=height",
        "permute 1x0x2",
        "permute 0x0x2",
        "permute 9x8",
        "max axis=positions",
    ),
    *(
        "reshape _x4",
        "reshape _x_",
        "reshape 1000000000000000000x1000000000000000000",
        "token 1 | add @in",
    ),
    *(
        "permute " + "x".join(map(str, range(50))),
        "reshape " + "1x" * 49 + "1",
        "roll 9223372036854775807",
    ),
    *("attention 3 kv=2 @in @in", "attention 2 bare causal", "unembed @in", "embedding 9999999999 8"),
    *("lstm 2147483648 both", "gru 8 layers=99999", "attention 9223372036854775807 head=2 rotary"),
    *("p0:1", "p9:9:9", "p0:1x1:0", "0:1", "out=3", "bilinear", "corners", "edge", "modulated"),
    *("pad 0:1 reflect", "crop 99", "resize @in bicubic", "resize 3 @in", "deformconv 8 k3 @in"),
    *("pixelshuffle 2", "pixelunshuffle 3", "pad 2147483648 edge", "upsample 99999 bilinear corners"),
    *("reuse @a", "reuse @in", "99 x reuse @a", "@a/conv", "{shape}", "{shape[0]}", "if shape[0] > 7: "),
    *(
        "\n[inputs]\n",
        "\n[train]\n",
        'freeze = "*"',
        'freeze = ["nothing"]',
        'b = "8x8x3"',
        "args = '@b'",
    ),
]
PIECES = (r"\w+|\s+|[^\w\s]", r"[\s\S]", r"[^\n]*\n")


def mutated(chance: random.Random) -> str:
    """A bundled spec with some numbers, words or lines gone, doubled, exchanged or replaced."""
    text = chance.choice(TEXTS)
    for _ in range(chance.choice((1, 1, 2, 4))):
        if chance.random() < 0.4:
            text = _renumbered(text, chance)
            continue
        parts = re.findall(chance.choice(PIECES), text) or [""]
        at, other = chance.randrange(len(parts)), chance.randrange(len(parts))
        match chance.randrange(6):
            case 0:
                del parts[at]
            case 1:
                parts.insert(at, parts[at])
            case 2:
                parts[at], parts[other] = parts[other], parts[at]
            case 3:
                parts[at] = chance.choice(chance.choice((WORDS, STRANGE)))
            case 4:
                parts.insert(at, chance.choice(chance.choice((WORDS, STRANGE))))
            case 5:
                del parts[at:]
        text = "".join(parts)
    return text


def _renumbered(text: str, chance: random.Random) -> str:
    found = list(re.finditer(r"\d+", text))
    if not found:
        return text
    start, end = chance.choice(found).span()
    number = int(text[start:end]) if end - start < 20 else 9
    other = (number + 1, number - 1, 2 * number, number // 2, 0, 3, 10 ** chance.randrange(20))
    return f"{text[:start]}{chance.choice(other)}{text[end:]}"


def attack(chance: random.Random, number: int) -> str:
    text = mutated(chance)
    try:
        return _attack(text)
    except BaseException:
        Path(f"{number}.toml").write_text(text, encoding="utf-8", newline="")
        raise


def _attack(text: str) -> str:
    data = text.encode()
    shown = [archcalc(command, "-", stdin=data) for command in ("show", "memory", "field")]
    if shown[0].code:
        assert {ended.code for ended in shown} == {2}
        return "refused"
    with timed():
        _sums(text)
    return "counted"


def _sums(text: str) -> None:
    """Totals are the sums over the layers, each counted by itself."""
    try:
        spec = read(Source("mutant", re.sub(r"\r+\n", "\n", text.removeprefix("\ufeff"))))
    except ArchError as error:
        raise AssertionError(f"what `show -` takes is refused here: {error}") from None
    analysis = analyze(Network(Entry("mutant", spec, None), {}).graph)
    allow(len(analysis.layers))
    alone = [count(x.node.operator, x.inputs, x.node.shares < 0) for x in analysis.layers]
    assert analysis.total._replace(frozen=0) == total(alone)
    assert 0 <= analysis.total.frozen <= analysis.total.parameters


@sizes(40, 100_000)
def test_mutated_specs(count: int, tmp_path: Path) -> None:
    told = besiege(attack, count, tmp_path)
    assert min(told["counted"], told["refused"]) > count // 20, told
