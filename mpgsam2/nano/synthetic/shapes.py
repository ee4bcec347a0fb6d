"""The shapes of the world: how each is called and what its outline is. A new shape is one entry of `SHAPES`."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np


@dataclass(frozen=True)
class Shape:
    """words: its nouns, the usual one first; outline: (P, 2) float64 polygon around the origin, y down, upright.

    Outlines are scaled so that all shapes of radius 1 look about equally large beside a circle of radius 1.
    """

    words: tuple[str, ...]
    outline: np.ndarray

    @cached_property
    def extent(self) -> float:
        """Distance of the outline's farthest point from the origin, for radius 1."""
        return float(np.hypot(*self.outline.T).max())

    @cached_property
    def area(self) -> float:
        """Of the outline, for radius 1."""
        return cv2.contourArea(self.outline.astype(np.float32))


def _polygon(corners: int, outer: float, inner: float | None = None) -> np.ndarray:
    """Return (P, 2) points of a regular polygon, one corner up, or of a star where `inner` is the notches' radius."""
    radii = [outer] * corners if inner is None else [outer, inner] * corners
    angles = -np.pi / 2 + 2 * np.pi * np.arange(len(radii)) / len(radii)
    return np.stack([np.cos(angles), np.sin(angles)], axis=1) * np.array(radii)[:, None]


SHAPES: dict[str, Shape] = {
    "circle": Shape(("circle", "disc"), _polygon(64, 1.0)),
    "square": Shape(("square", "box"), np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * 0.88),
    "triangle": Shape(("triangle",), _polygon(3, 1.25)),
    "star": Shape(("star",), _polygon(5, 1.3, 0.56)),
}
