"""Your own data, in the least form that can be trained and scored on.

sentences.json              {CLIP: [{"sentence": "the red dog", "objects": [1]}, …], …}
CLIP/frames/FRAME.jpg       or .jpeg or .png, in the order in which people count
CLIP/masks/FRAME.png        grey or palette, pixel = object, 0 none, 255 undecided; not every frame needs one
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from os import PathLike
from pathlib import Path

import numpy as np

from mpgsam2.datasets.data_set import DataSet, check_split, find_root
from mpgsam2.datasets.own_check import check_pictures
from mpgsam2.datasets.own_index import INDEX, read_index
from mpgsam2.datasets.pictures import VOID, read_id_map
from mpgsam2.datasets.truth import Truth
from mpgsam2.datasets.video import Sentence, Video
from mpgsam2.errors import InputError
from mpgsam2.video.order import natural_order

_MASKS = (".png", ".PNG")
_FRAMES = (".jpg", ".jpeg", ".JPG", ".JPEG", *_MASKS)
_OTHER_PICTURES = (".bmp", ".gif", ".tif", ".tiff", ".webp")


class OwnData(DataSet):
    """Clips of your own. A sentence's `id` is its number in the clip's list, its `objects` are ids of the masks."""

    NAME = "own"
    SPLITS = ("all",)
    SCORED = ("all",)

    @classmethod
    def open(cls, data: str | PathLike[str], split: str | None = None) -> OwnData:
        """Read the index and the names of frames and masks.

        Args:
            data: the folder of `sentences.json`.
            split: "all" or None.

        Raises:
            InputError: something is missing or broken, or belongs nowhere; the sentence names it.
        """
        split = check_split(cls, split)
        root = find_root(Path(data), ".", INDEX, "put it there, see docs/benchmarks.md")
        return cls(root, split, tuple(_video(root, clip, sentences) for clip, sentences in read_index(root).items()))

    def window(self, video: Video) -> int | None:
        """See `DataSet.window`: as the checkpoint does it."""
        return None

    def frame_name(self, video: Video, frame: str) -> str:
        """See `DataSet.frame_name`."""
        return self._name(f"{video.name}/frames/{frame}", _FRAMES)

    def mask_name(self, video: Video, frame: str) -> str:
        """Return the file of a frame's mask, from the root on; it need not be there."""
        return self._name(f"{video.name}/masks/{frame}", _MASKS)

    def truth(
        self, video: Video, sentence: Sentence, size: tuple[int, int], frames: Iterable[int] | None = None
    ) -> Iterator[Truth | None]:
        """Yield what the sentence names, frame by frame; None where there is no mask, so that the frame is not scored.

        Args:
            video, sentence: of these.
            size: not needed, the masks tell it.
            frames: which, counted from 0; None: all.

        Raises:
            InputError: a mask is broken, or there is none at all.
        """
        there = set(self.labelled(video))
        if not there:
            raise InputError(f"There is no mask in “{video.name}/masks” for the frames: add some to score against.")
        for index in range(len(video.frames)) if frames is None else frames:
            if index in there:
                name = self.mask_name(video, video.frames[index])
                ids = read_id_map(self.root / name, name)
                yield Truth(np.isin(ids, sentence.objects), ids != VOID)
            else:
                yield None

    def labelled(self, video: Video) -> list[int]:
        """See `DataSet.labelled`."""
        names = (self.mask_name(video, frame) for frame in video.frames)
        return [index for index, name in enumerate(names) if (self.root / name).is_file()]

    def check(self) -> None:
        """Check as `DataSet.check` does; also that the pictures fit together, see `own_check`."""
        super().check()
        check_pictures(self)

    def _name(self, name: str, suffixes: Sequence[str]) -> str:
        names = [f"{name}{suffix}" for suffix in suffixes]
        return next((name for name in names if (self.root / name).is_file()), names[0])


def _video(root: Path, clip: str, sentences: tuple[Sentence, ...]) -> Video:
    files = _pictures(root, f"{clip}/frames")
    for name in files:
        if not name.endswith(_FRAMES):
            raise InputError(f"“{clip}/frames/{name}” is neither JPEG (.jpg) nor PNG (.png): save it as one of them.")
    frames = [name.rpartition(".")[0] for name in files]
    if not frames:
        raise InputError(f"There is no frame in “{clip}/frames”: put JPEG (.jpg) or PNG (.png) files there.")
    if len(set(frames)) < len(frames):
        twice = next(frame for frame in frames if frames.count(frame) > 1)
        raise InputError(f"“{clip}/frames” holds a frame twice, “{twice}” as .jpg and as .png: keep one.")
    for name in _pictures(root, f"{clip}/masks"):
        if not name.endswith(_MASKS):
            raise InputError(f"“{clip}/masks/{name}” is not a PNG: other formats do not keep the objects' numbers.")
        if name.rpartition(".")[0] not in frames:
            raise InputError(
                f"“{clip}/masks/{name}” has the name of no frame: name it like its frame in “{clip}/frames”."
            )
    return Video(clip, tuple(sorted(frames, key=natural_order)), sentences)


def _pictures(root: Path, folder: str) -> list[str]:
    """Return the names of the pictures in a folder; none if there is no such folder."""
    if not (root / folder).is_dir():
        return []
    names = sorted(path.name for path in (root / folder).iterdir() if path.name[0] != ".")
    return [name for name in names if name.lower().endswith((*_FRAMES, *_OTHER_PICTURES))]
