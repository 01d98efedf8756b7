"""Lower einsums: multiply the operands two at a time, as products of matrices."""

from __future__ import annotations

from collections.abc import Iterable
from math import prod

from archcalc.interop.lowering.assembly import LoweringState
from archcalc.interop.lowering.axes import Layout
from archcalc.interop.lowering.model import LoweringError
from archcalc.interop.lowering.products import multiply
from archcalc.interop.lowering.stored import standing
from archcalc.interop.trace import Operation

Letters = tuple[str, ...]


def letters_of(op: Operation, ranks: Iterable[int]) -> tuple[list[Letters], Letters]:
    """Return the letters of the axes of each operand, and of the result.

    The axes of an ellipsis are numbered from the right, and the numbers stand for letters.

    Raises:
        LoweringError: a letter stands twice in one term, or their number is not the number of operands.
    """
    left, arrow, result = str(op.attributes.get("equation", "")).replace(" ", "").partition("->")
    texts, counts = left.split(","), list(ranks)
    if len(texts) != len(counts):
        raise LoweringError("its equation names a different number of operands")
    terms = [_spelled(text, rank) for text, rank in zip(texts, counts, strict=True)]
    free = {c for term in terms for c in term if c.isdigit()}
    if not arrow:
        told = "".join(texts).replace("...", "")
        result = "..." * bool(free) + "".join(sorted(c for c in set(told) if told.count(c) == 1))
    last = _spelled(result, len(free) * ("..." in result) + len(result.replace("...", "")))
    if any(len(set(term)) < len(term) for term in (*terms, last)):
        raise LoweringError("it takes a diagonal")
    return terms, last


def _spelled(text: str, rank: int) -> Letters:
    before, dots, after = text.partition("...")
    free = rank - len(before) - len(after)
    return (*before, *(str(n) for n in range(free, 0, -1) if dots), *after)


def einsum(low: LoweringState, op: Operation) -> None:
    terms, last = letters_of(op, (len(low.shape(name)) for name in op.inputs))
    if len(terms) < 2:
        raise LoweringError("it has one operand")
    have, layout = terms[0], standing(low, op.inputs[0])
    for at, term in enumerate(terms[1:], 1):
        later = set(last).union(*terms[at + 1 :])
        layout, have = _product(low, op, (layout, have), (standing(low, op.inputs[at]), term), later)
    if set(have) != set(last):
        raise LoweringError("it sums over an axis that only one operand has")
    file = tuple(layout.file[have.index(letter)] for letter in last)
    low.set(op.outputs[0], layout._replace(file=file))


def _product(
    low: LoweringState,
    op: Operation,
    one: tuple[Layout, Letters],
    other: tuple[Layout, Letters],
    later: set[str],
) -> tuple[Layout, Letters]:
    """Multiply two operands; letters of both are batch axes if they are needed `later`, else summed."""
    (a, first), (b, second) = one, other
    if any(c not in later for c in set(first) ^ set(second)):
        raise LoweringError("it sums over an axis that only one operand has")
    beside = tuple(c for c in first if c in second and c in later)
    inner = tuple(c for c in first if c in second and c not in later)
    rows = tuple(c for c in first if c not in second)
    columns = tuple(c for c in second if c not in first)
    x = _laid(a, first, beside, rows, inner)
    y = _laid(b, second, beside, inner, columns)
    sides = [
        max(m, n)
        for m, n in zip(low.atoms.shape(x.file[:-2]), low.atoms.shape(y.file[:-2]), strict=True)
    ]
    sizes = [dict(zip(term, low.atoms.shape(layout.file), strict=True)) for layout, term in (one, other)]
    down, across = [sizes[0][c] for c in rows], [sizes[1][c] for c in columns]
    made = low.temporary((*sides, prod(down), prod(across)))
    multiply(low, op._replace(outputs=(made,)), x, y)
    layout = low.layout(made)
    file = low.atoms.viewed(layout.file, (*sides, *down, *across))
    if file is None:
        raise LoweringError("its axes are split in incompatible ways")
    return low.atoms.resolved(layout._replace(file=file)), (*beside, *rows, *columns)


def _laid(layout: Layout, letters: Letters, beside: Letters, down: Letters, across: Letters) -> Layout:
    """Return an operand as a batch of matrices, whose rows and columns may merge several axes."""
    axis = dict(zip(letters, layout.file, strict=True))
    merged = (tuple(atom for c in part for atom in axis[c]) for part in (down, across))
    return layout._replace(file=(*(axis[c] for c in beside), *merged))
