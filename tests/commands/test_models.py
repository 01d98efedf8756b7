"""Model files where a SPEC may stand: counted by module, straight from the file."""

from __future__ import annotations

import io
import json
import pickle
import shutil
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

import archcalc
from archcalc import cli
from archcalc.imported import bits_of

DATA = Path(__file__).parents[1] / "data"
RESNET18 = str(DATA / "pt2" / "resnet18.pt2")
# torchvision's documentation: 11,689,512 parameters, 1.81 GFLOPS (multiply-adds)
PARAMETERS, MULTIPLIES = 11_689_512, 1_814_073_344


def run(*words: str, code: int = 0) -> str:
    """What a command prints, on either stream."""
    told = io.StringIO()
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(told), redirect_stderr(told):
        patch.setattr(sys, "argv", ["archcalc", *words])
        assert cli._run() == code, told.getvalue()
    return told.getvalue()


def document(*words: str, code: int = 0) -> dict[str, Any]:
    (found,) = json.loads(run(*words, "--format", "json", code=code))["networks"]
    return found


def test_a_torch_file_counts_as_the_spec_of_the_same_network() -> None:
    """Two derivations: the file's own operations, and the bundled spec."""
    spec = archcalc.load("resnet18").analyze()
    found = document("flops", RESNET18)
    assert (found["parameters"], found["multiplies"]) == (PARAMETERS, MULTIPLIES)
    assert (spec.parameters, spec.multiplies) == (PARAMETERS, MULTIPLIES)
    assert {k: n for k, n in spec.total.census._asdict().items() if k in found["census"]} == found[
        "census"
    ]
    assert sum(module["parameters"] for module in found["modules"]) == PARAMETERS
    assert sum(module["multiplies"] for module in found["modules"]) == MULTIPLIES


def test_tables_by_module() -> None:
    lines = run("params", RESNET18, "--depth", "1").splitlines()
    assert lines[0].startswith("ResNet (resnet18.pt2) · torch.export")
    (fc,) = [line for line in lines if line.strip().startswith("fc ")]
    assert "512,000   1,000" in fc  # 512 · 1000 weights, 1000 biases
    assert "total" in run("show", RESNET18, "--sort", "multiplies", "--top", "3")
    csv = run("flops", RESNET18, "--batch", "2", "--format", "csv").splitlines()
    conv1 = next(line for line in csv if ",conv1," in line)
    assert conv1.split(",")[-1] == str(2 * 112 * 112 * 64 * 7 * 7 * 3)


def test_what_else_lies_in_the_file() -> None:
    """6·4 weights and 4 biases are used; what `make.py` leaves unused is told apart."""
    told = run("params", str(DATA / "pt2" / "unused.pt2"))
    assert "no layer uses spare.weight" in told
    assert document("params", str(DATA / "pt2" / "unused.pt2"))["parameters"] == 6 * 4 + 4
    frozen = document("params", str(DATA / "pt2" / "frozen.pt2"))
    assert frozen["frozen"] == 6 * 3 * 3 * 3 + 2 * 6  # a conv without bias, and its norm


def test_sizes_that_the_file_leaves_free() -> None:
    dynamic = str(DATA / "pt2" / "dynamic.pt2")
    assert "give each one: --dim s16=16 --dim s82=16" in run("params", dynamic, code=2)
    by_name = document("flops", dynamic, "--dim", "s16=16", "--dim", "s82=20")
    by_shape = document("flops", dynamic, "--input", "input=1x3x16x20")
    assert by_name["modules"] == by_shape["modules"]
    assert by_name["multiplies"] == document("flops", f"{dynamic}:s16=16:s82=20")["multiplies"]
    assert by_name["multiplies"] == 7 * 9 * 4 * 3 * 3 * 3  # stride 2: 16 → 7, 20 → 9


def test_compared_with_a_spec_and_with_each_other() -> None:
    """Totals agree with the bundled spec; of two files the modules that differ, by path."""
    first, second = json.loads(run("diff", RESNET18, "resnet18", "--format", "json"))["networks"]
    assert first["multiplies"] == second["measures"]["multiplies"] == MULTIPLIES
    frozen, unused = (str(DATA / "pt2" / f"{name}.pt2") for name in ("frozen", "unused"))
    rows = [line.split(",") for line in run("diff", frozen, unused, "--format", "csv").splitlines()]
    assert rows[0][:2] == ["layer", "status"]
    assert ["used", "new", "Linear", "0", "24", "0", "28"] in rows  # 6·4 products; 6·4 + 4 numbers
    assert {row[1] for row in rows[1:]} == {"gone", "new"}
    assert "--all" not in run("diff", RESNET18, RESNET18)
    assert "a model file" in run("diff", "--git", "HEAD", RESNET18, code=2)
    assert "holds alive" in run("diff", frozen, unused, "--by", "alive", code=2)


