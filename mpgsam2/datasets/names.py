"""Names that a data set's index gives to folders and files: each must be one step of a path, and no way out."""

from __future__ import annotations

from mpgsam2.errors import InputError

_FORBIDDEN = frozenset("/\\\0")

_MAX_NAME_BYTES = 240  # file systems take 255, and a suffix comes after


def checked_name(name: object, what: str, file: str) -> str:
    """Return the name, if a folder or file of the data set can have it.

    Args:
        name: as it stands in the index; spaces, dots and letters of any language may be in it.
        what: what it names, such as "video".
        file: the index's own name, for the refusal.

    Raises:
        InputError: it is no text, empty, too long for a file, or leads to another folder.
    """
    if not isinstance(name, str) or name in ("", ".", "..") or not _FORBIDDEN.isdisjoint(name) or not _fits(name):
        raise InputError(
            f"“{file}” names a {what} {_shortened(repr(name))}, which is not the name of one folder or file: correct "
            "it there."
        )
    return name


def _fits(name: str) -> bool:
    try:
        return len(name.encode()) <= _MAX_NAME_BYTES
    except UnicodeEncodeError:  # half of a character
        return False


def _shortened(text: str) -> str:
    return text if len(text) <= 80 else f"{text[:77]}…"
