"""What is measured of every sentence of an evaluation; all in 0..1."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import numpy as np

from mpgsam2.inference.verdict import Verdict

ANSWERS = ("masks", "prior", "chance")
"""What is compared: the masks, the prior alone, and a thing of the clip picked at random and outlined perfectly."""


class Quality(NamedTuple):
    """J and F, each in 0..1."""

    J: float
    F: float

    @property
    def J_and_F(self) -> float:
        """Their mean."""
        return (self.J + self.F) / 2

    @classmethod
    def mean(cls, qualities: Iterable[Quality]) -> Quality:
        """Return the mean of at least one."""
        return cls(*(float(x) for x in np.mean(list(qualities), axis=0)))


class Frames(NamedTuple):
    """A sentence's frames in order, one field for each thing that is known of them."""

    visible: tuple[bool, ...]  # something of what is named is to be seen
    found: tuple[bool, ...]  # the mask is not empty
    object_score: tuple[float, ...]
    predicted_iou: tuple[float, ...]
    iou: tuple[float, ...]  # the mask's true one; 1 where there is nothing and nothing was found


@dataclass(frozen=True)
class SentenceScore:
    """One sentence of one clip.

    Attributes:
        clip: index of the clip in the evaluation.
        expression: the sentence.
        kind: what it speaks about, as in `synthetic.Expression`.
        target: index of the thing that is named, None for a sentence that names nothing.
        size: diameter of a disk as large as what can be seen of the thing, in the mean of the frames in which it is to
            be seen, as part of the frame's height; 0 without a target.
        occluded: other things hide more than a tenth of the thing in some frame, or it is outside in some.
        taken: the thing of which the masks of all frames together cover the most pixels; None where they cover nothing
            or as much of two.
        masks, prior, chance: means over the frames.
        frames: what is known of each.
        verdict: what a user is told in the end.
    """

    clip: int
    expression: str
    kind: str
    target: int | None
    size: float
    occluded: bool
    taken: int | None
    masks: Quality
    prior: Quality
    chance: Quality
    frames: Frames
    verdict: Verdict

    @property
    def judged_rightly(self) -> bool:
        """Whether the verdict is the truth."""
        return self.verdict.present == (self.target is not None)

    def to_dict(self) -> dict[str, Any]:
        """Return everything, as JSON can hold it."""
        return {
            **asdict(self),
            **{answer: getattr(self, answer)._asdict() for answer in ANSWERS},
            "verdict": {"present": self.verdict.present, "presence": self.verdict.presence},
            "frames": self.frames._asdict(),
        }


@dataclass(frozen=True)
class Scores:
    """All sentences of an evaluation, at least one of which names something."""

    sentences: tuple[SentenceScore, ...]

    @property
    def naming(self) -> list[SentenceScore]:
        """The sentences that name something."""
        return [sentence for sentence in self.sentences if sentence.target is not None]

    @property
    def absent(self) -> list[SentenceScore]:
        """The sentences that name nothing."""
        return [sentence for sentence in self.sentences if sentence.target is None]

    def mean(self, answer: str = "masks", kind: str | None = None) -> Quality:
        """Return the mean over the sentences that name something, or over those of one kind.

        Args:
            answer: one of `ANSWERS`.
            kind: one that came up; None for all.
        """
        return Quality.mean(getattr(sentence, answer) for sentence in self.naming if kind in (None, sentence.kind))