def test_unknown_operations_are_listed_and_may_be_left_out() -> None:
    strange = str(DATA / "pt2" / "strange.pt2")
    refused = run("params", strange, code=2)
    assert "torch.ops.mylib.warp.default: node 0 warp" in refused
    told = run("flops", strange, "--allow-unknown", code=1)
    assert "at least so much: 2 unknown operations are left out" in told
    found = document("flops", strange, "--allow-unknown", code=1)
    assert (found["parameters"], found["multiplies"], found["complete"]) == (None, None, False)


def test_specs_and_files_stand_side_by_side() -> None:
    """A setting is for the spec, a size for the file."""
    dynamic = str(DATA / "pt2" / "dynamic.pt2")
    words = ("lenet5", dynamic, "--classes", "7", "--dim", "s16=16", "--dim", "s82=16")
    first, second = json.loads(run("params", *words, "--format", "json"))["networks"]
    assert (first["changed"], second["name"]) == ({"classes": 7}, dynamic)


@pytest.mark.parametrize("name", ["classifier.onnx", "tied.onnx", "quantized.onnx", "volume.onnx"])
def test_onnx(name: str, tmp_path: Path) -> None:
    """Told apart by content: another name, the same answer."""
    shutil.copy(DATA / "onnx" / name, tmp_path / "model.bin")
    found, other = (
        document("params", str(DATA / "onnx" / name)),
        document("params", str(tmp_path / "model.bin")),
    )
    assert found["parameters"] == other["parameters"] > 0


def test_a_file_of_weights(tmp_path: Path) -> None:
    path = str(tmp_path / "w.safetensors")
    half = np.zeros(3, np.float16)
    save_file({"a.0.weight": np.zeros((3, 4), np.float32), "a.0.bias": half}, path)
    found = document("params", path)
    assert (found["numbers"], found["bytes"]) == (3 * 4 + 3, 4 * 12 + 2 * 3)
    assert "a.0" in run("params", path)
    assert "holds weights: it has no graph to count" in run("flops", path, code=2)


def test_a_pickle_is_refused_with_the_lines_that_make_a_file(tmp_path: Path) -> None:
    path = tmp_path / "w.pth"
    path.write_bytes(pickle.dumps({}))
    assert run("params", str(path), code=2).splitlines()[1:] == [
        "  ep = torch.export.export(model.eval(), (torch.randn(1, 3, 224, 224),))",
        "  torch.export.save(ep, 'model.pt2')",
        "  = help: where torch is, these two lines make a file that archcalc reads",
    ]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("sweep", RESNET18), "`sweep` varies a spec, and a model file is as it is"),
        (("field", RESNET18, "--input", "160", "--input", "64"), "`--input` is given twice: 160 and 64"),
        (("params", RESNET18, "--width", "2"), "has no variable `width`"),
        (("params", RESNET18, "--set", "width=2"), "has no variable `width`"),
        (("params", RESNET18, "--dept", "2"), "--depth"),
        (("params", RESNET18, "--dim", "batch"), "`batch` sets no size"),
        (("params", RESNET18, "--input", "3x224x224"), "`3x224x224` is no shape of an input"),
        (("params", "ghost.onnx"), "no file `ghost.onnx`"),
    ],
)
def test_refusals(words: tuple[str, ...], message: str) -> None:
    found = subprocess.run(
        [sys.executable, "-m", "archcalc", *words], capture_output=True, text=True, check=False
    )
    assert found.returncode == 2
    assert message in found.stderr
    assert found.stdout == ""


def test_the_largest_of_what_differs_is_among_the_rows_that_are_shown() -> None:
    """Of 44 modules that differ 40 are shown; `fc`, the last in the file, is sorted to them."""
    words = ("--sort", "parameters", "--by", "parameters")
    rows = run("diff", str(DATA / "pt2" / "frozen.pt2"), RESNET18, *words).splitlines()
    start = next(i for i, row in enumerate(rows) if "parameters before" in row) + 1
    shown = [row.split()[0] for row in rows[start : start + 40]]
    assert shown[0] == "layer4.0.conv2"  # 512·512·3·3 = 2,359,296, as two others have
    assert "1" not in shown  # a batch norm of frozen.pt2
    assert "fc" in shown  # 512·1000 + 1000 = 513,000, the last of the file


def test_a_batch_is_told_and_multiplies_all_work() -> None:
    words = ("flops", RESNET18, "--batch", "2")
    assert "all work is that of 2 images" in run(*words)
    found, one = document(*words), document(*words[:2])
    assert (found["multiplies"], found["protocol"]["images"]) == (2 * MULTIPLIES, 2)
    assert found["census"] == {kind: 2 * count for kind, count in one["census"].items()}
    assert sum(module["multiplies"] for module in found["modules"]) == 2 * MULTIPLIES


def test_totals_beside_a_spec_in_either_order() -> None:
    for words in ((RESNET18, "resnet18"), ("resnet18", RESNET18)):
        rows = run("diff", *words, "--format", "csv").splitlines()
        assert f"multiplies,{MULTIPLIES},{MULTIPLIES}" in rows


