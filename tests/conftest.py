"""Byte code for the processes that tests start, the order of tests, and names that read well.

A list or a mapping of plain values is named by what it holds.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Mapping
from fractions import Fraction
from importlib import import_module
from types import FunctionType
from typing import Any

import pytest
from support.order import Together, rank

# each of hundreds of processes would compile the package anew, and each worker the tests
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

# what earlier runs remembered would hide what a change breaks
if "PYTEST_XDIST_WORKER" not in os.environ:
    CACHES = tempfile.TemporaryDirectory(prefix="archcalc-tests-")
    os.environ["XDG_CACHE_HOME"] = CACHES.name


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes long first, where the tests are many."""
    items.sort(key=lambda item: rank(item.nodeid))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """None leaves it to xdist, where another `--dist` is asked for."""
    if config.getvalue("dist") != "loadfile":
        return None
    config.option.loadscopereorder = False  # the files with most tests are not those that take longest
    return Together(config, log)


# a core each: threads of BLAS would wait for each other, busily; processes that tests start have theirs
if "PYTEST_XDIST_WORKER" in os.environ and "OPENBLAS_NUM_THREADS" not in os.environ:
    os.environ["OPENBLAS_NUM_THREADS"] = "1"
    import_module("numpy")
    del os.environ["OPENBLAS_NUM_THREADS"]

PLAIN = (str, int, float, Fraction, type(None))
LONGEST = 60


def pytest_make_parametrize_id(config: pytest.Config, val: Any, argname: str) -> str | None:
    """None leaves it to pytest."""
    if isinstance(val, FunctionType) and val.__name__ == "<lambda>":
        return None
    if not isinstance(val, Mapping | list | tuple):
        return None
    text = _told(val)
    return None if text is None else text[:LONGEST] or "none"


def _told(value: Any) -> str | None:
    """The text of a value, None if a part of it is not plain."""
    if isinstance(value, Mapping):
        parts = [f"{key}={_told(item)}" for key, item in value.items()]
        return None if any(_told(item) is None for item in value.values()) else " ".join(parts)
    if isinstance(value, list | tuple):
        texts = [_told(item) for item in value]
        between = "x" if texts and all(isinstance(item, int) for item in value) else " "
        return None if None in texts else between.join(text for text in texts if text is not None)
    return str(value) if isinstance(value, PLAIN) else None
