"""archcalc: what a neural network architecture costs, and whether the number you read is true.

The names below are imported when they are first used.
"""

from __future__ import annotations

TYPE_CHECKING = False  # typing takes milliseconds
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from archcalc.analysis.costs import Analysis, Costs, Layer
    from archcalc.api import Network, load
    from archcalc.errors import ArchError
    from archcalc.imported import Model, load_model
    from archcalc.listing import listing as list
    from archcalc.sweeps.rows import sweep

_HOMES = {
    "load": "archcalc.api",
    "Network": "archcalc.api",
    "Analysis": "archcalc.analysis.costs",
    "Costs": "archcalc.analysis.costs",
    "Layer": "archcalc.analysis.costs",
    "ArchError": "archcalc.errors",
    "list": "archcalc.listing",
    "sweep": "archcalc.sweeps.rows",
    "load_model": "archcalc.imported",
    "Model": "archcalc.imported",
}

__all__ = [
    "Analysis",
    "ArchError",
    "Costs",
    "Layer",
    "Model",
    "Network",
    "list",
    "load",
    "load_model",
    "sweep",
]
__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'archcalc' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), "listing" if name == "list" else name)


def __dir__() -> Iterable[str]:
    return [*__all__, "__version__"]
