"""The textures of the world: how each is called and what it looks like."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Texture:
    """words: its adjectives; with_words: "with ..." endings; pattern: draws it, None if nothing is to be drawn.

    `pattern(x, y, period, rng)` gets the coordinates on a thing of radius 1, float32 (S, S), and the pattern's period
    in radii. It returns float32 (S, S), the signed distance in radii to the second colour's edge, positive inside it.
    """

    words: tuple[str, ...]
    with_words: tuple[str, ...]
    pattern: Callable[[np.ndarray, np.ndarray, float, random.Random], np.ndarray] | None


def _stripes(x: np.ndarray, y: np.ndarray, period: float, rng: random.Random) -> np.ndarray:
    angle = rng.uniform(0, np.pi)
    along = x * np.cos(angle) + y * np.sin(angle) + rng.uniform(0, period)
    return rng.uniform(0.19, 0.23) * period - np.abs((along % period) - period / 2)


def _dots(x: np.ndarray, y: np.ndarray, period: float, rng: random.Random) -> np.ndarray:
    angle = rng.uniform(0, np.pi)
    u = (x * np.cos(angle) + y * np.sin(angle) + rng.uniform(0, period)) % period - period / 2
    v = (y * np.cos(angle) - x * np.sin(angle) + rng.uniform(0, period)) % period - period / 2
    return rng.uniform(0.27, 0.32) * period - np.hypot(u, v)


TEXTURES: dict[str, Texture] = {
    "plain": Texture(("plain",), (), None),
    "striped": Texture(("striped",), ("with stripes",), _stripes),
    "dotted": Texture(("dotted", "spotted"), ("with dots", "with spots"), _dots),
}
