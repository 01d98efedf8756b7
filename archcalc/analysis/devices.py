"""Look up the peak rates of devices by name."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from typing import Any

from archcalc.analysis.roofline import Roof
from archcalc.errors import Diagnostic, UsageError, listed, shown, suggestion
from archcalc.tuples import NamedTuple
from archcalc.units import parse_count

TABLE = os.path.join(os.path.dirname(__file__), "devices.toml")  # pathlib would cost 4 ms


class Device(NamedTuple):
    """A device: its peak operations per second by data type, and its memory's bytes per second."""

    title: str
    flops_per_s: Mapping[str, int]
    bytes_per_s: int
    source: str


def devices() -> dict[str, Device]:
    """Return all devices of the table, by name."""
    with open(TABLE, "rb") as file:
        return {name: _device(entry) for name, entry in tomllib.load(file).items()}


def roof_of(kind: str, device: str | None, flops: int | None, bytes: int | None) -> Roof:
    """Return the peak rates of a device for a data type; `flops` and `bytes` replace its own rates.

    Raises:
        UsageError: a rate is missing, the device is unknown, or it has no rate for the data type.
    """
    if device is not None:
        known = devices()
        if device not in known:
            begun = [name for name in known if name.startswith(device.lower())]
            help = suggestion(device, begun or known) or f"devices: {listed(begun or known)}"
            raise UsageError(Diagnostic(f"no device is called `{shown(device)}`", help=help))
        found = known[device]
        if flops is None and kind not in found.flops_per_s:
            help = f"--dtype {listed(found.flops_per_s)}; or --flops-per-s"
            raise UsageError(Diagnostic(f"{found.title} has no rate of {kind}", help=help))
        flops = found.flops_per_s[kind] if flops is None else flops
        bytes = found.bytes_per_s if bytes is None else bytes
    if not flops or not bytes:
        help = f"--flops-per-s 4T --bytes-per-s 50G, or --device: {listed(devices())}"
        raise UsageError(Diagnostic("a roofline: how fast is the device?", help=help))
    return Roof(flops, bytes)


def _device(entry: dict[str, Any]) -> Device:
    rates = {dtype: parse_count(text) for dtype, text in entry["flops-per-s"].items()}
    return Device(entry["title"], rates, parse_count(entry["bytes-per-s"]), entry["source"])
