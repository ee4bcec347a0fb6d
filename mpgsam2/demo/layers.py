"""What a run keeps so that its answers can be drawn anew, in another look and at another threshold, without the model.

    clip.mp4                  the frames of the run, with the clip's own sound
    levels.bin, levels-A.bin  per frame a grey picture: how many hundredths the mask's probability reaches
    answers.npz               mask priors, object scores, predicted IoU, and which frames were read together

The player composes the overlay from the first two. A level file holds for each frame the length of a PNG, in four
bytes with the lowest first, and the PNG, of some 1.3 kB at 320 × 240 and 14 kB at 1920 × 1080. Hundredths suffice,
because the player's threshold is given in them: what they leave out decides no mask.
"""

from __future__ import annotations

import math
import shutil
import struct
from collections.abc import Generator, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import cast

import cv2
import numpy as np

from mpgsam2.demo.insight import INSIGHT
from mpgsam2.errors import InputError
from mpgsam2.export import lettered, why_unwritten
from mpgsam2.export.files import unfinished
from mpgsam2.export.ownership import letters_of
from mpgsam2.inference.query import Query
from mpgsam2.inference.results import FrameResult
from mpgsam2.inference.segmenter import Segmenter
from mpgsam2.network.insight import Sight
from mpgsam2.video import Clip, SelectedClip, VideoWriter, add_sound

CLIP, LEVELS, ANSWERS = "clip.mp4", "levels.bin", "answers.npz"

_STEPS = 100
_ROUNDING = 1e-9  # of a step, by which a threshold's own rounding may miss it
_PNG = (cv2.IMWRITE_PNG_COMPRESSION, 1, cv2.IMWRITE_PNG_STRATEGY, cv2.IMWRITE_PNG_STRATEGY_RLE)


def cut(threshold: float) -> int:
    """Return the level from which on a pixel belongs to the mask."""
    return math.ceil(threshold * _STEPS - _ROUNDING)


def levels(result: FrameResult, threshold: float) -> np.ndarray:
    """Return (H, W) uint8 in 0..100; cut at the run's own threshold it is the very mask, however it was rounded."""
    reached = (np.float32(result.probability) * _STEPS).astype(np.uint8)
    own = cut(threshold)
    return np.where(result.mask, np.maximum(reached, own), np.minimum(reached, own - 1)).astype(np.uint8)


class LayersWriter:
    """Writes the layers of a run, frame by frame.

    A context manager: the files appear when the block ends, and none if the block raises or wrote no frame.

    Args:
        folder: of the run; there when the first frame comes.
        clip: of the run.
        queries: how many it asks.
        threshold: at which its masks are cut.
        video: whether `clip.mp4` is written; not where the clip is one that every browser plays.
    """

    def __init__(self, folder: Path, clip: SelectedClip, queries: int, threshold: float, *, video: bool = True) -> None:
        self._folder, self._clip, self._threshold = folder, clip, threshold
        self._paths = level_files(folder, queries)
        self._video = video
        self._open: ExitStack | None = None
        self._answers: list[list[tuple[np.ndarray, float, float]]] = []
        self._spans: list[tuple[int, int]] = []

    def add(self, frame: np.ndarray, results: Sequence[FrameResult]) -> None:
        """Append a frame, (H, W, 3) uint8 RGB, and the answers to its queries.

        Raises:
            InputError: they cannot be written, as on a full disk; leaving the block may raise it, too.
        """
        try:
            self._add(frame, results)
        except OSError as error:
            raise InputError(why_unwritten(error, self._folder)) from error

    def _add(self, frame: np.ndarray, results: Sequence[FrameResult]) -> None:
        if self._open is None:
            self._begin()
        if self._video:
            self._frames.write(frame)
        for file, result in zip(self._files, results, strict=True):
            picture = cv2.imencode(".png", levels(result, self._threshold), _PNG)[1].tobytes()
            file.write(struct.pack("<I", len(picture)) + picture)
        self._answers.append([(result.prior, result.object_score, result.iou) for result in results])
        span = results[0].span or range(0)
        self._spans.append((span.start, span.stop))

    def _begin(self) -> None:
        with ExitStack() as opened:
            clip = self._clip
            if self._video:
                self._frames = opened.enter_context(
                    VideoWriter(self._folder / CLIP, clip.width, clip.height, clip.fps, clip.varying_times)
                )
            self._files = [opened.enter_context(unfinished(path).open("wb")) for path in self._paths]
            self._open = opened.pop_all()

    def __enter__(self) -> LayersWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._open is None:
            return
        try:
            self._open.__exit__(kind, error, traceback)
            self._close(kind)
        except OSError as failed:
            raise InputError(why_unwritten(failed, self._folder)) from failed

    def _close(self, kind: type[BaseException] | None) -> None:
        for path in self._paths:
            if kind is None:
                unfinished(path).replace(path)
            else:
                unfinished(path).unlink(missing_ok=True)
        if kind is None:
            self._finish()

    def _finish(self) -> None:
        priors, scores, ious = (
            np.array([[answer[kind] for answer in answers] for answers in self._answers], np.float32)
            for kind in range(3)
        )
        spans = np.array(self._spans)
        np.savez_compressed(self._folder / ANSWERS, priors=priors, object_scores=scores, ious=ious, spans=spans)
        if self._video:
            part, source = self._clip, self._clip.source
            end = (*part.times, part.duration)[len(self._answers)]
            add_sound(self._folder / CLIP, source, source.times[part.numbers.start], end)


