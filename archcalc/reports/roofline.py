"""Report the least time of each layer on a device: a bound, not a measurement."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import Any

from archcalc.analysis.devices import devices, roof_of
from archcalc.analysis.roofline import Roof, Traffic, traffic
from archcalc.api import Network
from archcalc.formats import formats_of
from archcalc.reports.documents import document
from archcalc.reports.layout import label, output, single, title
from archcalc.reports.model import Column, Ranked, Report
from archcalc.reports.table import Table
from archcalc.tuples import NamedTuple
from archcalc.units import binary, grouped, percent, scaled

COLUMNS = (
    Column("layer", "layer", "name"),
    Column("output", "output", "text", spare=2),
    Column("flops", "FLOPs", "scaled"),
    Column("bytes", "bytes", "data"),
    Column("moved", "moved", "text"),
    Column("intensity", "FLOPs a byte", "text", spare=1),
    Column("bound", "bound", "text"),
    Column("seconds", "seconds", "data"),
    Column("least", "least time", "text"),
    Column("share", "share", "share"),
)
UNITS = ((1, "s"), (10**3, "ms"), (10**6, "µs"), (10**9, "ns"))


class Roofline(NamedTuple):
    """The options of a roofline: the peak rates or a device that has them, the data types, the batch."""

    flops_per_s: int | None = None
    bytes_per_s: int | None = None
    device: str | None = None
    dtype: str = "float32"
    batch: int = 1

    def roof(self) -> Roof:
        """Return the peak rates of the device.

        Raises:
            UsageError: a rate is missing, or the device is unknown; see `devices.roof_of`.
        """
        kind = formats_of(self.dtype).activations
        return roof_of(kind, self.device, self.flops_per_s, self.bytes_per_s)


def report(network: Network, table: Table, how: Roofline) -> Report:
    """Return the least time of each layer that moves bytes.

    Raises:
        UsageError: a rate is missing, or the device is unknown.
    """
    analysis, roof = network.analyze(), how.roof()
    found = dict(
        zip(
            (layer.path for layer in analysis.layers),
            traffic(analysis, formats_of(how.dtype), how.batch),
            strict=True,
        )
    )
    rows, names = single(analysis, lambda layer: bool(found[layer.path].bytes), table)
    whole = sum((one.seconds(roof) for one in found.values()), Fraction(0))
    lines = tuple(
        {"layer": name, "output": output(row)}
        | _cells([found[layer.path] for layer in row.layers], roof, whole)
        for name, row in zip(names, rows, strict=True)
    )
    images = f" · {how.batch:,} images" if how.batch > 1 else ""
    return Report(
        f"{title(network, analysis)} · {how.dtype}{images}",
        COLUMNS,
        lines,
        {"layer": "total", **_cells(list(found.values()), roof, whole), "share": None},
        tuple(_remarks(found.values(), how, roof, whole)),
        lambda: [{**document(network, analysis), "roofline": _document(found, how, roof)}],
        label(network),
    )


def _cells(parts: Sequence[Traffic], roof: Roof, whole: Fraction) -> dict[str, Any]:
    summed = _summed(parts)
    least = sum((part.seconds(roof) for part in parts), Fraction(0))
    intensity = summed.intensity
    return {
        "flops": summed.flops,
        "bytes": summed.bytes,
        "moved": Ranked(binary(summed.bytes), summed.bytes),
        "intensity": None if intensity is None else Ranked(f"{float(intensity):.1f}", intensity),
        "bound": _bound(parts, roof),
        "seconds": float(least),
        "least": Ranked(_time(least), least),
        "share": (least, whole),
    }


def _summed(parts: Iterable[Traffic]) -> Traffic:
    return Traffic(*(sum(numbers) for numbers in zip(*parts, strict=True)))


def _bound(parts: Sequence[Traffic], roof: Roof) -> str:
    """Return what bounds the layers of a row: 'compute', 'memory', or both."""
    return ", ".join(sorted({part.bound(roof) for part in parts} - {""}))


def _time(seconds: Fraction) -> str:
    """Write a time with three significant digits: '12.3 µs'."""
    for per, unit in UNITS:
        if seconds * per >= 1:
            return f"{float(seconds * per):.3g} {unit}"
    return f"{float(seconds * 10**9):.3g} ns"


def _remarks(found: Iterable[Traffic], how: Roofline, roof: Roof, whole: Fraction) -> Iterable[str]:
    parts = list(found)
    rates = f"{scaled(roof.flops)}FLOPs and {scaled(roof.bytes)}B a second"
    device = f"{devices()[how.device].title}: " if how.device else ""
    yield (
        f"a bound, no measurement: {device}{rates}, each layer at the slower of both; kernels are "
        "slower, and only one that joins layers can be faster"
    )
    memory = sum((p.seconds(roof) for p in parts if p.bound(roof) == "memory"), Fraction(0))
    need = f"{float(Fraction(roof.flops, roof.bytes)):.1f}"
    share = percent(memory.numerator * whole.denominator, memory.denominator * whole.numerator)
    yield f"memory bounds layers below {need} FLOPs a byte: {share} of the time"
    yield (
        "moved: inputs, output and weights of a layer, once; what overwrites its input (the peak rule "
        "of `archcalc memory`) is done where that was made; views move nothing, nor do scores"
    )
    if how.batch > 1 and whole:
        yield f"at most {grouped(int(how.batch / whole))} images a second"
    if how.device:
        yield f"rates: {devices()[how.device].source}"


def _document(found: dict[str, Traffic], how: Roofline, roof: Roof) -> dict[str, Any]:
    def told(part: Traffic) -> dict[str, Any]:
        intensity = part.intensity
        return {
            **part._asdict(),
            "bytes": part.bytes,
            "intensity": None if intensity is None else float(intensity),
            "bound": part.bound(roof) or None,
            "seconds": float(part.seconds(roof)),
        }

    whole = sum(part.seconds(roof) for part in found.values())
    return {
        "device": how.device,
        "dtype": how.dtype,
        "batch": how.batch,
        "flops_per_s": roof.flops,
        "bytes_per_s": roof.bytes,
        **_summed(found.values())._asdict(),
        "seconds": float(whole),
        "layers": [{"path": path, **told(part)} for path, part in found.items()],
    }
