"""Which things a clip holds and about where: laid out so that sentences of some kind can be said."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from mpgsam2.nano.drawings.nouns import akin
from mpgsam2.nano.synthetic.drawn_things import as_shape, draw_thing, draw_twin
from mpgsam2.nano.synthetic.motion import DIRECTIONS
from mpgsam2.nano.synthetic.things import Thing
from mpgsam2.nano.synthetic.world import World

Box = tuple[float, float, float, float]  # x0, y0, x1, y1 in parts of the frame

ANYWHERE: Box = (0.0, 0.0, 1.0, 1.0)
CENTRE: Box = (0.43, 0.43, 0.57, 0.57)
LOW, HIGH = (0.0, 0.38), (0.62, 1.0)  # where the two sides of a position scene lie
FAR_LOW, BETWEEN, FAR_HIGH = (0.0, 0.27), (0.42, 0.58), (0.73, 1.0)  # where an anchor and things beside it lie
AXES = {"left": 0, "right": 0, "top": 1, "bottom": 1}  # the axis, x or y, along which a direction lies
OPPOSITE = {
    "left": "right",
    "up": "down",
    "growing": "shrinking",
    "right": "left",
    "down": "up",
    "shrinking": "growing",
}
SIZES = ("small", "medium", "large")
COVERS = ("circle", "square")  # shapes without notches or thin corners, behind which a smaller thing is gone
RESTING = ("still", "spinning")  # motions of what stays where it is, and as large as it is

COVERING_NOUNS = ("house", "tree", "bus", "truck", "castle", "van", "car", "television", "bed", "church", "gift")
TWIN_SHARES = (0.5, 0.25, 0.25)  # of drawn twins: the same look, the same noun in another colour, and contrariwise
ALIKE_SHARES = (0.25, 0.4, 0.35)  # the same of what is like the first thing
AKIN_SHARE = 0.5  # of things beside one that is to be named that are akin to it or of its colour
OTHER_SHARE = 0.4  # share of things beside a drawn one that need not have anything in common with it
PLAIN_SHARE = 0.5  # share of plain things, before the rest is drawn from all textures
ALONE_SHARE = 0.08  # share of clips of a single thing, where there may be one or more
SIZE_SHARE = 0.2  # share of relation scenes laid out for size
PASSING_SHARE, HIDING_SHARE = 0.2, 0.1  # of motion scenes, laid out for what comes in or leaves, or is hidden
CALM_SHARE = 0.8  # share of things kept from moving along an axis on which their place matters


@dataclass(frozen=True)
class Role:
    """What a body is to be.

    box: where the middle of its path lies; may_cross: it may enter or leave the frame; passing: what certainly happens
    to it, "entering", "leaving" or "returning"; behind: index of an earlier role by which it is hidden for a while, one
    of both moving.
    """

    thing: Thing
    box: Box = ANYWHERE
    may_cross: bool = True
    passing: str | None = None
    behind: int | None = None


def cast(rng: random.Random, world: World, kind: str) -> list[Role]:
    """Draw the roles of a clip that serves a kind of sentence."""
    fewest, most = world.objects
    if fewest == 1 < most:
        fewest, most = (1, 1) if rng.random() < ALONE_SHARE else (2, most)
    return _CASTS[kind](rng, world, rng.randint(fewest, most))


def _draw_motion(rng: random.Random, world: World) -> str:
    return rng.choice(world.motions) if world.frames > 1 else "still"


def _draw_thing(rng: random.Random, world: World) -> Thing:
    if world.drawn and rng.random() < world.drawn:
        return draw_thing(rng, world, rng.choice(SIZES), _draw_motion(rng, world))
    plain = "plain" in world.textures and rng.random() < PLAIN_SHARE
    return Thing(
        shape=rng.choice(world.shapes),
        colour=rng.choice(world.colours),
        texture="plain" if plain else rng.choice(world.textures),
        size=rng.choice(SIZES),
        motion=_draw_motion(rng, world),
    )


def _draw_twin(rng: random.Random, world: World, thing: Thing) -> Thing:
    """Draw a thing that shares the look of another wholly, or its shape, or its colour; its motion is its own."""
    other = _draw_thing(rng, world)
    if thing.drawing:
        return draw_twin(rng, world, replace(thing, motion=other.motion), other.size, TWIN_SHARES)
    other = as_shape(rng, other, world)
    twin = replace(thing, motion=other.motion)
    return rng.choices(
        (twin, replace(twin, colour=other.colour, size=other.size), replace(twin, shape=other.shape, size=other.size)),
        (0.5, 0.25, 0.25),
    )[0]


def _draw_alike(rng: random.Random, world: World, thing: Thing) -> Thing:
    """Draw a thing that shares something with another, so that one word alone seldom tells them apart."""
    other = _draw_thing(rng, world)
    contrary = {"small": "large", "large": "small", "medium": rng.choice(("small", "large"))}[thing.size]
    if thing.drawing:
        if rng.random() < OTHER_SHARE:
            return other
        return draw_twin(rng, world, replace(thing, motion=other.motion), contrary, ALIKE_SHARES)
    other = as_shape(rng, other, world)
    return rng.choices(
        (
            other,
            replace(other, shape=thing.shape),
            replace(other, colour=thing.colour),
            replace(thing, texture=other.texture, motion=other.motion),
            replace(thing, size=contrary, motion=other.motion),
        ),
        (0.3, 0.25, 0.25, 0.1, 0.1),
    )[0]


def _for_appearance(rng: random.Random, world: World, count: int) -> list[Role]:
    """Return things most of which share something with the first."""
    target = _draw_thing(rng, world)
    return [Role(target), *(Role(_draw_alike(rng, world, target)) for _ in range(count - 1))]


def _for_name(rng: random.Random, world: World, count: int) -> list[Role]:
    """Return things that are seldom of the same kind; some of the first one's colour, or akin to it."""
    target = _draw_thing(rng, world)
    things = [target]
    for _ in range(count - 1):
        other = _draw_thing(rng, world)
        if target.drawing and rng.random() < AKIN_SHARE:
            noun = rng.choice(("", *akin(target.shape)))
            colour = target.colour if rng.random() < 0.5 else ""
            other = draw_thing(rng, world, other.size, other.motion, noun, colour)
        things.append(other)
    return [Role(thing) for thing in things]


