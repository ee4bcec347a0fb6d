"""What a data set's index says of a video: its frames, and the sentences that are asked of it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Sentence:
    """One sentence of a video.

    Attributes:
        id: its name in the data set, and that of its folder in results.
        text: in lower case, words separated by single spaces, as every published program reads them.
        objects: numbers of the objects that it names, or of their annotations; empty where that is not told.
    """

    id: str
    text: str
    objects: tuple[int, ...] = ()


@dataclass(frozen=True)
class Video:
    """One video.

    Attributes:
        name: that of its folder.
        frames: names of its frames in order, without suffix.
        sentences: in the order of the index.
    """

    name: str
    frames: tuple[str, ...]
    sentences: tuple[Sentence, ...]


def plain_sentence(text: str) -> str:
    """Return the sentence in lower case, with single spaces."""
    return " ".join(text.lower().split())
