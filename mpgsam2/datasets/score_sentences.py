"""The protocol of MeViS: a sentence's score is the mean over its frames, the set's the mean over its sentences."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import numpy as np

from mpgsam2.datasets.frame_scores import check_size, frame_scores
from mpgsam2.datasets.mevis import MeViS
from mpgsam2.datasets.pictures import read_mask
from mpgsam2.datasets.results import Key, Results
from mpgsam2.datasets.scores import Scores, SequenceScore
from mpgsam2.datasets.statistics import Statistics
from mpgsam2.datasets.video import Sentence, Video


def key(video: Video, sentence: Sentence, frame: str) -> Key:
    """Where a sentence's mask of a frame lies."""
    return Key(video.name, sentence.id, frame)


def keys(video: Video) -> Iterator[Key]:
    """Where all masks of a video lie."""
    return (key(video, sentence, frame) for sentence in video.sentences for frame in video.frames)


def score_sentences(
    data_set: MeViS, results: Results, progress: Callable[[Iterable[Video]], Iterable[Video]] = iter
) -> Scores:
    """Scores masks, sentence by sentence.

    Args:
        data_set: with the truth.
        results: a mask for every sentence and frame.
        progress: goes through the videos, and may show how far it is.

    Raises:
        InputError: a mask is missing, broken or of another size.
    """
    results.check(key for video in data_set.videos for key in keys(video))
    sequences = []
    for video in progress(data_set.videos):
        for sentence in video.sentences:
            about = {"video": video.name, "expression": sentence.id, "sentence": sentence.text}
            sequences.append(SequenceScore(about, _score(data_set, results, video, sentence)))
    whole = Statistics.mean(sequence.statistics for sequence in sequences)
    return Scores(data_set.NAME, data_set.split, whole, (), tuple(sequences))


def _score(data_set: MeViS, results: Results, video: Video, sentence: Sentence) -> Statistics:
    def prediction(frame: str) -> np.ndarray:
        at = key(video, sentence, frame)
        return read_mask(results.read(at), results.shown(at))

    scores = []
    truths = data_set.truth(video, sentence, prediction(video.frames[0]).shape)
    for frame, truth in zip(video.frames, truths, strict=True):
        mask = prediction(frame)
        check_size(mask, truth.mask.shape, results.shown(key(video, sentence, frame)))
        scores.append(frame_scores(mask, truth))
    return Statistics.of_frames(*np.transpose(scores))