def _for_position(rng: random.Random, world: World, count: int) -> list[Role]:
    """Return the first thing on one side of the frame or in its middle, its twin on the other side or in a corner."""
    direction = rng.choice((*AXES, *AXES, "middle"))
    things = _with_twin(rng, world, _draw_thing(rng, world), count)
    if direction == "middle":
        corners: list[Box] = [(x0, y0, x1, y1) for (x0, x1), (y0, y1) in itertools.product((LOW, HIGH), repeat=2)]
        rng.shuffle(corners)
        boxes = [CENTRE, *itertools.islice(itertools.cycle(corners), count - 1)]
        return _calmed(rng, things, boxes, (0, 1))
    axis = AXES[direction]
    near, far = (LOW, HIGH) if direction in ("left", "top") else (HIGH, LOW)
    others = _band(axis, far) if rng.random() < world.apart else ANYWHERE
    boxes = [_band(axis, near), _band(axis, far), *[others] * (count - 2)]
    return _calmed(rng, things, boxes, (axis,))


def _for_relation(rng: random.Random, world: World, count: int) -> list[Role]:
    """Return the first thing beside the second, the anchor, and the first one's twin on the other side or far away."""
    if rng.random() < SIZE_SHARE:
        return _for_size(rng, world, count)
    direction = rng.choice((*AXES, "near"))
    target, *others = _with_twin(rng, world, _draw_thing(rng, world), count - 1)
    things = [target, _draw_thing(rng, world), *others][:count]
    axis = AXES.get(direction, rng.randrange(2))
    places: tuple[tuple[float, float], ...]
    places = (FAR_LOW, FAR_LOW, FAR_HIGH) if direction == "near" else (FAR_LOW, BETWEEN, FAR_HIGH)
    if direction in ("right", "bottom") or (direction == "near" and rng.random() < 0.5):
        places = tuple((1 - high, 1 - low) for low, high in places)
    middle = rng.uniform(0.25, 0.75)
    beside = (middle - 0.12, middle + 0.12)
    boxes = [*(_band(axis, along, beside) for along in places), *[ANYWHERE] * (count - 3)]
    return _calmed(rng, things, boxes, (axis,))


def _for_motion(rng: random.Random, world: World, count: int) -> list[Role]:
    """Return things that move differently, or one that comes in or leaves, or is hidden for a while."""
    drawn = rng.random()
    roles: list[Role] = []
    if drawn < PASSING_SHARE:
        roles = _for_passing(rng, world, count)
    elif drawn < PASSING_SHARE + HIDING_SHARE:
        roles = _for_hiding(rng, world, count)
    return roles or _for_moving(rng, world, count)


def _for_size(rng: random.Random, world: World, count: int) -> list[Role]:
    """Return a large thing, a smaller anchor, and the first one's twin, which is small; or the other way round."""
    size, contrary = rng.sample(("small", "large"), 2)
    target = replace(_draw_thing(rng, world), size=size)
    anchor = replace(_draw_thing(rng, world), size=rng.choice((contrary, "medium")))
    _, *others = _with_twin(rng, world, target, count - 1)
    others[:1] = [replace(twin, size=contrary) for twin in others[:1]]
    return [Role(thing) for thing in (target, anchor, *others)][:count]


