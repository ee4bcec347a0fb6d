"""Files to write are looked at before the work for them is done."""

from __future__ import annotations

from pathlib import Path

from mpgsam2.errors import InputError


def check_writable(*files: Path | None) -> None:
    """Raises InputError if one of the files is a folder or would lie in none; None is passed over."""
    for file in filter(None, files):
        if file.is_dir() or not file.absolute().parent.is_dir():
            raise InputError(f"“{file}” cannot be written: name a file in a folder that is there.")
