"""Frames in, one by one, and an mp4 out that every browser plays."""

from __future__ import annotations

from fractions import Fraction
from os import PathLike
from pathlib import Path

import cv2
import imageio_ffmpeg
import numpy as np


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
