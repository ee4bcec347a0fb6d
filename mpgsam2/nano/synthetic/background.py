"""What lies behind the things: a scalar field of some family, coloured by a palette of two colours."""

from __future__ import annotations

import functools
import math
import random
from collections.abc import Callable, Sequence

import cv2
import numpy as np

from mpgsam2.nano.synthetic.colours import RGB, from_hsv, to_lab

POOL_SIDE = 256  # px, side of the pooled fields, which repeat seamlessly
POOL_FIELDS = 12
MAX_BLADES = 2000  # of grass
PALETTES_TRIED = 4  # palettes drawn at once, of which the first that is far enough from all things is taken
MAX_ROUNDS = 9
CHECKED_PLACES = np.linspace(0, 1, 5, dtype=np.float32)[:, None]  # between a palette's ends, for its distance
SAME_HUE_ANGLE = math.radians(40)  # angle in the a*b* plane up to which two colours go by one name
VIVID_CHROMA = 30.0  # chroma in L*a*b* above which a background has a colour's name
CROP_SHARE = (0.4, 1.0)  # part of a photograph that is shown, of what would fit
DEFOCUS = 0.025  # largest standard deviation of a photograph's blur, of the side
SHADES = np.linspace(0, 1, 256, dtype=np.float32)[:, None]


@functools.cache
def _noise_pool(roughness: float) -> tuple[np.ndarray, ...]:
    """Return fields of 1/f^(2 - roughness) noise, (2 POOL_SIDE, 2 POOL_SIDE) uint8 each, the same in every process."""
    rng = np.random.default_rng(0)
    frequency = np.hypot(np.fft.fftfreq(POOL_SIDE)[:, None], np.fft.rfftfreq(POOL_SIDE)[None]) * POOL_SIDE
    amplitude = np.where(frequency > 0, np.maximum(frequency, 1.0) ** (roughness - 2.0), 0.0)
    fields = []
    for _ in range(POOL_FIELDS):
        field = np.fft.irfft2(
            np.fft.rfft2(rng.standard_normal((POOL_SIDE, POOL_SIDE))) * amplitude, s=(POOL_SIDE, POOL_SIDE)
        )
        field = 128 + 55 * field / field.std()
        fields.append(np.tile(np.clip(field, 0, 255).astype(np.uint8), (2, 2)))
    return tuple(fields)


def _window(rng: random.Random, height: int, width: int, roughness: float, scale: float) -> np.ndarray:
    """Cut a window of a pooled field whose longer side is `scale` of the field's, and stretch it to the frame."""
    field = rng.choice(_noise_pool(roughness))
    reach = scale * POOL_SIDE / max(height, width)
    rows, columns = max(2, round(height * reach)), max(2, round(width * reach))
    top, left = rng.randrange(POOL_SIDE), rng.randrange(POOL_SIDE)
    return cv2.resize(field[top : top + rows, left : left + columns], (width, height), interpolation=cv2.INTER_LINEAR)


def _coordinates(height: int, width: int, angle: float) -> np.ndarray:
    """Return (height, width) float32, the way from the frame's middle along a direction, in shorter sides."""
    side = min(height, width)
    x = (np.arange(width, dtype=np.float32) - width / 2) * (np.cos(angle) / side)
    y = (np.arange(height, dtype=np.float32) - height / 2) * (np.sin(angle) / side)
    return x.astype(np.float32)[None] + y.astype(np.float32)[:, None]


def _to_bytes(field: np.ndarray) -> np.ndarray:
    """Turn a field of about 0..1 into uint8."""
    return cv2.convertScaleAbs(np.clip(field, 0, 1), alpha=255)


def _plain(rng: random.Random, height: int, width: int) -> np.ndarray:
    return np.zeros((height, width), np.uint8)


def _gradient(rng: random.Random, height: int, width: int) -> np.ndarray:
    angle = rng.uniform(0, 2 * np.pi)
    along = _coordinates(height, width, angle)
    if rng.random() < 0.7:
        return _to_bytes(0.5 + along / rng.uniform(0.9, 2.0))
    across = _coordinates(height, width, angle + np.pi / 2)
    return _to_bytes(np.hypot(along - rng.uniform(-0.4, 0.4), across - rng.uniform(-0.4, 0.4)) / rng.uniform(0.6, 1.2))


def _noise(rng: random.Random, height: int, width: int) -> np.ndarray:
    return _window(rng, height, width, rng.choice((0.0, 0.4, 0.8)), rng.uniform(0.3, 1.0))


