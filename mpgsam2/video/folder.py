"""Folders of images: looking one over and reading its frames."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import islice
from pathlib import Path

import cv2
import numpy as np

from mpgsam2.errors import InputError
from mpgsam2.video.limits import Limits
from mpgsam2.video.order import natural_order
from mpgsam2.video.probe import Probe
from mpgsam2.video.wording import frames_in_words

FOLDER_RATE = Fraction(24)
"""Frames per second of a folder of images, which states none: DAVIS's own rate."""

IMAGE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".webp"})


def probe_folder(path: Path, limits: Limits, fps: Fraction) -> Probe:
    """Looks a folder of images over, to its last image.

    Raises:
        InputError: no images, one that cannot be read, images of several sizes, or beyond one of the limits.
    """
    images = folder_images(path)
    if not images:
        raise InputError(f"There is no image in the folder “{path.name}”: put PNG or JPEG frames into it.")
    limits.check_frames(path.name, len(images))
    limits.check_bytes(path.name, sum(image.stat().st_size for image in images))
    height = width = 0
    for index, frame in enumerate(folder_frames(path, range(len(images)))):
        if index == 0:
            height, width = frame.shape[:2]
            limits.check_pixels(path.name, width, height)
        if frame.shape[:2] != (height, width):
            raise InputError(
                f"The images in “{path.name}” differ in size: “{images[index].name}” is {frame.shape[1]} × "
                f"{frame.shape[0]}, those before it {width} × {height}; give frames of one size."
            )
    return Probe(width, height, Fraction(fps), len(images), variable_rate=False)


def folder_images(folder: Path) -> list[Path]:
    """The folder's images, in the natural order of their names; hidden files are passed over."""
    images = [p for p in folder.iterdir() if p.suffix.lower() in IMAGE_SUFFIXES and p.name[0] != "." and p.is_file()]
    return sorted(images, key=lambda p: natural_order(p.name))


def folder_frames(folder: Path, numbers: range) -> Iterator[np.ndarray]:
    """Yields the folder's images of those numbers as frames, (H, W, 3) uint8 RGB; the others are not read.

    Raises:
        InputError: an image cannot be read.
    """
    for index, path in islice(enumerate(folder_images(folder)), numbers.start, numbers.stop, numbers.step):
        frame = cv2.imread(str(path), cv2.IMREAD_COLOR)
        if frame is None:
            raise InputError(
                f"The image “{path.name}” in “{folder.name}” cannot be read, only {frames_in_words(index)} before it: "
                "replace it or take it out."
            )
        yield cv2.cvtColor(frame, cv2.COLOR_BGR2RGB)
