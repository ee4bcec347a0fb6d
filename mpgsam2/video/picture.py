"""One picture of a folder or of an animation, as a viewer shows it."""

from __future__ import annotations

import struct
import zlib

import numpy as np
from PIL import Image, ImageOps

BROKEN_PICTURE = (  # what Pillow raises on damaged files
    EOFError,
    Image.DecompressionBombError,
    MemoryError,
    NotImplementedError,
    OSError,
    OverflowError,
    SyntaxError,
    TypeError,
    ValueError,
    struct.error,
    zlib.error,
)


def upright_size(picture: Image.Image) -> tuple[int, int]:
    """Return the width and height of a picture as it is shown, from its header."""
    turned = picture.getexif().get(0x0112, 1) in (5, 6, 7, 8)  # orientations that lie on their side
    return picture.size[::-1] if turned else picture.size


def pixels(picture: Image.Image) -> np.ndarray:
    """Return a picture's (H, W, 3) uint8 RGB, turned upright; the colours stored under transparency are the picture.

    Raises:
        BROKEN_PICTURE: it is damaged or cut off; no part of it is made up.
    """
    picture.load()
    picture = ImageOps.exif_transpose(picture)
    if picture.mode.startswith("I") or picture.mode == "F":  # grey of 16 or more bits; 8 are enough
        levels = np.asarray(picture, np.float32)
        most = 65535 if picture.mode != "F" else max(1.0, float(np.nanmax(levels, initial=0)))
        grey = np.nan_to_num(levels * (255 / most)).round().clip(0, 255).astype(np.uint8)
        return np.repeat(grey[..., None], 3, axis=2)
    return np.array(picture.convert("RGB"))
