"""The numbers of one frame that do not come from the network itself."""

from __future__ import annotations

import cv2
import numpy as np

from mpgsam2.metrics import region_similarity


def prior_agreement(prior: np.ndarray, mask: np.ndarray) -> float:
    """Return how well a frame's mask keeps to its prior: the soft IoU of both on the prior's grid.

    That is Σ min / Σ max of the prior and of the mask's share of each patch. It is 1 where both are empty, the mask
    without a pixel and the prior nowhere above one half.

    Args:
        prior: (g, g) float in 0..1.
        mask: (H, W) bool.

    Returns:
        0..1.
    """
    if not mask.any() and prior.max() <= 0.5:
        return 1.0
    share = cv2.resize(mask.astype(np.float32), prior.shape[::-1], interpolation=cv2.INTER_AREA)
    return float(np.minimum(prior, share).sum() / np.maximum(prior, share).sum())


def difference(mask: np.ndarray, other: np.ndarray) -> dict[str, int | float]:
    """Return what two (H, W) bool masks of a frame differ in: how many pixels `changed`, and their `iou` in 0..1."""
    return {"changed": int((mask ^ other).sum()), "iou": round(region_similarity(mask, other), 4)}
