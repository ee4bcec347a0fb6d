"""Motion blur: what moves while the shutter is open is smeared along its way."""

from __future__ import annotations

import math

import cv2
import numpy as np

MIN_SMEAR = 1.5  # px; what moves less stays as it is


def is_smeared(way: np.ndarray) -> bool:
    """Return whether a way, (2,) px x, y, is long enough to be seen."""
    return math.hypot(*way) > MIN_SMEAR


def smear(picture: np.ndarray, way: np.ndarray) -> np.ndarray:
    """Return an (H, W) or (H, W, C) uint8 picture that moved by `way`, (2,) px x, y, half before now and half after.

    What is beyond the picture's edge is taken to be like the edge. The way must not be (0, 0).
    """
    length = math.hypot(*way)
    reach = math.ceil(length / 2)
    step = np.arange(-reach, reach + 1)
    along = (way[0] * step + way[1] * step[:, None]) / length
    across = (way[1] * step - way[0] * step[:, None]) / length
    line = np.clip(length / 2 + 0.5 - np.abs(along), 0, 1) * np.clip(1 - np.abs(across), 0, 1)
    return cv2.filter2D(picture, -1, line / line.sum(), borderType=cv2.BORDER_REPLICATE)
