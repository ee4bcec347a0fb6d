"""How much a run may take while others wait: what this place does in two minutes, told in frames."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from threading import Lock

from mpgsam2.video import SelectedClip, select

CROWDED_SECONDS = 120.0
"""Seconds that a run may take while others wait."""

_FRAME_PIXELS = 400_000  # whose drawing and encoding takes as long as all else that nano does in a frame, on two cores
_GUESSED_SECONDS_PER_PIXEL = 1e-7  # and sentence, until a run has told
_NEWEST_WEIGHT = 0.3  # weight of the newest run in the mean


class Throughput:
    """What this place does in a second, learned from run to run, for each model.

    Args:
        crowded: whether anybody waits.
    """

    def __init__(self, crowded: Callable[[], bool]) -> None:
        self.crowded = crowded
        self._lock = Lock()
        self._seconds: dict[str, float] = {}

    def learn(self, model: str, clip: SelectedClip, frames: int, sentences: int, seconds: float) -> None:
        """Take in that so many frames of a clip with so many sentences have taken a model so long."""
        with self._lock:
            newest = seconds / frames / _work(clip, sentences)
            usual = self._seconds.get(model, newest)
            self._seconds[model] = usual + _NEWEST_WEIGHT * (newest - usual)

    def frames(self, model: str, clip: SelectedClip, sentences: int) -> int:
        """Return how many frames of a clip with so many sentences a model does in `CROWDED_SECONDS`; at least one."""
        with self._lock:
            seconds = self._seconds.get(model, _GUESSED_SECONDS_PER_PIXEL)
        return max(1, int(CROWDED_SECONDS / (seconds * _work(clip, sentences))))

    def shortened(self, model: str, clip: SelectedClip, sentences: int) -> tuple[SelectedClip, str]:
        """Return as much of a clip as a run may take at the moment, and a sentence about it if that is not all."""
        most = self.frames(model, clip, sentences)
        if clip.frame_count <= most or not self.crowded():
            return clip, ""
        last = clip.numbers[most - 1]
        which = "the first is" if most == 1 else f"the first {most} are"
        remark = f"Others are waiting: only {which} used of these, up to frame {last + 1}, what two minutes allow here."
        return select(clip.source, replace(clip.selection, last=last)), remark


def _work(clip: SelectedClip, sentences: int) -> int:
    """Return the work of a frame, in pixels."""
    return sentences * (_FRAME_PIXELS + clip.width * clip.height)
