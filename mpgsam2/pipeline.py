"""A clip file and a sentence in, results on disk out, one frame at a time.

- `segment_file` does it all, for scripts and the command line;
- `write_results` is its second half, which needs no model: it draws, encodes and writes what `MPGSAM2.segment` yields,
  so that a caller can run `segment` elsewhere, as inside a GPU's time slot;
- `check_request` and `warn_unknown` tell what is wrong or doubtful with a sentence before anything runs;
- `tell` puts into words what a run concludes.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Generator, Iterable
from contextlib import closing
from dataclasses import dataclass
from os import PathLike
from pathlib import Path

import numpy as np

import mpgsam2
from mpgsam2.errors import InputError
from mpgsam2.export import Exporter
from mpgsam2.network.model import MPGSAM2, check_parts
from mpgsam2.results import FrameResult
from mpgsam2.verdict import Verdict
from mpgsam2.video import Clip, open_clip


@dataclass(frozen=True)
class Progress:
    """One frame is done and its files are written.

    Attributes:
        index: of the frame, from 0.
        total: frames of the clip.
        frame: (H, W, 3) uint8 RGB.
        result: the frame's result.
        verdict: the conclusion from all frames so far; the last one's is that of the run.
        seconds: since the start, the reading of the whole clip before the first frame included.
        seconds_left: at the pace since the first frame; None at the first frame, when there is no pace yet.
    """

    index: int
    total: int
    frame: np.ndarray
    result: FrameResult
    verdict: Verdict
    seconds: float
    seconds_left: float | None

    @property
    def frames_per_second(self) -> float:
        """Frames done per second since the start."""
        return (self.index + 1) / self.seconds


def segment_file(
    model: MPGSAM2,
    clip: Clip | str | PathLike[str],
    expression: str,
    folder: str | PathLike[str],
    *,
    without: Iterable[str] = frozenset(),
) -> Generator[Progress]:
    """Segment what a sentence names in a clip, and write overlay, prior, masks and record while it goes on.

    Args:
        model: as `load_model` returns it.
        clip: a video file, a folder of images, or a clip already opened.
        expression: the sentence.
        folder: for the results, see `mpgsam2.export`; made if need be, an earlier run's results in it are replaced.
        without: parts of the network to switch off, see `MPGSAM2.track`.

    Returns:
        An iterator over the frames done, which does the work as it is read. Closing it early keeps what is done.

    Raises:
        InputError: sentence, clip, parts or folder cannot be used; raised at the call, before any model work.
    """
    without = frozenset(without)
    check_request(model, expression, without)
    if not isinstance(clip, Clip):
        clip = open_clip(clip)
    results = model.segment(clip, expression, without=without)
    return write_results(clip, results, folder, model=model, expression=expression, without=without)


def write_results(
    clip: Clip,
    results: Generator[FrameResult],
    folder: str | PathLike[str],
    *,
    model: MPGSAM2,
    expression: str,
    without: Iterable[str] = frozenset(),
) -> Generator[Progress]:
    """Draw and write the results of a clip's frames as they come.

    Args:
        clip: read once, one frame at a time.
        results: one per frame in order, as `model.segment` yields them; closed at the end.
        folder: see `segment_file`.
        model, expression, without: what the results were made with, for the record; the model itself is not run.

    Returns:
        An iterator over the frames done, which does the work as it is read. Closing it early finishes the files with
        the frames so far; result.json then says `"complete": false`. So do errors on the way.

    Raises:
        InputError: the folder cannot be written to, or the clip lies where the results go (raised at the call); the
            clip cannot be read to its end, or the disk is full (raised on the way).
    """
    folder = Path(folder)
    _check_folder(folder, clip)
    return _write(clip, results, folder, model, expression, sorted(without))


def check_request(model: MPGSAM2, expression: str, without: Iterable[str] = frozenset()) -> None:
    """Raise `InputError` if `model.segment` would refuse the sentence or the parts to switch off; runs no model."""
    check_parts(without)
    model.tokenizer.encode(expression)


def warn_unknown(model: MPGSAM2, expression: str) -> str | None:
    """The sentence that tells a user which of their words the model does not know, None if it knows them all."""
    words = [f"“{word}”" for word in model.tokenizer.unknown_words(expression)]
    if not words:
        return None
    listed = f"words {', '.join(words[:-1])} and {words[-1]}" if len(words) > 1 else f"word {words[0]}"
    return f"I do not know the {listed} and go by the rest of the sentence: other words may serve better."


def tell(verdict: Verdict) -> str:
    """What a user is told of a verdict: its sentence, how sure it is, and if it is of absence, which frames have masks.

    "Found in frames 3–40 of 48. I am 98 % sure."
    "Probably not in this clip. I am 80 % sure, but it may be in frame 5 of 48."
    """
    confidence = verdict.confidence if verdict.present else 1 - verdict.confidence
    told = f"{verdict.sentence} I am {min(99, round(100 * confidence))} % sure"  # no verdict is certain
    doubt = f", but it may be in {verdict.where}" if verdict.found and not verdict.present else ""
    return f"{told}{doubt}."


def _check_folder(folder: Path, clip: Clip) -> None:
    outputs = [folder / name for name in ("overlay.mp4", "prior.mp4", "masks.mp4", "masks")]
    if clip.path.resolve() in [path.resolve() for path in outputs]:
        raise InputError("The results would replace the clip itself: choose another folder for them.")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        raise InputError(
            f"The results cannot be written to “{folder.name}” ({error.strerror}): choose another folder."
        ) from error


def _write(
    clip: Clip, results: Generator[FrameResult], folder: Path, model: MPGSAM2, expression: str, without: list[str]
) -> Generator[Progress]:
    start = first = time.monotonic()
    try:
        exporter = Exporter(
            folder,
            clip,
            expression=expression,
            model=model.name,
            parameters={"without": without, "window": model.window},
            versions={"mpgsam2": mpgsam2.__version__},
        )
        with exporter, closing(iter(clip)) as frames, closing(results):
            for frame, result in zip(frames, results, strict=True):
                exporter.add(frame, result)
                now = time.monotonic()
                first = now if result.index == 0 else first
                left = clip.frame_count - result.index - 1
                yield Progress(
                    index=result.index,
                    total=clip.frame_count,
                    frame=frame,
                    result=result,
                    verdict=exporter.verdict,
                    seconds=now - start,
                    seconds_left=(now - first) / result.index * left if result.index else None,
                )
    except OSError as error:
        raise InputError("The results could not be written to the end: make room on the disk and run again.") from error
