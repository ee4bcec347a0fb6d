"""Every word and phrase that a sentence of the world can use, in one place.

Names of shapes, colours and textures stand beside what they look like; they are gathered here into `VOCABULARY`.
In a list of phrases the first is the usual wording.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from mpgsam2.nano.drawings.nouns import GROUPS, NOUNS, plural_of
from mpgsam2.nano.synthetic.colours import COLOURS, DRAWING_COLOURS, Colour
from mpgsam2.nano.synthetic.shapes import SHAPES, Shape
from mpgsam2.nano.synthetic.textures import TEXTURES, Texture

ARTICLES = ("the", "a", "an")
RELATIVE_PRONOUNS = ("that", "which")
COPULA = "is"
CONJUNCTION = "and"
GENERIC_NOUNS = ("object", "thing", "shape", "figure", "item")
GENERIC_THINGS = ("thing", "object", "item")  # what everyday things are called
PRONOUN = "one"

# What may stand around the words that name a thing.
REQUESTS = (
    "find {}",
    "show me {}",
    "where is {}",
    "there is {}",
    "look for {}",
    "segment {}",
    "this is {}",
    "i mean {}",
)
SETTINGS = ("in the video", "in this clip", "in the picture", "in the scene")

STATING = ("is", "it is", "and it is")  # "the circle and it is on the left"
FRONTING = ("there is", "you see", "we see")  # "on the left you see the circle"
COLOURED = ("in {}", "of {} colour", "with a {} colour", "coloured {}", "{} in colour", "painted {}", "colored {}")

SIZES: dict[str, tuple[str, ...]] = {
    "small": ("small", "little", "tiny"),
    "large": ("large", "big", "huge"),
}
SUPERLATIVE_SIZES: dict[str, tuple[str, ...]] = {
    "small": ("smallest",),
    "large": ("largest", "biggest"),
}

POSITIONS: dict[str, tuple[str, ...]] = {
    "left": ("on the left", "on the left side", "to the left", "at the left", "in the left half"),
    "right": ("on the right", "on the right side", "to the right", "at the right", "in the right half"),
    "top": ("at the top", "in the upper part", "in the upper half", "near the top", "on the upper side"),
    "bottom": ("at the bottom", "in the lower part", "in the lower half", "near the bottom", "on the lower side"),
    "middle": ("in the middle", "in the center", "in the centre"),
}
POSITION_ADJECTIVES: dict[str, tuple[str, ...]] = {
    "left": ("left",),
    "right": ("right",),
    "top": ("top", "upper"),
    "bottom": ("bottom", "lower"),
    "middle": ("middle",),
}
EXTREME_ADJECTIVES: dict[str, tuple[str, ...]] = {
    "left": ("leftmost",),
    "right": ("rightmost",),
    "top": ("topmost", "highest", "uppermost"),
    "bottom": ("lowest", "bottommost"),
}
EXTREMES: dict[str, tuple[str, ...]] = {
    "left": ("farthest to the left", "furthest left"),
    "right": ("farthest to the right", "furthest right"),
    "top": ("highest up",),
    "bottom": ("lowest down",),
}

RELATIONS: dict[str, tuple[str, ...]] = {
    "left": ("left of", "to the left of", "on the left of"),
    "right": ("right of", "to the right of", "on the right of"),
    "top": ("above",),
    "bottom": ("below", "under", "beneath"),
    "near": ("next to", "beside", "close to"),
    "larger": ("bigger than", "larger than"),
    "smaller": ("smaller than",),
}

THING_MOTIONS = ("bouncing", "turning_round", "returning")  # what only clips of everyday things show

# "the circle (that is) moving left", "the circle that moves left", "the growing circle"
MOTION_PARTICIPLES: dict[str, tuple[str, ...]] = {
    "left": ("moving to the left", "moving left", "going to the left", "going left", "sliding left", "heading left"),
    "right": (
        "moving to the right",
        "moving right",
        "going to the right",
        "going right",
        "sliding right",
        "heading right",
    ),
    "up": ("moving up", "going up", "rising", "moving upwards", "moving to the top"),
    "down": ("moving down", "going down", "falling", "moving downwards", "sinking", "moving to the bottom"),
    "still": ("not moving", "standing still", "staying still", "staying in place"),
    "growing": ("growing", "getting bigger", "getting larger"),
    "shrinking": ("shrinking", "getting smaller"),
    "spinning": ("spinning", "turning", "rotating"),
    "moving": ("moving", "in motion"),
    "entering": ("coming in", "entering", "coming into view"),
    "leaving": ("leaving", "going out"),
    "hidden": ("hidden for a while",),
    "bouncing": ("bouncing", "bouncing up and down", "jumping", "jumping up and down"),
    "turning_round": ("turning around", "turning round", "looking around"),
    "returning": ("leaving and coming back", "going away and coming back", "coming back"),
}
MOTION_VERBS: dict[str, tuple[str, ...]] = {
    "left": ("moves to the left", "moves left", "goes left", "goes to the left"),
    "right": ("moves to the right", "moves right", "goes right", "goes to the right"),
    "up": ("moves up", "goes up", "rises"),
    "down": ("moves down", "goes down", "falls"),
    "still": ("does not move", "is still", "stays still", "stands still", "stays where it is"),
    "growing": ("grows", "gets bigger", "gets larger"),
    "shrinking": ("shrinks", "gets smaller"),
    "spinning": ("spins", "turns", "rotates"),
    "moving": ("moves",),
    "entering": ("comes in", "enters", "comes into view"),
    "leaving": ("leaves", "goes out"),
    "hidden": ("is hidden for a while", "disappears for a while", "goes behind another object"),
    "bouncing": ("bounces", "bounces up and down", "jumps", "jumps up and down"),
    "turning_round": ("turns around", "turns round", "looks around"),
    "returning": ("leaves and comes back", "goes away and comes back", "comes back"),
}
MOTION_ADJECTIVES: dict[str, tuple[str, ...]] = {
    "left": (),
    "right": (),
    "up": ("rising",),
    "down": ("falling", "sinking"),
    "still": ("still", "stationary", "motionless"),
    "growing": ("growing",),
    "shrinking": ("shrinking",),
    "spinning": ("spinning", "turning", "rotating"),
    "moving": ("moving",),
    "entering": (),
    "leaving": (),
    "hidden": (),
    "bouncing": ("bouncing", "jumping"),
    "turning_round": (),
    "returning": (),
}

# What is said of everyday things instead, by what is clear of them.
THING_PARTICIPLES: dict[str, tuple[str, ...]] = {
    "still": ("standing", "resting", "waiting"),
    "growing": ("coming closer", "coming near", "coming nearer", "getting closer"),
    "shrinking": ("going away", "moving away", "going farther away"),
    "hidden": ("going behind something", "passing behind something"),
}
THING_VERBS: dict[str, tuple[str, ...]] = {
    "still": ("stands", "rests", "waits"),
    "growing": ("comes closer", "comes near", "comes nearer", "gets closer"),
    "shrinking": ("goes away", "moves away", "goes farther away"),
    "hidden": ("goes behind something", "passes behind something"),
}
MANNERS: dict[str, tuple[tuple[str, str], ...]] = {
    "run": (("running", "runs"), ("walking", "walks")),
    "walk": (("walking", "walks"), ("going", "goes")),
    "fly": (("flying", "flies"),),
    "swim": (("swimming", "swims"), ("floating", "floats")),
    "drive": (("driving", "drives"), ("riding", "rides")),
    "roll": (("rolling", "rolls"),),
}
"""How things go, as participles and verbs, by `drawings.nouns.Noun.manner`."""
WAYS: dict[str, tuple[str, ...]] = {
    "left": ("to the left", "left"),
    "right": ("to the right", "right"),
    "up": ("up", "upwards"),
    "down": ("down", "downwards"),
    "moving": ("",),
}
"""Where they go; "moving" is anywhere."""
UPRIGHT = ("fly", "swim")  # manners in which things go up and down
COMPARED_OF_TWO: dict[str, tuple[str, ...]] = {"small": ("smaller",), "large": ("bigger", "larger")}
OF_SEVERAL = ("of the", "of the two")  # "the biggest of the dogs", "the bigger of the two dogs"

GROUP_WORDS: dict[str, tuple[str, ...]] = {
    "person": ("person", "human"),
    "child": ("child", "kid"),
    "vegetable": ("vegetable",),
}
"""What groups of nouns are called, where it is not just their name."""


def nouns_of(name: str) -> tuple[str, ...]:
    """Return what a shape, a drawing's noun or a group of nouns is called, the usual word first."""
    if name in SHAPES:
        return SHAPES[name].words
    return NOUNS[name].words if name in NOUNS else GROUP_WORDS.get(name, (name,))


