"""The mask pictures of a zip: which files they are, and which frame of the clip each belongs to."""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Sequence
from os.path import isfile, islink  # those of Path raise errors for names that cannot be
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from mpgsam2.errors import InputError
from mpgsam2.video import Limits
from mpgsam2.video.order import natural_order
from mpgsam2.video.wording import frames_in_words

_KINDS = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG"}
_SPARE_ENTRIES = 1000  # that a zip may hold beside two per frame: a Mac adds a twin to every file
_MAX_DIGITS = 9  # of a number in a name that may be a frame's
UNREADABLE = (  # what zipfile raises on damaged files
    BadZipFile,
    EOFError,
    NotImplementedError,
    OSError,
    OverflowError,
    ValueError,
    struct.error,
    zlib.error,
)


def open_archive(path: Path, frame_count: int, limits: Limits) -> ZipFile:
    """Open a zip of masks for a clip of that many frames, unpacking nothing.

    Raises:
        InputError: no such file, not a zip, one with too many bytes or files.
    """
    if islink(path) and not isfile(path):
        raise InputError(f"The ground truth “{path.name}” is a link that leads nowhere: give the zip itself.")
    if not isfile(path):
        raise InputError(f"There is no ground truth “{path.name}”: check its name and where it lies.")
    limits.check_bytes(path.name, path.stat().st_size)
    if _entries_at_most(path) > 2 * frame_count + _SPARE_ENTRIES:
        raise InputError(f"“{path.name}” holds far more files than the clip has frames: zip the masks alone.")
    try:
        return ZipFile(path)
    except UNREADABLE:
        raise InputError(f"“{path.name}” is not a zip file that can be read: give the masks as PNG in a zip.") from None


def masks_by_frame(name: str, archive: ZipFile, frame_count: int, images: Sequence[str] = ()) -> dict[int, ZipInfo]:
    """Return the mask of each frame, or of some frames.

    One for each frame: in the natural order of the names. Fewer: those called as the clip's own images are, or else by
    the numbers in their names, counted from 0, or from 1 where one of them is the clip's number of frames.

    Args:
        name: of the zip.
        archive: the zip.
        frame_count: of the clip.
        images: if the clip is a folder, the names of its images, in order, without their ends.

    Raises:
        InputError: no masks, more than frames, fewer without numbers, or a zip that could do harm.
    """
    kind, masks = _pictures(name, archive)
    folders = {tuple(parts[:-1]) for parts, _ in masks}
    if len(folders) > 1 and len({parts[-1] for parts, _ in masks}) < len(masks):
        raise InputError(f"“{name}” holds masks of the same name in several folders: zip the one folder that counts.")
    if len(masks) == frame_count:
        return dict(enumerate(entry for _, entry in masks))
    counted = f"“{name}” holds {len(masks)} {kind} masks and the clip has {frames_in_words(frame_count)}"
    if len(masks) > frame_count:
        raise InputError(f"{counted}: give one mask for each frame.")
    stems = [Path(parts[-1]).stem for parts, _ in masks]
    numbers = _frames_of_images(stems, images) or _frame_numbers(stems, frame_count)
    if numbers is None:
        raise InputError(
            f"{counted}: give one mask for each frame, or let their names say which frames they are of, from 0 to "
            f"{frame_count - 1}."
        )
    return dict(zip(numbers, (entry for _, entry in masks), strict=True))


def _entries_at_most(path: Path) -> int:
    """Return how often the mark that begins an entry of a zip's directory occurs in a file, reading no directory."""
    with path.open("rb") as file:
        return sum(block.count(b"PK\x01\x02") for block in iter(lambda: file.read(1 << 20), b""))


def _pictures(name: str, archive: ZipFile) -> tuple[str, list[tuple[list[str], ZipInfo]]]:
    """Return the kind of a zip's masks, PNG where there are any, else JPEG, and the parts of each path beside it."""
    found: dict[str, list[tuple[list[str], ZipInfo]]] = {kind: [] for kind in _KINDS.values()}
    for entry in archive.infolist():
        parts = re.split(r"[/\\]", entry.filename)
        if not parts[0] or ".." in parts or ":" in parts[0]:
            raise InputError(f"“{name}” holds files that would lie outside of it when unpacked: zip the masks alone.")
        if entry.flag_bits & 1:
            raise InputError(f"“{name}” is encrypted: zip the masks without a password.")
        kind = _KINDS.get(Path(parts[-1].lower()).suffix)
        if kind and parts[-1][0] != "." and "__MACOSX" not in parts:
            found[kind].append((parts, entry))
    kind, masks = next(((kind, masks) for kind, masks in found.items() if masks), ("", []))
    if not masks:
        raise InputError(f"There is no PNG mask in “{name}”: zip one PNG file for each frame.")
    if any(entry.compress_type not in (ZIP_STORED, ZIP_DEFLATED) for _, entry in masks):
        raise InputError(f"“{name}” is packed in a way that is not read here: make a plain zip.")
    return kind, sorted(masks, key=lambda mask: [natural_order(part) for part in mask[0]])


def _frames_of_images(stems: Sequence[str], images: Sequence[str]) -> list[int] | None:
    """Return the frames whose images have the names of masks; None if not every mask is called like one image."""
    places = {image: place for place, image in enumerate(images)}
    known = len(places) == len(images) and len(set(stems)) == len(stems) and all(stem in places for stem in stems)
    return [places[stem] for stem in stems] if known else None


def _frame_numbers(stems: Sequence[str], frame_count: int) -> list[int] | None:
    """Return the frames that names tell by the last of their numbers that differs; None if they do not.

    "00005", "video 2 frame 5" and "00005_mask 1" are all of frame 5, as long as the others' numbers differ there.
    """
    found = [re.findall(r"[0-9]+", stem) for stem in stems]
    for place in range(1, min(map(len, found)) + 1):
        digits = [numbers[-place].lstrip("0") or "0" for numbers in found]
        if len(set(digits)) < len(digits) or max(map(len, digits)) > _MAX_DIGITS:
            continue
        numbers = list(map(int, digits))
        first = 1 if max(numbers) == frame_count and min(numbers) else 0
        if max(numbers) - first < frame_count:
            return [number - first for number in numbers]
    return None
