"""The true masks of a clip: opened, looked over, and read one by one."""

from __future__ import annotations

import io
from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from threading import Event
from zipfile import ZipFile, ZipInfo

import cv2
import numpy as np
from PIL import Image

from mpgsam2.errors import InputError
from mpgsam2.video import Clip, Limits, SelectedClip
from mpgsam2.video.folder import folder_images
from mpgsam2.video.ground_truth.archive import UNREADABLE, masks_by_frame, open_archive
from mpgsam2.video.ground_truth.picture import Picture, decode, decoded_bytes
from mpgsam2.video.ground_truth.reading import Reading, Seen

_BYTES_PER_PIXEL = 9  # RGBA of 16 bits, and room for the filter bytes and headers of a PNG that is not compressed
_SPARE_BYTES = 1 << 16  # for a PNG's other contents
_MAX_DECODED_BYTES = 3_000_000_000  # that the masks decode to; one byte for each pixel of the clip is always taken
_UNREADABLE = (*UNREADABLE, Image.DecompressionBombError, SyntaxError)  # and what Pillow raises on damaged files


class GroundTruth:
    """The true masks of a clip, for each of its frames or some of them; made by `GroundTruth.open`.

    Holds the zip open and one mask at a time. A context manager; leaving the block closes the zip. A mask is asked for
    by the number of its frame in the whole clip:

        part = select(open_clip("clip.mp4"), Selection(first=10, every=2))
        with GroundTruth.open("clip.masks.zip", part) as truth:
            for result in model.segment(part, "the red circle"):
                score = metrics.region_similarity(result.mask, truth.mask(part.numbers[result.index]))

    Attributes:
        name: the zip's own name.
        frame_count: masks in the zip.
        object: the number of the object that was chosen, None if none was.
        frames: numbers of the chosen frames that have a mask, in order.
        expression: the only sentence whose masks these are; None: they are scored for whatever is asked.
    """

    def __init__(
        self,
        name: str,
        archive: ZipFile,
        entries: Mapping[int, ZipInfo],
        clip: Clip,
        object: int | None,
        expression: str | None,
    ) -> None:
        self.name, self.object, self.expression = name, object, expression
        self.frame_count = len(entries)
        chosen = clip.numbers if isinstance(clip, SelectedClip) else range(clip.frame_count)
        self.frames = [number for number in chosen if number in entries]
        self._archive, self._entries = archive, entries
        self._source, self._size = _source(clip), (clip.width, clip.height)
        self._seen = Seen()
        self._latest: tuple[int, tuple[np.ndarray, np.ndarray]] | None = None

    @classmethod
    def open(
        cls,
        path: str | PathLike[str],
        clip: Clip,
        limits: Limits | None = None,
        *,
        object: int | None = None,
        expression: str | None = None,
        stop: Event | None = None,
    ) -> GroundTruth:
        """Look the masks of a clip's frames over, to the last one, and return them ready to be read.

        Args:
            path: a zip of PNG files, or else of JPEG files, in any folders: one for each frame of the whole clip, in
                the natural order of their names (2.png before 10.png), or for some frames, by the names of a folder's
                images, or by the numbers in their own, counted from 0 (from 1 if one is the clip's number of frames).
                What a pixel means is told in `reading`. Other files are passed over, as what macOS adds.
            clip: whose masks they are. Of a selection, those of the whole clip that it was made from are expected, and
                only those of its frames are read.
            limits: the largest zip in bytes that is taken; None for the defaults of `Limits`.
            object: the number of the object, where the masks hold several.
            expression: the only sentence that is scored; None to score all.
            stop: once it is set no more masks are looked over; the run that asks for them must then end.

        Raises:
            InputError: no such file, not a zip of masks, one that could do harm, too many or too few of them, masks of
                another size than the clip's, several objects of which none is chosen, or too many bytes.
        """
        if not path:
            raise InputError("No ground truth was given: choose a zip of PNG masks.")
        path, source = Path(path), _source(clip)
        archive = open_archive(path, source.frame_count, limits or Limits())
        try:
            images = [image.stem for image in folder_images(source.path)] if source.path.is_dir() else []
            entries = masks_by_frame(path.name, archive, source.frame_count, images)
            truth = cls(path.name, archive, entries, clip, object, expression)
            truth._look_over(stop or Event())
        except BaseException:
            archive.close()
            raise
        return truth

    def mask(self, index: int) -> np.ndarray | None:
        """Return the true mask of a frame.

        Args:
            index: of the frame in the source clip, from 0.

        Returns:
            (H, W) bool in the clip's size; of a selection that scales its frames down, in its size, each pixel that
            of the nearest one. None if the frame has no mask.

        Raises:
            InputError: the zip has changed since it was opened.
        """
        return self._masks(index)[0] if index in self._entries else None

    def void(self, index: int) -> np.ndarray | None:
        """Return the pixels of a frame that count for nothing, as `mask` gives those of the object."""
        return self._masks(index)[1] if index in self._entries else None

    def close(self) -> None:
        """Close the zip; no mask can be read any more."""
        self._archive.close()
        self._latest = None

    def __enter__(self) -> GroundTruth:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _look_over(self, stop: Event) -> None:
        if not self.frames:
            raise InputError(f"“{self.name}” holds no mask of any chosen frame: choose other frames or other masks.")
        self._check_bytes(stop)
        for number in self.frames:
            if stop.is_set():
                break
            self._seen.add(self._picture(number))
        self._reading = Reading(self.name, self._seen, self.object)

    def _check_bytes(self, stop: Event) -> None:
        """Refuse masks that are too much to decode, before any is."""
        pixels, total = self._source.width * self._source.height, 0
        for number in self.frames:
            if stop.is_set():
                return
            entry = self._entries[number]
            if entry.file_size > _BYTES_PER_PIXEL * pixels + _SPARE_BYTES:
                size = f"{self._source.width} × {self._source.height}"
                raise InputError(
                    f"{self._which(number)} is far too large for a picture of {size}: save it as a plain PNG."
                )
            try:
                with self._archive.open(entry) as file:
                    total += decoded_bytes(file.read(26), pixels)
            except _UNREADABLE:
                raise self._damaged(number) from None
        if total > max(_MAX_DECODED_BYTES, pixels * len(self.frames)):
            raise InputError(
                f"The {len(self.frames)} masks in “{self.name}” decode to {total / 1e9:.1f} GB, which is too much: "
                "save them with one byte for each pixel, or choose fewer frames."
            )

    def _masks(self, number: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the object's and the void pixels of a frame that has a mask, in the clip's size."""
        if self._latest is None or self._latest[0] != number:
            mask, void = self._reading.masks(self._picture(number))
            if mask.shape[::-1] != self._size:
                mask, void = _resized(mask, self._size), _resized(void, self._size)
            self._latest = number, (mask, void)
        return self._latest[1]

    def _picture(self, number: int) -> Picture:
        """Return one mask picture of the source clip's size."""
        width, height = self._source.width, self._source.height
        try:
            picture = Image.open(io.BytesIO(self._archive.read(self._entries[number])), formats=["PNG", "JPEG"])
            decoded = decode(picture) if picture.size == (width, height) else None
        except _UNREADABLE:
            raise self._damaged(number) from None
        if decoded is None:
            raise InputError(
                f"{self._which(number)} is {picture.width} × {picture.height} and the clip {width} × {height}: give "
                "masks of the clip's size."
            )
        return decoded

    def _damaged(self, number: int) -> InputError:
        kind = "PNG" if self._entries[number].filename.lower().endswith(".png") else "JPEG"
        return InputError(f"{self._which(number)} is not a {kind} that can be read: save it and zip the masks again.")

    def _which(self, number: int) -> str:
        place = list(self._entries).index(number) + 1
        return f"Mask {place} of {len(self._entries)} in “{self.name}”"


def _resized(mask: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Return a (H, W) bool mask in another size, (width, height); each pixel is one of its own."""
    return cv2.resize(mask.view(np.uint8), size, interpolation=cv2.INTER_NEAREST_EXACT).view(bool)


def _source(clip: Clip) -> Clip:
    return clip.source if isinstance(clip, SelectedClip) else clip
