"""The nano checkpoint understands its world: it was trained for this, and a worse one must not slip in."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

import mpgsam2
from mpgsam2 import Query, Segmenter
from mpgsam2.inference.verdict import Verdict, conclude
from mpgsam2.metrics import region_similarity
from mpgsam2.nano import synthetic
from mpgsam2.nano.evaluation import evaluate, validation_clips
from mpgsam2.video import open_clip
from mpgsam2.video.ground_truth import GroundTruth

FOLDER = Path(mpgsam2.__file__).parents[1] / "assets/nano"
EXAMPLES = json.loads((FOLDER.parents[1] / "examples/examples.json").read_text(encoding="utf-8"))
FRAMES, HEIGHT, WIDTH = 8, 180, 240

Drawing = tuple[list[np.ndarray], dict[str, np.ndarray]]


def drawing(background: tuple[int, int, int], things: dict[str, Callable[[np.ndarray, int, tuple], None]]) -> Drawing:
    """A clip that anybody could draw, with the true masks: (frames, {thing: T × H × W bool})."""
    frames = [np.full((HEIGHT, WIDTH, 3), background, np.uint8) for _ in range(FRAMES)]
    masks = {}
    for name, (draw, colour) in things.items():
        masks[name] = np.zeros((FRAMES, HEIGHT, WIDTH), np.uint8)
        for t in range(FRAMES):
            draw(frames[t], t, colour)
            draw(masks[name][t], t, 1)
    return frames, {name: mask.astype(bool) for name, mask in masks.items()}


def circle(x: int, y: int, radius: int, step: int = 0) -> Callable[[np.ndarray, int, tuple], None]:
    return lambda image, t, colour: cv2.circle(image, (x + step * t, y), radius, colour, -1)


def square(x: int, y: int, half: int, step: int = 0) -> Callable[[np.ndarray, int, tuple], None]:
    return lambda image, t, colour: cv2.rectangle(
        image, (x - half + step * t, y - half), (x + half + step * t, y + half), colour, -1
    )


RED, BLUE, GREEN, YELLOW = (255, 0, 0), (0, 0, 255), (0, 128, 0), (255, 255, 0)


def mean_similarity(model: Segmenter, frames: list[np.ndarray], sentence: str, truth: np.ndarray) -> float:
    prediction = np.stack([result.mask for result in model.segment(frames, sentence)])
    return float(region_similarity(prediction, truth).mean())


def verdict(model: Segmenter, frames: list[np.ndarray], sentence: str) -> Verdict:
    results = list(model.segment(frames, sentence))
    found = [bool(result.mask.any()) for result in results]
    return conclude(found, [result.object_score for result in results], model.inference.calibration)


def sampled(example: dict[str, str]) -> tuple[list[np.ndarray], np.ndarray]:
    """Every sixth frame of a clip of the page, and their true masks, T × H × W bool."""
    clip = open_clip(FOLDER.parents[1] / "examples" / example["clip"])
    picked = range(0, clip.frame_count, 6)
    frames = [frame for index, frame in enumerate(clip) if index in picked]
    with GroundTruth.open(clip.path.parent / example["masks"], clip) as truth:
        return frames, np.stack([truth.mask(index) for index in picked])


@pytest.mark.parametrize("background", [(255, 255, 255), (128, 128, 128), (20, 20, 30)])
@pytest.mark.parametrize("sentence", ["the red circle", "Blue square", "a circle", "the object on the right"])
def test_a_visitors_own_drawing(model: Segmenter, background: tuple[int, int, int], sentence: str) -> None:
    frames, masks = drawing(
        background, {"red circle": (circle(60, 90, 32, 2), RED), "blue square": (square(180, 90, 30, -1), BLUE)}
    )
    named = "red circle" if "circle" in sentence else "blue square"
    assert mean_similarity(model, frames, sentence, masks[named]) > 0.7


def test_two_sentences_are_answered_in_one_run(model: Segmenter) -> None:
    frames, masks = drawing(
        (128, 128, 128), {"red circle": (circle(60, 90, 32, 2), RED), "blue square": (square(180, 90, 30, -1), BLUE)}
    )
    answers = zip(*model.segment_several(frames, [Query("the blue square"), Query("a circle")]), strict=True)
    for results, named in zip(answers, ("blue square", "red circle"), strict=True):
        prediction = np.stack([result.mask for result in results])
        assert region_similarity(prediction, masks[named]).mean() > 0.7


@pytest.mark.parametrize("sentence, named", [("the green circle at the top", "top"), ("the lower circle", "bottom")])
def test_twins_are_told_apart_by_position(model: Segmenter, sentence: str, named: str) -> None:
    things = {"top": (circle(120, 40, 28), GREEN), "bottom": (circle(120, 140, 28), GREEN)}
    frames, masks = drawing((240, 240, 240), things)
    assert mean_similarity(model, frames, sentence, masks[named]) > 0.7


@pytest.mark.parametrize("sentence", ["the green star", "a white striped triangle"])
def test_what_is_not_there_is_said_not_to_be(model: Segmenter, sentence: str) -> None:
    frames, _ = drawing((128, 128, 128), {"red": (circle(60, 90, 32, 2), RED), "blue": (square(180, 90, 30, -1), BLUE)})
    assert not verdict(model, frames, sentence).present
    assert verdict(model, frames, "the red circle").present


@pytest.mark.parametrize("sentence, named", [("the circle moving right", "right"), ("the circle moving left", "left")])
def test_twins_are_told_apart_by_motion(model: Segmenter, sentence: str, named: str) -> None:
    things = {"right": (circle(70, 45, 26, 12), GREEN), "left": (circle(170, 135, 26, -12), GREEN)}
    frames, masks = drawing((240, 240, 240), things)
    assert mean_similarity(model, frames, sentence, masks[named]) > 0.6


@pytest.mark.parametrize("entry", EXAMPLES, ids=lambda entry: entry["expression"])
def test_the_examples_of_the_page_are_answered_well(model: Segmenter, entry: dict[str, str]) -> None:
    frames, masks = sampled(entry)
    assert verdict(model, frames, entry["expression"]).present == masks.any()
    if masks.any():
        assert mean_similarity(model, frames, entry["expression"], masks) > 0.6


@pytest.mark.parametrize("usual", ["the dog moving left", "the cat", "the car that moves right", "the ice cream"])
def test_a_rare_word_is_read_as_the_usual_one(model: Segmenter, usual: str) -> None:
    read_as = {"moving": "running", "dog": "dogs", "cat": "cats", "moves": "drives", "car": "cars", "cream": "creams"}
    rare = " ".join(read_as.get(word, word) for word in usual.split())
    assert rare != usual
    frames, _ = drawing((240, 240, 240), {"red": (circle(60, 90, 32, 2), RED)})
    answers = [model.encode_clip(frames, model.tokenizer.encode(sentence)).prior for sentence in (usual, rare)]
    assert np.array_equal(*answers)


@pytest.mark.parametrize("sentence", ["the dog running to the left", "the dog that runs left", "a dog walking left"])
def test_a_dog_may_run(model: Segmenter, sentence: str) -> None:
    (entry,) = (entry for entry in EXAMPLES if entry["expression"] == "the dog moving left")
    frames, masks = sampled(entry)
    assert verdict(model, frames, sentence).present
    assert mean_similarity(model, frames, sentence, masks) > 0.6


def test_held_out_clips(model: Segmenter) -> None:
    scores = evaluate(model, validation_clips(12, seed=1000, frames=8))
    assert scores.mean("masks").J_and_F > 0.5
    assert scores.mean("masks").J_and_F > scores.mean("chance").J_and_F + 0.1


def test_each_part_matters(model: Segmenter) -> None:
    things = {"red": (circle(60, 60, 26, 3), RED), "yellow": (square(180, 120, 26, -2), YELLOW)}
    frames, _ = drawing((90, 90, 90), things)
    whole = [r.probability for r in model.segment(frames, "the red circle")]
    for part in ("prior", "global_context", "history"):
        without = [r.probability for r in model.segment(frames, "the red circle", without={part})]
        assert max(float(np.abs(a - b).max()) for a, b in zip(whole, without, strict=True)) > 0.01


def test_checkpoint_is_small_and_knows_its_words(model: Segmenter) -> None:
    assert sum(file.stat().st_size for file in FOLDER.iterdir()) <= 25e6
    assert model.tokenizer.unknown_words(" ".join(synthetic.VOCABULARY)) == []
    assert model.tokenizer.unknown_words("the red wombat") == ["wombat"]
