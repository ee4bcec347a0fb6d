"""Results of Ref-DAVIS17: for each annotator one id map a frame, made of the probabilities of all objects."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from mpgsam2.datasets.batches import batches
from mpgsam2.datasets.pictures import id_palette, png
from mpgsam2.datasets.ref_davis17 import ANNOTATORS, RefDavis17, objects, sentences_of
from mpgsam2.datasets.results import Key
from mpgsam2.datasets.video import Video
from mpgsam2.inference.query import LETTERS, Query

if TYPE_CHECKING:
    from mpgsam2.inference.segmenter import Segmenter

BACKGROUND = 0.1
"""The probability with which the background takes part."""


def key(annotator: int, video: Video, frame: str) -> Key:
    """Return where an annotator's id map of a frame lies."""
    return Key(f"anno_{annotator}", video.name, frame)


def keys(video: Video) -> Iterator[Key]:
    """Return where all id maps of a video lie."""
    return (key(annotator, video, frame) for annotator in range(ANNOTATORS) for frame in video.frames)


def id_map(probabilities: Sequence[np.ndarray]) -> np.ndarray:
    """Return the ids of a frame: each pixel goes to the most probable object, or to none.

    Args:
        probabilities: for each object (H, W) float in 0..1; below 0.5 they count as 0.

    Returns:
        (H, W) uint8, 0 where the background's 0.1 is most, else the number of the object from 1; of equals, the first.
    """
    background = np.full_like(probabilities[0], BACKGROUND)
    return np.argmax([background, *(np.where(p < 0.5, 0, p) for p in probabilities)], axis=0).astype(np.uint8)


def answer(
    model: Segmenter, data_set: RefDavis17, video: Video, without: frozenset[str] = frozenset()
) -> Iterator[tuple[Key, bytes]]:
    """Yield a model's id maps of a video, as they come: for all annotators, PNG files with a palette.

    As many annotators as make up one run's queries go together and share the image features; where one annotator has
    more sentences than that, several runs go in step, so that no more than a frame is held.
    """
    frames, count, palette = data_set.frames(video), objects(video), id_palette()
    for annotators in batches(range(ANNOTATORS), max(1, len(LETTERS) // count)):
        sentences = [sentence for annotator in annotators for sentence in sentences_of(video, annotator)]
        queries = [Query(sentence.text, without) for sentence in sentences]
        runs = [model.segment_several(frames, batch) for batch in batches(queries, len(LETTERS))]
        for frame, answers in zip(video.frames, zip(*runs, strict=True), strict=True):
            probabilities = [result.probability for results in answers for result in results]
            for annotator, of in zip(annotators, batches(probabilities, count), strict=True):
                yield key(annotator, video, frame), png(id_map(of), palette)
