"""What a look over a clip finds out, whether it is a file or a folder."""

from __future__ import annotations

from fractions import Fraction
from typing import NamedTuple


class Stretch(NamedTuple):
    """A part of a file within which its clock runs on; most files are one.

    Attributes:
        begin, end: what the file's clock says when its first frame is shown, and when its last one has been, in
            seconds.
        shown: when its first frame is shown, in seconds since the clip's first.
    """

    begin: float
    end: float
    shown: float


class Probe(NamedTuple):
    """What `Clip` is made of besides its path; the fields are those of `Clip`."""

    width: int
    height: int
    fps: Fraction
    frame_count: int
    variable_rate: bool
    times: tuple[float, ...] = ()
    stretches: tuple[Stretch, ...] = ()
    hdr: bool = False


def even_times(count: int, fps: Fraction) -> tuple[float, ...]:
    """Return when each of so many frames is shown, evenly spaced, in seconds."""
    return tuple(float(index / fps) for index in range(count))
