"""A graph as arrays: by its definition, counted, and fast; verified against what is predicted."""

from __future__ import annotations

from archcalc.address_space import NUMPY, require_address_space

require_address_space("NumPy", NUMPY)
