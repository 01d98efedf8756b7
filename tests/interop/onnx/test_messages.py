"""Values of ONNX' attributes."""

from __future__ import annotations

import math
import struct

import pytest

from archcalc.interop.onnx.messages import shortest


@pytest.mark.parametrize("value", [1e-6, 1e-5, 0.1, 1.702, 0.044715, -3.3e38, 0.0, 1 / 3, math.inf])
def test_a_number_of_32_bits_is_its_shortest_decimal(value: float) -> None:
    """1e-6 is stored as 9.99999997e-7; reading 1e-6 again is the same 32 bits."""
    (stored,) = struct.unpack("<f", struct.pack("<f", value))
    found = shortest(stored)
    assert struct.pack("<f", found) == struct.pack("<f", value)
    assert len(repr(found)) <= max(len(repr(value)), 12)


def test_no_number_stays_none() -> None:
    assert math.isnan(shortest(math.nan))
