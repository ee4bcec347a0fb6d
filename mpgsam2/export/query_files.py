"""One query's share of a run: its videos, its mask pictures and its part of the record."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from mpgsam2.export.description import Description
from mpgsam2.export.drawing import Colour, cut_out, hex_of, mask_image, prior_heatmap, probability_map
from mpgsam2.export.files import MASKS, lettered, mask_name, write_whole
from mpgsam2.export.record import verdict_record
from mpgsam2.export.scores import agreement
from mpgsam2.inference.config import CalibrationConfig
from mpgsam2.inference.query import Query
from mpgsam2.inference.verdict import Verdict, conclude, tell
from mpgsam2.metrics import contour_accuracy, region_similarity
from mpgsam2.video import Clip, CutOutWriter, VideoWriter

if TYPE_CHECKING:
    from mpgsam2.inference.results import FrameResult
    from mpgsam2.video.ground_truth import GroundTruth


class QueryFiles:
    """Writes what a run leaves of one query, frame by frame.

    Nothing is there before `begin`. A context manager: leaving the block finishes the videos, or removes them if the
    block raises.

    Args:
        folder: of the run, which is there.
        clip: of the run.
        query: the query.
        letter: what the run calls it.
        calibration: of the model, for the verdict.
        doubt: what of the sentence the model did not understand, for the verdict.
        alone: whether it is the run's only one, whose files bear no letter.

    Attributes:
        colour: RGB, of its masks; to be set.
    """

    colour: Colour

    def __init__(
        self,
        folder: Path,
        clip: Clip,
        query: Query,
        letter: str,
        calibration: CalibrationConfig,
        doubt: str | None,
        *,
        alone: bool,
    ) -> None:
        self.query, self.letter = query, letter
        self._calibration, self._doubt = calibration, doubt
        self._folder, self._clip, self._suffix = folder, clip, "" if alone else letter
        self._masks = folder / MASKS / self._suffix
        self._writers = ExitStack()
        self._description = Description(query.expression, clip.frame_count, understood=not doubt)
        self._frames: list[dict[str, Any]] = []

    def begin(self) -> None:
        """Opens the videos, half written for now, and makes the folder of the mask pictures."""
        folder, clip = self._folder, self._clip
        with ExitStack() as writers:
            self._prior, self._probability, self._cutout = (
                writers.enter_context(
                    writer(folder / lettered(name, self._suffix), clip.width, clip.height, clip.fps, clip.varying_times)
                )
                for writer, name in (
                    (VideoWriter, "prior.mp4"),
                    (VideoWriter, "masks.mp4"),
                    (CutOutWriter, "cutout.webm"),
                )
            )
            self._masks.mkdir(parents=True, exist_ok=True)
            self._writers = writers.pop_all()

    def add(
        self, frame: np.ndarray, source: int, result: FrameResult, truth: GroundTruth | None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Writes the result of the next frame.

        Args:
            frame: (H, W, 3) uint8 RGB.
            source: the frame's number in the clip.
            result: mask and probability (H, W).
            truth: the ground truth, which may lack this frame's mask or be another sentence's; None if there is none.

        Returns:
            The pictures of its prior and of its mask's probability, each (H, W, 3) uint8 RGB.
        """
        write_whole(self._masks / mask_name(result.index), cv2.imencode(".png", mask_image(result.mask))[1].tobytes())
        pictures = prior_heatmap(frame, result.prior), probability_map(result.probability)
        for writer, picture in zip((self._prior, self._probability), pictures, strict=True):
            writer.write(picture)
        self._cutout.write(cut_out(frame, result.mask))
        scores = {
            "object_score": result.object_score,
            "iou": result.iou,
            "agreement": agreement(result.prior, result.mask),
        }
        if truth is not None and truth.expression in (None, self.query.expression):
            scores |= _fit(result.mask, truth.mask(source), truth.void(source))
        self._frames.append(
            {
                "index": int(result.index),
                "source": source,
                "area": int(result.mask.sum()),
                **{name: round(float(score), 4) for name, score in scores.items()},
            }
        )
        self._description.add(result.mask)
        return pictures

    def no_more(self) -> None:
        """See `VideoWriter.no_more`."""
        for video in (self._prior, self._probability, self._cutout):
            video.no_more()

    @property
    def verdict(self) -> Verdict | None:
        """The conclusion from the frames so far; None before the first."""
        if not self._frames:
            return None
        found = [entry["area"] > 0 for entry in self._frames]
        return conclude(found, [entry["object_score"] for entry in self._frames], self._calibration, self._doubt)

    @property
    def record(self) -> dict[str, Any]:
        """The query's part of `run.json`."""
        verdict = self.verdict
        record = {
            "letter": self.letter,
            "expression": self.query.expression,
            "without": sorted(self.query.without),
            "colour": hex_of(self.colour),
            "verdict": verdict_record(verdict),
            "told": None if verdict is None else tell(verdict),
            "description": self._description.sentence,
            "frames": self._frames,
        }
        scored = [entry for entry in self._frames if "J" in entry]
        if scored:
            j, f = (float(np.mean([entry[name] for entry in scored])) for name in ("J", "F"))
            record["mean"] = {"J": round(j, 4), "F": round(f, 4), "J&F": round((j + f) / 2, 4)}
        return record

    def __enter__(self) -> QueryFiles:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._writers.__exit__(kind, error, traceback)


def _fit(mask: np.ndarray, truth: np.ndarray | None, void: np.ndarray | None) -> dict[str, float]:
    """J and F of a mask, void pixels left out; none where there is no true mask."""
    if truth is None or void is None:
        return {}
    mask = mask & ~void
    return {"J": region_similarity(mask, truth), "F": contour_accuracy(mask, truth)}
