"""Whether a folder can take a run's results, and why it could not keep them to the end."""

from __future__ import annotations

import shutil
import tempfile
from errno import EACCES, EDQUOT, EFBIG, ENOSPC, EPERM, EROFS
from os.path import exists, islink  # those of Path raise errors for names that cannot be
from pathlib import Path

from mpgsam2.errors import InputError
from mpgsam2.export.files import MASKS, file_names
from mpgsam2.export.lock import held
from mpgsam2.export.ownership import check_free
from mpgsam2.inference.query import LETTERS
from mpgsam2.video import Clip, EncoderError

_FULL = {ENOSPC, EDQUOT, EFBIG}
_FORBIDDEN = {EACCES, EPERM, EROFS}
_FULL_DISK_BYTES = 10_000_000  # free; an encoder that fails with less of them has met a full disk


def check_folder(folder: Path, clip: Clip, queries: int) -> None:
    """Raise `InputError` if a run on a clip cannot write its results to a folder; makes the folder if need be.

    Args:
        folder: of the results.
        clip: of the run.
        queries: how many it asks.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for place in (folder, *filter(Path.is_dir, (folder / MASKS, *(folder / MASKS / a for a in LETTERS)))):
            tempfile.TemporaryFile(dir=place).close()
    except (OSError, ValueError) as error:
        raise _unwritable(folder, error) from error
    _check_clip(folder, clip)
    try:
        with held(folder):
            check_free(folder, queries, clip.frame_count)
    except OSError as error:
        raise _unwritable(folder, error) from error


def why_unwritten(error: OSError, folder: Path) -> str:
    """Return the sentence that tells why a run's results could not be written to the end.

    Args:
        error: with which writing ended.
        folder: of the results.
    """
    if not folder.is_dir() or isinstance(error, FileNotFoundError):
        return "The folder of the results, or a part of it, was removed during the run: leave it alone and run again."
    if error.errno in _FORBIDDEN:
        return "The results may no longer be written to their folder: allow it, or choose another folder and run again."
    if error.errno in _FULL or shutil.disk_usage(folder).free < _FULL_DISK_BYTES:
        return "The results could not be written to the end: make room on the disk and run again."
    if isinstance(error, EncoderError):
        return f"The results could not be written to the end, because the video encoder {error}: run again."
    return f"The results could not be written to the end ({error.strerror}): run again, perhaps into another folder."


def _check_clip(folder: Path, clip: Clip) -> None:
    folders = [folder, folder / MASKS, *(folder / MASKS / letter for letter in LETTERS)]
    files = [folder / name for name in file_names(["", *LETTERS])]
    if clip.path.resolve() in [path.resolve() for path in (*folders, *files)]:
        raise InputError("The results would replace the clip itself: choose another folder for them.")


def _unwritable(folder: Path, error: OSError | ValueError) -> InputError:
    reason = getattr(error, "strerror", None) or "no folder can be called so"
    if any(islink(place) and not exists(place) for place in (folder, *folder.parents)):
        reason = "a link there leads nowhere"
    return InputError(f"The results cannot be written to “{folder.name}” ({reason}): choose another folder.")
