"""Animated WebP and PNG files, which Pillow reads: looking one over and reading its frames."""

from __future__ import annotations

from collections.abc import Callable, Generator
from pathlib import Path

import numpy as np
from PIL import Image

from mpgsam2.errors import InputError
from mpgsam2.video.clock import run_on
from mpgsam2.video.containers import shown
from mpgsam2.video.limits import Limits
from mpgsam2.video.picture import BROKEN_PICTURE, pixels
from mpgsam2.video.probe import Probe
from mpgsam2.video.rate import frame_rate
from mpgsam2.video.wording import frames_in_words

_MIN_FRAME_SECONDS = 0.011  # a frame that states less is shown for a tenth, as browsers do
_FORMATS = ("WEBP", "PNG")


def is_animation(path: Path) -> bool:
    """Return whether a file is a WebP or PNG picture, by its first bytes."""
    with path.open("rb") as file:
        head = file.read(12)
    return head.startswith(b"\x89PNG\r\n\x1a\n") or (head.startswith(b"RIFF") and head[8:] == b"WEBP")


def probe_animation(path: Path, limits: Limits, seen: Callable[[int], None]) -> Probe:
    """Look an animation over, to its last frame; see `file.probe_file`.

    Raises:
        InputError: a still picture, damaged, or beyond one of the limits.
    """
    name = shown(path)
    limits.check_pixels(name, *_canvas(path))
    size, lengths = (0, 0), []
    try:
        with Image.open(path, formats=_FORMATS) as picture:
            size, count = picture.size, getattr(picture, "n_frames", 1)
            for index in range(min(count, limits.frames)):
                picture.seek(index)
                picture.load()
                length = float(picture.info.get("duration", 0)) / 1000
                lengths.append(length if length >= _MIN_FRAME_SECONDS else 0.1)
                seen(index + 1)
    except BROKEN_PICTURE:
        raise InputError(
            f"“{name}” is broken part-way: only {frames_in_words(len(lengths))} could be read; export or upload it "
            "again."
        ) from None
    if count < 2:
        raise InputError(f"“{name}” is not a video but a still picture: give a clip or a folder of images.")
    limits.check_frames(name, count)
    stamps = [sum(lengths[:index]) for index in range(len(lengths))]
    times, _ = run_on(stamps, None, broadcast=False)
    fps, variable_rate = frame_rate([], times)
    limits.check_seconds(name, sum(lengths))
    return Probe(*size, fps, len(times), variable_rate, times)


def _canvas(path: Path) -> tuple[int, int]:
    """Return the width and height of an animated WebP or a PNG, read before any room is made for it."""
    with path.open("rb") as file:
        head = file.read(30)
    if head.startswith(b"RIFF"):
        sides = (head[24:27], head[27:30]) if head[12:16] == b"VP8X" else (b"", b"")
        width, height = (int.from_bytes(side, "little") + 1 for side in sides)
    else:
        width, height = (int.from_bytes(side, "big") for side in (head[16:20], head[20:24]))
    return width, height


def animation_frames(path: Path, numbers: range) -> Generator[np.ndarray]:
    """Yield an animation's frames of those numbers, (H, W, 3) uint8 RGB; those after them are not read.

    Each is what the viewer sees by then, put together from the frames before it.
    """
    try:
        with Image.open(path, formats=_FORMATS) as picture:
            for index in range(numbers[-1] + 1 if numbers else 0):
                picture.seek(index)
                picture.load()
                if index in numbers:
                    yield pixels(picture)
    except BROKEN_PICTURE:
        return
