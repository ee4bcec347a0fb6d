"""From every frame's answer to one conclusion about the clip."""

from __future__ import annotations

import pytest

from mpgsam2 import InputError
from mpgsam2.verdict import conclude


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
    assert verdict.found == (range(1, 3), range(4, 5)) and verdict.frames == 5


def test_confidence_is_the_mean_score_of_the_best_eighth() -> None:
    found = [False] * 20 + [True] * 4
    scores = [0.4] * 20 + [0.6, 0.9, 0.8, 0.7]
    assert conclude(found, scores).confidence == pytest.approx((0.9 + 0.8 + 0.7) / 3)
    assert conclude(found, scores).present


def test_one_doubtful_mask_of_many_frames_is_not_enough() -> None:
    assert not conclude([True] + [False] * 15, [0.8] + [0.1] * 15).present
    assert conclude([True] * 2 + [False] * 14, [0.6] * 2 + [0.1] * 14).present


def test_without_a_mask_nothing_is_present_whatever_the_scores() -> None:
    verdict = conclude([False] * 16, [0.99] * 16)
    assert (verdict.confidence, verdict.present, verdict.found) == (0.5, False, ())
    assert conclude([False] * 16, [0.2] * 16).confidence == pytest.approx(0.2)


def test_a_clip_without_frames_has_no_verdict() -> None:
    with pytest.raises(InputError, match="without frames"):
        conclude([], [])
