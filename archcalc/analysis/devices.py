"""Devices by name: what each does at most, and where that is written."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from archcalc.tuples import NamedTuple
from archcalc.units import parse_count

TABLE = Path(__file__).with_name("devices.toml")


class Device(NamedTuple):
    """Operations a second by type of values, and bytes a second of its memory."""

    title: str
    flops_per_s: Mapping[str, int]
    bytes_per_s: int
    source: str


def devices() -> dict[str, Device]:
    """Return all devices of the table by name."""
    return {name: _device(entry) for name, entry in tomllib.loads(TABLE.read_text("utf-8")).items()}


def _device(entry: dict[str, Any]) -> Device:
    rates = {dtype: parse_count(text) for dtype, text in entry["flops-per-s"].items()}
    return Device(entry["title"], rates, parse_count(entry["bytes-per-s"]), entry["source"])
