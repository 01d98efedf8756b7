"""What execution works on: arrays, the weights of a layer, and the function that runs an operator."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

Array: TypeAlias = Any  # an ndarray of floats; numpy's own types say nothing that helps here
Weights: TypeAlias = dict[str, Array]  # by role: weight, bias, scale, …
Run: TypeAlias = Callable[[Any, list[Array], Weights], Array]
Prepared: TypeAlias = dict[str, Any]  # weights as a fast kernel wants them, and what follows its sums
