"""The figure of a run as a paper prints it: chosen frames from left to right, each one's way to its mask downwards."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from mpgsam2.export.files import unfinished
from mpgsam2.export.lettering import line
from mpgsam2.palette import Colour

COLUMNS = 6
"""Frames at most."""

_TILE_SIDE = 360  # px, the square that a picture fills
_CAPTION_WIDTH = 150  # px, of "frame 3000"
_ROW_NAME_WIDTH = 200  # px
_LINE_HEIGHT = 42  # px
_GAP = 6  # px
_PAPER, _INK = (255, 255, 255), (0, 0, 0)
_DOTS_PER_INCH = 300  # in print


class Strip:
    """Collects the pictures of up to six evenly spaced frames, scaled to the figure's size, and draws them.

    Args:
        frames: of the whole run.
        headings: per query what stands above the figure, and its colour, RGB.
        rows: what each row is called, from top to bottom.
    """

    def __init__(self, frames: int, headings: Sequence[tuple[str, Colour]], rows: Sequence[str]) -> None:
        self._headings, self._rows = headings, rows
        self._chosen = set(np.linspace(0, frames - 1, COLUMNS).round().astype(int).tolist())
        self._columns: dict[int, list[np.ndarray]] = {}

    def wants(self, index: int) -> bool:
        """Return whether the figure shows that frame."""
        return index in self._chosen

    def add(self, index: int, pictures: Sequence[np.ndarray]) -> None:
        """Take in a frame: one picture per row, (H, W, 3) uint8 RGB, all of one size."""
        height, width = pictures[0].shape[:2]
        scale = _TILE_SIDE / max(width, height)
        size = max(1, round(width * scale)), max(1, round(height * scale))
        method = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
        self._columns[index] = [cv2.resize(picture, size, interpolation=method) for picture in pictures]

    def write(self, png: Path, pdf: Path) -> None:
        """Draw the frames that came, as a picture and as a page of its size; without a frame there are no files."""
        if not self._columns:
            return
        figure = Image.fromarray(self._figure())
        with ThreadPoolExecutor() as pool:
            picture = pool.submit(_save, figure.copy(), png, "PNG", compress_level=1)  # Pillow leaves marks on an image
            _save(figure, pdf, "PDF", resolution=_DOTS_PER_INCH, quality=95, title="MPG-SAM 2")
            picture.result()

    def _figure(self) -> np.ndarray:
        height, width = next(iter(self._columns.values()))[0].shape[:2]
        cell, tall = max(width, _CAPTION_WIDTH), max(height, _LINE_HEIGHT)
        columns = {index: _ROW_NAME_WIDTH + column * (cell + _GAP) for column, index in enumerate(self._columns)}
        rows = [len(self._headings) * _LINE_HEIGHT + _GAP + row * (tall + _GAP) for row in range(len(self._rows))]
        across = _ROW_NAME_WIDTH + len(columns) * (cell + _GAP)
        figure = np.full((rows[-1] + tall + _LINE_HEIGHT, across, 3), _PAPER, np.uint8)
        for row, (heading, colour) in enumerate(self._headings):
            figure[row * _LINE_HEIGHT : (row + 1) * _LINE_HEIGHT] = line(
                heading, across, _LINE_HEIGHT, ink=_INK, paper=_PAPER, swatch=colour
            )
        for top, name in zip(rows, self._rows, strict=True):
            middle = top + (tall - _LINE_HEIGHT) // 2
            figure[middle : middle + _LINE_HEIGHT, :_ROW_NAME_WIDTH] = line(
                name, _ROW_NAME_WIDTH, _LINE_HEIGHT, ink=_INK, paper=_PAPER
            )
        for index, left in columns.items():
            for top, picture in zip(rows, self._columns[index], strict=True):
                figure[top : top + height, left : left + width] = picture
            figure[-_LINE_HEIGHT:, left : left + cell] = line(
                f"frame {index + 1}", cell, _LINE_HEIGHT, ink=_INK, paper=_PAPER
            )
        return figure


def _save(figure: Image.Image, path: Path, form: str, **options: object) -> None:
    try:
        figure.save(unfinished(path), form, **options)
        unfinished(path).replace(path)
    finally:
        unfinished(path).unlink(missing_ok=True)
