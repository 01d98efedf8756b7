"""Find the folder where archcalc caches its results between runs."""

from __future__ import annotations

import os


def cache_folder() -> str | None:
    """Return the user's cache folder of archcalc, which need not exist.

    By https://specifications.freedesktop.org/basedir-spec: a relative path is ignored, since it would
    depend on the working directory. None: there is no home.
    """
    caches = os.environ.get("XDG_CACHE_HOME", "")
    if not os.path.isabs(caches):
        caches = os.path.join(os.path.expanduser("~"), ".cache")
    return os.path.join(caches, "archcalc") if os.path.isabs(caches) else None
