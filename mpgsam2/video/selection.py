"""A part of a clip: some of its frames, perhaps scaled down, read like any clip."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass

import cv2
import numpy as np

from mpgsam2.errors import FrameError, InputError
from mpgsam2.video.clip import Clip
from mpgsam2.video.rate import frame_rate
from mpgsam2.video.wording import frames_in_words

_MIN_SIDE = 16  # pixels


@dataclass(frozen=True)
class Selection:
    """Which frames of a clip are taken, and how large.

    Attributes:
        first: the first frame, counted from 0.
        last: where it ends; that frame is taken, too, if the steps meet it. None: at the clip's end.
        every: step from one frame to the next; 1 takes all.
        longest_side: in pixels; larger frames are scaled down to it, smaller ones stay as they are. None: all do.
    """

    first: int = 0
    last: int | None = None
    every: int = 1
    longest_side: int | None = None


@dataclass(frozen=True, kw_only=True)
class SelectedClip(Clip):
    """What `select` makes: a clip whose frames are some of another's. Path, name and hash are the other's.

    Attributes:
        source: the other clip, itself no selection.
        selection: what is taken of it.
        numbers: the number in `source` of each frame.
    """

    source: Clip
    selection: Selection
    numbers: range

    def read(self, numbers: range) -> Generator[np.ndarray]:
        """See `Clip.read`; the numbers are those of this clip's frames."""
        size = (self.width, self.height)
        with closing(self.source.read(self.numbers[numbers.start : numbers.stop : numbers.step])) as frames:
            for frame in frames:
                yield cv2.resize(frame, size, interpolation=cv2.INTER_AREA)


def select(clip: Clip, selection: Selection) -> SelectedClip:
    """Take a part of a clip; nothing is read before the part is iterated over.

    Where frames are left out the frame rate is lower, so that things move as fast as before. Frames after the last one
    taken are not decoded, those in between without colour conversion. A part of a part is a part of the whole clip.

    Raises:
        InputError: the clip has no such frames, or the step or the size is too small.
    """
    first, last, every, longest = selection.first, selection.last, selection.every, selection.longest_side
    for number in (first, last):
        if number is not None and not 0 <= number < clip.frame_count:
            raise FrameError(*(_no_frame(clip, number, start) for start in (0, 1)))
    if last is not None and last < first:
        raise FrameError(*(_exchanged(first + start, last + start) for start in (0, 1)))
    if every < 1:
        raise InputError(f"A step of {every} frames leads nowhere: take 1 for all frames, 2 for every other one.")
    if longest is not None and longest < _MIN_SIDE:
        raise InputError(f"Frames of {longest} pixels are too small: let the longest side have {_MIN_SIDE} or more.")
    numbers = range(first, clip.frame_count if last is None else last + 1, every)
    if isinstance(clip, SelectedClip):
        clip, selection, numbers = clip.source, *_combined(clip, selection, numbers)
    longest = selection.longest_side
    scale = 1 if longest is None else min(1, longest / max(clip.width, clip.height))
    times = tuple(clip.times[number] - clip.times[numbers.start] for number in numbers)
    fps, variable_rate = clip.fps / numbers.step, False
    if clip.variable_rate:
        fps, variable_rate = frame_rate([fps], times)
    return SelectedClip(
        path=clip.path,
        width=max(1, round(clip.width * scale)),
        height=max(1, round(clip.height * scale)),
        fps=fps,
        frame_count=len(numbers),
        variable_rate=variable_rate,
        times=times,
        stretches=clip.stretches,
        hdr=clip.hdr,
        source=clip,
        selection=selection,
        numbers=numbers,
    )


def _combined(part: SelectedClip, selection: Selection, numbers: range) -> tuple[Selection, range]:
    """Return what is taken of the whole clip by a selection of those numbers from a part of it."""
    numbers = part.numbers[numbers.start : numbers.stop : numbers.step]
    sides = [side for side in (part.selection.longest_side, selection.longest_side) if side is not None]
    to_the_end = part.selection.last is None and selection.last is None
    last = None if to_the_end else numbers[-1]
    return Selection(numbers.start, last, numbers.step, min(sides, default=None)), numbers


def _no_frame(clip: Clip, number: int, start: int) -> str:
    return (
        f"There is no frame {number + start} in “{clip.name}”, which has {frames_in_words(clip.frame_count)}: they are "
        f"counted from {start} to {clip.frame_count - 1 + start}."
    )


def _exchanged(first: int, last: int) -> str:
    return f"The last frame, {last}, lies before the first, {first}: swap them."
