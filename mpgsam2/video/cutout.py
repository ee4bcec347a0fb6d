"""Frames with transparency in, one by one, and a WebM out that browsers and editors show over whatever lies below."""

from __future__ import annotations

from mpgsam2.video.writer import VideoWriter


class CutOutWriter(VideoWriter):
    """Writes a WebM with alpha: VP9, yuva420p, a key frame every 12; otherwise as `VideoWriter`.

    Its frames are (H, W, 4) uint8 RGBA, the colours not multiplied by alpha.
    """

    channels = 4

    _pixels_in, _pixels_out, _container = "rgba", "yuva420p", "webm"
    # VP9 takes alpha only without reference frames that are made ahead of their time.
    _encoding = (
        *("-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8", "-threads", "1"),
        *("-auto-alt-ref", "0", "-lag-in-frames", "0", "-crf", "24", "-b:v", "0", "-g", "12"),
    )
