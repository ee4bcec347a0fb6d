"""Where the things of a clip are in every frame."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass, replace

import numpy as np

from mpgsam2.nano.synthetic.casting import Role, cast
from mpgsam2.nano.synthetic.colours import COLOURS, draw_second
from mpgsam2.nano.synthetic.motion import (
    DIRECTIONS,
    bob,
    draw_angles,
    draw_flips,
    draw_path,
    draw_radii,
    return_trip,
)
from mpgsam2.nano.synthetic.textures import TEXTURES
from mpgsam2.nano.synthetic.things import Body
from mpgsam2.nano.synthetic.world import World

# Scenes laid out for other kinds of sentence leave less to say about appearance than the other way round.
APPEARANCE_SCENES = 1.8
SIZES = {"small": (0.0, 0.2), "medium": (0.35, 0.65), "large": (0.8, 1.0)}  # part of the radius range, in log scale
CROWDED_SHARE = 0.4  # scenes whose things cover more than this part of the frame are drawn anew
PLACES_TRIED = 24
PLACINGS = 8  # attempts to place the same things
SHRINKAGE = 0.93  # of radii from one such attempt to the next
MIN_SPACE = 0.03  # of the side, between things that must not hide each other
MAX_OVERLAP = 0.9  # of the smaller radius, how far two things may overlap where they may
WHOLE_SHARE = 0.8  # share of things that the frame's edge does not cut
CUT_DISTANCE = 0.5  # of its radius, how near to the edge the centre of another one may come
OUTSIDE_DISTANCE = (0.8, 2.0)  # radii by which what enters or leaves is closer to the edge than it could stay whole
BEYOND_DISTANCE = (0.85, 1.2)  # of its extent, by which a thing that comes in or goes out in full lies beyond the edge
MIN_PASSAGE = 2.2  # extents that such a thing goes at least
BEHIND_DISTANCE = (
    0.2  # of the difference of their radii, from the middle of its cover's way to that of a hidden thing's
)
UNCOVERING_WAY = (1.0, 1.15)  # that a thing and its cover go past each other, of what sets it free on both sides
COARSE_RADIUS = 5.0  # px, radius below which a texture cannot be seen


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
    radii = (_draw_smallest(rng, world), world.radius[1])
    # the same things again, a little smaller, lest shapes and sizes that find room easily prevail
    for attempt in range(PLACINGS):
        bodies = _place_all(rng, world, roles, radii, SHRINKAGE**attempt, np.array((width, height)))
        if bodies is not None:
            return Scene(height, width, _stack(rng, roles, bodies), kind)
    return None


def _stack(rng: random.Random, roles: list[Role], bodies: list[Body]) -> tuple[Body, ...]:
    """Return the bodies in any order in which what hides another lies before it."""
    order = list(range(len(bodies)))
    rng.shuffle(order)
    for k, role in enumerate(roles):
        if role.behind is not None and order.index(k) > order.index(role.behind):
            a, b = order.index(k), order.index(role.behind)
            order[a], order[b] = order[b], order[a]
    return tuple(bodies[k] for k in order)


def _even(length: float) -> int:
    return 2 * round(length / 2)


def _draw_smallest(rng: random.Random, world: World) -> float:
    """Return the least radius in a clip, of the side."""
    if rng.random() >= world.tiny:
        return world.radius[0]
    return math.exp(rng.uniform(math.log(world.smallest), math.log(world.radius[0])))


def _draw_radius(rng: random.Random, limits: tuple[float, float], size: str, scale: float) -> float:
    low, high = map(math.log, limits)
    return max(limits[0], scale * math.exp(low + (high - low) * rng.uniform(*SIZES[size])))


def _draw_travels(rng: random.Random, roles: list[Role], radii: list[float]) -> list[tuple[float, float]]:
    """Return the least and greatest way, px, of every role if it moves."""
    travels = [(0.0, math.inf)] * len(roles)
    for k, role in enumerate(roles):
        if role.passing:
            travels[k] = (MIN_PASSAGE * role.thing.extent * radii[k], math.inf)
        if role.behind is not None:
            way = rng.uniform(*UNCOVERING_WAY) * (2 * radii[role.behind] + radii[k])
            travels[k] = travels[role.behind] = (way, way)
    return travels


def _place_all(
    rng: random.Random,
    world: World,
    roles: list[Role],
    limits: tuple[float, float],
    scale: float,
    frame: np.ndarray,
) -> list[Body] | None:
    """Give every role its body, with radii scaled; None where there is no room.

    limits: least and greatest radius, of the side; frame: its width and height, px.
    """
    radii = [_draw_radius(rng, limits, role.thing.size, scale) * frame.min() for role in roles]
    if math.pi * sum(radius**2 for radius in radii) > CROWDED_SHARE * frame.prod():
        return None
    hiding = rng.random() < world.occlusion
    worn = {role.thing.colour for role in roles}
    bodies: list[Body] = []
    for role, radius, travels in zip(roles, radii, _draw_travels(rng, roles, radii), strict=True):
        thing = role.thing
        if radius < COARSE_RADIUS and thing.texture and "plain" in world.textures:
            thing = replace(thing, texture="plain")
        if not thing.shows(thing.motion):
            thing = replace(thing, motion="still")
        crossing = role.may_cross and thing.motion in DIRECTIONS and rng.random() < world.border
        path = draw_path(rng, thing.motion, world.frames, frame[1], frame[0], travels)
        rgb = thing.drawing.rgb if thing.drawing else COLOURS[thing.colour].sample(rng)
        body = Body(
            thing=thing,
            rgb=rgb,
            second=draw_second(rng, rgb, worn) if thing.texture and TEXTURES[thing.texture].pattern else None,
            centres=path,
            radii=draw_radii(rng, thing.motion, world.frames, radius),
            angles=draw_angles(rng, thing.motion, world.frames, world.tilt, world.spin),
            crossing=crossing or role.passing is not None,
        )
        if thing.drawing:
            body = _in_its_manner(rng, body, frame.min())
        if role.passing == "returning":
            body.centres[:] = return_trip(body.centres)
        middle = _find_place(rng, body, role, bodies, hiding, frame)
        if middle is None:
            return None
        body.centres[:] += middle
        bodies.append(body)
    return bodies


def _find_place(
    rng: random.Random, body: Body, role: Role, placed: list[Body], hiding: bool, frame: np.ndarray
) -> np.ndarray | None:
    """Return (2,) px, the middle of the path: the first place tried that is far enough from the things placed before.

    None where none is. The body's centres are relative to that middle. hiding: things of different colours may
    overlap.
    """
    reach = body.radii * (body.thing.extent if rng.random() < WHOLE_SHARE else CUT_DISTANCE)
    lowest = (reach[:, None] - body.centres).max(0)
    highest = (frame - reach[:, None] - body.centres).min(0)
    if role.passing:
        axis = 0 if DIRECTIONS[body.thing.motion][0] else 1
        lowest[axis] = highest[axis] = _passage(rng, body, role.passing, axis, frame[axis])
    if (lowest > highest).any():
        return None
    lower = np.clip(frame * role.box[:2], lowest, highest)
    upper = np.clip(frame * role.box[2:], lowest, highest)
    if role.behind is not None:
        cover = placed[role.behind]
        middle, spread = (cover.centres[0] + cover.centres[-1]) / 2, BEHIND_DISTANCE * (cover.radii[0] - body.radii[0])
        if (middle < lowest).any() or (middle > highest).any():
            return None
        lower, upper = middle - spread, middle + spread
    elif body.crossing and not role.passing:
        axis = 0 if DIRECTIONS[body.thing.motion][0] else 1
        beyond = rng.uniform(*OUTSIDE_DISTANCE) * body.radii[0]
        lower[axis] = upper[axis] = rng.choice((lowest[axis] - beyond, highest[axis] + beyond))
    parts = np.array([rng.random() for _ in range(2 * PLACES_TRIED)]).reshape(PLACES_TRIED, 2)
    middles = lower + parts * (upper - lower)
    free = np.ones(PLACES_TRIED, bool)
    for k, other in enumerate(placed):
        if k == role.behind:
            continue
        away = (body.centres - other.centres) + middles[:, None]  # (places, T, 2)
        touching = body.radii * body.thing.extent + other.radii * other.thing.extent
        if hiding and (body.thing.colour, body.thing.drawing) != (other.thing.colour, other.thing.drawing):
            due = touching - MAX_OVERLAP * np.minimum(body.radii, other.radii)
        else:
            due = touching + MIN_SPACE * frame.min()
        free &= (np.hypot(away[..., 0], away[..., 1]) >= due).all(1)
    return middles[free.argmax()] if free.any() else None


def _passage(rng: random.Random, body: Body, passing: str, axis: int, length: float) -> float:
    """Return where on the axis, px, the middle of a path lies that begins or ends outside. length: of the frame, px."""
    beyond = rng.uniform(*BEYOND_DISTANCE) * body.thing.extent * body.radii[0]
    towards = DIRECTIONS[body.thing.motion][axis]
    outside = -beyond if (towards > 0) == (passing == "entering") else length + beyond
    moment = {"entering": 0, "leaving": -1, "returning": len(body.centres) // 2}[passing]
    return outside - body.centres[moment, axis]


def _in_its_manner(rng: random.Random, body: Body, side: float) -> Body:
    """Turn a drawing where it goes, and let it bob or roll as its kind does when it goes somewhere. side: px."""
    thing, path, angles = body.thing, body.centres, body.angles
    flips = draw_flips(rng, thing.motion, len(path))
    manner = thing.drawing.entry.manner if thing.drawing and thing.motion in DIRECTIONS else ""
    if manner == "roll" and DIRECTIONS[thing.motion][0]:
        angles = angles[0] + (path[:, 0] - path[0, 0]) / (body.radii[0] * thing.extent)
    return replace(body, centres=path + bob(rng, manner, path, side), angles=angles, flips=flips)
