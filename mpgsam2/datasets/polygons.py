"""COCO's polygons as masks, to the pixel as `rleFrPoly` in COCO's maskApi.c draws them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

_STEPS_PER_PIXEL = 5  # along an outline


def polygons_mask(polygons: Iterable[Sequence[float]], size: tuple[int, int]) -> np.ndarray:
    """Return the union of polygons.

    Args:
        polygons: each x, y, x, y, … in pixels, of at least three points.
        size: (H, W).

    Returns:
        (H, W) bool.

    Raises:
        ValueError: one has no such points.
    """
    mask = np.zeros(size, bool)
    for polygon in polygons:
        points = np.asarray(polygon, np.float64)
        if points.ndim != 1 or len(points) < 6 or len(points) % 2 or not np.isfinite(points).all():
            raise ValueError("a polygon needs three points or more")
        mask |= _filled(points.reshape(-1, 2), size)
    return mask


def _filled(points: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Return one polygon of (K, 2) x and y: down each column, every crossing of the outline switches it on or off."""
    height, width = size
    fine = (_STEPS_PER_PIXEL * points + 0.5).astype(int)
    walked = [_edge(start, end) for start, end in zip(fine, np.roll(fine, -1, axis=0), strict=True)]
    x, y = np.concatenate([fine[:1].T, *walked], axis=1)
    steps = np.flatnonzero(np.diff(x))
    column = (np.minimum(x[steps], x[steps + 1]) + 0.5) / _STEPS_PER_PIXEL - 0.5
    row = np.ceil(np.clip((np.minimum(y[steps], y[steps + 1]) + 0.5) / _STEPS_PER_PIXEL - 0.5, 0, height))
    crossed = (np.floor(column) == column) & (column >= 0) & (column <= width - 1)
    switches = (column[crossed] * height + row[crossed]).astype(int)
    inside = np.cumsum(np.bincount(switches, minlength=height * width + 1)[:-1]) % 2 == 1
    return inside.reshape(size, order="F")


def _edge(start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """Return the points from one corner to the next, a step at a time along the longer axis; (2, N) x and y."""
    longer = int(abs(end[1] - start[1]) > abs(end[0] - start[0]))
    if end[longer] == start[longer]:
        return np.empty((2, 0), int)
    # Always walked upwards, so that an edge has the same points whichever polygon beside it is drawn.
    low, high = (start, end) if start[longer] < end[longer] else (end, start)
    along = np.arange(high[longer] - low[longer] + 1)
    slope = (high[1 - longer] - low[1 - longer]) / (high[longer] - low[longer])
    points = np.empty((2, len(along)), int)
    points[longer] = low[longer] + along
    points[1 - longer] = (low[1 - longer] + slope * along + 0.5).astype(int)
    return points if low is start else points[:, ::-1]
