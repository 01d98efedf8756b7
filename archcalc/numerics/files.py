"""What a run leaves behind: the outputs and chosen layers as arrays, and as pictures."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

import numpy as np

from archcalc.errors import Diagnostic, UsageError
from archcalc.numerics import maps
from archcalc.numerics.reference import Array
from archcalc.units import printable


class Keeper:
    """Keeps copies of layers while a network runs, because their memory is soon another layer's.

    Raises:
        UsageError: nothing could be written there; said before any work is lost.
    """

    def __init__(self, layers: Sequence[str], save: str | None, folder: str | None) -> None:
        self.layers, self.save, self.folder = frozenset(layers), save, folder
        self.kept: dict[str, Array] = {}
        if layers and save is None and folder is None:
            help = "--save FILE.npz keeps them as arrays, --maps DIR as pictures"
            raise UsageError(Diagnostic("the taps go nowhere", help=help))
        if folder is not None:
            if not layers:
                raise UsageError(Diagnostic("no layer to draw", help="--taps LAYER names one"))
            maps.prepare(folder)
        if save is not None:
            _require_writable(save)

    def see(self, path: str, value: Array) -> None:
        """A layer has run."""
        if path in self.layers:
            self.kept[path] = value.copy()

    def write(self, outputs: Mapping[str, Array]) -> list[str]:
        """Write what is wanted; returns the files."""
        written = []
        if self.save is not None:
            with open(self.save, "wb") as file:
                np.savez(file, **{**self.kept, **outputs})
            written.append(self.save)
        if self.folder is not None:
            written += [
                maps.write_grid(value[0], self.folder, path) for path, value in self.kept.items()
            ]
        return written


def _require_writable(path: str) -> None:
    folder = os.path.dirname(path) or "."
    if not path.endswith(".npz"):
        raise UsageError(
            Diagnostic(f"`{printable(path)}` is no .npz file", help="as in --save outputs.npz")
        )
    if not os.path.isdir(folder) or not os.access(folder, os.W_OK):
        raise UsageError(f"cannot write to `{printable(folder)}`")
