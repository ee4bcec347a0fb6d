"""Where the things of a clip are in every frame."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass

import numpy as np

from mpgsam2.synthetic.casting import Role, cast
from mpgsam2.synthetic.colours import COLOURS, draw_second
from mpgsam2.synthetic.motion import DIRECTIONS, draw_angles, draw_path, draw_radii
from mpgsam2.synthetic.shapes import SHAPES
from mpgsam2.synthetic.textures import TEXTURES
from mpgsam2.synthetic.things import Body
from mpgsam2.synthetic.world import World

# Scenes laid out for other kinds of sentence leave less to say about appearance than the other way round.
APPEARANCE_SCENES = 1.8
SIZES = {"small": (0.0, 0.2), "medium": (0.35, 0.65), "large": (0.8, 1.0)}  # part of the radius range, in log scale
CROWDED = 0.4  # scenes whose things cover more than this part of the frame are drawn anew
PLACES_TRIED = 24
PLACINGS = 8  # attempts to place the same things
SHRINKING = 0.93  # of radii from one such attempt to the next
SPACE = 0.03  # of the side, between things that must not hide each other
HIDING = 0.9  # of the smaller radius, how far two things may overlap where they may
WHOLE_SHARE = 0.8  # share of things that the frame's edge does not cut
CUT = 0.5  # of its radius, how near to the edge the centre of another one may come
OUTSIDE = (0.8, 2.0)  # radii by which a thing that enters or leaves is closer to the edge than it could stay whole


@dataclass(frozen=True)
class Scene:
    """height, width: px, even; bodies: from back to front; kind: the kind of sentence that it was laid out for."""

    height: int
    width: int
    bodies: tuple[Body, ...]
    kind: str


def compose(rng: random.Random, world: World) -> Scene | None:
    """Draw a scene, or return None where what was drawn does not fit into the frame."""
    height = _even(rng.randint(*world.height))
    width = _even(height * math.exp(rng.uniform(*map(math.log, world.aspect))))
    kinds = world.sentence_kinds
    weights = [weight * (APPEARANCE_SCENES if kind == "appearance" else 1) for kind, weight in kinds.items()]
    kind = rng.choices(tuple(kinds), weights)[0]
    roles = cast(rng, world, kind)
    # the same things again, a little smaller, lest shapes and sizes that find room easily prevail
    for attempt in range(PLACINGS):
        bodies = _place_all(rng, world, roles, SHRINKING**attempt, np.array((width, height)))
        if bodies is not None:
            rng.shuffle(bodies)
            return Scene(height, width, tuple(bodies), kind)
    return None


def _even(length: float) -> int:
    return 2 * round(length / 2)


def _draw_radius(rng: random.Random, world: World, size: str, scale: float) -> float:
    low, high = map(math.log, world.radius)
    return max(world.radius[0], scale * math.exp(low + (high - low) * rng.uniform(*SIZES[size])))


def _place_all(
    rng: random.Random, world: World, roles: list[Role], scale: float, frame: np.ndarray
) -> list[Body] | None:
    """Give every role its body, with radii scaled; None where there is no room. frame: its width and height, px."""
    radii = [_draw_radius(rng, world, role.thing.size, scale) * frame.min() for role in roles]
    if math.pi * sum(radius**2 for radius in radii) > CROWDED * frame.prod():
        return None
    hiding = rng.random() < world.occlusion
    worn = {role.thing.colour for role in roles}
    bodies: list[Body] = []
    for role, radius in zip(roles, radii, strict=True):
        thing = role.thing
        crossing = role.may_cross and thing.motion in DIRECTIONS and rng.random() < world.border
        path = draw_path(rng, thing.motion, world.frames, *frame[::-1])
        rgb = COLOURS[thing.colour].sample(rng)
        body = Body(
            thing=thing,
            rgb=rgb,
            second=draw_second(rng, rgb, worn) if TEXTURES[thing.texture].pattern else None,
            centres=path,
            radii=draw_radii(rng, thing.motion, world.frames, radius),
            angles=draw_angles(rng, world.frames, world.tilt, world.spin),
            crossing=crossing,
        )
        middle = _find_place(rng, body, role.box, bodies, hiding, frame)
        if middle is None:
            return None
        path += middle
        bodies.append(body)
    return bodies


def _find_place(
    rng: random.Random, body: Body, box: tuple[float, ...], placed: list[Body], hiding: bool, frame: np.ndarray
) -> np.ndarray | None:
    """Return (2,) px, the middle of the path: the first place tried that is far enough from the things placed before.

    None where none is. The body's centres are relative to that middle. hiding: things of different colours may
    overlap.
    """
    reach = body.radii * (SHAPES[body.thing.shape].extent if rng.random() < WHOLE_SHARE else CUT)
    lowest = (reach[:, None] - body.centres).max(0)
    highest = (frame - reach[:, None] - body.centres).min(0)
    if (lowest > highest).any():
        return None
    lower = np.clip(frame * box[:2], lowest, highest)
    upper = np.clip(frame * box[2:], lowest, highest)
    if body.crossing:
        axis = 0 if DIRECTIONS[body.thing.motion][0] else 1
        beyond = rng.uniform(*OUTSIDE) * body.radii[0]
        lower[axis] = upper[axis] = rng.choice((lowest[axis] - beyond, highest[axis] + beyond))
    parts = np.array([rng.random() for _ in range(2 * PLACES_TRIED)]).reshape(PLACES_TRIED, 2)
    middles = lower + parts * (upper - lower)
    free = np.ones(PLACES_TRIED, bool)
    for other in placed:
        away = (body.centres - other.centres) + middles[:, None]  # (places, T, 2)
        touching = body.radii * SHAPES[body.thing.shape].extent + other.radii * SHAPES[other.thing.shape].extent
        if hiding and body.thing.colour != other.thing.colour:
            due = touching - HIDING * np.minimum(body.radii, other.radii)
        else:
            due = touching + SPACE * frame.min()
        free &= (np.hypot(away[..., 0], away[..., 1]) >= due).all(1)
    return middles[free.argmax()] if free.any() else None
