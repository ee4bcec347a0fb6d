"""From every frame's answer to one conclusion about the clip."""

from __future__ import annotations

import math

import pytest

from mpgsam2 import InputError
from mpgsam2.inference.config import CalibrationConfig
from mpgsam2.inference.verdict import conclude, mean_logit


@pytest.mark.parametrize(
    ("found", "sentence"),
    [
        ("1", "Found in the only frame."),
        ("1111", "Found in all 4 frames."),
        ("0011", "Found in frames 3–4 of 4."),
        ("0100", "Found in frame 2 of 4."),
        ("110100", "Found in frames 1–2 and 4 of 6."),
        ("101011", "Found in frames 1, 3 and 5–6 of 6."),
        ("10101011", "Found in 5 of 8 frames."),
        ("0", "Probably not in this clip."),
        ("0000", "Probably not in this clip."),
    ],
)
def test_what_is_found_with_certainty_is_told_by_its_frames(found: str, sentence: str) -> None:
    masks = [mask == "1" for mask in found]
    assert conclude(masks, [1.0 if mask else 0.0 for mask in masks]).sentence == sentence


def test_ranges_are_the_runs_of_frames_with_a_mask() -> None:
    verdict = conclude([False, True, True, False, True], [0.1, 0.9, 0.8, 0.2, 0.7])
    assert verdict.found == (range(1, 3), range(4, 5)) and verdict.frame_count == 5


def logit(probability: float) -> float:
    return math.log(probability / (1 - probability))


def test_what_counts_is_the_mean_logit_of_the_best_third() -> None:
    found = [False] * 8 + [True] * 4
    scores = [0.4] * 8 + [0.6, 0.9, 0.8, 0.7]
    mean = (logit(0.9) + logit(0.8) + logit(0.7) + logit(0.6)) / 4
    assert mean_logit(found, scores) == pytest.approx(mean)
    assert logit(conclude(found, scores).presence) == pytest.approx(mean)


def test_one_frame_counts_at_least() -> None:
    assert mean_logit([True], [0.7]) == mean_logit([False, True], [0.1, 0.7]) == pytest.approx(logit(0.7))


def test_a_certain_frame_does_not_outweigh_all_others() -> None:
    assert mean_logit([True], [1.0]) == pytest.approx(logit(0.9999))
    assert mean_logit([True], [0.0]) == pytest.approx(logit(0.0001))
    assert not conclude([True] * 9, [1.0] + [0.001] * 8).present


def test_one_doubtful_mask_of_many_frames_is_not_enough() -> None:
    assert not conclude([True] + [False] * 15, [0.8] + [0.1] * 15).present
    assert conclude([True] * 5 + [False] * 11, [0.6] * 5 + [0.1] * 11).present


def test_the_presence_is_calibrated() -> None:
    found, scores = [True, True, False], [0.7, 0.2, 0.1]
    calibration = CalibrationConfig(verdict_shift=0.5, verdict_temperature=2.0)
    expected = (logit(0.7) - 0.5) / 2
    assert logit(conclude(found, scores, calibration).presence) == pytest.approx(expected)
    # What the object score and the predicted IoU are divided by is in the scores already.
    others = CalibrationConfig(object_temperature=3.0, iou_temperature=3.0)
    assert conclude(found, scores, others) == conclude(found, scores)


@pytest.mark.parametrize(("shift", "present"), [(0.84, True), (0.86, False)])
def test_a_shift_decides_what_is_doubtful(shift: float, present: bool) -> None:
    assert logit(0.7) == pytest.approx(0.847, abs=1e-3)
    assert conclude([True], [0.7], CalibrationConfig(verdict_shift=shift)).present is present


def test_the_smallest_temperature_makes_a_presence() -> None:
    sharp = CalibrationConfig(verdict_temperature=1e-3)
    assert [conclude([True], [score], sharp).presence for score in (0.0, 0.5, 1.0)] == [0.0, 0.5, 1.0]


def test_without_a_mask_nothing_is_present_whatever_the_scores() -> None:
    verdict = conclude([False] * 16, [0.99] * 16)
    assert (verdict.presence, verdict.present, verdict.found) == (0.5, False, ())
    assert conclude([False] * 16, [0.2] * 16).presence == pytest.approx(0.2)
    assert not conclude([False] * 16, [0.4] * 16, CalibrationConfig(verdict_shift=-2.0)).present


def test_a_clip_without_frames_has_no_verdict() -> None:
    with pytest.raises(InputError, match="without frames"):
        conclude([], [])
    with pytest.raises(InputError, match="without frames"):
        mean_logit([], [])
