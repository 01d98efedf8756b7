"""Compile a function of LLVM's assembly language; Numba brings the compiler along."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib import import_module
from typing import Any

import numpy as np

from archcalc.address_space import NUMBA, require_address_space
from archcalc.sweeps.machine.vector_text import FunctionBody

Array = np.ndarray[Any, Any]
LANES = 8  # what fills the widest registers
OPAQUE = 17  # the first LLVM whose pointers have no types; 15 and 16 take both


@cache
def _llvm() -> Any:
    require_address_space("LLVM", NUMBA)
    llvm: Any = import_module("llvmlite.binding")
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    return llvm


def new_text(lanes: int = LANES) -> FunctionBody:
    """Return an empty function body for the compiler at hand."""
    return FunctionBody(lanes, typed_pointers=_llvm().llvm_version_info[0] < OPAQUE)


class Kernel:
    """A compiled function of one array of numbers and addresses; other threads run meanwhile."""

    def __init__(self, text: FunctionBody) -> None:
        llvm = _llvm()
        module = llvm.parse_assembly(text.function())
        module.verify()
        machine = llvm.Target.from_default_triple().create_target_machine(
            cpu=llvm.get_host_cpu_name(),
            features=llvm.get_host_cpu_features().flatten(),
            opt=1,
            jit=True,
        )
        self._engine = llvm.create_mcjit_compiler(module, machine)  # it owns the machine code
        self._engine.finalize_object()
        address = self._engine.get_function_address("kernel")
        self._function = ctypes.CFUNCTYPE(None, ctypes.c_void_p)(address)

    def __call__(self, *arguments: int | Array) -> None:
        """Call with numbers, and with arrays for their addresses."""
        words = [a if isinstance(a, int) else a.ctypes.data for a in arguments]
        passed = np.array(words, np.int64)  # lives until the call ends
        self._function(passed.ctypes.data)


def arguments(text: FunctionBody, *names: str) -> list[str]:
    """Begin a function; return the arguments, in the order of their names."""
    text.label("entry")
    return [text.load("i64", text.address("%arguments", i)) for i in range(len(names))]


@contextmanager
def loop(text: FunctionBody, name: str, step: int, end: str, before: str, after: str) -> Iterator[str]:
    """Write a loop of a counter from 0 to `end` by `step`; its body ends with a branch to NAME.next."""
    text.line(f"br label %{name}")
    text.label(name)
    text.line(f"%{name}.i = phi i64 [ 0, %{before} ], [ %{name}.more, %{name}.next ]")
    yield f"%{name}.i"
    text.label(f"{name}.next")
    text.line(f"%{name}.more = add i64 %{name}.i, {step}")
    on = text.value(f"icmp slt i64 %{name}.more, {end}")
    text.line(f"br i1 {on}, label %{name}, label %{after}")


def end(text: FunctionBody, label: str) -> None:
    """End a function."""
    text.label(label)
    text.line("ret void")
