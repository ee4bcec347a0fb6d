"""Ref-YouTube-VOS (Seo et al., ECCV 2020): sentences on YouTube-VOS, every fifth frame.

Its validation is scored on a server.

    meta_expressions/{train,valid,test}/meta_expressions.json
    {train,valid}/JPEGImages/VIDEO/FRAME.jpg
    train/Annotations/VIDEO/FRAME.png       id maps
"""

from __future__ import annotations

from os import PathLike
from pathlib import Path

import numpy as np

from mpgsam2.datasets.data_set import DataSet, check_split, find_root
from mpgsam2.datasets.expressions import read_expressions
from mpgsam2.datasets.pictures import read_id_map
from mpgsam2.datasets.video import Video


def _index(split: str) -> str:
    return f"meta_expressions/{split}/meta_expressions.json"


class RefYouTubeVOS(DataSet):
    """A split of Ref-YouTube-VOS; in `train` a sentence's one object is an id of the id maps."""

    NAME = "ref-youtube-vos"
    SPLITS = ("valid", "train")
    SCORED = ()

    @classmethod
    def open(cls, data: str | PathLike[str], split: str | None = None) -> RefYouTubeVOS:
        """Reads the index; `valid` is those of its videos that are not in `test`.

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
        """As `DataSet.frame_name`."""
        return f"{self.split}/JPEGImages/{video.name}/{frame}.jpg"

    def id_map(self, video: Video, frame: str) -> np.ndarray:
        """The object of every pixel of a frame of `train`, (H, W) of integers; 0 is none.

        Raises:
            InputError: the file is missing or broken.
        """
        name = f"{self.split}/Annotations/{video.name}/{frame}.png"
        return read_id_map(self.root / name, name)
