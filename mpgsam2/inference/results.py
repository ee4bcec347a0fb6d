"""What a user gets for every frame."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class FrameResult:
    """The answer for one frame, in the size of the clip's frames."""

    index: int
    mask: np.ndarray  # H × W bool
    probability: np.ndarray  # H × W float32 in 0..1, the mask before the threshold
    prior: np.ndarray  # g × g float32 in 0..1
    object_score: float  # 0..1, how probable it is that the object is to be seen in the frame
    iou: float  # 0..1, predicted IoU of the mask taken
    span: range | None = None  # frames that were encoded and tracked together, this one among them; None: not known
