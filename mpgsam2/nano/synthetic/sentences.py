"""Sentences that name exactly one thing, or nothing.

A sentence fits where its clause is clearly true of the target and clearly false of every other thing that its noun
phrase matches. It names nothing where its noun phrase, or its anchor's, matches nothing, or where its clause is clearly
false of everything that its noun phrase matches.
"""

from __future__ import annotations

import functools
import itertools
import random
from dataclasses import dataclass
from typing import NamedTuple

from mpgsam2.nano.synthetic.clauses import Clause, event_clauses, motion_clauses, position_clauses, relation_clauses
from mpgsam2.nano.synthetic.noun_phrases import NounPhrase, alter, members, noun_phrases
from mpgsam2.nano.synthetic.scene import Scene
from mpgsam2.nano.synthetic.view import View
from mpgsam2.nano.synthetic.wording import WRITERS, Writer
from mpgsam2.nano.synthetic.world import DRAWING_EVENTS, World

NEEDED_SHARE = 0.85  # share of sentences whose clause is needed to tell things apart, where there are such
SEEN_SHARE = 0.5  # part of the clip in which every thing must be visible
BRIEFLY_SEEN_SHARE = 0.35  # the same of what comes in, leaves, or is hidden for a while
EVENT_SHARE = 0.75  # share of coming in, leaving and being hidden among sentences about motion, where there are such
FALSE_CLAUSE_SHARE = 0.35  # share of sentences with a clause that name nothing in which the clause is what is false
MISSING_ANCHOR_SHARE = 0.5  # share of those about relations in which nothing is what the anchor is said to be
ABSENT_TRIES = 4  # kinds tried for a sentence that names nothing


@dataclass(frozen=True)
class Expression:
    """A sentence, its kind (one of `world.KINDS`), and the index of the one thing that it names, None for nothing."""

    text: str
    kind: str
    target: int | None


class Statement(NamedTuple):
    """What is said of a thing: a noun phrase and, unless that names it alone, a clause, and what the anchor is called.

    target: the thing, None where the statement names nothing.
    """

    target: int | None
    phrase: NounPhrase
    clause: Clause | None = None
    anchor: NounPhrase | None = None

    @property
    def needed(self) -> bool:
        """Whether the noun phrase alone would not do."""
        return self.phrase.matches.bit_count() > 1


