"""Whether a clip holds what a sentence names, and in which frames: one conclusion from the answers for all frames."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from mpgsam2.errors import InputError
from mpgsam2.inference.config import CalibrationConfig

_BEST_FRACTION = 1 / 3  # of the frames; presence is concluded from the best ones
_MIN_SCORE = 1e-4  # and 1 minus it the largest: the logits of 0 and 1 have no end
_MAX_RANGES = 3  # in a sentence
_UNCALIBRATED = CalibrationConfig()


@dataclass(frozen=True)
class Verdict:
    """The conclusion about one sentence and one clip.

    Attributes:
        frame_count: of the clip.
        found: the runs of frames, counted from 0, whose masks are not empty.
        presence: 0..1, how probable it is that the clip holds what the sentence names.
        doubt: what of the sentence was not understood, as `understanding.doubt` says it: nobody is told the presence
            then. None: all that matters was.
    """

    frame_count: int
    found: tuple[range, ...]
    presence: float
    doubt: str | None = None

    @property
    def present(self) -> bool:
        """Whether the clip probably holds what the sentence names."""
        return self.presence > 0.5

    @property
    def certainty(self) -> float:
        """0.5..0.99, how sure it is of what it says, present or not, in whole percent as it is told."""
        certainty = self.presence if self.present else 1 - self.presence
        return min(99, round(100 * certainty)) / 100  # no verdict is certain

    @property
    def sentence(self) -> str:
        """The conclusion for people: "Found in frames 3–40 of 48."; what was not understood is only marked."""
        if self.doubt:
            return f"Marked in {self.where}." if self.found else "Nothing is marked."
        return f"Found in {self.where}." if self.present else "Probably not in this clip."

    @property
    def summary(self) -> str:
        """The sentence, how sure it is, and if it is of absence, which frames have masks.

        "Found in frames 3–40 of 48. I am 98 % sure."
        "Probably not in this clip. I am 80 % sure, but it may be in frame 5 of 48."
        "I do not know the word “dog”: my best guess is marked in all 48 frames, but I cannot say how sure I am."
        """
        if self.doubt:
            marked = f"my best guess is marked in {self.where}" if self.found else "nothing is marked"
            return f"{self.doubt}: {marked}, {'but' if self.found else 'and'} I cannot say how sure I am."
        but = f", but it may be in {self.where}" if self.found and not self.present else ""
        return f"{self.sentence} I am {100 * self.certainty:.0f} % sure{but}."

    @property
    def where(self) -> str:
        """The frames with masks, counted from 1 as people do: "frames 3–40 of 48"; "no frame" where there is none."""
        count = sum(map(len, self.found))
        if count == 0:
            return "no frame"
        if count == self.frame_count:
            return "the only frame" if count == 1 else f"all {count} frames"
        if len(self.found) > _MAX_RANGES:
            return f"{count} of {self.frame_count} frames"
        runs = [str(run.start + 1) if len(run) == 1 else f"{run.start + 1}–{run.stop}" for run in self.found]
        listed = " and ".join(filter(None, (", ".join(runs[:-1]), runs[-1])))
        return f"{'frame' if count == 1 else 'frames'} {listed} of {self.frame_count}"


def conclude(
    found: Sequence[bool],
    object_scores: Sequence[float],
    calibration: CalibrationConfig = _UNCALIBRATED,
    doubt: str | None = None,
) -> Verdict:
    """Draw the conclusion from all frames of a clip.

    The presence is the calibrated sigmoid of `mean_logit`; without any mask it is one half at most.

    Args:
        found: per frame, whether its mask is not empty.
        object_scores: per frame, 0..1, as in `FrameResult`.
        calibration: of the model that gave them; its verdict's shift and temperature count here.
        doubt: see `Verdict`.

    Raises:
        InputError: there is no frame.
    """
    logit = mean_logit(found, object_scores)
    presence = _sigmoid((logit - calibration.verdict_shift) / calibration.verdict_temperature)
    runs = [[t for t, _ in run] for mask, run in groupby(enumerate(found), key=lambda item: item[1]) if mask]
    return Verdict(
        frame_count=len(found),
        found=tuple(range(run[0], run[-1] + 1) for run in runs),
        presence=presence if any(found) else min(presence, 0.5),
        doubt=doubt,
    )


def mean_logit(found: Sequence[bool], object_scores: Sequence[float]) -> float:
    """Return what speaks for a thing in a clip: the mean logit of the object scores in the best third of its frames.

    What is named may come late or leave early, so the other frames do not count; at least one does. A frame without a
    mask counts as a score of one half at most: whatever is present has a mask.

    Args:
        found, object_scores: see `conclude`.

    Raises:
        InputError: there is no frame.
    """
    if not found:
        raise InputError("There is no verdict on a clip without frames.")
    scores = [score if mask else min(score, 0.5) for mask, score in zip(found, object_scores, strict=True)]
    best = sorted(scores, reverse=True)[: max(1, round(_BEST_FRACTION * len(scores)))]
    return sum(map(_logit, best)) / len(best)


def _logit(score: float) -> float:
    score = min(max(score, _MIN_SCORE), 1 - _MIN_SCORE)
    return math.log(score / (1 - score))


def _sigmoid(logit: float) -> float:
    return 0.5 * (1 + math.tanh(logit / 2))  # which, unlike exp, never overflows
