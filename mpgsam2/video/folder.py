"""Folders of images: looking one over and reading its frames."""

from __future__ import annotations

from collections.abc import Callable, Generator
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import TypeVar

import numpy as np
from PIL import Image

from mpgsam2.errors import InputError
from mpgsam2.video.containers import shown
from mpgsam2.video.limits import Limits
from mpgsam2.video.order import natural_order
from mpgsam2.video.picture import BROKEN_PICTURE, pixels, upright_size
from mpgsam2.video.probe import Probe
from mpgsam2.video.wording import frames_in_words

FOLDER_RATE = Fraction(24)
"""Frames per second of a folder of images, which states none: DAVIS's own rate."""

IMAGE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff"})

_T = TypeVar("_T")
_FORMATS = ("JPEG", "PNG", "BMP", "WEBP", "TIFF")  # Pillow's


def probe_folder(path: Path, limits: Limits, fps: Fraction, seen: Callable[[int], None]) -> Probe:
    """Look a folder of images over, to its last image.

    Args:
        path: of the folder.
        limits: the largest clip that is taken.
        fps: frames per second.
        seen: called with the number of images seen so far.

    Raises:
        InputError: no images, one that cannot be read, images of several sizes, or beyond one of the limits.
    """
    name, images = shown(path), folder_images(path)
    if not images:
        raise InputError(f"There is no image in the folder “{name}”: put PNG or JPEG frames into it.")
    limits.check_frames(name, len(images))
    limits.check_bytes(name, sum(image.stat().st_size for image in images))
    size = (0, 0)
    for index, image in enumerate(images):
        width, height = _read(image, index, upright_size)
        limits.check_pixels(name, width, height)
        if not index:
            size = width, height
        if (width, height) != size:
            raise InputError(
                f"The images in “{name}” differ in size: “{shown(image)}” is {width} × {height}, those before it "
                f"{size[0]} × {size[1]}; give frames of one size."
            )
        _read(image, index, pixels)
        seen(index + 1)
    return Probe(*size, Fraction(fps), len(images), variable_rate=False)


def folder_images(folder: Path) -> list[Path]:
    """Return the folder's images, in the natural order of their names; hidden files and folders are passed over.

    Raises:
        InputError: the folder cannot be listed, or an image in it is a link to nothing.
    """
    try:
        images = [p for p in folder.iterdir() if p.suffix.lower() in IMAGE_SUFFIXES and p.name[0] != "."]
    except OSError as error:
        raise InputError(f"The folder “{shown(folder)}” cannot be read ({error.strerror}).") from None
    for image in images:
        if not image.exists():
            raise InputError(
                f"The image “{shown(image)}” in “{shown(folder)}” is a link to nothing: put the image there or take "
                "the link out."
            )
    return sorted((p for p in images if p.is_file()), key=lambda p: natural_order(p.name))


def folder_frames(folder: Path, numbers: range) -> Generator[np.ndarray]:
    """Yield the folder's images of those numbers as frames, (H, W, 3) uint8 RGB; the others are not read.

    Raises:
        InputError: an image cannot be read.
    """
    for index, path in islice(enumerate(folder_images(folder)), numbers.start, numbers.stop, numbers.step):
        yield _read(path, index, pixels)


def _read(path: Path, index: int, look: Callable[[Image.Image], _T]) -> _T:
    """Return what a look at an image yields."""
    try:
        with Image.open(path, formats=_FORMATS) as picture:
            return look(picture)
    except BROKEN_PICTURE:
        raise InputError(
            f"The image “{shown(path)}” in “{shown(path.parent)}” cannot be read, only {frames_in_words(index)} before "
            "it: replace it or take it out."
        ) from None
