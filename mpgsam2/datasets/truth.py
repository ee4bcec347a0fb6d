"""What is true of a frame."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


class Truth(NamedTuple):
    """The true mask of what a sentence names in a frame.

    Attributes:
        mask: (H, W) bool.
        counts: (H, W) bool, where the annotators could decide; None: everywhere.
    """

    mask: np.ndarray
    counts: np.ndarray | None = None
