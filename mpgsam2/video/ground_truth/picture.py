"""One mask picture, decoded to numbers of one of a few kinds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from PIL import Image

Kind = Literal["number", "grey", "deep grey", "colour", "cutout", "shade"]

MAX_OBJECTS = 32
"""Objects at most that the numbers or colours of masks tell apart; more are shades of a picture."""

OPAQUE = 1 << 24
"""Added to the colours of a cutout, so that what is transparent alone is 0."""

_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}  # by a PNG's colour type
_PNG = b"\x89PNG\r\n\x1a\n"


@dataclass(frozen=True)
class Picture:
    """The numbers of a mask picture's pixels.

    Attributes:
        kind: "number": of an object, 0 is the ground; "grey": brightness up to 255; "deep grey": up to 65535;
            "colour": 0xRRGGBB; "cutout": the same and `OPAQUE`, or 0 where it is transparent; "shade": the strongest
            channel of a JPEG's colours, which are never flat.
        values: (H, W) integers.
    """

    kind: Kind
    values: np.ndarray


def decoded_bytes(head: bytes, pixels: int) -> int:
    """Return how many bytes a picture of that many pixels decodes to, by the first 26 bytes of its file."""
    if head[:8] != _PNG or len(head) < 26:
        return 3 * pixels
    return pixels * _CHANNELS.get(head[25], 4) * max(1, head[24] // 8)


def decode(picture: Image.Image) -> Picture:
    """Return the numbers of a picture that Pillow has opened; raises what Pillow does if it is damaged."""
    picture.load()
    if picture.mode == "P":
        indices = np.asarray(picture)
        used = np.flatnonzero(np.bincount(indices.ravel()))
        palette = np.array(picture.getpalette("RGB")).reshape(-1, 3)
        if used[-1] < len(palette) and (palette[used] == used[:, None]).all():
            return Picture("grey", indices)  # the palette leaves every grey as it is
        if len(used) <= MAX_OBJECTS + 2:  # and the ground and what is void
            return Picture("number", indices)
        picture = picture.convert("RGB")
    match picture.mode:
        case "1":
            return Picture("number", np.asarray(picture).astype(np.uint8))
        case "L":
            return Picture("grey", np.asarray(picture))
        case "I" | "I;16" | "I;16B" | "I;16L" | "I;16N":
            return Picture("deep grey", np.clip(np.asarray(picture, np.int32), 0, 65535))
        case "LA" | "La" | "PA" | "RGBA" | "RGBa":
            pixels = np.asarray(picture.convert("RGBA"))
            opaque = pixels[..., 3] >= 128
            if not opaque.all():
                return Picture("cutout", np.where(opaque, _packed(pixels) + OPAQUE, 0))
            return Picture("colour", _packed(pixels))
        case _:
            pixels = np.asarray(picture.convert("RGB"))
            if picture.format == "JPEG" and (pixels != pixels[..., :1]).any():
                return Picture("shade", pixels.max(axis=2))
            return Picture("colour", _packed(pixels))


def _packed(pixels: np.ndarray) -> np.ndarray:
    """Pack (H, W, 3 or 4) uint8 RGB into (H, W) int32, 0xRRGGBB."""
    red, green, blue = (pixels[..., channel].astype(np.int32) for channel in range(3))
    return (red << 16) | (green << 8) | blue
