"""Each rule of the lowering made wrong: the count, the shapes or the values of torch must notice.

What counts cannot see (a permutation, a factor, the order of gates) the values do: tests/data/weighted
holds what torch computed with these weights.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import archcalc
from archcalc.errors import ArchError
from archcalc.execution.forward import Forward
from archcalc.files.own import weights_of
from archcalc.imported import Model
from archcalc.interop.lowering.assembly import LoweringState
from archcalc.interop.lowering.contracting import _spelled
from archcalc.interop.lowering.lower import RULES
from archcalc.interop.lowering.moves import cut
from archcalc.interop.lowering.unfolding import _taken
from archcalc.interop.lowering.written_norms import _centered
from archcalc.interop.lowering.written_out import Gathering
from archcalc.interop.trace import Operation
from archcalc.lowered import lower

WEIGHTED = Path(__file__).parents[1] / "data" / "weighted"
Change = Callable[[Operation], Operation]


@cache
def model(name: str) -> Model:
    return archcalc.load_model(WEIGHTED / f"{name}.pt2")


def off(name: str) -> float:
    """How far the output is from torch's, as a share of its largest value."""
    lowered, recorded = lower(model(name)), np.load(WEIGHTED / f"{name}.npz")
    forward = Forward(lowered.graph, weights_of(model(name), lowered))
    x, wanted = recorded["x"], recorded["y"]
    forward.run(np.ascontiguousarray(x.transpose(0, 2, 3, 1) if x.ndim == 4 else x))
    (held,) = [each for each in lowered.held if each.node == lowered.graph.output]
    found = forward.values[held.node].reshape(held.split).transpose(held.order).reshape(wanted.shape)
    return float(np.abs(found - wanted).max() / np.abs(wanted).max())


def noticed(name: str) -> str:
    """Who notices that a rule is wrong: nobody, if the output is torch's all the same."""
    try:
        return "nobody" if off(name) <= 1e-4 else "values"
    except ArchError:
        return "counts"


def given(**attributes: Any) -> Change:
    return lambda op: op._replace(attributes={**op.attributes, **attributes})


def inputs(change: Callable[[tuple[str | None, ...]], tuple[str | None, ...]]) -> Change:
    return lambda op: op._replace(inputs=change(op.inputs))


def instead(word: str) -> Change:
    """The rule of another word, where it is another rule; else the same, which reads the word."""
    return lambda op: op._replace(word=word)


def turned(op: Operation) -> Operation:
    """Two of the axes that a permutation gives, exchanged: the last two that are of one size, or any."""
    dims = list(op.attributes["dims"])
    dims[-1], dims[-2] = dims[-2], dims[-1]
    return op._replace(attributes={**op.attributes, "dims": tuple(dims)})


