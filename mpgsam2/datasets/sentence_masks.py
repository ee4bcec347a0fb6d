"""Results of MeViS and Ref-YouTube-VOS: for each sentence one mask a frame."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from mpgsam2.datasets.batches import batches
from mpgsam2.datasets.data_set import DataSet
from mpgsam2.datasets.pictures import png
from mpgsam2.datasets.results import Key
from mpgsam2.datasets.video import Sentence, Video
from mpgsam2.inference.query import LETTERS, Query

if TYPE_CHECKING:
    from mpgsam2.inference.segmenter import Segmenter


def key(video: Video, sentence: Sentence, frame: str) -> Key:
    """Return where a sentence's mask of a frame lies."""
    return Key(video.name, sentence.id, frame)


def keys(video: Video) -> Iterator[Key]:
    """Return where all masks of a video lie."""
    return (key(video, sentence, frame) for sentence in video.sentences for frame in video.frames)


def answer(
    model: Segmenter, data_set: DataSet, video: Video, without: frozenset[str] = frozenset()
) -> Iterator[tuple[Key, bytes]]:
    """Yield a model's masks of a video, as they come: grey PNG files of 0 and 255.

    As many sentences as make up one run's queries go together and share the image features.
    """
    frames = data_set.frames(video)
    for sentences in batches(video.sentences, len(LETTERS)):
        queries = [Query(sentence.text, without) for sentence in sentences]
        for frame, results in zip(video.frames, model.segment_several(frames, queries), strict=True):
            for sentence, result in zip(sentences, results, strict=True):
                yield key(video, sentence, frame), png(np.uint8(255) * result.mask)
