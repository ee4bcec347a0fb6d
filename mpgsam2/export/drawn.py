"""A frame of a run and all its pictures, each drawn once, whoever shows it: videos, strip and page."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from mpgsam2.export.drawing import Look, overlay, prior_heatmap, probability_map

if TYPE_CHECKING:
    from mpgsam2.inference.results import FrameResult


@dataclass(frozen=True)
class DrawnFrame:
    """A frame, what was found in it, and its pictures, which are drawn when they are first asked for.

    Attributes:
        frame: (H, W, 3) uint8 RGB, as all its pictures are.
        source_index: of the frame in the clip; its results have its index in the run.
        results: one per query, mask and probability (H, W).
        look: of the overlay.
    """

    frame: np.ndarray
    source_index: int
    results: tuple[FrameResult, ...]
    look: Look

    @property
    def index(self) -> int:
        """Of the frame in the run."""
        return self.results[0].index

    @property
    def masks(self) -> list[np.ndarray]:
        """Per query (H, W) bool."""
        return [result.mask for result in self.results]

    @cached_property
    def priors(self) -> list[np.ndarray]:
        """Per query the mask prior over the frame."""
        return [prior_heatmap(self.frame, result.prior) for result in self.results]

    @cached_property
    def probabilities(self) -> list[np.ndarray]:
        """Per query the mask's probability."""
        return [probability_map(result.probability) for result in self.results]

    @cached_property
    def overlay(self) -> np.ndarray:
        """The frame with all masks."""
        return overlay(self.frame, self.masks, self.look)

    @cached_property
    def own_overlays(self) -> list[np.ndarray]:
        """Per query the frame with its mask alone."""
        if len(self.results) == 1:
            return [self.overlay]
        return [overlay(self.frame, [None] * index + [mask], self.look) for index, mask in enumerate(self.masks)]
