"""The sound of a clip, put under a video made from it."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Literal

import imageio_ffmpeg

from mpgsam2.video.containers import ffmpeg_input

Sound = Literal["kept", "none", "unreadable"]

_PATIENCE = 60  # seconds; real sound takes a hundredth of its length


def add_sound(video: Path, source: Path, start: float, duration: float) -> Sound:
    """Puts a stretch of a clip's sound under a video, as AAC in stereo; the pictures are left as they are.

    Args:
        video: the mp4, replaced when all went well and left alone otherwise.
        source: the clip, a file or a folder.
        start, duration: of the stretch in the clip, in seconds.

    Returns:
        "kept"; "none" if the clip has no sound there; "unreadable" if it has some that cannot be read. Nothing is
        ever raised because of the clip.
    """
    if not source.is_file():
        return "none"
    try:
        if not _has_sound(source):
            return "none"
        unfinished = video.with_name(f".{video.name}.sound.part")
        try:
            stretch = ["-ss", f"{start:.6f}", "-t", f"{duration:.6f}", *ffmpeg_input(source)]
            streams = ["-map", "0:v:0", "-map", "1:a:0", "-c:v", "copy", "-c:a", "aac", "-ac", "2"]
            container = ["-map_metadata", "-1", "-movflags", "+faststart", "-f", "mp4"]
            done = _ffmpeg("-y", *ffmpeg_input(video), *stretch, *streams, *container, str(unfinished))
            if done.returncode:
                return "unreadable"
            if not _has_sound(unfinished):
                return "none"
            unfinished.replace(video)
        finally:
            unfinished.unlink(missing_ok=True)
    except subprocess.TimeoutExpired:
        return "unreadable"
    return "kept"


def _has_sound(path: Path) -> bool:
    return b" Audio: " in _ffmpeg(*ffmpeg_input(path)).stderr


def _ffmpeg(*arguments: str) -> subprocess.CompletedProcess[bytes]:
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-nostdin", "-hide_banner", *arguments]
    return subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, timeout=_PATIENCE, check=False)
