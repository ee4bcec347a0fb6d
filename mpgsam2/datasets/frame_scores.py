"""J and F of one frame with void pixels left out."""

from __future__ import annotations

import numpy as np

from mpgsam2.datasets.truth import Truth
from mpgsam2.errors import InputError
from mpgsam2.metrics import contour_accuracy, region_similarity


def frame_scores(prediction: np.ndarray, truth: Truth) -> tuple[float, float]:
    """Return J and F of a (H, W) bool mask of a frame.

    As DAVIS 2017's tool does it, what is void is taken out of both masks, so that an outline runs along it.
    """
    mask, counts = truth
    if counts is not None:
        prediction, mask = prediction & counts, mask & counts
    return region_similarity(prediction, mask), contour_accuracy(prediction, mask)


def check_size(prediction: np.ndarray, size: tuple[int, int], name: str) -> None:
    """Raise InputError if a mask, called `name`, is not of the frames' (H, W)."""
    if prediction.shape != size:
        raise InputError(
            f"“{name}” is {prediction.shape[1]} × {prediction.shape[0]}, and must be {size[1]} × {size[0]}: write "
            "masks of the frames' own size."
        )
