"""Activation maps as PNG grids: the pixels, read back by hand, and names that lead nowhere."""

from __future__ import annotations

import os
import stat
import struct
import subprocess
import sys
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from archcalc.errors import UsageError
from archcalc.files.maps import LONGEST_NAME, file_names, prepare, safe_name, write_grid

RNG = np.random.default_rng(0)


def pixels(path: str) -> Any:
    """A gray PNG without filters, read from its definition."""
    content = Path(path).read_bytes()
    assert content[:8] == b"\x89PNG\r\n\x1a\n"
    at, kinds, data = 8, [], b""
    while at < len(content):
        (length,) = struct.unpack(">I", content[at : at + 4])
        kind, body = content[at + 4 : at + 8], content[at + 8 : at + 8 + length]
        assert struct.unpack(">I", content[at + 8 + length : at + 12 + length])[0] == zlib.crc32(
            kind + body
        )
        kinds.append(kind)
        data += body if kind == b"IDAT" else b""
        at += 12 + length
    assert (kinds[0], kinds[-1]) == (b"IHDR", b"IEND")
    width, height, *rest = struct.unpack(">IIBBBBB", content[16:29])
    assert rest == [8, 0, 0, 0, 0]
    lines = np.frombuffer(zlib.decompress(data), np.uint8).reshape(height, width + 1)
    assert not lines[:, 0].any()
    return lines[:, 1:]


def test_maps_side_by_side(tmp_path: Path) -> None:
    """Five maps of 40×50: three in a row, two rows, a black line between them."""
    array = RNG.standard_normal((40, 50, 5)).astype(np.float32)
    found = pixels(write_grid(array, str(tmp_path), "conv"))
    assert found.shape == (2 * 40 + 1, 3 * 50 + 2)
    for channel in range(5):
        top, left = channel // 3 * 41, channel % 3 * 51
        values = array[..., channel]
        wanted = (values - values.min()) / (values.max() - values.min()) * 255
        assert np.abs(found[top : top + 40, left : left + 50] - wanted).max() <= 0.51
    assert not found[40].any() and not found[:, 50].any() and not found[41:, 102:].any()


def test_the_picture_is_one_for_others(tmp_path: Path) -> None:
    pillow = pytest.importorskip("PIL.Image", reason="Pillow reads the picture back")
    path = write_grid(RNG.random((14, 15, 300)), str(tmp_path), "conv")
    with pillow.open(path) as image:
        assert image.mode == "L"
        assert np.array_equal(np.asarray(image), pixels(path))


def test_small_maps_are_enlarged(tmp_path: Path) -> None:
    """7×7 by a factor of 4; 256 channels of 300, 16 in a row."""
    array = RNG.random((7, 7, 300))
    found = pixels(write_grid(array, str(tmp_path), "conv"))
    assert found.shape == (16 * 28 + 15, 16 * 28 + 15)
    corner = found[:28, :28]
    assert np.array_equal(corner, corner[::4, ::4].repeat(4, 0).repeat(4, 1))
    last = array[..., 255]
    assert found[-28, -28] == round(255 * (last[0, 0] - last.min()) / (last.max() - last.min()))


def test_a_vector_is_one_map(tmp_path: Path) -> None:
    """1,000 values in 32 columns; the 24 behind them are black."""
    found = pixels(write_grid(np.arange(1000.0).reshape(1, 1, 1000), str(tmp_path), "linear"))
    assert found.shape == (32, 32)
    assert np.array_equal(found.ravel()[:1000], np.rint(np.arange(1000) / 999 * 255))
    assert not found.ravel()[1000:].any()


def test_a_sequence_is_columns(tmp_path: Path) -> None:
    assert pixels(write_grid(RNG.random((197, 1, 9)), str(tmp_path), "ln")).shape == (3 * 198 - 1, 5)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    ("values", "wanted"),
    [
        ([3, 3, 3, 3], [0, 0, 0, 0]),
        ([-4, 0, 0, 4], [0, 128, 128, 255]),
        ([np.nan, 1, 2, 3], [0, 0, 128, 255]),
        ([np.nan] * 4, [0, 0, 0, 0]),
        ([-np.inf, 1, 2, np.inf], [0, 0, 255, 255]),
        ([np.inf, 5, 5, 5], [255, 0, 0, 0]),
        ([3e38, -3e38, 0, 0], [255, 0, 128, 128]),
    ],
)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_scaling(tmp_path: Path, values: list[float], wanted: list[int], dtype: str) -> None:
    found = pixels(write_grid(np.array(values, dtype).reshape(2, 2, 1), str(tmp_path), "x"))
    assert found[::16, ::16].ravel().tolist() == wanted


@pytest.mark.filterwarnings("error")
def test_the_largest_doubles(tmp_path: Path) -> None:
    found = pixels(write_grid(np.array([1.7e308, -1.7e308]).reshape(2, 1, 1), str(tmp_path), "x"))
    assert found[::16, 0].tolist() == [255, 0]


