"""What a recipe trains on, and what it is scored on meanwhile."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from mpgsam2.datasets.data_set import DataSet
from mpgsam2.datasets.mevis import MeViS
from mpgsam2.datasets.refcoco import RefCOCO
from mpgsam2.datasets.registry import open_data_set
from mpgsam2.datasets.video import Video
from mpgsam2.errors import InputError
from mpgsam2.training.sources import ImageSource, ScoredClip, Source, VideoSource, scored_images, scored_videos, texts


@dataclass(frozen=True)
class Scored:
    """What is scored while a recipe trains; a call makes the clips anew.

    Attributes:
        names: of the videos or images.
        texts: the sentences, each once.
        clips: makes the clips.
    """

    names: Sequence[str]
    texts: Sequence[str]
    clips: Callable[[], Iterable[ScoredClip]]

    def __call__(self) -> Iterable[ScoredClip]:
        """Return the clips."""
        return self.clips()


_SCORED_SENTENCES = 200  # each time, about


def open_sources(recipe: str, data: Path, length: int, share: float) -> tuple[Source, Scored]:
    """Return the examples of a data set, and what of it is held out.

    Args:
        recipe: its name.
        data: the data set's folder.
        length: of the clips, frames.
        share: of the videos or images that is held out, from 0 to below 1. MeViS has a split for that, `valid_u`, which
            is taken instead unless the share is 0.

    Raises:
        InputError: the data set or the share cannot be used, or nothing is left to train on.
    """
    if not 0 <= share < 1:
        raise InputError(f"The part that is held out is {share}: choose one from 0 to below 1.")
    if recipe == "refcoco":
        return _images(RefCOCO.open(data), share)
    data_set = open_data_set(recipe, data, "all" if recipe == "own" else "train")
    if recipe == "own":
        data_set.check()
    data_set.check_sentences()
    if recipe == "mevis":
        valid = MeViS.open(data, "valid_u") if share else data_set
        return _videos(data_set, data_set.videos, length), _scored(valid, valid.videos if share else ())
    names = hold_out([video.name for video in data_set.videos], share)
    trained = [video for video in data_set.videos if video.name not in names]
    return _videos(data_set, trained, length), _scored(data_set, [v for v in data_set.videos if v.name in names])


def hold_out(names: Iterable[str], share: float) -> set[str]:
    """Return some of the names, always the same ones: that share, but at least one of several unless it is 0."""
    names = sorted(set(names), key=lambda name: zlib.crc32(name.encode()))
    count = round(share * len(names)) or int(share > 0 and len(names) > 1)
    return set(names[:count])


def _images(data_set: RefCOCO, share: float) -> tuple[Source, Scored]:
    names = hold_out((referral.image for referral in data_set.referrals), share)
    trained = [referral for referral in data_set.referrals if referral.image not in names]
    scored = [referral for referral in data_set.referrals if referral.image in names][:_SCORED_SENTENCES]
    texts = list(dict.fromkeys(referral.text for referral in scored))
    return _checked(ImageSource(data_set, trained)), Scored(
        sorted({referral.image for referral in scored}), texts, lambda: scored_images(data_set, scored)
    )


def _videos(data_set: DataSet, videos: Sequence[Video], length: int) -> Source:
    return _checked(VideoSource(data_set, videos, length))


def _scored(data_set: DataSet, videos: Iterable[Video]) -> Scored:
    """Return as many of the videos as have about so many sentences together."""
    chosen, sentences = [], 0
    for video in videos:
        if sentences < _SCORED_SENTENCES and video.sentences and data_set.labelled(video):
            chosen.append(video)
            sentences += len(video.sentences)
    return Scored([video.name for video in chosen], texts(chosen), lambda: scored_videos(data_set, chosen))


def _checked(source: Source) -> Source:
    if not len(source):
        raise InputError("There is no sentence on a clip with masks to train on: check the data set.")
    return source
