"""Find the bundled specs, and compare names of networks however they are spelled.

The module imports nothing else of archcalc, because `archcalc list` may need nothing else.
"""

from __future__ import annotations

import os
from functools import cache

_LIGHT = str.maketrans("", "", "-_/ ")


@cache
def folder() -> str:
    """Return the folder of the specs: inside an installed package, or in the checkout around it."""
    package = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
    installed = os.path.join(package, "specs")
    return installed if os.path.isdir(installed) else os.path.join(os.path.dirname(package), "specs")


def families() -> list[str]:
    """Return the paths of the spec files, by name."""
    return sorted(
        os.path.join(folder(), name) for name in os.listdir(folder()) if name.endswith(".toml")
    )


def squeeze(name: str) -> str:
    """Return a name without case, '-', '_', '/' and spaces: 'ViT-B/16' → 'vitb16'."""
    return name.lower().translate(_LIGHT)
