"""`run --verify --against`: a model's layers beside values that something else computed.

No framework is installed where this runs: modules of the same surface stand in, whose values are
written out here. With torch and onnxruntime: tests/differential/model_values.py.
"""

from __future__ import annotations

import json
import struct
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from support import protobuf as p

from archcalc.cli import commands
from archcalc.errors import ArchError
from archcalc.interop.onnx.functions import read_model
from archcalc.interop.onnx.wire import mapped

DATA = Path(__file__).parents[1] / "data"


def run(*words: str) -> str:
    return CliRunner().invoke(commands, ["run", "--verify", *words], catch_exceptions=False).output


def doubled(path: Path, batch: int = 1) -> Path:
    """Two 1×1 convolutions, each by 2, a relu between: a = 2·x, b = relu(a), y = 2·b."""
    nodes = [p.node("Conv", "x w", "a"), p.node("Relu", "a", "b"), p.node("Conv", "b w", "y")]
    stored = (p.tensor("w", (1, 1, 1, 1), raw=struct.pack("<f", 2.0)),)
    path.write_bytes(p.model(nodes, [p.value("x", batch, 1, 2, 2)], tensors=stored))
    return path


def runtime(compute: Callable[[Any], dict[str, Any]], batch: int = 1) -> Any:
    """What stands in for onnxruntime: one input, and tensors that `compute` makes of it."""

    class Session:
        def __init__(self, data: bytes, options: Any, providers: list[str]) -> None:
            own = (Path(options.folder) / "net.onnx").read_bytes()
            assert data.startswith(own)  # what stands behind is added to the graph of the file
            (Path(options.folder) / "added").write_bytes(data[len(own) :])
            with (Path(options.folder) / "added").open("rb") as file:
                self.outputs = ["y", *(o.name for o in read_model(mapped(file)).graph.outputs())]

        def get_inputs(self) -> list[Any]:
            return [SimpleNamespace(name="x", shape=[batch, 1, 2, 2])]

        def run(self, names: list[str], feeds: dict[str, Any]) -> list[Any]:
            assert set(names) <= set(self.outputs)
            assert feeds["x"].dtype == np.float32
            assert feeds["x"].shape == (batch, 1, 2, 2)
            made = compute(feeds["x"])
            return [made[name] for name in names]

    class Options:
        def add_session_config_entry(self, key: str, value: str) -> None:
            self.folder = value

    level = SimpleNamespace(ORT_DISABLE_ALL=0)
    own = {"SessionOptions": Options, "InferenceSession": Session, "GraphOptimizationLevel": level}
    return SimpleNamespace(__version__="1.0", **own)


def right(x: Any) -> dict[str, Any]:
    return {"a": 2 * x, "b": np.maximum(2 * x, 0), "y": 2 * np.maximum(2 * x, 0)}


