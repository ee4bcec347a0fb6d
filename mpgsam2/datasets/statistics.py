"""The scores of one object over its frames, and their mean over many (Perazzi et al., CVPR 2016, section 4)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from mpgsam2.metrics import decay

RECALL_THRESHOLD = 0.5
"""A frame counts as recalled above this J or F."""


class Statistics(NamedTuple):
    """Mean, recall and decay of J and F; means and recalls in 0..1, decays in -1..1."""

    J: float
    F: float
    J_recall: float
    F_recall: float
    J_decay: float
    F_decay: float

    @property
    def J_and_F(self) -> float:
        """The mean of J and F."""
        return (self.J + self.F) / 2

    @classmethod
    def of_frames(cls, J: np.ndarray, F: np.ndarray) -> Statistics:
        """Return the statistics of one object.

        Args:
            J, F: (T,) float64 in 0..1, one for each of at least one frame.
        """
        means, recalls = ((s.mean() for s in (J, F)), ((s > RECALL_THRESHOLD).mean() for s in (J, F)))
        return cls(*map(float, (*means, *recalls, decay(J), decay(F))))

    @classmethod
    def mean(cls, statistics: Iterable[Statistics]) -> Statistics:
        """Return the mean of at least one."""
        return cls(*map(float, np.mean(list(statistics), axis=0)))

    def to_dict(self) -> dict[str, float]:
        """Return them by the names that stand in JSON, CSV and tables."""
        return {
            "J": self.J,
            "F": self.F,
            "J&F": self.J_and_F,
            "J recall": self.J_recall,
            "F recall": self.F_recall,
            "J decay": self.J_decay,
            "F decay": self.F_decay,
        }
