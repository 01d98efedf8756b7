"""Turn a model file (torch.export, ONNX, Keras) into a network that every command can read.

>>> network_of(archcalc.load_model("resnet18.pt2")).memory().peak
1003520
"""

from __future__ import annotations

from os.path import basename

from archcalc.graph.write import write
from archcalc.imported import Model
from archcalc.interop.lowering.lower import lower_trace
from archcalc.interop.lowering.model import Lowered
from archcalc.network import Network
from archcalc.recovery.recover import recover
from archcalc.spec.catalog import Entry
from archcalc.spec.model import Source
from archcalc.spec.read import read
from archcalc.units import printable


def lower(model: Model) -> Lowered:
    """Return the layers of a model; their counts equal those of the model's tally.

    Raises:
        ArchError: an operation has no layer that does the same, or the counts disagree.
    """
    return lower_trace(basename(model.name), model.trace, model.tally)


class ModelNetwork(Network):
    """The layers of a model file; `archcalc run` computes them with the file's own weights.

    Attributes:
        model: the file's trace and tally.
        lowered: its layers, and for each of their weights the tensor of the file that holds it.
    """

    model: Model
    lowered: Lowered

    def spec_text(self) -> str:
        """Return the text of a spec with the same layers, written with blocks."""
        return _spec_text(self.model, self.lowered)


def network_of(model: Model, input: str | None = None) -> ModelNetwork:
    """Return a model as a network, at the input size `input` if it is given.

    Raises:
        ArchError: the model cannot be lowered, or its layers do not fit that input.
    """
    lowered = lower(model)
    text = write(lowered.graph, model.title, apart=True)
    source = Source(model.name, text, modules=True)
    network = ModelNetwork(Entry(model.name, read(source), None), {}, input)
    network.model, network.lowered = model, lowered
    return network


def spec_of(model: Model) -> str:
    """Return the text of a spec with the layers of a model: with blocks, arguments and repeats.

    Raises:
        ArchError: the model cannot be lowered.
    """
    return _spec_text(model, lower(model))


def _spec_text(model: Model, lowered: Lowered) -> str:
    remark = f"# {printable(basename(model.name))}, {printable(model.trace.source)}"
    counts = f"# {model.parameters:,} parameters, {model.multiplies:,} multiplies"
    return f"{remark}\n{counts}\n{recover(lowered.graph, lowered.modules, model.title)}"
