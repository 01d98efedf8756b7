"""Export a torch module to a temporary file, and read that as a trace.

`torch:package.module:name` is exported by another Python, which has torch: this runs the module's code,
and only this word does so. A module object is exported by the torch that made it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from archcalc.errors import ArchError, Diagnostic, UsageError, shown
from archcalc.interop.load import read
from archcalc.interop.trace import Trace
from archcalc.units import printable

WORD = "torch:"
PYTHON = "ARCHCALC_PYTHON"  # names the Python that has torch
Dims = tuple[int, ...]

_EXAMPLE = "archcalc params torch:torchvision.models:resnet18 --input 3x224x224"
_LONGEST = 300  # characters of an error that a module raised


def is_module(value: object) -> bool:
    """Return whether the object is a module of a torch that is loaded."""
    nn = getattr(sys.modules.get("torch"), "nn", None)
    return nn is not None and isinstance(value, nn.Module)


def read_word(word: str, inputs: Mapping[str, Dims]) -> Trace:
    """Return the module that `torch:package.module:name` names, for inputs of these sizes.

    Args:
        inputs: sizes without the batch for '', the first argument; for others by name, batch included.

    Raises:
        ArchError: the name is invalid, no Python has torch, or the module raised an error.
    """
    home, _, path = word.removeprefix(WORD).partition(":")
    if not all(part.isidentifier() for part in (*home.split("."), *path.split("."))):
        help = f"torch:MODULE:NAME, as in `{_EXAMPLE}`"
        raise UsageError(Diagnostic(f"`{printable(shown(word))}` names no module of torch", help=help))
    if not inputs:
        message = f"{printable(shown(word))} needs the size of its input, without the batch"
        raise UsageError(Diagnostic(message, help=f"as in `{_EXAMPLE}`"))
    return _exported(word, {"home": home, "path": path, "inputs": _sizes(inputs)})


def read_module(module: Any, input: Any) -> Trace:
    """Return the trace of a module object, for an input size without the batch, or for given tensors.

    Args:
        input: (3, 224, 224); a tensor; a tuple or list of tensors; a dict of tensors by argument.

    Raises:
        ArchError: no size is given, or the module raised an error.
    """
    import tempfile

    from archcalc.interop import export_module

    torch: Any = sys.modules["torch"]
    name = type(module).__name__
    with tempfile.TemporaryDirectory(prefix="archcalc-") as folder:
        file = str(Path(folder, f"{name}.pt2"))
        try:
            if _is_size(input):
                export_module.export_of_sizes(torch, module, _sizes({"": tuple(input)}), file)
            else:
                export_module.export(torch, module, *_tensors(torch, name, input), file)
        except ArchError:
            raise
        except Exception as fault:  # whatever the module or its exporter raises
            raise _refused(name, f"{type(fault).__name__}: {fault}") from fault
        return read(file, {}, {})._replace(name=name)


def _sizes(inputs: Mapping[str, Dims]) -> list[tuple[str, list[int]]]:
    """Return inputs as the exporting side makes them: the unnamed input gets a batch of one."""
    return [(name, [*dims] if name else [1, *dims]) for name, dims in inputs.items()]


def _is_size(input: Any) -> bool:
    return isinstance(input, Sequence) and bool(input) and all(type(n) is int and n > 0 for n in input)


def _tensors(torch: Any, name: str, input: Any) -> tuple[list[Any], dict[str, Any]]:
    named = dict(input) if isinstance(input, Mapping) else {}
    many = isinstance(input, (tuple, list))
    positional = [] if isinstance(input, Mapping) else list(input) if many else [input]
    given = [*positional, *named.values()]
    if not given or not all(isinstance(value, torch.Tensor) for value in given):
        message = f"{name} needs the size of its input without the batch, or its tensors"
        help = "archcalc.load(model, input=(3, 224, 224)), or input=x, input=(x, mask), input={'x': x}"
        raise UsageError(Diagnostic(message, help=help))
    return positional, named


def _exported(word: str, order: dict[str, Any]) -> Trace:
    """Try one Python after the other until one has torch."""
    import tempfile

    with tempfile.TemporaryDirectory(prefix="archcalc-") as folder:
        file = str(Path(folder, f"{order['path'].rpartition('.')[2]}.pt2"))
        order = {**order, "file": file, "answer": str(Path(folder, "answer.json"))}
        tried = []
        for python in _pythons():
            tried.append(python)
            answer = _ask(python, order)
            if "fault" in answer:
                raise _refused(word, answer["fault"])
            if "missing" not in answer:
                return read(file, {}, {})._replace(name=word)
    raise ArchError(
        Diagnostic(
            f"{printable(shown(word))} needs a Python that has torch: {_no_torch(tried)}",
            help=f"{PYTHON}=/path/to/venv/bin/python names the one that has",
        )
    )


def _no_torch(tried: list[str]) -> str:
    return f"{', '.join(map(printable, tried))} ha{'s' if len(tried) == 1 else 've'} none"


def _pythons() -> Iterator[str]:
    """Yield only the Python that the environment names; else those of the path, and the running one."""
    import os
    import shutil

    named = os.environ.get(PYTHON)
    found = [named] if named else [shutil.which("python"), shutil.which("python3"), sys.executable]
    yield from dict.fromkeys(python for python in found if python)


def _ask(python: str, order: dict[str, Any]) -> dict[str, str]:
    """Let another Python export; its output goes to standard error."""
    import json
    import subprocess

    script = Path(__file__).with_name("export_module.py").read_text(encoding="utf-8")
    try:
        done = subprocess.run([python, "-c", script, json.dumps(order)], stdout=2)
    except OSError as error:
        reason = error.strerror or "it cannot be run"
        raise ArchError(
            Diagnostic(
                f"{printable(python)} cannot be started: {reason}",
                help=f"{PYTHON} names a Python that has torch",
            )
        ) from error
    answer = Path(order["answer"])
    if not answer.exists():
        raise ArchError(f"{printable(python)} ended with code {done.returncode} before it had exported")
    return dict(json.loads(answer.read_text(encoding="utf-8")))


def _refused(what: str, fault: str) -> ArchError:
    lines = [line.strip() for line in fault.splitlines() if line.strip()]
    first = printable(" ".join(lines)[:_LONGEST])
    help = "the size is without the batch; a run of the module with such an input says more"
    return ArchError(Diagnostic(f"{printable(shown(what))} cannot be exported: {first}", help=help))
