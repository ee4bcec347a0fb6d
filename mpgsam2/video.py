"""Clips in, videos out, one frame at a time.

- `open_clip` looks at a video file or a folder of images before any other work and refuses what cannot be used;
- `Clip` hands its frames out, as often as it is iterated over, in constant memory;
- `VideoWriter` takes frames one by one and leaves an mp4 that every browser plays.

What a clip's frames are:

- every frame that can be decoded, once each, in the order shown; nothing is dropped, doubled or rescaled;
- a phone's rotation (and a photo's, from its EXIF) is applied, so width and height are those the viewer sees;
- transparency is ignored: the colours stored under it are the frame;
- a clip whose frame rate varies keeps all of its frames and takes its mean rate, so results last as long as the clip.
"""

from __future__ import annotations

import hashlib
import itertools
import math
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from os import PathLike
from pathlib import Path

import cv2
import imageio_ffmpeg
import numpy as np

from mpgsam2.errors import InputError

FOLDER_RATE = Fraction(24)
"""Frames per second of a folder of images, which states none: DAVIS's own rate."""

IMAGE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".webp"})


@dataclass(frozen=True)
class Limits:
    """The largest clip that is taken.

    Attributes:
        frames: number of frames.
        pixels: width × height of a frame; the default is 4096 × 2304.
        bytes: size of the file, or of all images of a folder together.
    """

    frames: int = 3000
    pixels: int = 4096 * 2304
    bytes: int = 500_000_000


@dataclass(frozen=True)
class Clip:
    """A clip that was looked at and can be read; iterating yields (H, W, 3) uint8 RGB frames.

    Every iteration opens the clip afresh and holds one frame at a time; closing the iterator releases the file. Holds
    no open file itself, so it can be pickled. An iteration raises InputError if the clip has changed since it was
    opened.

    Attributes:
        path: the file or folder.
        width, height: of a frame in pixels, rotation applied.
        fps: frames per second, an exact fraction such as 30000/1001.
        frame_count: frames that an iteration yields.
        variable_rate: True if the clip's frames are unevenly spaced in time; `fps` is then their mean rate.
    """

    path: Path
    width: int
    height: int
    fps: Fraction
    frame_count: int
    variable_rate: bool = False

    @property
    def name(self) -> str:
        """The file's or folder's own name, without the way to it."""
        return self.path.name

    @property
    def duration(self) -> float:
        """Seconds."""
        return float(self.frame_count / self.fps)

    def sha256(self) -> str:
        """Hex digest of the file, or of a folder's images one after the other."""
        digest = hashlib.sha256()
        for path in _images(self.path) if self.path.is_dir() else [self.path]:
            with path.open("rb") as file:
                while block := file.read(1 << 20):
                    digest.update(block)
        return digest.hexdigest()

    def __iter__(self) -> Iterator[np.ndarray]:
        frames = _folder_frames(self.path) if self.path.is_dir() else _video_frames(self.path)
        try:
            for index in range(self.frame_count):
                frame = next(frames, None)
                if frame is None:
                    raise InputError(
                        f"Only {_count(index, 'frame')} of “{self.name}” could be read this time, {self.frame_count} "
                        "when it was opened: leave the clip alone during a run and start again."
                    )
                if frame.shape != (self.height, self.width, 3):
                    raise InputError(
                        f"“{self.name}” changes its picture size at frame {index}, from {self.width} × {self.height} "
                        f"to {frame.shape[1]} × {frame.shape[0]}: convert it to one size and try again."
                    )
                yield frame
        finally:
            frames.close()


def open_clip(path: str | PathLike[str], limits: Limits | None = None, folder_fps: Fraction = FOLDER_RATE) -> Clip:
    """Looks a clip over, to its last frame, and returns it ready to be read.

    Every frame is decoded once here (without colour conversion), because only that tells how many there really are.

    Args:
        path: a video file (MP4, MOV, WebM, MKV, AVI, MPEG, OGV, FLV, WMV, GIF) or a folder of images of one size, taken
            in the natural order of their names (2.png before 10.png).
        limits: the largest clip that is taken; None for the defaults of `Limits`.
        folder_fps: frames per second of a folder of images.

    Raises:
        InputError: no such clip, not a video, no frames, broken part-way, or beyond one of the limits.
    """
    if not path:
        raise InputError("No clip was given: choose a video file or a folder of images.")
    path, limits = Path(path).absolute(), limits or Limits()
    if path.is_dir():
        return _open_folder(path, limits, folder_fps)
    if path.is_file():
        return _open_video(path, limits)
    raise InputError(f"There is no clip “{path.name}”: check its name and where it lies.")