def _checker(rng: random.Random, height: int, width: int) -> np.ndarray:
    cell = rng.uniform(0.06, 0.22) * min(height, width)
    rows = ((np.arange(height) + rng.uniform(0, 2 * cell)) // cell).astype(np.uint8)
    columns = ((np.arange(width) + rng.uniform(0, 2 * cell)) // cell).astype(np.uint8)
    return ((rows[:, None] + columns[None]) & 1) * np.uint8(255)


def _waves(rng: random.Random, height: int, width: int) -> np.ndarray:
    along = _coordinates(height, width, rng.uniform(0, np.pi))
    wave = np.sin(along * (2 * np.pi / rng.uniform(0.08, 0.35)) + rng.uniform(0, 2 * np.pi))
    return _to_bytes(0.5 + wave * rng.uniform(0.5, 2.0))


def _patches(rng: random.Random, height: int, width: int) -> np.ndarray:
    levels = rng.randint(2, 5)
    steps = (np.arange(256) * levels // 256 * (255 // (levels - 1))).astype(np.uint8)
    return cv2.LUT(_window(rng, height, width, 0.0, rng.uniform(0.3, 0.9)), steps)


def _grain(rng: random.Random, height: int, width: int) -> np.ndarray:
    return _window(rng, height, width, 1.4, 1.0)


def _bricks(rng: random.Random, height: int, width: int) -> np.ndarray:
    brick = rng.uniform(0.07, 0.14) * min(height, width)  # height of a row
    joint = max(1.0, rng.uniform(0.08, 0.16) * brick)
    length = rng.uniform(1.8, 3.0) * brick
    y, x = np.arange(height)[:, None] + rng.uniform(0, brick), np.arange(width)[None] + rng.uniform(0, length)
    row = (y // brick).astype(int)
    x = x + length / 2 * (row % 2)
    column = (x // length).astype(int)
    shades = np.array([[rng.randint(0, 110) for _ in range(column.max() + 1)] for _ in range(row.max() + 1)], np.uint8)
    return np.where((y % brick < joint) | (x % length < joint), np.uint8(255), shades[row, column])


def _rings(rng: random.Random, height: int, width: int) -> np.ndarray:
    x = np.arange(width, dtype=np.float32)[None] - rng.uniform(0.2, 0.8) * width
    y = np.arange(height, dtype=np.float32)[:, None] - rng.uniform(0.2, 0.8) * height
    wave = np.sin(np.hypot(x, y) * (2 * np.pi / (rng.uniform(0.09, 0.3) * min(height, width))))
    return _to_bytes(0.5 + wave * rng.uniform(0.5, 2.0))


def _cells(rng: random.Random, height: int, width: int) -> np.ndarray:
    free = np.full((height, width), 255, np.uint8)
    for _ in range(rng.randint(15, 70)):
        free[rng.randrange(height), rng.randrange(width)] = 0
    nearest = cv2.distanceTransformWithLabels(free, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)[1]
    return np.array([rng.randrange(256) for _ in range(nearest.max() + 1)], np.uint8)[nearest]


def _grass(rng: random.Random, height: int, width: int) -> np.ndarray:
    field = np.zeros((height, width), np.uint8)
    side = min(height, width)
    length, lean = rng.uniform(0.06, 0.14) * side, rng.uniform(-0.3, 0.3)
    blades = round(2.5 * height * width / (0.01 * side * length))  # every place is covered a few times
    for _ in range(min(blades, MAX_BLADES)):
        x, y, angle = rng.uniform(0, width), rng.uniform(0, height + length), lean + rng.gauss(0, 0.25)
        tip = (round(x + length * math.sin(angle)), round(y - length * math.cos(angle)))
        cv2.line(field, (round(x), round(y)), tip, rng.randrange(256), 1 + (side > 200), cv2.LINE_AA)
    return field


FAMILIES: dict[str, Callable[[random.Random, int, int], np.ndarray]] = {
    "plain": _plain,
    "gradient": _gradient,
    "noise": _noise,
    "checker": _checker,
    "waves": _waves,
    "patches": _patches,
    "grain": _grain,
}
"""Each draws an (H, W) uint8 field from (rng, height, width)."""

HELD_OUT_FAMILIES: dict[str, Callable[[random.Random, int, int], np.ndarray]] = {
    "bricks": _bricks,
    "rings": _rings,
    "cells": _cells,
    "grass": _grass,
}
"""More of the same, which no training clip shows: what is learnt must hold on grounds never seen."""


# Colours of backgrounds by share: hue in degrees, saturation and value in 0..1, as in HSV.
_HUES = (0.0, 360.0)
_TONES: tuple[tuple[float, tuple[float, float], tuple[float, float], tuple[float, float]], ...] = (
    (0.14, _HUES, (0, 0), (1, 1)),  # white
    (0.24, _HUES, (0, 0.05), (0.2, 0.95)),  # grey
    (0.10, _HUES, (0, 0.3), (0, 0.12)),  # black
    (0.20, _HUES, (0.1, 0.35), (0.8, 1)),  # pastel
    (0.12, _HUES, (0.3, 0.9), (0.15, 0.4)),  # dark
    (0.08, (15, 110), (0.2, 0.5), (0.35, 0.75)),  # earthen
    (0.12, _HUES, (0.6, 1), (0.5, 1)),  # full
)


def _colour(rng: random.Random) -> RGB:
    """Draw a background's colour."""
    _, hue, saturation, value = rng.choices(_TONES, [tone[0] for tone in _TONES])[0]
    return from_hsv(rng.uniform(*hue), rng.uniform(*saturation), rng.uniform(*value))


def _palette_ends(rng: random.Random, family: str) -> tuple[RGB, RGB]:
    """Draw the two colours between which a background's colours lie."""
    first = _colour(rng)
    if family == "plain":
        return first, first
    if rng.random() < 0.4:
        return first, _colour(rng)
    shift = rng.choice((-1, 1)) * rng.uniform(12, 55)
    red, green, blue = (min(255, max(0, round(channel + shift * rng.uniform(0.7, 1.3)))) for channel in first)
    return first, (red, green, blue)


def _differences(ground: np.ndarray, wear: np.ndarray) -> np.ndarray:
    """Return (..., N) distances of (..., 3) L*a*b* colours from (N, 3) others, 0 where both are vivid and of one hue.

    A red thing on a wine-red ground can be seen, but the ground, too, is a red thing.
    """
    distance = np.sqrt(((ground[..., None, :] - wear) ** 2).sum(-1))
    chroma, worn_chroma = np.hypot(ground[..., 1], ground[..., 2])[..., None], np.hypot(wear[:, 1], wear[:, 2])
    along = ground[..., None, 1] * wear[:, 1] + ground[..., None, 2] * wear[:, 2]
    same_hue = along > math.cos(SAME_HUE_ANGLE) * chroma * worn_chroma
    return np.where(same_hue & (np.minimum(chroma, worn_chroma) > VIVID_CHROMA), 0.0, distance)


def _draw_palette(rng: random.Random, family: str, things: Sequence[RGB], contrast: float) -> np.ndarray:
    """Return (2, 3) float32 RGB, the ends of a palette that keeps its distance from the things if possible."""
    wear = to_lab(np.array(things))
    best, farthest = np.zeros((2, 3), np.float32), -1.0
    for _ in range(MAX_ROUNDS):
        ends = np.array([_palette_ends(rng, family) for _ in range(PALETTES_TRIED)], np.float32)  # (palettes, 2, 3)
        steps = to_lab(ends[:, :1] * (1 - CHECKED_PLACES) + ends[:, 1:] * CHECKED_PLACES)  # (palettes, steps, 3)
        distance = _differences(steps, wear).min(axis=(1, 2))
        enough = np.flatnonzero(distance >= contrast)
        if len(enough):
            return ends[enough[0]]
        if distance.max() > farthest:
            best, farthest = ends[distance.argmax()], distance.max()
    return best


def draw_background(
    rng: random.Random, family: str, height: int, width: int, things: Sequence[RGB], contrast: float
) -> np.ndarray:
    """Return an (height, width, 3) uint8 RGB background of a family, in colours unlike those of the things.

    things: the things' colours. contrast: the distance in L*a*b* that every colour of the background keeps from them;
    where no palette drawn keeps it, the one that comes closest is taken.
    """
    first, last = _draw_palette(rng, family, things, contrast)
    if family == "plain":
        return np.broadcast_to(first.astype(np.uint8), (height, width, 3)).copy()
    palette = np.rint(first * (1 - SHADES) + last * SHADES).astype(np.uint8)
    draw = (FAMILIES | HELD_OUT_FAMILIES)[family]
    return cv2.applyColorMap(draw(rng, height, width), palette.reshape(256, 1, 3))


def draw_photograph(rng: random.Random, picture: np.ndarray, height: int, width: int) -> np.ndarray:
    """Return an (height, width, 3) uint8 RGB part of a photograph, mirrored or not, sharp or out of focus.

    picture: (H, W, 3) uint8 RGB.
    """
    scale = rng.uniform(*CROP_SHARE) * min(picture.shape[0] / height, picture.shape[1] / width)
    rows, columns = max(2, int(height * scale)), max(2, int(width * scale))
    top, left = rng.randint(0, picture.shape[0] - rows), rng.randint(0, picture.shape[1] - columns)
    part = picture[top : top + rows, left : left + columns]
    part = cv2.resize(part, (width, height), interpolation=cv2.INTER_AREA if scale > 1 else cv2.INTER_LINEAR)
    if rng.random() < 0.5:
        part = part[:, ::-1]
    defocus = max(0.0, rng.uniform(-1, 1)) * DEFOCUS * min(height, width)
    return cv2.GaussianBlur(part, (0, 0), defocus) if defocus > 0.3 else np.ascontiguousarray(part)
