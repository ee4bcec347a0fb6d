"""What the player is given: the newest frame of a run, or its result."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2

from mpgsam2.demo.insight import INSIGHT
from mpgsam2.demo.layers import CLIP, level_files
from mpgsam2.demo.pictures import shrunk
from mpgsam2.demo.player import PlayerValue, live_value, result_value
from mpgsam2.export.pipeline import Progress


def live(progress: Progress) -> PlayerValue:
    """Return the newest frame: the first query's prior and mask probability, and all masks, small enough to send."""
    drawn = progress.drawn
    size = shrunk(*drawn.frame.shape[:2])
    pictures = (drawn.priors[0], drawn.probabilities[0], drawn.overlay)
    return live_value(
        *(cv2.resize(picture, size, interpolation=cv2.INTER_AREA) for picture in pictures),
        frame=progress.index,
        frames=progress.total,
    )


def result(record: dict[str, Any], folder: Path, clip: Path | None = None) -> PlayerValue:
    """Return a run's videos and its record, of a folder that `export` wrote, and the layers beside them, if any.

    Args:
        record, folder: of the run.
        clip: whose frames are all of the run's, where the folder has none of its own.
    """
    letters = [query["letter"] for query in record["queries"]]
    levels = level_files(folder, len(letters))
    layers = (clip or folder / CLIP, levels) if all(map(Path.is_file, levels)) else None
    shown = dict(zip(letters, videos(record, folder), strict=True))
    insight = folder / INSIGHT if (folder / INSIGHT).is_file() else None
    return result_value(folder / "overlay.mp4", shown, record, layers, insight)


def videos(record: dict[str, Any], folder: Path) -> list[tuple[Path, Path]]:
    """Return the files of the mask prior and of the mask's probability, for each query of a record."""
    letters = [query["letter"] for query in record["queries"]]
    ends = [""] if len(letters) == 1 else [f"-{letter}" for letter in letters]
    return [(folder / f"prior{end}.mp4", folder / f"masks{end}.mp4") for end in ends]
