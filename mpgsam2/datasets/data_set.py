"""What every data set of videos is: a folder, a split of it, and its videos."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import ClassVar

import numpy as np

from mpgsam2.datasets.pictures import frame_size, read_frame
from mpgsam2.datasets.truth import Truth
from mpgsam2.datasets.video import Sentence, Video
from mpgsam2.errors import InputError


@dataclass(frozen=True)
class DataSet:
    """A split of a data set of videos. Only its index is held; pictures are read when they are asked for.

    Attributes:
        root: its folder.
        split: which part of it.
        videos: in the order of the index.
    """

    root: Path
    split: str
    videos: tuple[Video, ...]

    NAME: ClassVar[str]
    """As the command line calls it."""
    SPLITS: ClassVar[tuple[str, ...]]
    """What `split` can be; the first is the usual one."""
    SCORED: ClassVar[tuple[str, ...]]
    """The splits whose masks were released, so that they are scored at home."""

    @classmethod
    def open(cls, data: str | PathLike[str], split: str | None = None) -> DataSet:
        """Read the index.

        Args:
            data: the data set's folder, or the one in which it lies.
            split: one of `SPLITS`; None for the usual one.

        Raises:
            InputError: there is no such folder or split, or the index is missing or broken.
        """
        raise NotImplementedError

    @property
    def is_scored(self) -> bool:
        """Whether results are scored at home; otherwise on a server."""
        return self.split in self.SCORED

    def window(self, video: Video) -> int | None:
        """Return how many of the video's frames a model encodes at once: all. None: as many as the checkpoint wants."""
        return len(video.frames)

    def labelled(self, video: Video) -> list[int]:
        """Return the frames whose masks may be known, counted from 0: all."""
        return list(range(len(video.frames)))

    def truth(
        self, video: Video, sentence: Sentence, size: tuple[int, int], frames: Iterable[int] | None = None
    ) -> Iterator[Truth | None]:
        """Return what a sentence names, frame by frame, where masks were released; None for a frame that has none.

        Args:
            video, sentence: of this split.
            size: (H, W) of the frames.
            frames: which, counted from 0; None: all.
        """
        raise NotImplementedError

    def frame_name(self, video: Video, frame: str) -> str:
        """Return the file of a frame, from the root on."""
        raise NotImplementedError

    def frames(self, video: Video) -> Frames:
        """Return the video's frames."""
        return Frames(self, video)

    def frame_size(self, video: Video) -> tuple[int, int]:
        """Return (H, W) of the video's first frame, in pixels.

        Raises:
            InputError: it is missing or broken.
        """
        name = self.frame_name(video, video.frames[0])
        return frame_size(self.root / name, name)

    def check(self) -> None:
        """Raise InputError if a sentence is empty or a frame's file is missing; no picture is opened."""
        self.check_sentences()
        for video in self.videos:
            for frame in video.frames:
                name = self.frame_name(video, frame)
                if not (self.root / name).is_file():
                    raise InputError(f"“{name}” is missing: give the data set as it was released.")

    def check_sentences(self) -> None:
        """Raise InputError if a sentence is empty."""
        for video in self.videos:
            for sentence in video.sentences:
                if not sentence.text:
                    raise InputError(f"Expression “{sentence.id}” of the video “{video.name}” is empty.")


@dataclass(frozen=True)
class Frames:
    """The frames of a video, (H, W, 3) uint8 RGB, read one by one and anew in every iteration."""

    data_set: DataSet
    video: Video

    def __len__(self) -> int:
        return len(self.video.frames)

    def __iter__(self) -> Iterator[np.ndarray]:
        size = None
        for frame in self.video.frames:
            name = self.data_set.frame_name(self.video, frame)
            picture = read_frame(self.data_set.root / name, name)
            size = size or picture.shape
            if picture.shape != size:
                raise InputError(
                    f"“{name}” is {picture.shape[1]} × {picture.shape[0]}, and the video's first frame {size[1]} × "
                    f"{size[0]}: download it again."
                )
            yield picture


def find_root(
    data: Path, released: str, index: str, remedy: str = "give the folder of the data set, laid out as released"
) -> Path:
    """Return the folder of a data set.

    Args:
        data: what the user gave: that folder, or the one in which it lies.
        released: the folder's name as released.
        index: a file that it must hold, from the root on.
        remedy: what to do if it is missing.

    Raises:
        InputError: it is neither here nor there.
    """
    for root in (data, data / released):
        if (root / index).is_file():
            return root
    name = data.absolute().name
    if not data.is_dir():
        raise InputError(f"There is no folder “{name}”: check its name and where it lies.")
    raise InputError(f"“{index}” is missing in “{name}”: {remedy}.")


def check_split(kind: type[DataSet], split: str | None) -> str:
    """Return the split, or the usual one for None.

    Raises:
        InputError: there is no such split.
    """
    split = split or kind.SPLITS[0]
    if split not in kind.SPLITS:
        raise InputError(f"{kind.NAME} has no split {split!r}: choose {' or '.join(kind.SPLITS)}.")
    return split
