"""The clip that is measured on: four things in motion, and a sentence for each."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np

from mpgsam2.inference.query import Query
from mpgsam2.nano.synthetic.shapes import SHAPES
from mpgsam2.video import Clip, VideoWriter, open_clip

SIDE = 256
"""Of a frame, in pixels."""

_RATE = Fraction(24)
_RADIUS = 28  # px
_HALF_TRAVEL = 40  # px to either side of where a thing begins
_THINGS = (
    ("red", (215, 40, 40), "circle", (70, 70)),
    ("blue", (40, 70, 215), "square", (190, 70)),
    ("yellow", (235, 215, 40), "star", (70, 190)),
    ("green", (40, 160, 60), "triangle", (190, 190)),
)  # colour, RGB, shape, and the (x, y) where it begins


def queries(number: int) -> list[Query]:
    """Return that many different ones, 1 to 4, each of which names something in the clip."""
    return [Query(f"the {colour} {shape}") for colour, _, shape, _ in _THINGS[:number]]


def make_clip(path: Path, frames: int) -> Clip:
    """Write a clip of that many frames, `SIDE` pixels square, and open it."""
    with VideoWriter(path, SIDE, SIDE, _RATE) as writer:
        for index in range(frames):
            writer.write(_frame(index))
    return open_clip(path)


def _frame(index: int) -> np.ndarray:
    """Return (H, W, 3) uint8 RGB."""
    frame = np.full((SIDE, SIDE, 3), 190, np.uint8)
    for number, (_, rgb, shape, begin) in enumerate(_THINGS):
        angle = index / 12 + number
        centre = np.array(begin) + _HALF_TRAVEL * np.array([np.sin(angle), np.cos(angle)]) / 2
        outline = centre + _RADIUS * SHAPES[shape].outline
        cv2.fillPoly(frame, [np.rint(outline).astype(np.int32)], rgb, cv2.LINE_AA)
    return frame
