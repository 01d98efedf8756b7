"""Transformers of words, from the tables of their papers, by hand; totals as their weights have them."""

from __future__ import annotations

import pytest

import archcalc


def decoder(width: int) -> int:
    """Of GPT-2 and BERT: four projections, two layers of 4 × width, two norms, all with biases."""
    projections = 4 * (width * width + width)
    hidden = (4 * width * width + 4 * width) + (4 * width * width + width)
    return projections + hidden + 2 * 2 * width


@pytest.mark.parametrize(
    "layers, width, heads, total",
    [  # Radford et al. 2019, Table 2; the sums are those of the weights that were published
        (12, 768, 12, 124_439_808),
        (24, 1024, 16, 354_823_168),
        (36, 1280, 20, 774_030_080),
        (48, 1600, 25, 1_557_611_200),
    ],
)
def test_gpt2_by_hand(layers: int, width: int, heads: int, total: int) -> None:
    analysis = archcalc.load("gpt2", layers=layers, width=width, heads=heads).analyze()
    assert analysis.parameters == total
    if layers == 24:
        assert archcalc.load("gpt2_medium").analyze().multiplies == analysis.multiplies
    assert total == (50257 + 1024) * width + layers * decoder(width) + 2 * width


def test_gpt2_tied_and_not() -> None:
    """1,024 tokens through 12 blocks and a head of 50,257 words, whose table counts once if tied.

    Blocks: 12·768² products a token for the weights, 2·1024·768 for scores and sums.
    """
    tied, own = (archcalc.load(name).analyze() for name in ("gpt2", "gpt2_untied"))
    assert (tied.parameters, own.parameters) == (124_439_808, 124_439_808 + 50257 * 768)
    assert own.parameters == 163_037_184
    blocks = 12 * (1024 * 12 * 768 * 768 + 2 * 1024 * 1024 * 768)
    assert tied.multiplies == own.multiplies == blocks + 1024 * 50257 * 768 == 145_824_153_600


@pytest.mark.parametrize(
    "name, layers, width, total",
    [("bert_base", 12, 768, 109_482_240), ("bert_large", 24, 1024, 335_141_888)],
)
def test_bert_by_hand(name: str, layers: int, width: int, total: int) -> None:
    """Devlin et al. 2018, section 3: three embeddings and a norm, the blocks, the pooler."""
    embeddings = (30522 + 512 + 2) * width + 2 * width
    analysis = archcalc.load(name).analyze()
    assert analysis.parameters == total
    assert total == embeddings + layers * decoder(width) + width * width + width
    block = 512 * 12 * width * width + 2 * 512 * 512 * width
    assert analysis.multiplies == layers * block + width * width


def test_llama3_by_hand() -> None:
    """Dubey et al. 2024, Table 3: 8 of 32 heads have keys, 14,336 channels gated, no biases, a head.

    The published weights hold 16,060,522,496 bytes of bfloat16.
    """
    attention = 2 * 4096 * 4096 + 2 * 4096 * 1024
    block = attention + 3 * 4096 * 14336 + 2 * 4096
    analysis = archcalc.load("llama3_8b").analyze()
    assert attention == 41_943_040
    assert analysis.parameters == 2 * 128256 * 4096 + 32 * block + 4096 == 8_030_261_248
    assert 2 * analysis.parameters == 16_060_522_496
    small = 2 * 256 * 256 + 2 * 256 * 64 + 3 * 256 * 896 + 2 * 256
    copy = archcalc.load("llama3_copy").analyze()
    assert copy.parameters == 2 * 1000 * 256 + 2 * small + 256
    weights = attention + 3 * 4096 * 14336
    tokens = 8192
    products = 32 * (tokens * weights + 2 * tokens * tokens * 4096) + tokens * 4096 * 128256
    assert analysis.multiplies == products