WITHOUT_BIAS = inputs(lambda names: names[:2])
# rule, what it takes for another operation than it is, model, who must notice
OPERATIONS: list[tuple[str, Change, str, str]] = [
    ("conv", given(stride=(1, 1)), "inverted", "counts"),
    ("conv", given(padding=(0, 0)), "inverted", "counts"),
    ("conv", given(groups=1), "inverted", "counts"),
    ("conv", WITHOUT_BIAS, "gate", "counts"),
    ("conv_transpose", given(stride=(1, 1)), "gate", "counts"),
    ("conv_transpose", given(groups=1), "gate", "counts"),
    ("conv_transpose", WITHOUT_BIAS, "gate", "counts"),
    ("linear", WITHOUT_BIAS, "gate", "counts"),
    ("batch_norm", inputs(lambda n: (n[0], n[2], n[1], *n[3:])), "inverted", "values"),
    ("batch_norm", inputs(lambda n: (*n[:3], n[4], n[3])), "inverted", "values"),
    ("batch_norm", inputs(lambda n: (n[0], None, *n[2:])), "inverted", "counts"),
    ("batch_norm", given(eps=0.1), "inverted", "values"),
    ("layer_norm", inputs(lambda n: (n[0], n[2], n[1])), "vit", "values"),
    ("layer_norm", inputs(lambda n: n[:2]), "vit", "counts"),
    ("layer_norm", given(eps=0.1), "vit", "values"),
    ("attention", inputs(lambda n: (n[1], n[0], *n[2:])), "vit", "values"),
    ("attention", inputs(lambda n: (n[0], n[2], n[1], *n[3:])), "vit", "values"),
    ("attention", given(scale=0.1), "vit", "values"),
    ("attention", given(is_causal=True), "encoder", "values"),
    ("attention", inputs(lambda n: n[:3]), "swin", "counts"),
    ("max_pool", given(stride=(1, 1)), "densenet", "counts"),
    ("max_pool", given(padding=(0, 0)), "densenet", "counts"),
    ("avg_pool", given(stride=(1, 1)), "densenet", "counts"),
    ("matmul", inputs(lambda n: n[::-1]), "scores", "counts"),
    ("lstm", inputs(lambda n: (*n[:3], *n[8:13], *n[3:8], *n[13:])), "lstm", "values"),
    ("lstm", inputs(lambda n: (*n[:3], *n[13:], *n[3:13])), "lstm", "values"),
    ("lstm", inputs(lambda n: n[:13]), "lstm", "counts"),
    ("gru", inputs(lambda n: (*n[:4], n[5], n[4])), "gru", "values"),
    ("gru", inputs(lambda n: n[:4]), "gru", "counts"),
    ("rnn_relu", inputs(lambda n: n[:4]), "rnn", "counts"),
    ("permute", turned, "vit", "counts"),
    ("permute", turned, "swin", "counts"),
    ("permute", turned, "convnext", "counts"),
    ("permute", turned, "shufflenet", "values"),
    ("unbind", lambda op: op._replace(outputs=op.outputs[::-1]), "scores", "values"),
    ("split", lambda op: op._replace(outputs=op.outputs[::-1]), "shufflenet", "values"),
    ("cat", inputs(lambda n: n[::-1]), "densenet", "values"),
    ("cat", inputs(lambda n: n[::-1]), "shufflenet", "values"),
    ("select", given(index=1), "vit", "values"),
    ("roll", given(shifts=(0, 0)), "swin", "values"),
    ("roll", given(shifts=(1, 1)), "swin", "values"),
    ("mean", given(dim=(2,)), "lstm", "counts"),
    ("avg_pool", instead("max_pool"), "densenet", "values"),
    ("adaptive_avg_pool", instead("adaptive_max_pool"), "densenet", "values"),
    ("adaptive_max_pool", instead("adaptive_avg_pool"), "resampled", "values"),
    ("mean", instead("sum"), "gate", "values"),
    ("sum", instead("mean"), "resampled", "values"),
    ("amax", instead("mean"), "resampled", "values"),
    ("upsample_linear", given(align_corners=False), "resampled", "values"),
    ("upsample_cubic", instead("upsample_linear"), "resampled", "values"),
    ("upsample_nearest", instead("upsample_linear"), "resampled", "values"),
    ("pixel_shuffle", instead("pixel_unshuffle"), "resampled", "counts"),
    ("pixel_unshuffle", instead("pixel_shuffle"), "resampled", "counts"),
    ("channel_shuffle", given(groups=2), "resampled", "values"),
    ("slice", given(start=0, end=16), "resampled", "values"),
    ("stack", inputs(lambda n: (n[0], n[0])), "resampled", "values"),
    ("expand", instead("copy"), "resampled", "counts"),
    ("relu", instead("silu"), "densenet", "values"),
    ("relu6", given(function="hardtanh", min_val=-1, max_val=1), "inverted", "values"),
    ("gelu", instead("silu"), "vit", "values"),
    ("sigmoid", instead("tanh"), "gate", "values"),
    ("hardswish", instead("silu"), "gate", "values"),
    ("tanh", instead("sigmoid"), "functions", "values"),
    ("selu", instead("relu"), "functions", "values"),
    ("mish", instead("silu"), "functions", "values"),
    ("softplus", instead("relu"), "functions", "values"),
    ("silu", instead("mish"), "functions", "values"),
    ("hardsigmoid", instead("sigmoid"), "functions", "values"),
    ("elu", given(alpha=1.0), "functions", "values"),
    ("leaky_relu", given(negative_slope=0.01), "functions", "values"),
    ("clamp", given(max=0.7), "functions", "values"),
    ("prelu", instead("leaky_relu"), "functions", "counts"),
    ("glu", given(dim=1), "functions", "counts"),
    ("log_softmax", instead("softmax"), "functions", "values"),
    ("softmax", instead("log_softmax"), "scores", "values"),
    ("neg", lambda op: op._replace(word="pow", attributes={"exponent": 2}), "functions", "values"),
    ("pow", instead("neg"), "functions", "values"),
    ("addcmul", inputs(lambda n: (n[1], n[0], n[2])), "functions", "values"),
    ("add", instead("sub"), "vit", "values"),
    ("sub", instead("add"), "functions", "values"),
    ("mul", instead("add"), "gate", "values"),
    ("div", instead("mul"), "functions", "values"),
    ("maximum", instead("add"), "functions", "values"),
    ("unit", instead("relu"), "functions", "values"),
    ("group_norm", given(num_groups=1), "norms", "values"),
    ("group_norm", inputs(lambda n: n[:2]), "norms", "counts"),
    ("instance_norm", given(eps=0.1), "norms", "values"),
    ("rms_norm", given(eps=0.1), "norms", "values"),
    ("rms_norm", inputs(lambda n: n[:1]), "norms", "counts"),
    ("add", given(alpha=2), "inverted", "values"),
    ("sub", given(alpha=0.5), "functions", "values"),
    ("instance_norm", given(use_input_stats=True), "norms", "values"),
    ("rnn_relu", instead("rnn_tanh"), "rnn", "values"),
    ("pad", given(pad=(0, 2, 1, 1)), "resampled", "values"),
    ("pad", given(pad=(0, 0, 0, 0)), "resampled", "counts"),
    ("todepth", given(dims=(2, 1)), "swin", "counts"),
    ("einsum", inputs(lambda n: (n[1], n[0], *n[2:])), "einsums", "counts"),
    ("repeat", instead("repeat_interleave"), "stretched", "values"),
    ("repeat_interleave", instead("repeat"), "stretched", "values"),
    ("unit", given(dim=2), "stretched", "values"),
    ("unfold", given(padding=0), "unfolded", "counts"),
    ("unfold", given(dilation=1), "unfolded", "counts"),
    ("cat", inputs(lambda n: n[::-1]), "tokens", "counts"),
]


