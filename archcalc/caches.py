"""Where archcalc keeps what it has computed, so that the next run need not."""

from __future__ import annotations

import os


def cache_folder() -> str | None:
    """Return the user's folder of archcalc's caches, which need not exist.

    As https://specifications.freedesktop.org/basedir-spec has it: a relative path is ignored, since it
    would be in whichever folder one stands in. None: there is no home.
    """
    caches = os.environ.get("XDG_CACHE_HOME", "")
    if not os.path.isabs(caches):
        caches = os.path.join(os.path.expanduser("~"), ".cache")
    return os.path.join(caches, "archcalc") if os.path.isabs(caches) else None
