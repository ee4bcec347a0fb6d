"""An evaluation in figures: sentences that name something by J and F, those that name nothing by how empty they stay.

Every figure is in percent; a share of nothing is None.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

from mpgsam2.nano.evaluation.scores import ANSWERS, Quality, Scores, SentenceScore
from mpgsam2.nano.synthetic import KINDS

SIZES = {"below 10 %": (0.0, 0.1), "10–20 %": (0.1, 0.2), "20–35 %": (0.2, 0.35), "above 35 %": (0.35, float("inf"))}
"""Ranges of `SentenceScore.size`, each without its end."""

NEARLY_ALL_SHARE = 0.9  # of the frames
BINS = 10  # of probabilities


def groups(scores: Scores) -> dict[str, dict[str, list[SentenceScore]]]:
    """Return the sentences that name something by kind, the thing's size and its view; empty groups are left out."""
    named = scores.naming
    whole = {
        "kinds": {kind: [s for s in named if s.kind == kind] for kind in KINDS},
        "sizes": {name: [s for s in named if low <= s.size < high] for name, (low, high) in SIZES.items()},
        "views": {
            "in full view": [s for s in named if not s.occluded],
            "occluded": [s for s in named if s.occluded],
        },
    }
    return {title: {name: group for name, group in of.items() if group} for title, of in whole.items()}


def summarise(scores: Scores) -> dict[str, Any]:
    """Return all figures, as JSON can hold them.

    - overall, and of each group in kinds, sizes and views: `sentences`, their number; J&F, J and F of every answer; and
      `named`, the share whose masks took the thing that is named. All these name something.
    - present: of the same sentences the share without any mask (`wrongly_empty`), and of their frames with and without
      the thing the share without a mask.
    - absent: of the sentences that name nothing the share without any mask (`empty`) and without one in at least 90 %
      of the frames (`nearly_empty`), and of all their frames the share without a mask.
    - verdict: the share of right verdicts, on all sentences and on each sort.
    - reliability: the object score's calibration error over all frames, and the mean absolute error of the predicted
      IoU over the frames with a mask.
    """
    named, absent = scores.naming, scores.absent
    with_named, with_absent, frames = _pool(named), _pool(absent), _pool(scores.sentences)
    return {
        "overall": _figures(named),
        **{title: {name: _figures(group) for name, group in of.items()} for title, of in groups(scores).items()},
        "present": {
            "sentences": len(named),
            "wrongly_empty": _percent(not any(s.frames.found) for s in named),
            "frames_with_it_empty": _percent(~with_named.found[with_named.visible]),
            "frames_without_it_empty": _percent(~with_named.found[~with_named.visible]),
        },
        "absent": {
            "sentences": len(absent),
            "empty": _percent(not any(s.frames.found) for s in absent),
            "nearly_empty": _percent(np.logical_not(s.frames.found).mean() >= NEARLY_ALL_SHARE for s in absent),
            "frames_empty": _percent(~with_absent.found),
        },
        "verdict": {
            "right": _percent(s.judged_rightly for s in scores.sentences),
            "right_on_present": _percent(s.judged_rightly for s in named),
            "right_on_absent": _percent(s.judged_rightly for s in absent),
        },
        "reliability": {
            "object_score_error": _percent([calibration_error(frames.object_score, frames.visible)]),
            "predicted_iou_error": _percent(np.abs(frames.predicted_iou - frames.iou)[frames.found]),
        },
    }


_ANSWER_NAMES = {"masks": "masks", "prior": "prior alone", "chance": "a random object"}


def table(scores: Scores) -> str:
    """Return the same as text: one row per group, and a line for each of the rest."""
    summary = summarise(scores)
    figures = ("J&F", "J", "F")
    lines = [
        f"{'percent':<21}" + "".join(f"{_ANSWER_NAMES[answer]:<21}" for answer in ANSWERS) + "right object",
        f"{'':<14}{'n':>4}   " + "   ".join("".join(f"{figure:>6}" for figure in figures) for _ in ANSWERS),
    ]
    rows = [(name, group) for title in ("kinds", "sizes", "views") for name, group in summary[title].items()]
    for name, group in [*rows, ("all", summary["overall"])]:
        cells = ("".join(f"{group[answer][figure]:6.1f}" for figure in figures) for answer in ANSWERS)
        lines.append(f"{name:<14}{group['sentences']:>4}   " + "   ".join(cells) + f"   {group['named']:5.1f}")
    for title in ("present", "absent", "verdict", "reliability"):
        parts = (f"{name.replace('_', ' ')} {'–' if x is None else x}" for name, x in summary[title].items())
        lines.append(f"{title + ':':<14}" + ", ".join(parts))
    return "\n".join(lines)


def calibration_error(probability: np.ndarray, truth: np.ndarray) -> float:
    """Return by how much probabilities differ from the share of what is true among those alike, in the mean; 0..1.

    Args:
        probability: (N,) float in 0..1, at least one; those in the same tenth count as alike.
        truth: (N,) bool.
    """
    bins = np.minimum((probability * BINS).astype(int), BINS - 1)
    return float(np.abs(np.bincount(bins, probability - truth)).sum() / len(probability))


def _figures(group: Sequence[SentenceScore]) -> dict[str, Any]:
    means = {answer: Quality.mean(getattr(s, answer) for s in group) for answer in ANSWERS}
    return {
        "sentences": len(group),
        **{
            answer: {"J&F": _percent([mean.J_and_F]), "J": _percent([mean.J]), "F": _percent([mean.F])}
            for answer, mean in means.items()
        },
        "named": _percent(s.taken == s.target for s in group),
    }


def _percent(parts: Iterable[float]) -> float | None:
    """Return the mean of what lies in 0..1 (or is a bool) in percent; None of nothing."""
    parts = np.fromiter(parts, float)
    return round(100 * float(parts.mean()), 2) if parts.size else None


class _Pool(NamedTuple):
    """The frames of several sentences, an array (N,) for each field of `Frames`."""

    visible: np.ndarray
    found: np.ndarray
    object_score: np.ndarray
    predicted_iou: np.ndarray
    iou: np.ndarray


def _pool(group: Sequence[SentenceScore]) -> _Pool:
    kinds = (bool, bool, float, float, float)
    return _Pool(*(np.array([x for s in group for x in s.frames[field]], kind) for field, kind in enumerate(kinds)))
