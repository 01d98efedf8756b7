"""The roofline by arithmetic: FLOPs, bytes that a layer moves, and the slower of both."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from archcalc.analysis.devices import devices
from archcalc.cli import commands
from archcalc.errors import ArchError
from archcalc.formats import BITS
from archcalc.views.diagnostics import render

RATES = ("--flops-per-s", "4T", "--bytes-per-s", "50G")


def invoke(*words: str) -> Result:
    return CliRunner().invoke(commands, ["show", *words], env={"COLUMNS": "80"}, catch_exceptions=False)


def roofline(*words: str) -> dict[str, Any]:
    (network,) = json.loads(invoke(*words, "--roofline", "--format", "json").stdout)["networks"]
    found: dict[str, Any] = network["roofline"]
    return found


def layers(*words: str) -> dict[str, tuple[int, int, int, int]]:
    found = roofline(*words, *RATES)["layers"]
    return {x["path"]: (x["flops"], x["read"], x["written"], x["weights"]) for x in found}


def written(text: str, folder: Path) -> str:
    path = folder / "net.toml"
    path.write_text(text)
    return str(path)


def test_a_chain(tmp_path: Path) -> None:
    """The relu overwrites what the conv wrote; the batch norm too, but reads its 4 numbers a channel."""
    net = written('input = "8x8x3"\nlayers = ["conv 16 k3 half | bn | relu | maxpool 2"]\n', tmp_path)
    assert layers(net) == {
        "input": (0, 0, 0, 0),
        "conv": (2 * 64 * 16 * 27, 4 * 64 * 3, 4 * 64 * 16, 4 * (27 * 16 + 16)),
        "bn": (0, 0, 0, 4 * 4 * 16),
        "relu": (0, 0, 0, 0),
        "maxpool": (0, 4 * 64 * 16, 4 * 16 * 16, 0),
    }


def test_what_another_reads_is_not_overwritten(tmp_path: Path) -> None:
    """The relu's input is read again by the sum, which then overwrites one and reads the other."""
    net = written('input = "4x4x8"\nlayers = ["a = conv 8", "relu | conv 8 | add @a"]\n', tmp_path)
    found = layers(net)
    map = 4 * 16 * 8
    assert found["relu"] == (0, map, map, 0)
    assert found["add"] == (0, map, 0, 0)


def test_views_and_vectors(tmp_path: Path) -> None:
    """`flatten` moves nothing, and the dense layer reads the map."""
    net = written('input = "4x4x8"\nlayers = ["conv 8 | flatten | linear 10"]\n', tmp_path)
    found = layers(net)
    assert found["flatten"] == (0, 0, 0, 0)
    assert found["linear"] == (2 * 128 * 10, 4 * 128, 4 * 10, 4 * (128 * 10 + 10))


def test_types_and_a_batch(tmp_path: Path) -> None:
    """Weights of half a byte once, activations of two bytes for each of 3 images."""
    net = written('input = "4x4x8"\nlayers = ["conv 8 nobias"]\n', tmp_path)
    found = layers(net, "--dtype", "int4xfloat16", "--batch", "3")
    assert found["conv"] == (3 * 2 * 16 * 64, 3 * 2 * 128, 3 * 2 * 128, 32)


def test_a_table_gives_the_rows_that_are_looked_up(tmp_path: Path) -> None:
    """5 of 1,000 rows, and 5 of 64 places; the head tied to the table reads all of it."""
    layers_ = '["t = embedding 1000 6", "posembed places=64 | relu", "unembed @t"]'
    found = layers(written(f'input = "5x1"\nlayers = {layers_}\n', tmp_path))
    assert found["t"] == (0, 4 * 5, 4 * 30, 4 * 30)
    assert found["posembed"] == (0, 0, 0, 4 * 30)
    assert found["unembed"] == (2 * 5 * 6 * 1000, 4 * 30, 4 * 5000, 4 * 6000)


