"""Sentences on clips of data sets: what is trained on, and what is held out to be scored on."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple, Protocol

import numpy as np

from mpgsam2.datasets.data_set import DataSet
from mpgsam2.datasets.pictures import read_frame
from mpgsam2.datasets.refcoco import RefCOCO, Referral
from mpgsam2.datasets.truth import Truth
from mpgsam2.datasets.video import Video
from mpgsam2.errors import InputError
from mpgsam2.training.clip_frames import choose_frames


class Example(NamedTuple):
    """A clip to train on."""

    text: str
    frames: list[np.ndarray]  # T of (H, W, 3) uint8 RGB
    truths: list[Truth]  # T


class ScoredClip(NamedTuple):
    """A clip to score on."""

    frames: Iterable[np.ndarray]  # (H, W, 3) uint8 RGB, read anew in every iteration
    window: int | None  # frames that are encoded at once; None: as the checkpoint wants it
    texts: list[str]
    truths: Sequence[Iterable[Truth | None]]  # for each sentence, frame by frame; None is not scored


class Source(Protocol):
    """What examples are drawn from."""

    texts: Sequence[str]
    """The sentences, each once."""

    def __len__(self) -> int:
        """Return how many there are."""

    def draw(self, index: int, rng: random.Random) -> Example:
        """Return one of them, with frames that are drawn."""


class VideoSource:
    """Every sentence of every video with every `length`-th of its frames that has masks.

    Args:
        data_set: of the videos.
        videos: some of its.
        length: of the clips, frames.
    """

    def __init__(self, data_set: DataSet, videos: Sequence[Video], length: int) -> None:
        self._data_set, self._videos, self._length = data_set, videos, length
        self._labelled = [data_set.labelled(video) for video in videos]
        self.texts: Sequence[str] = texts(videos)
        self._samples = [
            (number, sentence, at)
            for number, (video, labelled) in enumerate(zip(videos, self._labelled, strict=True))
            for sentence in range(len(video.sentences))
            for at in range(0, len(labelled), length)
        ]

    def __len__(self) -> int:
        return len(self._samples)

    def draw(self, index: int, rng: random.Random) -> Example:
        """See `Source.draw`.

        Raises:
            InputError: a frame or mask is missing or broken, or they are of different sizes.
        """
        number, sentence_number, at = self._samples[index]
        video, labelled = self._videos[number], self._labelled[number]
        sentence = video.sentences[sentence_number]
        chosen = [labelled[i] for i in choose_frames(len(labelled), at, self._length, rng)]
        names = [self._data_set.frame_name(video, video.frames[i]) for i in chosen]
        frames = [read_frame(self._data_set.root / name, name) for name in names]
        height, width = frames[0].shape[:2]
        truths: list[Truth] = []
        for name, frame, truth in zip(
            names, frames, self._data_set.truth(video, sentence, (height, width), chosen), strict=True
        ):
            if truth is None:
                raise InputError(f"“{name}” has no mask: download the masks again.")
            if frame.shape[:2] != truth.mask.shape:
                raise InputError(f"“{name}” and its mask are of different sizes: download them again.")
            truths.append(truth)
        return Example(sentence.text, frames, truths)


class ImageSource:
    """Sentences on single images."""

    def __init__(self, data_set: RefCOCO, referrals: Sequence[Referral]) -> None:
        self._data_set, self._referrals = data_set, referrals
        self.texts: Sequence[str] = list(dict.fromkeys(referral.text for referral in referrals))

    def __len__(self) -> int:
        return len(self._referrals)

    def draw(self, index: int, rng: random.Random) -> Example:
        """See `Source.draw`; nothing is drawn."""
        referral = self._referrals[index]
        return Example(referral.text, [self._data_set.frame(referral)], [Truth(self._data_set.mask(referral))])


def texts(videos: Iterable[Video]) -> list[str]:
    """Return the sentences of videos, each once."""
    return list(dict.fromkeys(sentence.text for video in videos for sentence in video.sentences))


def scored_videos(data_set: DataSet, videos: Iterable[Video]) -> Iterator[ScoredClip]:
    """Yield videos, whole, with all of their sentences."""
    for video in videos:
        size = data_set.frame_size(video)
        truths = [data_set.truth(video, sentence, size) for sentence in video.sentences]
        texts = [sentence.text for sentence in video.sentences]
        yield ScoredClip(data_set.frames(video), data_set.window(video), texts, truths)


def scored_images(data_set: RefCOCO, referrals: Iterable[Referral]) -> Iterator[ScoredClip]:
    """Yield images, with a sentence each."""
    for referral in referrals:
        truth = Truth(data_set.mask(referral))
        yield ScoredClip([data_set.frame(referral)], None, [referral.text], [[truth]])
