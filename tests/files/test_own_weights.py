"""Model files run with the weights that lie in them give what torch computed."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result
from support import protobuf as p

import archcalc
from archcalc.cli import commands
from archcalc.errors import ArchError
from archcalc.execution.forward import Forward
from archcalc.files.own import holds_weights, weights_of
from archcalc.interop.lowering.recurrent import _ORDER
from archcalc.lowered import lower
from archcalc.reports.start import Start

DATA = Path(__file__).parents[1] / "data"
# ONNX has no projection of an LSTM and no relu in rnn; not read again: windows of separate projections,
# the ones that stand for a norm without scale, the root that rmsnorm is made of (stretched); the output
# of tokens is laid otherwise; adaptivepool to cells of different sizes has no node
ONE_WAY = {"lstm", "rnn", "swin", "scores", "functions", "norms", "resampled", "tokens", "stretched"}
MODELS = sorted(path.stem for path in (DATA / "weighted").glob("*.pt2"))


def test_there_are_nineteen() -> None:
    assert len(MODELS) == 19


@pytest.mark.parametrize("name", MODELS)
def test_outputs_are_torchs(name: str) -> None:
    """Within 10⁻⁴ of the largest value; torch computed `y` of `x`."""
    model = archcalc.load_model(DATA / "weighted" / f"{name}.pt2")
    recorded = np.load(DATA / "weighted" / f"{name}.npz")
    lowered = lower(model)
    forward = Forward(lowered.graph, weights_of(model, lowered))
    x = recorded["x"]  # n × channels × height × width, or a sequence
    forward.run(np.ascontiguousarray(x.transpose(0, 2, 3, 1) if x.ndim == 4 else x))
    (held,) = [each for each in lowered.held if each.node == lowered.graph.output]
    found = forward.values[held.node].reshape(held.split).transpose(held.order)
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


@pytest.mark.parametrize("producer", [b"", p.field(2, "pytorch") + p.field(3, "1.13")])
def test_weights_of_onnx(producer: bytes, tmp_path: Path) -> None:
    """Two 1×1 convs, the second with the first one's weight under another name: 5 · 2 · 2 · 7."""
    path = tmp_path / "net.onnx"
    nodes = [
        p.node("Identity", "w", "again"),
        p.node("Conv", "x w", "a"),
        p.node("Conv", "a again", "y"),
    ]
    stored = (p.tensor("w", (1, 1, 1, 1), raw=struct.pack("<f", 2.0)),)
    path.write_bytes(p.model(nodes, [p.value("x", 1, 1, 1, 2)], tensors=stored, more=producer))
    network = archcalc.load(path)
    weights, _ = Start().of(network, 1)
    forward = Forward(network.graph, weights)
    forward.run(np.array([[[[5.0], [7.0]]]], np.float32))
    assert forward.values[network.graph.output].ravel().tolist() == [5 * 2 * 2, 7 * 2 * 2]


def run(*words: str) -> Result:
    return CliRunner().invoke(commands, list(words), catch_exceptions=False)


def outputs(path: Path, x: Any) -> Any:
    """What the network of a file computes with the weights that `run` would give it."""
    network = archcalc.load(path)
    weights, _ = Start().of(network, 1)
    assert {*weights} <= {node.path for node in network.graph.nodes}
    forward = Forward(network.graph, weights)
    forward.run(np.ascontiguousarray(x.transpose(0, 2, 3, 1) if x.ndim == 4 else x))
    held = {each.node: each for each in network.lowered.held}[network.graph.output]  # type: ignore[attr-defined]
    return forward.values[held.node].reshape(held.split).transpose(held.order)


def near(found: Any, wanted: Any) -> bool:
    return bool(np.abs(found.reshape(wanted.shape) - wanted).max() <= 1e-4 * np.abs(wanted).max())


@pytest.mark.parametrize("name", MODELS)
def test_the_command_runs_with_the_weights_of_the_file(name: str) -> None:
    path = DATA / "weighted" / f"{name}.pt2"
    recorded = np.load(path.with_suffix(".npz"))
    assert near(outputs(path, recorded["x"]), recorded["y"])
    assert "layers verified" in run("run", str(path), "--verify").output


@pytest.mark.parametrize("name", [n for n in MODELS if n not in ONE_WAY])
def test_an_exported_model_computes_the_same(name: str, tmp_path: Path) -> None:
    """Read again, the file is another derivation: of weights, their order, factors, epsilons."""
    source, target = DATA / "weighted" / f"{name}.pt2", tmp_path / "net.onnx"
    assert "weights of the file" in run("export", str(source), "-o", str(target)).output
    recorded = np.load(source.with_suffix(".npz"))
    assert near(outputs(target, recorded["x"]), recorded["y"])


@pytest.mark.parametrize("name", ["onnx_lstm", "onnx_gru", "onnx_gru_after", "onnx_rnn"])
def test_recurrent_layers_of_onnx_are_onnxruntimes(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """ONNX has the gates i o f c and z r h, torch i f g o and r z n; without reordering all is wrong."""
    path = DATA / "weighted" / f"{name}.onnx"
    recorded = np.load(path.with_suffix(".npz"))
    x = recorded["x"].reshape(1, 7, 6)
    assert near(outputs(path, x), recorded["y"])
    for word in _ORDER:
        monkeypatch.setitem(_ORDER, word, tuple(sorted(_ORDER[word])))
    if name != "onnx_rnn":
        assert not near(outputs(path, x), recorded["y"])


def test_gates_in_the_order_of_the_file_are_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """ONNX has z r h, torch r z n."""
    source, target = DATA / "weighted" / "gru.pt2", tmp_path / "net.onnx"
    run("export", str(source), "-o", str(target))
    monkeypatch.setitem(_ORDER, "gru", (0, 1, 2))
    recorded = np.load(source.with_suffix(".npz"))
    assert not near(outputs(target, recorded["x"]), recorded["y"])


@pytest.mark.parametrize(
    ("factors", "fault"),
    [
        ((5e-4, 0.75, 2.0), ""),  # of ONNX, alpha is divided by the size: 5e-4 / 5 is the paper's 1e-4
        ((1e-4, 0.75, 2.0), "lrn computes other values here"),
        ((5e-4, 0.5, 2.0), "lrn computes other values here"),
        ((5e-4, 0.75, 1.0), "lrn computes other values here"),
    ],
)
def test_factors_of_local_response_norm(factors: tuple[float, ...], fault: str, tmp_path: Path) -> None:
    """Their counts are the same."""
    path = tmp_path / "m.onnx"
    named = zip(("alpha", "beta", "bias"), factors, strict=True)
    given = [p.integer("size", 5), *(p.real(name, number) for name, number in named)]
    path.write_bytes(p.model([p.node("LRN", "x", "y", *given)]))
    model = archcalc.load_model(path)
    found = lower(model)
    assert str(found.graph.nodes[-1].operator) == "lrn 5"
    if fault:
        with pytest.raises(ArchError, match=fault):
            weights_of(model, found)
    else:
        assert weights_of(model, found) == {}
