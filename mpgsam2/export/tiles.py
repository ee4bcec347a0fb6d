"""A picture of many small ones, each with a line of words above."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from mpgsam2.export.drawing import side_by_side
from mpgsam2.export.writable import PICTURE_MARK

COLUMNS = 2
PANEL = (192, 144)  # px, width and height into which every panel is fitted
CAPTION = 22  # px, height of the line above the panels


def tile(panels: Sequence[np.ndarray], caption: str) -> np.ndarray:
    """Return the (H, W, 3) uint8 RGB panels beside each other, each made to fit, under a caption."""
    return _captioned(side_by_side([_fitted(panel) for panel in panels]), caption)


def sheet(tiles: Sequence[np.ndarray]) -> np.ndarray:
    """Return the tiles, at least one and all of one size, row by row; (H, W, 3) uint8 RGB."""
    tiles = [*tiles, *[np.full_like(tiles[0], 255)] * (-len(tiles) % COLUMNS)]
    return np.vstack([side_by_side(tiles[row : row + COLUMNS], gap=24) for row in range(0, len(tiles), COLUMNS)])


def write_sheet(path: Path, picture: np.ndarray) -> None:
    """Write a (H, W, 3) uint8 RGB picture as JPEG, whatever the file's name."""
    Image.fromarray(picture).save(path, "JPEG", quality=95, comment=PICTURE_MARK)


def _fitted(panel: np.ndarray) -> np.ndarray:
    """Return the (H, W, 3) panel in the middle of a white one of the sheet's size."""
    height, width = panel.shape[:2]
    scale = min(PANEL[0] / width, PANEL[1] / height)
    panel = cv2.resize(panel, (round(width * scale), round(height * scale)), interpolation=cv2.INTER_AREA)
    left, top = (PANEL[0] - panel.shape[1]) // 2, (PANEL[1] - panel.shape[0]) // 2
    right, bottom = PANEL[0] - panel.shape[1] - left, PANEL[1] - panel.shape[0] - top
    return cv2.copyMakeBorder(panel, top, bottom, left, right, cv2.BORDER_CONSTANT, value=(255, 255, 255))


def _captioned(picture: np.ndarray, caption: str) -> np.ndarray:
    line = np.full((CAPTION, picture.shape[1], 3), 255, np.uint8)
    cv2.putText(line, caption, (2, CAPTION - 7), cv2.FONT_HERSHEY_SIMPLEX, 0.45, (0, 0, 0), 1, cv2.LINE_AA)
    return np.vstack([line, picture])
