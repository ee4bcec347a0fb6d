"""Are the masks those of the plain float32 network?"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch

from mpgsam2.inference.segmenter import Segmenter
from mpgsam2.metrics import region_similarity
from mpgsam2.speed.case import Case
from mpgsam2.speed.clip import make_clip, queries
from mpgsam2.speed.compiling import compile_parts
from mpgsam2.speed.plain import plain
from mpgsam2.video import Clip

LEAST_IOU = {"float32": 0.999, "bfloat16": 0.98}
"""That the mean over all frames and expressions must reach."""


@dataclass(frozen=True)
class Comparison:
    """IoU of a setting's masks with the plain network's, over all frames and expressions; two empty masks count as 1.

    Attributes:
        case: the setting.
        mean, least: IoU, 0..1.
        area: of the plain network's masks, as a share of the frame in 0..1; where it is 0 nothing was compared.
    """

    case: Case
    mean: float
    least: float
    area: float

    @property
    def holds(self) -> bool:
        """Whether the masks are near enough, and there are any."""
        return self.area > 0 and self.mean >= LEAST_IOU[self.case.dtype]

    def __str__(self) -> str:
        how = "as" if self.holds else "not as"
        return (
            f"{self.case}: masks {how} the plain float32 network's; IoU {self.mean:.4f} in the mean, {self.least:.4f} "
            f"at least; they fill {self.area:.0%} of the frame"
        )


def compare(model: Segmenter, case: Case) -> Comparison:
    """Run the plain network in float32 and a setting on the same clip.

    Args:
        model: the case's on the case's device; parts of it are compiled if so wished.
        case: the setting.
    """
    with TemporaryDirectory() as folder:
        clip = make_clip(Path(folder, "clip.mp4"), case.frames)
        with plain():
            truth = _masks(model.configured(dtype=torch.float32), clip, case)
        if case.compiled:
            compile_parts(model.network)
        masks = _masks(model.configured(dtype=getattr(torch, case.dtype)), clip, case)
    overlaps = region_similarity(masks, truth)
    return Comparison(case, float(overlaps.mean()), float(overlaps.min()), float(truth.mean()))


def _masks(model: Segmenter, clip: Clip, case: Case) -> np.ndarray:
    """Return (T·K, H, W) bool, of T frames and K expressions."""
    frames = model.segment_several(clip, queries(case.expressions))
    return np.stack([result.mask for results in frames for result in results])