# ---- names


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("conv", "conv"),
        ("stage1/basic2/main/conv", "stage1-basic2-main-conv"),
        ("3a/5x5/conv", "3a-5x5-conv"),
        ("../../x", "x"),
        ("/etc/passwd", "etc-passwd"),
        ("..", "layer"),
        ("", "layer"),
        ("///", "layer"),
        (".hidden", "hidden"),
        ("-rf", "rf"),
        ('a\\b:c*d?e"f<g>h|i', "a_b_c_d_e_f_g_h_i"),
        ("a\0b\nc\x1b[2Jd", "a_b_c__2Jd"),
        ("schön \u202eabc", "sch_n__abc"),
        ("x" * 5000, "x" * 100),
        ("." * 5000 + "x", "layer"),
        ("a." * 2500, ("a." * 50)[:-1]),
    ],
)
def test_names_are_made_safe(tmp_path: Path, path: str, name: str) -> None:
    assert safe_name(path) == name
    folder = tmp_path / "maps"
    folder.mkdir()
    found = write_grid(np.zeros((2, 2, 1)), str(folder), file_names([path])[path])
    assert os.listdir(tmp_path) == ["maps"]
    assert os.listdir(folder) == [f"{name}.png"]
    assert found == str(folder / f"{name}.png")


def test_collisions_get_a_number() -> None:
    paths = ["a/b", "a-b", "A/b", "a-b-2", "x" * 200, "x" * 201]
    long = "x" * LONGEST_NAME
    names = ["a-b", "a-b-2", "A-b-2", "a-b-2-2", long, f"{long}-2"]
    names[2] = "A-b-3"  # some file systems do not tell capitals apart
    assert list(file_names(paths).items()) == list(zip(paths, names, strict=True))


def test_an_earlier_picture_is_replaced(tmp_path: Path) -> None:
    first, again = (write_grid(np.full((1, side, 1), 1.0), str(tmp_path), "x") for side in (2, 40))
    assert first == again
    assert os.listdir(tmp_path) == ["x.png"]
    assert pixels(again).shape == (1, 40)


def test_links_are_not_followed(tmp_path: Path) -> None:
    folder, target = tmp_path / "maps", tmp_path / "precious"
    folder.mkdir()
    target.write_text("precious")
    (folder / "conv.png").symlink_to(target)
    path = write_grid(np.zeros((1, 2, 1)), str(folder), "conv")
    assert not os.path.islink(path)
    assert target.read_text() == "precious"


# ---- refusals


def refused(call: Any, *arguments: Any) -> str:
    with pytest.raises(UsageError) as caught:
        call(*arguments)
    (found,) = caught.value.diagnostics
    assert not found.help
    return found.message


def test_folders_are_made_and_tried_before(tmp_path: Path) -> None:
    prepare(str(tmp_path / "a" / "b"))
    assert os.listdir(tmp_path / "a" / "b") == []
    prepare(str(tmp_path / "a" / "b"))
    file = tmp_path / "file"
    file.touch()
    assert refused(prepare, str(file)) == f"cannot write maps to `{file}`: file exists"
    assert refused(prepare, str(file / "x")) == f"cannot write maps to `{file}/x`: not a directory"
    assert (
        refused(prepare, "/proc/maps") == "cannot write maps to `/proc/maps`: no such file or directory"
    )
    assert refused(prepare, "a\0b") == "cannot write maps to `a\\x00b`: embedded null byte"
    assert refused(prepare, "") == "cannot write maps to ``: no such file or directory"


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is forbidden to root")
def test_a_folder_that_is_read_only(tmp_path: Path) -> None:
    tmp_path.chmod(stat.S_IRUSR | stat.S_IXUSR)
    assert refused(prepare, str(tmp_path)) == f"cannot write maps to `{tmp_path}`: permission denied"


def test_a_folder_that_is_gone(tmp_path: Path) -> None:
    folder = str(tmp_path / "gone")
    message = refused(write_grid, np.zeros((2, 2, 1)), folder, "x")
    assert message == f"cannot write maps to `{folder}`: no such file or directory"


FULL = """
import resource, signal, sys
import numpy as np
from archcalc.errors import UsageError
from archcalc.files.maps import write_grid
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))
try:
    write_grid(np.random.default_rng(0).random((300, 300, 4)), sys.argv[1], "x")
except UsageError as error:
    print(error)
"""


def test_a_disk_that_is_full(tmp_path: Path) -> None:
    """One error, and no half of a file."""
    words = [sys.executable, "-c", FULL, str(tmp_path)]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    assert done.stdout == f"cannot write maps to `{tmp_path}`: file too large\n"
    assert os.listdir(tmp_path) == []


PEAK = """
import sys, tracemalloc
import numpy as np
from archcalc.files.maps import write_grid
array = np.random.default_rng(0).random((250, 250, 256), np.float32)
tracemalloc.start()
write_grid(array, sys.argv[1], "x")
print(tracemalloc.get_traced_memory()[1])
"""


def test_memory_is_a_row_of_maps(tmp_path: Path) -> None:
    """A picture of 16 MB, of which 16 maps are held at a time: 1 MB, and one map in float64."""
    done = subprocess.run(
        [sys.executable, "-c", PEAK, str(tmp_path)], capture_output=True, text=True, check=True
    )
    assert int(done.stdout) < 5 << 20
