"""The true masks of a clip, from a zip of PNG pictures: one per frame, looked over once, then read one by one."""

from __future__ import annotations

import io
import re
import struct
import zlib
from os import PathLike
from os.path import isfile  # that of Path raises errors for names that cannot be
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

import cv2
import numpy as np
from PIL import Image

from mpgsam2.errors import InputError
from mpgsam2.video import Clip, Limits, SelectedClip
from mpgsam2.video.order import natural_order
from mpgsam2.video.wording import frames_in_words

_SPARE_ENTRIES = 1000  # that a zip may hold beside two per frame: a Mac adds a twin to every file
_BYTES_PER_PIXEL = 9  # RGBA of 16 bits, and room for the filter bytes and headers of a PNG that is not compressed
_SPARE_BYTES = 1 << 16  # for a PNG's other contents
_UNREADABLE = (  # what zipfile and Pillow raise on damaged files
    BadZipFile,
    EOFError,
    Image.DecompressionBombError,
    NotImplementedError,
    OSError,
    OverflowError,
    SyntaxError,
    ValueError,
    struct.error,
    zlib.error,
)


class GroundTruth:
    """The true masks of a clip, one for each of its frames; made by `GroundTruth.open`.

    Holds the zip open and one mask at a time. A context manager; leaving the block closes the zip:

        with GroundTruth.open("clip.masks.zip", clip) as truth:
            metrics.region_similarity(result.mask, truth.mask(result.index))

    Attributes:
        name: the zip's own name.
        frame_count: number of masks, that of the source clip's frames.
    """

    def __init__(
        self, name: str, archive: ZipFile, entries: list[ZipInfo], source: Clip, size: tuple[int, int]
    ) -> None:
        self.name = name
        self.frame_count = len(entries)
        self._archive = archive
        self._entries = entries
        self._source = source
        self._size = size

    @classmethod
    def open(cls, path: str | PathLike[str], clip: Clip, limits: Limits | None = None) -> GroundTruth:
        """Looks a zip of masks over, to its last one, and returns it ready to be read.

        Args:
            path: a zip of PNG files, taken in the natural order of their names (2.png before 10.png), in any folders.
                A pixel is the object's if it is not 0: a grey level, a colour, or an index into a palette. Files of
                other kinds are passed over, and so is what macOS adds.
            clip: whose masks they are. Of a selection, those of the whole clip that it was made from are expected.
            limits: the largest zip in bytes that is taken; None for the defaults of `Limits`.

        Raises:
            InputError: no such file, not a zip of PNG masks, one that could do harm, not one mask for each frame, masks
                of another size than the clip's, or too many bytes.
        """
        if not path:
            raise InputError("No ground truth was given: choose a zip of PNG masks.")
        path, source = Path(path), clip.source if isinstance(clip, SelectedClip) else clip
        if not isfile(path):
            raise InputError(f"There is no ground truth “{path.name}”: check its name and where it lies.")
        (limits or Limits()).check_bytes(path.name, path.stat().st_size)
        if _entries_at_most(path) > 2 * source.frame_count + _SPARE_ENTRIES:
            raise InputError(f"“{path.name}” holds far more files than the clip has frames: zip the masks alone.")
        try:
            archive = ZipFile(path)
        except _UNREADABLE:
            raise InputError(
                f"“{path.name}” is not a zip file that can be read: give the masks as PNG in a zip."
            ) from None
        try:
            truth = cls(path.name, archive, _masks(path.name, archive), source, (clip.width, clip.height))
            truth._look_over()
        except BaseException:
            archive.close()
            raise
        return truth

    def mask(self, index: int) -> np.ndarray:
        """The true mask of a frame.

        Args:
            index: of the frame in the source clip, from 0.

        Returns:
            (H, W) bool in the clip's size; of a selection that scales its frames down, in its size, each pixel that
            of the nearest one.

        Raises:
            InputError: the zip has changed since it was opened.
        """
        mask = self._read(index)
        if mask.shape[::-1] == self._size:
            return mask
        return cv2.resize(mask.view(np.uint8), self._size, interpolation=cv2.INTER_NEAREST_EXACT).view(bool)

    def close(self) -> None:
        """Closes the zip; no mask can be read any more."""
        self._archive.close()

    def __enter__(self) -> GroundTruth:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _look_over(self) -> None:
        frames = self._source.frame_count
        if self.frame_count != frames:
            raise InputError(
                f"“{self.name}” holds {self.frame_count} PNG masks and the clip has {frames_in_words(frames)}: give "
                "one mask for each frame."
            )
        for index in range(frames):
            self._read(index)

    def _read(self, index: int) -> np.ndarray:
        """One mask, (H, W) bool in the source clip's size."""
        width, height = self._source.width, self._source.height
        which = f"Mask {index + 1} of {self.frame_count} in “{self.name}”"
        entry = self._entries[index]
        if entry.file_size > _BYTES_PER_PIXEL * width * height + _SPARE_BYTES:
            raise InputError(f"{which} is far too large for a picture of {width} × {height}: save it as a plain PNG.")
        try:
            picture = Image.open(io.BytesIO(self._archive.read(entry)), formats=["PNG"])
            values = np.asarray(picture) if picture.size == (width, height) else None
        except _UNREADABLE:
            raise InputError(f"{which} is not a PNG that can be read: save it and zip the masks again.") from None
        if values is None:
            raise InputError(
                f"{which} is {picture.width} × {picture.height} and the clip {width} × {height}: give masks of the "
                "clip's size."
            )
        bands = picture.getbands()
        return values != 0 if len(bands) == 1 else values[..., : len(bands) - (bands[-1] == "A")].any(axis=2)


def _entries_at_most(path: Path) -> int:
    """How often the mark that begins an entry of a zip's directory occurs in a file, without reading the directory."""
    with path.open("rb") as file:
        return sum(block.count(b"PK\x01\x02") for block in iter(lambda: file.read(1 << 20), b""))


def _masks(name: str, archive: ZipFile) -> list[ZipInfo]:
    """The PNG files of a zip in natural order."""
    masks = []
    for entry in archive.infolist():
        parts = re.split(r"[/\\]", entry.filename)
        if not parts[0] or ".." in parts or ":" in parts[0]:
            raise InputError(f"“{name}” holds files that would lie outside of it when unpacked: zip the masks alone.")
        if entry.flag_bits & 1:
            raise InputError(f"“{name}” is encrypted: zip the masks without a password.")
        if parts[-1].lower().endswith(".png") and parts[-1][0] != "." and "__MACOSX" not in parts:
            masks.append((parts, entry))
    if not masks:
        raise InputError(f"There is no PNG mask in “{name}”: zip one PNG file for each frame.")
    if any(entry.compress_type not in (ZIP_STORED, ZIP_DEFLATED) for _, entry in masks):
        raise InputError(f"“{name}” is packed in a way that is not read here: make a plain zip.")
    masks.sort(key=lambda mask: [natural_order(part) for part in mask[0]])
    return [entry for _, entry in masks]
