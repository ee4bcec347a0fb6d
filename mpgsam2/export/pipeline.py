"""A clip and queries in, results on disk out, one frame at a time.

- `segment_file` does it all, for scripts and the command line;
- `write_results` is its second half, which needs no model: it draws, encodes and writes what
  `Segmenter.segment_several` yields, so that a caller can run that elsewhere, as inside a GPU's time slot;
- `check_request` and `warn_unknown` tell what is wrong or doubtful with a sentence before anything runs.
"""

from __future__ import annotations

import time
from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

import mpgsam2
from mpgsam2.errors import InputError
from mpgsam2.export import Exporter, check_folder, why_unwritten
from mpgsam2.export.drawing import Look
from mpgsam2.export.drawn import DrawnFrame
from mpgsam2.export.extras import Extras
from mpgsam2.export.lock import held
from mpgsam2.inference.query import Query
from mpgsam2.inference.results import FrameResult
from mpgsam2.inference.segmenter import Segmenter, check_threshold
from mpgsam2.inference.understanding import warning
from mpgsam2.inference.verdict import Verdict
from mpgsam2.video import Clip, SelectedClip, Selection, hold, open_clip, select
from mpgsam2.video.ground_truth import GroundTruth


@dataclass(frozen=True)
class Progress:
    """One frame is done and its files are written.

    Attributes:
        index: of the frame, from 0.
        total: frames of the clip.
        drawn: the frame with its results and pictures.
        verdicts: of the run, one for each query, with its last frame; empty before.
        seconds: since the start, the reading of the whole clip before the first frame included.
        seconds_left: at the pace since the first frame; None at the first frame, when there is no pace yet.
    """

    index: int
    total: int
    drawn: DrawnFrame
    verdicts: tuple[Verdict, ...]
    seconds: float
    seconds_left: float | None

    @property
    def frame(self) -> np.ndarray:
        """(H, W, 3) uint8 RGB."""
        return self.drawn.frame

    @property
    def results(self) -> tuple[FrameResult, ...]:
        """Of the frame, one for each query."""
        return self.drawn.results

    @property
    def frames_per_second(self) -> float:
        """Frames done per second since the start."""
        return (self.index + 1) / self.seconds


def segment_file(
    model: Segmenter,
    clip: Clip | str | PathLike[str],
    queries: str | Sequence[Query],
    folder: str | PathLike[str],
    *,
    look: Look = Look(),  # noqa: B008
    truth: GroundTruth | None = None,
    threshold: float = 0.5,
) -> Generator[Progress]:
    """Segment what sentences name in a clip, and write pictures, masks and record while it goes on.

    Args:
        model: as `load_model` returns it.
        clip: a video file, a folder of images, or a clip already opened, perhaps a part of one (`video.select`).
        queries: one to four, or one sentence.
        folder: for the results, see `mpgsam2.export`; made if need be. An earlier run's results in it are replaced
            with the first frame, and nothing else ever is.
        look: of the overlay.
        truth: the clip's true masks, against which every query is scored.
        threshold: the least probability of a pixel in a mask, between 0 and 1.

    Returns:
        An iterator over the frames done, which does the work as it is read. Closing it early keeps what is done.

    Raises:
        InputError: queries, threshold, clip or folder cannot be used; raised at the call, before any model work.
    """
    if isinstance(queries, str):
        queries = [Query(queries)]
    check_request(model, queries, threshold)
    if not isinstance(clip, Clip):
        clip = open_clip(clip)
    clip = hold(clip)
    results = model.segment_several(clip, queries, threshold=threshold)
    return write_results(
        clip, results, folder, model=model, queries=queries, look=look, truth=truth, threshold=threshold
    )


