"""Noun phrases that fit a thing or nothing, and which things they match. Sets are integers with a bit per thing."""

from __future__ import annotations

import itertools
import random
from typing import NamedTuple

from mpgsam2.nano.drawings.nouns import GROUPS, NOUNS, akin
from mpgsam2.nano.synthetic.colours import DRAWING_COLOURS
from mpgsam2.nano.synthetic.shapes import SHAPES
from mpgsam2.nano.synthetic.things import Thing
from mpgsam2.nano.synthetic.world import World

SIZE_RATIO = 1.5  # radius by which a large thing exceeds those that are not
ALTERED_WHOLLY_SHARE = 0.27  # share of noun phrases altered in all of their attributes rather than in one
RELATED_SHARE = 0.5  # share of nouns altered to another of the same group
ALTERING_TRIES = 12  # at altering a noun phrase so that it matches nothing


class NounPhrase(NamedTuple):
    """Attributes by name, None where not said; matches: the things that it fits; alike: the same without the size."""

    size: str | None
    texture: str | None
    colour: str | None
    shape: str | None
    matches: int
    alike: int

    @property
    def attributes(self) -> int:
        """How many it names."""
        return sum(word is not None for word in (self.size, self.texture, self.colour, self.shape))

    @property
    def bare(self) -> bool:
        """Whether it says what a thing is and nothing else."""
        return self.shape is not None and self.attributes == 1

    @property
    def looks(self) -> dict[str, str]:
        """The attributes that it names other than the size."""
        named = {"colour": self.colour, "shape": self.shape, "texture": self.texture}
        return {attribute: name for attribute, name in named.items() if name is not None}


def members(matches: int) -> list[int]:
    """Return the things of a set, in order."""
    return [k for k in range(matches.bit_length()) if matches >> k & 1]


def _of_size(size: str, among: int, things: tuple[Thing, ...], spans: list[tuple[float, float]]) -> int:
    """Return those of the things `among` that are clearly small or large beside all the others, else none."""
    chosen = members(among)
    inside = [k for k in chosen if things[k].size == size]
    outside = [k for k in chosen if things[k].size != size]
    if not inside or not outside:
        return 0
    smaller, larger = (inside, outside) if size == "small" else (outside, inside)
    clear = max(spans[k][1] for k in smaller) * SIZE_RATIO <= min(spans[k][0] for k in larger)
    return sum(1 << k for k in inside) if clear else 0


def noun_phrases(target: int, things: tuple[Thing, ...], spans: list[tuple[float, float]]) -> list[NounPhrase]:
    """Return all noun phrases that fit a thing. spans: every thing's smallest and largest radius in the clip, px.

    Things are called plain only beside others that are not, and nothing that another may or may not be called, too.
    """
    thing, everything = things[target], (1 << len(things)) - 1
    phrases: list[NounPhrase] = []

    def alike_in(attribute: str) -> list[tuple[str | None, int, int]]:
        """Return what can be said of an attribute, none or its names, and the things of which it is or may be true."""
        said: list[tuple[str | None, int, int]] = [(None, everything, everything)]
        for own in thing.values(attribute):
            same = sum(1 << k for k, other in enumerate(things) if own in other.values(attribute))
            unsure = sum(1 << k for k, other in enumerate(things) if own in other.doubtful(attribute))
            said.append((own, same, same | unsure))
        return said

    for colours, shapes, textures in itertools.product(*map(alike_in, ("colour", "shape", "texture"))):
        colour, shape, texture = colours[0], shapes[0], textures[0]
        alike, perhaps = colours[1] & shapes[1] & textures[1], colours[2] & shapes[2] & textures[2]
        if perhaps != alike or (texture == "plain" and alike == phrases[-1].alike):
            continue
        phrases.append(NounPhrase(None, texture, colour, shape, alike, alike))
        if thing.size != "medium":
            alone = alike == 1 << target  # a single circle is called small beside the other things
            group = _of_size(thing.size, everything if alone else alike, things, spans) & alike
            if group >> target & 1:
                phrases.append(NounPhrase(thing.size, texture, colour, shape, group, alike))
    return phrases


def alter(rng: random.Random, world: World, phrase: NounPhrase, things: tuple[Thing, ...]) -> NounPhrase | None:
    """Return the phrase with another colour, shape or texture, or all of them, so that it matches nothing of any size.

    None where none is found.
    """
    values = {attribute: _values(rng, world, phrase, attribute) for attribute in ("colour", "shape", "texture")}
    for _ in range(ALTERING_TRIES):
        looks = dict(phrase.looks)
        altered = list(looks) if rng.random() < ALTERED_WHOLLY_SHARE else rng.sample(list(looks), min(1, len(looks)))
        for attribute in altered:
            others = [value for value in values[attribute] if value != looks[attribute]]
            looks[attribute] = rng.choice(others or [looks[attribute]])
        if not any(all(_may_be(thing, name, look) for name, look in looks.items()) for thing in things):
            return phrase._replace(**looks, matches=0, alike=0)
    return None


def _values(rng: random.Random, world: World, phrase: NounPhrase, attribute: str) -> tuple[str, ...]:
    """Return what an attribute may be altered to; a noun half of the time to one that is much the same."""
    if phrase.shape in SHAPES or not world.drawn:
        return {"colour": world.colours, "shape": world.shapes, "texture": world.textures}[attribute]
    if attribute == "colour":
        return tuple(DRAWING_COLOURS)
    if attribute == "texture" or phrase.shape is None:
        return ()
    if phrase.shape not in NOUNS:
        return GROUPS
    relatives = akin(phrase.shape)
    return relatives if relatives and rng.random() < RELATED_SHARE else tuple(NOUNS)


def _may_be(thing: Thing, attribute: str, value: str) -> bool:
    return value in thing.values(attribute) or value in thing.doubtful(attribute)
