"""Folders that come with the package: nano's weights and the examples."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).parent


def shipped(folder: str) -> Path:
    """Return where a folder lies that comes with the package.

    Args:
        folder: its path in the repository, such as "assets/nano".

    Returns:
        Its place: in the package once that is installed (`force-include` in pyproject.toml puts it there), and at the
        root of the repository in a checkout. It need not exist.
    """
    installed = _PACKAGE / folder
    return installed if installed.is_dir() else _PACKAGE.parent / folder
