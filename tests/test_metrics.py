"""J, F and decay against hand-counted cases and a slow reference written from the benchmark's definition."""

from __future__ import annotations

import math

import numpy as np
import pytest

from mpgsam2.errors import InputError
from mpgsam2.metrics import contour_accuracy, decay, region_similarity


def blank(height: int = 100, width: int = 100) -> np.ndarray:
    return np.zeros((height, width), dtype=bool)


def box(top: int, left: int, bottom: int, right: int, height: int = 100, width: int = 100) -> np.ndarray:
    mask = blank(height, width)
    mask[top:bottom, left:right] = True
    return mask


def slow_boundary(mask: np.ndarray) -> list[tuple[int, int]]:
    """Pixel by pixel; outside of the mask counts as background, except along the last row and the last column."""
    height, width = mask.shape
    pixels = []
    for y in range(height):
        for x in range(width):
            east = mask[y, x + 1] if x + 1 < width else False
            south = mask[y + 1, x] if y + 1 < height else False
            south_east = mask[y + 1, x + 1] if y + 1 < height and x + 1 < width else False
            if y + 1 == height and x + 1 == width:
                differs = False
            elif y + 1 == height:
                differs = mask[y, x] != east
            elif x + 1 == width:
                differs = mask[y, x] != south
            else:
                differs = mask[y, x] != east or mask[y, x] != south or mask[y, x] != south_east
            if differs:
                pixels.append((y, x))
    return pixels


def slow_contour_accuracy(prediction: np.ndarray, truth: np.ndarray) -> float:
    """The distance of every boundary pixel to the other mask's nearest one, compared with the radius."""
    radius = math.ceil(0.008 * math.sqrt(prediction.shape[0] ** 2 + prediction.shape[1] ** 2))
    predicted, true = np.array(slow_boundary(prediction)), np.array(slow_boundary(truth))
    if not len(predicted) or not len(true):
        return 1.0 if not len(predicted) and not len(true) else 0.0
    distances = np.sqrt(((predicted[:, None] - true[None]) ** 2).sum(-1))
    precision = (distances.min(1) <= radius).mean()
    recall = (distances.min(0) <= radius).mean()
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def blobs(rng: np.random.Generator, height: int, width: int) -> np.ndarray:
    """Random discs, some over the frame's edge, with a few stray pixels."""
    y, x = np.mgrid[:height, :width]
    mask = rng.random((height, width)) < 0.002
    for _ in range(rng.integers(1, 4)):
        cy, cx, r = rng.uniform(0, height), rng.uniform(0, width), rng.uniform(2, height / 2)
        mask |= (y - cy) ** 2 + (x - cx) ** 2 < r**2
    return mask


def test_region_similarity_counts_pixels():
    # 10×10 boxes, shifted by 5: they share 50 of 150 pixels.
    assert region_similarity(box(0, 0, 10, 10), box(0, 5, 10, 15)) == pytest.approx(50 / 150)
    assert region_similarity(box(0, 0, 10, 10), box(20, 20, 30, 30)) == 0
    assert region_similarity(blank(), blank()) == 1
    assert region_similarity(blank(), box(0, 0, 1, 1)) == 0
    assert isinstance(region_similarity(blank(), blank()), float)


def test_contour_accuracy_tolerates_up_to_the_radius_and_no_more():
    # 100×100: the radius is ceil(0.008 · 141.4) = 2. The boundary of the box is the outline of the 31×31 square from
    # (29, 29): 120 pixels. A shift by 2 along a side matches every one of them.
    truth = box(30, 30, 60, 60)
    assert contour_accuracy(truth, truth) == 1
    assert contour_accuracy(box(30, 32, 60, 62), truth) == 1
    # Shifted by 3 sideways, matched are: on each of the two horizontal sides the 28 pixels in common and the next 2; on
    # the upright side that now stands inside, the 2 pixels next to each corner; on the one outside, none.
    matched = 2 * (28 + 2) + 2 * 2
    assert contour_accuracy(box(30, 33, 60, 63), truth) == pytest.approx(matched / 120)
    assert contour_accuracy(box(5, 5, 15, 15), box(60, 60, 80, 80)) == 0


