"""Get the weights and images of a run: from files, or from a seed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from archcalc.api import Network
from archcalc.errors import Diagnostic, UsageError
from archcalc.spec.source import STDIN_NAME
from archcalc.tuples import NamedTuple
from archcalc.units import printable

if TYPE_CHECKING:
    from archcalc.execution.weights import Precision

LAYOUTS = {"auto": None, "archcalc": False, "torch": True}


def spec_file(network: Network) -> str:
    """Return the path of the file that the network's spec was read from."""
    name = network.spec.source.name
    return "/dev/stdin" if name == STDIN_NAME else name


class Start(NamedTuple):
    """The options that say where weights and images come from."""

    init: str = "he"
    seed: int = 0
    weights: str | None = None
    map: str | None = None
    layout: str = "auto"
    image: str | None = None
    mean: str | None = None
    std: str | None = None

    @property
    def files(self) -> list[str]:
        """The files that are read."""
        return [file for file in (self.weights, self.map, self.image) if file is not None]

    @property
    def source(self) -> str:
        """The sources in words: 'he weights · seed 0', or the files, and the seed of what has none."""
        parts = [printable(self.weights or f"{self.init} weights")]
        parts += [printable(self.image)] if self.image else []
        return " · ".join(parts if self.weights and self.image else [*parts, f"seed {self.seed}"])

    @property
    def heading(self) -> str:
        """The sources as the end of a title; empty for the default."""
        return "" if self == Start() else f" · {self.source}"

    def told(self, network: Network) -> str:
        """Return the sources in words; a model file's own weights are 'weights of the file'."""
        if self.weights is None and self.of_file(network):
            return f"weights of the file · {printable(self.image or f'seed {self.seed}')}"
        return self.source

    def of_file(self, network: Network) -> bool:
        """Return whether the weights are those that the network's own model file holds."""
        from archcalc.lowered import ModelNetwork

        lowered = isinstance(network, ModelNetwork) and network.input is None
        if not lowered or self.init != "he":
            return False
        from archcalc.files.own import holds_weights

        return holds_weights(network.model)  # type: ignore[attr-defined]

    def of(self, network: Network, batch: int, dtype: Precision = "float32") -> tuple[Any, Any]:
        """Return the network's weights and images: all of the file, or `batch` images from the seed."""
        return self._weights(network, dtype), self._images(network, batch, dtype)

    def of_one(self, network: Network) -> tuple[Any, Any]:
        """Return the network's weights and the first image."""
        weights, images = self.of(network, 1)
        return weights, images[:1]

    def _weights(self, network: Network, dtype: Precision) -> Any:
        from archcalc.execution import weights
        from archcalc.files import tensors

        if self.weights is None and self.of_file(network):
            from archcalc.files.own import weights_of

            lowered = network.lowered  # type: ignore[attr-defined]
            # the same layers under the network's paths, where a dot of a module's name is a level
            return weights_of(network.model, lowered._replace(graph=network.graph))  # type: ignore[attr-defined]
        if self.weights is None:
            return weights.make(network.graph, self.init, self.seed, dtype)
        mapping = tensors.read_map(self.map) if self.map else None
        return tensors.read(self.weights, network.graph, mapping, dtype, LAYOUTS[self.layout])

    def _images(self, network: Network, batch: int, dtype: Precision) -> Any:
        from archcalc.execution.inputs import seeded

        shape = network.graph.input
        if self.image is None:
            return seeded(network.graph, 0, batch, self.seed)
        if self.image.endswith(".npy"):
            if self.mean is not None or self.std is not None:
                help = "--mean and --std are of PNG, JPEG and the like"
                raise UsageError(Diagnostic("values of an `.npy` file are taken as they are", help=help))
            from archcalc.files.tensors import read_array

            return read_array(self.image, shape, dtype)
        from archcalc.files.images import read_image

        return read_image(self.image, shape, dtype, self.mean, self.std)
