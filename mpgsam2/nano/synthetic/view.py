"""What can be seen of the things of a clip, measured on its label maps."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import cv2
import numpy as np

from mpgsam2.nano.synthetic.draw import Patch
from mpgsam2.nano.synthetic.scene import Scene

SMALLEST_AREA = 60.0  # px at a frame height of 256, below which a thing does not count as visible
SMALLEST_PART = 0.35  # of a thing's outline, below which it does not count as visible


@dataclass(frozen=True)
class View:
    """What can be seen of N things in T frames.

    visible: (T, N) bool; centres: (T, N, 2) float64 px x, y of the visible part's centroid, NaN where there is none;
    radii: (T, N) float64 px; inside: (T, N) float64 0..1, part of the thing inside the frame; seen: (T, N) float64
    0..1, part of that which no other thing hides, 0 where the thing is outside.
    """

    height: int
    width: int
    visible: np.ndarray
    centres: np.ndarray
    radii: np.ndarray
    inside: np.ndarray
    seen: np.ndarray


def look(scene: Scene, labels: np.ndarray, patches: list[list[Patch | None]]) -> View:
    """Measure the things of a scene. labels: (T, H, W) uint8 as in SyntheticClip; patches: [frame][thing]."""
    frames, things = len(labels), len(scene.bodies)
    areas = np.zeros((frames, things))
    inside = np.zeros((frames, things))
    centres = np.full((frames, things, 2), np.nan)
    for t, k in itertools.product(range(frames), range(things)):
        patch = patches[t][k]
        if patch is None:
            continue
        inside[t, k] = np.count_nonzero(patch.coverage > 127)
        own = labels[t][patch.rows, patch.columns] == k + 1
        moments = cv2.moments(own.view(np.uint8), binaryImage=True)
        if moments["m00"] > 0:
            areas[t, k] = moments["m00"]
            centres[t, k] = (
                moments["m10"] / moments["m00"] + patch.columns.start + 0.5,
                moments["m01"] / moments["m00"] + patch.rows.start + 0.5,
            )
    radii = np.stack([body.radii for body in scene.bodies], axis=1)
    whole = radii**2 * [body.thing.area for body in scene.bodies]
    visible = (areas >= SMALLEST_AREA * (scene.height / 256) ** 2) & (areas >= SMALLEST_PART * whole)
    seen = areas / np.maximum(inside, 1)
    return View(scene.height, scene.width, visible, centres, radii, np.minimum(inside / whole, 1), seen)
