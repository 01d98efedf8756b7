"""Report a decoder's multiplies for a prompt and for each next token, and the size of its cache."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from archcalc.analysis.decoding import TokenCost, token_costs
from archcalc.api import Network
from archcalc.budget import with_settings
from archcalc.errors import Diagnostic, UsageError
from archcalc.formats import bytes_of, formats_of
from archcalc.reports.documents import document
from archcalc.reports.layout import changes, has_multiplies, label, single
from archcalc.reports.model import Column, Report
from archcalc.reports.table import Table
from archcalc.tuples import NamedTuple
from archcalc.units import binary, grouped, printable

COLUMNS = (
    Column("layer", "layer", "name"),
    Column("prompt", "prompt", "count", hide_empty=True),
    Column("next_token", "next token", "count", hide_empty=True),
    Column("tokens", "all tokens", "count", hide_empty=True),
    Column("cache_token", "cache a token", "count", spare=1),
    Column("cache", "cache bytes", "count"),
)


class Decoding(NamedTuple):
    """What a decoder processes.

    Attributes:
        prefill: the tokens of a prompt, which is processed at once.
        decode: the tokens that are decoded one by one.
        context: the tokens before the first decoded one; None: those of the prompt.
        batch: the number of sequences.
        dtype: the data types, as `formats_of` reads them.
    """

    prefill: int = 0
    decode: int = 0
    context: int | None = None
    batch: int = 1
    dtype: str = "float32"

    @property
    def before(self) -> int:
        """The number of tokens before the first decoded token."""
        return self.prefill if self.context is None else self.context

    @property
    def length(self) -> int:
        """The length of the longest sequence."""
        return max(self.prefill, self.before + self.decode)

    def numbers(self, costs: Iterable[TokenCost]) -> dict[str, int]:
        """Return the multiplies of layers and the bytes of their caches, for the whole batch."""
        found = list(costs)
        after, batch = self.before + self.decode if self.decode else self.prefill, self.batch
        kind = formats_of(self.dtype).activations
        return {
            "prompt": batch * sum(cost.prompt(self.prefill) for cost in found),
            "prompt_unmasked": batch * sum(cost.unmasked(self.prefill) for cost in found),
            "next_token": batch * sum(cost.unmasked(1, self.before) for cost in found if self.decode),
            "tokens": batch * sum(cost.unmasked(self.decode, self.before) for cost in found),
            "cache_token": int(bytes_of(sum(cost.cached for cost in found), kind)),
            "cache": int(bytes_of(batch * sum(cost.held(after) for cost in found), kind)),
        }


def report(network: Network, table: Table, how: Decoding) -> Report:
    """Return a row for each layer that multiplies.

    Raises:
        UsageError: the network is no decoder, or its input size is set too.
    """
    if "input" in network.changed:
        help = "the length of the sequence is that of the prompt, or of the context and what follows"
        raise UsageError(Diagnostic("--input and --prefill or --decode exclude each other", help=help))
    token_costs(network.analyze(), network.name)  # at its own length it must be a decoder, too
    size = "x".join(map(str, (how.length, *network.graph.input[1:])))
    longest = with_settings(network, {"input": size}).analyze()
    costs = dict(zip((x.path for x in longest.layers), token_costs(longest, network.name), strict=True))
    rows, names = single(longest, has_multiplies, table)
    lines = tuple(
        {"layer": name, **_shown(how.numbers(costs[x.path] for x in row.layers), how)}
        for name, row in zip(names, rows, strict=True)
    )
    whole = how.numbers(costs.values())
    return Report(
        _heading(network, how),
        COLUMNS,
        lines,
        {"layer": "total", **_shown(whole, how)},
        tuple(_remarks(how, whole)),
        lambda: [_document(network, how, whole, costs)],
        label(network),
    )


def _document(
    network: Network, how: Decoding, whole: dict[str, int], costs: dict[str, TokenCost]
) -> dict[str, Any]:
    every = [{"path": path, **how.numbers([cost])} for path, cost in costs.items()]
    return {
        **document(network, network.analyze()),
        "as": None,
        "protocol": {"images": how.batch, "crops": 1, "networks": 1},
        "decoding": {**how._asdict(), "context": how.before, **whole, "layers": every},
    }


def _shown(numbers: dict[str, int], how: Decoding) -> dict[str, Any]:
    """Return the numbers that have a column for these options."""
    hidden = {"prompt_unmasked"}
    hidden |= set() if how.prefill else {"prompt"}
    hidden |= set() if how.decode else {"next_token"}
    hidden |= set() if how.decode > 1 else {"tokens"}
    return {name: number for name, number in numbers.items() if name not in hidden}


def _heading(network: Network, how: Decoding) -> str:
    parts = [printable(network.title), *map(printable, changes(network))]
    if how.prefill:
        parts.append(f"prompt of {_tokens(how.prefill)}")
    if how.decode:
        parts.append(f"{_tokens(how.decode)} after {grouped(how.before)}")
    if how.batch > 1:
        parts.append(f"{grouped(how.batch)} sequences")
    return " · ".join([*parts, how.dtype])


def _tokens(count: int) -> str:
    return f"{grouped(count)} token{'s' if count > 1 else ''}"


def _remarks(how: Decoding, whole: dict[str, int]) -> Iterable[str]:
    if how.prefill:
        yield (
            "prompt: multiplies of its tokens at once; scores that the causal mask hides are computed, "
            f"and count; a kernel that skips them: {grouped(whole['prompt_unmasked'])}"
        )
    if how.decode:
        keys = f"{grouped(how.before + 1)} keys, its own among them" if how.before else "its own key"
        yield f"next token: multiplies of one token, whose query meets {keys}"
    if how.decode > 1:
        last = how.before + how.decode
        yield f"all tokens: {_tokens(how.decode)} one by one, the last on {grouped(last)} keys"
    yield (
        f"cache: keys and values, {grouped(whole['cache_token'])} bytes a token, "
        f"{binary(whole['cache'])} in the end"
    )
