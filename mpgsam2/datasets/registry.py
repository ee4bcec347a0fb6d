"""The data sets by the names that the command line has for them."""

from __future__ import annotations

from os import PathLike

from mpgsam2.datasets.data_set import DataSet
from mpgsam2.datasets.mevis import MeViS
from mpgsam2.datasets.own import OwnData
from mpgsam2.datasets.ref_davis17 import RefDavis17
from mpgsam2.datasets.ref_youtube_vos import RefYouTubeVOS
from mpgsam2.errors import InputError

DATA_SETS: dict[str, type[DataSet]] = {kind.NAME: kind for kind in (RefDavis17, MeViS, RefYouTubeVOS, OwnData)}


def open_data_set(name: str, data: str | PathLike[str], split: str | None = None) -> DataSet:
    """Read a data set's index.

    Args:
        name: one of `DATA_SETS`.
        data: its folder, or the one in which that lies under its released name.
        split: of the data set; None for the usual one.

    Raises:
        InputError: there is no such folder or split, it is not laid out as released, or has no sentence.
    """
    data_set = DATA_SETS[name].open(data, split)
    if not any(video.sentences for video in data_set.videos):
        raise InputError(
            f"The split {data_set.split} of {name} holds no sentence: give the data set as it was released."
        )
    return data_set
