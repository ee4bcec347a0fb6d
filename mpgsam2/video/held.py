"""A clip whose frames are decoded once for all that read them in a run."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass, field, fields
from threading import Lock
from typing import Any

import numpy as np

from mpgsam2.video.clip import Clip
from mpgsam2.video.selection import SelectedClip, Selection, select

HELD_BYTES = 128_000_000
"""Of decoded frames, at most: 100 of 854 × 480."""


class _Frames:
    """The frames that were decoded last, by number, for several threads."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._frames: dict[int, np.ndarray] = {}
        self._bytes = 0

    def get(self, number: int) -> np.ndarray | None:
        return self._frames.get(number)

    def add(self, number: int, frame: np.ndarray) -> None:
        with self._lock:
            if number in self._frames:
                return
            self._frames[number] = frame
            self._bytes += frame.nbytes
            while self._bytes > HELD_BYTES:
                self._bytes -= self._frames.pop(next(iter(self._frames))).nbytes


@dataclass(frozen=True, kw_only=True)
class HeldClip(SelectedClip):
    """What `hold` makes. Frames are shared by all who read them: nobody may write to them before the last has.

    Pickled it is the same clip without what it holds.
    """

    _frames: _Frames = field(default_factory=_Frames, repr=False, compare=False)

    def read(self, numbers: range) -> Generator[np.ndarray]:
        """See `Clip.read`; whoever needs a frame that is not held decodes for themselves from there on."""
        decoded: Generator[np.ndarray] | None = None
        try:
            for position, number in enumerate(numbers):
                frame = None if decoded else self._frames.get(number)
                if frame is None:
                    decoded = decoded or super().read(numbers[position:])
                    frame = next(decoded)
                    self._frames.add(number, frame)
                yield frame
        finally:
            if decoded:
                decoded.close()

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Clip, Selection]]:
        return select, (self.source, self.selection)


def hold(clip: Clip) -> HeldClip:
    """Return the same clip for one run, in which the network reads every frame twice and who writes videos once more.

    The newest `HELD_BYTES` of decoded frames are held. A clip that fits is decoded once, any other once for each pass
    of the network; who follows closely behind decodes nothing.
    """
    part = clip if isinstance(clip, SelectedClip) else select(clip, Selection())
    return HeldClip(**{entry.name: getattr(part, entry.name) for entry in fields(SelectedClip)})
