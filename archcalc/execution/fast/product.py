"""The innermost step of every convolution: a few positions times a few filters, in registers.

A loop over arrays keeps its sums in memory, at a fifth of the speed. So this one step is written in the
language under Numba, LLVM's: the sums of ROWS positions × some vectors of columns are loaded, then every
weight is read once for all rows and every input value once for all columns, and the sums are stored.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

from archcalc.compiled import compiled, numba
from archcalc.execution.model import Array

ir: Any = import_module("llvmlite.ir")  # comes with Numba, and is not typed either
binding: Any = import_module("llvmlite.binding")
cgutils: Any = import_module("numba.core.cgutils")

ROWS = 6
_CPU = binding.get_host_cpu_features()
VECTOR = 64 if _CPU.get("avx512f") else 32 if _CPU.get("avx") else 16  # bytes
VECTORS = 4 if VECTOR == 64 or "sse2" not in _CPU else 2  # columns: 32 registers hold 6·4 sums, 16 6·2
_INDEX = ir.IntType(64)


def lanes(itemsize: int) -> int:
    """Return the number of values in a vector."""
    return VECTOR // itemsize


class _Code:
    """The instructions that the step is made of, for vectors of one type of float."""

    def __init__(self, context: Any, builder: Any, dtype: Any) -> None:
        self.builder, self.size = builder, dtype.bitwidth // 8
        self.lanes = lanes(self.size)
        self.kind = ir.VectorType(context.get_value_type(dtype), self.lanes)
        signature = ir.FunctionType(self.kind, [self.kind] * 3)
        name = f"llvm.fmuladd.v{self.lanes}f{dtype.bitwidth}"
        self.fma = cgutils.get_or_insert_function(builder.module, signature, name)

    def plus(self, index: Any, number: int) -> Any:
        return self.builder.add(index, ir.Constant(_INDEX, number))

    def item(self, array: Any, index: Any) -> Any:
        return self.builder.load(self.builder.gep(array, [index]))

    def vector(self, array: Any, index: Any, number: int) -> Any:
        """Return the address of a vector from `index` on, by its number."""
        place = self.builder.gep(array, [self.plus(index, number * self.lanes)])
        return self.builder.bitcast(place, self.kind.as_pointer())

    def load(self, array: Any, index: Any, number: int) -> Any:
        return self.builder.load(self.vector(array, index, number), align=self.size)

    def everywhere(self, value: Any) -> Any:
        """Return a vector of one value."""
        nothing, first = ir.Constant(self.kind, ir.Undefined), ir.Constant(_INDEX, 0)
        one = self.builder.insert_element(nothing, value, first)
        zeros = ir.Constant(ir.VectorType(ir.IntType(32), self.lanes), None)
        return self.builder.shuffle_vector(one, one, zeros)

    def accumulate(self, total: Any, value: Any, weight: Any) -> None:
        """Return total + value · weight, in one instruction where there is one."""
        self.builder.store(self.builder.call(self.fma, [value, weight, self.builder.load(total)]), total)


def _instructions(vectors: int, each: bool) -> Callable[..., Any]:
    """Return the instructions of the step below."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kinds = signature.args
        x, begins, offsets, lengths, weight, sums = (
            context.make_array(kinds[i])(context, builder, arguments[i]).data for i in (0, 1, 3, 4, 7, 9)
        )
        first, start, stop, at, to = (arguments[i] for i in (2, 5, 6, 8, 10))
        code = _Code(context, builder, kinds[0].dtype)
        homes = [code.vector(sums, to, number) for number in range(ROWS * vectors)]
        totals = [cgutils.alloca_once_value(builder, builder.load(h, align=code.size)) for h in homes]
        rows = [code.item(begins, code.plus(first, row)) for row in range(ROWS)]
        position = cgutils.alloca_once_value(builder, at)
        with cgutils.for_range_slice(builder, start, stop, ir.Constant(_INDEX, 1)) as (run, _):
            offset = code.item(offsets, run)
            places = [builder.add(row, offset) for row in rows]
            length = ir.Constant(_INDEX, 1) if each else code.item(lengths, run)
            with cgutils.for_range(builder, length) as loop:
                now = builder.load(position)
                weights = [code.load(weight, now, column) for column in range(vectors)]
                builder.store(code.plus(now, vectors * code.lanes), position)
                for row, place in enumerate(places):
                    here = builder.add(place, loop.index)
                    value = None if each else code.everywhere(code.item(x, here))
                    for column in range(vectors):
                        own = code.load(x, here, column) if each else value
                        code.accumulate(totals[row * vectors + column], own, weights[column])
        for home, total in zip(homes, totals, strict=True):
            builder.store(builder.load(total), home, align=code.size)
        return context.get_dummy_value()

    return generate


def _step(vectors: int, each: bool) -> Callable[..., None]:
    """Return the step for this many vectors of columns; with `each`, a column has its own input."""

    @numba.extending.intrinsic  # type: ignore[untyped-decorator, unused-ignore]
    def multiply(
        _: Any, x: Any, begins: Any, first: Any, offsets: Any, lengths: Any, start: Any, stop: Any,
        weight: Any, at: Any, sums: Any, to: Any,
    ) -> Any:  # fmt: skip
        """sums[to:] += Σ x[begins[first + row] + offsets[run] + k] · weight[at:], for ROWS rows.

        Runs from `start` to `stop` are of lengths[run] values k (with `each`, of one a column).
        Weights lie k by k, sums row by row.
        """
        kinds = (x, begins, first, offsets, lengths, start, stop, weight, at, sums, to)
        signature = numba.types.void(*(k if hasattr(k, "dtype") else numba.int64 for k in kinds))
        return signature, _instructions(vectors, each)

    step: Callable[..., None] = multiply
    return step


_all_1, _all_2, _all_3, _all_4 = (_step(vectors, False) for vectors in (1, 2, 3, 4))
_each_1, _each_2, _each_3, _each_4 = (_step(vectors, True) for vectors in (1, 2, 3, 4))


@compiled
def step(
    x: Array, begins: Array, first: int, offsets: Array, lengths: Array, start: int, stop: int,
    weight: Array, at: int, sums: Array, to: int, vectors: int, each: bool,
) -> None:  # fmt: skip
    """Run the step for so many vectors, up to 4."""
    if each:
        if vectors == 1:
            _each_1(x, begins, first, offsets, lengths, start, stop, weight, at, sums, to)
        elif vectors == 2:
            _each_2(x, begins, first, offsets, lengths, start, stop, weight, at, sums, to)
        elif vectors == 3:
            _each_3(x, begins, first, offsets, lengths, start, stop, weight, at, sums, to)
        else:
            _each_4(x, begins, first, offsets, lengths, start, stop, weight, at, sums, to)
    elif vectors == 1:
        _all_1(x, begins, first, offsets, lengths, start, stop, weight, at, sums, to)
    elif vectors == 2:
        _all_2(x, begins, first, offsets, lengths, start, stop, weight, at, sums, to)
    elif vectors == 3:
        _all_3(x, begins, first, offsets, lengths, start, stop, weight, at, sums, to)
    else:
        _all_4(x, begins, first, offsets, lengths, start, stop, weight, at, sums, to)
