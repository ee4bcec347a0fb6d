"""Video files: looking one over and reading its frames."""

from __future__ import annotations

import itertools
import subprocess
from collections.abc import Iterator
from pathlib import Path

import cv2
import imageio_ffmpeg
import numpy as np

from mpgsam2.errors import InputError
from mpgsam2.video.limits import Limits
from mpgsam2.video.probe import Probe
from mpgsam2.video.rate import frame_rate


def probe_file(path: Path, limits: Limits) -> Probe:
    """Looks a video file over, to its last frame.

    Every frame is decoded once (without colour conversion), because only that tells how many there really are.

    Raises:
        InputError: not a video, no frames, broken part-way, or beyond one of the limits.
    """
    limits.check_bytes(path.name, path.stat().st_size)
    with path.open("rb") as file:
        head = file.read(1024)
    if not head:
        raise InputError(f"“{path.name}” is an empty file: upload or copy it again.")
    if not _is_container(head):
        raise InputError(
            f"“{path.name}” is not a video that can be read here: give an MP4, MOV, WebM, MKV, AVI, MPEG, OGV, FLV, "
            "WMV or GIF file."
        )
    capture = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
    try:
        if not capture.isOpened():
            raise InputError(
                f"No frame of “{path.name}” could be read: it holds no video, or it is cut off or damaged; export or "
                "upload it again."
            )
        width, height = int(capture.get(cv2.CAP_PROP_FRAME_WIDTH)), int(capture.get(cv2.CAP_PROP_FRAME_HEIGHT))
        limits.check_pixels(path.name, width, height)
        stated_rate, stated_count = capture.get(cv2.CAP_PROP_FPS), int(capture.get(cv2.CAP_PROP_FRAME_COUNT))
        times: list[float] = []
        for _ in _grab_all(capture):
            times.append(capture.get(cv2.CAP_PROP_POS_MSEC))
            limits.check_frames(path.name, len(times))
    finally:
        capture.release()
    if not times:
        raise InputError(f"“{path.name}” has no frame that can be read: export or upload it again.")
    # The stated count alone proves nothing: a trimmed phone clip states the frames that it hides too, and WebM's count
    # is only its duration times a rate. Broken is what has fewer frames than stated and makes the decoder complain.
    if len(times) < stated_count and _decoder_complains(path):
        raise InputError(
            f"“{path.name}” is broken part-way: only {len(times)} of its {stated_count} frames could be read; export "
            "or upload it again."
        )
    fps, variable_rate = frame_rate(stated_rate, times)
    return Probe(width, height, fps, len(times), variable_rate)


def file_frames(path: Path) -> Iterator[np.ndarray]:
    """Yields a video file's frames, (H, W, 3) uint8 RGB; closing the generator releases the file."""
    capture = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
    try:
        for _ in _grab_all(capture):
            yield cv2.cvtColor(capture.retrieve()[1], cv2.COLOR_BGR2RGB)
    finally:
        capture.release()


def _grab_all(capture: cv2.VideoCapture) -> Iterator[None]:
    """Decodes a capture's frames one by one, for `retrieve` to be called in between.

    A failed grab is not yet the end: AVI and Ogg mark a frame that merely repeats the one before by an empty packet.
    """
    stated_count = capture.get(cv2.CAP_PROP_FRAME_COUNT)
    for attempt in itertools.count(1):
        if capture.grab():
            yield
        elif attempt >= stated_count:
            return


def _is_container(head: bytes) -> bool:
    """Whether a file's first bytes are those of a container that holds its own pictures.

    ffmpeg would also open playlists, scripts and session descriptions, which name other files and addresses to read.
    """
    return (
        head[4:8] in (b"ftyp", b"moov", b"mdat")  # MP4, MOV
        or (head.startswith(b"\x1a\x45\xdf\xa3") and (b"webm" in head[:64] or b"matroska" in head[:64]))
        or (head.startswith(b"RIFF") and head[8:12] == b"AVI ")
        or head.startswith((b"GIF87a", b"GIF89a", b"OggS", b"FLV\x01"))
        or head.startswith(b"\x30\x26\xb2\x75\x8e\x66\xcf\x11")  # WMV
        or head.startswith(b"\x00\x00\x01\xba")  # MPEG programme stream
        or (head[0:1] == head[188:189] == head[376:377] == b"\x47")  # MPEG transport stream
    )


def _decoder_complains(path: Path) -> bool:
    """Whether ffmpeg, decoding the whole file, reports any error."""
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-nostdin", "-v", "error", "-protocol_whitelist", "file"]
    command += ["-i", str(path), "-map", "0:v:0", "-f", "null", "-"]
    return bool(subprocess.run(command, stderr=subprocess.PIPE, check=False).stderr.strip())