# ---------------------------------------------------------------------------------------------------------- videos


def _open_video(path: Path, limits: Limits) -> Clip:
    _check_bytes(path.name, path.stat().st_size, limits)
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
        _check_pixels(path.name, width, height, limits)
        stated_rate, stated_count = capture.get(cv2.CAP_PROP_FPS), int(capture.get(cv2.CAP_PROP_FRAME_COUNT))
        times: list[float] = []
        for _ in _grab_all(capture):
            times.append(capture.get(cv2.CAP_PROP_POS_MSEC))
            if len(times) > limits.frames:
                raise _too_many_frames(path.name, limits)
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
    fps, variable_rate = _frame_rate(stated_rate, times)
    return Clip(path, width, height, fps, len(times), variable_rate)


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


def _frame_rate(stated: float, times: list[float]) -> tuple[Fraction, bool]:
    """The rate to play a clip's results at, and whether its own rate varies.

    Args:
        stated: frames per second that the container states; may be nonsense.
        times: when each frame is shown, in milliseconds.

    The stated rate holds if it puts every frame within half a frame of its time. Otherwise the mean rate is taken,
    which shows the first and the last frame when the clip does.
    """
    sensible = math.isfinite(stated) and 0 < stated <= 1000
    if sensible and all(abs(time - times[0] - 1000 * i / stated) <= 500 / stated for i, time in enumerate(times)):
        return _fraction(stated), False
    span = times[-1] - times[0]
    if span > 0:
        return _fraction(1000 * (len(times) - 1) / span), True
    if sensible:
        return _fraction(stated), False
    raise InputError("The clip does not say when its frames are shown: convert it to MP4 and try again.")


def _fraction(rate: float) -> Fraction:
    # 1001 is the denominator of the television rates, 24000/1001, 30000/1001 and 60000/1001.
    return Fraction(rate).limit_denominator(1001)


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


def _video_frames(path: Path) -> Iterator[np.ndarray]:
    capture = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
    try:
        for _ in _grab_all(capture):
            yield cv2.cvtColor(capture.retrieve()[1], cv2.COLOR_BGR2RGB)
    finally:
        capture.release()


# ------------------------------------------------------------------------------------------------ folders of images


def _open_folder(path: Path, limits: Limits, fps: Fraction) -> Clip:
    images = _images(path)
    if not images:
        raise InputError(f"There is no image in the folder “{path.name}”: put PNG or JPEG frames into it.")
    if len(images) > limits.frames:
        raise _too_many_frames(path.name, limits)
    _check_bytes(path.name, sum(image.stat().st_size for image in images), limits)
    height = width = 0
    for index, frame in enumerate(_folder_frames(path)):
        if index == 0:
            height, width = frame.shape[:2]
            _check_pixels(path.name, width, height, limits)
        if frame.shape[:2] != (height, width):
            raise InputError(
                f"The images in “{path.name}” differ in size: “{images[index].name}” is {frame.shape[1]} × "
                f"{frame.shape[0]}, those before it {width} × {height}; give frames of one size."
            )
    return Clip(path, width, height, Fraction(fps), len(images))


def _images(folder: Path) -> list[Path]:
    """The folder's images, in the natural order of their names; hidden files are passed over."""
    images = [p for p in folder.iterdir() if p.suffix.lower() in IMAGE_SUFFIXES and p.name[0] != "." and p.is_file()]
    return sorted(images, key=lambda p: [(int(s), s) if s.isdecimal() else (0, s) for s in re.split(r"(\d+)", p.name)])


def _folder_frames(folder: Path) -> Iterator[np.ndarray]:
    for index, path in enumerate(_images(folder)):
        frame = cv2.imread(str(path), cv2.IMREAD_COLOR)
        if frame is None:
            raise InputError(
                f"The image “{path.name}” in “{folder.name}” cannot be read, only {_count(index, 'frame')} before it: "
                "replace it or take it out."
            )
        yield cv2.cvtColor(frame, cv2.COLOR_BGR2RGB)


