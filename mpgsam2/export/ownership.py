"""Which files in a folder are an earlier run's: those that its run.json shows to be. No other is ever replaced."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import BadZipFile, ZipFile

from mpgsam2.errors import InputError
from mpgsam2.export.files import BUNDLE, MASKS, RECORD, file_names, mask_name, unfinished
from mpgsam2.inference.query import LETTERS

_WRITTEN_BY_US = {"complete", "frames", "clip", "selection", "model", "settings", "versions", "queries"}


@dataclass(frozen=True)
class _Run:
    """What a record tells of its files.

    Attributes:
        letters: of the queries, [""] where there is only one.
        frames: of the masks that may be there, counted from 0.
    """

    letters: Sequence[str]
    frames: int


def letters_of(queries: int) -> Sequence[str]:
    """Return the letters in the file names of a run with that many queries: none where there is only one."""
    return [""] if queries == 1 else LETTERS[:queries]


def results_in(folder: Path) -> list[Path]:
    """Return the files in a folder that are the results of the run whose run.json lies there; none without one.

    Only names that a run gives its files count, never one that run.json states, so that no record reaches beyond the
    folder; links are nobody's results.
    """
    run = _recorded(folder)
    if run is None:
        return []
    files = [folder / name for name in file_names(run.letters)]
    for letter in run.letters:
        files += [path for path, index in _mask_pictures(folder / MASKS / letter) if index < run.frames]
    return [path for path in files if _is_file(path)]


def remove_results(folder: Path) -> None:
    """Remove an earlier run's files, what it left half written and its bundle; its run.json goes last.

    Whatever else lies in the folder stays.
    """
    results = results_in(folder)
    if not results:
        return
    if is_bundle(folder):
        (folder / BUNDLE).unlink()
    for path in (*_half_written(folder, _recorded(folder)), *results):
        if path.name != RECORD:
            path.unlink(missing_ok=True)
    for letter in (*LETTERS, ""):
        with suppress(OSError):  # it is not there, or holds something else
            (folder / MASKS / letter).rmdir()
    (folder / RECORD).unlink()


def check_free(folder: Path, queries: int, frames: int) -> None:
    """Raise `InputError` if a run of that many queries and frames would replace what is no earlier run's result."""
    letters = letters_of(queries)
    run = _recorded(folder)
    ours = set(results_in(folder)) | ({*_half_written(folder, run)} if run else set())
    names = [folder / name for name in file_names(letters)]
    for path in (*names, *map(unfinished, names)):
        if path not in ours and (path.exists() or path.is_symlink()):
            raise _taken(folder, path)
    for letter in dict.fromkeys(["", *letters]):
        pictures = folder / MASKS / letter
        if pictures.is_symlink() or (pictures.exists() and not pictures.is_dir()):
            raise _taken(folder, pictures)
    for letter in letters:
        for path, index in _mask_pictures(folder / MASKS / letter):
            if index < frames and path not in ours:
                raise _taken(folder, path)


def is_bundle(folder: Path) -> bool:
    """Return whether the `results.zip` in a folder is the bundle of the run whose run.json lies there."""
    if not _is_file(folder / BUNDLE) or not _is_file(folder / RECORD):
        return False
    try:
        with ZipFile(folder / BUNDLE) as archive:
            return archive.comment == bundle_mark(folder)
    except (BadZipFile, OSError, ValueError):
        return False


def bundle_mark(folder: Path) -> bytes:
    """Return what the comment of a run's bundle says, so that it is known again."""
    return b"mpgsam2 " + hashlib.sha256((folder / RECORD).read_bytes()).hexdigest().encode()


def _recorded(folder: Path) -> _Run | None:
    """Return what the run.json of a folder tells; None if there is none, or one that no run of ours has written."""
    if not _is_file(folder / RECORD):
        return None
    try:
        record: Any = json.loads((folder / RECORD).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    if not isinstance(record, dict) or not record.keys() >= _WRITTEN_BY_US:
        return None
    queries, frames, complete = record["queries"], record["frames"], record["complete"]
    if not isinstance(queries, list) or not 1 <= len(queries) <= len(LETTERS) or type(frames) is not int:
        return None
    if not complete and not frames:  # of a run that was killed this is all that was written
        frames = _planned(record)
    return _Run(letters_of(len(queries)), frames)


def _planned(record: dict[str, Any]) -> int:
    """Return the frames that a recorded run was to have."""
    try:
        selection = record["selection"]
        return len(range(selection["first"], selection["last"] + 1, selection["every"]))
    except (KeyError, TypeError, ValueError, OverflowError):
        return 0


def _half_written(folder: Path, run: _Run | None) -> Iterator[Path]:
    """Yield what a run that was killed may have left beside its results."""
    if run is None:
        return
    for name in file_names(run.letters):
        parts = (unfinished(folder / name), *(folder / f".{name}{end}" for end in (".times", ".sound.part")))
        yield from filter(_is_file, parts)
    for letter in run.letters:
        yield from filter(_is_file, (folder / MASKS / letter).glob(".[0-9]*.png.part"))


def _mask_pictures(folder: Path) -> Iterator[tuple[Path, int]]:
    """Yield the files in a folder of masks that are called as a run calls a frame's, and the frames' numbers."""
    if folder.is_symlink() or not folder.is_dir():
        return
    for path in sorted(folder.iterdir()):
        digits = re.fullmatch(r"([0-9]{5,9})\.png", path.name)
        if digits and path.name == mask_name(int(digits[1])):
            yield path, int(digits[1])


def _is_file(path: Path) -> bool:
    return path.is_file() and not path.is_symlink()


def _taken(folder: Path, path: Path) -> InputError:
    return InputError(
        f"“{folder.resolve().name}” holds “{path.relative_to(folder).as_posix()}”, and no run.json there shows that a "
        "run of ours left it: choose another folder for the results, or move it away."
    )
