"""Puts statements into words."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeVar

from mpgsam2.nano.drawings.nouns import NOUNS, plural_of
from mpgsam2.nano.synthetic import words
from mpgsam2.nano.synthetic.clauses import Clause
from mpgsam2.nano.synthetic.colours import DRAWING_COLOURS
from mpgsam2.nano.synthetic.noun_phrases import NounPhrase
from mpgsam2.nano.synthetic.shapes import SHAPES
from mpgsam2.nano.synthetic.textures import TEXTURES

Shares = tuple[float, float, float]
_Phrase = TypeVar("_Phrase", str, tuple[str, str])  # or participle and verb

ARTICLE_SHARES: Shares = (0.5, 0.25, 0.25)  # of "the", "a" or "an", and none
DEFINITE: Shares = (1.0, 0.0, 0.0)
INDEFINITE: Shares = (0.0, 1.0, 0.0)
GENERIC_NOUN_SHARES = (0.4, 0.3, 0.15, 0.08, 0.07)  # of words.GENERIC_NOUNS
PRONOUN_SHARE = 0.2  # of "one" among the nouns that are not a shape
USUAL_NOUN_SHARE = 0.85  # share of a shape's usual noun


class Writer:
    """Words statements in varied ways.

    usual: share of the usual wording among all wordings of the same. things: whether everyday things are about, so that
    nobody speaks of any "shape".
    """

    def __init__(self, rng: random.Random, usual: float, things: bool = False) -> None:
        self._rng = rng
        self._usual = usual
        self._things = things

    def name(self, phrase: NounPhrase) -> str:
        """Word a noun phrase alone: "the red circle", "circle that is red", "the red thing that is a circle"."""
        if phrase.size:
            several = self._several(phrase._replace(size=None))
            if several and phrase.matches.bit_count() == 1 and self._chance(0.4):
                two = phrase.alike.bit_count() == 2
                size = self._wording((words.COMPARED_OF_TWO if two else words.SUPERLATIVE_SIZES)[phrase.size])
                return self._framed(f"the {size} {words.OF_SEVERAL[two and self._chance(0.6)]} {several}")
        ways: list[Callable[[], str]] = [partial(self._noun_phrase, phrase)]
        if phrase.colour:
            ways += [partial(way, phrase, phrase.colour) for way in (self._stated, self._coloured)]
        if phrase.shape and phrase.attributes > 1:
            ways.append(partial(self._of_kind, phrase, phrase.shape))
        return self._framed((ways[0] if self._chance(0.6) else self._rng.choice(ways))())

    def position(self, phrase: NounPhrase, clause: Clause) -> str:
        """Word "the circle on the left", "the left circle", "on the left the circle", "the leftmost circle"."""
        if clause.extreme and (several := self._several(phrase)) and self._chance(0.25):
            return self._framed(f"the {self._wording(words.EXTREME_ADJECTIVES[clause.name])} of the {several}")
        if clause.extreme:
            if self._chance(0.8):
                adjective = self._wording(words.EXTREME_ADJECTIVES[clause.name])
                return self._framed(self._noun_phrase(phrase, adjective, definite=True))
            return self._framed(self._attach(phrase, self._wording(words.EXTREMES[clause.name])))
        if self._chance(0.12):
            adjective = self._wording(words.POSITION_ADJECTIVES[clause.name])
            return self._framed(self._noun_phrase(phrase, adjective, definite=True))
        ending = self._wording(words.POSITIONS[clause.name])
        return f"{ending} {self._noun_phrase(phrase)}" if self._chance(0.05) else self._described(phrase, ending)

    def relation(self, phrase: NounPhrase, clause: Clause, anchor: NounPhrase) -> str:
        """Word "the circle left of the red square"; anchor: a phrase that names the other thing alone."""
        ending = f"{self._wording(words.RELATIONS[clause.name])} {self._noun_phrase(anchor)}"
        if self._chance(0.12):
            return f"{ending} {self._rng.choice(words.FRONTING)} {self._noun_phrase(phrase)}"
        return self._framed(self._attach(phrase, ending))

    def motion(self, phrase: NounPhrase, clause: Clause) -> str:
        """Word "the circle moving left", "the circle that moves left", "the falling circle", "the dog that runs"."""
        if (own := self._own_motion(phrase, clause)) and self._chance(0.6):
            participle, verb = own
            if self._chance(0.35):
                joint = f" {self._pronoun()}" if self._chance(0.7) else ""
                return f"{self._head(phrase)}{joint} {verb}"
            if clause.name == "moving" and self._chance(0.4):
                return self._framed(self._noun_phrase(phrase, participle))
            return self._described(phrase, participle)
        adjectives = words.MOTION_ADJECTIVES[clause.name]
        if adjectives and self._chance(0.2):
            return self._framed(self._noun_phrase(phrase, self._wording(adjectives)))
        if self._chance(0.2):
            joint = f" {self._pronoun()}" if self._chance(0.7) else ""
            return f"{self._head(phrase)}{joint} {self._wording(words.MOTION_VERBS[clause.name])}"
        return self._described(phrase, self._wording(words.MOTION_PARTICIPLES[clause.name]))

    def _own_motion(self, phrase: NounPhrase, clause: Clause) -> tuple[str, str] | None:
        """Return participle and verb of what an everyday thing does: "running to the left" and "runs to the left"."""
        if phrase.shape is None or phrase.shape in SHAPES:
            return None
        if clause.name in words.THING_PARTICIPLES:
            participles, verbs = words.THING_PARTICIPLES[clause.name], words.THING_VERBS[clause.name]
            index = self._rng.randrange(len(verbs))
            return participles[index], verbs[index]
        manner = NOUNS[phrase.shape].manner if phrase.shape in NOUNS else ""
        if not manner or clause.name not in words.WAYS:
            return None
        if clause.name in ("up", "down") and manner not in words.UPRIGHT:
            return None
        way = self._wording(words.WAYS[clause.name])
        participle, verb = self._wording(words.MANNERS[manner])
        return f"{participle} {way}".strip(), f"{verb} {way}".strip()

    def _several(self, phrase: NounPhrase) -> str | None:
        """Word "dogs" or "red dogs", of which there are several; None where the plural is not used."""
        plural = plural_of(phrase.shape) if phrase.shape else None
        if not plural or phrase.size or phrase.alike.bit_count() < 2:
            return None
        return f"{self._wording(DRAWING_COLOURS[phrase.colour].words)} {plural}" if phrase.colour else plural

    def _described(self, phrase: NounPhrase, ending: str) -> str:
        """Word where a thing is or what it does: "the circle on the left", "the thing on the left that is a circle"."""
        if self._chance(0.12):
            return f"{ending} {self._rng.choice(words.FRONTING)} {self._noun_phrase(phrase)}"
        if phrase.attributes and self._chance(0.15):
            what = self._noun_phrase(phrase, articles=INDEFINITE)
            return self._framed(f"the {self._bare_noun()} {ending} {self._pronoun()} {words.COPULA} {what}")
        return self._framed(self._attach(phrase, ending))

    def _stated(self, phrase: NounPhrase, colour: str) -> str:
        """Word "circle that is red and striped", "the striped circle and it is red"."""
        looks = [self._wording(DRAWING_COLOURS[colour].words)]
        rest = phrase._replace(colour=None)
        if phrase.texture and self._chance(0.5):
            looks.append(self._wording(TEXTURES[phrase.texture].words))
            rest = rest._replace(texture=None)
        return f"{self._noun_phrase(rest)} {self._joint()} {f' {words.CONJUNCTION} '.join(looks)}"

    def _coloured(self, phrase: NounPhrase, colour: str) -> str:
        """Word "the circle in red", "the striped circle of red colour"."""
        ending = self._wording(words.COLOURED).format(self._wording(DRAWING_COLOURS[colour].words))
        return f"{self._noun_phrase(phrase._replace(colour=None))} {ending}"

    def _of_kind(self, phrase: NounPhrase, shape: str) -> str:
        """Word "the red thing that is a circle"."""
        noun = self._shape_noun(shape)
        return (
            f"{self._noun_phrase(phrase._replace(shape=None))} {self._pronoun()} {words.COPULA} "
            f"{self._article(noun, definite=False, shares=INDEFINITE)}{noun}"
        )

    def _framed(self, text: str) -> str:
        """Word what names a thing as a visitor may: "show me the circle", "the circle in this clip"."""
        if self._chance(0.12):
            text = self._rng.choice(words.REQUESTS).format(text)
        return f"{text} {self._rng.choice(words.SETTINGS)}" if self._chance(0.06) else text

    def _joint(self) -> str:
        """Return the words between a thing and what is said of it."""
        if self._chance(0.6):
            return f"{self._pronoun()} {words.COPULA}"
        return self._rng.choice(words.STATING)

    def _chance(self, share: float) -> bool:
        return self._rng.random() < share

    def _wording(self, phrases: Sequence[_Phrase]) -> _Phrase:
        return phrases[0] if self._chance(self._usual) else self._rng.choice(phrases)

    def _pronoun(self) -> str:
        return self._rng.choice(words.RELATIVE_PRONOUNS)

    def _noun_phrase(
        self, phrase: NounPhrase, before: str = "", definite: bool = False, articles: Shares = ARTICLE_SHARES
    ) -> str:
        """Word a noun phrase; before: an adjective such as "leftmost"; definite: it takes "the" if any article."""
        size, texture, ending = "", "", ""
        if phrase.size:
            # "the smallest circle" is one of several circles
            superlative = phrase.alike.bit_count() > phrase.matches.bit_count() == 1 and self._chance(0.15)
            size = self._wording((words.SUPERLATIVE_SIZES if superlative else words.SIZES)[phrase.size])
            definite = definite or superlative
        if phrase.texture:
            known = TEXTURES[phrase.texture]
            if known.with_words and self._chance(0.25):
                ending = self._wording(known.with_words)
            else:
                texture = self._wording(known.words)
        colour = self._wording(DRAWING_COLOURS[phrase.colour].words) if phrase.colour else ""
        looks = (texture, colour) if self._chance(0.75) else (colour, texture)
        adjectives = [word for word in (before, size, *looks) if word]
        text = " ".join(filter(None, (*adjectives, self._noun(phrase, bool(adjectives)), ending)))
        return self._article(text, definite, articles) + text

    def _noun(self, phrase: NounPhrase, described: bool) -> str:
        if phrase.shape:
            return self._shape_noun(phrase.shape)
        return self._bare_noun() if described else self._generic_noun()

    def _shape_noun(self, shape: str) -> str:
        nouns = words.nouns_of(shape)
        return nouns[0] if self._chance(USUAL_NOUN_SHARE) else self._rng.choice(nouns)

    def _generic_noun(self) -> str:
        if self._things:
            return self._rng.choice(words.GENERIC_THINGS)
        return self._rng.choices(words.GENERIC_NOUNS, GENERIC_NOUN_SHARES)[0]

    def _bare_noun(self) -> str:
        """Word "thing" or "one": something else says which."""
        return words.PRONOUN if self._chance(PRONOUN_SHARE) else self._generic_noun()

    def _article(self, following: str, definite: bool, shares: Shares) -> str:
        """Return an article and a space, or nothing."""
        indefinite = "an " if following[0] in "aeiou" else "a "
        article = self._rng.choices(("the ", indefinite, ""), shares)[0]
        return "the " if definite and article == indefinite else article

    def _head(self, phrase: NounPhrase) -> str:
        """Word a noun phrase that something follows; without attributes it may be "the one"."""
        return (
            f"the {words.PRONOUN}"
            if not phrase.attributes and self._chance(PRONOUN_SHARE)
            else self._noun_phrase(phrase)
        )

    def _attach(self, phrase: NounPhrase, ending: str) -> str:
        """Word "the circle on the left", "the circle that is on the left", "the circle and it is on the left"."""
        joint = f" {self._joint()}" if self._chance(0.3) else ""
        return f"{self._head(phrase)}{joint} {ending}"


class HeldOutWriter(Writer):
    """Words statements in ways that `Writer` never does, with the same words."""

    def name(self, phrase: NounPhrase) -> str:
        """Word "the thing that is a red circle", "the circle which is the red one", "circle, red and striped"."""
        looks = [
            self._wording(entry.words)
            for entry in (phrase.colour and DRAWING_COLOURS[phrase.colour], phrase.texture and TEXTURES[phrase.texture])
            if entry
        ]
        bare = phrase._replace(colour=None, texture=None, alike=0)
        if looks and self._chance(0.6):
            if len(looks) > 1 and self._chance(0.7):
                return f"{self._noun_phrase(bare)}, {f' {words.CONJUNCTION} '.join(looks)}"
            adjectives = " ".join(reversed(looks))
            return f"{self._noun_phrase(bare)} {self._pronoun()} {words.COPULA} the {adjectives} {words.PRONOUN}"
        what = self._noun_phrase(phrase, articles=INDEFINITE)
        nouns = words.GENERIC_THINGS if self._things else words.GENERIC_NOUNS
        return f"the {self._rng.choice(nouns)} {self._pronoun()} {words.COPULA} {what}"

    def position(self, phrase: NounPhrase, clause: Clause) -> str:
        """Word "the one that is on the left and is a circle", "the circle, the one on the left"."""
        if clause.extreme:  # "the leftmost one, a circle" would be the leftmost of all
            adjective = self._wording(words.EXTREME_ADJECTIVES[clause.name])
            joint = "," if self._chance(0.5) else f" {self._pronoun()} {words.COPULA}"
            return f"{self._noun_phrase(phrase)}{joint} the {adjective} {words.PRONOUN}"
        return self._turned(phrase, self._wording(words.POSITIONS[clause.name]))

    def relation(self, phrase: NounPhrase, clause: Clause, anchor: NounPhrase) -> str:
        """Word "above the red square is the circle" or as a position; anchor: a phrase that names the other thing."""
        ending = f"{self._wording(words.RELATIONS[clause.name])} {self._noun_phrase(anchor)}"
        if self._chance(0.35):
            return f"{ending} {words.COPULA} {self._noun_phrase(phrase, articles=DEFINITE)}"
        return self._turned(phrase, ending)

    def motion(self, phrase: NounPhrase, clause: Clause) -> str:
        """Word "moving left, the circle" or as a position."""
        ending = self._wording(words.MOTION_PARTICIPLES[clause.name])
        if self._chance(0.35):
            return f"{ending}, {self._noun_phrase(phrase, articles=DEFINITE)}"
        return self._turned(phrase, ending)

    def _turned(self, phrase: NounPhrase, ending: str) -> str:
        """Word that a thing is of a kind and where it is or what it does, in another order than usual."""
        one, joint = f"the {words.PRONOUN}", f"{words.CONJUNCTION} {words.COPULA}"
        what = self._noun_phrase(phrase, articles=INDEFINITE)
        return self._rng.choice(
            (
                f"{one} {self._pronoun()} {words.COPULA} {ending} {joint} {what}",
                f"{one} {self._pronoun()} {words.COPULA} {what} {joint} {ending}",
                f"{self._noun_phrase(phrase)}, {one} {ending}",
            )
        )


WRITERS: dict[str, type[Writer]] = {"usual": Writer, "held-out": HeldOutWriter}
"""By `World.wording`."""
