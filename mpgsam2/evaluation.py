"""How well a model does on the synthetic world: J and F by kind of sentence.

Three answers are scored side by side: the masks, the mask prior alone, and chance, a thing of the clip picked at random
and outlined perfectly. A sentence's score is the mean over its frames, a set's the mean over its sentences.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import cv2
import numpy as np
import torch

from mpgsam2.errors import InputError
from mpgsam2.metrics import contour_accuracy, region_similarity
from mpgsam2.network.model import MPGSAM2
from mpgsam2.results import FrameResult
from mpgsam2.synthetic import FULL, KINDS, Clip, Expression, render_clip

EVALUATION_SEED_OFFSET = 2**40
"""Held-out clips have seeds from here upwards; training must keep below."""

ANSWERS = ("masks", "prior", "chance")
"""What is scored."""


class Quality(NamedTuple):
    """J and F, each in 0..1."""

    J: float
    F: float

    @property
    def J_and_F(self) -> float:
        """Their mean."""
        return (self.J + self.F) / 2

    @classmethod
    def mean(cls, qualities: Iterable[Quality]) -> Quality:
        """The mean of at least one."""
        return cls(*(float(x) for x in np.mean(list(qualities), axis=0)))

    def percent(self) -> dict[str, float]:
        """J&F, J and F in percent, as papers give them."""
        return {"J&F": round(100 * self.J_and_F, 2), "J": round(100 * self.J, 2), "F": round(100 * self.F, 2)}


@dataclass(frozen=True)
class SentenceScore:
    """One sentence of one clip; `masks`, `prior` and `chance` are means over the frames."""

    expression: str
    kind: str
    masks: Quality
    prior: Quality
    chance: Quality


@dataclass(frozen=True)
class Scores:
    """All sentences of an evaluation."""

    sentences: tuple[SentenceScore, ...]

    @property
    def kinds(self) -> list[str]:
        """The kinds of sentence that came up, in the order of `synthetic.KINDS`."""
        return [kind for kind in KINDS if any(sentence.kind == kind for sentence in self.sentences)]

    def mean(self, answer: str = "masks", kind: str | None = None) -> Quality:
        """The mean over the sentences, or over those of one kind.

        Args:
            answer: one of `ANSWERS`.
            kind: one of `kinds`; None for all.
        """
        return Quality.mean(getattr(s, answer) for s in self.sentences if kind in (None, s.kind))

    def to_dict(self) -> dict[str, Any]:
        """Scores in percent and numbers of sentences, overall and by kind, as JSON can hold them."""
        return {"overall": self._group(None), "kinds": {kind: self._group(kind) for kind in self.kinds}}

    def _group(self, kind: str | None) -> dict[str, Any]:
        count = sum(kind in (None, sentence.kind) for sentence in self.sentences)
        return {"sentences": count, **{answer: self.mean(answer, kind).percent() for answer in ANSWERS}}

    def table(self) -> str:
        """The same as text, one row per kind of sentence."""
        figures = ("J&F", "J", "F")
        lines = [
            f"{'percent':<19}" + "".join(f"{answer:<21}" for answer in ANSWERS).rstrip(),
            f"{'':<12}{'n':>4}   " + "   ".join("".join(f"{figure:>6}" for figure in figures) for _ in ANSWERS),
        ]
        for kind in (*self.kinds, None):
            group = self._group(kind)
            cells = ("".join(f"{group[answer][figure]:6.1f}" for figure in figures) for answer in ANSWERS)
            lines.append(f"{kind or 'all':<12}{group['sentences']:>4}   " + "   ".join(cells))
        return "\n".join(lines)


def held_out_clips(seed: int, count: int, frames: int = 16) -> Iterator[Clip]:
    """Clips of the full world that training never sees, the same for the same seed.

    Args:
        seed: of the first clip, from 0; the next ones follow it.
        count: number of clips.
        frames: of each clip.

    Raises:
        InputError: a number is out of its range; raised at the call.
    """
    if seed < 0 or count < 1 or frames < 1:
        raise InputError("An evaluation needs a seed from 0, and at least one clip of at least one frame.")
    first = EVALUATION_SEED_OFFSET + seed
    world = replace(FULL, frames=frames)
    return (render_clip(clip_seed, world) for clip_seed in range(first, first + count))


def evaluate(model: MPGSAM2, clips: Iterable[Clip], *, expressions: int = 1, oracle_prior: bool = False) -> Scores:
    """Score a model on clips of the synthetic world.

    Args:
        model: with its tokenizer.
        clips: at least one; each is held only while it is scored.
        expressions: how many of each clip's sentences are taken at most; the first has its kind by the world's weights.
        oracle_prior: give the tracker the true mask, at the prior's resolution, in place of the prior: what the tracker
            could make of a perfect prior.

    Raises:
        InputError: there is no clip, or `expressions` is below 1.
    """
    if expressions < 1:
        raise InputError("An evaluation needs at least one expression a clip.")
    sentences = [
        _score(model, clip, expression, oracle_prior) for clip in clips for expression in clip.expressions[:expressions]
    ]
    if not sentences:
        raise InputError("An evaluation needs at least one clip to score.")
    return Scores(tuple(sentences))


def _score(model: MPGSAM2, clip: Clip, expression: Expression, oracle_prior: bool) -> SentenceScore:
    truth = clip.mask(expression.target)
    if oracle_prior:
        results = list(_segment_with_oracle(model, clip.frames, expression.text, truth))
    else:
        results = list(model.segment(clip.frames, expression.text))
    priors = np.stack([_enlarge(result.prior, truth.shape[1:]) >= 0.5 for result in results])
    return SentenceScore(
        expression=expression.text,
        kind=expression.kind,
        masks=_quality(np.stack([result.mask for result in results]), truth),
        prior=_quality(priors, truth),
        chance=Quality.mean(_quality(clip.mask(thing), truth) for thing in range(len(clip.things))),
    )


def _quality(prediction: np.ndarray, truth: np.ndarray) -> Quality:
    """The mean over the frames of two (T, H, W) bool arrays."""
    scores = region_similarity(prediction, truth), contour_accuracy(prediction, truth)
    return Quality(*(float(score.mean()) for score in scores))


def _enlarge(prior: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """(g, g) float → (H, W) float, bilinear."""
    return cv2.resize(prior, size[::-1], interpolation=cv2.INTER_LINEAR)


def _segment_with_oracle(
    model: MPGSAM2, frames: np.ndarray, expression: str, truth: np.ndarray
) -> Iterator[FrameResult]:
    """As `MPGSAM2.segment`, with the part of each of the prior's cells that the true mask covers for a prior.

    Args:
        frames: (T, H, W, 3) uint8 RGB.
        truth: (T, H, W) bool.
    """
    grid = model.config.encoder.grid
    coverage = np.stack([cv2.resize(np.float32(mask), (grid, grid), interpolation=cv2.INTER_AREA) for mask in truth])
    ids = model.tokenizer.encode(expression)
    window = model.window or len(frames)
    for start in range(0, len(frames), window):
        part = slice(start, start + window)
        prior = torch.from_numpy(coverage[part, None]).to(model.device)
        context = model.encode_clip(frames[part], ids)._replace(prior=prior)
        for index, output in enumerate(model.track(frames[part], context), start):
            yield model.frame_result(index, truth.shape[1:], coverage[index], output)
