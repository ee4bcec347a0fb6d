"""What can be seen of the things of a clip, measured on its label maps."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import cv2
import numpy as np

from mpgsam2.synthetic.scene import Scene
from mpgsam2.synthetic.shapes import SHAPES

SMALLEST_AREA = 60.0  # px at a frame height of 256, below which a thing does not count as visible
SMALLEST_PART = 0.35  # of a thing's outline, below which it does not count as visible


@dataclass(frozen=True)
class View:
    """What can be seen of N things in T frames.

    visible: (T, N) bool; centres: (T, N, 2) float64 px x, y of the visible part's centroid, NaN where there is none;
    radii: (T, N) float64 px.
    """

    height: int
    width: int
    visible: np.ndarray
    centres: np.ndarray
    radii: np.ndarray


def look(scene: Scene, labels: np.ndarray, boxes: list[list[tuple[slice, slice] | None]]) -> View:
    """Measure the things of a scene. labels: (T, H, W) uint8 as in Clip; boxes: [frame][thing], where it can be."""
    frames, things = len(labels), len(scene.bodies)
    areas = np.zeros((frames, things))
    centres = np.full((frames, things, 2), np.nan)
    for t, k in itertools.product(range(frames), range(things)):
        box = boxes[t][k]
        if box is None:
            continue
        moments = cv2.moments(cv2.compare(labels[t][box], k + 1, cv2.CMP_EQ), binaryImage=True)
        if moments["m00"] > 0:
            areas[t, k] = moments["m00"]
            centres[t, k] = (
                moments["m10"] / moments["m00"] + box[1].start + 0.5,
                moments["m01"] / moments["m00"] + box[0].start + 0.5,
            )
    radii = np.stack([body.radii for body in scene.bodies], axis=1)
    outlines = [SHAPES[body.thing.shape].outline.astype(np.float32) for body in scene.bodies]
    whole = radii**2 * [cv2.contourArea(outline) for outline in outlines]
    visible = (areas >= SMALLEST_AREA * (scene.height / 256) ** 2) & (areas >= SMALLEST_PART * whole)
    return View(scene.height, scene.width, visible, centres, radii)
