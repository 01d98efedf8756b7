"""What a disk or a person changed in a sweep's directory is not believed, and is written again."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from support.stores import EXPECTED, PARTS, fresh, rows, show, sweep

from archcalc.cli import commands
from archcalc.errors import ArchError
from archcalc.sweeps.results.manifest import read_document, write_document
from archcalc.sweeps.results.parts import digest_of
from archcalc.sweeps.results.store import open_store

FORMATS = pytest.mark.parametrize("format", ["csv", "parquet"])


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    fresh(monkeypatch)
    return tmp_path


def refused() -> str:
    with pytest.raises(ArchError) as caught:
        show()
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.help == "the same sweep with --resume writes it again"
    return diagnostic.message


def part(number: int, format: str) -> Path:
    return Path(f"out/part-{number:09}.{format}")


def record(number: int) -> Path:
    return Path(f"out/_part-{number:09}.json")


def lines_of(place: Path, change: Callable[[list[str]], list[str]]) -> None:
    place.write_text("".join(change(place.read_text().splitlines(keepends=True))))


DAMAGE = {
    "cut": lambda rows: rows[:-3],
    "doubled": lambda rows: [*rows, rows[-1]],
    "exchanged": lambda rows: [rows[0], rows[2], rows[1], *rows[3:]],
    "renumbered": lambda rows: [rows[0], "199" + rows[1][3:], *rows[2:]],
    "renamed": lambda rows: [rows[0].replace("peak", "paek"), *rows[1:]],
    "short": lambda rows: [rows[0], rows[1].rpartition(",")[0] + "\n", *rows[2:]],
    "empty": lambda rows: [],
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_changed_part(damage: str) -> None:
    sweep("csv")
    lines_of(part(1, "csv"), DAMAGE[damage])
    assert refused() == "part 1 of out is damaged (part-000000001.csv): it is not as it was written"
    assert rows(sweep("csv", resume=True)) == EXPECTED
    show()


@pytest.mark.parametrize("damage", [name for name in DAMAGE if name != "empty"])
def test_a_changed_part_with_a_record_of_its_own(damage: str) -> None:
    """Whoever writes the digest, too, is still held to the counts and to the points of the part."""
    sweep("csv")
    lines_of(part(1, "csv"), DAMAGE[damage])
    write_document(str(record(1)), read_document(str(record(1))) | digest_of(str(part(1, "csv"))))
    why = {
        "cut": "it has other rows than were counted",
        "renamed": "it has no column 'peak'",
        "short": "a row has more or fewer values than there are columns",
    }
    message = refused()
    assert message.startswith("part 1 of out is damaged (part-000000001.csv): ")
    assert message.endswith(why.get(damage, "its points are not in order"))


@FORMATS
def test_values_beyond_those_counted(format: str) -> None:
    """A record of its own: no row has fewer than 10,000 multiplies; the first has 64·(36 + 1)."""
    sweep(format)
    found = read_document(str(record(0)))
    found["spreads"]["multiplies"][0] = 10_000
    write_document(str(record(0)), found)
    assert refused().endswith(f"(part-000000000.{format}): it has other values than were counted")
    assert rows(sweep(format, resume=True)) == EXPECTED


@pytest.mark.parametrize(
    "spreads",
    [None, {}, {"parameters": [0, 1, 1, 1]}, "all 1", "all -1", "all []", "from 2 to 1", "all 1.0"],
)
def test_a_record_without_what_was_counted_of_metrics(spreads: object) -> None:
    sweep("csv")
    found = read_document(str(record(0)))
    told = {"all 1": 1, "all -1": [-1, 1, 1, 1], "all []": [], "from 2 to 1": [2, 1, 1, 1]}
    if isinstance(spreads, str):
        spreads = dict.fromkeys(found["spreads"], told.get(spreads, [1.0] * 4))
    write_document(str(record(0)), found | {"spreads": spreads})
    assert refused().endswith("(part-000000000.csv): its record is none of ours")
    assert rows(sweep("csv", resume=True)) == EXPECTED


@FORMATS
def test_a_part_that_is_gone(format: str) -> None:
    sweep(format)
    part(2, format).unlink()
    assert refused().endswith(f"(part-000000002.{format}): No such file or directory")
    assert rows(sweep(format, resume=True)) == EXPECTED


@FORMATS
def test_a_pipe_instead_of_a_part(format: str) -> None:
    sweep(format)
    part(2, format).unlink()
    os.mkfifo(part(2, format))
    assert refused().endswith(f"(part-000000002.{format}): no regular file")
    assert rows(sweep(format, resume=True)) == EXPECTED


@pytest.mark.parametrize(
    "text", ["{", "[]", "[" * 10**5, '{"rows": 9}', "\x00", '{"rows": 1, "digest": "0"}']
)
def test_a_record_that_is_none(text: str) -> None:
    sweep("csv")
    record(0).write_text(text)
    assert refused().startswith("part 0 of out is damaged (part-000000000.csv): ")
    assert rows(sweep("csv", resume=True)) == EXPECTED


def test_an_edited_record() -> None:
    sweep("csv")
    found = json.loads(record(3).read_text())
    record(3).write_text(json.dumps(found | {"rows": 9}))
    assert refused().endswith("(part-000000003.csv): it is not as it was written")


def test_records_of_parts_that_there_are_not(folder: Path) -> None:
    sweep("csv")
    record(PARTS).write_bytes(record(0).read_bytes())
    (folder / "out/_part-x.json").write_text("{}")
    assert show() == show()


@pytest.mark.parametrize("key", ["space", "drawn", "network", "part"])
def test_an_edited_manifest(key: str) -> None:
    sweep("csv")
    place = Path("out/_manifest.json")
    document = json.loads(place.read_text())
    place.write_text(json.dumps(document | {key: {} if key == "space" else 1}))
    message = "out holds no sweep: its _manifest.json cannot be read: it is not as it was written"
    with pytest.raises(ArchError) as caught:
        open_store("out")
    assert caught.value.diagnostics[0].message == message


def test_pages_have_checksums() -> None:
    """So that other programs notice, too: pyarrow does, where it is asked to."""
    import pyarrow.parquet

    sweep("parquet")
    data = bytearray(part(0, "parquet").read_bytes())
    found = pyarrow.parquet.ParquetFile(part(0, "parquet")).metadata.row_group(0).column(0)
    data[found.data_page_offset + found.total_compressed_size - 2] ^= 1
    part(0, "parquet").write_bytes(data)
    damaged = pyarrow.parquet.ParquetFile(part(0, "parquet"), page_checksum_verification=True)
    with pytest.raises(OSError, match="CRC checksum"):
        damaged.read()


def archcalc(*words: str) -> Result:
    return CliRunner().invoke(commands, words)


@pytest.mark.parametrize("place", ["fifo", "/dev/zero", "/dev/null", "out"])
def test_points_are_a_regular_file(place: str) -> None:
    os.mkfifo("fifo")
    Path("out").mkdir()
    what = "a directory" if place == "out" else "no regular file"
    result = archcalc("sweep", "small.toml", "--points", place)
    assert isinstance(result.exception, ArchError)
    assert str(result.exception) == f"cannot read {place}: {what}"


def test_a_line_without_an_end() -> None:
    Path("points.csv").write_text("a\n" + "1" * 2_000_000)
    result = archcalc("sweep", "small.toml", "--points", "points.csv")
    wanted = "cannot read points.csv: a line of more than 1,048,576 characters"
    assert str(result.exception) == wanted


def test_a_long_field() -> None:
    Path("points.csv").write_text(f"a\n{'1' * 200_000}\n")
    result = archcalc("sweep", "small.toml", "--points", "points.csv")
    assert str(result.exception) == "cannot read points.csv: field larger than field limit (131072)"
