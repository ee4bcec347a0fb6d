"""Sentences that name exactly one thing.

A sentence fits where its clause is clearly true of the target and clearly false of every other thing that its noun
phrase matches.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import NamedTuple

from mpgsam2.synthetic.clauses import Clause, motion_clauses, position_clauses, relation_clauses
from mpgsam2.synthetic.noun_phrases import NounPhrase, members, noun_phrases
from mpgsam2.synthetic.scene import Scene
from mpgsam2.synthetic.view import View
from mpgsam2.synthetic.wording import Writer
from mpgsam2.synthetic.world import World

NEEDED = 0.85  # share of sentences whose clause is needed to tell things apart, where there are such
SEEN = 0.5  # part of the clip in which every thing must be visible


@dataclass(frozen=True)
class Expression:
    """A sentence, its kind (one of `world.KINDS`), and the index of the one thing that it names."""

    text: str
    kind: str
    target: int


class Statement(NamedTuple):
    """What is said of a thing: a noun phrase and, unless that names it alone, a clause."""

    target: int
    phrase: NounPhrase
    clause: Clause | None

    @property
    def needed(self) -> bool:
        """Whether the noun phrase alone would not do."""
        return self.phrase.matches != 1 << self.target


def _statements(kind: str, scene: Scene, view: View, phrases: list[list[NounPhrase]]) -> list[Statement]:
    """Return everything of a kind that fits."""
    if kind == "appearance":
        return [
            Statement(k, phrase, None) for k, own in enumerate(phrases) for phrase in own if phrase.matches == 1 << k
        ]
    if kind == "position":
        clauses = position_clauses(view)
    elif kind == "relation":
        named = [any(phrase.matches == 1 << k and phrase.attributes for phrase in own) for k, own in enumerate(phrases)]
        clauses = [clause for clause in relation_clauses(view) if named[clause.anchor]]
    else:
        clauses = motion_clauses(scene)
    return [
        Statement(k, phrase, clause)
        for clause in clauses
        for k in members(clause.true)
        for phrase in phrases[k]
        if phrase.matches & ~clause.false == 1 << k and not (clause.extreme and phrase.matches == 1 << k)
    ]


def _choose(rng: random.Random, world: World, statements: list[Statement]) -> Statement:
    """Choose among a kind's statements: what is needed, then target, clause, and noun phrase, shorter ones likelier."""
    if statements[0].clause is not None:
        if rng.random() < NEEDED:
            statements = [statement for statement in statements if statement.needed] or statements
        extreme = rng.random() < world.extremes
        statements = [statement for statement in statements if statement.clause.extreme == extreme] or statements
    target = rng.choice(sorted({statement.target for statement in statements}))
    statements = [statement for statement in statements if statement.target == target]
    clause = rng.choice(list(dict.fromkeys(statement.clause for statement in statements)))
    statements = [statement for statement in statements if statement.clause == clause]
    return rng.choices(statements, [_plainness(statement.phrase) for statement in statements])[0]


def _plainness(phrase: NounPhrase) -> float:
    """Weight of a noun phrase: halved for each attribute, more for calling a thing plain."""
    return 0.5**phrase.attributes * (0.3 if phrase.texture == "plain" else 1.0)


def _word(rng: random.Random, writer: Writer, kind: str, statement: Statement, phrases: list[list[NounPhrase]]) -> str:
    """Put a statement into words; phrases: those of every thing."""
    clause = statement.clause
    if clause is None:
        return writer.name(statement.phrase)
    if clause.anchor is None:
        return (writer.position if kind == "position" else writer.motion)(statement.phrase, clause)
    names = [phrase for phrase in phrases[clause.anchor] if phrase.matches == 1 << clause.anchor and phrase.attributes]
    anchor = rng.choices(names, [_plainness(phrase) for phrase in names])[0]
    return writer.relation(statement.phrase, clause, anchor)


def write_sentences(rng: random.Random, world: World, scene: Scene, view: View) -> tuple[Expression, ...]:
    """Return at most `world.sentences` distinct sentences, first one of the kind that the scene was laid out for.

    Empty where nothing of that kind can be said without doubt, or where a thing is hidden for most of the clip.
    """
    if (view.visible.mean(0) < SEEN).any():
        return ()
    things = tuple(body.thing for body in scene.bodies)
    spans = list(zip(view.radii.min(0).tolist(), view.radii.max(0).tolist(), strict=True))
    phrases = [noun_phrases(k, things, spans) for k in range(len(things))]
    kinds = world.sentence_kinds
    writer = Writer(rng, world.usual)
    wanted = [scene.kind, *rng.choices(tuple(kinds), tuple(kinds.values()), k=world.sentences - 1)]
    statements = {kind: _statements(kind, scene, view, phrases) for kind in set(wanted)}
    if not statements[scene.kind]:
        return ()
    expressions: dict[str, Expression] = {}
    for kind in wanted:
        if statements[kind]:
            chosen = _choose(rng, world, statements[kind])
            text = _word(rng, writer, kind, chosen, phrases)
            expressions.setdefault(text, Expression(text, kind, chosen.target))
    return tuple(expressions.values())