def _thing_phrases() -> Iterator[str]:
    for name in (*NOUNS, *GROUPS):
        yield from nouns_of(name)
        yield plural_of(name) or ""
    for colour in DRAWING_COLOURS.values():
        yield from colour.words
    for pairs in MANNERS.values():
        for pair in pairs:
            yield from pair
    for table in (THING_PARTICIPLES, THING_VERBS, WAYS, COMPARED_OF_TWO, MOTION_PARTICIPLES, MOTION_VERBS):
        for phrases in table.values():
            yield from phrases
    yield from (*OF_SEVERAL, *MOTION_ADJECTIVES["bouncing"])


def _phrases() -> Iterator[str]:
    yield from (*ARTICLES, *RELATIVE_PRONOUNS, COPULA, CONJUNCTION, *GENERIC_NOUNS, PRONOUN)
    yield from (*SETTINGS, *STATING, *FRONTING)
    yield from (template.replace("{}", "") for template in (*REQUESTS, *COLOURED))
    entries: tuple[Shape | Colour | Texture, ...] = (*SHAPES.values(), *COLOURS.values(), *TEXTURES.values())
    for entry in entries:
        yield from entry.words
    for texture in TEXTURES.values():
        yield from texture.with_words
    tables: Iterable[dict[str, tuple[str, ...]]] = (
        SIZES,
        SUPERLATIVE_SIZES,
        POSITIONS,
        POSITION_ADJECTIVES,
        EXTREME_ADJECTIVES,
        EXTREMES,
        RELATIONS,
        MOTION_PARTICIPLES,
        MOTION_VERBS,
        MOTION_ADJECTIVES,
    )
    for table in tables:
        for name, phrases in table.items():
            if name not in THING_MOTIONS:
                yield from phrases


def _words(phrases: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted({word for phrase in phrases for word in phrase.split()}))


SHAPE_VOCABULARY: tuple[str, ...] = _words(_phrases())
"""Every word that sentences about shapes can use, lower case, sorted, each once."""

VOCABULARY: tuple[str, ...] = _words((*_phrases(), *_thing_phrases()))
"""Every word that any sentence can use, lower case, sorted, each once."""
