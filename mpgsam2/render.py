"""Pictures of what the network sees and answers; pure functions of arrays.

All frames are (H, W, 3) uint8 RGB. Colours are safe for colour-blind readers: the palette is Okabe and Ito's, the
colour map is perceptually uniform and rises in lightness, so it also survives printing in grey.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

Colour = tuple[int, int, int]

PALETTE: tuple[Colour, ...] = (
    (86, 180, 233),  # sky blue
    (230, 159, 0),  # orange
    (0, 158, 115),  # bluish green
    (204, 121, 167),  # reddish purple
    (240, 228, 66),  # yellow
    (0, 114, 178),  # blue
    (213, 94, 0),  # vermilion
)
"""One colour per object, RGB: Okabe and Ito, "Color Universal Design" (2008), without their black."""


def prior_heatmap(frame: np.ndarray, prior: np.ndarray, opacity: float = 0.85) -> np.ndarray:
    """The mask prior laid over a grey copy of its frame, the denser the higher it is.

    Args:
        frame: (H, W, 3) uint8 RGB.
        prior: (g, g) float in 0..1, one value per patch; the colours are absolute, never stretched to a
            frame's own range.
        opacity: of the colour where the prior is 1, in 0..1; where it is 0, half of that, so that the frame stays
            recognisable.

    Returns:
        (H, W, 3) uint8 RGB.
    """
    height, width = frame.shape[:2]
    # Cubic, because a 14 × 14 grid enlarged linearly shows star-shaped creases; it overshoots, hence the clipping.
    smooth = cv2.resize(np.asarray(prior, np.float32), (width, height), interpolation=cv2.INTER_CUBIC)
    grey = cv2.cvtColor(cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    weight = (opacity * (0.5 + 0.5 * np.clip(smooth, 0, 1)))[..., None]
    return np.rint(grey * (1 - weight) + probability_map(smooth) * weight).astype(np.uint8)


def probability_map(probability: np.ndarray) -> np.ndarray:
    """A map of probabilities in colour, from black (0) over violet and orange (0.5 to 0.7) to pale yellow (1).

    Args:
        probability: (H, W) float in 0..1; values beyond are clipped.

    Returns:
        (H, W, 3) uint8 RGB.
    """
    levels = np.rint(np.clip(probability, 0, 1) * 255).astype(np.uint8)
    return cv2.cvtColor(cv2.applyColorMap(levels, cv2.COLORMAP_INFERNO), cv2.COLOR_BGR2RGB)


def overlay(frame: np.ndarray, mask: np.ndarray, colour: Colour = PALETTE[0], opacity: float = 0.4) -> np.ndarray:
    """The frame with the masked object tinted and outlined; outside the mask no pixel changes.

    The outline lies inside the mask: a line in black or white, whichever differs more from the colour, and a line
    twice as thick in the full colour within it, so that one of the two stands out from any background.

    Args:
        frame: (H, W, 3) uint8 RGB.
        mask: (H, W) bool.
        colour: RGB.
        opacity: of the tint, 0..1.

    Returns:
        (H, W, 3) uint8 RGB, a new array.
    """
    picture = frame.copy()
    picture[mask] = np.rint(frame[mask] * (1 - opacity) + np.float32(colour) * opacity).astype(np.uint8)
    thickness = max(1, round(min(mask.shape) / 200))
    inner, innermost = (_shrink(mask, thickness * steps) for steps in (1, 3))
    picture[inner & ~innermost] = colour
    lightness = cv2.cvtColor(np.uint8([[colour]]), cv2.COLOR_RGB2LAB)[0, 0, 0]
    picture[mask & ~inner] = 0 if lightness > 127 else 255
    return picture


def _shrink(mask: np.ndarray, pixels: int) -> np.ndarray:
    """The (H, W) bool mask without its outermost pixels; the frame's own border does not count as an edge."""
    disk = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * pixels + 1, 2 * pixels + 1))
    return cv2.erode(mask.astype(np.uint8), disk).astype(bool)


def mask_image(mask: np.ndarray) -> np.ndarray:
    """The (H, W) bool mask as (H, W) uint8, 0 outside and 255 inside."""
    return np.where(mask, np.uint8(255), np.uint8(0))


def cut_out(frame: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """The masked object alone: (H, W, 4) uint8 RGBA, transparent and black outside the (H, W) bool mask."""
    alpha = mask_image(mask)
    return np.dstack([frame & alpha[..., None], alpha])


def panels(frame: np.ndarray, prior: np.ndarray, mask: np.ndarray, colour: Colour = PALETTE[0]) -> list[np.ndarray]:
    """One frame's way through the network: [frame, prior, mask, overlay], each (H, W, 3) uint8 RGB.

    Args:
        frame: (H, W, 3) uint8 RGB.
        prior: (g, g) float in 0..1.
        mask: (H, W) bool.
        colour: RGB, of the overlay.
    """
    white_on_black = cv2.cvtColor(mask_image(mask), cv2.COLOR_GRAY2RGB)
    return [frame, prior_heatmap(frame, prior), white_on_black, overlay(frame, mask, colour)]


def side_by_side(images: Sequence[np.ndarray], gap: int = 6) -> np.ndarray:
    """Images of one height, each (H, W_i, 3) uint8 RGB, in a row with white gaps of that many pixels between them."""
    white = np.full((images[0].shape[0], gap, 3), 255, np.uint8)
    return np.hstack([tile for image in images for tile in (white, image)][1:])


def strip(columns: Sequence[Sequence[np.ndarray]], tile_width: int = 480, gap: int = 6) -> np.ndarray:
    """A figure as in a paper: time runs to the right, one column of panels per frame.

    Args:
        columns: per frame its panels from top to bottom, as `panels` makes them; all (H, W, 3) uint8 RGB of one size.
        tile_width: wider panels are scaled down to this many pixels.
        gap: white pixels between panels.

    Returns:
        (H', W', 3) uint8 RGB.
    """
    height, width = columns[0][0].shape[:2]
    scale = min(1, tile_width / width)
    size = (round(width * scale), round(height * scale))
    rows = [
        side_by_side([cv2.resize(panel, size, interpolation=cv2.INTER_AREA) for panel in row], gap)
        for row in zip(*columns, strict=True)
    ]
    white = np.full((gap, rows[0].shape[1], 3), 255, np.uint8)
    return np.vstack([tile for row in rows for tile in (white, row)][1:])
