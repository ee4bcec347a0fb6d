"""The frame rate of a video file, from what it states and from when its frames are shown."""

from __future__ import annotations

from fractions import Fraction

from mpgsam2.errors import InputError


def frame_rate(stated: float, times: list[float]) -> tuple[Fraction, bool]:
    """The rate to play a clip's results at, and whether its own rate varies.

    Args:
        stated: frames per second that the container states; may be nonsense.
        times: when each frame is shown, in milliseconds.

    The stated rate holds if it puts every frame within half a frame of its time. Otherwise the mean rate is taken,
    which shows the first and the last frame when the clip does.

    Raises:
        InputError: neither the container nor the frames' times give a rate.
    """
    sensible = _is_sensible(stated)
    if sensible and all(abs(time - times[0] - 1000 * i / stated) <= 500 / stated for i, time in enumerate(times)):
        return _fraction(stated), False
    span = times[-1] - times[0]
    if span > 0 and _is_sensible(mean := 1000 * (len(times) - 1) / span):
        return _fraction(mean), True
    if sensible:
        return _fraction(stated), False
    raise InputError("The clip does not say when its frames are shown: convert it to MP4 and try again.")


def _is_sensible(rate: float) -> bool:
    """Whether anything can be shown at so many frames per second; not so for nan."""
    return 0.001 <= rate <= 1000


def _fraction(rate: float) -> Fraction:
    # 1001 is the denominator of the television rates, 24000/1001, 30000/1001 and 60000/1001.
    return Fraction(rate).limit_denominator(1001)