class KeptAnswers:
    """What an earlier run has kept, in the place of the model's pass over the clip (see `gpu.FrameLoop`).

    Args:
        folder: of that run.

    Raises:
        InputError: it is not there any more.
    """

    limited = False

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        if not (folder / ANSWERS).is_file():
            raise InputError("This result is not here any more: press Run to compute it again.")

    def most_frames(self, model: Segmenter, clip: Clip, queries: Sequence[Query]) -> int:
        """Return all of the clip's."""
        return clip.frame_count

    def __call__(
        self,
        model: Segmenter,
        clip: Clip,
        queries: Sequence[Query],
        threshold: float,
        seen: list[Sight] | None = None,
    ) -> Generator[tuple[FrameResult, ...]]:
        """Yield the answers that were kept, with masks cut at another threshold; probabilities are in whole hundredths.

        Nothing is seen of the network, which does not run; `copy_insight` what was seen before.
        """
        with np.load(self._folder / ANSWERS) as kept:
            answers = [kept[name] for name in ("priors", "object_scores", "ious")]
            spans = kept["spans"] if "spans" in kept else np.zeros((len(answers[0]), 2), int)
        pictures = [_pictures(path) for path in level_files(self._folder, len(queries))]
        own = cut(threshold)
        frames = enumerate(zip(*answers, spans.tolist(), *pictures, strict=True))
        for index, (priors, scores, ious, (start, stop), *grey) in frames:
            yield tuple(
                FrameResult(
                    index=index,
                    mask=level >= own,
                    probability=np.float32(level) / _STEPS,
                    prior=prior,
                    object_score=float(score),
                    iou=float(iou),
                    span=range(start, stop),
                )
                for level, prior, score, iou in zip(grey, priors, scores, ious, strict=True)
            )

    def copy_insight(self, folder: Path) -> None:
        """Give the files that belong to the answers alone to a run that takes them from here."""
        if (self._folder / INSIGHT).is_file():
            shutil.copyfile(self._folder / INSIGHT, folder / INSIGHT)


def level_files(folder: Path, queries: int) -> list[Path]:
    """Return where the levels of each of a run's queries lie."""
    return [folder / lettered(LEVELS, letter) for letter in letters_of(queries)]


def _pictures(path: Path) -> Iterator[np.ndarray]:
    """Yield the level pictures of a file, (H, W) uint8."""
    with path.open("rb") as file:
        while head := file.read(4):
            picture = np.frombuffer(file.read(struct.unpack("<I", head)[0]), np.uint8)
            yield cast(np.ndarray, cv2.imdecode(picture, cv2.IMREAD_GRAYSCALE))
