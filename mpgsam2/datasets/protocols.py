"""The protocol of each data set: what results hold, how a model answers, and how answers are scored."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from os import PathLike

import numpy as np

from mpgsam2.datasets import id_maps, score_ref_davis17, score_sentences, sentence_masks
from mpgsam2.datasets.data_set import DataSet
from mpgsam2.datasets.mevis import MeViS
from mpgsam2.datasets.own import OwnData
from mpgsam2.datasets.ref_davis17 import RefDavis17
from mpgsam2.datasets.ref_youtube_vos import RefYouTubeVOS
from mpgsam2.datasets.results import Key, Results
from mpgsam2.datasets.scores import Scores
from mpgsam2.datasets.truth import Truth
from mpgsam2.datasets.video import Video
from mpgsam2.errors import InputError


@dataclass(frozen=True)
class Protocol:
    """How a benchmark is run and scored.

    Attributes:
        keys: of all masks of a video.
        answer: a model's masks of a video, see `id_maps.answer`.
        score: measures results, see `score_sentences.score_sentences`.
        compared: what is behind a score, see `score_sentences.compared`.
    """

    keys: Callable[[Video], Iterator[Key]]
    answer: Callable[..., Iterator[tuple[Key, bytes]]]
    score: Callable[..., Scores]
    compared: Callable[..., Iterator[tuple[str, np.ndarray, Truth]]]


_BY_SENTENCE = Protocol(
    sentence_masks.keys, sentence_masks.answer, score_sentences.score_sentences, score_sentences.compared
)

PROTOCOLS: dict[str, Protocol] = {
    RefDavis17.NAME: Protocol(
        id_maps.keys, id_maps.answer, score_ref_davis17.score_ref_davis17, score_ref_davis17.compared
    ),
    MeViS.NAME: _BY_SENTENCE,
    RefYouTubeVOS.NAME: _BY_SENTENCE,
    OwnData.NAME: _BY_SENTENCE,
}
"""By the data set's name."""


def check_scored(data_set: DataSet) -> None:
    """Raise InputError if the split is scored on a server."""
    if not data_set.is_scored:
        raise InputError(
            f"The masks of {data_set.NAME}'s split {data_set.split} were not released, so that it is scored on its "
            "server only."
        )


def score(
    data_set: DataSet,
    results: str | PathLike[str],
    progress: Callable[[Iterable[Video]], Iterable[Video]] = iter,
) -> Scores:
    """Score a folder or zip of masks by the protocol of a data set.

    Args:
        data_set: one whose truth is at hand.
        results: see `results`.
        progress: goes through the videos, and may show how far it is.

    Raises:
        InputError: the split is scored on a server; a mask is missing, double, broken or of another size.
    """
    check_scored(data_set)
    with Results(results) as masks:
        return PROTOCOLS[data_set.NAME].score(data_set, masks, progress)
