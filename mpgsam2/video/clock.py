"""When the frames of a file are shown, from what its clock says; clocks may start anywhere, stand still and jump."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from statistics import median

from mpgsam2.video.probe import Stretch

_JUMP_SECONDS = 10.0  # from one frame to the next, from which on a clock may have jumped, as ffmpeg has it
_JUMP_STEPS = 50  # usual steps that it must be as well
_MAX_SECONDS_BACK = 0.25  # that a clock may run back without having been set anew


def run_on(
    stamps: Sequence[float | None],
    usual: float | None,
    broadcast: bool,
    heard: Callable[[], Sequence[float]] = tuple,
) -> tuple[tuple[float, ...], tuple[Stretch, ...]]:
    """Return the time of every frame on a clock that starts at 0 and always runs on.

    A clock that jumps back was set anew, as where captures were joined: the next frame follows after the usual step.
    So does it after a gap that cannot be meant: a long one in a file of the kinds that are broadcast, whose clocks
    jump by their nature, or in any other file one longer than all the rest of the clip. Where sound goes on in a gap,
    it is meant, as where a recorded screen stands still. Frames at the same time, or a little before the last one, are
    shown right after it.

    Args:
        stamps: what the clock says when each frame is shown, in seconds; None where it says nothing.
        usual: the step from one frame to the next as the file states it, in seconds; None if it states none.
        broadcast: whether the file is of a kind whose clock may be set anew, such as MPEG-TS.
        heard: called at most once, where there is such a gap, for what the clock says when sound is heard, in seconds.

    Returns:
        The times in seconds, strictly rising, and the stretches between the jumps.
    """
    steps = [b - a for a, b in pairwise(stamps) if a is not None and b is not None]
    onward = [step for step in steps if step > 0]
    step = median(onward) if onward else usual or 0.04
    if usual and step > _JUMP_SECONDS:  # two frames on either side of a jump tell nothing
        step = usual
    total, least = sum(onward), min(0.001, step / 2)
    times: list[float] = []
    stretches: list[Stretch] = []
    begin = shown = last = 0.0
    sound: Sequence[float] | None = None
    for index, stamp in enumerate(stamps):
        if index == 0:
            begin, shown = stamp or 0.0, 0.0
            times.append(0.0)
            last = begin
            continue
        stamp = last + step if stamp is None else stamp
        gap = stamp - last
        too_long = gap > max(_JUMP_SECONDS, _JUMP_STEPS * step) and (broadcast or gap > total - gap)
        if too_long:
            sound = heard() if sound is None else sound
            too_long = not any(last + gap / 3 < time < stamp - gap / 3 for time in sound)
        if gap <= -max(_MAX_SECONDS_BACK, 4 * step) or too_long:
            stretches.append(Stretch(begin, last + step, shown))
            begin, shown = stamp, times[-1] + step
        times.append(max(shown + stamp - begin, times[-1] + least))
        last = stamp
    stretches.append(Stretch(begin, last + step, shown))
    return tuple(times), tuple(stretches)


def steadier(shown: Sequence[float | None], decoded: Sequence[float | None]) -> Sequence[float | None]:
    """Return the stamps whose steps vary less; those for showing, if they vary alike.

    AVI states only when a frame is decoded, and what is guessed from that of when it is shown may go to and fro.

    Args:
        shown, decoded: of every frame, in the order shown, in seconds; None where there is none.
    """
    return shown if _unusual_steps(shown) <= _unusual_steps(decoded) else decoded


def _unusual_steps(stamps: Sequence[float | None]) -> int:
    known = [stamp for stamp in stamps if stamp is not None]
    steps = [b - a for a, b in pairwise(known)]
    usual = median(steps) if steps else 0
    return sum(abs(step - usual) > usual / 2 for step in steps) if known else len(stamps)


class Listener:
    """Says when a file's sound is heard, on the clock of its frames; asked for one packet after the other.

    Args:
        stretches: as `run_on` returns them, at least one.
    """

    def __init__(self, stretches: Sequence[Stretch]) -> None:
        self._stretches = stretches
        self._at = 0
        self._last: float | None = None

    def shown(self, stamp: float) -> float | None:
        """Return the seconds since the first frame; None if no frame was shown by then, because the clock jumped."""
        if self._last is not None and stamp < self._last - _MAX_SECONDS_BACK:  # set anew, as it was for the frames
            self._at = min(self._at + 1, len(self._stretches) - 1)
        self._last = stamp
        while self._at + 1 < len(self._stretches):
            here, following = self._stretches[self._at : self._at + 2]
            if stamp < here.end:
                break
            if not here.end <= following.begin <= stamp:
                return None
            self._at += 1
        here = self._stretches[self._at]
        return here.shown + stamp - here.begin
