"""One picture of the best, median and worst sequences of an evaluation."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from mpgsam2.datasets.data_set import DataSet
from mpgsam2.datasets.pictures import read_frame
from mpgsam2.datasets.protocols import PROTOCOLS
from mpgsam2.datasets.results import Results
from mpgsam2.datasets.scores import Scores, SequenceScore
from mpgsam2.export.drawing import Look, overlay
from mpgsam2.export.tiles import sheet, tile
from mpgsam2.metrics import region_similarity
from mpgsam2.palette import PALETTE


def contact_sheet(data_set: DataSet, results: Path, scores: Scores, each: int = 4) -> np.ndarray:
    """Show sequences with their J&F and words: a frame with the true outline, and the same with the mask.

    The frame is the one whose J is nearest to the sequence's.

    Args:
        data_set: with its frames.
        results: the folder or zip that was scored.
        scores: what `score` returned.
        each: how many of the best, of those around the median, and of the worst; none is shown twice.

    Returns:
        (H, W, 3) uint8 RGB.
    """
    with Results(results) as masks:
        tiles = [_tile(data_set, masks, sort, sequence) for sort, sequence in chosen(scores, each)]
    return sheet(tiles)


def chosen(scores: Scores, each: int) -> list[tuple[str, SequenceScore]]:
    """Return the sequences that a sheet shows, best first, each with what it is shown as."""
    ranked = sorted(scores.sequences, key=lambda sequence: -sequence.statistics.J_and_F)
    middle = max(0, (len(ranked) - each) // 2)
    parts = {"worst": range(len(ranked))[-each:], "best": range(len(ranked))[:each]}
    parts["median"] = range(len(ranked))[middle : middle + each]
    by_rank = {rank: sort for sort in ("median", "worst", "best") for rank in parts[sort]}
    return [(by_rank[rank], ranked[rank]) for rank in sorted(by_rank)]


def _tile(data_set: DataSet, results: Results, sort: str, sequence: SequenceScore) -> np.ndarray:
    about, score = sequence.about, sequence.statistics
    frame, mask, truth = min(
        PROTOCOLS[data_set.NAME].compared(data_set, results, about),
        key=lambda shown: abs(region_similarity(shown[1], shown[2].mask) - score.J),
    )
    video = next(video for video in data_set.videos if video.name == about["video"])
    name = data_set.frame_name(video, frame)
    picture = read_frame(data_set.root / name, name)
    panels = [overlay(picture, [truth.mask], Look(opacity=0, colours=PALETTE[1:])), overlay(picture, [mask])]
    return tile(panels, f"{100 * score.J_and_F:.0f}  {sort}: {about['sentence']}")
