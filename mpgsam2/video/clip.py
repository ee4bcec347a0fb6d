"""A clip, file or folder alike: opened once with every check, then read as often as wanted."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from fractions import Fraction
from os import PathLike
from os.path import isdir, isfile  # those of Path raise errors for names that cannot be
from pathlib import Path

import numpy as np

from mpgsam2.errors import FrameError, InputError
from mpgsam2.stages import READING, in_stage
from mpgsam2.video.animation import animation_frames, is_animation, probe_animation
from mpgsam2.video.containers import shown
from mpgsam2.video.file import file_frames, probe_file
from mpgsam2.video.folder import FOLDER_RATE, folder_frames, folder_images, probe_folder
from mpgsam2.video.limits import Limits
from mpgsam2.video.probe import Stretch, even_times
from mpgsam2.video.wording import frames_in_words


@dataclass(frozen=True)
class Clip:
    """A clip that was looked at and can be read; iterating yields (H, W, 3) uint8 RGB frames.

    Every iteration opens the clip afresh and holds one frame at a time; closing the iterator releases the file. Holds
    no open file itself, so it can be pickled. An iteration raises InputError if the clip has changed since it was
    opened.

    Attributes:
        path: the file or folder.
        width, height: of a frame in pixels, as the viewer sees it: rotation applied, pixels square.
        fps: frames per second, an exact fraction such as 30000/1001.
        frame_count: frames that an iteration yields.
        variable_rate: True if the clip's frames are unevenly spaced in time; `fps` is then their mean rate.
        times: when each frame is shown, in seconds since the first one is; strictly rising. Evenly if none are given.
        stretches: of a video file with sound, what its own clock says by then.
        hdr: whether the file is of a high dynamic range (PQ or HLG), which is brought into the ordinary one.
    """

    path: Path
    width: int
    height: int
    fps: Fraction
    frame_count: int
    variable_rate: bool = False
    times: tuple[float, ...] = field(default=(), repr=False)
    stretches: tuple[Stretch, ...] = field(default=(), repr=False)
    hdr: bool = False

    def __post_init__(self) -> None:
        if not self.times:
            object.__setattr__(self, "times", even_times(self.frame_count, self.fps))

    @property
    def name(self) -> str:
        """The file's or folder's own name as it can be shown, without the way to it."""
        return shown(self.path)

    @property
    def duration(self) -> float:
        """Seconds, from the first frame to the end of the last."""
        return self.times[-1] + float(1 / self.fps)

    @property
    def varying_times(self) -> tuple[float, ...] | None:
        """`times` where they are unevenly spaced; None where `fps` tells all."""
        return self.times if self.variable_rate else None

    def sha256(self) -> str:
        """Return the hex digest of the file, or of a folder's images one after the other."""
        digest = hashlib.sha256()
        for path in folder_images(self.path) if self.path.is_dir() else [self.path]:
            with path.open("rb") as file:
                while block := file.read(1 << 20):
                    digest.update(block)
        return digest.hexdigest()

    def __iter__(self) -> Generator[np.ndarray]:
        return self.read(range(self.frame_count))

    def read(self, numbers: range) -> Generator[np.ndarray]:
        """Yield the frames of those numbers only, counted from 0; no other is converted or kept."""
        return in_stage(READING, self._read(numbers))

    def _read(self, numbers: range) -> Generator[np.ndarray]:
        frames = _reader(self.path)(self.path, numbers)
        try:
            for index in numbers:
                frame = next(frames, None)
                if frame is None:
                    raise FrameError(*(self._unreadable(index + start) for start in (0, 1)))
                if frame.shape != (self.height, self.width, 3):
                    raise FrameError(*(self._resized(index + start, frame) for start in (0, 1)))
                yield frame
        finally:
            frames.close()

    def _unreadable(self, number: int) -> str:
        return (
            f"Frame {number} of “{self.name}” could not be read this time, though the clip had "
            f"{frames_in_words(self.frame_count)} when it was opened: leave it alone during a run and start again."
        )

    def _resized(self, number: int, frame: np.ndarray) -> str:
        return (
            f"“{self.name}” changes its picture size at frame {number}, from {self.width} × {self.height} to "
            f"{frame.shape[1]} × {frame.shape[0]}: convert it to one size and try again."
        )


def _reader(path: Path) -> Callable[[Path, range], Generator[np.ndarray]]:
    if path.is_dir():
        return folder_frames
    return animation_frames if is_animation(path) else file_frames


def open_clip(
    path: str | PathLike[str],
    limits: Limits | None = None,
    folder_fps: Fraction = FOLDER_RATE,
    *,
    seen: Callable[[int], None] = lambda count: None,
) -> Clip:
    """Look a clip over, to its last frame, and return it ready to be read.

    Every frame is decoded once here (without colour conversion), because only that tells how many there really are.

    Args:
        path: a video file (MP4, MOV, WebM, MKV, AVI, MPEG, OGV, FLV, WMV, GIF, animated WebP or PNG) or a folder of
            images of one size, taken in the natural order of their names (2.png before 10.png).
        limits: the largest clip that is taken; None for the defaults of `Limits`.
        folder_fps: frames per second of a folder of images.
        seen: called with the number of frames looked at so far, after each.

    Raises:
        InputError: no such clip, not a video, no frames, broken part-way, or beyond one of the limits.
    """
    if not path:
        raise InputError("No clip was given: choose a video file or a folder of images.")
    path, limits = Path(path).absolute(), limits or Limits()
    if isdir(path):
        return Clip(path, **probe_folder(path, limits, folder_fps, seen)._asdict())
    name = shown(path)
    if not isfile(path):
        raise InputError(f"There is no clip “{name}”: check its name and where it lies.")
    try:
        size, animated = path.stat().st_size, is_animation(path)
    except OSError as error:
        raise InputError(f"The clip “{name}” cannot be read ({error.strerror}).") from None
    if not size:
        raise InputError(f"“{name}” is an empty file: upload or copy it again.")
    limits.check_bytes(name, size)
    probe = probe_animation if animated else probe_file
    return Clip(path, **probe(path, limits, seen)._asdict())
