"""From decoded frames to the pictures that a viewer sees: colours, square pixels, the right way up."""

from __future__ import annotations

import struct
import tempfile
from collections.abc import Callable, Mapping
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import cast

import av
import cv2
import numpy as np
from av.sidedata.sidedata import SideData

from mpgsam2.video.hdr import HLG, PQ, cube

THREADS = 4
"""At most, that decode or convert the pictures of one clip."""

_UPRIGHT = (1, 0, 0, 1)
_TURNS: dict[tuple[int, int, int, int], Callable[[np.ndarray], np.ndarray]] = {
    _UPRIGHT: lambda picture: picture,
    (0, 1, -1, 0): lambda picture: cv2.rotate(picture, cv2.ROTATE_90_CLOCKWISE),
    (-1, 0, 0, -1): lambda picture: cv2.rotate(picture, cv2.ROTATE_180),
    (0, -1, 1, 0): lambda picture: cv2.rotate(picture, cv2.ROTATE_90_COUNTERCLOCKWISE),
    (-1, 0, 0, 1): lambda picture: cv2.flip(picture, 1),
    (1, 0, 0, -1): lambda picture: cv2.flip(picture, 0),
    (0, 1, 1, 0): cv2.transpose,
    (0, -1, -1, 0): lambda picture: cv2.flip(cv2.transpose(picture), -1),
}  # by the signs of the display matrix: where the picture's x axis points to, and its y axis


class Display:
    """Turns the decoded frames of one stream into pictures.

    ffmpeg's own filters do it, so that colours are those that ffmpeg shows, whichever matrix and range they have.

    Args:
        first: the stream's first frame, which tells size and orientation.
        aspect: width of a pixel over its height; None or 0 for square ones.

    Attributes:
        width, height: of a picture in pixels, as the viewer sees it.
        hdr: whether the frames are of a high dynamic range.
    """

    def __init__(self, first: av.VideoFrame, aspect: Fraction | None) -> None:
        self._stored = first.width, first.height
        # ffmpeg's way to square pixels, too: the lines stay, the columns become more or fewer.
        self._scaled = max(1, round(first.width * (aspect or 1))), first.height
        self._turn = orientation(first)
        self.width, self.height = self._scaled if self._turn[0] else self._scaled[::-1]
        self.hdr = first.color_trc in (PQ, HLG)
        self._made_for: tuple[object, ...] | None = None
        self._graph: av.filter.Graph | None = None

    def fits(self, frame: av.VideoFrame) -> bool:
        """Return whether a frame has the size of the first."""
        return (frame.width, frame.height) == self._stored

    def picture(self, frame: av.VideoFrame) -> np.ndarray:
        """Return a frame as (height, width, 3) uint8 RGB, an array of its own."""
        kind = frame.width, frame.height, frame.format.name, frame.colorspace, frame.color_range, frame.color_trc
        if self._graph is None or kind != self._made_for:
            self._graph, self._made_for = self._make_graph(frame), kind
        self._graph.push(frame)
        picture = self._graph.pull().to_ndarray()
        return np.ascontiguousarray(_TURNS[self._turn](picture))

    def _make_graph(self, frame: av.VideoFrame) -> av.filter.Graph:
        graph = av.filter.Graph()
        graph.threads = THREADS
        width, height = self._scaled
        filters = [("scale", f"{width}:{height}:flags=bicubic"), ("format", "rgb24")]
        with tempfile.TemporaryDirectory() as folder:
            if frame.color_trc in (PQ, HLG):
                table = Path(folder, "hdr.cube")
                table.write_text(cube(frame.color_trc), encoding="ascii")
                filters[1:1] = [("format", "gbrp16le"), ("lut3d", f"file={table}")]
            nodes = [
                graph.add_buffer(
                    width=frame.width,
                    height=frame.height,
                    format=frame.format,
                    time_base=frame.time_base or Fraction(1, 1000),
                ),
                *(graph.add(name, arguments) for name, arguments in filters),
                graph.add("buffersink"),
            ]
            for node, following in pairwise(nodes):
                node.link_to(following)
            graph.configure()
        return graph


def orientation(frame: av.VideoFrame) -> tuple[int, int, int, int]:
    """Return how a frame is to be turned and mirrored: its display matrix, brought to the nearest quarter turn."""
    # PyAV's own types know only one kind of side data.
    data = cast(Mapping[str, SideData], frame.side_data).get("DISPLAYMATRIX")
    if data is None:
        return _UPRIGHT
    a, b, _, c, d, *_ = struct.unpack("<9i", bytes(data))
    straight = abs(a) + abs(d) >= abs(b) + abs(c)
    signs = tuple((n > 0) - (n < 0) for n in ((a, 0, 0, d) if straight else (0, b, c, 0)))
    return signs if signs in _TURNS else _UPRIGHT
