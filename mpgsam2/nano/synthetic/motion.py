"""How a thing moves, grows and turns over a clip."""

from __future__ import annotations

import math
import random

import numpy as np

DIRECTIONS: dict[str, tuple[int, int]] = {"left": (-1, 0), "right": (1, 0), "up": (0, -1), "down": (0, 1)}
FULL_TRAVEL_FRAMES = 6  # clips of so many frames and more show a motion in full, shorter ones a part of it
SHORTEST_SHARE = 0.4  # the part that is shown even in a clip of two frames
TRAVEL = (0.22, 0.5)  # way over the whole clip, of the frame's size along it
GROWTH = (1.6, 2.2)  # largest over smallest radius of a thing that grows or shrinks
SPIN_ANGLE = (2.0, 4 * math.pi)  # radians over the whole clip by which a spinning thing turns
TURN_ANGLE = (0.3, 1.6)  # radians, the same of things that turn beside what else they do
BOUNCES = (2, 4)  # over the whole clip
BOUNCE = (0.12, 0.28)  # height of a bounce, of the side
STEPS = (3.0, 6.0)  # of what runs or walks, bobs of what flies or swims, over the whole clip
BOB = {"run": 0.03, "walk": 0.012, "fly": 0.03, "swim": 0.015, "drive": 0.004}  # of the side, at most
AWAY_SHARE = (0.3, 0.7)  # part of the clip in which what leaves and comes back is farthest away
FORWARDS_SHARE = 0.95  # share of drawings that look where they go
MAX_TURN = 0.6  # radians from frame to frame; a star looks the same again after 1.26


def _shown(frames: int) -> float:
    """Return the share of a motion that a clip of so many frames shows."""
    return min(1.0, max(SHORTEST_SHARE, (frames - 1) / (FULL_TRAVEL_FRAMES - 1)))


def draw_path(
    rng: random.Random,
    motion: str,
    frames: int,
    height: int,
    width: int,
    travels: tuple[float, float] = (0.0, math.inf),
) -> np.ndarray:
    """Return (frames, 2) float64, the thing's (x, y) in px relative to the middle of its path.

    Moving things drift a little across their direction, and some things tremble. travels: px, least and greatest way
    that a moving thing goes.
    """
    path = np.zeros((frames, 2))
    if frames == 1:
        return path
    time = np.linspace(-0.5, 0.5, frames)
    side = min(height, width)
    if motion in DIRECTIONS:
        direction = np.array(DIRECTIONS[motion])
        travel = rng.uniform(*TRAVEL) * _shown(frames) * (width if direction[0] else height)
        travel = min(max(travel, travels[0]), travels[1])
        drift = rng.uniform(-0.12, 0.12) * travel
        path += time[:, None] * (direction * travel + direction[::-1] * drift)
    if motion == "bouncing":
        bounces = rng.randint(*BOUNCES) * _shown(frames)
        path[:, 1] -= rng.uniform(*BOUNCE) * side * (np.abs(np.sin(math.pi * bounces * (time + 0.5))) - 0.5)
        return path
    if rng.random() < 0.3:
        phase, turns = rng.uniform(0, 2 * math.pi), rng.uniform(1, 2.5)
        path[:, rng.randrange(2)] += rng.uniform(0.003, 0.01) * side * np.sin(2 * math.pi * turns * time + phase)
    return path


def draw_radii(rng: random.Random, motion: str, frames: int, radius: float) -> np.ndarray:
    """Return (frames,) float64 radii in the unit of `radius`, which is the one in the middle of the clip."""
    if motion not in ("growing", "shrinking"):
        return np.full(frames, radius)
    growth = rng.uniform(*GROWTH) ** _shown(frames)
    time = np.linspace(-0.5, 0.5, frames)
    return radius * growth ** (time if motion == "growing" else -time)


def draw_angles(rng: random.Random, motion: str, frames: int, tilt: float, spin: float) -> np.ndarray:
    """Return (frames,) float64 angles in radians; `tilt` and `spin` are the shares given in World."""
    start = rng.uniform(-math.pi, math.pi) if rng.random() < tilt else rng.gauss(0, 0.15)
    if motion == "spinning":
        turn = rng.uniform(*(min(turn * _shown(frames), MAX_TURN * (frames - 1)) for turn in SPIN_ANGLE))
    elif rng.random() < spin:
        turn = rng.uniform(*TURN_ANGLE) * _shown(frames)
    else:
        return np.full(frames, start)
    return start + rng.choice((-1, 1)) * turn * np.linspace(0, 1, frames)


def bob(rng: random.Random, manner: str, path: np.ndarray, side: float) -> np.ndarray:
    """Return (frames, 2) px, by which what moves in a manner goes up and down on its path.

    manner: of `drawings.nouns.Noun`; path: (frames, 2) px; side: of the frame, px.
    """
    up = np.zeros_like(path)
    if manner in BOB and len(path) > 1:
        time = np.linspace(0, 1, len(path))
        steps, height = rng.uniform(*STEPS), rng.uniform(0.3, 1) * BOB[manner] * side
        wave = np.sin(math.pi * steps * time)
        up[:, 1] = height * ((0.5 - np.abs(wave)) if manner in ("run", "walk") else wave)
    return up


def return_trip(path: np.ndarray) -> np.ndarray:
    """Turn a (frames, 2) path into one to its end, which takes some time, and back to its beginning."""
    time = np.linspace(0, 1, len(path))
    there = np.clip(np.minimum(time / AWAY_SHARE[0], (1 - time) / (1 - AWAY_SHARE[1])), 0, 1)
    return path[0] + there[:, None] * (path[-1] - path[0])


def draw_flips(rng: random.Random, motion: str, frames: int) -> np.ndarray:
    """Return (frames,) of 1 and -1: drawings look to the left, and are mirrored where they go to the right.

    What turns round is mirrored once or more often on the way.
    """
    if motion == "turning_round" and frames > 1:
        turns = rng.randint(1, 3) if frames >= FULL_TRAVEL_FRAMES else 1
        at = (np.arange(1, turns + 1) + rng.uniform(-0.2, 0.2)) / (turns + 1) * frames
        passed = (np.arange(frames)[:, None] >= np.clip(np.rint(at), 1, frames - 1)).sum(1)
        return rng.choice((-1, 1)) * (-1) ** passed
    ahead = {"left": 1, "right": -1}.get(motion)
    return np.full(frames, ahead if ahead and rng.random() < FORWARDS_SHARE else rng.choice((-1, 1)))
