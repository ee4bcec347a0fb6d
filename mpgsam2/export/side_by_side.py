"""The video that shows a run at a glance: prior, masks and overlay next to each other, one row per query."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from mpgsam2.export.lettering import line
from mpgsam2.palette import Colour
from mpgsam2.video import Clip, VideoWriter

TITLES = ("Mask prior", "Per-frame masks", "Final overlay")

_PANE_SIDE = 640  # px, the square into which a picture is fitted; none is enlarged
_TITLE_WIDTH = 160  # px
_LINE_HEIGHT = 28  # px
_GAP = 6  # px
_PAPER, _INK = (24, 24, 24), (235, 235, 235)


class SideBySide:
    """Writes the video frame by frame.

    A context manager: leaving the block finishes the video, or removes it if the block raises.

    Args:
        path: the mp4.
        clip: of the run; large frames are scaled down.
        headings: per query what stands above its row, and its colour, RGB.
    """

    def __init__(self, path: Path, clip: Clip, headings: Sequence[tuple[str, Colour]]) -> None:
        scale = min(1, _PANE_SIDE / max(clip.width, clip.height))
        self._size = max(1, round(clip.width * scale)), max(1, round(clip.height * scale))
        cell = max(self._size[0], _TITLE_WIDTH)
        self._columns = [_GAP + (cell + _GAP) * column + (cell - self._size[0]) // 2 for column in range(len(TITLES))]
        self._rows = [
            _LINE_HEIGHT + (_LINE_HEIGHT + self._size[1] + _GAP) * row + _LINE_HEIGHT for row in range(len(headings))
        ]
        across = _GAP + (cell + _GAP) * len(TITLES)
        self._picture = np.full((self._rows[-1] + self._size[1] + _GAP, across, 3), _PAPER, np.uint8)
        for column, title in enumerate(TITLES):
            left = _GAP + (cell + _GAP) * column
            self._picture[:_LINE_HEIGHT, left : left + cell] = line(title, cell, _LINE_HEIGHT, ink=_INK, paper=_PAPER)
        for top, (heading, colour) in zip(self._rows, headings, strict=True):
            words = line(heading, across - 2 * _GAP, _LINE_HEIGHT, ink=_INK, paper=_PAPER, swatch=colour)
            self._picture[top - _LINE_HEIGHT : top, _GAP:-_GAP] = words
        self._video = VideoWriter(path, across, len(self._picture), clip.fps, clip.varying_times)

    def add(self, rows: Sequence[Sequence[np.ndarray]]) -> None:
        """Append a frame: per query its pictures in the order of TITLES, each (H, W, 3) uint8 RGB."""
        width, height = self._size
        for top, pictures in zip(self._rows, rows, strict=True):
            for left, picture in zip(self._columns, pictures, strict=True):
                pane = self._picture[top : top + height, left : left + width]
                pane[...] = cv2.resize(picture, self._size, interpolation=cv2.INTER_AREA)
        self._video.write(self._picture)

    def no_more(self) -> None:
        """See `VideoWriter.no_more`."""
        self._video.no_more()

    def __enter__(self) -> SideBySide:
        return self

    def __exit__(self, kind: type[BaseException] | None, *error: object) -> None:
        self._video.__exit__(kind, *error)