class Speaker:
    """Finds and words what can be said about a scene as it is seen."""

    def __init__(self, rng: random.Random, world: World, scene: Scene, view: View) -> None:
        self._rng, self._world, self._scene, self._view = rng, world, scene, view
        self._things = tuple(body.thing for body in scene.bodies)
        spans = list(zip(view.radii.min(0).tolist(), view.radii.max(0).tolist(), strict=True))
        self._phrases = [noun_phrases(k, self._things, spans) for k in range(len(self._things))]
        self._names = [
            [phrase for phrase in own if phrase.matches == 1 << k and phrase.attributes]
            for k, own in enumerate(self._phrases)
        ]  # by which each thing can be named as an anchor
        self._clauses = functools.cache(self._find_clauses)
        self._statements = functools.cache(self._find_statements)
        self._writer: Writer = WRITERS[world.wording](rng, world.usual, things=world.drawn > 0)

    def name(self, kind: str) -> Expression | None:
        """Return a sentence of a kind that names a thing; None where nothing of that kind fits."""
        statements = self._statements(kind)
        return self._word(kind, self._choose(statements)) if statements else None

    def name_nothing(self, kind: str) -> Expression | None:
        """Return a sentence of a kind that names nothing in the clip; None where none is found."""
        untrue = kind not in ("name", "appearance") and self._rng.random() < FALSE_CLAUSE_SHARE
        if untrue and not (kind == "relation" and self._rng.random() < MISSING_ANCHOR_SHARE):
            statement = self._untrue_statement(kind)
            return self._word(kind, statement) if statement else None
        statements = [statement for statement in self._statements(kind) if untrue or statement.phrase.looks]
        if not statements:
            return None
        statement = self._choose(statements)
        altered = statement.anchor if untrue else statement.phrase
        phrase = alter(self._rng, self._world, altered, self._things) if altered else None
        if phrase is None:
            return None
        nothing = statement._replace(target=None)
        return self._word(kind, nothing._replace(anchor=phrase) if untrue else nothing._replace(phrase=phrase))

    def _find_clauses(self, kind: str) -> list[Clause]:
        if kind == "position":
            return position_clauses(self._view)
        if kind == "relation":
            clauses = relation_clauses(self._view)
            return [clause for clause in clauses if clause.anchor is not None and self._names[clause.anchor]]
        return motion_clauses(self._world, self._scene, self._view)

    def _find_statements(self, kind: str) -> list[Statement]:
        """Return everything of a kind that fits a thing; what anchors are called is left open."""
        if kind in ("name", "appearance"):
            named = "name" in self._world.sentence_kinds
            return [
                Statement(k, phrase)
                for k, own in enumerate(self._phrases)
                for phrase in own
                if phrase.matches == 1 << k and (not named or phrase.bare == (kind == "name"))
            ]
        return [
            Statement(k, phrase, clause)
            for clause in self._clauses(kind)
            for k in members(clause.true)
            for phrase in self._phrases[k]
            if phrase.matches & ~clause.false == 1 << k and not (clause.extreme and phrase.matches == 1 << k)
        ]

    def _untrue_statement(self, kind: str) -> Statement | None:
        """Return a statement about things of all of which it is clearly false."""
        statements = [
            Statement(None, phrase, clause)
            for clause in self._clauses(kind)
            if not clause.extreme  # something is always the leftmost
            for phrase in dict.fromkeys(itertools.chain.from_iterable(self._phrases))
            if phrase.alike & ~clause.false == 0
        ]
        return self._choose_words(statements) if statements else None

    def _choose(self, statements: list[Statement]) -> Statement:
        """Choose among a kind's statements: what is needed, then target, clause, and words."""
        if statements[0].clause is not None:
            if self._rng.random() < NEEDED_SHARE:
                statements = [statement for statement in statements if statement.needed] or statements
            extreme = self._rng.random() < self._world.extremes
            statements = [s for s in statements if s.clause and s.clause.extreme == extreme] or statements
            if self._rng.random() < EVENT_SHARE:
                statements = [s for s in statements if s.clause and s.clause.name in DRAWING_EVENTS] or statements
        target = self._rng.choice(sorted({s.target for s in statements if s.target is not None}))
        return self._choose_words([statement for statement in statements if statement.target == target])

    def _choose_words(self, statements: list[Statement]) -> Statement:
        """Choose a clause, then a noun phrase and a name of the anchor, shorter ones likelier."""
        clause = self._rng.choice(list(dict.fromkeys(statement.clause for statement in statements)))
        statements = [statement for statement in statements if statement.clause == clause]
        (chosen,) = self._rng.choices(statements, [_plainness(statement.phrase) for statement in statements])
        if clause is None or clause.anchor is None:
            return chosen
        names = self._names[clause.anchor]
        return chosen._replace(anchor=self._rng.choices(names, [_plainness(phrase) for phrase in names])[0])

    def _word(self, kind: str, statement: Statement) -> Expression:
        _, phrase, clause, anchor = statement
        if clause is None:
            text = self._writer.name(phrase)
        elif anchor is not None:
            text = self._writer.relation(phrase, clause, anchor)
        else:
            text = (self._writer.position if kind == "position" else self._writer.motion)(phrase, clause)
        return Expression(text, kind, statement.target)


def _plainness(phrase: NounPhrase) -> float:
    """Return the weight of a noun phrase: halved for each attribute, more for calling a thing plain."""
    return 0.5**phrase.attributes * (0.3 if phrase.texture == "plain" else 1.0)


def write_sentences(rng: random.Random, world: World, scene: Scene, view: View) -> tuple[Expression, ...]:
    """Return at most `world.sentences` distinct sentences, first one of the kind that the scene was laid out for.

    Last come those that name nothing, `world.absent` on average. Empty where nothing of the scene's kind can be said
    without doubt, or where a thing is hidden for most of the clip.
    """
    brief = {k for clause in event_clauses(world, view) for k in members(clause.true)}
    least = [BRIEFLY_SEEN_SHARE if k in brief else SEEN_SHARE for k in range(len(scene.bodies))]
    if (view.visible.mean(0) < least).any():
        return ()
    speaker = Speaker(rng, world, scene, view)
    first = speaker.name(scene.kind)
    if first is None:
        return ()
    kinds, weights = tuple(world.sentence_kinds), tuple(world.sentence_kinds.values())
    others = [speaker.name(kind) for kind in rng.choices(kinds, weights, k=world.sentences - 1)]
    for _ in range(int(world.absent + rng.random())):
        tries = (speaker.name_nothing(kind) for kind in rng.choices(kinds, weights, k=ABSENT_TRIES))
        others.append(next(filter(None, tries), None))
    return tuple({expression.text: expression for expression in (first, *others) if expression}.values())