def test_contour_accuracy_of_lines_counted_by_hand():
    # A mask of the rows from k on has one boundary row, k - 1, of 50 pixels; 40×50 has radius ceil(0.51) = 1.
    lower = [box(k, 0, 40, 50, 40, 50) for k in range(40)]
    assert contour_accuracy(lower[20], lower[21]) == 1
    assert contour_accuracy(lower[20], lower[22]) == 0
    # The left half of the rows from 20 on: 25 pixels of that row, and 20 pixels of column 24 below it, where the row's
    # last pixel is the column's first. Predicted against the whole line: all 50 - 25 - 1 to the right of it are missed,
    # and of the column only the top pixel is within 1 of the line.
    half = box(20, 0, 40, 25, 40, 50)
    precision, recall = (25 + 1) / (25 + 20), (25 + 1) / 50
    assert contour_accuracy(half, lower[20]) == pytest.approx(2 * precision * recall / (precision + recall))


def test_contour_accuracy_of_empty_and_full_frames():
    assert contour_accuracy(blank(), blank()) == 1
    assert contour_accuracy(blank(), box(10, 10, 20, 20)) == 0
    assert contour_accuracy(box(10, 10, 20, 20), blank()) == 0
    # A full frame has no boundary in DAVIS: the last row and column are compared with what lies inside the frame only.
    assert contour_accuracy(~blank(), ~blank()) == 1
    assert contour_accuracy(~blank(), blank()) == 1
    # The one pixel that the rule never looks past is the last; a mask of nothing else is seen from its neighbours.
    corner = box(99, 99, 100, 100)
    assert contour_accuracy(corner, blank()) == 0
    assert contour_accuracy(corner, corner) == 1


@pytest.mark.parametrize(("height", "width"), [(40, 50), (61, 37), (130, 130)])
def test_contour_accuracy_equals_the_slow_reference(height: int, width: int):
    rng = np.random.default_rng(height)
    for _ in range(6):
        prediction, truth = blobs(rng, height, width), blobs(rng, height, width)
        near = np.roll(truth, 2, axis=1) & (rng.random(truth.shape) < 0.98)
        for other in (prediction, near):
            assert contour_accuracy(other, truth) == pytest.approx(slow_contour_accuracy(other, truth), abs=1e-12)


@pytest.mark.parametrize("score", [region_similarity, contour_accuracy])
def test_a_clip_is_scored_frame_by_frame(score):
    rng = np.random.default_rng(0)
    prediction = np.stack([blobs(rng, 40, 50) for _ in range(4)] + [blank(40, 50)])
    truth = np.stack([blobs(rng, 40, 50) for _ in range(4)] + [blank(40, 50)])
    scores = score(prediction, truth)
    assert scores.shape == (5,) and scores.dtype == np.float64
    assert scores.tolist() == [score(p, t) for p, t in zip(prediction, truth, strict=True)]
    assert scores[4] == 1
    # Masks as files hold them, 0 and 255, are the same masks.
    assert score(prediction.astype(np.uint8) * 255, truth).tolist() == scores.tolist()


@pytest.mark.parametrize("score", [region_similarity, contour_accuracy])
def test_masks_that_cannot_be_compared(score):
    with pytest.raises(InputError, match=r"\(100, 100\).*\(100, 90\)"):
        score(blank(), blank(100, 90))
    with pytest.raises(InputError, match=r"\(H, W\)"):
        score(np.zeros(4, dtype=bool), np.zeros(4, dtype=bool))
    with pytest.raises(InputError, match="float32"):
        score(np.zeros((4, 4), dtype=np.float32), blank(4, 4))


def test_decay_is_the_first_quarter_minus_the_last():
    assert decay(np.full(10, 0.7)) == pytest.approx(0)
    # Five frames are cut at every frame, and a quarter holds both its ends: (1 + .9)/2 - (.3 + .2)/2.
    assert decay(np.array([1.0, 0.9, 0.5, 0.3, 0.2])) == pytest.approx(0.7)
    # Eleven frames: cut at 1, 3.5 → 4, 6, 8.5 → 9, 11, counted from one.
    scores = np.arange(11.0)
    assert decay(scores) == pytest.approx(np.mean([0, 1, 2, 3]) - np.mean([8, 9, 10]))
    assert decay(np.array([0.5])) == 0
    # Long clips too: the benchmark's own script wraps its cuts around at 256.
    assert decay(np.repeat([1.0, 0.0], 200)) == 1
    with pytest.raises(InputError):
        decay(np.array([]))
