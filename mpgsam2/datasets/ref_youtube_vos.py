"""Ref-YouTube-VOS (Seo et al., ECCV 2020): sentences on YouTube-VOS, every fifth frame.

Its validation is scored on a server.

    meta_expressions/{train,valid,test}/meta_expressions.json
    {train,valid}/JPEGImages/VIDEO/FRAME.jpg
    train/Annotations/VIDEO/FRAME.png       id maps
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from os import PathLike
from pathlib import Path

import numpy as np

from mpgsam2.datasets.data_set import DataSet, check_split, find_root
from mpgsam2.datasets.expressions import read_expressions
from mpgsam2.datasets.pictures import read_id_map
from mpgsam2.datasets.truth import Truth
from mpgsam2.datasets.video import Sentence, Video
from mpgsam2.errors import InputError


def _index(split: str) -> str:
    return f"meta_expressions/{split}/meta_expressions.json"


class RefYouTubeVOS(DataSet):
    """A split of Ref-YouTube-VOS; in `train` a sentence's one object is an id of the id maps."""

    NAME = "ref-youtube-vos"
    SPLITS = ("valid", "train")
    SCORED = ()

    @classmethod
    def open(cls, data: str | PathLike[str], split: str | None = None) -> RefYouTubeVOS:
        """Read the index; `valid` is those of its videos that are not in `test`.

        Args:
            data: the data set's folder, or the one in which `ref-youtube-vos` lies.
            split: "valid" or "train"; None for "valid".

        Raises:
            InputError: there is no such folder or split, or the index is missing or broken.
        """
        split = check_split(cls, split)
        root = find_root(Path(data), "ref-youtube-vos", _index(split))
        videos = read_expressions(root, _index(split), "obj_id")
        if split == "valid":
            test = {video.name for video in read_expressions(root, _index("test"), "obj_id")}
            videos = tuple(video for video in videos if video.name not in test)
        return cls(root, split, videos)

    def frame_name(self, video: Video, frame: str) -> str:
        """See `DataSet.frame_name`."""
        return f"{self.split}/JPEGImages/{video.name}/{frame}.jpg"

    def id_map(self, video: Video, frame: str) -> np.ndarray:
        """Return the object of every pixel of a frame of `train`, (H, W) of integers; 0 is none.

        Raises:
            InputError: the file is missing or broken.
        """
        name = f"{self.split}/Annotations/{video.name}/{frame}.png"
        return read_id_map(self.root / name, name)

    def truth(
        self, video: Video, sentence: Sentence, size: tuple[int, int], frames: Iterable[int] | None = None
    ) -> Iterator[Truth]:
        """Yield what the sentence names, frame by frame; of `train` only.

        Args:
            video, sentence: of this split.
            size: not needed, the masks tell it.
            frames: which, counted from 0; None: all.

        Raises:
            InputError: the sentence names no object, or a mask is missing or broken.
        """
        if not sentence.objects:
            raise InputError(
                f"“{_index(self.split)}” gives no “obj_id” to expression “{sentence.id}” of the video “{video.name}”: "
                "download it again."
            )
        for index in range(len(video.frames)) if frames is None else frames:
            yield Truth(np.isin(self.id_map(video, video.frames[index]), sentence.objects))
