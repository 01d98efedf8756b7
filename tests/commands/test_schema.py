"""The JSON of every command is what archcalc/views/schema.json says."""

from __future__ import annotations

import copy
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from support.schema import faults

import archcalc
from archcalc.cli import COMMANDS, commands
from archcalc.views.json import SCHEMA_VERSION

SCHEMA = json.loads((Path(archcalc.__file__).parent / "views" / "schema.json").read_text("utf-8"))


def closed(part: Any) -> Any:
    """The schema as it is today: objects have the keys that it names and no others."""
    if isinstance(part, list):
        return [closed(item) for item in part]
    if not isinstance(part, dict):
        return part
    names = (
        {"additionalProperties": False} if part.get("type") == "object" and "properties" in part else {}
    )
    return {**names, **{key: closed(value) for key, value in part.items()}}


CLOSED = closed(SCHEMA)
MODEL = Path(__file__).parents[1] / "data" / "pt2" / "resnet18.pt2"
LINES = [
    "draw unet --depth 1",
    "list",
    "list res --sort peak",
    "show resnet18 inception vit_b_16",
    "show unet --depth 1 --sort alive --top 3",
    "show lenet5 --roofline --device t4 --batch 2",
    "params lenet5_1998",
    f"params {MODEL}",
    f"flops {MODEL} --census",
    f"show {MODEL}",
    f"diff {MODEL} resnet18",
    "params resnet18 --as keras",
    "params resnet50 --width 32 --depth 2",
    "flops inception --bottleneck 16",
    "params tests/data/pt2/resnet18.pt2 lenet5",
    "flops tests/data/pt2/strange.pt2 --allow-unknown",
    "show tests/data/onnx/classifier.onnx",
    "diff tests/data/pt2/resnet18.pt2 resnet18",
    "flops alexnet --census --batch 4",
    "flops resnet18 --as thop",
    "flops resnet18 --training --images 10",
    "flops gpt2 --prefill 16 --decode 2 --batch 3",
    "check resnet18 --max-params 5M",
    "transfer resnet18 --new-head 3 --memory 8GiB",
    "lint vgg16",
    "solve inception --vary n1=1:9 --best params",
    "memory resnet18 --batch 32 --dtype float16",
    "memory lenet5 --order best --depth 1",
    "memory lenet5 --as torchinfo",
    "memory resnet18 --training --memory 1GiB",
    "field googlenet_torch",
    "field unet --depth 1",
    "explain inception 5x5 --bottleneck 16",
    "explain lenet5 --symbol classes",
    "compare resnet50:stride=3x3 resnet50:stride=1x1",
    "diff lenet5 lenet5_1998",
    "sweep inception --vary bottleneck=8,16",
    "reconcile resnet50 4111514624",
    f"reconcile {MODEL} 1.82G",
    f"reconcile {MODEL} 25.49%",
    f"reconcile {MODEL} 1823523841",
    "audit lenet5",
    "run lenet5 --stats",
    "run lenet5 --verify",
    "run lenet5 --time",
    "run --identities",
]


def document(line: str) -> Any:
    result = CliRunner().invoke(commands, [*line.split(), "--format", "json"], catch_exceptions=False)
    assert result.exit_code in (0, 1), result.output
    return json.loads(result.stdout)


@pytest.mark.parametrize("line", LINES)
def test_json_is_what_the_schema_says(line: str) -> None:
    told = document(line)
    assert told["schema_version"] == SCHEMA_VERSION == SCHEMA["properties"]["schema_version"]["const"]
    assert told["networks"]
    assert list(faults(told, CLOSED, CLOSED))[:5] == []


def test_every_command_with_json_is_tried() -> None:
    with_json = {
        name
        for name in COMMANDS
        for parameter in commands.get_command(None, name).params  # type: ignore[arg-type, union-attr]
        if "--format" in parameter.opts
    }
    assert with_json == {line.split()[0] for line in LINES}


def test_a_directory_of_a_sweep(tmp_path: Path) -> None:
    document(f"sweep inception --vary bottleneck=8,16 -o {tmp_path / 'out'}")
    assert list(faults(document(f"sweep show {tmp_path / 'out'}"), CLOSED, CLOSED)) == []


def test_the_script_of_the_help_page(tmp_path: Path) -> None:
    """It passes for a network within its limit, and fails for one that is not."""
    text = (Path(archcalc.__file__).parent / "help" / "json.md").read_text("utf-8")
    (script,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    assert "my-net.toml" in script
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    for width, code in ((8, 0), (10_000, 1)):  # 9·3·8 + 8 parameters, and 9·3·10,000 + 10,000
        spec = f'input = "32x32x3"\nlayers = ["conv {width} k3"]\n'
        (tmp_path / "my-net.toml").write_text(spec)
        done = subprocess.run(
            [sys.executable, "-c", script], cwd=tmp_path, env={**os.environ, "PATH": path}, text=True
        )
        assert done.returncode == code


@pytest.mark.parametrize("change", ["missing", "type", "command"])
def test_the_schema_forbids(change: str) -> None:
    told = copy.deepcopy(document("show lenet5"))
    layer = told["networks"][0]["layers"][0]
    if change == "missing":
        del layer["multiplies"]
    elif change == "type":
        layer["multiplies"] = 1.5
    else:
        told["command"] = "nonsense"
    assert list(faults(told, SCHEMA, SCHEMA)) != []


def test_new_keys_may_come() -> None:
    """A script that checks with the schema of today goes on with the keys of tomorrow."""
    told = document("show lenet5")
    told["networks"][0]["layers"][0]["something"] = told["networks"][0]["more"] = 1
    assert list(faults(told, SCHEMA, SCHEMA)) == []
    assert list(faults(told, CLOSED, CLOSED)) != []


def test_layers_of_json_are_the_rows_of_csv() -> None:
    """What the table tells of a layer, JSON has too: LeNet-5's first conv, 5·5·1 → 6 maps on 28×28."""
    layer = document("show lenet5_1998")["networks"][0]["layers"][0]
    assert (layer["operator"], layer["arguments"]["filters"], layer["arguments"]["k"]) == (
        "conv",
        6,
        [5, 5],
    )
    assert layer["text"].startswith("conv 6 k5")
    assert layer["field"]["height"] == {"size": 5, "stride": 1, "padding": 0, "offset": 2}
    assert layer["alive"] == 32 * 32 + 28 * 28 * 6
    assert layer["multiplies"] == 28 * 28 * 6 * 25


def test_depth_sums_up() -> None:
    """Blocks of JSON hold all layers, and their counts are the network's."""
    (network,) = document("flops resnet50 --depth 1")["networks"]
    (whole,) = document("flops resnet50")["networks"]
    assert sum(block["layers"] for block in network["layers"]) == len(whole["layers"])
    for key in ("multiplies", "parameters", "statistics", "connections"):
        assert sum(block[key] for block in network["layers"]) == whole["total"][key]
