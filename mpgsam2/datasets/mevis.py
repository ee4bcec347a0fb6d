"""MeViS (Ding et al., ICCV 2023): sentences on motion, which may name several objects at once.

{train,valid_u,valid}/meta_expressions.json
{train,valid_u,valid}/JPEGImages/VIDEO/FRAME.jpg
{train,valid_u}/mask_dict.json          run lengths by annotation
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from mpgsam2.datasets.data_set import DataSet, check_split, find_root
from mpgsam2.datasets.expressions import read_expressions
from mpgsam2.datasets.run_lengths import MaskDict
from mpgsam2.datasets.truth import Truth
from mpgsam2.datasets.video import Sentence, Video
from mpgsam2.errors import InputError

WINDOW = 24  # frames


@dataclass(frozen=True)
class MeViS(DataSet):
    """A split of MeViS. A sentence's `objects` are the numbers of its annotations.

    Attributes:
        annotations: the run lengths; None for `valid`, which is scored on a server.
    """

    annotations: MaskDict | None = None

    NAME = "mevis"
    SPLITS = ("valid_u", "valid", "train")
    SCORED = ("valid_u", "train")

    @classmethod
    def open(cls, data: str | PathLike[str], split: str | None = None) -> MeViS:
        """Read the index.

        Args:
            data: the data set's folder, or the one in which `mevis-release` lies.
            split: "valid_u", "valid" or "train"; None for "valid_u".

        Raises:
            InputError: there is no such folder or split, or the index is missing or broken.
        """
        split = check_split(cls, split)
        index, masks = f"{split}/meta_expressions.json", f"{split}/mask_dict.json"
        root = find_root(Path(data), "mevis-release", index)
        annotations = MaskDict(root / masks, masks) if split in cls.SCORED else None
        return cls(root, split, read_expressions(root, index, "anno_id"), annotations)

    def window(self, video: Video) -> int:
        """See `DataSet.window`."""
        return WINDOW

    def frame_name(self, video: Video, frame: str) -> str:
        """See `DataSet.frame_name`."""
        return f"{self.split}/JPEGImages/{video.name}/{frame}.jpg"

    def truth(
        self, video: Video, sentence: Sentence, size: tuple[int, int], frames: Iterable[int] | None = None
    ) -> Iterator[Truth]:
        """Yield what the sentence names, frame by frame: the union of its objects.

        Args:
            video, sentence: of this split.
            size: (H, W) of the masks where no annotation tells it, since none of the objects is ever to be seen.
            frames: which, counted from 0; None: all.

        Raises:
            InputError: the annotations are missing or broken, are not one for each frame, or differ in size.
        """
        annotations = self.annotations
        if annotations is None:
            raise InputError(f"The masks of {self.NAME}'s split {self.split} were not released.")
        tracks = self._tracks(annotations, video, sentence)
        sizes = [run_lengths["size"] for track in tracks.values() for run_lengths in track if run_lengths]
        size = tuple(sizes[0]) if sizes else size
        for index in range(len(video.frames)) if frames is None else frames:
            union = np.zeros(size, bool)
            for annotation, track in tracks.items():
                if track[index]:
                    mask = annotations.decode(track[index], annotation)
                    if mask.shape != size:
                        raise InputError(
                            f"“{self.split}/mask_dict.json” has masks of several sizes for expression “{sentence.id}” "
                            f"of the video “{video.name}”: download it again."
                        )
                    union |= mask
            yield Truth(union)

    def _tracks(self, annotations: MaskDict, video: Video, sentence: Sentence) -> dict[int, list[Any]]:
        """Return the run lengths of each annotation that the sentence names, checked for what `truth` relies on."""
        if not sentence.objects:
            raise InputError(
                f"“{self.split}/meta_expressions.json” gives no “anno_id” to expression “{sentence.id}” of the video "
                f"“{video.name}”: download it again."
            )
        tracks = {annotation: annotations.read(annotation) for annotation in sentence.objects}
        for annotation, track in tracks.items():
            if len(track) != len(video.frames):
                raise InputError(
                    f"“{self.split}/mask_dict.json” has {len(track)} masks as annotation {annotation}, and the video "
                    f"“{video.name}” {len(video.frames)} frames: download it again."
                )
        return tracks
