"""Images as inputs: torchvision's arithmetic, any size, and files that nobody should open."""

from __future__ import annotations

import os
import struct
import subprocess
import sys
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from archcalc.errors import UsageError
from archcalc.files.images import DEVIATION, MEAN, read_image
from archcalc.operators.shape import Shape

RNG = np.random.default_rng(0)
COLOR, GRAY = Shape(224, 224, 3), Shape(32, 32, 1)


@pytest.fixture
def pillow() -> Any:
    return pytest.importorskip("PIL.Image", reason="Pillow is an optional extra")


def refused(path: object, shape: Shape = COLOR) -> str:
    """The message, without the folder, and the help after an arrow."""
    with pytest.raises(UsageError) as caught:
        read_image(str(path), shape)
    (found,) = caught.value.diagnostics
    text = f"{found.message} → {found.help}" if found.help else found.message
    return text.replace(f"{os.path.dirname(str(path))}/", "")


def scene(height: int, width: int, channels: int = 3) -> Any:
    """Smooth, so that a resize is no matter of single pixels."""
    y, x = np.mgrid[:height, :width]
    waves = [127 + 120 * np.sin(y / (9 + 3 * c) + x / (13 - 2 * c)) for c in range(channels)]
    return np.stack(waves, -1).astype(np.uint8)


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width: int, height: int, data: bytes = b"", depth: int = 8, color: int = 2) -> bytes:
    head = struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, 0)
    body = chunk(b"IHDR", head) + chunk(b"IDAT", data) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


# ---- values


@pytest.mark.parametrize("suffix", ["png", "jpg", "bmp", "tif", "webp", "gif", "ppm"])
def test_color(tmp_path: Path, pillow: Any, suffix: str) -> None:
    pillow.fromarray(scene(300, 400)).save(tmp_path / f"x.{suffix}")
    found = read_image(str(tmp_path / f"x.{suffix}"), COLOR)
    assert (found.shape, found.dtype) == ((1, 224, 224, 3), np.float32)
    assert abs(found.mean()) < 1


def test_gray(tmp_path: Path, pillow: Any) -> None:
    """0..1, in one channel: 0.299 red + 0.587 green + 0.114 blue."""
    flat = np.zeros((40, 50, 3), np.uint8)
    flat[:] = (255, 0, 100)
    pillow.fromarray(flat).save(tmp_path / "x.png")
    found = read_image(str(tmp_path / "x.png"), GRAY, "float64")
    assert (found.shape, found.dtype) == ((1, 32, 32, 1), np.float64)
    assert found == pytest.approx(0.299 + 0.114 * 100 / 255, abs=1 / 255)


def test_mean_and_deviation(tmp_path: Path, pillow: Any) -> None:
    """One color: (value/255 − mean) / deviation, channel by channel."""
    flat = np.zeros((256, 256, 3), np.uint8)
    flat[:] = (0, 128, 255)
    pillow.fromarray(flat).save(tmp_path / "x.png")
    found = read_image(str(tmp_path / "x.png"), COLOR)
    wanted = [(v / 255 - m) / d for v, m, d in zip((0, 128, 255), MEAN, DEVIATION, strict=True)]
    assert found[0, 0, 0] == pytest.approx(wanted, rel=1e-6)
    assert wanted == pytest.approx([-2.1179, 0.2052, 2.64], abs=1e-4)  # torchvision's well-known range


@pytest.mark.parametrize(
    ("channels", "options", "mean", "std"),
    [
        (3, {}, MEAN, DEVIATION),
        (3, {"mean": "imagenet", "std": "imagenet"}, MEAN, DEVIATION),
        (3, {"mean": "none", "std": "none"}, 0, 1),
        (3, {"mean": "0.5", "std": "0.5"}, 0.5, 0.5),
        (3, {"mean": "0.4914,0.4822,0.4465"}, (0.4914, 0.4822, 0.4465), DEVIATION),
        (1, {}, 0, 1),
        (1, {"mean": "0.1307", "std": "0.3081"}, 0.1307, 0.3081),
        (1, {"mean": "-1", "std": "2e0"}, -1, 2),
    ],
)
def test_another_mean(
    tmp_path: Path, pillow: Any, channels: int, options: dict[str, str], mean: Any, std: Any
) -> None:
    """What is not given keeps its default."""
    pillow.new("RGB", (256, 256), (51, 51, 51)).save(tmp_path / "x.png")
    found = read_image(str(tmp_path / "x.png"), Shape(224, 224, channels), "float64", **options)  # type: ignore[arg-type]
    wanted = np.broadcast_to((51 / 255 - np.array(mean)) / np.array(std), (channels,))
    assert found[0, 100, 100] == pytest.approx(wanted, rel=1e-5)