def test_the_slower_of_both(tmp_path: Path) -> None:
    """At 1,000 FLOPs and 10 bytes a second: 100 FLOPs a byte are the border."""
    net = written('input = "4x4x8"\nlayers = ["conv 8 nobias | gap"]\n', tmp_path)
    found = roofline(net, "--flops-per-s", "1000", "--bytes-per-s", "10")
    conv, gap = found["layers"][1:]
    moved = 4 * (128 + 128 + 64)
    assert (conv["bound"], conv["seconds"]) == ("memory", moved / 10)
    assert conv["intensity"] == 2 * 16 * 64 / moved
    assert (gap["bound"], gap["seconds"]) == ("memory", 4 * (128 + 8) / 10)
    assert found["seconds"] == moved / 10 + 4 * 136 / 10
    fast = roofline(net, "--flops-per-s", "1000", "--bytes-per-s", "10k")
    assert (fast["layers"][1]["bound"], fast["layers"][1]["seconds"]) == ("compute", 2.048)
    assert fast["seconds"] == pytest.approx(2.048 + 4 * 136 / 10_000)


def test_the_formats_agree() -> None:
    found = roofline("resnet18", *RATES)
    text = invoke("resnet18", "--roofline", *RATES, "--format", "csv").stdout
    rows = [row for row in csv.DictReader(io.StringIO(text)) if row["layer"] != "total"]
    assert sum(int(row["flops"]) for row in rows) == found["flops"] == 2 * 1_814_073_344
    moved = found["read"] + found["written"] + found["weights"]
    assert sum(int(row["bytes"]) for row in rows) == moved
    assert sum(float(row["seconds"]) for row in rows) == pytest.approx(found["seconds"])
    for format in ("table", "md"):
        assert (
            "a bound, no measurement"
            in invoke("resnet18", "--roofline", *RATES, "--format", format).stdout
        )


def test_every_device_has_its_source() -> None:
    for name, device in devices().items():
        assert device.source.startswith("https://"), name
        assert set(device.flops_per_s) <= set(BITS) and device.bytes_per_s > 0
        found = roofline("lenet5", "--device", name)
        assert found["flops_per_s"] == device.flops_per_s["float32"]
        assert (
            device.source.split()[0].rstrip(";")
            in invoke("lenet5", "--roofline", "--device", name).stdout
        )


def test_a_rate_wins_over_that_of_the_device() -> None:
    found = roofline("lenet5", "--device", "t4", "--bytes-per-s", "1GB")
    assert (found["flops_per_s"], found["bytes_per_s"]) == (8_140_000_000_000, 10**9)


REFUSED = [
    ("--roofline", "a roofline: how fast is the device?", "--flops-per-s 4T --bytes-per-s 50G"),
    ("--roofline --flops-per-s 4T", "a roofline: how fast is the device?", "or --device: h100"),
    ("--roofline --device t44", "no device is called `t44`", "did you mean `t4`?"),
    ("--roofline --device a100", "no device is called `a100`", "devices: a100-40gb, a100-80gb"),
    ("--roofline --device v100 --dtype int8", "has no rate of int8", "--dtype float32, float16"),
    ("--device t4", "--device counts with --roofline only", "add --roofline"),
    ("--bytes-per-s 5G", "--bytes-per-s counts with --roofline only", "add --roofline"),
    ("--roofline --bytes-per-s lots", "`lots` is no number of bytes", "write 8GiB, 500MB or 50G"),
]


@pytest.mark.parametrize(("line", "message", "help"), REFUSED)
def test_refusals(line: str, message: str, help: str) -> None:
    with pytest.raises(ArchError) as caught:
        invoke("lenet5", *line.split())
    text = render(caught.value)
    assert caught.value.exit_code == 2
    assert message in text and help in text, text


def test_the_spec_keeps_its_own_names(tmp_path: Path) -> None:
    text = 'input = "8x8x3"\nlayers = ["conv {device}"]\n[vars]\ndevice = 4\n'
    shown = json.loads(invoke(written(text, tmp_path), "--device", "6", "--format", "json").stdout)
    assert shown["networks"][0]["total"]["multiplies"] == 8 * 8 * 3 * 6
