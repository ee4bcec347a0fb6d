"""Every word and phrase that a sentence of the world can use, in one place.

Names of shapes, colours and textures stand beside what they look like; they are gathered here into `VOCABULARY`.
In a list of phrases the first is the usual wording.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from mpgsam2.synthetic.colours import COLOURS
from mpgsam2.synthetic.shapes import SHAPES
from mpgsam2.synthetic.textures import TEXTURES

ARTICLES = ("the", "a", "an")
RELATIVE_PRONOUNS = ("that", "which")
COPULA = "is"
CONJUNCTION = "and"
GENERIC_NOUNS = ("object", "thing", "shape", "figure", "item")
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
}


def _phrases() -> Iterator[str]:
    yield from (*ARTICLES, *RELATIVE_PRONOUNS, COPULA, CONJUNCTION, *GENERIC_NOUNS, PRONOUN)
    yield from (*SETTINGS, *STATING, *FRONTING)
    yield from (template.replace("{}", "") for template in (*REQUESTS, *COLOURED))
    for entry in (*SHAPES.values(), *COLOURS.values(), *TEXTURES.values()):
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
        for phrases in table.values():
            yield from phrases


VOCABULARY: tuple[str, ...] = tuple(sorted({word for phrase in _phrases() for word in phrase.split()}))
"""Every word that any sentence can use, lower case, sorted, each once."""
