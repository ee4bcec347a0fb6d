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
from mpgsam2.video.containers import ffmpeg_input, is_container
from mpgsam2.video.limits import Limits
from mpgsam2.video.probe import Probe
from mpgsam2.video.rate import frame_rate
from mpgsam2.video.wording import frames_in_words

_REPEATS = 10_000  # times in a row that a frame may repeat the one before; a container may state any number of frames


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
    if not is_container(head):
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
        stated = f"of its {frames_in_words(stated_count)}" if stated_count <= limits.frames else "frames"
        raise InputError(
            f"“{path.name}” is broken part-way: only {len(times)} {stated} could be read; export or upload it again."
        )
    fps, variable_rate = frame_rate(stated_rate, times)
    limits.check_seconds(path.name, float(len(times) / fps))
    return Probe(width, height, fps, len(times), variable_rate)


def file_frames(path: Path, numbers: range) -> Iterator[np.ndarray]:
    """Yields a video file's frames of those numbers, (H, W, 3) uint8 RGB; closing the generator releases the file.

    What lies between them is decoded without colour conversion, what comes after them not at all.
    """
    capture = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
    try:
        for _ in itertools.islice(_grab_all(capture), numbers.start, numbers.stop, numbers.step):
            yield cv2.cvtColor(capture.retrieve()[1], cv2.COLOR_BGR2RGB)
    finally:
        capture.release()


def _grab_all(capture: cv2.VideoCapture) -> Iterator[None]:
    """Decodes a capture's frames one by one, for `retrieve` to be called in between.

    A failed grab is not yet the end: AVI and Ogg mark a frame that merely repeats the one before by an empty packet.
    """
    stated_count = capture.get(cv2.CAP_PROP_FRAME_COUNT)
    attempts = failures = 0
    while failures < _REPEATS:
        attempts += 1
        if capture.grab():
            failures = 0
            yield
        elif attempts >= stated_count:
            return
        else:
            failures += 1


def _decoder_complains(path: Path) -> bool:
    """Whether ffmpeg, decoding the whole file, reports any error."""
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-nostdin", "-v", "error", *ffmpeg_input(path)]
    command += ["-map", "0:v:0", "-f", "null", "-"]
    return bool(subprocess.run(command, stderr=subprocess.PIPE, check=False).stderr.strip())