@pytest.mark.parametrize("batch", [1, 3])
def test_values_that_agree(batch: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a file whose batch is 3, the one image is computed three times."""
    monkeypatch.setitem(sys.modules, "onnxruntime", runtime(right, batch))
    path = str(doubled(tmp_path / "net.onnx", batch))
    output = run(path, "--against", "onnxruntime")
    assert "3 of 3 layers compared" in output
    assert "NOT" not in output
    words = ("run", "--verify", path, "--against", "onnxruntime", "--format", "json")
    document = json.loads(CliRunner().invoke(commands, words).output)["networks"][0]
    assert [each["tensor"] for each in document["agreements"]] == ["a", "b", "y"]
    assert [each["difference"] for each in document["agreements"]] == [0, 0, 0]


@pytest.mark.parametrize(
    ("wrong", "share"),
    [
        (lambda x: {**right(x), "y": right(x)["y"] * 1.01}, 0.01 / 1.01),
        (lambda x: {**right(x), "y": right(x)["y"] * 1.0002}, 0.0002 / 1.0002),
        (lambda x: {**right(x), "y": right(x)["y"][:, :, ::-1]}, None),
        (lambda x: {**right(x), "y": right(x)["y"] * np.nan}, None),
    ],
    ids=["percent", "just", "turned", "no-numbers"],
)
def test_values_that_do_not_agree(
    wrong: Any, share: float | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The difference is a share of the framework's largest value: 1 % more is 0.01 / 1.01 of it."""
    monkeypatch.setitem(sys.modules, "onnxruntime", runtime(wrong))
    words = ["run", "--verify", str(doubled(tmp_path / "net.onnx")), "--against", "onnxruntime"]
    with pytest.raises(
        ArchError, match=r"net\.onnx: conv2: values are up to .* from onnxruntime's"
    ) as e:
        commands.main(words, standalone_mode=False)
    assert e.value.exit_code == 1
    found = CliRunner().invoke(commands, [*words, "--format", "json"])
    first, second, third = json.loads(found.stdout)["networks"][0]["agreements"]
    assert (first["difference"], second["difference"]) == (0, 0)
    if share is not None:
        assert third["difference"] == pytest.approx(share, rel=1e-2)


def test_just_below_the_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """0.00009 of the largest value is rounding: exit code 0."""
    monkeypatch.setitem(
        sys.modules, "onnxruntime", runtime(lambda x: {**right(x), "y": right(x)["y"] * 1.00009})
    )
    words = ["run", "--verify", str(doubled(tmp_path / "net.onnx")), "--against", "onnxruntime"]
    assert CliRunner().invoke(commands, words).exit_code == 0


def test_a_tensor_that_the_framework_does_not_have_is_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its images lie in another way than one behind the other: 3 of the same would be equal."""

    def interleaved(x: Any) -> dict[str, Any]:
        return {**right(x), "a": 2 * x + np.arange(2, dtype=np.float32).reshape(2, 1, 1, 1)}

    monkeypatch.setitem(sys.modules, "onnxruntime", runtime(interleaved, 2))
    output = run(str(doubled(tmp_path / "net.onnx", 2)), "--against", "onnxruntime")
    assert "2 of 3 layers compared; 1 makes no tensor of the file and is seen in" in output


class FakeTensor:
    """What stands in for a tensor of torch: values, sizes, a type."""

    def __init__(self, values: Any) -> None:
        self.values, self.shape, self.dtype = values, values.shape, "float32"

    def numpy(self) -> Any:
        return self.values

    def is_floating_point(self) -> bool:
        return True

    def detach(self) -> FakeTensor:
        return self

    cpu = float = detach

    def to(self, dtype: str) -> FakeTensor:
        assert dtype == "float32"
        return self


def torch(outputs: Callable[[Any], dict[str, Any]]) -> Any:
    """What stands in for torch: a program whose graph has one input and some nodes."""
    example = FakeTensor(np.zeros((1, 3, 16, 16), np.float32))
    nodes = [SimpleNamespace(name="x", op="placeholder", meta={"val": example})]
    program = SimpleNamespace(module=lambda: SimpleNamespace(graph=SimpleNamespace(nodes=nodes)))

    class Interpreter:
        def __init__(self, module: Any) -> None:
            pass

        def run(self, x: FakeTensor, enable_io_processing: bool) -> None:
            self.values = {"x": x.values, **outputs(x.values)}
            for name in self.values:
                self.run_node(SimpleNamespace(name=name))

        def run_node(self, node: Any) -> FakeTensor:
            return FakeTensor(self.values[node.name])

    class NoGrad:
        def __enter__(self) -> None: ...
        def __exit__(self, *fault: object) -> None: ...

    return SimpleNamespace(
        __version__="2.0",
        Tensor=FakeTensor,
        export=SimpleNamespace(load=lambda path: program),
        fx=SimpleNamespace(Interpreter=Interpreter),
        no_grad=NoGrad,
        from_numpy=FakeTensor,
    )


def test_torch_is_given_the_input_as_its_file_has_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first layer's output, as the real torch would compute it: the convolution written out."""
    import archcalc
    from archcalc.files.own import weights_of
    from archcalc.lowered import lower

    path = DATA / "weighted" / "gate.pt2"
    model = archcalc.load_model(path)
    lowered = lower(model)
    conv = lowered.graph.nodes[1]
    (tensor,) = [each.tensor for each in lowered.held if each.node == 1]
    own = weights_of(model, lowered)[conv.path]
    operator: Any = conv.operator

    def convolved(x: Any) -> dict[str, Any]:
        """Sums of 3×3 windows, channels first; the kernel is height × width × in × out."""
        assert x.shape == (1, 3, 16, 16)
        padded = np.pad(x[0], ((0, 0), (1, 1), (1, 1)))
        windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), (1, 2))[:, ::2, ::2]
        y = np.einsum("chwkl,klco->ohw", windows, own["weight"]) + own["bias"].reshape(-1, 1, 1)
        return {tensor: y[None]}

    assert tuple(operator.k) == (3, 3)
    monkeypatch.setitem(sys.modules, "torch", torch(convolved))
    assert "1 of 9 layers compared; 8 make no tensors" in run(str(path), "--against", "torch")
    monkeypatch.setitem(sys.modules, "torch", torch(lambda x: {tensor: convolved(x)[tensor] + 1}))
    with pytest.raises(ArchError, match="conv: values are up to 1 from torch's"):
        commands.main(["run", "--verify", str(path), "--against", "torch"], standalone_mode=False)


GATE, STRIPPED = str(DATA / "weighted" / "gate.pt2"), str(DATA / "pt2" / "resnet18.pt2")


@pytest.mark.parametrize(
    ("words", "message", "help"),
    [
        ("GATE --against torch", "torch is not installed where archcalc runs", "-m pip install torch"),
        ("GATE --against onnxruntime", "onnxruntime runs an `.onnx` file, which", "--against torch"),
        ("lenet5 --against torch", "lenet5 is a spec, which no framework runs", "archcalc export"),
        ("--against torch", "`--against` is of a model file: name one", "archcalc run --verify"),
        ("STRIPPED --against torch", "resnet18.pt2 holds no weights", "torch.export.save"),
        ("GATE --against torch --quick", "`--quick` means nothing with `--against`", "run --help"),
        ("GATE --against torch --input 32x32x3", "`--against` takes the input size of", "--input"),
        ("GATE GATE --against torch", "`--against` is of one network", "name one SPEC"),
    ],
)
def test_what_cannot_be_compared(
    words: str, message: str, help: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    named = words.replace("GATE", GATE).replace("STRIPPED", STRIPPED).split()
    with pytest.raises(ArchError) as raised:
        commands.main(["run", "--verify", *named], standalone_mode=False)
    assert message in str(raised.value)
    assert help in raised.value.diagnostics[0].help
    assert raised.value.exit_code == 2


def test_without_verify_it_means_nothing() -> None:
    with pytest.raises(ArchError, match="`--against` means nothing without `--verify`"):
        commands.main(["run", GATE, "--against", "torch"], standalone_mode=False)


def test_what_a_framework_raises_is_one_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refusing(x: Any) -> dict[str, Any]:
        raise RuntimeError("no kernel\nfor that")

    monkeypatch.setitem(sys.modules, "onnxruntime", runtime(refusing))
    words = ["run", "--verify", str(doubled(tmp_path / "net.onnx")), "--against", "onnxruntime"]
    with pytest.raises(ArchError, match=r"^onnxruntime 1\.0 cannot run .*: RuntimeError: no kernel for"):
        commands.main(words, standalone_mode=False)
