"""What the camera does to a clip: it moves, exposes for some time, blurs, adds noise, and compresses its file."""

from __future__ import annotations

import functools
import math
import random
from typing import cast

import cv2
import numpy as np

from mpgsam2.nano.synthetic.compression import through_h264, through_jpeg
from mpgsam2.nano.synthetic.world import World

NOISE_SIDE = 640  # px of the pooled noise
NOISE_SCALE = 16  # the pool holds unit noise times this, rounded
NOISE_WANDERS = 48  # px by which the window into the noise may differ from frame to frame
SHUTTER = (0.25, 0.9)  # part of the time between two frames during which a slow shutter is open
# Exposure stays within what leaves the colours their names: more would make white grey, orange yellow or brown.
GAIN = (0.94, 1.05)
WHITE_BALANCE = (0.97, 1.03)  # gain of each channel
HAZE = (0.0, 0.06)  # light that falls on everything, 1 being white
JPEG_QUALITY = (40, 92)
CRF = (20, 36)
SHORTEST_VIDEO = 4  # frames; fewer are pictures, and no H.264


@functools.cache
def _noise_pool() -> np.ndarray:
    """Return Gaussian noise of standard deviation `NOISE_SCALE`, (NOISE_SIDE, NOISE_SIDE, 3) int16, always the same."""
    noise = np.random.default_rng(1).standard_normal((NOISE_SIDE, NOISE_SIDE, 3), np.float32)
    return np.rint(NOISE_SCALE * noise).astype(np.int16)


def draw_camera_path(rng: random.Random, world: World, side: int) -> np.ndarray:
    """Return (T, 2) px by which the picture is shifted in every frame: an even pan and a trembling."""
    if world.frames == 1:
        return np.zeros((1, 2))
    travel, angle = rng.uniform(0, world.pan) * side, rng.uniform(0, 2 * math.pi)
    path = np.linspace(-0.5, 0.5, world.frames)[:, None] * (travel * np.array([math.cos(angle), math.sin(angle)]))
    shake = max(0.0, rng.uniform(-world.shake, world.shake)) * side  # half of the clips come from a tripod
    if shake:
        path += [(rng.gauss(0, shake), rng.gauss(0, shake)) for _ in range(world.frames)]
    return path


class Camera:
    """Takes the pictures of one clip: all are alike in exposure, blur, noise and quality."""

    def __init__(self, rng: random.Random, world: World, height: int, width: int) -> None:
        self._rng = rng
        self._blur = max(0.0, rng.uniform(-1, 1)) * world.blur * min(height, width) / 256
        strength = max(0.0, rng.uniform(-1, 1)) * world.noise
        self._noise: np.ndarray | None = None
        if strength >= 0.5:
            wanders = NOISE_WANDERS if world.frames > 1 else 0
            rows, columns = height + wanders, width + wanders
            top, left = rng.randint(0, max(0, NOISE_SIDE - rows)), rng.randint(0, max(0, NOISE_SIDE - columns))
            window = _noise_pool()[top : top + rows, left : left + columns]
            scale = cast(np.ndarray, (strength / NOISE_SCALE,) * 4)  # one for each channel
            self._noise = cv2.multiply(window, scale)
        self._quality = rng.randint(*JPEG_QUALITY) if rng.random() < world.compression else None
        self._crf = rng.randint(*CRF) if world.frames >= SHORTEST_VIDEO and rng.random() < world.h264 else None
        self._shutter = rng.uniform(*SHUTTER) if world.frames > 1 and rng.random() < world.motion_blur else 0.0
        self._tones = _draw_tones(rng) if rng.random() < world.exposure else None

    def way(self, path: np.ndarray) -> np.ndarray:
        """Return (T, 2) px, how far something on a path of (T, 2) px moves while the shutter is open for each frame."""
        return self._shutter * np.gradient(path, axis=0) if self._shutter else np.zeros_like(path)

    def take(self, picture: np.ndarray) -> np.ndarray:
        """Return what lens and sensor make of an (H, W, 3) uint8 RGB picture, the same size and type."""
        height, width = picture.shape[:2]
        if self._tones is not None:
            picture = cv2.LUT(picture, self._tones)
        if self._blur > 0.2:
            picture = cv2.GaussianBlur(picture, (0, 0), self._blur)
        if self._noise is not None:
            top = self._rng.randrange(self._noise.shape[0] - height + 1)
            left = self._rng.randrange(self._noise.shape[1] - width + 1)
            picture = cv2.add(picture, self._noise[top : top + height, left : left + width], dtype=cv2.CV_8U)
        return picture

    def store(self, frames: np.ndarray) -> np.ndarray:
        """Return what the clip's file holds of its (T, H, W, 3) uint8 RGB frames, the same size and type."""
        if self._crf is not None:
            return through_h264(frames, self._crf)
        return frames if self._quality is None else through_jpeg(frames, self._quality)


def _draw_tones(rng: random.Random) -> np.ndarray:
    """Return (1, 256, 3) uint8, what an exposure makes of every level of each channel."""
    gain, haze = rng.uniform(*GAIN), rng.uniform(*HAZE)
    gains = gain * np.array([rng.uniform(*WHITE_BALANCE) for _ in range(3)])
    levels = 255 * haze + (1 - haze) * np.arange(256)[:, None] * gains
    return np.rint(np.clip(levels, 0, 255)).astype(np.uint8)[None]
