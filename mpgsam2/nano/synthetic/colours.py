"""The colours of the world: how each is called and which RGB values go by its name."""

from __future__ import annotations

import colorsys
import random
from dataclasses import dataclass

import cv2
import numpy as np

RGB = tuple[int, int, int]  # each 0..255

# Share of the things that wear a textbook value such as (255, 0, 0): people who draw their own clips use these.
PURE_SHARE = 0.4


@dataclass(frozen=True)
class Colour:
    """words: its names, the usual one first; pure: textbook values; the ranges hold everything else that is so called.

    hue: degrees; saturation, value: 0..1, as in HSV. Ranges of neighbouring colours leave a gap between them.
    """

    words: tuple[str, ...]
    pure: tuple[RGB, ...]
    hue: tuple[float, float]
    saturation: tuple[float, float]
    value: tuple[float, float]

    def sample(self, rng: random.Random) -> RGB:
        """Return one value that goes by this name."""
        if rng.random() < PURE_SHARE:
            return rng.choice(self.pure)
        return from_hsv(rng.uniform(*self.hue), rng.uniform(*self.saturation), rng.uniform(*self.value))


# Smallest difference of lightness L* between the two colours of a texture.
SECOND_COLOUR_CONTRAST = 28.0
MIDDLE_GREY = (120, 120, 120)


def from_hsv(hue: float, saturation: float, value: float) -> RGB:
    """Return the RGB value of a hue in degrees (any multiple of a turn) and saturation and value in 0..1."""
    red, green, blue = colorsys.hsv_to_rgb(hue / 360 % 1, saturation, value)
    return round(255 * red), round(255 * green), round(255 * blue)


def to_lab(colours: np.ndarray) -> np.ndarray:
    """Turn (..., 3) RGB in 0..255 into (..., 3) float32 CIE L*a*b*, where distance is about difference to the eye."""
    flat = np.asarray(colours, np.float32).reshape(-1, 1, 3) / 255
    return cv2.cvtColor(flat, cv2.COLOR_RGB2Lab).reshape(np.shape(colours))


COLOURS: dict[str, Colour] = {
    "red": Colour(("red",), ((255, 0, 0), (220, 20, 20), (200, 0, 0)), (-8, 6), (0.8, 1), (0.6, 1)),
    "green": Colour(("green",), ((0, 128, 0), (0, 255, 0), (0, 180, 0)), (95, 148), (0.6, 1), (0.4, 1)),
    "blue": Colour(("blue",), ((0, 0, 255), (0, 0, 200), (30, 100, 255)), (208, 240), (0.7, 1), (0.55, 1)),
    "yellow": Colour(("yellow",), ((255, 255, 0), (255, 230, 0)), (51, 61), (0.7, 1), (0.85, 1)),
    "purple": Colour(
        ("purple", "violet"), ((128, 0, 128), (138, 43, 226), (160, 32, 240)), (274, 300), (0.6, 1), (0.45, 0.85)
    ),
    "orange": Colour(("orange",), ((255, 165, 0), (255, 140, 0), (255, 128, 0)), (25, 38), (0.85, 1), (0.92, 1)),
    "white": Colour(("white",), ((255, 255, 255),), (0, 360), (0, 0.04), (0.93, 1)),
    "black": Colour(("black",), ((0, 0, 0),), (0, 360), (0, 0.3), (0, 0.11)),
}

DRAWING_COLOURS: dict[str, Colour] = COLOURS | {
    "brown": Colour(("brown",), ((139, 69, 19), (120, 72, 40)), (18, 30), (0.6, 0.85), (0.4, 0.6)),
    "grey": Colour(("grey", "gray"), ((128, 128, 128), (150, 150, 150)), (0, 360), (0, 0.05), (0.45, 0.65)),
    "pink": Colour(("pink",), ((255, 105, 180), (255, 130, 190)), (320, 335), (0.4, 0.6), (0.95, 1)),
}
"""The colours of drawings: more than shapes wear."""


def draw_second(rng: random.Random, first: RGB, worn: set[str]) -> RGB:
    """Draw a texture's second colour: a darker or lighter shade, or white or black unless `worn` by a thing."""
    red, green, blue = first
    candidates = [
        (round(0.42 * red), round(0.42 * green), round(0.42 * blue)),
        (round(110 + 0.57 * red), round(110 + 0.57 * green), round(110 + 0.57 * blue)),
    ]
    candidates += [COLOURS[name].pure[0] for name in ("white", "black") if name not in worn]
    lightness = to_lab(np.array([first, *candidates]))[:, 0]
    clear = np.flatnonzero(np.abs(lightness[1:] - lightness[0]) >= SECOND_COLOUR_CONTRAST).tolist()
    return candidates[rng.choice(clear)] if clear else MIDDLE_GREY
