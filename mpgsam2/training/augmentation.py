"""What is done to a clip so that it never looks the same twice (benchmarks.md 2)."""

from __future__ import annotations

import random
import re
from typing import NamedTuple

import cv2
import numpy as np

from mpgsam2.datasets.truth import Truth
from mpgsam2.training.sources import Example

_SIDES = re.compile(r"\b(left|right)(?=(?:most|hand|handed|side|ward|wards)?\b)")
_OTHER = {"left": "right", "right": "left"}

_BRIGHTNESS = 32  # levels
_CONTRAST = _SATURATION = (0.5, 1.5)
_HUE = 18  # degrees


def flip(example: Example) -> Example:
    """Return the clip in a mirror; "left" and "right" change places in the sentence."""
    text = _SIDES.sub(lambda side: _OTHER[side[1]], example.text)
    frames = [np.ascontiguousarray(frame[:, ::-1]) for frame in example.frames]
    truths = [Truth(mask[:, ::-1], None if counts is None else counts[:, ::-1]) for mask, counts in example.truths]
    return Example(text, frames, truths)


class Distortion(NamedTuple):
    """SSD's photometric distortion (Liu et al., ECCV 2016), drawn once for all frames of a clip."""

    brightness: float  # levels that are added
    contrast: float  # factor
    saturation: float  # factor
    hue: float  # degrees that are added
    contrast_first: bool  # before saturation and hue, or after

    @classmethod
    def draw(cls, rng: random.Random) -> Distortion:
        """Draw each of them with even odds; the others change nothing."""

        def perhaps(least: float, most: float, nothing: float) -> float:
            return rng.uniform(least, most) if rng.random() < 0.5 else nothing

        return cls(
            perhaps(-_BRIGHTNESS, _BRIGHTNESS, 0),
            perhaps(*_CONTRAST, 1),
            perhaps(*_SATURATION, 1),
            perhaps(-_HUE, _HUE, 0),
            rng.random() < 0.5,
        )

    def __call__(self, frame: np.ndarray) -> np.ndarray:
        """Return a distorted (H, W, 3) uint8 RGB frame."""
        x = frame.astype(np.float32) + self.brightness
        if self.contrast_first:
            x = x * self.contrast
        if self.saturation != 1 or self.hue:
            hue, saturation, value = cv2.split(cv2.cvtColor(x.clip(0, 255) / 255, cv2.COLOR_RGB2HSV))
            hsv = cv2.merge([(hue + self.hue) % 360, (saturation * self.saturation).clip(0, 1), value])
            x = 255 * np.asarray(cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB), np.float32)
        if not self.contrast_first:
            x = x * self.contrast
        return x.clip(0, 255).round().astype(np.uint8)
