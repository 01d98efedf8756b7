"""The parts of a gap between two cells of a stack, from above: bus, text, tap, bus, arrow."""

from __future__ import annotations

from archcalc.tuples import NamedTuple

BUS_IN, TEXT, TAP, BUS_OUT, STEM = 12, 14, 9, 14, 12


class GapParts(NamedTuple):
    """The heights of a gap's parts; 0 for a part that it lacks."""

    bus_in: float = 0
    text: str = ""
    tap: float = 0
    bus_out: float = 0
    stem: float = 0

    @property
    def height(self) -> float:
        return self.bus_in + (TEXT if self.text else 0) + self.tap + self.bus_out + self.stem

    @property
    def text_at(self) -> float:
        return self.bus_in + TEXT / 2 + 1

    @property
    def tap_at(self) -> float:
        return self.bus_in + (TEXT if self.text else 0) + self.tap / 2

    @property
    def bus_at(self) -> float:
        return self.bus_in + (TEXT if self.text else 0) + self.tap + self.bus_out / 2
