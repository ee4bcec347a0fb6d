"""Frames in, one by one, and an mp4 out that every browser plays."""

from __future__ import annotations

import os
import select
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from fractions import Fraction
from os import PathLike
from pathlib import Path
from typing import IO, cast
from weakref import WeakSet

import cv2
import imageio_ffmpeg
import numpy as np

from mpgsam2.stages import WRITING, stage
from mpgsam2.video.retime import retime

ENCODER_TIMEOUT = 30.0
"""Seconds that an encoder may take to come on by a piece of a frame, or to finish."""


_PIPE_BYTES = 1 << 20  # that may wait for an encoder, so that nobody waits for it to take a frame bit by bit


class EncoderError(OSError):
    """The encoder did not do its work; the text says what became of it, to follow “The video encoder …”."""


class VideoWriter:
    """Writes an mp4 that plays everywhere: H.264, yuv420p, even size, index in front, a key frame every 12 for seeking.

    A context manager: the file appears under its name when the block ends, and not at all if the block raises or wrote
    no frame. A frame of odd width or height gets its last column or row doubled, never a rescaling.

    Args:
        path: the mp4 to write; an older one is replaced.
        width, height: of the frames in pixels.
        fps: frames per second.
        times: when each frame is shown, in seconds, if that varies; at least as many as are written.
    """

    channels = 3
    """Of a frame."""

    _pixels_in, _pixels_out, _container = "rgb24", "yuv420p", "mp4"
    _encoding: tuple[str, ...]
    # One thread, because a run writes several videos at once, which costs less memory and time than sharing the cores.
    _encoding = (
        *("-c:v", "libx264", "-preset", "superfast", "-crf", "18", "-g", "12", "-threads", "1"),
        *("-movflags", "+faststart"),
    )
    # BT.709 is what browsers take an untagged HD video for, and BT.601 what ffmpeg would write: say it in the file.
    _colours: str = (
        "scale=out_color_matrix=bt709:out_range=tv,"
        "setparams=colorspace=bt709:color_primaries=bt709:color_trc=bt709:range=tv"
    )

    def __init__(
        self,
        path: str | PathLike[str],
        width: int,
        height: int,
        fps: Fraction,
        times: Sequence[float] | None = None,
    ) -> None:
        self.path = Path(path).absolute()
        self.width, self.height = width, height
        self._fps, self._times = fps, times
        self.frame_count = 0
        self._unfinished = self.path.with_name(f".{self.path.name}.part")
        size = f"{width + width % 2}x{height + height % 2}"
        frames = ["-f", "rawvideo", "-pix_fmt", self._pixels_in, "-s", size, "-r", str(fps), "-i", "-"]
        # Frames whose times are set afterwards are stored in the order in which they are shown.
        order = [] if times is None else ["-bf", "0"]
        output = ["-vf", self._colours, "-pix_fmt", self._pixels_out, *self._encoding, *order]
        output += ["-f", self._container, str(self._unfinished)]
        # In a session of its own, since Ctrl-C is for Python alone, which then has the file finished.
        self._encoder = subprocess.Popen(
            [imageio_ffmpeg.get_ffmpeg_exe(), "-y", "-v", "error", *frames, *output],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
        )
        self._pipe = cast(IO[bytes], self._encoder.stdin)
        if os.name == "posix":
            os.set_blocking(self._pipe.fileno(), False)
        with suppress(ImportError, AttributeError, OSError):  # Linux has it, and allows a user so much of it
            import fcntl

            fcntl.fcntl(self._pipe, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
        _at_work.add(self)

    @stage(WRITING)
    def write(self, frame: np.ndarray) -> None:
        """Append a (H, W, 3) uint8 RGB frame; of a writer with another number of `channels`, one with so many.

        Raises:
            ValueError: the frame has another shape or type than the video.
            EncoderError: the encoder has stopped, as on a full disk, or is stuck.
        """
        if frame.shape != (self.height, self.width, self.channels) or frame.dtype != np.uint8:
            raise ValueError(f"a frame of {frame.shape} {frame.dtype} in a video of {self.height} × {self.width} uint8")
        if self.width % 2 or self.height % 2:
            frame = cv2.copyMakeBorder(frame, 0, self.height % 2, 0, self.width % 2, cv2.BORDER_REPLICATE)
        try:
            self._send(np.ascontiguousarray(frame).data.cast("B"))
        except OSError:
            error = EncoderError(self._fate())
            self.discard()
            raise error from None
        self.frame_count += 1

    def _send(self, content: memoryview) -> None:
        """Write to the encoder, which must take something of it within `ENCODER_TIMEOUT`."""
        pipe = self._pipe.fileno()
        while content:
            try:
                content = content[os.write(pipe, content) :]
            except BlockingIOError:
                if not select.select([], [pipe], [], ENCODER_TIMEOUT)[1]:
                    raise TimeoutError from None

    def no_more(self) -> None:
        """Have the encoder end, without waiting for it; after the last frame and before `close`."""
        with suppress(BrokenPipeError):
            self._pipe.close()

    def close(self) -> None:
        """Finish the file and put it in its place; without a frame there is none.

        Raises:
            EncoderError: the encoder could not finish, as on a full disk, or is stuck.
        """
        done = self._end()
        if not (done and self.frame_count):
            failed = self.frame_count
            fate = self._fate()
            self.discard()
            if failed:
                raise EncoderError(fate)
            return
        if self._times is None:
            self._unfinished.replace(self.path)
            return
        moved = self._unfinished.with_suffix(".times")
        try:
            retime(self._unfinished, moved, self._container, self._times, float(1 / self._fps))
            moved.replace(self.path)
        finally:
            moved.unlink(missing_ok=True)
            self._unfinished.unlink(missing_ok=True)

    def discard(self) -> None:
        """Stop at once and leave no file."""
        self.frame_count = 0
        self._encoder.kill()
        self._end()
        self._unfinished.unlink(missing_ok=True)

    def _end(self) -> bool:
        """Wait for the encoder to end, and return whether it did its work."""
        self.no_more()
        _at_work.discard(self)
        try:
            return self._encoder.wait(ENCODER_TIMEOUT) == 0
        except subprocess.TimeoutExpired:
            return False

    def _fate(self) -> str:
        """Return what became of the encoder that no longer does its work."""
        try:
            code = self._encoder.wait(1)
        except subprocess.TimeoutExpired:
            return "came to a standstill"
        return "was ended from outside" if code < 0 else "could not go on"

    def __enter__(self) -> VideoWriter:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self.close()
        else:
            self.discard()


_at_work: WeakSet[VideoWriter] = WeakSet()


def _let_go() -> None:
    """Give up a forked process's ends of the pipes: an encoder waits for more frames until every end is closed.

    ZeroGPU forks in the middle of a run, and its process lives on.
    """
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for writer in list(_at_work):
        with suppress(ValueError):  # it is closed already
            os.dup2(nowhere, writer._pipe.fileno())
    os.close(nowhere)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_let_go)