@pytest.mark.parametrize(
    ("channels", "options", "message"),
    [
        (3, {"mean": "0.5,0.5"}, "`--mean 0.5,0.5` says nothing for 3 channels"),
        (3, {"mean": "imagnet"}, "`--mean imagnet` says nothing for 3 channels"),
        (3, {"std": "1,2,nan"}, "`--std 1,2,nan` says nothing for 3 channels"),
        (3, {"std": "1,2,1e999"}, "`--std 1,2,1e999` says nothing for 3 channels"),
        (1, {"mean": "imagenet"}, "`--mean imagenet` says nothing for 1 channel"),
        (1, {"mean": "1," * 10**5}, "says nothing for 1 channel"),
        (3, {"std": "1,0,1"}, "`--std` is 0"),
        (3, {"std": "1,1e-60,1"}, "`--std` is 0"),
    ],
)
def test_no_mean(
    tmp_path: Path, pillow: Any, channels: int, options: dict[str, str], message: str
) -> None:
    pillow.new("RGB", (256, 256)).save(tmp_path / "x.png")
    with pytest.raises(UsageError) as caught:
        read_image(str(tmp_path / "x.png"), Shape(224, 224, channels), "float32", **options)  # type: ignore[arg-type]
    assert message in str(caught.value) and len(str(caught.value)) < 300


@pytest.mark.parametrize("size", [(256, 256), (300, 500), (700, 400), (1000, 257), (100, 90), (1, 1)])
@pytest.mark.parametrize("shape", [COLOR, Shape(299, 299, 3), Shape(32, 32, 1)])
def test_resize_and_crop_as_torchvision(
    tmp_path: Path, pillow: Any, size: tuple[int, int], shape: Shape
) -> None:
    """Its two steps: the shorter side to 256/224, the longer cut off; the middle, rounded."""
    mode = "RGB" if shape.channels == 3 else "L"
    image = pillow.fromarray(scene(*size))
    image.save(tmp_path / "x.png")
    image = image.convert(mode)
    short = round(int(shape.height) * 256 / 224)
    width, height = image.size
    if width <= height:
        image = image.resize((short, int(short * height / width)), pillow.Resampling.BILINEAR)
    else:
        image = image.resize((int(short * width / height), short), pillow.Resampling.BILINEAR)
    left = round((image.width - int(shape.width)) / 2.0)
    top = round((image.height - int(shape.height)) / 2.0)
    cropped = image.crop((left, top, left + int(shape.width), top + int(shape.height)))
    values = np.asarray(cropped).reshape(1, *map(int, shape)) / 255
    if mode == "RGB":
        values = (values - MEAN) / DEVIATION
    assert np.abs(read_image(str(tmp_path / "x.png"), shape) - values).max() < 1e-6


@pytest.mark.parametrize(("height", "width"), [(96, 320), (320, 96), (1, 1), (500, 500)])
def test_inputs_that_are_not_square(tmp_path: Path, pillow: Any, height: int, width: int) -> None:
    """The middle of the image comes to the middle of the input, unstretched: a disk stays one."""
    y, x = np.mgrid[:400, :600]
    disk = ((y - 199.5) ** 2 + (x - 299.5) ** 2 < 40**2).astype(np.uint8) * 255
    pillow.fromarray(disk).save(tmp_path / "x.png")
    found = read_image(str(tmp_path / "x.png"), Shape(height, width, 1))[0, :, :, 0] > 0.5
    assert found.shape == (height, width)
    if min(height, width) > 90:
        assert found[height // 2, width // 2]
        assert abs(int(found.any(1).sum()) - int(found.any(0).sum())) <= 1


@pytest.mark.parametrize("mode", ["1", "L", "P", "LA", "RGBA", "CMYK", "YCbCr"])
def test_every_mode_of_8_bits(tmp_path: Path, pillow: Any, mode: str) -> None:
    name = tmp_path / ("x.tif" if mode in ("CMYK", "YCbCr") else "x.png")
    pillow.fromarray(scene(60, 60)).convert(mode).save(name)
    for channels in (1, 3):
        assert np.isfinite(read_image(str(name), Shape(32, 32, channels))).all()


# ---- refusals


def test_inputs_that_are_no_images() -> None:
    assert refused("x.png", Shape(28, 28, 192)).endswith(
        "an image has 1 or 3 channels; the network's input has 192 → an `.npy` file may have any"
    )


def test_without_pillow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "PIL", None)
    monkeypatch.setitem(sys.modules, "PIL.Image", None)
    (tmp_path / "x.png").write_bytes(png(1, 1))
    assert refused(tmp_path / "x.png") == (
        "images are read by Pillow, which is not installed → pip install 'archcalc[images]'"
    )


def test_pillow_loads_only_where_it_is_used() -> None:
    code = "import sys, archcalc.files.images; print([m for m in sys.modules if m.startswith('PIL')])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


LIMITED = """
import resource, sys
import PIL.Image
from archcalc.errors import UsageError
from archcalc.files.images import read_image
from archcalc.operators.model import Shape
PIL.Image.init()
size = int(open("/proc/self/statm").read().split()[0]) * 4096 + (64 << 20)
resource.setrlimit(resource.RLIMIT_AS, (size, size))
try:
    print(read_image(sys.argv[1], Shape(224, 224, 3)).nbytes >> 20, "MB")
except UsageError as error:
    print(str(error).replace(sys.argv[1], "F"))
"""


