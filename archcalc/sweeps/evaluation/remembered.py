"""Keep the programs of structures on disk: recording one takes tens of milliseconds, reading it one.

A file holds the programs of one combination of enumerated values. Its name is a digest of all that they
depend on: archcalc's own files, the spec and its settings, the axes, and the request. The file is JSON
with a digest of itself, and its programs are validated. If the disk fails, the programs are recorded
again, and the run continues.
"""

from __future__ import annotations

import hashlib
import json
import os
import threading
from collections.abc import Sequence
from contextlib import suppress
from functools import cache
from typing import Any

from archcalc import __version__
from archcalc.caches import cache_folder
from archcalc.regular import open_regular
from archcalc.sweeps.machine.instructions import BINARY, BY_NUMBER, COUNT, SHIFT, WORD, Code
from archcalc.tuples import NamedTuple

MOST_FILES = 4_000
LARGEST = 1 << 20  # the most bytes of a file
MOST_REGISTERS = 1 << 12
SEAL = 64  # the characters of a digest
OFTEN = 500  # the files written between two counts of all files
Outcomes = tuple[str | None, ...]


class RememberedProgram(NamedTuple):
    """A program, and the outcome for each number of the first failing check.

    An outcome is a reason, '' for a valid point, or None if the program does not hold.
    """

    code: Code
    outcomes: Outcomes


class ProgramMemory:
    """The programs of a sweep on disk; all of them depend on `facts`."""

    def __init__(self, facts: Sequence[Any], inputs: int, outputs: int) -> None:
        self._facts, self._inputs, self._outputs = _name((_package(), *facts)), inputs, outputs
        folder = cache_folder()
        self._folder = "" if folder is None else os.path.join(folder, "structures")
        self._saved = 0

    @property
    def works(self) -> bool:
        """Whether there is a folder for programs."""
        return bool(self._folder)

    def has(self, values: Sequence[Any]) -> bool:
        """Return whether there is a file for these values."""
        return os.path.isfile(self._place(values))

    def load(self, values: Sequence[Any]) -> list[RememberedProgram]:
        """Return the programs for these values of the enumerated axes, or None."""
        with suppress(OSError, ValueError, TypeError, RecursionError):
            with open_regular(self._place(values)) as file:
                seal, data = file.read(SEAL), file.read(LARGEST + 1)
            if seal == _digest(data):
                return [self._program(*one) for one in json.loads(data)]
        return []

    def save(self, values: Sequence[Any], programs: Sequence[tuple[Code, Outcomes]]) -> None:
        """Write the programs for these values, unless one needs integers beyond 64 bits."""
        told = [[*c[:2], list(c.inputs.items()), c.outputs, outcomes] for c, outcomes in programs]
        data = json.dumps(told, separators=(",", ":")).encode()
        if not self._folder or len(data) > LARGEST or not all(code.fits for code, _ in programs):
            return
        place = self._place(values)
        new = f"{place}.{os.getpid()}.{threading.get_ident()}"
        with suppress(OSError):
            os.makedirs(self._folder, mode=0o700, exist_ok=True)
            if self._saved % OFTEN == 0:
                _forget(self._folder)
            self._saved += 1
            try:
                with open(new, "wb") as file:
                    file.write(_digest(data) + data)
                os.replace(new, place)
            finally:
                with suppress(OSError):
                    os.unlink(new)

    def _place(self, values: Sequence[Any]) -> str:
        return os.path.join(self._folder, _name((self._facts, *values)))

    def _program(
        self, instructions: Any, registers: Any, inputs: Any, outputs: Any, outcomes: Any
    ) -> RememberedProgram:
        """Return a program that was read from a file, after checks of all its numbers.

        Raises:
            ValueError: no program has such instructions, registers or outputs.
        """
        _require(_below(MOST_REGISTERS + 1, registers))
        written = {register for _, register in inputs}
        for line in instructions:
            operation, target, a, b, s, t = line
            _require(_below(COUNT, operation) and _below(registers, target, a, b))
            _require({a, b} <= written if operation in BINARY else a in written)
            written.add(target)
            _require(all(type(number) is int and abs(number) <= WORD for number in (s, t)))
            _require(operation not in BY_NUMBER or 0 < s <= (62 if operation == SHIFT else WORD))
        for number, register in inputs:
            _require(_below(self._inputs, number) and _below(registers, register))
        _require(len(outputs) == self._outputs and written.issuperset(outputs) and len(outcomes) > 0)
        _require(all(one is None or isinstance(one, str) for one in outcomes))
        lines = tuple(tuple(line) for line in instructions)
        code = Code(lines, registers, dict(inputs), tuple(outputs), True)
        return RememberedProgram(code, tuple(outcomes))


def _require(holds: bool) -> None:
    if not holds:
        raise ValueError("no program of a structure")


def _below(most: int, *numbers: Any) -> bool:
    return all(type(number) is int and 0 <= number < most for number in numbers)


def _name(facts: Sequence[Any]) -> str:
    return hashlib.sha256(repr(facts).encode("utf-8", "surrogatepass")).hexdigest()


def _digest(data: bytes) -> bytes:
    return hashlib.sha256(data).hexdigest().encode()


@cache
def _package() -> str:
    """Return a digest of archcalc's own files."""
    root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
    paths = (os.path.join(folder, name) for folder, _, names in os.walk(root) for name in names)
    stats = ((path[len(root) :], os.stat(path)) for path in sorted(paths) if path.endswith(".py"))
    files = [(name, stat.st_size, stat.st_mtime_ns) for name, stat in stats]
    return _name((__version__, files))


def _forget(folder: str) -> None:
    """Remove the oldest files if there are too many."""
    files = sorted(os.scandir(folder), key=lambda file: file.stat().st_mtime)
    for file in files[: len(files) - MOST_FILES + OFTEN] if len(files) >= MOST_FILES else ():
        with suppress(OSError):
            os.unlink(file.path)
