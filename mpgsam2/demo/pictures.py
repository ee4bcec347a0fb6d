"""Small pictures that travel inside the page's own HTML: nothing to keep on the server, nothing to ask for."""

from __future__ import annotations

import base64

import cv2
import numpy as np

WIDTH = 480
"""Pixels; wider pictures are scaled down."""


def shrunk(height: int, width: int) -> tuple[int, int]:
    """Return (width, height), as OpenCV orders them, of a picture brought to at most `WIDTH`, its shape kept."""
    return (width, height) if width <= WIDTH else (WIDTH, max(1, round(height * WIDTH / width)))


def data_uri(picture: np.ndarray) -> str:
    """Return a (H, W, 3) uint8 RGB picture as a JPEG in a URI, scaled down if need be."""
    size = shrunk(*picture.shape[:2])
    small = cv2.resize(cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), size, interpolation=cv2.INTER_AREA)
    jpeg = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, 82])[1]
    return "data:image/jpeg;base64," + base64.b64encode(jpeg.tobytes()).decode("ascii")
