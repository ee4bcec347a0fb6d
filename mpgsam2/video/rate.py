"""The frame rate of a video file, from what it states and from when its frames are shown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction

from mpgsam2.errors import InputError

_MAX_SECONDS_OFF = 0.01  # of a frame's place in an even row; a fifth of what eye and ear forgive


def frame_rate(stated: Iterable[Fraction | None], times: Sequence[float]) -> tuple[Fraction, bool]:
    """Return a clip's frames per second, and whether its frames are unevenly spaced in time.

    Args:
        stated: frames per second that the file states, the most trusted first; may be nonsense.
        times: when each frame is shown, in seconds, rising.

    A rate that puts every frame within half a frame and 10 ms of its time is the clip's: a stated one, or else the
    mean one. If none does, the clip's rate varies, and the mean one is given.

    Raises:
        InputError: neither the file nor the frames' times give a rate.
    """
    candidates = [rate for rate in stated if rate is not None and _is_sensible(rate)]
    span = times[-1] - times[0]
    mean = Fraction((len(times) - 1) / span).limit_denominator(1001) if span > 0 else None
    if mean is not None and not _is_sensible(mean):
        mean = None
    for rate in (*candidates, mean):
        if rate is not None and _fits(rate, times):
            return _simple(rate), False
    if mean is not None:
        return mean, True
    if candidates:
        return _simple(candidates[0]), False
    raise InputError("The clip does not say when its frames are shown: convert it to MP4 and try again.")


def _fits(rate: Fraction, times: Sequence[float]) -> bool:
    step = 1 / float(rate)
    slack = min(step / 2, _MAX_SECONDS_OFF) + 1e-9
    return all(abs(time - times[0] - index * step) <= slack for index, time in enumerate(times))


def _is_sensible(rate: Fraction) -> bool:
    """Return whether anything can be shown at so many frames per second."""
    return Fraction(1, 1000) <= rate <= 100_000


def _simple(rate: Fraction) -> Fraction:
    # 1001 is the denominator of the television rates, 24000/1001, 30000/1001 and 60000/1001.
    return Fraction(rate).limit_denominator(1001)
