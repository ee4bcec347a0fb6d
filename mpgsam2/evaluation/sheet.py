"""One picture of many sentences, to see where a model fails."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from mpgsam2.evaluation.measure import answer
from mpgsam2.evaluation.scores import Scores, SentenceScore
from mpgsam2.network.model import MPGSAM2
from mpgsam2.render import PALETTE, Look, overlay, prior_heatmap, side_by_side
from mpgsam2.synthetic import Clip

COLUMNS = 2
PANEL = (192, 144)  # px, width and height into which every panel is fitted
CAPTION = 22  # px, height of the line above the panels


def contact_sheet(
    model: MPGSAM2,
    clips: Sequence[Clip],
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
        tiles.append(_captioned(side_by_side([_fitted(panel) for panel in panels]), score))
    tiles += [np.full_like(tiles[0], 255)] * (-len(tiles) % COLUMNS)
    return np.vstack([side_by_side(tiles[row : row + COLUMNS], gap=24) for row in range(0, len(tiles), COLUMNS)])


def chosen(scores: Scores, each: int) -> list[SentenceScore]:
    """The sentences that a sheet shows, none twice."""
    named, absent = (sorted(group, key=lambda s: s.masks.J_and_F) for group in (scores.naming, scores.absent))
    spread = np.linspace(0, len(named) - 1, each).round().astype(int)
    return list(dict.fromkeys([*named[:each], *(named[rank] for rank in spread), *absent[:each]]))


def _fitted(panel: np.ndarray) -> np.ndarray:
    """The (H, W, 3) panel in the middle of a white one of the sheet's size."""
    height, width = panel.shape[:2]
    scale = min(PANEL[0] / width, PANEL[1] / height)
    panel = cv2.resize(panel, (round(width * scale), round(height * scale)), interpolation=cv2.INTER_AREA)
    left, top = (PANEL[0] - panel.shape[1]) // 2, (PANEL[1] - panel.shape[0]) // 2
    right, bottom = PANEL[0] - panel.shape[1] - left, PANEL[1] - panel.shape[0] - top
    return cv2.copyMakeBorder(panel, top, bottom, left, right, cv2.BORDER_CONSTANT, value=(255, 255, 255))


def _captioned(picture: np.ndarray, score: SentenceScore) -> np.ndarray:
    kind = "names nothing" if score.target is None else score.kind
    caption = f"{100 * score.masks.J_and_F:.0f}  {kind}: {score.expression}"
    line = np.full((CAPTION, picture.shape[1], 3), 255, np.uint8)
    cv2.putText(line, caption, (2, CAPTION - 7), cv2.FONT_HERSHEY_SIMPLEX, 0.45, (0, 0, 0), 1, cv2.LINE_AA)
    return np.vstack([line, picture])
