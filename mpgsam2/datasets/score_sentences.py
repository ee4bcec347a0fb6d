"""The protocol of MeViS, also for your own data: the mean over a sentence's frames, then over the sentences."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from mpgsam2.datasets.frame_scores import check_size, frame_scores
from mpgsam2.datasets.mevis import MeViS
from mpgsam2.datasets.own import OwnData
from mpgsam2.datasets.pictures import read_mask
from mpgsam2.datasets.results import Results
from mpgsam2.datasets.scores import Scores, SequenceScore
from mpgsam2.datasets.sentence_masks import key, keys
from mpgsam2.datasets.statistics import Statistics
from mpgsam2.datasets.truth import Truth
from mpgsam2.datasets.video import Sentence, Video


def score_sentences(
    data_set: MeViS | OwnData, results: Results, progress: Callable[[Iterable[Video]], Iterable[Video]] = iter
) -> Scores:
    """Score masks, sentence by sentence.

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
            frames = [frame_scores(mask, truth) for _, mask, truth in _compared(data_set, results, video, sentence)]
            sequences.append(SequenceScore(about, Statistics.of_frames(*np.transpose(frames))))
    whole = Statistics.mean(sequence.statistics for sequence in sequences)
    return Scores(data_set.NAME, data_set.split, whole, (), tuple(sequences))


def compared(
    data_set: MeViS | OwnData, results: Results, about: Mapping[str, Any]
) -> Iterator[tuple[str, np.ndarray, Truth]]:
    """Return what is behind a sequence's score: of each scored frame its name, the (H, W) bool mask, and the truth.

    Args:
        data_set, results: as they were scored.
        about: of a `SequenceScore`.
    """
    video = next(video for video in data_set.videos if video.name == about["video"])
    sentence = next(sentence for sentence in video.sentences if sentence.id == about["expression"])
    return _compared(data_set, results, video, sentence)


def _compared(
    data_set: MeViS | OwnData, results: Results, video: Video, sentence: Sentence
) -> Iterator[tuple[str, np.ndarray, Truth]]:
    def prediction(frame: str) -> np.ndarray:
        at = key(video, sentence, frame)
        return read_mask(results.read(at), results.shown(at))

    truths = data_set.truth(video, sentence, prediction(video.frames[0]).shape)
    for frame, truth in zip(video.frames, truths, strict=True):
        if truth is None:
            continue
        mask = prediction(frame)
        check_size(mask, truth.mask.shape, results.shown(key(video, sentence, frame)))
        yield frame, mask, truth