def write_results(
    clip: Clip,
    results: Generator[tuple[FrameResult, ...]],
    folder: str | PathLike[str],
    *,
    model: Segmenter,
    queries: Sequence[Query],
    look: Look = Look(),  # noqa: B008
    truth: GroundTruth | None = None,
    threshold: float = 0.5,
    extras: bool = True,
) -> Generator[Progress]:
    """Draw and write the results of a clip's frames as they come.

    Args:
        clip: read once, one frame at a time.
        results: one tuple per frame in order, as `model.segment_several` yields them; closed at the end.
        folder, look, truth: see `segment_file`.
        model, queries, threshold: what the results were made with, for the record; the model itself is not run.
        extras: whether all files are written, or only the record and the videos of the three panes; `write_extras`
            writes the others later.

    Returns:
        An iterator over the frames done, which does the work as it is read. Closing it early finishes the files with
        the frames so far; run.json then says `"complete": false`. So do errors on the way.

    Raises:
        InputError: the folder cannot be written to or is in use, or something that is no earlier run's, such as the
            clip, lies where the results go (raised at the call); the clip cannot be read to its end, or the disk is
            full (raised on the way).
    """
    folder = Path(folder)
    check_folder(folder, clip, len(queries))
    settings = {"queries": queries, "model": model, "look": look, "truth": truth, "threshold": threshold}
    return _write(clip, results, folder, {**settings, "extras": extras})


def write_extras(
    clip: Clip,
    results: Generator[tuple[FrameResult, ...]],
    folder: str | PathLike[str],
    *,
    queries: Sequence[Query],
    look: Look = Look(),  # noqa: B008
) -> Generator[int]:
    """Write the files that a run with `extras=False` has left out; all other files stay as they are.

    Args:
        clip: the frames that the run came to.
        results: one tuple per frame in order; closed at the end.
        folder: of the run.
        queries, look: as the run had them.

    Yields:
        The number of frames done, after each. Closing it early leaves no file but masks as pictures.

    Raises:
        InputError: the clip cannot be read to its end, a run writes into the folder, or the disk is full.
    """
    folder = Path(folder)
    part = clip if isinstance(clip, SelectedClip) else select(clip, Selection())
    try:
        with (
            held(folder),
            Extras(folder, part, queries, look) as extras,
            closing(iter(part)) as frames,
            closing(results),
        ):
            for index, (frame, answers) in enumerate(zip(frames, results, strict=True)):
                extras.add(DrawnFrame(frame, part.numbers[index], answers, look))
                yield index + 1
            extras.no_more()
    except OSError as error:
        raise InputError(why_unwritten(error, folder)) from error


def check_request(model: Segmenter, queries: Sequence[Query], threshold: float = 0.5) -> None:
    """Raise `InputError` if `model.segment_several` would refuse the queries or the threshold; runs no model.

    So it does if the model knows no word of a sentence: it would segment something all the same.
    """
    model.encode_queries(queries)
    for query in queries:
        model.tokenizer.check_known(query.expression)
    check_threshold(threshold)


def warn_unknown(model: Segmenter, expression: str) -> str | None:
    """Return the sentence that tells a user which of their words the model does not know, None if it knows them all."""
    return warning(model.tokenizer, expression)


def _write(
    clip: Clip, results: Generator[tuple[FrameResult, ...]], folder: Path, settings: dict[str, Any]
) -> Generator[Progress]:
    start = first = time.monotonic()
    try:
        exporter = Exporter(folder, clip, **settings, versions={"mpgsam2": mpgsam2.__version__})
        with exporter, closing(iter(clip)) as frames, closing(results):
            # The results come first: of a clip that is held, the network has then decoded the frame.
            for index, (answers, frame) in enumerate(zip(results, frames, strict=True)):
                drawn = exporter.add(frame, answers)
                now = time.monotonic()
                first = now if index == 0 else first
                left = clip.frame_count - index - 1
                yield Progress(
                    index=index,
                    total=clip.frame_count,
                    drawn=drawn,
                    verdicts=() if left else tuple(verdict for verdict in exporter.verdicts if verdict),
                    seconds=now - start,
                    seconds_left=(now - first) / index * left if index else None,
                )
    except OSError as error:
        raise InputError(why_unwritten(error, folder)) from error
