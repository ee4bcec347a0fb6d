"""What is said of a run's masks, on discs whose way and size are known, and on the examples' true masks."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

import cv2
import numpy as np
import pytest

from mpgsam2.export.description import Description
from mpgsam2.video import open_clip
from mpgsam2.video.ground_truth import GroundTruth

EXAMPLES = Path(__file__).parents[1] / "examples"
FRAMES = 20


def disc(x: float, y: float, radius: float) -> np.ndarray:
    """(100, 160) bool with a disc, which the picture's border may cut."""
    mask = np.zeros((100, 160), np.uint8)
    cv2.circle(mask, (round(x), round(y)), round(radius), 1, cv2.FILLED)
    return mask.astype(bool)


def told(masks: Iterable[np.ndarray]) -> str:
    description = Description("the red circle", FRAMES)
    for mask in masks:
        description.add(mask)
    return description.sentence


@pytest.mark.parametrize(
    ("end", "motion"),
    [
        ((130, 50, 10), "moves left to right"),
        ((30, 50, 10), "moves right to left"),
        ((80, 15, 10), "moves upwards"),
        ((80, 85, 10), "moves downwards"),
        ((120, 80, 10), "moves left to right and downwards"),
        ((130, 58, 10), "moves left to right"),  # a little downwards is not worth a word
        ((82, 49, 10), "stays in place"),
        ((80, 50, 20), "stays in place and grows"),
        ((80, 50, 5), "stays in place and shrinks"),
        ((120, 50, 20), "moves left to right and grows"),
    ],
)
def test_motion_and_growth_are_told(end: tuple[int, int, int], motion: str) -> None:
    ways = np.linspace((80, 50, 10), end, FRAMES)
    assert told(disc(*way) for way in ways) == f"the red circle, found in 20 of 20 frames, {motion}"


def test_to_and_fro_is_not_in_place() -> None:
    masks = [disc(80 + 50 * np.sin(turn), 50, 10) for turn in np.linspace(0, 2 * np.pi, FRAMES)]
    assert told(masks) == "the red circle, found in 20 of 20 frames, moves about"


def test_what_comes_in_does_not_grow() -> None:
    masks = [disc(x, 50, 15) for x in np.linspace(-10, 100, FRAMES)]
    assert told(masks) == "the red circle, found in 20 of 20 frames, moves left to right"


def test_one_wild_mask_does_not_make_a_motion() -> None:
    masks = [disc(80, 50, 10)] * (FRAMES - 1) + [disc(20, 20, 40)]
    assert told(masks) == "the red circle, found in 20 of 20 frames, stays in place"


def test_frames_without_a_mask_are_counted_out() -> None:
    nothing = np.zeros((100, 160), bool)
    masks = [disc(x, 50, 10) for x in np.linspace(130, 30, 12)]
    assert told([nothing] * 3 + masks + [nothing] * 5) == (
        "the red circle, found in 12 of 20 frames, moves right to left"
    )
    assert told([nothing] * FRAMES) == "the red circle, not found in 20 frames"
    assert told([nothing, disc(80, 50, 10)]) == "the red circle, found in 1 of the first 2 frames"


def test_the_sentence_is_one_line_without_its_full_stop() -> None:
    description = Description("  The red\n circle. ", frames=1)
    description.add(disc(80, 50, 10))
    assert description.sentence == "The red circle, found in 1 of 1 frame"


def test_the_examples_are_described_as_they_are_called() -> None:
    said = {}
    for entry in json.loads((EXAMPLES / "examples.json").read_text(encoding="utf-8")):
        clip = open_clip(EXAMPLES / entry["clip"])
        description = Description(entry["expression"], clip.frame_count)
        with GroundTruth.open(EXAMPLES / entry["masks"], clip) as truth:
            for index in range(clip.frame_count):
                description.add(truth.mask(index))
        said[entry["expression"]] = description.sentence
    assert said["the dog moving left"].endswith("found in 48 of 48 frames, moves right to left")
    assert said["the blue star"].endswith("shrinks")
    assert said["the elephant"] == "the elephant, not found in 48 frames"
