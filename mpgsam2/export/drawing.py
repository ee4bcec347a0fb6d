"""Pictures of what the network sees and answers; pure functions of arrays.

All frames are (H, W, 3) uint8 RGB. Colours are safe for colour-blind readers: the palette is Okabe and Ito's, the
colour map is perceptually uniform and rises in lightness, so it also survives printing in grey.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Integral, Real

import cv2
import numpy as np

from mpgsam2.errors import InputError
from mpgsam2.palette import PALETTE, Colour

_INFERNO = cv2.applyColorMap(np.arange(256, dtype=np.uint8), cv2.COLORMAP_INFERNO)[..., ::-1]  # 256 × 1 × 3, RGB
_CUT_OUT_MARGIN = 4  # px
_DIMMED_LIGHTNESS = 0.5  # of what is dimmed to the full
_SHARE_STEPS = 256  # shares are in whole steps, so that the page's player draws the same pixels


@dataclass(frozen=True)
class Look:
    """How masks are laid over a frame.

    Attributes:
        opacity: of the tint, 0..1.
        pattern: whether masks are hatched as well, each query's in its own way, for whom colours are not enough.
        colours: RGB, one per query; a run chooses by what lies under the masks (see `colours`) where that is None or
            missing, and a single picture takes the palette's.
        dimmed: how far everything else is darkened and greyed, 0..1, so that masks stand out whatever their colour.

    Raises:
        InputError: the opacity or the dimming is beyond 0..1, or a colour is none.
    """

    opacity: float = 0.4
    pattern: bool = False
    colours: tuple[Colour | None, ...] = ()
    dimmed: float = 0.0

    def __post_init__(self) -> None:
        for name, share in (("opacity", self.opacity), ("dimming", self.dimmed)):
            if not isinstance(share, Real) or not 0 <= share <= 1:
                raise InputError(f"The {name} is {share}: choose a number from 0 to 1.")
        if not all(colour is None or _is_colour(colour) for colour in self.colours):
            raise InputError("The colours of masks must be red, green and blue, each from 0 to 255.")

    def colour(self, index: int) -> Colour:
        """Return the RGB of the query of that number, from 0."""
        given = self.colours[index] if index < len(self.colours) else None
        return given or PALETTE[index % len(PALETTE)]


def _is_colour(colour: Colour) -> bool:
    return len(colour) == 3 and all(isinstance(level, Integral) and 0 <= level <= 255 for level in colour)


def prior_heatmap(frame: np.ndarray, prior: np.ndarray, opacity: float = 0.85) -> np.ndarray:
    """Return the mask prior laid over a grey copy of its frame, the denser the higher it is.

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
    weight = np.float32(opacity) * (0.5 + 0.5 * np.clip(smooth, 0, 1))
    return cv2.blendLinear(probability_map(smooth), grey, weight, 1 - weight)


def probability_map(probability: np.ndarray) -> np.ndarray:
    """Return a map of probabilities in colour, from black (0) over violet and orange (0.5 to 0.7) to pale yellow (1).

    Args:
        probability: (H, W) float in 0..1; values beyond are clipped.

    Returns:
        (H, W, 3) uint8 RGB.
    """
    levels = np.rint(np.clip(probability, 0, 1) * 255).astype(np.uint8)
    return cv2.LUT(cv2.cvtColor(levels, cv2.COLOR_GRAY2RGB), _INFERNO)


def overlay(frame: np.ndarray, masks: Sequence[np.ndarray | None], look: Look = Look()) -> np.ndarray:
    """Return the frame with masks tinted, outlined and if so wished hatched; what is outside of them is at most dimmed.

    The outline lies inside the mask: a line in black or white, whichever differs more from the colour, or in white if
    the rest is dimmed, and a line twice as thick in the full colour within it, so that one of the two stands out from
    any background. The hatching's
    lines are such pairs, too: rising for the first query, falling for the second, level for the third, dots for the
    fourth. Where masks overlap, the later one is on top.

    Args:
        frame: (H, W, 3) uint8 RGB.
        masks: per query (H, W) bool, None for one that is left out.
        look: colours, opacity and hatching.

    Returns:
        (H, W, 3) uint8 RGB, a new array.
    """
    picture = _dim(frame, masks, look.dimmed) if look.dimmed else frame.copy()
    thickness = max(1, round(min(frame.shape[:2]) / 200))
    for index, mask in enumerate(masks):
        if mask is not None and mask.any():
            window = _window(mask)
            _mark(picture[window], mask[window], (window[0].start, window[1].start), index, thickness, look)
    return picture


def is_light(colour: Colour) -> bool:
    """Return whether a colour is nearer to white than to black, as eyes see it."""
    return int(cv2.cvtColor(np.array([[colour]], np.uint8), cv2.COLOR_RGB2LAB)[0, 0, 0]) > 127


