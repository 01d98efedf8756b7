"""Choose the mode of `archcalc run`, and check which of its options have a meaning in it."""

from __future__ import annotations

from collections.abc import Sequence

import click
from click.core import ParameterSource

from archcalc.api import Network
from archcalc.errors import Diagnostic, UsageError

_START = {"init", "seed", "weights", "map", "layout", "image", "mean", "std", "set_", "input_"}
MEANINGFUL: dict[str, set[str]] = {
    "identities": set(),
    "verify": _START | {"quick", "jobs", "allow_skips", "all_", "depth", "against"},
    "time": _START | {"batch", "all_", "depth"},
    "": _START | {"stats", "batch", "dtype", "taps", "save", "maps"},
}
FOR_ALL = ("verify", "identities")  # modes that need no SPEC
EXCLUDES = {"weights": "init", "image": "batch"}  # the file says it
NEEDS = {"map": "weights", "layout": "weights", "mean": "image", "std": "image"}
WITH_AGAINST = {
    "input_",
    "verify",
    "against",
    "seed",
    "image",
    "mean",
    "std",
    "all_",
    "depth",
    "format",
    "words",
}
OF_ONE = ("against", "weights", "image", "taps", "save", "maps")  # network


def refuse_contradictions(context: click.Context, networks: Sequence[Network], alone: bool) -> str:
    """Return the mode asked for; `alone`: without a SPEC.

    Raises:
        UsageError: an option has no meaning in this mode, or two options contradict each other.
    """
    given = [name for name in context.params if _given(context, name)]
    modes = [name for name in MEANINGFUL if name in given]
    mode = modes[0] if modes else ""
    if mode == "identities" and not alone:
        raise UsageError(Diagnostic("the identities are of no SPEC", help="archcalc run --identities"))
    if {"weights", "image", "seed"}.issubset(given):
        raise _refusal("seed", "with `--weights` and `--image`")
    for name in given:
        if name not in MEANINGFUL[mode] | {"format", "words", mode}:
            useful = [f"`--{m}`" for m, names in MEANINGFUL.items() if m == name or name in names]
            raise _refusal(name, f"with `--{mode}`" if mode else f"without {' or '.join(useful)}")
        if "against" in given and name not in WITH_AGAINST:
            raise _refusal(name, "with `--against`")
        if EXCLUDES.get(name) in given:
            raise _refusal(EXCLUDES[name], f"with `--{name}`")
        if name in NEEDS and NEEDS[name] not in given:
            raise _refusal(name, f"without `--{NEEDS[name]}`")
        if name == "against" and alone:
            help = "archcalc run --verify model.onnx --against onnxruntime"
            raise UsageError(Diagnostic("`--against` is of a model file: name one", help=help))
        if name in OF_ONE and len(networks) > 1:
            raise UsageError(Diagnostic(f"`--{name}` is of one network", help="name one SPEC"))
    _refuse_for_specs(mode, alone, "quick" in given, networks)
    return mode


def _refuse_for_specs(mode: str, alone: bool, quick: bool, networks: Sequence[Network]) -> None:
    """Raise UsageError for a missing SPEC, and for an input size beside `--quick`."""
    if alone and mode not in FOR_ALL:
        help = "archcalc run lenet5; without one: archcalc run --verify, archcalc run --identities"
        raise UsageError(Diagnostic("which network? name a SPEC", help=help))
    if quick and any("input" in network.changed for network in networks):
        help = "leave one of them out"
        raise UsageError(Diagnostic("`--quick` takes an input of its own, not `--input`", help=help))


def _given(context: click.Context, option: str) -> bool:
    """Return whether the caller wrote the option."""
    return context.get_parameter_source(option) is ParameterSource.COMMANDLINE


def _refusal(option: str, where: str) -> UsageError:
    name = option.strip("_").replace("_", "-")
    return UsageError(Diagnostic(f"`--{name}` means nothing {where}", help="archcalc run --help"))