@pytest.mark.parametrize("name", sorted({name for *_, name, _ in OPERATIONS}))
def test_the_rules_as_they_are_give_the_values(name: str) -> None:
    assert off(name) <= 1e-4


@pytest.mark.parametrize(("word", "change", "name", "who"), OPERATIONS)
def test_a_rule_that_reads_an_operation_wrong(
    word: str, change: Change, name: str, who: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    rules = dict(RULES)

    def wrong(low: LoweringState, op: Operation) -> None:
        read = change(op)
        rules[read.word](low, read)

    monkeypatch.setitem(RULES, word, wrong)
    assert noticed(name) == who


OTHER_WAYS = [
    (
        "upsample_cubic",
        given(scale_factors=(1.9, 2.0)),
        "resampled",
        "its scale factors do not match its sizes",
    ),
    (
        "upsample_linear",
        given(function="_upsample_bilinear2d_aa"),
        "resampled",
        "it antialiases",
    ),
    ("leaky_relu", given(function="rrelu"), "functions", "its slope is the mean of two bounds"),
    ("addcmul", given(value=0.5), "functions", "it scales its product"),
    ("mul", given(alpha=2), "convnext", "it scales its second input"),
]


@pytest.mark.parametrize(("word", "change", "name", "told"), OTHER_WAYS)
def test_what_torch_computes_otherwise_is_refused(
    word: str, change: Change, name: str, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = RULES[word]
    monkeypatch.setitem(RULES, word, lambda low, op: right(low, change(op)))
    with pytest.raises(ArchError, match=told):
        lower(model(name))


LAYERS: list[tuple[str, dict[str, Any], str, str]] = [
    ("attention", {"heads": 1}, "vit", "values"),
    ("attention", {"heads": 1}, "encoder", "values"),
    ("attention", {"causal": True}, "vit", "values"),
    ("windowattention", {"heads": 4}, "swin", "counts"),
    ("roll", {"shift": 0}, "swin", "values"),
    ("conv", {"same": True, "p": (0, 0)}, "inverted", "values"),
    ("bn", {"eps": 0.1}, "inverted", "values"),
    ("ln", {"eps": 0.1}, "scores", "values"),
    ("rnn", {"act": "tanh"}, "rnn", "values"),
    ("linear", {"nobias": True}, "gate", "counts"),
    ("deconv", {"out": (0, 0)}, "gate", "counts"),
]


@pytest.mark.parametrize(("word", "changed", "name", "who"), LAYERS)
def test_a_rule_that_makes_a_layer_with_another_argument(
    word: str, changed: dict[str, Any], name: str, who: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = LoweringState.add

    def wrong(self: LoweringState, said: str, *rest: Any, **given: Any) -> int:
        return right(self, said, *rest, **(given | changed if said == word else given))

    monkeypatch.setattr(LoweringState, "add", wrong)
    assert noticed(name) == who


def exchanged(order: tuple[int, ...], a: int, b: int) -> tuple[int, ...]:
    found = list(order)
    found[a], found[b] = found[b], found[a]
    return tuple(found)


WEIGHTS: list[tuple[str, Callable[[tuple[int, ...]], tuple[int, ...]], str]] = [
    ("weight", lambda order: exchanged(order, 0, 1), "inverted"),  # rows and columns of a kernel
    ("weight", lambda order: exchanged(order, 0, 1), "gate"),
    ("weight", lambda order: exchanged(order, -1, -2), "gate"),  # inputs and outputs
    ("query.weight", lambda order: order[::-1], "vit"),
    ("key.weight", lambda order: order[::-1], "vit"),
    ("value.weight", lambda order: order[::-1], "encoder"),
    ("output.weight", lambda order: order[::-1], "vit"),
    ("output.weight", lambda order: order[::-1], "swin"),
    ("weight_hh_l0", lambda order: order[::-1], "gru"),
    ("weight_hh_l0", lambda order: order[::-1], "lstm"),
    ("weight_hr_l1_reverse", lambda order: order[::-1], "lstm"),
]


@pytest.mark.parametrize(("name", "change", "file"), WEIGHTS)
def test_a_weight_in_another_order(
    name: str, change: Any, file: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No count sees it: the numbers are as many."""
    right, touched = LoweringState.place, []

    def wrong(self: LoweringState, node: int, weights: Any) -> None:
        made = []
        for each in weights:
            turned = each[0] == name and len(each[3]) > 1
            touched.append(turned)
            made.append((*each[:3], change(each[3]), *each[4:]) if turned else each)
        right(self, node, made)

    monkeypatch.setattr(LoweringState, "place", wrong)
    assert noticed(file) != "nobody"
    assert any(touched)


FACTOR, NORMED, SPELLED = Gathering._factor, _centered, _spelled
TAKEN = _taken


def twice(factor: float | None) -> float | None:
    return factor and 2 * factor


def with_eps(found: tuple[str, float] | None) -> tuple[str, float] | None:
    return found and (found[0], 0.1)


PARTS: list[tuple[str, Any, str, str]] = [
    ("attention._usual", lambda low, width: 1.0, "vit", "values"),
    ("written_out.Gathering._factor", lambda self, step: twice(FACTOR(self, step)), "scores", "values"),
    ("written_norms._centered", lambda steps, op: with_eps(NORMED(steps, op)), "scores", "values"),
    ("layers.reordered", lambda low, file, own: ((low.atoms.size(file),), (0,)), "gate", "values"),
    ("axes.Atoms.viewed", lambda self, axes, shape: tuple(map(self.new, shape)), "vit", "counts"),
    ("contracting._spelled", lambda text, rank: SPELLED(text, rank)[::-1], "einsums", "counts"),
    (
        "unfolding._taken",
        lambda low, layout, dim, at: TAKEN(low, layout, dim, (0, *at[1:])),
        "unfolded",
        "values",
    ),
    ("values._distinct", lambda low, file: tuple(map(low.atoms.leaves, file)), "stretched", "counts"),
    ("sources.WeightSources.fresh", lambda self, tensor: False, "tokens", "counts"),
    (
        "moves.cut",
        lambda low, layout, axis, start, size: cut(low, layout, axis, 0, size),
        "scores",
        "values",
    ),
]


@pytest.mark.parametrize(("place", "wrong", "name", "who"), PARTS)
def test_a_part_of_the_rules_that_is_wrong(
    place: str, wrong: Any, name: str, who: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(f"archcalc.interop.lowering.{place}", wrong)
    assert noticed(name) == who


SAME = {"copy", "cast", "dropout", "view"}  # no rule to be wrong: the values stay, in their order


def test_every_rule_that_a_model_here_needs_is_made_wrong() -> None:
    words = {op.word for path in WEIGHTED.glob("*.pt2") for op in model(path.stem).trace.operations}
    assert (words & {*RULES}) - SAME - {word for word, *_ in OPERATIONS} == set()
    assert len(words & {*RULES}) > 50
