"""The same thing in another colour."""

from __future__ import annotations

import cv2
import numpy as np

HUE_SPREAD = 28.0  # degrees of hue around a drawing's main one that change with it
FAINT_SATURATION = 0.2  # saturation below which a pixel has no hue
MIN_RECOLOURED_SHARE = 0.35  # part of a drawing that must change, lest it not look like another colour


def recolour(rgba: np.ndarray, target: tuple[int, int, int]) -> np.ndarray | None:
    """Give a drawing's main colour another hue, saturation and brightness; light and shadow stay.

    Args:
        rgba: (H, W, 4) uint8, not premultiplied.
        target: RGB, 0..255, what the main colour becomes.

    Returns:
        The same size and type; None where no colour prevails.
    """
    hsv = cv2.cvtColor(rgba[..., :3].astype(np.float32) / 255, cv2.COLOR_RGB2HSV)
    hue, saturation, value = (hsv[..., i] for i in range(3))
    opaque = rgba[..., 3] > 127
    vivid = opaque & (saturation > FAINT_SATURATION) & (value > 0.15)
    counts = np.bincount((hue[vivid] // 10).astype(int), minlength=36)
    near = counts + np.roll(counts, 1) + np.roll(counts, -1)
    main = 10 * near.argmax() + 5.0
    away = np.abs((hue - main + 180) % 360 - 180)
    chosen = (saturation > FAINT_SATURATION) & (away < HUE_SPREAD) & (value > 0.15)
    if (chosen & opaque).sum() < MIN_RECOLOURED_SHARE * opaque.sum():
        chosen = (saturation <= FAINT_SATURATION) & (value > 0.4)  # it may be mostly white or grey
        if (chosen & opaque).sum() < MIN_RECOLOURED_SHARE * opaque.sum():
            return None
    new = cv2.cvtColor(np.array([[target]], np.float32) / 255, cv2.COLOR_RGB2HSV)[0, 0]
    middle = chosen & opaque
    light = value / max(float(np.median(value[middle])), 0.1)  # 1 in the main tone
    shaded = np.clip(new[2] * (light if new[2] < 0.7 else np.minimum(light, 1)), 0, 1)
    strength = saturation / max(float(np.median(saturation[middle])), FAINT_SATURATION)
    vividness = np.clip(new[1] * np.clip(strength, 0.75, 1.15), 0, 1)
    changed = np.stack([np.full_like(hue, new[0]), vividness, shaded], axis=-1)
    rgb = cv2.cvtColor(np.where(chosen[..., None], changed, hsv).astype(np.float32), cv2.COLOR_HSV2RGB)
    return np.dstack([np.rint(255 * rgb).astype(np.uint8), rgba[..., 3]])
