"""One query's part of a run's record."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from mpgsam2.export.description import Description
from mpgsam2.export.drawing import hex_of
from mpgsam2.export.record import verdict_record
from mpgsam2.export.scores import prior_agreement
from mpgsam2.inference.config import CalibrationConfig
from mpgsam2.inference.query import Query
from mpgsam2.inference.verdict import Verdict, conclude
from mpgsam2.metrics import contour_accuracy, region_similarity
from mpgsam2.palette import Colour

if TYPE_CHECKING:
    from mpgsam2.inference.results import FrameResult
    from mpgsam2.video.ground_truth import GroundTruth


class QueryRecord:
    """What `run.json` tells of one query, fed frame by frame.

    Args:
        query: the query.
        letter: what the run calls it.
        frame_count: of the whole run.
        calibration: of the model, for the verdict.
        doubt: what of the sentence the model did not understand, for the verdict.

    Attributes:
        colour: RGB, of its masks; to be set.
    """

    colour: Colour

    def __init__(
        self,
        query: Query,
        letter: str,
        frame_count: int,
        calibration: CalibrationConfig,
        doubt: str | None,
    ) -> None:
        self.query, self.letter = query, letter
        self._calibration, self._doubt = calibration, doubt
        self._description = Description(query.expression, frame_count, understood=not doubt)
        self._frames: list[dict[str, Any]] = []

    def add(self, source_index: int, result: FrameResult, truth: GroundTruth | None) -> None:
        """Take in the result of the next frame.

        Args:
            source_index: the frame's number in the clip.
            result: mask and probability (H, W).
            truth: the ground truth, which may lack this frame's mask or be another sentence's; None if there is none.
        """
        scores = {
            "object_score": result.object_score,
            "iou": result.iou,
            "prior_agreement": prior_agreement(result.prior, result.mask),
        }
        if truth is not None and truth.expression in (None, self.query.expression):
            scores |= _fit(result.mask, truth.mask(source_index), truth.void(source_index))
        self._frames.append(
            {
                "index": int(result.index),
                "source_index": source_index,
                "area": int(result.mask.sum()),
                **{name: round(float(score), 4) for name, score in scores.items()},
            }
        )
        self._description.add(result.mask)

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
            "summary": None if verdict is None else verdict.summary,
            "description": self._description.sentence,
            "frames": self._frames,
        }
        scored = [entry for entry in self._frames if "J" in entry]
        if scored:
            j, f = (float(np.mean([entry[name] for entry in scored])) for name in ("J", "F"))
            record["mean"] = {"J": round(j, 4), "F": round(f, 4), "J&F": round((j + f) / 2, 4)}
        return record


def _fit(mask: np.ndarray, truth: np.ndarray | None, void: np.ndarray | None) -> dict[str, float]:
    """Return J and F of a mask, void pixels left out; none where there is no true mask."""
    if truth is None or void is None:
        return {}
    mask = mask & ~void
    return {"J": region_similarity(mask, truth), "F": contour_accuracy(mask, truth)}
