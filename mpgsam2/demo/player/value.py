"""What the player shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from os import PathLike, fspath
from typing import Any

import numpy as np
from gradio.data_classes import FileData, GradioModel

from mpgsam2.demo.pictures import data_uri


class Live(GradioModel):
    """The newest frame of a run that goes on.

    Attributes:
        prior, masks, overlay: its pictures as URIs that hold the data themselves.
        frame: its index, from 0.
        frames: of the run.
    """

    prior: str
    masks: str
    overlay: str
    frame: int
    frames: int


class QueryVideos(GradioModel):
    """The videos that belong to one query.

    Attributes:
        letter: of the query, as in the record.
        prior, masks: mp4 files.
    """

    letter: str
    prior: FileData
    masks: FileData


class Layers(GradioModel):
    """What the player composes the overlay from, so that its look can change while it plays.

    Attributes:
        clip: mp4 of the run's frames.
        levels: see `demo.layers`; one file per query of the record, in its order.
        insight: what the network looked at, see `demo.insight`; None where it was not asked.
    """

    clip: FileData
    levels: tuple[FileData, ...]
    insight: FileData | None = None


class PlayerValue(GradioModel):
    """What the player shows: a run that goes on (`live`), or else a run's result (all the others).

    Attributes:
        live: the newest frame.
        overlay: mp4 of all queries' masks; the clock that the other videos follow.
        queries: one per query of the record, in its order.
        record: see `mpgsam2.export`.
        layers: for an overlay in any look; None for the one that `overlay` has.
    """

    live: Live | None = None
    overlay: FileData | None = None
    queries: tuple[QueryVideos, ...] = ()
    record: dict[str, Any] | None = None
    layers: Layers | None = None


def live_value(prior: np.ndarray, masks: np.ndarray, overlay: np.ndarray, *, frame: int, frames: int) -> PlayerValue:
    """Return the player while a run goes on.

    Args:
        prior, masks, overlay: (H, W, 3) uint8 RGB, pictures of the newest frame; sent scaled down.
        frame: its index, from 0.
        frames: of the run.
    """
    pictures = {"prior": data_uri(prior), "masks": data_uri(masks), "overlay": data_uri(overlay)}
    return PlayerValue(live=Live(**pictures, frame=frame, frames=frames))


def result_value(
    overlay: str | PathLike[str],
    queries: Mapping[str, tuple[str | PathLike[str], str | PathLike[str]]],
    record: dict[str, Any],
    layers: tuple[str | PathLike[str], Sequence[str | PathLike[str]]] | None = None,
    insight: str | PathLike[str] | None = None,
) -> PlayerValue:
    """Return the player once a run has ended.

    Args:
        overlay: the run's overlay.mp4.
        queries: per letter of the record, in its order, the paths of the prior and the masks as mp4.
        record: see `mpgsam2.export`; the videos have one frame per entry of its queries' `frames`.
        layers: the clip and the levels of each query; None where the overlay cannot be drawn anew.
        insight: a file of `demo.insight` beside the layers, if there is one.
    """
    drawn = None
    if layers:
        clip, levels = layers
        drawn = Layers(
            clip=_file(clip),
            levels=tuple(_file(path, "application/octet-stream") for path in levels),
            insight=_file(insight, "application/json") if insight else None,
        )
    return PlayerValue(
        overlay=_file(overlay),
        queries=tuple(QueryVideos(letter=a, prior=_file(p), masks=_file(m)) for a, (p, m) in queries.items()),
        record=record,
        layers=drawn,
    )


def _file(path: str | PathLike[str], kind: str = "video/mp4") -> FileData:
    return FileData(path=fspath(path), mime_type=kind)
