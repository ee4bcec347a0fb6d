"""Ref-DAVIS17 (Khoreva et al., ACCV 2018): four annotators' sentences on each object of DAVIS 2017's validation.

meta_expressions/valid/meta_expressions.json
valid/JPEGImages/VIDEO/00000.jpg
valid/Annotations/VIDEO/00000.png       id maps, 255 is void
"""

from __future__ import annotations

from os import PathLike
from pathlib import Path

import numpy as np

from mpgsam2.datasets.data_set import DataSet, check_split, find_root
from mpgsam2.datasets.expressions import read_expressions
from mpgsam2.datasets.pictures import VOID, read_id_map
from mpgsam2.datasets.video import Sentence, Video
from mpgsam2.errors import InputError

ANNOTATORS = 4

_INDEX = "meta_expressions/valid/meta_expressions.json"


class RefDavis17(DataSet):
    """Ref-DAVIS17's validation, which is all of it that is used."""

    NAME = "ref-davis17"
    SPLITS = ("valid",)
    SCORED = ("valid",)

    @classmethod
    def open(cls, data: str | PathLike[str], split: str | None = None) -> RefDavis17:
        """Read the index.

        Args:
            data: the data set's folder, or the one in which `ref-davis` lies.
            split: "valid" or None.

        Raises:
            InputError: there is no such folder or split, or the index is missing or broken, or a video's sentences are
                not numbered from 0 to four times its objects.
        """
        split = check_split(cls, split)
        root = find_root(Path(data), "ref-davis", _INDEX)
        videos = read_expressions(root, _INDEX, "obj_id")
        return cls(root, split, tuple(map(_numbered, videos)))

    def frame_name(self, video: Video, frame: str) -> str:
        """See `DataSet.frame_name`."""
        return f"valid/JPEGImages/{video.name}/{frame}.jpg"

    def id_map(self, video: Video, frame: str) -> np.ndarray:
        """Return the object of every pixel, (H, W) of integers: 1 to `objects(video)`, 0 for none, 255 where void.

        Raises:
            InputError: the file is missing or broken, or holds an object on which there is no sentence.
        """
        name = f"valid/Annotations/{video.name}/{frame}.png"
        ids = read_id_map(self.root / name, name)
        most = ids.max(initial=0, where=ids != VOID)
        if most > objects(video):
            raise InputError(f"“{name}” holds an object {most}, and the video's sentences are on {objects(video)}.")
        return ids


def objects(video: Video) -> int:
    """Return how many objects the video's sentences are on."""
    return len(video.sentences) // ANNOTATORS


def sentences_of(video: Video, annotator: int) -> tuple[Sentence, ...]:
    """Return an annotator's sentences, one for each object in order; `annotator` is 0…3."""
    return video.sentences[annotator::ANNOTATORS]


def _numbered(video: Video) -> Video:
    """Return the video with its sentences in the order of their numbers, 4 · object + annotator."""
    by_id = {sentence.id: sentence for sentence in video.sentences}
    numbers = [str(number) for number in range(len(by_id))]
    if not by_id or len(by_id) % ANNOTATORS or set(numbers) != set(by_id):
        raise InputError(
            f"“{_INDEX}” does not number the expressions of the video “{video.name}” from 0 on, {ANNOTATORS} for each "
            "object: download it again."
        )
    return Video(video.name, video.frames, tuple(by_id[number] for number in numbers))
