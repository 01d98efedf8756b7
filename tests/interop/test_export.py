"""Modules of torch, exported by a stand-in whose saved file the real torch wrote."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import archcalc
from archcalc.errors import ArchError
from archcalc.interop.export import is_module, read_module, read_word
from archcalc.interop.prune import prune
from archcalc.interop.tally import tally
from archcalc.interop.trace import Trace

DATA = Path(__file__).parents[1] / "data"
RESNET18 = 11_689_512  # torchvision's documentation
IMAGE = {"": (3, 224, 224)}


@pytest.fixture(autouse=True)
def fake(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAVED", str(DATA / "pt2" / "resnet18.pt2"))
    monkeypatch.setenv("PYTHONPATH", str(DATA / "fake_torch"))
    monkeypatch.setenv("ARCHCALC_PYTHON", sys.executable)


def parameters(trace: Trace) -> int:
    return tally(trace, prune(trace)).parameters


def message(word: str, inputs: dict[str, tuple[int, ...]]) -> tuple[str, str]:
    with pytest.raises(ArchError) as caught:
        read_word(word, inputs)
    (diagnostic,) = caught.value.diagnostics
    return diagnostic.message, diagnostic.help


@pytest.mark.parametrize("word", ["torch:nets:Images", "torch:nets:ready"])
def test_another_python_exports_a_class_and_a_module(
    word: str, capfd: pytest.CaptureFixture[str]
) -> None:
    trace = read_word(word, IMAGE)
    assert (trace.name, parameters(trace)) == (word, RESNET18)
    printed = capfd.readouterr()
    assert printed.out == "" and "a line of the module's own" in printed.err


def test_inputs_are_whole_numbers_where_the_module_wants_them() -> None:
    assert parameters(read_word("torch:nets:Tokens", {"": (16,), "mask": (2, 16)})) == RESNET18


def test_what_the_module_raises_is_one_line() -> None:
    told, help = message("torch:nets:Images", {"": (4, 224, 224)})
    assert told == ("torch:nets:Images cannot be exported: RuntimeError: expected 3 channels, not 4")
    assert help.startswith("the size is without the batch")


@pytest.mark.parametrize(
    "word, fault",
    [
        ("torch:nowhere:Net", "ModuleNotFoundError: No module named 'nowhere'"),
        ("torch:nets:Nothing", "AttributeError: module 'nets' has no attribute 'Nothing'"),
        ("torch:nets:none", "TypeError: nets:none makes a int, and no torch.nn.Module"),
    ],
)
def test_names_of_no_module(word: str, fault: str) -> None:
    assert message(word, IMAGE)[0] == f"{word} cannot be exported: {fault}"


@pytest.mark.parametrize("word", ["torch:", "torch:nets", "torch:nets:", "torch:a b:c", "torch:x;y:z"])
def test_words_of_another_form(word: str) -> None:
    told, help = message(word, IMAGE)
    assert told == f"`{word}` names no module of torch"
    assert help.startswith("torch:MODULE:NAME")


def test_a_size_is_needed() -> None:
    told, _ = message("torch:nets:Images", {})
    assert told == "torch:nets:Images needs the size of its input, without the batch"


def test_a_python_without_torch(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "torch.py").write_text("raise ModuleNotFoundError('gone', name='torch')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    told, help = message("torch:nets:Images", IMAGE)
    assert told == f"torch:nets:Images needs a Python that has torch: {sys.executable} has none"
    assert help.startswith("ARCHCALC_PYTHON=")


def test_a_python_that_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ARCHCALC_PYTHON", "/nowhere/python")
    told, _ = message("torch:nets:Images", IMAGE)
    assert told == "/nowhere/python cannot be started: No such file or directory"


@pytest.fixture
def nets(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.syspath_prepend(str(DATA / "fake_torch"))
    for name in ("torch", "nets"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    yield importlib.import_module("nets")
    for name in ("torch", "nets"):
        sys.modules.pop(name, None)


def test_a_module_in_hand_keeps_its_mode(nets: Any) -> None:
    net = nets.Images()
    assert is_module(net) and not is_module("resnet18")
    trace = read_module(net, (3, 224, 224))
    assert (trace.name, parameters(trace), net.training) == ("Images", RESNET18, True)


def test_load_model_takes_a_module(nets: Any) -> None:
    model = archcalc.load_model(nets.Images(), input=(3, 224, 224))
    assert (model.name, model.parameters) == ("Images", RESNET18)


def test_tensors_go_in_as_they_are(nets: Any) -> None:
    ids, mask = nets.torch.zeros((1, 16), "int64", "cpu"), nets.torch.zeros((2, 16), "float32", "cpu")
    for input in ((ids, mask), {"ids": ids, "mask": mask}):
        assert parameters(read_module(nets.Tokens(), input)) == RESNET18


@pytest.mark.parametrize("input", [None, (), (3, 0), "3x224x224", {}])
def test_a_module_needs_a_size_or_tensors(nets: Any, input: Any) -> None:
    with pytest.raises(ArchError) as caught:
        read_module(nets.Images(), input)
    wanted = "Images needs the size of its input without the batch, or its tensors"
    assert caught.value.diagnostics[0].message == wanted


def test_what_a_module_in_hand_raises(nets: Any) -> None:
    with pytest.raises(ArchError, match="Images cannot be exported: RuntimeError: expected 3 channels"):
        read_module(nets.Images(), (4, 224, 224))
