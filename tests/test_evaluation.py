"""Scores on the synthetic world: what they count, what they are compared with, and on which clips."""

from __future__ import annotations

import json
from collections.abc import Iterator
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

import mpgsam2
from mpgsam2 import InputError, synthetic
from mpgsam2.evaluation import EVALUATION_SEED_OFFSET, Quality, Scores, SentenceScore, evaluate, held_out_clips
from mpgsam2.metrics import region_similarity
from mpgsam2.synthetic import Expression

GRID = 8


@pytest.fixture
def clip() -> synthetic.Clip:
    """Two still squares far apart, the second only in the first two of four frames; a sentence for each."""
    labels = np.zeros((4, 64, 96), np.uint8)
    labels[:, 8:40, 8:40] = 1
    labels[:2, 16:48, 56:88] = 2
    things = synthetic.render_clip(0).things[:2]
    sentences = (Expression("the first", "position", 0), Expression("the second", "appearance", 1))
    return synthetic.Clip(np.zeros((4, 64, 96, 3), np.uint8), labels, things, sentences, 8.0)


class Answering:
    """A model that answers with the masks it was told, and a prior that is their share of each cell."""

    def __init__(self, answers: dict[str, np.ndarray]) -> None:
        self.answers = answers

    def segment(self, frames: np.ndarray, expression: str) -> Iterator[SimpleNamespace]:
        for mask in self.answers[expression]:
            prior = cv2.resize(np.float32(mask), (GRID, GRID), interpolation=cv2.INTER_AREA)
            yield SimpleNamespace(mask=mask, prior=prior)


def test_perfect_masks_score_1_and_their_coarse_prior_less(clip: synthetic.Clip) -> None:
    scores = evaluate(Answering({"the first": clip.mask(0), "the second": clip.mask(1)}), [clip], expressions=2)
    assert scores.mean("masks") == (1.0, 1.0)
    assert 0.7 < scores.mean("prior").J < 1.0


def test_means_are_over_frames_then_sentences(clip: synthetic.Clip) -> None:
    # Right in all frames; right in the last two, where the thing is gone, and wrong before.
    answers = {"the first": clip.mask(0), "the second": np.zeros_like(clip.mask(1))}
    scores = evaluate(Answering(answers), [clip, clip, clip], expressions=2)
    assert len(scores.sentences) == 6
    assert scores.kinds == ["appearance", "position"]
    assert scores.mean("masks", "position") == (1.0, 1.0)
    assert scores.mean("masks", "appearance") == (0.5, 0.5)
    assert scores.mean("masks").J_and_F == 0.75


def test_one_expression_a_clip_is_the_first(clip: synthetic.Clip) -> None:
    scores = evaluate(Answering({"the first": clip.mask(0)}), [clip])
    assert [(s.expression, s.kind) for s in scores.sentences] == [("the first", "position")]


def test_chance_is_a_thing_picked_at_random(clip: synthetic.Clip) -> None:
    answers = {"the first": clip.mask(0), "the second": clip.mask(1)}
    chance = evaluate(Answering(answers), [clip], expressions=2)
    # The other thing never meets the first; the second is gone in half of the frames, the other one never.
    assert chance.mean("chance", "position") == (0.5, 0.5)
    assert chance.mean("chance", "appearance") == (0.5, 0.5)


def test_scores_in_percent_as_table_and_json() -> None:
    low, high = Quality(0.25, 0.5), Quality(1.0, 0.5)
    scores = Scores((SentenceScore("a", "motion", low, high, low), SentenceScore("b", "appearance", high, high, low)))
    values = json.loads(json.dumps(scores.to_dict()))
    assert values["overall"]["sentences"] == 2
    assert values["overall"]["masks"] == {"J&F": 56.25, "J": 62.5, "F": 50.0}
    assert list(values["kinds"]) == ["appearance", "motion"]
    assert values["kinds"]["motion"]["masks"] == {"J&F": 37.5, "J": 25.0, "F": 50.0}
    figures = ["56.2", "62.5", "50.0", "75.0", "100.0", "50.0", "37.5", "25.0", "50.0"]
    assert scores.table().splitlines()[-1].split() == ["all", "2", *figures]


def test_held_out_clips_follow_their_seed_beyond_training() -> None:
    assert EVALUATION_SEED_OFFSET >= 2**31
    first, second = held_out_clips(3, 2, frames=2)
    (again,) = held_out_clips(4, 1, frames=2)
    assert len(first.frames) == len(second.frames) == 2
    assert not np.array_equal(first.labels, second.labels)
    assert np.array_equal(second.frames, again.frames) and second.expressions == again.expressions


def test_nano_scores_the_same_each_time(model: mpgsam2.MPGSAM2, scene: synthetic.Clip) -> None:
    scores = evaluate(model, [scene])
    assert scores == evaluate(model, [scene])
    assert all(0 <= figure <= 1 for answer in ("masks", "prior") for figure in scores.mean(answer))


@pytest.mark.parametrize("window", [None, 2])
def test_the_oracle_gives_the_tracker_the_true_mask(
    model: mpgsam2.MPGSAM2, scene: synthetic.Clip, monkeypatch: pytest.MonkeyPatch, window: int | None
) -> None:
    monkeypatch.setattr(model, "window", window)
    seen = []
    track = model.track

    def listening(frames: np.ndarray, context: tuple, **options: frozenset[str]) -> Iterator:
        seen.append(context.prior)
        return track(frames, context, **options)

    monkeypatch.setattr(model, "track", listening)
    truth = scene.mask(scene.expressions[0].target)
    scores = evaluate(model, [scene], oracle_prior=True)
    grid = model.config.encoder.grid
    expected = [cv2.resize(np.float32(mask), (grid, grid), interpolation=cv2.INTER_AREA) for mask in truth]
    assert [len(prior) for prior in seen] == ([5] if window is None else [2, 2, 1])
    assert np.array_equal(np.concatenate(seen)[:, 0], expected)
    enlarged = [cv2.resize(prior, truth.shape[:0:-1], interpolation=cv2.INTER_LINEAR) >= 0.5 for prior in expected]
    best_prior = region_similarity(np.stack(enlarged), truth).mean()
    np.testing.assert_allclose(scores.mean("prior").J, best_prior)
    assert scores.mean("masks") != evaluate(model, [scene]).mean("masks")


@pytest.mark.parametrize(("clips", "expressions"), [([], 1), (["clip"], 0)])
def test_nothing_to_score_is_an_input_error(clip: synthetic.Clip, clips: list, expressions: int) -> None:
    with pytest.raises(InputError, match="at least one"):
        evaluate(Answering({}), [clip for _ in clips], expressions=expressions)


@pytest.mark.parametrize("numbers", [(-1, 1, 1), (0, 0, 1), (0, 1, 0)])
def test_numbers_out_of_range_are_refused_at_the_call(numbers: tuple[int, int, int]) -> None:
    with pytest.raises(InputError, match="at least one"):
        held_out_clips(*numbers)
