"""What a look over a clip finds out, whether it is a file or a folder."""

from __future__ import annotations

from fractions import Fraction
from typing import NamedTuple


class Probe(NamedTuple):
    """What `Clip` is made of besides its path; the fields are those of `Clip`."""

    width: int
    height: int
    fps: Fraction
    frame_count: int
    variable_rate: bool
