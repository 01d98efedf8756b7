"""Count a trace exactly: the work of each operation, and the weights that it is the first to use."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod

from archcalc import garbage
from archcalc.errors import ArchError, Diagnostic
from archcalc.interop.counts import NONE, CountingError, Counts, ShapedOperation, total
from archcalc.interop.prune import Pruned
from archcalc.interop.trace import OPAQUE, Operation, StoredWeight, Tensor, Trace
from archcalc.interop.vocabulary import WORDS
from archcalc.tuples import NamedTuple

_MOST_NAMED = 40  # kinds of unknown operations


class Use(NamedTuple):
    """A weight, and its role in the operation that first uses it: 'weight', 'bias', 'scale', …"""

    weight: StoredWeight
    role: str
    size: int


class OperationCost(NamedTuple):
    """The cost of one operation, for the whole batch of the trace."""

    operation: Operation
    counts: Counts
    uses: tuple[Use, ...]


class Tally(NamedTuple):
    """All rows. With `unknown` operations every total is a lower bound.

    `returned` are weights that no row uses and that an output is made of (CLIP's temperature); nothing
    uses the `unused`.
    """

    rows: tuple[OperationCost, ...]
    unknown: tuple[Operation, ...]
    returned: tuple[Use, ...]
    unused: tuple[Use, ...]

    @property
    def counts(self) -> Counts:
        """The sum of all rows."""
        return total(row.counts for row in self.rows)

    @property
    def parameters(self) -> int:
        """Numbers of the parameters that layers use, shared ones once."""
        used = sum(_numbers(use) for row in self.rows for use in row.uses)
        return used + sum(map(_numbers, self.returned))

    @property
    def parameters_of_the_file(self) -> int:
        """The same, with those that no layer uses."""
        return self.parameters + sum(map(_numbers, self.unused))


def _numbers(use: Use) -> int:
    return use.size if use.weight.kind == "parameter" else 0


@garbage.paused()
def tally(trace: Trace, pruned: Pruned, allow_unknown: bool = False) -> Tally:
    """Count every live operation, and give each weight to the first that uses it.

    Raises:
        ArchError: operations are unknown, or do not fit their rules; the error has all their places.
    """
    unknown = tuple(operation for operation in pruned.live if operation.word == OPAQUE)
    if unknown and not allow_unknown:
        raise _refused(trace, unknown)
    weights = {weight.tensor: weight for weight in trace.weights}
    free = {weight.storage: weight for weight in reversed(trace.weights)}
    rows, mistakes = [], []
    for operation in pruned.live:
        try:
            counts = count(operation, trace.tensors)
        except CountingError as fact:
            mistakes.append(Diagnostic(f"{trace.name}: {operation.place} cannot be counted: {fact}"))
            continue
        uses = [
            Use(free.pop(weights[name].storage), role, prod(trace.tensors[name].shape))
            for name, role in _used(operation, pruned.behind, trace.tensors)
            if weights[name].storage in free
        ]
        rows.append(OperationCost(operation, counts, tuple(uses)))
    if mistakes:
        raise ArchError(*mistakes)
    made = [name for output in trace.outputs for name in pruned.behind.get(output, ())]
    returned = tuple(
        Use(free.pop(weights[name].storage), "weight", prod(trace.tensors[name].shape))
        for name in made
        if weights[name].storage in free
    )
    unused = [
        Use(w, "", prod(trace.tensors[w.tensor].shape)) for w in trace.weights if w.storage in free
    ]
    return Tally(tuple(rows), unknown, returned, _once(unused))


def _refused(trace: Trace, unknown: tuple[Operation, ...]) -> ArchError:
    """Return one error for all unknown operations: each kind once, with its first places."""
    kinds: dict[str, list[str]] = {}
    for operation in unknown:
        kinds.setdefault(str(operation.attributes.get("name", "?")), []).append(operation.place)
    notes = tuple(
        f"{name}: {places[0]}" + (f" and {len(places) - 1} more" if len(places) > 1 else "")
        for name, places in kinds.items()
    )
    what = "an operation" if len(unknown) == 1 else f"{len(unknown)} operations"
    return ArchError(
        Diagnostic(
            f"{trace.name} holds {what} that archcalc does not know",
            notes=notes[:_MOST_NAMED],
            help="`--allow-unknown` counts the others; every total is then at least so much",
        )
    )


def count(operation: Operation, tensors: Mapping[str, Tensor]) -> Counts:
    """Return the work of one operation; an opaque one has none that is known.

    Raises:
        CountingError: its rule cannot count its shapes or attributes.
    """
    if operation.word == OPAQUE:
        return NONE
    try:
        return WORDS[operation.word].rule(_seen(operation, tensors))
    except (IndexError, KeyError, TypeError, ValueError, ZeroDivisionError) as error:
        raise CountingError("shapes and attributes contradict each other") from error


def _seen(operation: Operation, tensors: Mapping[str, Tensor]) -> ShapedOperation:
    return ShapedOperation(
        tuple(None if name is None else tensors[name].shape for name in operation.inputs),
        tuple(tensors[name].shape for name in operation.outputs),
        operation.attributes,
    )


def _used(
    operation: Operation, behind: Mapping[str, tuple[str, ...]], tensors: Mapping[str, Tensor]
) -> list[tuple[str, str]]:
    """Return the weights that an operation reads, also through what is made of them, and their roles."""
    roles = WORDS[operation.word].roles if operation.word in WORDS else ()
    if callable(roles):
        roles = roles(_seen(operation, tensors))
    found = []
    for position, read in enumerate(operation.inputs):
        role = roles[position] if position < len(roles) else ""
        found += [(name, role or "weight") for name in behind.get(read or "", ())]
    return found


def _once(unused: list[Use]) -> tuple[Use, ...]:
    return tuple({use.weight.storage: use for use in reversed(unused)}.values())[::-1]
