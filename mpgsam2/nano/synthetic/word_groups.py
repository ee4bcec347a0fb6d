"""What a vocabulary of the world can say, by group: what a visitor may choose from."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from mpgsam2.nano.drawings.nouns import GROUP_PLURALS, NOUNS
from mpgsam2.nano.synthetic.colours import COLOURS, DRAWING_COLOURS
from mpgsam2.nano.synthetic.shapes import SHAPES
from mpgsam2.nano.synthetic.textures import TEXTURES
from mpgsam2.nano.synthetic.words import (
    MOTION_PARTICIPLES,
    POSITIONS,
    RELATIONS,
    SIZES,
    SUPERLATIVE_SIZES,
)

_MAX_UNGROUPED_NOUNS = 6
_OTHERS = "Other things"
_HEADINGS = GROUP_PLURALS | {"vegetable": "vegetables", "plant": "plants"}


def word_groups(words: Collection[str]) -> dict[str, list[str]]:
    """Return the names and phrases that a vocabulary has all words of, by what they say; no group is empty.

    Args:
        words: of the vocabulary, lower case.

    Returns:
        Per group its phrases, each meaning once, in its usual wording.
    """
    known = set(words)

    def sayable(meanings: Iterable[Iterable[str]]) -> list[str]:
        usual = (next((phrase for phrase in phrases if known.issuperset(phrase.split())), None) for phrases in meanings)
        return list(dict.fromkeys(filter(None, usual)))

    groups = {
        "Colours": sayable(colour.words for colour in (COLOURS | DRAWING_COLOURS).values()),
        "Shapes": sayable(shape.words for shape in SHAPES.values()),
        **{name: sayable(nouns) for name, nouns in _nouns().items()},
        "Patterns": sayable(texture.words for texture in TEXTURES.values()),
        "Sizes": sayable([*SIZES.values(), *SUPERLATIVE_SIZES.values()]),
        "Movement": sayable(MOTION_PARTICIPLES.values()),
        "Places": sayable(POSITIONS.values()),
        "Beside what": sayable(RELATIONS.values()),
    }
    return {name: phrases for name, phrases in groups.items() if phrases}


def _nouns() -> dict[str, list[tuple[str, ...]]]:
    """Return the nouns' words by the first group that is large enough for a heading."""
    sizes: dict[str, int] = {}
    for noun in NOUNS.values():
        for group in noun.groups:
            sizes[group] = sizes.get(group, 0) + 1
    headed: dict[str, list[tuple[str, ...]]] = {}
    for noun in NOUNS.values():
        large = [group for group in noun.groups if sizes[group] >= _MAX_UNGROUPED_NOUNS]
        name = _HEADINGS.get(large[0], large[0]).capitalize() if large else _OTHERS
        headed.setdefault(name, []).append(noun.words)
    return dict(sorted(headed.items(), key=lambda entry: entry[0] == _OTHERS))