def hex_of(colour: Colour) -> str:
    """Return a colour as the web writes it, such as "#56b4e9"."""
    return "#{:02x}{:02x}{:02x}".format(*colour)


def _dim(frame: np.ndarray, masks: Sequence[np.ndarray | None], dimmed: float) -> np.ndarray:
    """Return a copy of the frame, what no mask holds mixed with a dark grey copy of itself."""
    grey = cv2.cvtColor(cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    kept, greyed = round(_SHARE_STEPS * (1 - dimmed)), round(_SHARE_STEPS * dimmed * _DIMMED_LIGHTNESS)
    mixed = cv2.addWeighted(frame, kept, grey, greyed, _SHARE_STEPS / 2, dtype=cv2.CV_16U)  # below 2¹⁶, so exact
    picture = (mixed // _SHARE_STEPS).astype(np.uint8)
    for mask in masks:
        if mask is not None:
            picture[mask] = frame[mask]
    return picture


def _window(mask: np.ndarray) -> tuple[slice, slice]:
    """Return the rows and columns of a (H, W) bool mask, not empty, and one pixel around it where the frame has it."""
    left, top, width, height = cv2.boundingRect(mask.view(np.uint8))
    return slice(max(0, top - 1), top + height + 1), slice(max(0, left - 1), left + width + 1)


def _mark(
    picture: np.ndarray, mask: np.ndarray, corner: tuple[int, int], index: int, thickness: int, look: Look
) -> None:
    """Lay query `index`'s mask over a picture, in place; `corner` is the row and column of its first pixel."""
    colour = look.colour(index)
    contrast = 0 if is_light(colour) and not look.dimmed else 255  # white towards a dark surrounding
    opaque = round(_SHARE_STEPS * look.opacity)
    mixed = np.arange(256)[:, None] * (_SHARE_STEPS - opaque) + np.array(colour) * opaque
    tint = ((mixed + _SHARE_STEPS // 2) // _SHARE_STEPS).astype(np.uint8)
    picture[...] = np.where(mask[..., None], cv2.LUT(picture, tint[:, None]), picture)
    if look.pattern:
        steps = _hatching(index, mask.shape, corner, thickness)
        picture[mask & (steps < 2 * thickness)] = colour
        picture[mask & (steps < thickness)] = contrast
    inner, innermost = (_shrink(mask, thickness * steps) for steps in (1, 3))
    picture[inner & ~innermost] = colour
    picture[mask & ~inner] = contrast


def _hatching(index: int, shape: tuple[int, int], corner: tuple[int, int], thickness: int) -> np.ndarray:
    """Return (H, W): how far a pixel is past the last line of query `index`'s hatching; dots count from the middle.

    `corner` is the row and column of the first pixel, so that the hatching stays where it is while a mask moves.
    """
    rows, columns = np.ogrid[corner[0] : corner[0] + shape[0], corner[1] : corner[1] + shape[1]]
    period = 12 * thickness
    match index % 4:
        case 0:
            steps = (rows + columns) % period
        case 1:
            steps = (rows - columns) % period
        case 2:
            steps = rows % period
        case _:
            steps = np.hypot(rows % period - period / 2, columns % period - period / 2) / 1.5
    return np.broadcast_to(steps, shape)


def _shrink(mask: np.ndarray, pixels: int) -> np.ndarray:
    """Return the (H, W) bool mask without its outermost pixels; the frame's own border does not count as an edge."""
    disk = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * pixels + 1, 2 * pixels + 1))
    return cv2.erode(mask.astype(np.uint8), disk).astype(bool)


def mask_image(mask: np.ndarray) -> np.ndarray:
    """Return the (H, W) bool mask as (H, W) uint8, 0 outside and 255 inside."""
    return np.where(mask, np.uint8(255), np.uint8(0))


def cut_out(frame: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Return the masked object alone: (H, W, 4) uint8 RGBA, transparent outside the (H, W) bool mask.

    The colours go on for a few pixels beyond the mask, under full transparency, and are black from there on: video
    halves the resolution of colour, and black next to the edge would show on the object as a dark fringe.
    """
    alpha = mask_image(mask)
    shown = cv2.dilate(alpha, np.ones((2 * _CUT_OUT_MARGIN + 1,) * 2, np.uint8))
    return np.dstack([cv2.copyTo(frame, shown), alpha])


def side_by_side(images: Sequence[np.ndarray], gap: int = 6) -> np.ndarray:
    """Return images of one height, each (H, W_i, 3) uint8 RGB, in a row with white gaps of that many pixels."""
    white = np.full((images[0].shape[0], gap, 3), 255, np.uint8)
    return np.hstack([tile for image in images for tile in (white, image)][1:])
