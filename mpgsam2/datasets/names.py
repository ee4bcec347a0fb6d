"""Names that a data set's index gives to folders and files: each must be one step of a path, and no way out."""

from __future__ import annotations

from mpgsam2.errors import InputError

_FORBIDDEN = frozenset("/\\\0")


def checked_name(name: object, what: str, file: str) -> str:
    """The name, if a folder or file of the data set can have it.

    Args:
        name: as it stands in the index; spaces, dots and letters of any language may be in it.
        what: what it names, such as "video".
        file: the index's own name, for the refusal.

    Raises:
        InputError: it is no text, empty, or leads to another folder.
    """
    if not isinstance(name, str) or not name or name in (".", "..") or not _FORBIDDEN.isdisjoint(name):
        raise InputError(
            f"“{file}” names a {what} {name!r}, which is not the name of one folder or file: correct it there."
        )
    return name
