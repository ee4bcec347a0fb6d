"""What the camera does to a clip: it pans and trembles, its lens blurs, its sensor is noisy, its file compressed."""

from __future__ import annotations

import functools
import math
import random

import cv2
import numpy as np

from mpgsam2.synthetic.world import World

NOISE_SIDE = 640  # px of the pooled noise
NOISE_SCALE = 16  # the pool holds unit noise times this, rounded
NOISE_WANDERS = 48  # px by which the window into the noise may differ from frame to frame


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
    """Takes the pictures of one clip: all are alike in blur, noise and quality."""

    def __init__(self, rng: random.Random, world: World, height: int, width: int) -> None:
        self._rng = rng
        self._blur = max(0.0, rng.uniform(-1, 1)) * world.blur * min(height, width) / 256
        strength = max(0.0, rng.uniform(-1, 1)) * world.noise
        self._noise = None
        if strength >= 0.5:
            wanders = NOISE_WANDERS if world.frames > 1 else 0
            rows, columns = height + wanders, width + wanders
            top, left = rng.randint(0, max(0, NOISE_SIDE - rows)), rng.randint(0, max(0, NOISE_SIDE - columns))
            window = _noise_pool()[top : top + rows, left : left + columns]
            self._noise = cv2.multiply(window, (strength / NOISE_SCALE,) * 4)
        self._quality = rng.randint(40, 92) if rng.random() < world.compression else None

    def take(self, picture: np.ndarray) -> np.ndarray:
        """Return what the camera makes of an (H, W, 3) uint8 RGB picture, the same size and type."""
        height, width = picture.shape[:2]
        if self._blur > 0.2:
            picture = cv2.GaussianBlur(picture, (0, 0), self._blur)
        if self._noise is not None:
            top = self._rng.randrange(self._noise.shape[0] - height + 1)
            left = self._rng.randrange(self._noise.shape[1] - width + 1)
            picture = cv2.add(picture, self._noise[top : top + height, left : left + width], dtype=cv2.CV_8U)
        if self._quality is not None:
            bgr = cv2.cvtColor(picture, cv2.COLOR_RGB2BGR)
            coded = cv2.imencode(".jpg", bgr, (cv2.IMWRITE_JPEG_QUALITY, self._quality))[1]
            picture = cv2.cvtColor(cv2.imdecode(coded, cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)
        return picture
