"""Every command on a file of torch, of ONNX and of Keras: an answer, or one error with a way out."""

from __future__ import annotations

import csv
import json
import struct
from pathlib import Path

import pytest
from click.testing import CliRunner

import archcalc
from archcalc.audit.recount import recount
from archcalc.cli import commands
from archcalc.errors import ArchError
from archcalc.reports.tools import functions_of

DATA = Path(__file__).parents[1] / "data"
GATE, ONNX, KERAS = (
    str(DATA / name) for name in ("weighted/gate.pt2", "onnx/exported.onnx", "keras/images_3.json")
)
FILES = {"torch": GATE, "onnx": ONNX, "keras": KERAS}
# what has an answer
ANSWERED = """
params FILE | params FILE --as torchinfo | params FILE --as keras | params FILE --freeze *
flops FILE | flops FILE --census | flops FILE --as fvcore | flops FILE --as torchinfo
flops FILE --training | memory FILE | memory FILE --as torchsummary | memory FILE --training
show FILE | field FILE | explain FILE | compare FILE lenet5 | diff FILE lenet5 | reconcile FILE 1234567
run FILE | run FILE --verify | run FILE --stats | draw FILE | draw FILE --format svg | lint FILE
check FILE --max-params 1M | transfer FILE | import FILE | cat FILE | report FILE -o OUT
"""
WORDS = [words.split() for line in ANSWERED.strip().splitlines() for words in line.split(" | ")]


@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize("words", WORDS, ids=" ".join)
def test_has_an_answer(words: list[str], file: str, tmp_path: Path) -> None:
    made = [str(tmp_path / "report.html") if word == "OUT" else word for word in words]
    called = [FILES[file] if word == "FILE" else word for word in made]
    try:
        result = CliRunner().invoke(commands, called, catch_exceptions=False)
    except ArchError as error:  # two files have a layer that no module is, or one of several
        assert "--as" in words and file != "torch", error
        assert any(what in str(error) for what in ("nothing tells of", "no module of torch.nn is"))
        assert error.diagnostics[0].help
        return
    assert result.exit_code == (1 if words[0] == "reconcile" else 0)  # nothing counts 1,234,567
    assert len(result.output) > 20


REFUSED = [
    ("sweep FILE", "`sweep` varies a spec, and a model file is as it is", "archcalc import FILE"),
    ("solve FILE", "`solve` varies a spec, and a model file is as it is", "archcalc import FILE"),
    ("check FILE", "has no budget", "--max-params 5M"),
    ("audit FILE", "audit recomputes what is printed about bundled networks", "archcalc reconcile"),
    ("audit lenet5 FILE", "is a model file", "archcalc reconcile"),
]


@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize(("words", "message", "help"), REFUSED)
def test_is_refused_with_a_way_out(words: str, message: str, help: str, file: str) -> None:
    with pytest.raises(ArchError) as raised:
        called = [FILES[file] if word == "FILE" else word for word in words.split()]
        CliRunner().invoke(commands, called, catch_exceptions=False)
    assert message in str(raised.value)
    assert help in raised.value.diagnostics[0].help
    assert raised.value.exit_code == 2


def test_a_file_of_tensors_has_no_layers_to_count_as_a_tool(tmp_path: Path) -> None:
    header = json.dumps({"w": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}).encode()
    path = tmp_path / "net.safetensors"
    path.write_bytes(struct.pack("<Q", len(header)) + header + b"\0" * 4)
    for option, value in (("as", "thop"), ("freeze", "w")):
        with pytest.raises(ArchError, match=rf"`--{option}` is of layers, and .*\.safetensors has"):
            commands.main(["params", str(path), f"--{option}", value], standalone_mode=False)


# quantity of tests/data/tools.csv, as the tools themselves printed it of torchvision's model
PRINTED = {
    "torchinfo": "total_mult_adds",
    "thop": "macs",
    "fvcore": "FlopCountAnalysis.total()",
    "ptflops": "macs (pytorch)",
}
MODELS = {
    "resnet18": "resnet18",
    "torchvision/densenet121": "densenet121",
    "torchvision/efficientnet_b0": "efficientnet_b0",
    "torchvision/googlenet": "googlenet_torch",
    "torchvision/mobilenet_v2": "mobilenet_v2",
    "torchvision/shufflenet_v2_x1_0": "shufflenet_v2_x1_0",
}


@pytest.mark.parametrize("tool", PRINTED)
@pytest.mark.parametrize("file", MODELS)
def test_as_a_tool_counts_the_module_itself(file: str, tool: str) -> None:
    """Which relu and pool is a module, and which a call of a function, the file tells."""
    with (DATA / "tools.csv").open(encoding="utf-8") as table:
        (printed,) = {
            row["value"]
            for row in csv.DictReader(table)
            if (row["tool"], row["network"], row["quantity"]) == (tool, MODELS[file], PRINTED[tool])
        }
    network = archcalc.load(DATA / "pt2" / f"{file}.pt2")
    analysis, functions = network.analyze(), functions_of(network)
    found = recount(tool, "flops", network.name, network.spec.source, analysis, functions)
    assert found.total == float(printed)


def test_training_and_frozen_layers_of_a_file() -> None:
    """ResNet-18's layers but its stem and its head: 11,689,512 - 9,408 - 128 - 513,000 parameters."""
    words = ("params", str(DATA / "pt2" / "resnet18.pt2"), "--freeze", "layer*", "--depth", "1")
    output = CliRunner().invoke(commands, words, catch_exceptions=False).output
    assert f"frozen: {11_689_512 - 3 * 64 * 7 * 7 - 2 * 64 - (512 * 1000 + 1000):,}" in output
