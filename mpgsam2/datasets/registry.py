"""The data sets by the names that the command line has for them, and the protocol of each."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from os import PathLike

from mpgsam2.datasets.data_set import DataSet
from mpgsam2.datasets.mevis import MeViS
from mpgsam2.datasets.ref_davis17 import RefDavis17
from mpgsam2.datasets.ref_youtube_vos import RefYouTubeVOS
from mpgsam2.datasets.results import Results
from mpgsam2.datasets.score_ref_davis17 import score_ref_davis17
from mpgsam2.datasets.score_sentences import score_sentences
from mpgsam2.datasets.scores import Scores
from mpgsam2.datasets.video import Video
from mpgsam2.errors import InputError

DATA_SETS: dict[str, type[DataSet]] = {kind.NAME: kind for kind in (RefDavis17, MeViS, RefYouTubeVOS)}


def open_data_set(name: str, data: str | PathLike[str], split: str | None = None) -> DataSet:
    """Reads a data set's index.

    Args:
        name: one of `DATA_SETS`.
        data: its folder, or the one in which that lies under its released name.
        split: of the data set; None for the usual one.

    Raises:
        InputError: there is no such folder or split, or it is not laid out as released, or has no video.
    """
    data_set = DATA_SETS[name].open(data, split)
    if not any(video.sentences for video in data_set.videos):
        raise InputError(
            f"The split {data_set.split} of {name} holds no sentence: give the data set as it was released."
        )
    return data_set


def score(
    data_set: DataSet,
    results: str | PathLike[str],
    progress: Callable[[Iterable[Video]], Iterable[Video]] = iter,
) -> Scores:
    """Scores a folder or zip of masks by the protocol of a data set.

    Args:
        data_set: one whose truth is at hand.
        results: see `results`.
        progress: goes through the videos, and may show how far it is.

    Raises:
        InputError: the split is scored on a server; a mask is missing, double, broken or of another size.
    """
    if not data_set.is_scored:
        raise InputError(
            f"The masks of {data_set.NAME}'s split {data_set.split} were not released, so that it is scored on its "
            "server only."
        )
    protocol = score_ref_davis17 if isinstance(data_set, RefDavis17) else score_sentences
    with Results(results) as masks:
        return protocol(data_set, masks, progress)
