"""Model files run with the weights that lie in them give what torch computed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import archcalc
from archcalc.execution.forward import Forward
from archcalc.files.own import holds_weights, weights_of
from archcalc.lowered import lower, network_of

DATA = Path(__file__).parents[1] / "data"
MODELS = sorted(path.stem for path in (DATA / "weighted").glob("*.pt2"))


def test_there_are_eleven() -> None:
    assert len(MODELS) == 11


@pytest.mark.parametrize("name", MODELS)
def test_outputs_are_torchs(name: str) -> None:
    """Within 10⁻⁴ of the largest value; torch computed `y` of `x`."""
    model = archcalc.load_model(DATA / "weighted" / f"{name}.pt2")
    recorded = np.load(DATA / "weighted" / f"{name}.npz")
    lowered = lower(model)
    forward = Forward(lowered.graph, weights_of(model, lowered))
    x = recorded["x"]  # n × channels × height × width, or a sequence
    forward.run(np.ascontiguousarray(x.transpose(0, 2, 3, 1) if x.ndim == 4 else x))
    (laid,) = [each for each in lowered.laid if each.node == lowered.graph.output]
    found = forward.values[laid.node].reshape(laid.split).transpose(laid.order)
    wanted = recorded["y"]
    assert np.abs(found.reshape(wanted.shape) - wanted).max() <= 1e-4 * np.abs(wanted).max()


def test_a_weight_in_another_order_is_noticed() -> None:
    """The test above can fail: the same weight with two axes of its kernel exchanged."""
    model = archcalc.load_model(DATA / "weighted" / "gate.pt2")
    recorded, lowered = np.load(DATA / "weighted" / "gate.npz"), lower(model)
    weights = weights_of(model, lowered)
    path = lowered.graph.nodes[1].path
    weights[path] = {**weights[path], "weight": weights[path]["weight"].swapaxes(0, 1).copy()}
    forward = Forward(lowered.graph, weights)
    forward.run(np.ascontiguousarray(recorded["x"].transpose(0, 2, 3, 1)))
    found = forward.values[lowered.graph.output].reshape(-1)
    assert np.abs(found - recorded["y"].reshape(-1)).max() > 1e-3 * np.abs(recorded["y"]).max()


def test_files_without_numbers_are_run_with_seeded_ones() -> None:
    assert holds_weights(archcalc.load_model(DATA / "weighted" / "gate.pt2"))
    model = archcalc.load_model(DATA / "pt2" / "resnet18.pt2")
    assert not holds_weights(model)
    with pytest.raises(archcalc.ArchError, match=r"resnet18\.pt2 holds no numbers"):
        weights_of(model, lower(model))


def test_weights_of_onnx() -> None:
    """classifier.onnx holds its numbers: each tensor of the file is one of a layer."""
    model = archcalc.load_model(DATA / "onnx" / "classifier.onnx")
    network = network_of(model)
    if holds_weights(model):
        found = weights_of(model, network.lowered)
        assert sum(v.size for layer in found.values() for v in layer.values()) >= model.parameters
