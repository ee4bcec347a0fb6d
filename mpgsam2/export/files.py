"""The files of a run: what they are called, which of them lie in a folder, and how one is written."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from mpgsam2.query import LETTERS

BUNDLE = "results.zip"
RECORD = "run.json"

_OF_A_RUN = ("overlay.mp4", "side-by-side.mp4", "strip.png", "strip.pdf", "masks.json", RECORD)
_OF_A_QUERY = ("prior.mp4", "masks.mp4", "cutout.webm")


def lettered(name: str, letter: str) -> str:
    """The name of one query's file: "prior.mp4" and "A" give "prior-A.mp4", no letter leaves it as it is."""
    stem, dot, suffix = name.partition(".")
    return f"{stem}-{letter}{dot}{suffix}" if letter else name


def results_in(folder: Path) -> list[Path]:
    """The files in a folder that are, by their names, a run's: those that a bundle holds and a new run replaces."""
    letters = ["", *LETTERS]
    names = [*_OF_A_RUN, *(lettered(name, letter) for name in _OF_A_QUERY for letter in letters)]
    masks = [path for letter in letters for path in sorted((folder / "masks" / letter).glob("[0-9]*.png"))]
    return [path for path in (*(folder / name for name in names), *masks) if path.is_file()]


def remove_results(folder: Path) -> None:
    """Removes an earlier run's files from a folder, and leaves whatever else lies there."""
    for path in (folder / BUNDLE, *results_in(folder)):
        path.unlink(missing_ok=True)
    for letter in (*LETTERS, ""):
        with suppress(OSError):  # it is not there, or holds something else
            (folder / "masks" / letter).rmdir()


def unfinished(path: Path) -> Path:
    """Where a file is written until it is whole."""
    return path.with_name(f".{path.name}.part")


def write_whole(path: Path, content: bytes) -> None:
    """Writes a file that is either whole or not there."""
    part = unfinished(path)
    part.write_bytes(content)
    part.replace(path)
