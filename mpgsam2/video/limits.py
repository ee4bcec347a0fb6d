"""The largest clip that is taken, and the refusal of a larger one."""

from __future__ import annotations

from dataclasses import dataclass

from mpgsam2.errors import InputError
from mpgsam2.video.wording import frames_in_words


@dataclass(frozen=True)
class Limits:
    """The largest clip that is taken.

    Attributes:
        frames: number of frames.
        seconds: its length.
        pixels: width × height of a frame; the default is 4096 × 2304.
        bytes: size of the file, or of all images of a folder together.
    """

    frames: int = 3000
    seconds: float = 3600
    pixels: int = 4096 * 2304
    bytes: int = 500_000_000

    def check_bytes(self, name: str, size: int) -> None:
        """Raise InputError if `size` bytes, those of the clip called `name`, are too many."""
        if size > self.bytes:
            raise InputError(
                f"“{name}” is too large: {size / 1e6:.1f} MB, and at most {self.bytes / 1e6:.1f} MB are taken; shorten "
                "it or compress it more."
            )

    def check_pixels(self, name: str, width: int, height: int) -> None:
        """Raise InputError if a frame of `width` × `height` pixels is too large."""
        if width * height > self.pixels:
            raise InputError(
                f"The picture of “{name}” is too large: {width} × {height} is {width * height / 1e6:.2f} megapixels, "
                f"and at most {self.pixels / 1e6:.2f} are taken; scale it down."
            )

    def check_frames(self, name: str, count: int) -> None:
        """Raise InputError if `count` frames are too many."""
        if count > self.frames:
            raise InputError(f"“{name}” is too long: at most {frames_in_words(self.frames)} are taken; shorten it.")

    def check_seconds(self, name: str, length: float) -> None:
        """Raise InputError if a length of so many seconds is too much."""
        if length > self.seconds:
            raise InputError(
                f"“{name}” is too long: {length:.0f} s, and at most {self.seconds:.0f} s are taken; shorten it."
            )