def test_a_spec_with_no_ending_begins_as_it_likes(tmp_path: Path) -> None:
    """Sixteen bytes that end within a character are text; a byte of none is not."""
    spec = tmp_path / "net.v2"
    spec.write_text("# " + "é" * 20 + '\ninput = "4x4x1"\nlayers = ["conv 2 k3"]\n', encoding="utf-8")
    assert spec.read_bytes()[:16].decode("utf-8", "ignore") != spec.read_text("utf-8")[:16]
    found = json.loads(run("params", str(spec), "--format", "json"))["networks"][0]
    assert found["total"]["parameters"] == 3 * 3 * 2 + 2


@pytest.mark.parametrize(
    ("dtype", "bits"),
    [
        ("float8_e4m3fn", 8),
        ("bfloat16", 16),
        ("bool", 8),
        ("complex64", 64),
        ("int4", 4),
        ("float32", 32),
    ],
)
def test_bits_of_a_type(dtype: str, bits: int) -> None:
    """As IEEE, torch and ONNX name their types; torch keeps a truth in a byte."""
    assert bits_of(dtype) == bits


def test_in_python() -> None:
    model = archcalc.load_model(RESNET18)
    assert (model.parameters, model.multiplies) == (PARAMETERS, MULTIPLIES)
    assert sum(row["parameters"] for row in model.rows) == PARAMETERS
    assert model.to_dict()["complete"]


def test_a_network_in_python() -> None:
    network = archcalc.load(RESNET18, input=160)
    assert network.analyze().parameters == PARAMETERS
    assert network.graph.input == (160, 160, 3)
    with pytest.raises(archcalc.ArchError, match=r"resnet18\.pt2 has no variable `width`"):
        archcalc.load(RESNET18, width=2)


def test_nothing_heavy_is_imported() -> None:
    code = f"""
import sys
sys.argv = ["archcalc", "params", {RESNET18!r}, {str(DATA / "onnx" / "classifier.onnx")!r}]
from archcalc.__main__ import main
try:
    main()
except SystemExit as stop:
    assert not stop.code
print([m for m in ("numpy", "numba", "rich", "torch", "onnx") if m in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.fixture
def torch_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """A Python whose torch is a stand-in: it checks the inputs, and saves a file of the real one."""
    monkeypatch.setenv("SAVED", RESNET18)
    monkeypatch.setenv("PYTHONPATH", str(DATA / "fake_torch"))
    monkeypatch.setenv("ARCHCALC_PYTHON", sys.executable)


@pytest.mark.usefixtures("torch_elsewhere")
def test_a_module_of_torch_stands_where_a_file_does() -> None:
    found = document("params", "torch:nets:Images", "--input", "3x224x224")
    assert (found["name"], found["parameters"]) == ("torch:nets:Images", PARAMETERS)
    assert found["title"] == "ResNet (torch:nets:Images)"
    both = json.loads(
        run("flops", "lenet5", "torch:nets:Images", "--input", "3x224x224", "--format", "json")
    )
    assert both["networks"][1]["multiplies"] == MULTIPLIES
    named = ("--input", "16", "--input", "mask=2x16")
    assert document("params", "torch:nets:Tokens", *named)["parameters"] == PARAMETERS


@pytest.mark.usefixtures("torch_elsewhere")
@pytest.mark.parametrize(
    "words, told",
    [
        ("params torch:nets:Images", "needs the size of its input, without the batch"),
        ("params torch:nets:Images --input 4x224x224", "cannot be exported: RuntimeError"),
        ("params torch:nets:Images --input 3xy", "is no shape of an input"),
        ("params torch:nets:Tokens --input 16 --input 8", "gives one argument two sizes"),
        ("params torch:nets:Images --dim n=2 --input 3", "has no free sizes"),
        ("params torch:nets:Images --width 2 --input 3", "has no variable `width`"),
        ("solve torch:nets:Images --input 3", "`solve` varies a spec, and a model file is as it is"),
    ],
)
def test_words_of_modules_that_are_refused(words: str, told: str) -> None:
    printed = run(*words.split(), code=2)
    assert told in printed and "= help: " in printed


def test_load_model_wants_a_path_or_a_module() -> None:
    for model, told in ((7, "a int is no model"), (RESNET18, "`input` is of a module in hand")):
        with pytest.raises(archcalc.ArchError, match=told):
            archcalc.load_model(model, input=(3, 224, 224))


def test_modules_are_blocks() -> None:
    """A unit of 64 channels on 56×56: two 3×3 convs of 56·56·64 × 3·3·64; layer1 has two units."""
    once = 56 * 56 * 64 * 3 * 3 * 64
    assert f"{once:,}" in run("explain", RESNET18, "layer1.0.conv1")
    assert run("explain", RESNET18, "layer1.0.conv1") == run("explain", RESNET18, "layer1/0/conv1")
    assert f"{2 * once:,}" in run("explain", RESNET18, "layer1.0")
    (layer1,) = (
        line for line in run("memory", RESNET18, "--depth", "1").splitlines() if "layer1" in line
    )
    assert "56×56×64" in layer1
    assert "layer1:  0–1 ×2" in run("draw", RESNET18)
