"""Which colour each object is drawn in: the one of the palette that is farthest from what lies there.

It is settled at the first frame of a run and stays. Distances are Euclidean in CIELAB, where equal ones look equally
far apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np

from mpgsam2.export.drawing import Look
from mpgsam2.palette import PALETTE, Colour

_SURROUNDINGS_WIDTH = 0.05  # of the frame's shorter side: how far from a mask its surroundings go


def settle_colours(look: Look, frame: np.ndarray, masks: Sequence[np.ndarray]) -> Look:
    """Return the look with a colour for every query: those that it names, and for the others those that stand out most.

    A colour stands out as much as it is far from the nearest of these: the mean colours within the mask and just around
    it, and the colours of the other queries. It takes none of theirs as long as the palette has more. Of a mask that is
    empty in this frame nothing is known but the frame, whose mean colour takes the place of both.

    Args:
        look: of the run.
        frame: (H, W, 3) uint8 RGB, its first.
        masks: per query (H, W) bool, in that frame.
    """
    colours: list[Colour | None] = [*look.colours[: len(masks)], *[None] * (len(masks) - len(look.colours))]
    for index, mask in enumerate(masks):
        if colours[index] is None:
            others = [colour for colour in colours if colour]
            free = [colour for colour in PALETTE if colour not in others] or PALETTE
            near = _lab([*_surroundings(frame, mask), *others])
            apart = np.linalg.norm(_lab(free)[:, None] - near, axis=2).min(axis=1)
            colours[index] = free[int(apart.argmax())]
    return replace(look, colours=tuple(colours))


def _surroundings(frame: np.ndarray, mask: np.ndarray) -> list[Sequence[float]]:
    """Return the mean colours, RGB, within a mask and just around it; one of them where the other is empty."""
    within = mask.view(np.uint8)
    if not mask.any():
        return [cv2.mean(frame)[:3]]
    reach = max(1, round(_SURROUNDINGS_WIDTH * min(mask.shape)))
    around = cv2.dilate(within, np.ones((2 * reach + 1,) * 2, np.uint8)) - within
    return [cv2.mean(frame, area)[:3] for area in (within, around) if area.any()]


def _lab(colours: Sequence[Sequence[float]]) -> np.ndarray:
    """Return (N, 3) float32 L*, a*, b* of colours in RGB, 0..255."""
    return cv2.cvtColor(np.array(colours, np.float32)[:, None] / 255, cv2.COLOR_RGB2LAB)[:, 0]
