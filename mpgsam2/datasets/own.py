"""Your own data, in the least form that can be trained and scored on.

sentences.json              {CLIP: [{"sentence": "the red dog", "objects": [1]}, …], …}
CLIP/frames/FRAME.jpg       or .png, in the order in which people count
CLIP/masks/FRAME.png        grey or palette, pixel = object, 0 none, 255 undecided; not every frame needs one
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from mpgsam2.datasets.data_set import DataSet, check_split, find_root
from mpgsam2.datasets.json_file import read_json_object
from mpgsam2.datasets.names import checked_name
from mpgsam2.datasets.pictures import VOID, read_id_map
from mpgsam2.datasets.truth import Truth
from mpgsam2.datasets.video import Sentence, Video, plain_sentence
from mpgsam2.errors import InputError
from mpgsam2.video.order import natural_order

INDEX = "sentences.json"
SUFFIXES = (".jpg", ".png")


class OwnData(DataSet):
    """Clips of your own. A sentence's `id` is its number in the clip's list, its `objects` are ids of the masks."""

    NAME = "own"
    SPLITS = ("all",)
    SCORED = ("all",)

    @classmethod
    def open(cls, data: str | PathLike[str], split: str | None = None) -> OwnData:
        """Reads the index and the names of the frames.

        Args:
            data: the folder of `sentences.json`.
            split: "all" or None.

        Raises:
            InputError: something is missing or broken; the sentence names it.
        """
        split = check_split(cls, split)
        root = find_root(Path(data), ".", INDEX)
        clips = read_json_object(root / INDEX, INDEX)
        videos = (_video(root, checked_name(name, "clip", INDEX), entries) for name, entries in clips.items())
        return cls(root, split, tuple(videos))

    def window(self, video: Video) -> int | None:
        """As `DataSet.window`: as the checkpoint does it."""
        return None

    def frame_name(self, video: Video, frame: str) -> str:
        """As `DataSet.frame_name`."""
        names = [f"{video.name}/frames/{frame}{suffix}" for suffix in SUFFIXES]
        return next((name for name in names if (self.root / name).is_file()), names[0])

    def truth(
        self, video: Video, sentence: Sentence, size: tuple[int, int], frames: Iterable[int] | None = None
    ) -> Iterator[Truth | None]:
        """What the sentence names, frame by frame; None where there is no mask, so that the frame is not scored.

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
                name = _mask_name(video, video.frames[index])
                ids = read_id_map(self.root / name, name)
                yield Truth(np.isin(ids, sentence.objects), ids != VOID)
            else:
                yield None

    def labelled(self, video: Video) -> list[int]:
        """As `DataSet.labelled`."""
        names = (_mask_name(video, frame) for frame in video.frames)
        return [index for index, name in enumerate(names) if (self.root / name).is_file()]


def _mask_name(video: Video, frame: str) -> str:
    return f"{video.name}/masks/{frame}.png"


def _video(root: Path, clip: str, entries: Any) -> Video:
    if not isinstance(entries, list):
        raise InputError(f"“{INDEX}” has no list of sentences for the clip “{clip}”.")
    sentences = tuple(_sentence(clip, number, entry) for number, entry in enumerate(entries))
    folder = root / clip / "frames"
    files = [path.name for path in folder.iterdir()] if folder.is_dir() else []
    frames = [name[:-4] for name in files if name.endswith(SUFFIXES) and name[0] != "."]
    if not frames:
        raise InputError(f"There is no frame in “{clip}/frames”: put JPEG (.jpg) or PNG (.png) files there.")
    if len(set(frames)) < len(frames):
        raise InputError(f"“{clip}/frames” holds a frame twice, as .jpg and .png: keep one.")
    return Video(clip, tuple(sorted(frames, key=natural_order)), sentences)


def _sentence(clip: str, number: int, entry: Any) -> Sentence:
    text, objects = (entry.get("sentence"), entry.get("objects")) if isinstance(entry, dict) else (None, None)
    if not isinstance(text, str) or not text.strip():
        raise InputError(f"“{INDEX}” has no “sentence” as entry {number} of the clip “{clip}”.")
    if not isinstance(objects, list) or not all(isinstance(i, int) and 0 < i < VOID for i in objects):
        raise InputError(
            f"“{INDEX}” has no list of “objects”, numbers from 1 to {VOID - 1}, as entry {number} of the clip “{clip}”."
        )
    return Sentence(str(number), plain_sentence(text), tuple(objects))
