"""Masks that somebody's program wrote: the PNG files of a folder or a zip, found by their last three names.

    anno_0/VIDEO/FRAME.png           id maps, for Ref-DAVIS17
    VIDEO/EXPRESSION/FRAME.png       masks, for the others

Folders above these, such as `Annotations/` or that of the zip itself, are passed over.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from os import PathLike
from pathlib import Path
from typing import NamedTuple
from zipfile import BadZipFile, ZipFile

from mpgsam2.errors import InputError

_MAX_FOLDER_DEPTH = 8  # below the folder given; a link back to a folder above ends there


class Key(NamedTuple):
    """Where a mask lies: the last two folders and the file's name without its suffix."""

    outer: str
    inner: str
    frame: str

    @property
    def path(self) -> str:
        """As a program writes it, from the results' folder on."""
        return f"{self.outer}/{self.inner}/{self.frame}.png"


class Results:
    """The masks in a folder or zip; a context manager. Holds their names and one open zip, no mask.

    Args:
        path: the folder or zip.

    Raises:
        InputError: it is not there, is neither, holds no PNG, or holds a mask twice.
    """

    def __init__(self, path: str | PathLike[str]) -> None:
        path = Path(path)
        self.name = path.absolute().name
        self._folder, self._archive = path, None
        if path.is_dir():
            files = _files(path)
        elif path.is_file():
            self._archive = self._opened(path)
            files = (entry.filename for entry in self._archive.infolist())
        else:
            raise InputError(f"There are no results “{self.name}”: check the name and where they lie.")
        try:
            self._files = self._by_key(files)
        except BaseException:
            self.close()
            raise

    def check(self, keys: Iterable[Key]) -> None:
        """Raise InputError if any of those masks is missing; it counts them and names the first."""
        keys = list(keys)
        missing = [key for key in keys if key not in self._files]
        if missing:
            masks = f"{len(missing)} of {len(keys)} masks are" if len(missing) > 1 else "A mask is"
            first = "the first is " if len(missing) > 1 else ""
            raise InputError(f"{masks} missing in “{self.name}”: {first}“{missing[0].path}”.")

    def read(self, key: Key) -> bytes:
        """Return the PNG file of a mask.

        Raises:
            InputError: it cannot be read.
        """
        try:
            if self._archive is None:
                return (self._folder / self._files[key]).read_bytes()
            return self._archive.read(self._files[key])
        except Exception as error:  # damaged zips raise whatever the bytes lead to; a password is a RuntimeError
            raise InputError(f"“{key.path}” in “{self.name}” cannot be read: write or zip the masks again.") from error

    def shown(self, key: Key) -> str:
        """Return what a refusal calls a mask."""
        return f"{self.name}: {key.path}"

    def close(self) -> None:
        """Close the zip."""
        if self._archive is not None:
            self._archive.close()

    def __enter__(self) -> Results:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _opened(self, path: Path) -> ZipFile:
        try:
            return ZipFile(path)
        except (BadZipFile, OSError, ValueError, NotImplementedError) as error:
            raise InputError(f"“{self.name}” is neither a folder nor a zip file that can be read.") from error

    def _by_key(self, files: Iterable[str]) -> dict[Key, str]:
        found: dict[Key, str] = {}
        for file in files:
            parts = re.split(r"[/\\]", file) if self._archive else file.split(os.sep)
            name = parts[-1]
            if len(parts) < 3 or not name.lower().endswith(".png") or name[0] == "." or "__MACOSX" in parts:
                continue
            outer, inner = parts[-3:-1]
            key = Key(outer, inner, name[:-4])
            if key in found:
                raise InputError(f"“{self.name}” holds a mask twice, as “{found[key]}” and as “{file}”: keep one.")
            found[key] = file
        if not found:
            raise InputError(f"There is no mask in “{self.name}”: give a folder or zip of PNG files in their folders.")
        return found


def _files(folder: Path) -> Iterator[str]:
    """Yield the files below a folder, as paths from it on, in the order of their names."""
    for place, folders, names in os.walk(folder, followlinks=True):
        inner = os.path.relpath(place, folder)
        folders.sort()
        if inner.count(os.sep) + 2 >= _MAX_FOLDER_DEPTH:
            folders.clear()
        yield from (os.path.normpath(os.path.join(inner, name)) for name in sorted(names))
