"""Run a register machine for integers on Python, NumPy and LLVM; keep fronts and histograms."""

from __future__ import annotations

from archcalc.address_space import NUMPY, require_address_space

require_address_space("NumPy", NUMPY)
