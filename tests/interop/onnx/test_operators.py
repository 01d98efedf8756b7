"""Operators that are several words, or another's: counts worked out beside them."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
from support import protobuf as p

from archcalc.interop.load import read
from archcalc.interop.onnx.rules import RULES
from archcalc.interop.onnx.translations import TRANSLATIONS
from archcalc.interop.onnx.words import SAME
from archcalc.interop.prune import prune
from archcalc.interop.tally import Tally, tally
from archcalc.interop.vocabulary import WORDS

MICROSOFT = "com.microsoft"


def counted(
    folder: Path,
    node: bytes,
    x: tuple[int, ...],
    *tensors: bytes,
    more: tuple[bytes, ...] = (),
    opset: int = 17,
    domain: str = "",
) -> Tally:
    """Counts of one node on an input x, and others."""
    node = node.replace(b"\x0a\x01-", b"\x0a\x00") + (p.field(7, domain) if domain else b"")
    path = folder / "m.onnx"
    path.write_bytes(p.model([node], [p.value("x", *x), *more], tensors=tensors, opset=opset))
    trace = read(str(path), {}, {})
    found = tally(trace, prune(trace))
    assert not found.unknown
    return found


def byte(name: str, *dims: int) -> bytes:
    return p.tensor(name, dims, 2)


def test_every_operator_with_a_shape_has_words_that_are_known() -> None:
    """But for a few that nobody exports: those are listed, and never counted as nothing."""
    silent = set(RULES) - set(TRANSLATIONS) - SAME
    assert " ".join(sorted(silent)) == (
        "AffineGrid BlackmanWindow DFT Det HammingWindow HannWindow Hardmax MaxRoiPool "
        "MeanVarianceNormalization MelWeightMatrix NegativeLogLikelihoodLoss NonMaxSuppression RoiAlign "
        "STFT SoftmaxCrossEntropyLoss"
    )
    assert {"conv", "linear", "attention", "lstm"} <= set(WORDS)


def test_gemm_turned_in_both_ways(tmp_path: Path) -> None:
    node = p.node("Gemm", "x w c", "y", p.integer("transA", 1))
    found = counted(tmp_path, node, (6, 5), p.tensor("w", (6, 4)), p.tensor("c", (4,)))
    assert found.counts.products == 5 * 4 * 6
    assert found.counts.additions == 5 * 4 * (6 - 1 + 1)
    assert found.parameters == 6 * 4 + 4


def test_gemm_of_two_inputs(tmp_path: Path) -> None:
    node = p.node("Gemm", "x w c", "y", p.integer("transB", 1))
    more = (p.value("w", 4, 6), p.value("c", 5, 4))
    found = counted(tmp_path, node, (5, 6), more=more)
    assert (found.counts.products, found.parameters) == (5 * 4 * 6, 0)
    assert found.counts.additions == 5 * 4 * 6


@pytest.mark.parametrize(("opset", "lines", "n"), [(11, 2, 12), (13, 6, 4)])
def test_softmax_over_the_rest_or_over_one_axis(opset: int, lines: int, n: int, tmp_path: Path) -> None:
    node = p.node("Softmax", "x", "y", *([] if opset == 11 else [p.integer("axis", -1)]))
    found = counted(tmp_path, node, (2, 3, 4), opset=opset)
    assert found.counts.divisions == lines * n
    assert found.counts.comparisons == lines * (n - 1)


@pytest.mark.parametrize(
    ("op", "expected"),
    [
        ("ReduceSumSquare", {"multiplies": 24, "additions": 24 - 6}),
        ("ReduceL1", {"comparisons": 24, "additions": 24 - 6}),
        ("ReduceLogSum", {"additions": 24 - 6, "exponentials": 6}),
        ("ReduceLogSumExp", {"exponentials": 24 + 6, "additions": 24 - 6}),
        ("ReduceL2", {"multiplies": 24, "additions": 24 - 6, "roots": 6}),
    ],
)
def test_reductions_of_several_steps(op: str, expected: dict[str, int], tmp_path: Path) -> None:
    found = counted(tmp_path, p.node(op, "x", "y", p.ints("axes", 2)), (2, 3, 4)).counts
    assert {k: v for k, v in found._asdict().items() if v} == expected


def test_attention_of_the_standard_in_one_piece(tmp_path: Path) -> None:
    node = p.node("Attention", "x k v", "y", p.integer("q_num_heads", 4), p.integer("kv_num_heads", 2))
    more = (p.value("k", 1, 9, 16), p.value("v", 1, 9, 16))
    found = counted(tmp_path, node, (1, 7, 32), more=more, opset=23)
    assert found.counts.products == 2 * 4 * 7 * 9 * 8
    assert found.counts.exponentials == 4 * 7 * 9


def test_attention_with_its_matrix(tmp_path: Path) -> None:
    node = p.node("Attention", "x w b", "y", p.integer("num_heads", 4))
    weights = (p.tensor("w", (32, 96)), p.tensor("b", (96,)))
    found = counted(tmp_path, node, (1, 7, 32), *weights, domain=MICROSOFT)
    assert found.counts.products == 7 * 32 * 96 + 2 * 4 * 7 * 7 * 8
    assert found.parameters == 32 * 96 + 96


def test_attention_with_what_was_kept(tmp_path: Path) -> None:
    attributes = (p.integer("num_heads", 4), p.integer("kv_num_heads", 2))
    node = p.node("GroupQueryAttention", "x k v pk pv", "y", *attributes)
    more = [p.value(name, 1, 3, 16) for name in "kv"] + [p.value(n, 1, 2, 5, 8) for n in ("pk", "pv")]
    found = counted(tmp_path, node, (1, 3, 32), more=tuple(more), domain=MICROSOFT)
    assert found.counts.products == 2 * 4 * 3 * (5 + 3) * 8


def test_a_matrix_of_four_bits_counts_as_a_matrix(tmp_path: Path) -> None:
    attributes = (
        p.integer("K", 64),
        p.integer("N", 24),
        p.integer("bits", 4),
        p.integer("block_size", 32),
    )
    node = p.node("MatMulNBits", "x w s", "y", *attributes)
    held = (byte("w", 24, 2, 16), p.tensor("s", (48,)))
    found = counted(tmp_path, node, (1, 5, 64), *held, domain=MICROSOFT)
    assert found.counts.products == 5 * 64 * 24
    assert found.parameters == 64 * 24


def test_a_quantized_lstm_has_its_matrices_turned(tmp_path: Path) -> None:
    node = p.node("DynamicQuantizeLSTM", "x w r b - - - - s z s z", "y", p.integer("hidden_size", 5))
    held = (byte("w", 1, 3, 20), byte("r", 1, 5, 20), p.tensor("b", (1, 40)))
    held = (*held, p.tensor("s", (1,)), byte("z", 1))
    found = counted(tmp_path, node, (7, 1, 3), *held, domain=MICROSOFT)
    assert found.counts.products == 7 * 20 * (3 + 5)
    assert found.parameters == 20 * (3 + 5) + 40


def test_two_branches_and_a_norm(tmp_path: Path) -> None:
    node = p.node("SkipLayerNormalization", "x s g b", "y")
    weights = (p.tensor("g", (8,)), p.tensor("b", (8,)))
    found = counted(tmp_path, node, (1, 3, 8), *weights, more=(p.value("s", 1, 3, 8),), domain=MICROSOFT)
    assert found.counts.additions == 3 * 8 + 3 * (4 * 8 - 1)  # the sum, the norm
    assert (found.counts.roots, found.parameters) == (3, 16)


def test_a_convolution_with_its_activation(tmp_path: Path) -> None:
    node = p.node("FusedConv", "x w", "y", p.text("activation", "Relu"))
    found = counted(tmp_path, node, (1, 3, 6, 6), p.tensor("w", (4, 3, 3, 3)), domain=MICROSOFT)
    assert (found.counts.products, found.counts.comparisons) == (4 * 4 * 4 * 27, 4 * 4 * 4)


def test_a_clip_has_a_comparison_a_bound(tmp_path: Path) -> None:
    both = p.node("Clip", "x", "y", p.real("min", 0.0), p.real("max", 6.0))
    assert counted(tmp_path, both, (1, 10), opset=6).counts.comparisons == 20
    low = p.tensor("low", (), raw=struct.pack("<f", 0.0))
    assert counted(tmp_path, p.node("Clip", "x low", "y"), (1, 10), low).counts.comparisons == 10


def test_a_power_of_two_is_a_multiply(tmp_path: Path) -> None:
    two = p.tensor("two", (), raw=struct.pack("<f", 2.0))
    found = counted(tmp_path, p.node("Pow", "x two", "y"), (1, 10), two)
    assert {k: v for k, v in found.counts._asdict().items() if v} == {"multiplies": 10}


def test_a_product_of_operands_that_are_turned(tmp_path: Path) -> None:
    """[length, images, heads, size] by [length, images, heads, size]: scores of every head."""
    flags = (p.integer("transBatchA", 1), p.integer("transBatchB", 1), p.integer("transB", 1))
    node = p.node("FusedMatMul", "x k", "y", *flags)
    found = counted(tmp_path, node, (9, 1, 4, 8), more=(p.value("k", 7, 1, 4, 8),), domain=MICROSOFT)
    assert found.counts.products == 4 * 9 * 7 * 8


def test_embeddings_of_ids_places_and_segments_with_their_norm(tmp_path: Path) -> None:
    node = p.node("EmbedLayerNormalization", "x s words places segments g b", "y")
    tables = (p.tensor("words", (50, 8)), p.tensor("places", (16, 8)), p.tensor("segments", (2, 8)))
    norm = (p.tensor("g", (8,)), p.tensor("b", (8,)))
    found = counted(
        tmp_path, node, (1, 7), *tables, *norm, more=(p.value("s", 1, 7, dtype=6),), domain=MICROSOFT
    )
    assert found.parameters == (50 + 16 + 2 + 2) * 8
    assert found.counts.products == 0
    assert found.counts.additions == 2 * 7 * 8 + 7 * (4 * 8 - 1)
