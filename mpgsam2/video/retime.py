"""A finished video's frames moved to the times at which they are to be shown; their pictures stay as they are."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av

_TICKS_PER_SECOND = 90_000  # every usual frame rate's step is a whole number of them


def retime(path: Path, out: Path, form: str, times: Sequence[float], last: float) -> None:
    """Copy a video with other times.

    Args:
        path: of the video, whose frames are stored in the order in which they are shown.
        out: the copy.
        form: ffmpeg's name of its container.
        times: when each frame is to be shown, in seconds; at least as many as there are.
        last: how long the last frame of the video is shown, in seconds.
    """
    with av.open(str(path)) as source, av.open(str(out), "w", format=form, options=MOVFLAGS.get(form, {})) as copy:
        stream = source.streams.video[0]
        written = copy.add_stream_from_template(stream)
        written.time_base = Fraction(1, _TICKS_PER_SECOND)
        written.metadata.update(stream.metadata)
        ends = [*times[1:], times[-1] + last]
        packets = (packet for packet in source.demux(stream) if packet.size)
        for packet, time, end in zip(packets, times, ends, strict=False):
            packet.time_base = Fraction(1, _TICKS_PER_SECOND)
            packet.pts = packet.dts = round(time * _TICKS_PER_SECOND)
            packet.duration = round(end * _TICKS_PER_SECOND) - packet.pts
            packet.stream = written
            copy.mux(packet)


MOVFLAGS = {"mp4": {"movflags": "+faststart"}}
"""By container, what puts the index in front, so that a video can be played before it is there as a whole."""
