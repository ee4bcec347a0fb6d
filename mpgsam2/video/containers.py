"""The kinds of video file that are read, and no other.

ffmpeg's libraries would also open playlists, scripts and session descriptions, which name other files and addresses to
read. They are told to consider none of these, and no protocol but that of plain files.
"""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import cast
from unicodedata import category

import av
from av.container import InputContainer
from av.stream import Stream

from mpgsam2.errors import InputError

_NAMES = "mov,matroska,avi,gif,ogg,flv,asf,mpeg,mpegts"  # ffmpeg's, of the containers that hold their own pictures
_OPTIONS = {"protocol_whitelist": "file", "format_whitelist": _NAMES}

_UNSEEN_CATEGORIES = ("Cc", "Zl", "Zp")  # Unicode's categories of line ends and of what steers a terminal


def open_container(path: Path) -> InputContainer:
    """Open a video file and nothing that it may point to; a context manager.

    Raises:
        InputError: it is not a video, or nothing can be made of its beginning.
    """
    try:
        return av.open(str(path), options=_OPTIONS, metadata_errors="replace")
    except (av.FFmpegError, ValueError, OSError, MemoryError):  # ValueError: a format that is not among the names
        with path.open("rb") as file:
            head = file.read(1024)
    if not _is_container(head):
        raise InputError(
            f"“{shown(path)}” is not a video that can be read here: give an MP4, MOV, WebM, MKV, AVI, MPEG, OGV, FLV, "
            "WMV, GIF, animated WebP or PNG file."
        )
    raise InputError(
        f"No frame of “{shown(path)}” could be read: it holds no video, or it is cut off or damaged; export or upload "
        "it again."
    )


def time_base(stream: Stream) -> Fraction:
    """Return the unit of a stream's time stamps, in seconds; every stream of an opened file has one."""
    return cast(Fraction, stream.time_base)


def ffmpeg_input(path: Path) -> list[str]:
    """Return the arguments with which the ffmpeg program reads that file and nothing that it may point to."""
    return [*(word for name, value in _OPTIONS.items() for word in (f"-{name}", value)), "-i", str(path)]


def shown(path: Path) -> str:
    """Return a file's own name for a line of text; what is no UTF-8 or no letter to see becomes question marks."""
    name = path.name.encode(errors="surrogateescape").decode(errors="replace")
    return "".join("\ufffd" if category(letter) in _UNSEEN_CATEGORIES else letter for letter in name)


def _is_container(head: bytes) -> bool:
    """Return whether a file's first kilobyte is a video's, though a damaged one's; decides only how it is refused."""
    return (
        head[4:8] in (b"ftyp", b"moov", b"mdat", b"wide", b"skip", b"free", b"styp")  # MP4, MOV
        or (head.startswith(b"\x1a\x45\xdf\xa3") and (b"webm" in head[:64] or b"matroska" in head[:64]))
        or (head.startswith(b"RIFF") and head[8:12] == b"AVI ")
        or head.startswith((b"GIF87a", b"GIF89a", b"OggS", b"FLV\x01"))
        or head.startswith(b"\x30\x26\xb2\x75\x8e\x66\xcf\x11")  # WMV
        or head.startswith(b"\x00\x00\x01\xba")  # MPEG programme stream
        or (head[0:1] == head[188:189] == head[376:377] == b"\x47")  # MPEG transport stream
        or (head[4:5] == head[196:197] == head[388:389] == b"\x47")  # the same with times, as camcorders write it
    )
