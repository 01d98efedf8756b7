"""Rows by module, so deep as wanted."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest

from archcalc.interop.load import read
from archcalc.interop.modules import gather
from archcalc.interop.prune import prune
from archcalc.interop.tally import tally

RESNET18 = Path(__file__).parents[1] / "data" / "pt2" / "resnet18.pt2"


@pytest.mark.parametrize("depth", [0, 1, 2, 3, 9])
def test_nothing_is_lost_at_any_depth(depth: int) -> None:
    trace = read(str(RESNET18), {}, {})
    found = tally(trace, prune(trace))
    groups = gather(found.rows, trace.modules, depth)
    assert sum(len(group.rows) for group in groups) == len(found.rows)
    assert sum(group.counts.products for group in groups) == found.counts.products
    assert sum(use.size for group in groups for use in group.uses) == sum(
        use.size for row in found.rows for use in row.uses
    )


def test_modules_of_resnet18() -> None:
    trace = read(str(RESNET18), {}, {})
    rows = tally(trace, prune(trace)).rows
    at_one = gather(rows, trace.modules, 1)
    stages = "layer1", "layer2", "layer3", "layer4"
    names = ["conv1", "bn1", "relu", "maxpool", *stages, "avgpool", "view", "fc"]
    assert [group.name for group in at_one] == names  # flatten is called by the model itself: a view
    assert at_one[4].cls == "Sequential"
    # two blocks of two 3×3 convs on 56·56·64
    assert at_one[4].counts.products == 4 * 56 * 56 * 64 * 9 * 64
    at_two = {group.name: group for group in gather(rows, trace.modules, 2)}
    assert at_two["layer1.0"].cls == "BasicBlock"
    assert at_two["layer1.0"].counts.products == 2 * 56 * 56 * 64 * 9 * 64
    deep = {group.name: group for group in gather(rows, trace.modules, 3)}
    assert deep["layer1.0/add"].counts.additions == 56 * 56 * 64
    assert deep["layer1.0.conv1"].cls == "Conv2d"


def test_paths_of_torch_2_6_are_those_of_later_ones() -> None:
    """It wrote the expressions by which modules of a Sequential are reached."""
    old, new = (read(str(RESNET18.with_name(f"{n}.pt2")), {}, {}) for n in ("torch_2_6", "frozen"))
    assert [o.module for o in old.operations] == [o.module for o in new.operations]
    assert old.modules == new.modules


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("layer1.0.conv1", "layer1.0.conv1"),
        ("L['fn']", ""),
        ("getattr(getattr(L['fn'], '1'), '0').more[0]", "1.0.more.0"),
        ("getattr(getattr(L['fn'], '0').d['x-y'], '0')", "0.d.x-y.0"),
        ("L['self'].l[12]", "l.12"),
    ],
)
def test_a_path_by_expression(text: str, path: str, tmp_path: Path) -> None:
    with zipfile.ZipFile(RESNET18.with_name("torch_2_6.pt2")) as file:
        (name,) = file.namelist()
        program = json.loads(file.read(name))
    program["graph_module"]["graph"]["nodes"][0]["metadata"]["nn_module_stack"] = f"key,{text},a.Net"
    with zipfile.ZipFile(tmp_path / "m.pt2", "w") as file:
        file.writestr(name, json.dumps(program))
    assert read(str(tmp_path / "m.pt2"), {}, {}).operations[0].module == path
