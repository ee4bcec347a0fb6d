"""Ref-DAVIS17's protocol: DAVIS 2017's unsupervised task for each of four annotators (Caelles et al., 2019).

All frames count, void pixels are left out, up to 20 ids may be used, and they are matched to the true objects so that
the sum of the objects' mean J&F is largest. An annotator's score is the mean over all objects of all videos, the
benchmark's the mean over the annotators.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import numpy as np
from scipy.optimize import linear_sum_assignment

from mpgsam2.datasets.frame_scores import check_size, frame_scores
from mpgsam2.datasets.id_maps import key, keys
from mpgsam2.datasets.pictures import VOID, read_id_map
from mpgsam2.datasets.ref_davis17 import ANNOTATORS, RefDavis17, objects, sentences_of
from mpgsam2.datasets.results import Results
from mpgsam2.datasets.scores import Scores, SequenceScore
from mpgsam2.datasets.statistics import Statistics
from mpgsam2.datasets.truth import Truth
from mpgsam2.datasets.video import Video
from mpgsam2.errors import InputError

MOST_IDS = 20
"""How many objects results may hold in a video."""


def score_ref_davis17(
    data_set: RefDavis17, results: Results, progress: Callable[[Iterable[Video]], Iterable[Video]] = iter
) -> Scores:
    """Score id maps.

    Args:
        data_set: with the truth.
        results: id maps for every annotator, video and frame.
        progress: goes through the videos, and may show how far it is.

    Raises:
        InputError: an id map is missing, broken, of another size, or holds too large an id.
    """
    results.check(key for video in data_set.videos for key in keys(video))
    by_annotator: list[list[SequenceScore]] = [[] for _ in range(ANNOTATORS)]
    for video in progress(data_set.videos):
        for annotator, table in enumerate(_tables(data_set, results, video)):
            by_annotator[annotator] += _matched(table, video, annotator)
    annotators = tuple(Statistics.mean(sequence.statistics for sequence in of) for of in by_annotator)
    sequences = tuple(sequence for of in by_annotator for sequence in of)
    return Scores(data_set.NAME, data_set.split, Statistics.mean(annotators), annotators, sequences)


def compared(
    data_set: RefDavis17, results: Results, about: Mapping[str, Any]
) -> Iterator[tuple[str, np.ndarray, Truth]]:
    """Yield what is behind a sequence's score: of each frame its name, the (H, W) bool mask, and the truth.

    Args:
        data_set, results: as they were scored.
        about: of a `SequenceScore`.
    """
    video = next(video for video in data_set.videos if video.name == about["video"])
    for frame in video.frames:
        at = key(about["annotator"], video, frame)
        ids = data_set.id_map(video, frame)
        predicted = read_id_map(results.read(at), results.shown(at))
        yield frame, predicted == about["id"], Truth(ids == about["object"], ids != VOID)


def _tables(data_set: RefDavis17, results: Results, video: Video) -> list[np.ndarray]:
    """Return per annotator J and F of every id against every object and frame: (2, ids, objects, T), ids from 1."""
    count, frames = objects(video), len(video.frames)
    tables = np.empty((ANNOTATORS, 2, MOST_IDS, count, frames))
    used = [count] * ANNOTATORS
    size = None
    for t, frame in enumerate(video.frames):
        ids = data_set.id_map(video, frame)
        size = size or ids.shape
        check_size(ids, size, f"valid/Annotations/{video.name}/{frame}.png")
        counts = ids != VOID
        truths = [Truth(ids == number, counts) for number in range(1, count + 1)]
        nothing = np.transpose([frame_scores(np.zeros(size, bool), truth) for truth in truths])
        for annotator in range(ANNOTATORS):
            name = results.shown(key(annotator, video, frame))
            predicted = read_id_map(results.read(key(annotator, video, frame)), name)
            check_size(predicted, size, name)
            present = np.unique(predicted[predicted != 0]).tolist()
            if present and present[-1] > MOST_IDS:
                raise InputError(f"“{name}” holds the id {present[-1]}, and ids end at {MOST_IDS}.")
            used[annotator] = max([used[annotator], *present])
            tables[annotator, ..., t] = nothing[:, None]
            for number in present:
                scores = [frame_scores(predicted == number, truth) for truth in truths]
                tables[annotator, :, number - 1, :, t] = np.transpose(scores)
    return [table[:, :ids] for table, ids in zip(tables, used, strict=True)]


def _matched(table: np.ndarray, video: Video, annotator: int) -> Iterator[SequenceScore]:
    """Yield the score of each object with the id that it is matched to."""
    ids, numbers = linear_sum_assignment(table.mean(axis=(0, 3)), maximize=True)
    of_object = dict(zip(numbers.tolist(), ids.tolist(), strict=True))
    for number, sentence in enumerate(sentences_of(video, annotator)):
        about = {
            "annotator": annotator,
            "video": video.name,
            "object": number + 1,
            "id": of_object[number] + 1,
            "expression": sentence.id,
            "sentence": sentence.text,
        }
        yield SequenceScore(about, Statistics.of_frames(*table[:, of_object[number], number]))