# ---------------------------------------------------------------------------------------------------------- limits


def _check_bytes(name: str, size: int, limits: Limits) -> None:
    if size > limits.bytes:
        raise InputError(
            f"“{name}” is too large: {size / 1e6:.1f} MB, and at most {limits.bytes / 1e6:.1f} MB are taken; shorten "
            "it or compress it more."
        )


def _check_pixels(name: str, width: int, height: int, limits: Limits) -> None:
    if width * height > limits.pixels:
        raise InputError(
            f"The picture of “{name}” is too large: {width} × {height} is {width * height / 1e6:.2f} megapixels, and "
            f"at most {limits.pixels / 1e6:.2f} are taken; scale it down."
        )


def _too_many_frames(name: str, limits: Limits) -> InputError:
    return InputError(f"“{name}” is too long: at most {_count(limits.frames, 'frame')} are taken; shorten it.")


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


# --------------------------------------------------------------------------------------------------------- writing


class VideoWriter:
    """Writes an mp4 that plays everywhere: H.264, yuv420p, even size, index in front, a key frame every 12 for seeking.

    A context manager: the file appears under its name when the block ends, and not at all if the block raises or wrote
    no frame. A frame of odd width or height gets its last column or row doubled, never a rescaling.

    Args:
        path: the mp4 to write; an older one is replaced.
        width, height: of the frames in pixels.
        fps: frames per second.
    """

    # BT.709 is what browsers take an untagged HD video for, and BT.601 what ffmpeg would write: say it in the file.
    _colours = (
        "scale=out_color_matrix=bt709:out_range=tv,"
        "setparams=colorspace=bt709:color_primaries=bt709:color_trc=bt709:range=tv"
    )

    def __init__(self, path: str | PathLike[str], width: int, height: int, fps: Fraction) -> None:
        self.path = Path(path).absolute()
        self.width, self.height = width, height
        self.frame_count = 0
        self._unfinished = self.path.with_name(f".{self.path.name}.part")
        output = ["-vf", self._colours, "-preset", "veryfast", "-crf", "18", "-g", "12"]
        output += ["-movflags", "+faststart", "-f", "mp4"]
        self._encoder = imageio_ffmpeg.write_frames(
            str(self._unfinished),
            (width + width % 2, height + height % 2),
            fps=fps,
            codec="libx264",
            quality=None,
            macro_block_size=2,
            ffmpeg_log_level="error",
            output_params=output,
        )
        self._encoder.send(None)

    def write(self, frame: np.ndarray) -> None:
        """Appends a (H, W, 3) uint8 RGB frame.

        Raises:
            ValueError: the frame has another shape or type than the video.
            OSError: the encoder has stopped, as on a full disk.
        """
        if frame.shape != (self.height, self.width, 3) or frame.dtype != np.uint8:
            raise ValueError(f"a frame of {frame.shape} {frame.dtype} in a video of {self.height} × {self.width} uint8")
        if self.width % 2 or self.height % 2:
            frame = cv2.copyMakeBorder(frame, 0, self.height % 2, 0, self.width % 2, cv2.BORDER_REPLICATE)
        try:
            self._encoder.send(np.ascontiguousarray(frame))
        except OSError:
            self.discard()
            raise
        self.frame_count += 1

    def close(self) -> None:
        """Finishes the file and puts it in its place; without a frame there is none.

        Raises:
            OSError: the encoder could not finish, as on a full disk.
        """
        self._encoder.close()
        if not self.frame_count:
            self._unfinished.unlink(missing_ok=True)
        elif self._is_whole():
            self._unfinished.replace(self.path)
        else:
            self.discard()
            raise OSError(f"the encoder could not finish {self.path.name}")

    def _is_whole(self) -> bool:
        # The encoder's exit status is not to be had, but the last thing it does is to move the index to the front.
        if not self._unfinished.exists():
            return False
        with self._unfinished.open("rb") as file:
            return b"moov" in file.read(64)

    def discard(self) -> None:
        """Stops and leaves no file."""
        self.frame_count = 0
        self._encoder.close()
        self._unfinished.unlink(missing_ok=True)

    def __enter__(self) -> VideoWriter:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self.close()
        else:
            self.discard()
