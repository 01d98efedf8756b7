"""Read and write tensors, images and activation maps."""

from __future__ import annotations

from archcalc.address_space import NUMPY, require_address_space

require_address_space("NumPy", NUMPY)
