"""The synthetic world on which the nano model is trained and scored: clips, masks and sentences from a seed."""

from mpgsam2.nano.synthetic.clip import SyntheticClip, render_clip
from mpgsam2.nano.synthetic.sentences import Expression
from mpgsam2.nano.synthetic.things import Thing
from mpgsam2.nano.synthetic.words import SHAPE_VOCABULARY, VOCABULARY
from mpgsam2.nano.synthetic.world import EASY, FULL, HALFWAY, HELD_OUT, KINDS, THINGS, THINGS_HELD_OUT, World

__all__ = [
    "EASY",
    "FULL",
    "HALFWAY",
    "HELD_OUT",
    "KINDS",
    "SHAPE_VOCABULARY",
    "THINGS",
    "THINGS_HELD_OUT",
    "VOCABULARY",
    "Expression",
    "SyntheticClip",
    "Thing",
    "World",
    "render_clip",
]