def _for_moving(rng: random.Random, world: World, count: int) -> list[Role]:
    """Return the first thing and a twin that moves differently, in one of two cases the opposite way."""
    thing = _draw_thing(rng, world)
    motion = rng.choice([motion for motion in world.motions if thing.shows(motion)] or ["still"])
    things = _with_twin(rng, world, replace(thing, motion=motion), count)
    for k, twin in enumerate(things[1:2], 1):
        others = [other for other in world.motions if other != motion and twin.shows(other)] or [motion]
        if OPPOSITE.get(motion) in others and rng.random() < 0.5:
            others = [OPPOSITE[motion]]
        things[k] = replace(twin, motion=rng.choice(others))
    return [Role(thing) for thing in things]


def _for_passing(rng: random.Random, world: World, count: int) -> list[Role]:
    """Let the first thing come in or leave; its twin stays, or does the contrary. Empty where nothing can."""
    events = [event for event in ("entering", "leaving", "returning") if event in world.clip_events]
    directions = [motion for motion in world.motions if motion in DIRECTIONS]
    if not events or not directions:
        return []
    event = rng.choice(events)
    target, *others = _with_twin(rng, world, replace(_draw_thing(rng, world), motion=rng.choice(directions)), count)
    roles = [Role(target, passing=event), *(Role(other, may_cross=False) for other in others)]
    if others and len(events) > 1 and rng.random() < 0.25:
        contrary = events[events.index(event) - 1]
        roles[1] = Role(replace(others[0], motion=rng.choice(directions)), passing=contrary)
    return roles


def _for_hiding(rng: random.Random, world: World, count: int) -> list[Role]:
    """Return a large thing, a small one that it hides for a while, and the latter's twin. Empty where nothing can."""
    covers = [shape for shape in COVERS if shape in world.shapes]
    drawn = bool(world.drawn) and rng.random() < world.drawn
    directions = [motion for motion in world.motions if motion in DIRECTIONS]
    if "hidden" not in world.clip_events or count < 2 or not covers or not directions or len(world.colours) < 2:
        return []
    target, *others = _with_twin(rng, world, replace(_draw_thing(rng, world), size="small"), count - 1)
    colour = rng.choice([colour for colour in world.colours if colour != target.colour])
    if drawn:
        cover = draw_thing(rng, world, "large", "still", noun=rng.choice(COVERING_NOUNS))
    else:
        cover = as_shape(rng, _draw_thing(rng, world), world)
        cover = replace(cover, shape=rng.choice(covers), colour=colour, size="large")
    direction, rest = rng.choice(directions), rng.choice(RESTING if "spinning" in world.motions else RESTING[:1])
    axis = 0 if DIRECTIONS[direction][0] else 1
    if rng.random() < 0.6:
        target, cover = replace(target, motion=direction), replace(cover, motion=rest)
    else:
        target, cover = replace(target, motion=rest), replace(cover, motion=direction)
    return [
        Role(cover, _band(axis, BETWEEN), may_cross=False),
        Role(target, may_cross=False, behind=0),
        *(Role(other) for other in others),
    ]


_CASTS: dict[str, Callable[[random.Random, World, int], list[Role]]] = {
    "name": _for_name,
    "appearance": _for_appearance,
    "position": _for_position,
    "relation": _for_relation,
    "motion": _for_motion,
}


def _with_twin(rng: random.Random, world: World, target: Thing, count: int) -> list[Thing]:
    """Return the target, its twin, and others, as many as are wanted, at least the target."""
    return [target, _draw_twin(rng, world, target), *(_draw_thing(rng, world) for _ in range(count - 2))][
        : max(count, 1)
    ]


def _band(axis: int, along: tuple[float, float], across: tuple[float, float] = (0.0, 1.0)) -> Box:
    """Return the box that spans `along` on the axis and `across` on the other one."""
    (x0, x1), (y0, y1) = (along, across) if axis == 0 else (across, along)
    return x0, y0, x1, y1


def _calmed(rng: random.Random, things: Sequence[Thing], boxes: Sequence[Box], axes: tuple[int, ...]) -> list[Role]:
    """Give things their boxes, and keep most of them from moving along the axes on which their place matters."""
    roles = []
    for thing, box in zip(things, boxes, strict=False):  # a scene of one thing has boxes left over
        direction = DIRECTIONS.get(thing.motion, (0, 0))
        moves = any(direction[axis] for axis in axes)
        calm = replace(thing, motion="still") if moves and rng.random() < CALM_SHARE else thing
        roles.append(Role(calm, box, may_cross=False))
    return roles
