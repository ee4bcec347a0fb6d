"""What a stage has learned so far, on clips that it never sees: a few figures for the log."""

from __future__ import annotations

from collections.abc import Iterable

import cv2
import numpy as np

from mpgsam2.inference.segmenter import Segmenter
from mpgsam2.nano.evaluation import evaluate, sentences, summarise
from mpgsam2.nano.synthetic import KINDS, SyntheticClip


def progress(model: Segmenter, trains: str, clips: Iterable[SyntheticClip]) -> dict[str, float]:
    """Return scores in percent by name.

    Args:
        model: as it is asked sentences.
        trains: as in `Stage`: "prior" scores the prior alone, "joint" and "answers" the masks; "tracker" has none,
            because what it would be told by the rest of the network is not what it is trained on.
        clips: to score on.
    """
    model.network.eval()
    if trains == "prior":
        return _named_by_prior(model, clips)
    if trains in ("joint", "answers"):
        summary = summarise(evaluate(model, clips))
        kinds = {f"J&F, {kind}": figures["masks"]["J&F"] for kind, figures in summary["kinds"].items()}
        return {**kinds, "frames empty, absent": summary["absent"]["frames_empty"]}
    return {}


def _named_by_prior(model: Segmenter, clips: Iterable[SyntheticClip]) -> dict[str, float]:
    """Return, by kind of sentence, how often the thing that it names holds more of the prior's mass than any other."""
    right: dict[str, list[bool]] = {kind: [] for kind in KINDS}
    for clip in clips:
        for expression in sentences(clip, naming=4):
            if expression.target is not None:
                context = model.encode_clip(clip.frames, model.tokenizer.encode(expression.text))
                prior = context.prior[:, 0].cpu().numpy()
                right[expression.kind].append(heaviest(prior, clip.labels, len(clip.things)) == expression.target)
    return {f"named, {kind}": round(100 * float(np.mean(hits)), 1) for kind, hits in right.items() if hits}


def heaviest(prior: np.ndarray, labels: np.ndarray, things: int) -> int:
    """Return the number of the thing with the most of a prior (T × g × g); labels: (T, H, W) as `SyntheticClip`'s."""
    mass = np.zeros(things + 1)
    for probability, label in zip(prior, labels, strict=True):
        enlarged = cv2.resize(probability, label.shape[::-1], interpolation=cv2.INTER_NEAREST)
        mass += np.bincount(label.ravel(), enlarged.ravel(), things + 1)
    return int(mass[1:].argmax())
