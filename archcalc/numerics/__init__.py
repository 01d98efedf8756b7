"""Arrays: the execution of a graph, the machine of sweeps, files of tensors and images."""

from __future__ import annotations

from archcalc.numerics.limits import NUMPY, require_address_space

require_address_space("NumPy", NUMPY)
