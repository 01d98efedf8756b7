"""Decoders: a prompt, each next token, keys and values, by arithmetic and by counts of whole networks.

archcalc counts causal attention in full: n·n scores of n tokens. A token that is decoded meets only the
keys there are, so that decoding is the difference of triangular counts: n·(n + 1)/2 pairs.
"""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from click.testing import CliRunner, Result

import archcalc
from archcalc.cli import commands
from archcalc.errors import ArchError
from archcalc.views.diagnostics import render


def invoke(*words: str) -> Result:
    return CliRunner().invoke(commands, ["flops", *words], env={"COLUMNS": "80"})


def decoding(*words: str) -> dict[str, Any]:
    result = invoke(*words, "--format", "json")
    assert result.exit_code == 0, result.output
    (network,) = json.loads(result.stdout)["networks"]
    found: dict[str, Any] = network["decoding"]
    return found


class Decoder(NamedTuple):
    """Layers of `width` channels; `matrices`: dense weights of one of them; `kv`: channels of keys."""

    layers: int
    width: int
    kv: int
    matrices: int
    words: int

    def token(self, keys: int) -> int:
        """Each weight once; scores and sums of values over so many keys."""
        dense = self.layers * self.matrices + self.width * self.words
        return dense + self.layers * 2 * keys * self.width


# four projections and the two dense layers of four times the width; Llama's keys have 8 heads of 128,
# and its feed-forward three matrices of 14,336
GPT2 = Decoder(12, 768, 768, 4 * 768**2 + 2 * 4 * 768**2, 50_257)
MEDIUM = Decoder(24, 1024, 1024, 4 * 1024**2 + 2 * 4 * 1024**2, 50_257)
LLAMA = Decoder(32, 4096, 8 * 128, 2 * 4096**2 + 2 * 4096 * 8 * 128 + 3 * 4096 * 14_336, 128_256)
ALL = [("gpt2", GPT2), ("gpt2_medium", MEDIUM), ("llama3_8b", LLAMA)]


@pytest.mark.parametrize(("name", "decoder"), ALL)
def test_a_token_by_arithmetic(name: str, decoder: Decoder) -> None:
    """The query meets the 512 keys before it and its own; 2 bytes a number."""
    found = decoding(name, "--decode", "1", "--context", "512", "--dtype", "bfloat16")
    assert found["next_token"] == found["tokens"] == decoder.token(513)
    assert found["cache_token"] == 2 * decoder.layers * decoder.kv * 2
    assert found["cache"] == 513 * found["cache_token"]


def test_the_cache_of_llama_3() -> None:
    assert decoding("llama3_8b", "--prefill", "1", "--dtype", "bfloat16")["cache_token"] == 131_072


