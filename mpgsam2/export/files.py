"""The files of a run: what they are called, and how one is written."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

BUNDLE = "results.zip"
RECORD = "run.json"
MASKS = "masks"
"""The folder of the mask pictures."""

_RUN_FILES = ("overlay.mp4", "side-by-side.mp4", "strip.png", "strip.pdf", "masks.json", RECORD)
_QUERY_FILES = ("prior.mp4", "masks.mp4", "cutout.webm")


def lettered(name: str, letter: str) -> str:
    """Return the name of one query's file: "prior.mp4" and "A" give "prior-A.mp4", no letter leaves it as it is."""
    stem, dot, suffix = name.partition(".")
    return f"{stem}-{letter}{dot}{suffix}" if letter else name


def file_names(letters: Sequence[str]) -> list[str]:
    """Return a run's files but for the mask pictures.

    Args:
        letters: of its queries; [""] where there is only one.
    """
    return [*_RUN_FILES, *(lettered(name, letter) for name in _QUERY_FILES for letter in letters)]


def mask_name(index: int) -> str:
    """Return the name of a frame's mask picture, within `masks` or a query's own folder there."""
    return f"{index:05d}.png"


def unfinished(path: Path) -> Path:
    """Return where a file is written until it is whole."""
    return path.with_name(f".{path.name}.part")


def write_whole(path: Path, content: bytes) -> None:
    """Write a file that is either whole or not there."""
    part = unfinished(path)
    try:
        part.write_bytes(content)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
