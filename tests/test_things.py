"""Everyday things: their names, their drawings, and clips of them."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from mpgsam2 import InputError
from mpgsam2.nano.drawings.atlas import Atlas, load_atlas
from mpgsam2.nano.drawings.colour_names import CONFUSABLE, NAMES, name_of, shares
from mpgsam2.nano.drawings.nouns import GROUPS, LOOK_ALIKES, NOUNS, akin, plural_of
from mpgsam2.nano.drawings.recolour import recolour
from mpgsam2.nano.drawings.sources import (
    HELD_OUT_PHOTOGRAPHS,
    HELD_OUT_STYLES,
    PHOTOGRAPHS,
    TRAINED_PHOTOGRAPHS,
    TRAINED_STYLES,
)
from mpgsam2.nano.synthetic import THINGS, THINGS_HELD_OUT, VOCABULARY, SyntheticClip, Thing, World, render_clip
from mpgsam2.nano.synthetic.colours import COLOURS, DRAWING_COLOURS
from mpgsam2.nano.synthetic.motion import draw_flips, return_trip
from mpgsam2.nano.synthetic.words import nouns_of

SMALL = replace(THINGS, height=(96, 128), frames=9, absent=1.0, sentences=4, photographed=0.2)


@pytest.fixture(scope="module")
def clips(atlas: Path) -> list[SyntheticClip]:
    return [render_clip(seed, SMALL) for seed in range(60)]


def fits(thing: Thing, text: str) -> bool:
    """Whether every noun and colour of a sentence without anchor may be said of a thing."""
    said = " ".join(text.split())
    for attribute, values in (("shape", (*NOUNS, *GROUPS, *LOOK_ALIKES)), ("colour", DRAWING_COLOURS)):
        for value in values:
            names = nouns_of(value) if attribute == "shape" else DRAWING_COLOURS[value].words
            said_so = any(re.search(rf"\b{name}\b", said) for name in names)
            # "race car" is no car by the word alone
            part = attribute == "shape" and any(value in word.split() for n in thing.names for word in nouns_of(n))
            if said_so and value not in thing.values(attribute) and not part:
                return False
    return True


def test_there_are_nouns_enough_and_each_is_of_its_groups() -> None:
    assert len(NOUNS) >= 120
    assert {"animal", "person", "vehicle", "fruit", "food", "toy", "furniture", "sky"} <= set(GROUPS)
    assert all(noun.words and noun.plural and noun.icons for noun in NOUNS.values())
    assert {noun.manner for noun in NOUNS.values()} == {"", "run", "walk", "fly", "swim", "drive", "roll"}
    words = Counter(word for noun in NOUNS.values() for word in noun.words)
    assert [word for word, count in words.items() if count > 1] == []
    assert plural_of("mouse") == "mice" and plural_of("animal") == "animals" and plural_of("sky") is None
    assert "cat" in akin("dog") and "dog" not in akin("dog") and "car" not in akin("dog")


def test_nothing_held_out_is_trained() -> None:
    assert not set(TRAINED_STYLES) & set(HELD_OUT_STYLES)
    assert set(TRAINED_PHOTOGRAPHS) | set(HELD_OUT_PHOTOGRAPHS) == set(PHOTOGRAPHS)
    assert not set(TRAINED_PHOTOGRAPHS) & set(HELD_OUT_PHOTOGRAPHS)
    assert 0.13 <= len(HELD_OUT_PHOTOGRAPHS) / len(PHOTOGRAPHS) <= 0.2
    assert THINGS.styles == TRAINED_STYLES and THINGS_HELD_OUT.styles == HELD_OUT_STYLES


@pytest.mark.parametrize("name", NAMES)
def test_textbook_colours_have_their_names(name: str) -> None:
    for rgb in DRAWING_COLOURS[name].pure:
        picture = np.full((4, 4, 3), rgb, np.uint8)
        named, others = name_of(shares(picture, np.ones((4, 4))))
        assert named == name and set(others) == set(CONFUSABLE[name])


def test_a_picture_of_two_colours_has_none_but_may_be_called_by_both() -> None:
    picture = np.zeros((4, 4, 3), np.uint8)
    picture[:2], picture[2:] = (255, 0, 0), (0, 0, 255)
    named, others = name_of(shares(picture, np.ones((4, 4))))
    assert named == "" and {"red", "blue"} <= set(others)
    transparent = np.ones((4, 4))
    transparent[2:] = 0
    assert name_of(shares(picture, transparent))[0] == "red"


def test_recoloured_drawings_have_the_new_colour_and_the_old_outline() -> None:
    drawing = np.zeros((40, 40, 4), np.uint8)
    cv2.circle(drawing, (20, 20), 15, (220, 30, 30, 255), -1)
    cv2.circle(drawing, (15, 15), 3, (255, 255, 255, 255), -1)
    for name, colour in DRAWING_COLOURS.items():
        changed = recolour(drawing, colour.pure[0])
        assert name_of(shares(changed[..., :3], changed[..., 3]))[0] == name
        assert np.array_equal(changed[..., 3], drawing[..., 3])
        assert (changed[15, 15] == 255).all(), "what has another colour keeps it"


def test_no_colour_prevails_in_a_patchwork() -> None:
    hues = np.linspace(0, 179, 16).astype(np.uint8)
    hsv = np.stack([np.repeat(hues, 4), np.full(64, 255, np.uint8), np.full(64, 255, np.uint8)], axis=-1)[None]
    rgb = np.repeat(cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB), 64, axis=0)
    assert recolour(np.dstack([rgb, np.full((64, 64), 255, np.uint8)]), (255, 0, 0)) is None


def test_an_atlas_that_is_not_there_is_an_input_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="make atlas"):
        Atlas(tmp_path)


def test_drawings_are_of_a_size_whatever_their_copy(atlas: Path) -> None:
    album = load_atlas()
    for noun in album.nouns:
        drawing = album.drawing(noun, "noto", album.places(noun)[0])
        assert 1.1 < drawing.extent < 1.75 and 0.3 < drawing.area < 6
        for radius in (4, 11, 40, 90):
            colours, opacity = drawing.copy_for(radius)
            assert colours.shape == (*opacity.shape, 3)
            assert len(opacity) >= min(radius / 0.4, drawing.side)
            assert opacity.mean() / 255 == pytest.approx(drawing.rgba[..., 3].mean() / 255, abs=0.01)


def test_people_are_not_called_by_colours(atlas: Path) -> None:
    world = replace(SMALL, nouns=("man", "girl", "car"), frames=1, recoloured=1.0, sentences=6)
    for seed in range(20):
        clip = render_clip(seed, world)
        people = [k for k, thing in enumerate(clip.things) if "person" in thing.names]
        assert all(clip.things[k].colour == "" for k in people)
        asked = [e for e in clip.expressions if e.kind in ("name", "appearance", "position")]
        spoken = [e.text for e in asked if e.target in people]
        assert not [text for text in spoken if set(text.split()) & {*NAMES, "gray", "violet"}]


def test_clips_are_made_again_from_their_seed(clips: list[SyntheticClip]) -> None:
    again = render_clip(5, SMALL)
    assert np.array_equal(again.frames, clips[5].frames) and again.expressions == clips[5].expressions


def test_sentences_name_one_thing_or_nothing(clips: list[SyntheticClip]) -> None:
    kinds = Counter()
    for clip in clips:
        for expression in clip.expressions:
            kinds[expression.kind, expression.target is None] += 1
            assert {word.strip(",") for word in expression.text.split()} <= set(VOCABULARY), expression.text
            if expression.kind == "name":
                fitting = [k for k, thing in enumerate(clip.things) if fits(thing, expression.text)]
                assert fitting == ([] if expression.target is None else [expression.target]), expression.text
    assert min(kinds[kind, False] for kind in ("name", "appearance", "position", "relation", "motion")) >= 15, kinds
    assert sum(count for (_, absent), count in kinds.items() if absent) >= 30


def test_masks_lie_where_things_are_drawn(clips: list[SyntheticClip]) -> None:
    drawn = [k for clip in clips for k, thing in enumerate(clip.things) if thing.drawing]
    assert len(drawn) > 60
    for clip in clips:
        for k, thing in enumerate(clip.things):
            assert clip.mask(k).any(), thing
            assert thing.drawing is not None or thing.colour in COLOURS


def test_things_do_what_only_things_do(atlas: Path) -> None:
    world = replace(SMALL, kinds=(("motion", 1.0),), sentences=6, objects=(2, 3))
    texts = [e.text for seed in range(90) for e in render_clip(seed, world).expressions]
    said = "\n".join(texts)
    ways = [
        "bounc|jump",
        "turn(s|ing) (a)?round|look",
        "back",
        "flies|flying",
        "runs|running|walk",
        "clos|near",
    ]
    assert [way for way in ways if not re.search(rf"\b({way})", said)] == []


def test_a_return_trip_ends_where_it_began() -> None:
    there = np.linspace((0.0, 5.0), (100.0, 5.0), 20)
    trip = return_trip(there)
    assert trip[0].tolist() == trip[-1].tolist() == [0, 5] and trip[8:12, 0].min() == 100
    assert (np.diff(trip[:6, 0]) > 0).all() and (np.diff(trip[-6:, 0]) < 0).all()


def test_drawings_look_where_they_go() -> None:
    import random

    rng = random.Random(0)
    left, right = ([draw_flips(rng, way, 5)[0] for _ in range(60)] for way in ("left", "right"))
    assert np.mean(left) > 0.7 and np.mean(right) < -0.7
    for frames in (2, 3, 9, 16):
        turned = draw_flips(rng, "turning_round", frames)
        assert len(turned) == frames and set(turned.tolist()) == {-1, 1}


def test_nothing_is_named_where_nothing_is(atlas: Path) -> None:
    clips = [render_clip(seed, replace(SMALL, frames=2, empty=1.0)) for seed in range(4)]
    for clip in clips:
        assert not clip.labels.any() and not clip.seen.any()
        assert clip.expressions and all(expression.target is None for expression in clip.expressions)


def test_held_out_clips_show_the_held_out_style(atlas: Path) -> None:
    world: World = replace(THINGS_HELD_OUT, frames=1, height=(64, 96))
    styles = {t.drawing.style for seed in range(8) for t in render_clip(seed, world).things if t.drawing}
    assert styles == set(HELD_OUT_STYLES)
