"""Scores on the synthetic world: what they count, what they are compared with, and on which clips."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

import mpgsam2
from mpgsam2 import InputError
from mpgsam2.export.tiles import CAPTION, PANEL
from mpgsam2.inference.config import CalibrationConfig, InferenceConfig
from mpgsam2.inference.verdict import conclude
from mpgsam2.metrics import region_similarity
from mpgsam2.nano import synthetic
from mpgsam2.nano.evaluation import (
    EVALUATION_SEED_OFFSET,
    THING_CLIPS,
    Frames,
    Quality,
    Scores,
    SentenceScore,
    calibration_clips,
    contact_sheet,
    evaluate,
    sentences,
    summarise,
    table,
    validation_clips,
)
from mpgsam2.nano.evaluation.sheet import chosen
from mpgsam2.nano.evaluation.summary import calibration_error, groups
from mpgsam2.nano.synthetic import Expression
from mpgsam2.network.config import NANO

GRID = 8
NOTHING = np.zeros((4, 64, 96), bool)


@pytest.fixture
def clip() -> synthetic.SyntheticClip:
    """Two still squares, the second only in the first two of four frames; a sentence for each, and one for nothing."""
    labels = np.zeros((4, 64, 96), np.uint8)
    labels[:, 8:40, 8:40] = 1
    labels[:2, 16:24, 56:64] = 2
    return synthetic.SyntheticClip(
        frames=np.zeros((4, 64, 96, 3), np.uint8),
        labels=labels,
        seen=np.float32([[1, 1], [0.95, 1], [1, 0], [1, 0]]),
        things=synthetic.render_clip(0).things[:2],
        expressions=(
            Expression("the first", "position", 0),
            Expression("the second", "appearance", 1),
            Expression("the third", "appearance", None),
        ),
        fps=8.0,
    )


class Answering:
    """A model that answers with the masks it was told, and a prior that is their share of each cell."""

    def __init__(self, answers: dict[str, np.ndarray], object_score: float = 0.75, iou: float = 0.5) -> None:
        self.answers, self.object_score, self.iou = answers, object_score, iou
        self.without: list[frozenset[str]] = []
        self.config, self.inference = NANO, InferenceConfig()

    def segment(self, frames: np.ndarray, expression: str, *, without: frozenset[str]) -> Iterator[SimpleNamespace]:
        self.without.append(without)
        for mask in self.answers.get(expression, np.zeros(frames.shape[:3], bool)):
            prior = cv2.resize(np.float32(mask), (GRID, GRID), interpolation=cv2.INTER_AREA)
            score = self.object_score if mask.any() else 1 - self.object_score
            yield SimpleNamespace(mask=mask, prior=prior, object_score=score, iou=self.iou)


@pytest.fixture
def right(clip: synthetic.SyntheticClip) -> Answering:
    return Answering({"the first": clip.mask(0), "the second": clip.mask(1)})


def row(**changes: object) -> SentenceScore:
    """The score of a sentence of one frame, all of it right."""
    frames = changes.get("frames", Frames((True,), (True,), (1.0,), (1.0,), (1.0,)))
    best, verdict = Quality(1.0, 1.0), conclude(frames.found, frames.object_score)
    return replace(SentenceScore(0, "a", "motion", 0, 0.15, False, 0, best, best, best, frames, verdict), **changes)


# --------------------------------------------------------------------------------------------------------- sentences


def test_perfect_masks_score_1_and_their_coarse_prior_less(clip: synthetic.SyntheticClip, right: Answering) -> None:
    scores = evaluate(right, [clip], expressions=2)
    assert scores.mean("masks") == (1.0, 1.0)
    assert 0.5 < scores.mean("prior").J < 1.0


def test_means_are_over_frames_then_sentences_that_name_something(clip: synthetic.SyntheticClip) -> None:
    # Right in all frames; right only in the last two, where the thing is gone; wrong, but about nothing.
    answers = {"the first": clip.mask(0), "the second": NOTHING, "the third": clip.mask(0)}
    scores = evaluate(Answering(answers), [clip, clip, clip], expressions=2)
    assert [(s.clip, s.target) for s in scores.sentences] == [(c, t) for c in range(3) for t in (0, 1, None)]
    assert scores.mean("masks", "position") == (1.0, 1.0)
    assert scores.mean("masks", "appearance") == (0.5, 0.5)
    assert scores.mean("masks").J_and_F == 0.75


def test_a_clip_is_asked_its_first_sentences_and_those_that_name_nothing(
    clip: synthetic.SyntheticClip, right: Answering
) -> None:
    assert [e.text for e in sentences(clip)] == ["the first", "the third"]
    assert [e.text for e in sentences(clip, 5)] == ["the first", "the second", "the third"]
    scores = evaluate(right, [clip])
    assert [(s.expression, s.kind) for s in scores.naming] == [("the first", "position")]
    assert [s.expression for s in scores.absent] == ["the third"]


def test_chance_is_a_thing_picked_at_random(clip: synthetic.SyntheticClip, right: Answering) -> None:
    chance = evaluate(right, [clip], expressions=2)
    # The other thing never meets the first; the second is gone in half of the frames, the other one never.
    assert chance.mean("chance", "position") == (0.5, 0.5)
    assert chance.mean("chance", "appearance") == (0.5, 0.5)


def test_size_and_occlusion_are_those_of_what_is_named(clip: synthetic.SyntheticClip, right: Answering) -> None:
    first, second, third = evaluate(right, [clip], expressions=2).sentences
    assert first.size == pytest.approx(2 * 32 / np.pi**0.5 / 64)
    assert second.size == pytest.approx(2 * 8 / np.pi**0.5 / 64)  # in the two frames in which it is there
    assert (third.size, third.occluded) == (0.0, False)
    assert not first.occluded and second.occluded
    hidden = replace(clip, seen=np.float32([[1, 1], [0.89, 1], [1, 1], [1, 1]]))
    assert [s.occluded for s in evaluate(right, [hidden], expressions=2).naming] == [True, False]


def test_the_thing_taken_is_the_one_that_masks_cover_most_of(clip: synthetic.SyntheticClip) -> None:
    most = clip.mask(1) | NOTHING
    most[0, 8:10, 8:40] = True  # 64 pixels of the first, and the second's 128
    even = clip.mask(1).copy()
    even[0, 8:12, 8:40] = True  # 128 of each
    for answer, taken in [(clip.mask(0), 0), (most, 1), (even, None), (NOTHING, None)]:
        score, _ = evaluate(Answering({"the first": answer}), [clip]).sentences
        assert score.taken == taken


def test_frames_say_what_was_there_and_what_was_found(clip: synthetic.SyntheticClip) -> None:
    answer = clip.mask(1).copy()
    answer[1], answer[2, :8, :8] = False, True
    _, second, third = evaluate(Answering({"the second": answer}), [clip], expressions=2).sentences
    assert second.frames == Frames(
        visible=(True, True, False, False),
        found=(True, False, True, False),
        object_score=(0.75, 0.25, 0.75, 0.25),
        predicted_iou=(0.5, 0.5, 0.5, 0.5),
        iou=(1.0, 0.0, 0.0, 1.0),
    )
    assert third.frames.visible == third.frames.found == (False,) * 4
    assert (second.judged_rightly, third.judged_rightly) == (True, True)
    assert json.loads(json.dumps(second.to_dict()))["frames"]["found"] == [True, False, True, False]
    assert second.to_dict()["verdict"] == {"present": True, "presence": pytest.approx(0.75)}


def test_the_verdict_is_at_the_model_s_calibration(clip: synthetic.SyntheticClip, right: Answering) -> None:
    # The object scores are 0.75, whose logit is 1.1, and 0.25.
    right.inference = InferenceConfig(calibration=CalibrationConfig(verdict_shift=1.2))
    assert [s.judged_rightly for s in evaluate(right, [clip]).sentences] == [False, True]
    right.inference = InferenceConfig(calibration=CalibrationConfig(verdict_shift=1.0))
    assert [s.judged_rightly for s in evaluate(right, [clip]).sentences] == [True, True]


def test_parts_are_switched_off_where_asked(clip: synthetic.SyntheticClip, right: Answering) -> None:
    evaluate(right, [clip], without=frozenset({"prior"}))
    assert right.without == [{"prior"}] * 2


# ----------------------------------------------------------------------------------------------------------- figures


def test_groups_by_kind_size_and_view() -> None:
    rows = [
        row(size=0.05, kind="appearance"),
        row(size=0.1, taken=1),
        row(size=0.2, occluded=True),
        row(size=0.4, taken=None, masks=Quality(0.25, 0.5)),
        row(target=None, size=0.0, kind="appearance"),
    ]
    found = groups(Scores(tuple(rows)))
    assert found["kinds"] == {"appearance": rows[:1], "motion": rows[1:4]}
    assert list(found["sizes"].values()) == [[rows[0]], [rows[1]], [rows[2]], [rows[3]]]
    assert found["views"] == {"in full view": [rows[0], rows[1], rows[3]], "occluded": [rows[2]]}
    figures = summarise(Scores(tuple(rows)))
    assert figures["overall"]["named"] == 50.0
    assert figures["kinds"]["motion"]["named"] == pytest.approx(33.33)
    assert figures["kinds"]["motion"]["masks"] == {"J&F": 79.17, "J": 75.0, "F": 83.33}


def test_presence_verdicts_and_reliability() -> None:
    # One mask right and one where the thing is gone; none, wrongly; one, though nothing is named; none, rightly.
    visible, gone = (True, True, False, False), (False,) * 4
    twice = Frames(visible, (True, False, True, False), (0.9, 0.3, 0.7, 0.1), (0.5,) * 4, (0.8, 0.0, 0.0, 1.0))
    never = Frames(visible, gone, (0.1,) * 4, (0.5,) * 4, (0.0, 0.0, 1.0, 1.0))
    wrong = Frames(gone, (True, False, False, False), (0.9, 0.1, 0.1, 0.1), (0.5,) * 4, (0.0, 1.0, 1.0, 1.0))
    empty = Frames(gone, gone, (0.1,) * 4, (0.5,) * 4, (1.0,) * 4)
    rows = [row(frames=twice), row(frames=never), row(target=None, frames=wrong), row(target=None, frames=empty)]
    figures = summarise(Scores(tuple(rows)))
    assert figures["present"] == {
        "sentences": 2,
        "wrongly_empty": 50.0,
        "frames_with_it_empty": 75.0,
        "frames_without_it_empty": 75.0,
    }
    assert figures["absent"] == {"sentences": 2, "empty": 50.0, "nearly_empty": 50.0, "frames_empty": 87.5}
    assert figures["verdict"] == {"right": 50.0, "right_on_present": 50.0, "right_on_absent": 50.0}
    # Of the 12 frames scored 0.1, 2 show it; the others: 0.3 does, 0.7 does not, of two of 0.9 one does.
    off = (abs(12 * 0.1 - 2) + 0.7 + 0.7 + abs(2 * 0.9 - 1)) / 16
    assert figures["reliability"]["object_score_error"] == round(100 * off, 2)
    assert figures["reliability"]["predicted_iou_error"] == pytest.approx(100 * (0.3 + 0.5 + 0.5) / 3, abs=0.01)


def test_nine_frames_of_ten_are_nearly_all() -> None:
    found = [tuple(t < count for t in range(10)) for count in (0, 1, 2)]
    rest = ((False,) * 10, (0.0,) * 10, (0.0,) * 10, (1.0,) * 10)
    rows = [row(target=None, frames=Frames(rest[0], masks, *rest[1:])) for masks in found]
    figures = summarise(Scores((row(), *rows)))["absent"]
    assert (figures["empty"], figures["nearly_empty"], figures["frames_empty"]) == (33.33, 66.67, 90.0)


def test_calibration_error_is_weighed_by_the_frames_of_each_tenth() -> None:
    probability = np.array([0.0, 0.05, 0.05, 0.05, 0.62, 0.68, 1.0, 1.0])
    truth = np.array([False, False, False, True, True, True, True, False])
    assert calibration_error(probability, truth) == pytest.approx((0.85 + 0.7 + 1) / 8)
    assert calibration_error(np.array([0.0, 1.0]), np.array([False, True])) == 0


def test_figures_of_nothing_are_none_and_a_dash() -> None:
    scores = Scores((row(),))
    figures = json.loads(json.dumps(summarise(scores)))
    assert figures["absent"] == {"sentences": 0, "empty": None, "nearly_empty": None, "frames_empty": None}
    assert figures["present"]["frames_without_it_empty"] is None
    assert "frames empty –" in table(scores)


def test_a_table_has_a_row_for_each_group() -> None:
    scores = Scores((row(masks=Quality(0.25, 0.5), taken=1), row(kind="appearance", size=0.5, occluded=True)))
    lines = table(scores).splitlines()
    names = [line[:14].strip() for line in lines[2:9]]
    assert names == ["appearance", "motion", "10–20 %", "above 35 %", "in full view", "occluded", "all"]
    assert lines[8].split() == ["all", "2", "68.8", "62.5", "75.0", *["100.0"] * 6, "50.0"]


# ------------------------------------------------------------------------------------------------------------- clips


def test_validation_clips_follow_their_seed_beyond_training() -> None:
    assert EVALUATION_SEED_OFFSET >= 2**31
    first, second = validation_clips(2, seed=3, frames=2)
    (again,) = validation_clips(1, seed=4, frames=2)
    assert len(first.frames) == len(second.frames) == 2
    assert not np.array_equal(first.labels, second.labels)
    assert np.array_equal(second.frames, again.frames) and second.expressions == again.expressions


def test_the_published_set_has_300_clips_each_with_a_sentence_that_names_nothing() -> None:
    clips = validation_clips()
    assert (len(clips), clips.first, clips.lengths) == (300, EVALUATION_SEED_OFFSET, (16,))
    assert clips.world == replace(synthetic.FULL, absent=1.0)
    assert validation_clips(family="held-out").world == replace(synthetic.HELD_OUT, absent=1.0)
    with pytest.raises(IndexError):
        clips[300]
    asked = [[expression.target is None for expression in sentences(clip)] for clip in validation_clips(3)]
    assert asked == [[False, True]] * 3


def test_clips_of_everyday_things_are_of_three_lengths(atlas: Path) -> None:
    clips = validation_clips(THING_CLIPS, family="things")
    assert len(clips) == 400 and clips.world == replace(synthetic.THINGS, absent=1.0)
    assert [len(clips[i].frames) for i in (0, 1, 2, 3)] == [16, 32, 48, 16]
    assert len(validation_clips(3, family="things-held-out", frames=2)[2].frames) == 2


def test_calibration_clips_are_no_validation_clips() -> None:
    clips = calibration_clips(2)
    assert clips.first == EVALUATION_SEED_OFFSET + 2**20 and clips.world == validation_clips().world
    validation_clips(1, seed=2**20 - 1)
    with pytest.raises(InputError, match="1048575"):
        validation_clips(2, seed=2**20 - 1)


@pytest.mark.parametrize("numbers", [(1, -1, 1), (0, 0, 1), (1, 0, 0)])
def test_numbers_out_of_range_are_refused_at_the_call(numbers: tuple[int, int, int]) -> None:
    count, seed, frames = numbers
    with pytest.raises(InputError, match="at least one"):
        validation_clips(count, seed=seed, frames=frames)


@pytest.mark.parametrize(("clips", "expressions"), [([], 1), (["clip"], 0)])
def test_nothing_to_score_is_an_input_error(clip: synthetic.SyntheticClip, clips: list, expressions: int) -> None:
    with pytest.raises(InputError, match="at least one"):
        evaluate(Answering({}), [clip for _ in clips], expressions=expressions)


# ------------------------------------------------------------------------------------------------------------- sheet


def test_a_sheet_shows_the_worst_some_of_all_and_the_worst_that_name_nothing() -> None:
    named = [row(masks=Quality(j / 10, j / 10)) for j in (3, 9, 1, 5, 7)]
    absent = [row(target=None, masks=Quality(j, j)) for j in (1.0, 0.5)]
    shown = chosen(Scores((*absent, *named)), 2)
    assert [s.masks.J for s in shown] == [0.1, 0.3, 0.9, 0.5, 1.0]
    assert [s.target for s in shown] == [0, 0, 0, None, None]


def test_a_sheet_shows_true_outline_prior_and_mask(clip: synthetic.SyntheticClip) -> None:
    wrong = Answering({"the first": clip.mask(1), "the third": clip.mask(0)})
    sheet = contact_sheet(wrong, [clip], evaluate(wrong, [clip]), each=1)
    width, height = PANEL
    assert sheet.shape == (height + CAPTION, 2 * (3 * width + 12) + 24, 3)
    assert (sheet[:CAPTION] < 128).any(axis=2).any(axis=1).any()
    frame, prior, mask = (sheet[CAPTION:, x : x + width].reshape(-1, 3) for x in (0, width + 6, 2 * (width + 6)))
    outlined, taken = ({tuple(colour) for colour in panel} for panel in (frame, mask))
    assert (230, 159, 0) in outlined and (86, 180, 233) not in outlined
    assert (86, 180, 233) in taken and (230, 159, 0) not in taken
    assert len(np.unique(prior, axis=0)) > 10


# ----------------------------------------------------------------------------------------------------------- network


def test_nano_scores_the_same_each_time(model: mpgsam2.Segmenter, scene: synthetic.SyntheticClip) -> None:
    scores = evaluate(model, [scene])
    assert scores == evaluate(model, [scene])
    assert all(0 <= figure <= 1 for answer in ("masks", "prior") for figure in scores.mean(answer))
    assert scores != evaluate(model, [scene], without=frozenset({"prior"}))


@pytest.mark.parametrize(
    ("window", "interleaved", "lengths"), [(None, False, [5]), (2, False, [2, 2, 1]), (2, True, [5])]
)
def test_the_oracle_gives_the_tracker_the_true_mask(
    model: mpgsam2.Segmenter,
    scene: synthetic.SyntheticClip,
    monkeypatch: pytest.MonkeyPatch,
    window: int | None,
    interleaved: bool,
    lengths: list[int],
) -> None:
    model = model.configured(window=window, interleaved=interleaved)
    scene = replace(scene, expressions=scene.expressions[:1])
    seen = []
    track = model.network.track_several

    def listening(frames: object, contexts: list, without: list) -> Iterator:
        seen.extend(context.prior for context in contexts)
        return track(frames, contexts, without)

    monkeypatch.setattr(model.network, "track_several", listening)
    truth = scene.mask(scene.expressions[0].target)
    scores = evaluate(model, [scene], oracle_prior=True)
    grid = model.config.encoder.grid
    expected = [cv2.resize(np.float32(mask), (grid, grid), interpolation=cv2.INTER_AREA) for mask in truth]
    assert [len(prior) for prior in seen] == lengths
    assert np.array_equal(np.concatenate(seen)[:, 0], expected)
    enlarged = [cv2.resize(prior, truth.shape[:0:-1], interpolation=cv2.INTER_LINEAR) >= 0.5 for prior in expected]
    best_prior = region_similarity(np.stack(enlarged), truth).mean()
    np.testing.assert_allclose(scores.mean("prior").J, best_prior)
    assert scores.mean("masks") != evaluate(model, [scene]).mean("masks")
