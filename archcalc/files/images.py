"""Read an image file as the input of a network (with Pillow), as in published evaluations."""

from __future__ import annotations

import warnings
from importlib import import_module
from typing import Any

import numpy as np

from archcalc.errors import Diagnostic, UsageError
from archcalc.execution.model import Array
from archcalc.execution.weights import Precision
from archcalc.operators.shape import Shape
from archcalc.regular import NotRegularFileError, open_regular
from archcalc.units import printable

_MILLIONS = 100
MOST_PIXELS = _MILLIONS * 10**6  # 300 MB in color
FORMATS = (
    "PNG",
    "JPEG",
    "WEBP",
    "BMP",
    "GIF",
    "TIFF",
    "PPM",
)  # no EPS: Pillow runs a program to read it
RESIZED, CROPPED = 256, 224  # the shorter side is resized to 256 for a crop of 224
MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # ImageNet's red, green, blue in 0..1
PRESETS = {"imagenet": (MEAN, DEVIATION), "none": ((0.0,), (1.0,))}
LARGEST = 1e6  # the largest mean or deviation that is accepted
_MODES = {1: "L", 3: "RGB"}
_DEEP = ("I", "F")  # modes with 16 or 32 bits per channel, which Pillow would clip at 255


def read_image(
    path: str,
    shape: Shape,
    dtype: Precision = "float32",
    mean: str | None = None,
    std: str | None = None,
) -> Array:
    """Return the image as 1 × height × width × channels; the network's input has 3 (color) or 1 (gray).

    The image is resized (bilinear) to cover 256/224 of the height and width, and its center is
    cropped, as in torchvision's evaluation. Values are (value/255 − mean) / std. `mean` and `std` are
    one decimal, or one per channel, or `imagenet` or `none`; the default is `imagenet` for color and
    `none` for gray.

    Raises:
        UsageError: Pillow is missing; the file is damaged or not an image; it has too many pixels;
            the network's input is not an image; mean or std is invalid.
    """
    if shape.rank != 2:
        message = f"an image is a map; the network's input is {shape}"
        raise UsageError(Diagnostic(message, help="an `.npy` file may hold it"))
    height, width, channels = (int(size) for size in shape)
    mode = _MODES.get(channels)
    if mode is None:
        message = f"an image has 1 or 3 channels; the network's input has {channels}"
        raise UsageError(Diagnostic(message, help="an `.npy` file may have any"))
    preset = "imagenet" if channels == 3 else "none"
    shift, scale = _decimals("mean", mean or preset, channels), _decimals("std", std or preset, channels)
    if not scale.all():
        raise UsageError(Diagnostic("`--std` is 0", help="values are divided by it"))
    name = f"`{printable(path)}`"
    pixels = _crop(_decoded(path, name, mode), name, height, width)
    values = pixels.reshape(1, height, width, channels).astype(np.float32) / np.float32(255)
    return ((values - shift) / scale).astype(dtype, copy=False)


def _decimals(option: str, text: str, channels: int) -> Array:
    """Return a value for each channel, from decimals or the name of a preset."""
    preset = PRESETS.get(text)
    try:
        values = preset[option == "std"] if preset else tuple(map(float, text.split(",")))
    except ValueError:
        values = ()
    if len(values) not in (1, channels) or not all(abs(value) <= LARGEST for value in values):
        counted = "1 channel" if channels == 1 else f"{channels} channels"
        wanted = "a decimal" if channels == 1 else "decimals as in 0.485,0.456,0.406, or one for all"
        message = f"`--{option} {printable(text)}` says nothing for {counted}"
        raise UsageError(Diagnostic(message, help=f"{wanted}; or {' or '.join(PRESETS)}"))
    return np.array(values, np.float32)


def _pillow() -> Any:
    try:
        return import_module("PIL.Image")
    except ImportError:
        help = "pip install 'archcalc[images]'"
        raise UsageError(
            Diagnostic("images are read by Pillow, which is not installed", help=help)
        ) from None


def _decoded(path: str, name: str, mode: str) -> Any:
    """Return the file's image, converted to this Pillow mode.

    Raises:
        UsageError: the image cannot be read, or is too large by its header.
    """
    pillow = _pillow()
    too_large = UsageError(f"{name} has more than {_MILLIONS} million pixels")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about sizes that are refused anyway, and odd metadata
            with open_regular(path) as file, pillow.open(file, formats=FORMATS) as image:
                if image.width * image.height > MOST_PIXELS:
                    raise too_large
                if image.mode.startswith(_DEEP):
                    raise UsageError(
                        Diagnostic(f"{name} has more than 8 bits a channel", help="save it with 8")
                    )
                return image.convert(mode)
    except UsageError:
        raise
    except NotRegularFileError as error:
        raise UsageError(f"{name} is {error.strerror}") from None
    except pillow.DecompressionBombError:
        raise too_large from None
    except pillow.UnidentifiedImageError:
        help = f"read are {', '.join(FORMATS)}"
        raise UsageError(Diagnostic(f"{name} is no image", help=help)) from None
    except MemoryError:
        raise UsageError(f"{name} takes more than there is of memory") from None
    except Exception as error:  # a decoder may raise any exception for a hostile file
        reason = printable(getattr(error, "strerror", None) or str(error)) or "it is damaged"
        raise UsageError(f"cannot read {name}: {reason[:1].lower()}{reason[1:]}") from None


def _crop(image: Any, name: str, height: int, width: int) -> Array:
    """Return the center of the resized image, with torchvision's rounding.

    Raises:
        UsageError: the resized image would have too many pixels (it is a very long strip).
    """
    asked = (round(width * RESIZED / CROPPED), round(height * RESIZED / CROPPED))
    deciding = 0 if asked[0] * image.height >= asked[1] * image.width else 1
    resized = [size * asked[deciding] // image.size[deciding] for size in image.size]
    if resized[0] * resized[1] > MOST_PIXELS:
        size = f"{resized[1]}×{resized[0]}"
        raise UsageError(f"{name} would be resized to {size}, more than {_MILLIONS} million pixels")
    left, top = round((resized[0] - width) / 2), round((resized[1] - height) / 2)
    large = image.resize(resized, _pillow().Resampling.BILINEAR)
    return np.asarray(large.crop((left, top, left + width, top + height)))