@pytest.mark.parametrize(("name", "decoder"), ALL)
@pytest.mark.parametrize("tokens", [1, 2, 333, 1024])
def test_a_prompt_is_the_whole_network(name: str, decoder: Decoder, tokens: int) -> None:
    whole = int(archcalc.load(name, input=f"{tokens}x1").analyze().multiplies)
    found = decoding(name, "--prefill", str(tokens))
    assert found["prompt"] == whole
    hidden = decoder.layers * 2 * decoder.width * (tokens * (tokens - 1) // 2)
    assert found["prompt_unmasked"] == whole - hidden


@pytest.mark.parametrize(("name", "decoder"), ALL)
def test_decoding_is_the_difference_of_triangular_counts(name: str, decoder: Decoder) -> None:
    def triangular(tokens: int) -> int:
        """The whole network without the scores of keys behind their query."""
        whole = int(archcalc.load(name, input=f"{tokens}x1").analyze().multiplies)
        return whole - decoder.layers * decoder.width * tokens * (tokens - 1)

    for context in (1, 7, 500):
        found = decoding(name, "--decode", "1", "--context", str(context))
        assert found["next_token"] == triangular(context + 1) - triangular(context)
    found = decoding(name, "--prefill", "20", "--decode", "30")
    assert found["tokens"] == triangular(50) - triangular(20)
    assert found["next_token"] == triangular(21) - triangular(20)
    assert decoding(name, "--decode", "40", "--context", "0")["tokens"] == triangular(40)


def test_a_window_bounds_keys_and_cache(tmp_path: Path) -> None:
    """Of tokens 1 … 5 with a window of 3 the queries meet 1, 2, 3, 3, 3 keys."""
    net = tmp_path / "net.toml"
    net.write_text('input = "9x4"\nlayers = ["attention 2 causal window=3 nobias"]\n')
    found = decoding(str(net), "--decode", "5", "--context", "0", "--dtype", "int8")
    assert found["tokens"] == 5 * 4 * 4 * 4 + (1 + 2 + 3 + 3 + 3) * 2 * 4
    assert (found["cache_token"], found["cache"]) == (2 * 4, 3 * 2 * 4)
    assert decoding(str(net), "--decode", "1", "--context", "8")["next_token"] == 4 * 16 + 3 * 2 * 4


def test_keys_and_values_that_arrive(tmp_path: Path) -> None:
    """Keys of 2 heads × 4, values of 2 heads × 3, for 4 heads of queries: 16 and 12 products a key."""
    net = tmp_path / "net.toml"
    net.write_text(
        'input = "6x5"\nlayers = ["k = linear 8", "@in | v = linear 6", '
        '"@in | linear 16 | attention 4 kv=2 causal bare @k @v"]\n'.replace("@in | v =", "v = @in |")
    )
    found = decoding(str(net), "--decode", "1", "--context", "3", "--dtype", "float16")
    assert found["cache_token"] == 2 * (8 + 6)
    assert found["next_token"] == 5 * 8 + 5 * 6 + 5 * 16 + 4 * (16 + 12)


def test_a_batch_and_the_sum_of_layers() -> None:
    one, three = (decoding("gpt2", "--prefill", "9", "--decode", "2", "--batch", n) for n in "13")
    for key in ("prompt", "prompt_unmasked", "next_token", "tokens", "cache"):
        assert three[key] == 3 * one[key] == 3 * sum(layer[key] for layer in one["layers"])
    assert three["cache_token"] == one["cache_token"]


def test_the_formats_agree() -> None:
    words = ("gpt2", "--prefill", "64", "--decode", "2", "--dtype", "float16")
    found = decoding(*words)
    rows = list(csv.DictReader(io.StringIO(invoke(*words, "--format", "csv").stdout)))
    for key in ("prompt", "next_token", "tokens", "cache"):
        assert sum(int(row[key]) for row in rows if row["layer"] != "total") == found[key]
        for format in ("table", "md"):
            assert f"{found[key]:,}" in invoke(*words, "--format", format).stdout


def test_the_spec_keeps_its_own_names(tmp_path: Path) -> None:
    """A variable called `context` is set by --context."""
    net = tmp_path / "net.toml"
    net.write_text('input = "8x8x3"\nlayers = ["conv {context}"]\n[vars]\ncontext = 4\n')
    result = invoke(str(net), "--context", "6", "--format", "json")
    assert json.loads(result.stdout)["networks"][0]["total"]["multiplies"] == 8 * 8 * 3 * 6


HELP = "  = help: a decoder reads one sequence, and its attention is `causal`, as in gpt2 and llama3_8b"
REFUSED = [
    ("vgg16 --prefill 9", "vgg16 is no decoder: its input 224×224×3 is no sequence", HELP),
    ("bert_base --prefill 9", "bert_base is no decoder: it has 2 inputs", HELP),
    ("8x4|linear/4 --prefill 9", "is no decoder: it has no attention", HELP),
    ("8x4|attention/2 --prefill 9", "the attention of attention is not `causal`", HELP),
    ("8x4|attention/2/causal|gap --prefill 9", "`gap` (gap) does not work token by token", HELP),
    ("gpt2 --prefill 2048", "2048 tokens for a table of 1024 places", "in layer posembed"),
    ("gpt2 --decode 5", "--decode: after how many tokens?", "--context 2048 says how many"),
    ("gpt2 --context 5", "--context counts with --decode only", "--decode 1 --context 2048"),
    ("gpt2 --dtype int8", "--dtype counts with --prefill or --decode only", "as in --prefill 2048"),
    ("gpt2 --prefill 5 --training", "--training and --prefill exclude each other", ""),
    ("gpt2 --decode 5 --context 5 --census", "--census and --decode exclude each other", ""),
    ("gpt2 --prefill 5 --as thop", "--as and --prefill exclude each other", ""),
    (
        "gpt2 --prefill 5 --input 64",
        "--input and --prefill or --decode exclude each other",
        "the length of the sequence is that of the prompt",
    ),
    ("tests/data/pt2/resnet18.pt2 --prefill 5", "is no decoder: its input 224×224×3 is no", HELP),
]


@pytest.mark.parametrize(("line", "message", "help"), REFUSED)
def test_what_is_no_decoder_is_refused(line: str, message: str, help: str) -> None:
    words = [word.replace("/", " ") if "|" in word else word for word in line.split()]
    with pytest.raises(ArchError) as caught:
        CliRunner().invoke(commands, ["flops", *words], catch_exceptions=False)
    text = render(caught.value)
    assert caught.value.exit_code == 2
    assert message in text and help in text, text
