"""What colour a drawing is said to have, and which others one might say."""

from __future__ import annotations

import cv2
import numpy as np

NAMES = ("red", "green", "blue", "yellow", "purple", "orange", "white", "black", "brown", "grey", "pink")
CONFUSABLE = {
    "brown": ("orange", "red", "yellow", "black"),
    "orange": ("brown", "yellow", "red"),
    "grey": ("white", "black", "blue"),
    "white": ("grey",),
    "black": ("grey", "brown"),
    "pink": ("purple", "red"),
    "purple": ("pink", "blue"),
    "red": ("orange", "pink", "brown"),
    "yellow": ("orange",),
    "blue": ("purple",),
    "green": (),
}
"""Colours that one eye or another takes for each other."""

DOMINANT_SHARE = 0.5  # part of a drawing that the colour that it is said to have covers
SECOND_SHARE = 0.25  # part that no other colour may cover then
NOTABLE_SHARE = 0.12  # part from which one might call a drawing by a colour

# Hue in degrees from which each name holds, in order; None: no name that all would agree on.
_HUES = (
    *((0, "red"), (13, None), (18, "orange"), (42, "yellow"), (66, None), (75, "green"), (163, None)),
    *((195, "blue"), (250, "purple"), (292, "pink"), (342, "red")),
)
_STARTS = np.array([start for start, _ in _HUES])


def shares(rgb: np.ndarray, weight: np.ndarray) -> dict[str, float]:
    """Return the part of a picture that goes by each colour's name.

    Args:
        rgb: (H, W, 3) uint8.
        weight: (H, W), what each pixel counts, such as its opacity; not all zero.

    Returns:
        Names and parts, 0..1; what has no clear name counts for none.
    """
    hsv = cv2.cvtColor(rgb.astype(np.float32) / 255, cv2.COLOR_RGB2HSV)
    hue, saturation, value = hsv[..., 0], hsv[..., 1], hsv[..., 2]
    index = np.searchsorted(_STARTS, hue, side="right") - 1
    names = np.array([NAMES.index(name) if name else -1 for _, name in _HUES])[index]
    by_name = {name: NAMES.index(name) for name in NAMES}
    names = np.where((names == by_name["orange"]) & ((value < 0.78) | (saturation < 0.55)), by_name["brown"], names)
    names = np.where((names == by_name["red"]) & (value > 0.75) & (saturation < 0.55), by_name["pink"], names)
    dull = (value < 0.45) | ((value < 0.65) & (saturation < 0.72))
    names = np.where((names == by_name["red"]) & (hue < 90) & dull, by_name["brown"], names)
    names = np.where((hue >= 13) & (hue < 18) & (value < 0.7), by_name["brown"], names)
    names = np.where((names == by_name["pink"]) & (value < 0.6), by_name["purple"], names)
    names = np.where((names == by_name["yellow"]) & (value < 0.7), -1, names)
    grey = (saturation < 0.16) | ((saturation < 0.3) & (value < 0.45))
    names = np.where(grey, by_name["grey"], names)
    names = np.where(grey & (value > 0.86), by_name["white"], names)
    names = np.where((value < 0.24) | (grey & (value < 0.3)), by_name["black"], names)
    counts = np.bincount(names.ravel() + 1, weights=weight.ravel().astype(float), minlength=len(NAMES) + 1)
    return {name: float(counts[i + 1] / counts.sum()) for i, name in enumerate(NAMES)}


def name_of(parts: dict[str, float]) -> tuple[str, tuple[str, ...]]:
    """Return the colour that a drawing is said to have, "" for none, and the others that one might say.

    Args:
        parts: as `shares` returns them.
    """
    ranked = sorted(parts, key=parts.__getitem__, reverse=True)
    notable = [name for name in ranked if parts[name] >= NOTABLE_SHARE]
    named = ranked[0] if parts[ranked[0]] >= DOMINANT_SHARE and parts[ranked[1]] <= SECOND_SHARE else ""
    close = [other for name in notable for other in CONFUSABLE[name]]
    return named, tuple(name for name in dict.fromkeys([*notable, *close]) if name != named)
