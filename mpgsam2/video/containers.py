"""The kinds of video file that are read, and no other.

ffmpeg, OpenCV's too, would also open playlists, scripts and session descriptions, which name other files and addresses
to read. It finds some of them behind the first bytes of a video, so both those and ffmpeg's own choice are checked.
"""

from __future__ import annotations

import os
from pathlib import Path

_NAMES = "mov,matroska,avi,gif,ogg,flv,asf,mpeg,mpegts"  # ffmpeg's, of the containers that hold their own pictures

# OpenCV hands its ffmpeg options over in no other way. They hold for every video that this process reads.
os.environ["OPENCV_FFMPEG_CAPTURE_OPTIONS"] = f"protocol_whitelist;file|format_whitelist;{_NAMES}"


def ffmpeg_input(path: Path) -> list[str]:
    """The arguments with which the ffmpeg program reads that file and nothing that it may point to."""
    return ["-protocol_whitelist", "file", "-format_whitelist", _NAMES, "-i", str(path)]


def is_container(head: bytes) -> bool:
    """Whether a file's first kilobyte is that of a container that holds its own pictures."""
    return (
        head[4:8] in (b"ftyp", b"moov", b"mdat")  # MP4, MOV
        or (head.startswith(b"\x1a\x45\xdf\xa3") and (b"webm" in head[:64] or b"matroska" in head[:64]))
        or (head.startswith(b"RIFF") and head[8:12] == b"AVI ")
        or head.startswith((b"GIF87a", b"GIF89a", b"OggS", b"FLV\x01"))
        or head.startswith(b"\x30\x26\xb2\x75\x8e\x66\xcf\x11")  # WMV
        or head.startswith(b"\x00\x00\x01\xba")  # MPEG programme stream
        or (head[0:1] == head[188:189] == head[376:377] == b"\x47")  # MPEG transport stream
    )
