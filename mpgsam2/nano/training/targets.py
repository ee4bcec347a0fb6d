"""What the network is told about a clip: masks, coverage of patches, attributes of patches, and words' places."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from mpgsam2.nano.drawings.nouns import GROUPS, NOUNS
from mpgsam2.nano.synthetic import SyntheticClip
from mpgsam2.nano.synthetic.colours import DRAWING_COLOURS
from mpgsam2.nano.synthetic.shapes import SHAPES
from mpgsam2.nano.synthetic.textures import TEXTURES
from mpgsam2.nano.synthetic.words import EXTREME_ADJECTIVES, POSITION_ADJECTIVES, SIZES, nouns_of
from mpgsam2.nano.synthetic.world import DRAWING_MOTIONS

ATTRIBUTES: dict[str, tuple[str, ...]] = {
    "colour": tuple(DRAWING_COLOURS),
    "shape": (*SHAPES, *NOUNS),
    "texture": tuple(TEXTURES),
    "size": ("small", "medium", "large"),
    "motion": DRAWING_MOTIONS,
}
"""What a patch can be asked about the thing it shows, and the possible answers."""

# A patch carries the attributes of a thing that covers this share of it, or of a small one that has this share in it.
OWNED, HELD = 0.3, 0.4


def coverage(labels: np.ndarray, things: int, grid: int) -> np.ndarray:
    """Return the share of every patch that every thing covers.

    Args:
        labels: T × S × S uint8 as in `synthetic.SyntheticClip`, S a multiple of `grid`.
        things: K.
        grid: g.

    Returns:
        K × T × g × g float32 in 0..1.
    """
    frames, side, _ = labels.shape
    patches = labels.reshape(frames, grid, side // grid, grid, side // grid)
    return np.stack([(patches == k + 1).mean(axis=(2, 4), dtype=np.float32) for k in range(things)])


def attributes(clip: SyntheticClip, covered: np.ndarray) -> dict[str, np.ndarray]:
    """Return the index of every question's answer about every patch: T × g × g int64, -1 where no thing owns it."""
    whole = covered.sum(axis=(2, 3), keepdims=True)
    claimed = np.where((covered >= OWNED) | ((covered >= HELD * whole) & (whole > 0)), covered, 0)
    owner = np.where(claimed.any(axis=0), claimed.argmax(axis=0), -1)
    return {
        name: np.append([_index(answers, getattr(thing, name)) for thing in clip.things], -1)[owner]
        for name, answers in ATTRIBUTES.items()
    }


def word_places(clip: SyntheticClip, covered: np.ndarray, kind: str) -> dict[str, np.ndarray]:
    """Return where every word that has a place has it: by word, T × g × g float32 in 0..1.

    A word for an attribute lights the things that have it, unless it may or may not be said of another; in a sentence
    about position, a word for one lights its half of the frame. Elsewhere "left" means another thing's left or a
    direction.

    Args:
        clip: of T frames.
        covered: as `coverage` returns it.
        kind: of the sentence, one of `synthetic.KINDS`.
    """
    places = dict.fromkeys(_WORDS_WITH_A_PLACE, np.zeros(covered.shape[1:], np.float32))
    for thing, area in zip(clip.things, covered, strict=True):
        for word in {word for name in thing.values("shape") for word in _words_of("shape", name)} | {
            word
            for attribute in ("colour", "texture", "size")
            for word in _words_of(attribute, getattr(thing, attribute))
        }:
            places[word] = places[word] + area
    for thing in clip.things:
        for attribute in ("shape", "colour", "texture"):
            for value in thing.doubtful(attribute):
                for word in _words_of(attribute, value):
                    places.pop(word, None)
    if kind != "position":
        return places
    half = np.zeros(covered.shape[1:], np.float32)
    middle = covered.shape[-1] // 2
    halves: tuple[tuple[str, Any], ...] = (
        ("left", np.s_[..., :middle]),
        ("right", np.s_[..., middle:]),
        ("top", np.s_[:, :middle]),
        ("bottom", np.s_[:, middle:]),
    )
    for value, index in halves:
        place = half.copy()
        place[index] = 1
        places.update(dict.fromkeys((*POSITION_ADJECTIVES[value], *EXTREME_ADJECTIVES[value]), place))
    return places


def _index(answers: tuple[str, ...], value: str) -> int:
    return answers.index(value) if value in answers else -1


@functools.cache
def _words_of(attribute: str, value: str) -> tuple[str, ...]:
    """Return the single words of what a value of an attribute is called; none of ""."""
    match attribute:
        case "shape":
            return tuple(" ".join(nouns_of(value)).split())
        case "size":
            return SIZES.get(value, ())
        case _:
            entries = DRAWING_COLOURS if attribute == "colour" else TEXTURES
            return entries[value].words if value else ()


_WORDS_WITH_A_PLACE = frozenset(
    word
    for attribute, values in (
        ("shape", (*SHAPES, *GROUPS, *NOUNS)),
        ("colour", DRAWING_COLOURS),
        ("texture", TEXTURES),
        ("size", SIZES),
    )
    for value in values
    for word in _words_of(attribute, value)
)
