"""One picture of many sentences, to see where a model fails."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mpgsam2.export.drawing import Look, overlay, prior_heatmap
from mpgsam2.export.tiles import sheet, tile
from mpgsam2.inference.segmenter import Segmenter
from mpgsam2.nano.evaluation.measure import answer
from mpgsam2.nano.evaluation.scores import Scores, SentenceScore
from mpgsam2.nano.synthetic import SyntheticClip
from mpgsam2.palette import PALETTE


def contact_sheet(
    model: Segmenter,
    clips: Sequence[SyntheticClip],
    scores: Scores,
    *,
    each: int = 8,
    oracle_prior: bool = False,
    without: frozenset[str] = frozenset(),
) -> np.ndarray:
    """Show sentences with their J&F, kind and words: a frame with the true outline, its prior and its mask.

    First the worst of the sentences that name something, then some from the worst to the best of them, then the worst
    of those that name nothing. The frame is the one whose IoU is nearest to the sentence's J.

    Args:
        model, oracle_prior, without: as `evaluate` was given them.
        clips: those that were scored, in the same order.
        scores: what `evaluate` returned.
        each: how many sentences of each sort.

    Returns:
        (H, W, 3) uint8 RGB.
    """
    tiles = []
    for score in chosen(scores, each):
        clip = clips[score.clip]
        expression = next(e for e in clip.expressions if e.text == score.expression)
        results = answer(model, clip, expression, oracle_prior=oracle_prior, without=without)
        t = int(np.abs(np.array(score.frames.iou) - score.masks.J).argmin())
        frame, truth = clip.frames[t], clip.mask(score.target)[t]
        panels = [
            overlay(frame, [truth], Look(opacity=0, colours=PALETTE[1:])),
            prior_heatmap(frame, results[t].prior),
            overlay(frame, [results[t].mask]),
        ]
        kind = "names nothing" if score.target is None else score.kind
        tiles.append(tile(panels, f"{100 * score.masks.J_and_F:.0f}  {kind}: {score.expression}"))
    return sheet(tiles)


def chosen(scores: Scores, each: int) -> list[SentenceScore]:
    """Return the sentences that a sheet shows, none twice."""
    named, absent = (sorted(group, key=lambda s: s.masks.J_and_F) for group in (scores.naming, scores.absent))
    spread = np.linspace(0, len(named) - 1, each).round().astype(int)
    return list(dict.fromkeys([*named[:each], *(named[rank] for rank in spread), *absent[:each]]))
