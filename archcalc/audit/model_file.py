"""A model file as what a reading counts: the terms of conventions, added up from its own operations.

Only terms that a file tells are known: nothing here guesses how the code was written, so that sums of
tools which look at modules are no readings, and nothing is said of maps.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from functools import cached_property
from math import prod
from pathlib import Path

from archcalc.audit.neighbor import Change
from archcalc.audit.readings import Way
from archcalc.audit.terms import Term
from archcalc.imported import Model
from archcalc.interop.modules import chain
from archcalc.interop.tally import OperationCost, Use

KINDS = ("parameters", "multiplies", "weight bytes")  # of conventions, which a file can tell
ROLES = {"bias": "biases", "scale": "norm scales", "shift": "norm shifts"}
VALUES = {
    "bn values": ("batch_norm",),
    "ln values": ("layer_norm",),
    "lrn values": ("local_response_norm",),
    "relu values": ("relu", "relu6", "leaky_relu"),
    "curve values": ("sigmoid", "tanh", "silu", "gelu", "hardsigmoid", "hardswish"),
    "softmax values": ("softmax",),
    "max pool outputs": ("max_pool",),
    "average pool outputs": ("avg_pool",),
    "global pool outputs": ("adaptive_avg_pool", "adaptive_max_pool"),
}
BIASED = {
    "conv biases added": (("conv", 2), ("conv_transpose", 2)),
    "linear biases added": (("linear", 2),),
}
JOINS = {"additions of maps": "add", "products of maps": "mul"}
CONVS = {"conv": "conv products", "deform_conv": "conv products", "conv_transpose": "deconv products"}
WINDOWS = {"max_pool": "max pool windows", "avg_pool": "average pool windows"}


class ModelFile:
    """A model file, named as itself: it has no neighbors, and so no changes."""

    changes: tuple[Change, ...] = ()
    rewrite, steps = "", 0

    def __init__(self, model: Model) -> None:
        self.model = model

    @property
    def name(self) -> str:
        """The file without its folder."""
        return Path(self.model.name).name

    @cached_property
    def ledger(self) -> FileLedger:
        return FileLedger(self.model)

    @property
    def trunk(self) -> FileLedger:
        """The same: no way that is known of a file leaves the classifier out."""
        return self.ledger

    def by_module(self, count: Callable[[OperationCost], int]) -> Counter[str]:
        """Return a count of every module, with all that lies inside."""
        found = Counter[str]()
        for row in self.model.tally.rows:
            for path in chain(row.operation.module, self.model.trace.modules):
                found[path] += count(row)
        return found

    def by_word(self, count: Callable[[OperationCost], int]) -> Counter[str]:
        """Return a count of all operations of each kind."""
        found = Counter[str]()
        for row in self.model.tally.rows:
            found[row.operation.word] += count(row)
        return found


COUNTS: dict[str, Callable[[OperationCost], int]] = {
    "parameters": lambda row: sum(use.size for use in row.uses if use.weight.kind == "parameter"),
    "multiplies": lambda row: row.counts.products,
}


class FileLedger:
    """The terms of a model file, by name."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self._weights = {weight.tensor for weight in model.trace.weights}
        self._amounts = Counter[str]()
        for use in model.weights:
            self._amounts[_term_of(use)] += use.size
        for row in model.tally.rows:
            for term, amount in self._of(row):
                self._amounts[term] += amount

    def knows(self, way: Way) -> bool:
        """Return whether the file tells all terms, and no tool's view of modules is asked for."""
        guessed = any(c.slot in ("tool", "idle") or c.trunk for c in way.conventions)
        return way.kind in KINDS and not guessed

    def amount(self, term: Term) -> int:
        """Return the term's total."""
        return self._amounts[term.name]

    def _of(self, row: OperationCost) -> Iterator[tuple[str, int]]:
        """Return what an operation adds to terms of work."""
        operation, shapes = row.operation, self._model.trace.tensors
        word, values = operation.word, prod(shapes[operation.outputs[0]].shape)
        if row.counts.products:
            yield self._products(row), row.counts.products
        yield from ((term, values) for term, words in VALUES.items() if word in words)
        for term, places in BIASED.items():
            has = any(
                word == w and len(operation.inputs) > at and operation.inputs[at] for w, at in places
            )
            if has or (word == "addmm" and term == "linear biases added"):
                yield term, values
        if word in WINDOWS:
            yield WINDOWS[word], values + row.counts.comparisons + row.counts.additions
        if word in VALUES["global pool outputs"] and operation.inputs[0]:
            yield "global pool inputs", prod(shapes[operation.inputs[0]].shape)
        maps = [name for name in operation.inputs if name and name not in self._weights]
        yield from (
            (t, values * (len(maps) - 1)) for t, w in JOINS.items() if w == word and len(maps) > 1
        )

    def _products(self, row: OperationCost) -> str:
        """Return the term of an operation's products: of two maps they are attention's."""
        operation = row.operation
        if operation.word in CONVS:
            return CONVS[operation.word]
        two_maps = operation.word in ("attention", "matmul", "einsum") and not row.uses
        weighted = any(name in self._weights for name in operation.inputs)
        return "attention products" if two_maps and not weighted else "linear products"


def _term_of(use: Use) -> str:
    if use.weight.kind == "parameter":
        return ROLES.get(use.role, "weights")
    return "statistics" if use.weight.kind == "buffer" else "fixed"
