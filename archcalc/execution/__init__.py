"""Execute a graph on arrays: by definition, counted, and fast; verify all against the predictions."""

from __future__ import annotations

from archcalc.address_space import NUMPY, require_address_space

require_address_space("NumPy", NUMPY)
