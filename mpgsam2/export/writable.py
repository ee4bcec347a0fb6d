"""Files to write are looked at before the work for them is done."""

from __future__ import annotations

import json
from pathlib import Path

from PIL import Image

from mpgsam2.errors import InputError

PICTURE_MARK = b"mpgsam2"
"""The comment in a JPEG file that is ours."""

_RECORDS = ({"percent", "sentences"}, {"machine", "measurements"}, {"dataset", "split", "sequences"})
_TABLE_COLUMNS = {"J&F"}  # that every table of scores has


def check_writable(*files: Path | None) -> None:
    """Raise InputError if a file is a folder, would lie in none, is there and not from here, or is named twice.

    Passes None over.
    """
    given = [file for file in files if file is not None]
    if len({file.absolute() for file in given}) < len(given):
        raise InputError(f"“{given[0]}” is named for two files: give each a name of its own.")
    for file in given:
        if file.is_dir() or not file.absolute().parent.is_dir():
            raise InputError(f"“{file}” cannot be written: name a file in a folder that is there.")
        if (file.exists() or file.is_symlink()) and not _is_ours(file):
            raise InputError(f"“{file}” is there already, and not from here: name another file, or move it away.")


def _is_ours(file: Path) -> bool:
    """Return whether a file holds figures or a sheet of pictures that a command here has written."""
    try:
        content = file.read_bytes()
        if content.startswith(b"\xff\xd8"):
            with Image.open(file, formats=["JPEG"]) as sheet:
                return sheet.info.get("comment") == PICTURE_MARK
        text = content.decode()
        if not text.startswith("{"):
            return set(text.partition("\n")[0].split(",")) >= _TABLE_COLUMNS
        return any(json.loads(text).keys() >= names for names in _RECORDS)
    except (OSError, ValueError, RecursionError):
        return False
