"""What must hold of the pictures of your own data before hours are spent on them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mpgsam2.datasets.own_index import INDEX
from mpgsam2.datasets.pictures import VOID, check_as_shown, frame_size, read_id_map
from mpgsam2.datasets.video import Sentence, Video
from mpgsam2.errors import InputError

if TYPE_CHECKING:
    from mpgsam2.datasets.own import OwnData


def check_pictures(data_set: OwnData) -> None:
    """Check that frames and masks fit together, and that the masks show what the sentences name.

    Of frames only the heads are read, of masks as many as it takes to see every object once.

    Raises:
        InputError: a picture is broken or has another size, a clip has no mask, or an object is in none of them.
    """
    for video in data_set.videos:
        if video.sentences:
            _check_sizes(data_set, video)
            _check_objects(data_set, video)


def _check_sizes(data_set: OwnData, video: Video) -> None:
    names = [data_set.frame_name(video, frame) for frame in video.frames]
    first = check_as_shown(data_set.root / names[0], names[0])
    for name in names[1:]:
        if (size := check_as_shown(data_set.root / name, name)) != first:
            raise InputError(
                f"“{name}” is {_words(size)}, and the clip's first frame {_words(first)}: make them alike."
            )
    for index in data_set.labelled(video):
        name = data_set.mask_name(video, video.frames[index])
        if (size := frame_size(data_set.root / name, name)) != first:
            raise InputError(
                f"“{name}” is {_words(size)}, and the frame to which it belongs {_words(first)}: make them alike."
            )


def _check_objects(data_set: OwnData, video: Video) -> None:
    named = {number for sentence in video.sentences for number in sentence.objects}
    missing, there = set(named), set[int]()
    masks = data_set.labelled(video)
    if not masks:
        raise InputError(
            f"There is no mask in “{video.name}/masks” for the frames: draw at least one, or take the clip out of "
            f"“{INDEX}”."
        )
    for index in masks:
        if not missing:
            return
        name = data_set.mask_name(video, video.frames[index])
        shown = set(np.unique(read_id_map(data_set.root / name, name)).tolist())
        missing, there = missing - shown, there | shown
    for sentence in video.sentences:
        for number in sentence.objects:
            if number in missing:
                raise InputError(_unseen(video, sentence, number, there - {0}))


def _unseen(video: Video, sentence: Sentence, number: int, there: set[int]) -> str:
    found = ", ".join(f"{i} (undecided)" if i == VOID else str(i) for i in sorted(there)) or "nothing"
    return (
        f"“{INDEX}” calls “{sentence.text}” object {number}, as entry {sentence.id} of the clip “{video.name}”, and no "
        f"mask of the clip shows it; they show {found}: correct one or the other, or write [] if the sentence names "
        "nothing."
    )


def _words(size: tuple[int, int]) -> str:
    return f"{size[1]} × {size[0]}"
