"""How well predicted masks fit the true ones: region similarity J, contour accuracy F, and decay over a clip.

The rules are those of the DAVIS benchmark (Perazzi et al., 2016; Pont-Tuset et al., 2017), to the pixel, so that
figures can be compared with published ones. J&F is the mean of J and F; a clip's score is the mean over its frames.
"""

from __future__ import annotations

import math
from typing import Any, overload

import cv2
import numpy as np
from numpy.typing import NDArray

from mpgsam2.errors import InputError

CONTOUR_TOLERANCE = 0.008  # of the frame's diagonal

Mask = np.ndarray[tuple[int, int], np.dtype[np.bool_]]
"""(H, W) bool."""

Masks = np.ndarray[tuple[int, int, int], np.dtype[np.bool_]]
"""(T, H, W) bool."""

Scores = np.ndarray[tuple[int], np.dtype[np.float64]]
"""(T,) float64, one for each frame."""


@overload
def region_similarity(prediction: Mask, truth: Mask) -> float: ...
@overload
def region_similarity(prediction: Masks, truth: Masks) -> Scores: ...


def region_similarity(prediction: NDArray[np.bool_], truth: NDArray[np.bool_]) -> float | NDArray[np.float64]:
    """Return J: the intersection over the union of two masks, 1 where both are empty.

    prediction, truth: (H, W) or (T, H, W) bool, alike in shape (integers count as true where not 0).
    Returns a float in 0..1, or (T,) float64 for (T, H, W). Raises InputError for any other shape or dtype.
    """
    prediction, truth = _masks(prediction, truth)
    intersection = (prediction & truth).sum(axis=(-2, -1))
    union = (prediction | truth).sum(axis=(-2, -1))
    scores = np.where(union == 0, 1.0, intersection / np.maximum(union, 1))
    return float(scores) if scores.ndim == 0 else scores


@overload
def contour_accuracy(prediction: Mask, truth: Mask) -> float: ...
@overload
def contour_accuracy(prediction: Masks, truth: Masks) -> Scores: ...
def contour_accuracy(prediction: NDArray[np.bool_], truth: NDArray[np.bool_]) -> float | NDArray[np.float64]:
    """Return F: how well two masks' outlines agree, the harmonic mean of their boundary pixels' precision and recall.

    A boundary pixel is matched when the other mask has one within ceil(0.008 · diagonal) pixels. Both boundaries empty
    score 1, one empty scores 0. As in DAVIS, a mask that fills the whole frame has no boundary.

    prediction, truth: (H, W) or (T, H, W) bool, alike in shape (integers count as true where not 0).
    Returns a float in 0..1, or (T,) float64 for (T, H, W). Raises InputError for any other shape or dtype.
    """
    prediction, truth = _masks(prediction, truth)
    if prediction.ndim == 2:
        return _contour_accuracy_of_frame(prediction, truth)
    return np.array(
        [_contour_accuracy_of_frame(p, t) for p, t in zip(prediction, truth, strict=True)], dtype=np.float64
    )


def decay(scores: NDArray[np.float64]) -> float:
    """Return how far a clip's score falls: the mean of its first quarter of frames minus that of the last.

    Positive when the masks get worse with time. The quarters are DAVIS's: cut at four evenly spaced frames, each
    quarter holding both of its end frames.

    scores: (T,) per-frame J or F in 0..1, T ≥ 1. Returns a float in -1..1. Raises InputError when there are no scores.
    """
    scores = np.asarray(scores, dtype=np.float64)
    if scores.ndim != 1 or not scores.size:
        raise InputError("Decay needs the scores of one clip, one number per frame and at least one frame.")
    # 1e-10 makes round() take halves upwards, as the benchmark's original did.
    cuts = np.round(np.linspace(1, scores.size, 5) + 1e-10).astype(int) - 1
    return float(scores[: cuts[1] + 1].mean() - scores[cuts[3] :].mean())


def _masks(prediction: NDArray[Any], truth: NDArray[Any]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    prediction, truth = np.asarray(prediction), np.asarray(truth)
    if prediction.shape != truth.shape:
        raise InputError(
            f"The predicted masks have shape {prediction.shape} and the true ones {truth.shape}: they must be the same."
        )
    if prediction.ndim not in (2, 3):
        raise InputError(f"Masks to score must be of shape (H, W) or (T, H, W), not {prediction.shape}.")
    for masks in (prediction, truth):
        if masks.dtype.kind not in "bui":
            raise InputError(f"Masks to score must be bool, not {masks.dtype}: apply a threshold first.")
    return prediction.astype(bool), truth.astype(bool)


def _contour_accuracy_of_frame(prediction: NDArray[np.bool_], truth: NDArray[np.bool_]) -> float:
    """Return F in 0..1 of two (H, W) bool masks."""
    predicted_boundary, true_boundary = _boundary(prediction), _boundary(truth)
    predicted_count, true_count = predicted_boundary.sum(), true_boundary.sum()
    if predicted_count == 0 or true_count == 0:
        return float(predicted_count == true_count)

    # Nothing is looked at beyond the boundaries, and dilating a whole frame takes most of the time.
    left, top, width, height = cv2.boundingRect((predicted_boundary | true_boundary).view(np.uint8))
    within = slice(top, top + height), slice(left, left + width)
    predicted_boundary, true_boundary = predicted_boundary[within], true_boundary[within]

    disk = _disk(math.ceil(CONTOUR_TOLERANCE * math.hypot(*prediction.shape)))
    near_predicted = cv2.dilate(predicted_boundary.astype(np.uint8), disk).astype(bool)
    near_true = cv2.dilate(true_boundary.astype(np.uint8), disk).astype(bool)
    precision = (predicted_boundary & near_true).sum() / predicted_count
    recall = (true_boundary & near_predicted).sum() / true_count
    return float(2 * precision * recall / (precision + recall)) if precision + recall else 0.0


def _boundary(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return the pixels (H, W) that differ from their east, south or south-east neighbour.

    The last row looks only east, the last column only south, and the last pixel is never one.
    """
    boundary = np.zeros_like(mask)
    boundary[:, :-1] |= mask[:, :-1] ^ mask[:, 1:]
    boundary[:-1, :] |= mask[:-1, :] ^ mask[1:, :]
    boundary[:-1, :-1] |= mask[:-1, :-1] ^ mask[1:, 1:]
    return boundary


def _disk(radius: int) -> NDArray[np.uint8]:
    """Return all pixels at most `radius` from the middle of a (2·radius + 1)² square."""
    offsets = np.arange(-radius, radius + 1)
    return (offsets[:, None] ** 2 + offsets[None, :] ** 2 <= radius**2).astype(np.uint8)
