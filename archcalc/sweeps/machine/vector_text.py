"""Write programs as LLVM's assembly language, over vectors of points.

The values of a program stay in vector registers, and its numbers are immediate: nothing is interpreted.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping, Sequence

from archcalc.sweeps.machine import instructions
from archcalc.sweeps.machine.instructions import Instruction

WORD = 8  # bytes
DECLARED = """
declare {integers} @llvm.smin.v{lanes}i64({integers}, {integers})
declare {integers} @llvm.smax.v{lanes}i64({integers}, {integers})
declare {floats} @llvm.floor.v{lanes}f64({floats})
declare {bits} @llvm.ctpop.{bits}({bits})
declare {bits} @llvm.cttz.{bits}({bits}, i1)
"""
# without the attribute, LLVM halves vectors where it believes that wide ones lower the clock
ATTRIBUTES = 'attributes #0 = { nounwind "min-legal-vector-width"="512" }\n'

Operand = str | int  # a vector, or the number that all its lanes hold
Patches = Mapping[tuple[int, int], str]  # (instruction, field) → a vector instead of the number there


class FunctionBody:
    """The body of a function, line by line; every value is assigned once.

    Attributes:
        lanes: points of a vector.
        integers, floats, bits: the types of vectors, and of an integer with one bit a lane.
    """

    def __init__(self, lanes: int, typed_pointers: bool) -> None:
        """`typed_pointers` is how LLVM before 17 writes them."""
        self.lanes, self.typed_pointers = lanes, typed_pointers
        self.integers, self.floats, self.bits = f"<{lanes} x i64>", f"<{lanes} x double>", f"i{lanes}"
        self.lines: list[str] = []
        self._count = 0

    def value(self, text: str) -> str:
        """Write an instruction; return the name of its result."""
        self._count += 1
        name = f"%v{self._count}"
        self.lines.append(f"  {name} = {text}")
        return name

    def line(self, text: str) -> None:
        self.lines.append(f"  {text}")

    def label(self, name: str) -> None:
        self.lines.append(f"{name}:")

    def constant(self, kind: str, *values: object) -> str:
        """Return a vector of a value for every lane, or of one for all."""
        return f"<{', '.join(f'{kind} {v}' for v in (values * self.lanes)[: self.lanes])}>"

    def vector(self, operation: str, a: Operand, b: Operand) -> str:
        return self.value(f"{operation} {self.integers} {self.operand(a)}, {self.operand(b)}")

    def operand(self, value: Operand) -> str:
        return self.constant("i64", value) if isinstance(value, int) else value

    def scalar(self, operation: str, a: Operand, b: Operand) -> str:
        return self.value(f"{operation} i64 {a}, {b}")

    def masks(self, operation: str, a: str, b: str) -> str:
        return self.value(f"{operation} <{self.lanes} x i1> {a}, {b}")

    def inverted(self, mask: str) -> str:
        return self.masks("xor", mask, self.constant("i1", "true"))

    def select(self, mask: str, a: Operand, b: Operand) -> str:
        x, y = (f"{self.integers} {self.operand(value)}" for value in (a, b))
        return self.value(f"select <{self.lanes} x i1> {mask}, {x}, {y}")

    def ones(self, mask: str) -> str:
        """Return a mask as zeros and ones."""
        return self.value(f"zext <{self.lanes} x i1> {mask} to {self.integers}")

    def as_bits(self, mask: str) -> str:
        """Return a mask as the bits of an integer."""
        return self.value(f"bitcast <{self.lanes} x i1> {mask} to {self.bits}")

    def spread(self, scalar: str) -> str:
        """Return the vector that holds a value in every lane."""
        first = self.value(f"insertelement {self.integers} undef, i64 {scalar}, i32 0")
        zeros = f"<{self.lanes} x i32> zeroinitializer"
        return self.value(f"shufflevector {self.integers} {first}, {self.integers} undef, {zeros}")

    def address(self, base: str, words: Operand) -> str:
        """Return the address some words after another."""
        offset = words * WORD if isinstance(words, int) else self.scalar("mul", words, WORD)
        return self.scalar("add", base, offset)

    def load(self, kind: str, address: str) -> str:
        pointer = self._pointer(kind, address)
        return self.value(f"load {kind}, {pointer}, align {4 if 'i32' in kind else WORD}")

    def store(self, kind: str, value: str, address: str) -> None:
        pointer = self._pointer(kind, address)
        self.line(f"store {kind} {value}, {pointer}, align {4 if 'i32' in kind else WORD}")

    def _pointer(self, kind: str, address: str) -> str:
        pointer = f"{kind}*" if self.typed_pointers else "ptr"
        return f"{pointer} {self.value(f'inttoptr i64 {address} to {pointer}')}"

    def function(self) -> str:
        """Return the module: one function of the address of its arguments."""
        lines = "\n".join(["define void @kernel(i64 %arguments) #0 {", *self.lines, "}"])
        kinds = {"integers": self.integers, "floats": self.floats, "bits": self.bits}
        return f"{lines}\n{DECLARED.format(lanes=self.lanes, **kinds)}{ATTRIBUTES}"


def write_program(
    text: FunctionBody, program: Sequence[Instruction], registers: dict[int, str], patches: Patches
) -> None:
    """Write the instructions of a program; `registers` hold its inputs before and its results after."""
    for i, (operation, target, a, b, s, t) in enumerate(program):
        x, y = registers[a], registers.get(b, "")
        times, plus = patches.get((i, 4), s), patches.get((i, 5), t)
        if operation == instructions.AFFINE:
            product = x if (s, (i, 4) in patches) == (1, False) else text.vector("mul", x, times)
            registers[target] = text.vector("add", product, plus)
        elif operation == instructions.ADD_MULTIPLE:
            registers[target] = text.vector("add", text.vector("mul", x, times), y)
        elif operation in _BY_NUMBER:
            registers[target] = _BY_NUMBER[operation](text, x, s)
        else:
            registers[target] = _OF_BOTH[operation](text, x, y)


def _extreme(name: str) -> Callable[[FunctionBody, str, str], str]:
    def write(text: FunctionBody, x: str, y: str) -> str:
        kind = text.integers
        return text.value(f"call {kind} @llvm.{name}.v{text.lanes}i64({kind} {x}, {kind} {y})")

    return write


def _compared(condition: str) -> Callable[[FunctionBody, str, str], str]:
    return lambda text, x, y: text.ones(text.vector(f"icmp {condition}", x, 0))


def _shift(text: FunctionBody, x: str, s: int) -> str:
    return text.vector("ashr", x, s)


def _divide_small_by(text: FunctionBody, x: str, s: int) -> str:
    """Write floor((x + ½) × (1 / s)), which is x // s for |x| and s up to 2^50.

    (x + ½) / s is at least ½ / s away from any integer; two roundings move it by less than
    2^50 / s × 2^-52 × 1.01.
    """
    bits = int.from_bytes(struct.pack(">d", 1.0 / s), "big")
    reciprocal = text.constant("double", f"0x{bits:016X}")
    half = text.constant("double", 0.5)
    moved = text.value(f"fadd {text.floats} {_float(text, x)}, {half}")
    return _floor(text, text.value(f"fmul {text.floats} {moved}, {reciprocal}"))


def _divide_small(text: FunctionBody, x: str, y: str) -> str:
    return _floor(text, text.value(f"fdiv {text.floats} {_float(text, x)}, {_float(text, y)}"))


def _float(text: FunctionBody, x: str) -> str:
    return text.value(f"sitofp {text.integers} {x} to {text.floats}")


def _floor(text: FunctionBody, x: str) -> str:
    """Return the integer; any, where a point that a check refuses divides by zero."""
    floor = text.value(f"call {text.floats} @llvm.floor.v{text.lanes}f64({text.floats} {x})")
    return text.value(
        f"freeze {text.integers} {text.value(f'fptosi {text.floats} {floor} to {text.integers}')}"
    )


def _divide_by(text: FunctionBody, x: str, s: int) -> str:
    quotient = text.vector("sdiv", x, s)
    rest = text.vector("sub", x, text.vector("mul", quotient, s))
    return text.vector("sub", quotient, text.ones(text.vector("icmp slt", rest, 0)))


def _divided(modulo: bool) -> Callable[[FunctionBody, str, str], str]:
    """Return floor division or its remainder, 0 by zero; −1 would trap on the minimum."""

    def write(text: FunctionBody, x: str, y: str) -> str:
        zero, minus = text.vector("icmp eq", y, 0), text.vector("icmp eq", y, -1)
        safe = text.select(text.masks("or", zero, minus), 1, y)
        quotient = text.vector("sdiv", x, safe)
        rest = text.vector("sub", x, text.vector("mul", quotient, safe))
        signs = text.vector("icmp slt", text.vector("xor", rest, safe), 0)
        below = text.masks("and", signs, text.vector("icmp ne", rest, 0))
        if modulo:
            found = text.select(below, text.vector("add", rest, safe), rest)
            return text.select(text.masks("or", zero, minus), 0, found)
        found = text.vector("sub", quotient, text.ones(below))
        negative = text.select(minus, text.vector("sub", 0, x), found)
        return text.select(zero, 0, negative)

    return write


_BY_NUMBER: dict[int, Callable[[FunctionBody, str, int], str]] = {
    instructions.SHIFT: _shift,
    instructions.DIVIDE_SMALL_BY: _divide_small_by,
    instructions.DIVIDE_BY: _divide_by,
}
_OF_BOTH: dict[int, Callable[[FunctionBody, str, str], str]] = {
    instructions.MULTIPLY: lambda text, x, y: text.vector("mul", x, y),
    instructions.ADD: lambda text, x, y: text.vector("add", x, y),
    instructions.MIN: _extreme("smin"),
    instructions.MAX: _extreme("smax"),
    instructions.DIVIDE_SMALL: _divide_small,
    instructions.DIVIDE: _divided(False),
    instructions.MODULO: _divided(True),
    instructions.POSITIVE: _compared("sge"),
    instructions.ZERO: _compared("eq"),
}