def limited(path: Path) -> str:
    """What a process says that may take 64 MiB more than it has."""
    words = [sys.executable, "-c", LIMITED, str(path)]
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout.strip()


@pytest.mark.parametrize(
    ("width", "height"), [(40_000, 25_000), (2**31 - 1, 2**31 - 1), (10**9, 1), (10_001, 10_000)]
)
def test_a_billion_pixels(tmp_path: Path, pillow: Any, width: int, height: int) -> None:
    """Refused by the header, before a byte of them is unpacked."""
    (tmp_path / "x.png").write_bytes(png(width, height, zlib.compress(bytes(10**6))))
    assert limited(tmp_path / "x.png") == "`F` has more than 100 million pixels"


def test_a_strip_that_would_be_huge(tmp_path: Path, pillow: Any) -> None:
    """1 × 60,000 pixels are 12 GB when they are 256 high."""
    pillow.new("RGB", (60_000, 1), (9, 9, 9)).save(tmp_path / "x.png")
    wanted = "`F` would be resized to 256×15360000, more than 100 million pixels"
    assert limited(tmp_path / "x.png") == wanted


def test_a_large_one_below_the_limit_and_too_little_memory(tmp_path: Path, pillow: Any) -> None:
    (tmp_path / "x.png").write_bytes(png(9000, 9000, zlib.compress(bytes(10**6))))
    assert limited(tmp_path / "x.png") == "`F` takes more than there is of memory"


def test_no_warning_reaches_the_screen(
    tmp_path: Path, pillow: Any, recwarn: pytest.WarningsRecorder
) -> None:
    (tmp_path / "x.png").write_bytes(png(10_000, 9_999, b""))
    assert refused(tmp_path / "x.png").startswith("cannot read `x.png`: ")
    assert not recwarn.list


@pytest.mark.parametrize("mode", ["I;16", "I", "F"])
def test_deep_channels(tmp_path: Path, pillow: Any, mode: str) -> None:
    """Pillow would make white of all that is above 255."""
    kind = {"I;16": np.uint16, "I": np.int32, "F": np.float32}[mode]
    pillow.fromarray((scene(40, 40, 1)[..., 0] * 200).astype(kind)).save(tmp_path / "x.tif")
    assert refused(tmp_path / "x.tif") == "`x.tif` has more than 8 bits a channel → save it with 8"


def test_damaged_images(tmp_path: Path, pillow: Any) -> None:
    path = tmp_path / "x.png"
    eps = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\nshowpage\n"
    known = "read are PNG, JPEG, WEBP, BMP, GIF, TIFF, PPM"
    for content in (b"", b"no image", b"\x89PNG\r\n\x1a\n", eps):
        path.write_bytes(content)
        assert refused(path) == f"`x.png` is no image → {known}"
    pillow.fromarray(RNG.integers(0, 255, (300, 300, 3), np.uint8)).save(path)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    assert refused(path).startswith("cannot read `x.png`: image file is truncated")
    path.write_bytes(png(10, 10, zlib.compress(bytes(12))))
    assert refused(path).startswith("cannot read `x.png`: ")
    path.write_bytes(whole.replace(b"IHDR", b"IHDX", 1))
    assert refused(path) == f"`x.png` is no image → {known}"


def test_images_with_any_byte_wrong(tmp_path: Path, pillow: Any) -> None:
    for suffix in ("png", "jpg", "gif", "tif", "bmp", "webp", "ppm"):
        path = tmp_path / f"x.{suffix}"
        pillow.fromarray(scene(30, 40)).save(path)
        whole = path.read_bytes()
        for _ in range(60):
            content = bytearray(whole)
            for at in RNG.integers(0, min(len(content), 400), 3):
                content[at] = RNG.integers(0, 256)
            path.write_bytes(content)
            try:
                assert np.isfinite(read_image(str(path), Shape(16, 16, 3))).all()
            except UsageError as error:
                assert str(error).isprintable() and len(str(error)) < 500


def test_what_is_no_file(tmp_path: Path, pillow: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    assert refused(tmp_path / "x.png") == "cannot read `x.png`: no such file or directory"
    (tmp_path / "d.png").mkdir()
    assert refused(tmp_path / "d.png") == "`d.png` is a directory"
    os.mkfifo(tmp_path / "p.png")
    assert refused(tmp_path / "p.png") == "`p.png` is no regular file"
    assert refused(f"{tmp_path}/\0.png") == "cannot read `\\x00.png`: embedded null byte"
    assert refused(f"{tmp_path}/\x1b[2J.png") == "cannot read `\\x1b[2J.png`: no such file or directory"
    (tmp_path / "x.png").write_bytes(png(1, 1))

    def deny(*arguments: Any, **options: Any) -> Any:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("builtins.open", deny)
    assert refused(tmp_path / "x.png") == "cannot read `x.png`: permission denied"
