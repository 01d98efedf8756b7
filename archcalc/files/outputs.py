"""Save the outputs of a run and of chosen layers, as arrays and as pictures."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress

from archcalc.errors import Diagnostic, UsageError
from archcalc.execution.model import Array
from archcalc.files import maps
from archcalc.files.writing import require_writable, write_npz
from archcalc.units import printable


class Keeper:
    """Copies of layers' outputs, taken during a run because their memory is reused by later layers.

    Files of an earlier run are overwritten, but never the files `inputs` that this run reads.

    Raises:
        UsageError: a file cannot be written; this is raised before the run.
    """

    def __init__(
        self, layers: Sequence[str], save: str | None, folder: str | None, inputs: Iterable[str] = ()
    ) -> None:
        self.layers, self.save, self.folder = frozenset(layers), save, folder
        self.kept: dict[str, Array] = {}
        self.names = maps.file_names(dict.fromkeys(layers))
        if layers and save is None and folder is None:
            help = "--save FILE.npz keeps them as arrays, --maps DIR as pictures"
            raise UsageError(Diagnostic("the taps go nowhere", help=help))
        if folder is not None:
            if not layers:
                raise UsageError(Diagnostic("no layer to draw", help="--taps LAYER names one"))
            maps.prepare(folder)
            for name in self.names.values():
                _refuse_inputs(maps.file_path(folder, name), inputs)
        if save is not None:
            _prepare(save)
            _refuse_inputs(save, inputs)

    def see(self, path: str, value: Array) -> None:
        """Copy the output of a layer that has run, if it is wanted."""
        if path in self.layers:
            self.kept[path] = value.copy()

    def write(self, outputs: Mapping[str, Array]) -> list[str]:
        """Write the wanted files; return their paths.

        Raises:
            UsageError: the file cannot be written, e.g. because the disk is full.
        """
        written = []
        if self.save is not None:
            try:
                write_npz(self.save, {**self.kept, **outputs})
            except (OSError, ValueError) as error:
                raise _refusal(self.save, error) from None
            written.append(self.save)
        if self.folder is not None:
            written += [
                maps.write_grid(value[0], self.folder, self.names[path])
                for path, value in self.kept.items()
            ]
        return written


def _prepare(path: str) -> None:
    """Check that an .npz file can be written at a path.

    Raises:
        UsageError: it cannot.
    """
    if not path.endswith(".npz"):
        raise UsageError(
            Diagnostic(f"`{printable(path)}` is no .npz file", help="as in --save outputs.npz")
        )
    if os.path.exists(path) and not os.path.isfile(path):
        kind = "a directory" if os.path.isdir(path) else "no regular file"
        raise UsageError(f"cannot write `{printable(path)}`: it is {kind}")
    try:
        require_writable(os.path.dirname(path))
    except (OSError, ValueError) as error:
        raise _refusal(path, error) from None


def _refuse_inputs(path: str, inputs: Iterable[str]) -> None:
    for file in inputs:
        with suppress(OSError, ValueError):  # a file that does not exist is not overwritten
            if os.path.samefile(path, file):
                name = printable(path)
                help = "write to another file"
                raise UsageError(Diagnostic(f"`{name}` would be overwritten, and is read", help=help))


def _refusal(path: str, error: Exception) -> UsageError:
    reason = getattr(error, "strerror", None) or str(error)
    return UsageError(f"cannot write `{printable(path)}`: {reason.lower()}")
