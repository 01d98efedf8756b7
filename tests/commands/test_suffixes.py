"""Numbers with suffixes, and the names flops and macs, wherever a number or a metric is asked for."""

from __future__ import annotations

import csv
import io

import pytest
from click.testing import CliRunner

from archcalc.cli import commands
from archcalc.errors import ArchError
from archcalc.units import parse_count


def rows(*words: str) -> list[dict[str, str]]:
    result = CliRunner().invoke(commands, [*words, "--format", "csv"], catch_exceptions=False)
    assert result.exit_code == 0
    return list(csv.DictReader(io.StringIO(result.stdout)))


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("5k", 5_000),
        ("5K", 5_000),
        ("1.5M", 1_500_000),
        ("1.5 m", 1_500_000),
        ("2G", 2_000_000_000),
        ("2B", 2_000_000_000),
        ("0.001k", 1),
        (".5k", 500),
        ("600,000", 600_000),
    ],
)
def test_counts(text: str, count: int) -> None:
    assert parse_count(text) == parse_count(text, 4) == count


@pytest.mark.parametrize(
    ("text", "count"),
    [("20MB", 20 * 10**6 // 4), ("1.5KiB", 1536 // 4), ("1 gib", 2**30 // 4), ("7kB", 7_000 // 4)],
)
def test_bytes_of_values(text: str, count: int) -> None:
    assert parse_count(text, 4) == count
    with pytest.raises(ArchError, match=f"`{text}` is a size in bytes, no count; write 5000000, 5M"):
        parse_count(text)


@pytest.mark.parametrize("text", ["", "M", "MB", "5X", "5MM", "5kMB", "1.2.3M", "-5", "5e6", "5b5"])
def test_no_counts(text: str) -> None:
    with pytest.raises(ArchError, match="is no count; write 5000000, 5M or"):
        parse_count(text, 4)


def test_list_by_any_name() -> None:
    most = 5_000_000
    small = rows("list", "--max-params", "5M")
    assert small and all(int(row["parameters"]) <= most for row in small)
    assert small == rows("list", "--max-params", "5000k") == rows("list", "--max-params", "20MB")
    light = rows("list", "--max-multiplies", "300M")
    assert light and all(int(row["multiplies"]) <= 300_000_000 for row in light)
    assert light == rows("list", "--max-macs", "0.3G") == rows("list", "--max-flops", "600M")


def test_list_sorts_by_any_name() -> None:
    assert rows("list", "--sort", "params") == rows("list", "--sort", "parameters")
    by_multiplies = rows("list", "--sort", "multiplies")
    assert by_multiplies == rows("list", "--sort", "macs")
    by_flops = rows("list", "--sort", "flops")
    assert [row["name"] for row in by_flops] == [row["name"] for row in by_multiplies]
    assert all(int(row["flops"]) == 2 * int(row["multiplies"]) for row in by_flops)


def test_sweep_by_any_name() -> None:
    sweep = ["sweep", "28x28x192 | conv 16 k3 half", "--vary", "input=8:28:4"]
    # 9 · 192 · 16 products a position: 400 positions and fewer have at most 11.1 M
    found = rows(*sweep, "--where", "multiplies <= 11100000")
    assert [row["input"] for row in found] == [f"{n}x{n}x192" for n in (8, 12, 16, 20)]
    for condition in ("macs <= 11.1M", "flops <= 22.2M", "FLOPs <= 22200k"):
        assert rows(*sweep, "--where", condition) == found
    assert rows(*sweep, "--where", "peak <= 0.4MB") == rows(*sweep, "--where", "peak <= 400KB")
    best = rows(*sweep, "--top", "2", "--by", "multiplies")
    assert (
        best == rows(*sweep, "--top", "2", "--by", "flops") == rows(*sweep, "--top", "2", "--by", "MACs")
    )
    front = rows(*sweep, "--pareto", "multiplies,max:output")
    assert (
        front
        == rows(*sweep, "--pareto", "flops,max:output")
        == rows(*sweep, "--pareto", "macs,max:output")
    )


def test_numbers_of_points_have_suffixes() -> None:
    sweep = ["sweep", "8x8x4 | conv 16 k3 half", "--vary", "input=4:2003"]
    assert len(rows(*sweep, "--sample", "1k")) == 1_000
    assert len(rows(*sweep, "--top", "1.5k")) == 1_500
