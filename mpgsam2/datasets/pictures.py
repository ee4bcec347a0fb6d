"""Pictures of data sets and results: frames, masks and id maps."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import numpy as np
from PIL import Image

from mpgsam2.errors import InputError

VOID = 255
"""The id of pixels that no annotator could decide on; they are left out of scores."""

_ORIENTATION = 0x0112  # in EXIF; 1 is upright

_UNREADABLE = (  # what Pillow raises on damaged files
    EOFError,
    Image.DecompressionBombError,
    OSError,
    OverflowError,
    SyntaxError,
    ValueError,
    struct.error,
    zlib.error,
)


def read_frame(path: Path, name: str) -> np.ndarray:
    """Return a frame as (H, W, 3) uint8 RGB; `name` is what a refusal calls it.

    Raises:
        InputError: it is missing or cannot be read.
    """
    with _open(path, name) as picture:
        return np.asarray(_loaded(picture, name).convert("RGB"))


def frame_size(path: Path, name: str) -> tuple[int, int]:
    """Return (H, W) of a picture, of which no more than that is read.

    Raises:
        InputError: it is missing or no picture.
    """
    with _open(path, name) as picture:
        return picture.height, picture.width


def check_as_shown(path: Path, name: str) -> tuple[int, int]:
    """Return (H, W) of a picture whose pixels can be taken as they are stored; only its head is read.

    Raises:
        InputError: it is missing or no picture, has more than 8 bits a colour, or is to be turned before it is shown.
    """
    with _open(path, name) as picture:
        if picture.mode.startswith(("I", "F")):
            raise InputError(f"“{name}” has more than 8 bits a colour: save it with 8.")
        if picture.format == "JPEG" and picture.getexif().get(_ORIENTATION, 1) != 1:
            raise InputError(f"“{name}” is stored otherwise than it is shown (EXIF orientation): save it upright.")
        return picture.height, picture.width


def read_values(source: Path | bytes, name: str) -> np.ndarray:
    """Return the numbers that a PNG holds: (H, W) of a grey or palette one, else (H, W, C).

    Of a palette the indices count, not the colours.

    Args:
        source: the file, or what it holds.
        name: what a refusal calls it.

    Raises:
        InputError: it is missing or cannot be read.
    """
    with _open(io.BytesIO(source) if isinstance(source, bytes) else source, name, formats=["PNG"]) as picture:
        return np.asarray(_loaded(picture, name))


def read_id_map(source: Path | bytes, name: str) -> np.ndarray:
    """Return the object id of every pixel, (H, W) of integers; 0 is the background.

    Raises:
        InputError: the picture is missing, cannot be read, or is in colours without a palette.
    """
    values = read_values(source, name)
    if values.ndim != 2:
        raise InputError(f"“{name}” is in colours: id maps are grey or palette PNGs, whose values are the ids.")
    return values.astype(np.int64)


def read_mask(source: Path | bytes, name: str) -> np.ndarray:
    """Return (H, W) bool: what is not 0, in any of the colours.

    Raises:
        InputError: the picture is missing or cannot be read.
    """
    values = read_values(source, name)
    if values.ndim == 2:
        return values != 0
    colours = 1 if values.shape[2] == 2 else 3  # what follows them is alpha
    return np.any(values[..., :colours], axis=2)


def png(values: np.ndarray, palette: list[int] | None = None) -> bytes:
    """Return a (H, W) uint8 array as a PNG, grey or with a palette; the same array gives the same bytes."""
    picture = Image.fromarray(values)
    if palette:
        picture.putpalette(palette)
    content = io.BytesIO()
    picture.save(content, "PNG")
    return content.getvalue()


def id_palette() -> list[int]:
    """Return PASCAL VOC's colours, in which DAVIS shows ids: bit k of an id is bit 7 - k // 3 of channel k % 3."""
    colours = []
    for number in range(256):
        bits = [number >> k & 1 for k in range(8)]
        colours += [sum(bits[k] << 7 - k // 3 for k in range(channel, 8, 3)) for channel in range(3)]
    return colours


def _open(source: Path | io.BytesIO, name: str, formats: list[str] | None = None) -> Image.Image:
    try:
        return Image.open(source, formats=formats)
    except FileNotFoundError:
        raise InputError(f"“{name}” is missing.") from None
    except _UNREADABLE:
        raise InputError(f"“{name}” is not a {' or '.join(formats or ['picture'])} that can be read.") from None


def _loaded(picture: Image.Image, name: str) -> Image.Image:
    try:
        picture.load()
    except _UNREADABLE:
        raise InputError(f"“{name}” is broken: it cannot be read to its end.") from None
    return picture
