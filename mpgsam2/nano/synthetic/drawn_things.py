"""Draws things from the atlas: any, one of a noun, and ones that have something in common with another."""

from __future__ import annotations

import random
from dataclasses import replace

from mpgsam2.nano.drawings.atlas import Drawing, load_atlas
from mpgsam2.nano.drawings.nouns import NOUNS
from mpgsam2.nano.synthetic.colours import DRAWING_COLOURS
from mpgsam2.nano.synthetic.things import Thing
from mpgsam2.nano.synthetic.world import World

GROUND_MANNERS = ("run", "walk", "drive", "roll")  # manners of what seldom goes up or down,
ON_GROUND_SHARE = 0.6  # and the share of it that does not
RECOLOURING_TRIES = 4  # at recolouring a drawing
LIVELY_SHARE = 0.6  # share of nouns that move by themselves, and of which people speak most
SAME_DRAWING_SHARE = 0.6  # share of twins of the same look that are the same drawing


def draw_thing(rng: random.Random, world: World, size: str, motion: str, noun: str = "", colour: str = "") -> Thing:
    """Draw a thing from the atlas.

    Args:
        rng, world: of the clip.
        size, motion: the thing's; what goes on the ground may go to a side instead of up or down.
        noun: which; "" for any.
        colour: that it should have, if one of its drawings can; "" for any.
    """
    atlas = load_atlas()
    if noun not in (world.nouns or atlas.nouns):
        nouns = world.nouns or atlas.nouns
        lively = [noun for noun in nouns if NOUNS[noun].manner]
        noun = rng.choice(lively if lively and rng.random() < LIVELY_SHARE else nouns)
    if motion in ("up", "down") and NOUNS[noun].manner in GROUND_MANNERS and rng.random() < ON_GROUND_SHARE:
        motion = rng.choice([motion for motion in ("left", "right") if motion in world.motions] or [motion])
    if not colour and rng.random() < world.recoloured:
        colour = rng.choice(tuple(DRAWING_COLOURS))
    drawing = _dressed(rng, world, noun, colour) if colour else None
    drawing = drawing or atlas.drawing(noun, rng.choice(world.styles), rng.choice(atlas.places(noun)))
    return Thing(noun, drawing.colour, "", size, motion, drawing)


def _dressed(rng: random.Random, world: World, noun: str, colour: str) -> Drawing | None:
    """Return a drawing of a noun in a colour, its own or not; None where none is found."""
    atlas = load_atlas()
    for _ in range(RECOLOURING_TRIES):
        style, place = rng.choice(world.styles), rng.choice(atlas.places(noun))
        if atlas.colour(style, place) == colour:
            return atlas.drawing(noun, style, place)
        if drawing := atlas.recoloured(noun, style, place, (colour, rng.choice(DRAWING_COLOURS[colour].pure[:2]))):
            return drawing
    return None


def draw_twin(rng: random.Random, world: World, thing: Thing, size: str, shares: tuple[float, float, float]) -> Thing:
    """Draw what has something in common with a drawn thing; its motion is the thing's.

    Args:
        rng, world: of the clip.
        thing: with its drawing.
        size: of a twin of another look.
        shares: of twins of the same look, of the same noun in another colour, of another noun in the same colour.
    """
    what = rng.choices(("look", "noun", "colour"), shares)[0]
    if what == "look":
        if rng.random() < SAME_DRAWING_SHARE:
            return thing
        return draw_thing(rng, world, thing.size, thing.motion, thing.shape, thing.colour)
    if what == "noun":
        others = [colour for colour in DRAWING_COLOURS if colour != thing.colour]
        colours = [colour for colour in others if colour not in thing.doubtful("colour")] or others
        return draw_thing(rng, world, size, thing.motion, thing.shape, rng.choice(colours))
    return draw_thing(rng, world, size, thing.motion, colour=thing.colour)


def as_shape(rng: random.Random, thing: Thing, world: World) -> Thing:
    """Return the thing, or a plain shape that moves as it does where it is a drawing."""
    if thing.drawing is None:
        return thing
    return replace(
        thing, shape=rng.choice(world.shapes), colour=rng.choice(world.colours), texture="plain", drawing=None
    )
