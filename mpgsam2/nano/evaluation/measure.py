"""Let a model answer the sentences of clips, and measure what it answers."""

from __future__ import annotations

from collections.abc import Iterable

import cv2
import numpy as np

from mpgsam2.errors import InputError
from mpgsam2.inference.config import CalibrationConfig
from mpgsam2.inference.results import FrameResult
from mpgsam2.inference.segmenter import Segmenter
from mpgsam2.inference.verdict import conclude
from mpgsam2.metrics import contour_accuracy, region_similarity
from mpgsam2.nano.evaluation.clips import sentences
from mpgsam2.nano.evaluation.scores import Frames, Quality, Scores, SentenceScore
from mpgsam2.nano.synthetic import Expression, SyntheticClip

UNHIDDEN_SHARE = 0.9  # part of a thing that is to be seen in every frame, lest it count as occluded


def evaluate(
    model: Segmenter,
    clips: Iterable[SyntheticClip],
    *,
    expressions: int = 1,
    oracle_prior: bool = False,
    without: frozenset[str] = frozenset(),
) -> Scores:
    """Score a model on clips of the synthetic world.

    Args:
        model: with its tokenizer.
        clips: at least one; each is held only while it is scored.
        expressions: how many of each clip's sentences that name something are taken at most, see `clips.sentences`;
            those that name nothing are always taken.
        oracle_prior: give the tracker the true mask, at the prior's resolution, in place of the prior: what the tracker
            could make of a perfect prior.
        without: parts of the network to switch off, see `MPGSAM2.track`.

    Raises:
        InputError: there is no clip, `expressions` is below 1, or there is no such part.
    """
    if expressions < 1:
        raise InputError("An evaluation needs at least one expression a clip.")
    scores = []
    for index, clip in enumerate(clips):
        for expression in sentences(clip, expressions):
            results = answer(model, clip, expression, oracle_prior=oracle_prior, without=without)
            scores.append(_score(index, clip, expression, results, model.inference.calibration))
    if not scores:
        raise InputError("An evaluation needs at least one clip to score.")
    return Scores(tuple(scores))


def answer(
    model: Segmenter,
    clip: SyntheticClip,
    expression: Expression,
    *,
    oracle_prior: bool = False,
    without: frozenset[str] = frozenset(),
) -> list[FrameResult]:
    """Return what the model answers to a sentence, frame by frame; the arguments are those of `evaluate`."""
    oracle = {"prior": _oracle(model, clip.mask(expression.target))} if oracle_prior else {}
    return list(model.segment(clip.frames, expression.text, without=without, **oracle))


def _score(
    index: int, clip: SyntheticClip, expression: Expression, results: list[FrameResult], calibration: CalibrationConfig
) -> SentenceScore:
    truth = clip.mask(expression.target)
    things = [clip.mask(thing) for thing in range(len(clip.things))]
    masks = np.stack([result.mask for result in results])
    priors = np.stack([_enlarge(result.prior, truth.shape[1:]) >= 0.5 for result in results])
    areas = truth.sum(axis=(1, 2))
    visible, found = areas > 0, np.any(masks, axis=(1, 2)).tolist()
    object_scores = [result.object_score for result in results]
    area = areas[visible].mean() if visible.any() else 0.0
    return SentenceScore(
        clip=index,
        expression=expression.text,
        kind=expression.kind,
        target=expression.target,
        size=float(2 * np.sqrt(area / np.pi) / truth.shape[1]),
        occluded=expression.target is not None and bool((clip.seen[:, expression.target] < UNHIDDEN_SHARE).any()),
        taken=_most([int((masks & thing).sum()) for thing in things]),
        masks=_quality(masks, truth),
        prior=_quality(priors, truth),
        chance=Quality.mean(_quality(thing, truth) for thing in things),
        frames=Frames(
            visible=tuple(visible.tolist()),
            found=tuple(found),
            object_score=tuple(object_scores),
            predicted_iou=tuple(result.iou for result in results),
            iou=tuple(region_similarity(masks, truth).tolist()),
        ),
        verdict=conclude(found, object_scores, calibration),
    )


def _most(amounts: list[int]) -> int | None:
    """Return the index of the one largest amount above 0, if there is one."""
    most = max(amounts)
    return amounts.index(most) if most > 0 and amounts.count(most) == 1 else None


def _quality(prediction: np.ndarray, truth: np.ndarray) -> Quality:
    """Return the mean over the frames of two (T, H, W) bool arrays."""
    scores = region_similarity(prediction, truth), contour_accuracy(prediction, truth)
    return Quality(*(float(score.mean()) for score in scores))


def _enlarge(prior: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Enlarge (g, g) float to (H, W) float, bilinear."""
    return cv2.resize(prior, size[::-1], interpolation=cv2.INTER_LINEAR)


def _oracle(model: Segmenter, truth: np.ndarray) -> np.ndarray:
    """Return T × g × g float32: the part of each of the prior's cells that the mask covers; truth (T, H, W) bool."""
    grid = (model.config.encoder.grid,) * 2
    return np.stack([cv2.resize(np.float32(mask), grid, interpolation=cv2.INTER_AREA) for mask in truth])
