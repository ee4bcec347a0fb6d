from __future__ import annotations

import itertools
import random
import re
from dataclasses import replace

import cv2
import numpy as np
import pytest

from mpgsam2.errors import InputError
from mpgsam2.nano.synthetic import (
    EASY,
    FULL,
    HALFWAY,
    HELD_OUT,
    KINDS,
    SHAPE_VOCABULARY,
    VOCABULARY,
    Expression,
    SyntheticClip,
    World,
    render_clip,
    words,
)
from mpgsam2.nano.synthetic.colours import COLOURS, to_lab
from mpgsam2.nano.synthetic.shapes import SHAPES
from mpgsam2.nano.synthetic.textures import TEXTURES
from mpgsam2.nano.synthetic.world import EVENTS

SMALL = replace(FULL, height=(72, 96))
QUIET = {
    "shading": 0.0,
    "shadow": 0.0,
    "pan": 0.0,
    "shake": 0.0,
    "blur": 0.0,
    "noise": 0.0,
    "compression": 0.0,
    "h264": 0.0,
    "motion_blur": 0.0,
    "exposure": 0.0,
    "textures": ("plain",),
    "backgrounds": ("plain",),
}

NOUNS = {word: name for name, shape in SHAPES.items() for word in shape.words}
COLOUR_WORDS = {word: name for name, colour in COLOURS.items() for word in colour.words}
TEXTURE_WORDS = {word: name for name, texture in TEXTURES.items() for word in texture.words} | {
    "stripes": "striped",
    "dots": "dotted",
    "spots": "dotted",
}
SIZE_WORDS = {
    word: name for table in (words.SIZES, words.SUPERLATIVE_SIZES) for name, group in table.items() for word in group
}


@pytest.fixture(scope="module")
def clips() -> list[SyntheticClip]:
    return [render_clip(seed, SMALL) for seed in range(120)]


@pytest.fixture(scope="module")
def talk() -> list[SyntheticClip]:
    """Many small clips of which much is said, in every wording alike."""
    world = replace(FULL, frames=3, height=(48, 48), usual=0.0, sentences=8)
    return [render_clip(seed, world) for seed in range(400)]


@pytest.fixture(scope="module")
def eventful() -> list[SyntheticClip]:
    """Clips of which it is said what their things do, in every wording alike."""
    world = replace(SMALL, kinds=(("motion", 1.0),), usual=0.0, sentences=8, absent=0.6)
    return [render_clip(seed, world) for seed in range(150)]


def named(clip: SyntheticClip) -> list[Expression]:
    """The sentences that name a thing."""
    return [expression for expression in clip.expressions if expression.target is not None]


def meanings(table: dict[str, tuple[str, ...]], text: str) -> set[str]:
    """Keys of the phrases of a table that a sentence holds, longer phrases first."""
    found, rest = set(), f" {text} "
    for phrase, name in sorted(((p, name) for name, group in table.items() for p in group), key=lambda x: -len(x[0])):
        if f" {phrase} " in rest:
            found.add(name)
            rest = rest.replace(f" {phrase} ", "  ")
    return found


def done(text: str) -> set[str]:
    """What a sentence says that a thing does, by the keys of the tables of motions."""
    tables = (words.MOTION_PARTICIPLES, words.MOTION_VERBS, words.MOTION_ADJECTIVES)
    return set().union(*(meanings(table, text) for table in tables))


def matching(clip: SyntheticClip, text: str) -> list[int]:
    """Things that have the shape, colour and texture named in a text, whatever their size."""
    said = text.split()
    wanted = [
        {table[word] for word in said if word in table} for table in (NOUNS, COLOUR_WORDS, TEXTURE_WORDS)
    ]  # each empty or of one name
    return [
        k
        for k, thing in enumerate(clip.things)
        if all(
            not names or names == {own}
            for names, own in zip(wanted, (thing.shape, thing.colour, thing.texture), strict=True)
        )
    ]


def relation_parts(text: str) -> tuple[str, str, str]:
    """What a sentence about a relation says: the relation, what stands in it, and to what."""
    phrases = [(phrase, name) for name, group in words.RELATIONS.items() for phrase in group]
    for phrase, name in sorted(phrases, key=lambda item: -len(item[0])):
        if f" {phrase} " in text:
            return name, *text.split(f" {phrase} ")
        if text.startswith(f"{phrase} "):  # "above the red square there is a circle"
            anchor, head = re.split("|".join(f" {fronting} " for fronting in words.FRONTING), text)
            return name, head, anchor.removeprefix(f"{phrase} ")
    raise AssertionError(f"no relation in “{text}”")


def centroids(clip: SyntheticClip, k: int) -> np.ndarray:
    """(frames with the thing, 2) centroids x, y of its label, in parts of the frame."""
    height, width = clip.labels.shape[1:]
    found = [np.nonzero(mask) for mask in clip.mask(k)]
    return np.array([((xs.mean() + 0.5) / width, (ys.mean() + 0.5) / height) for ys, xs in found if len(xs) > 4])


def area(clip: SyntheticClip, k: int) -> float:
    """Median area of a thing's label in px."""
    return float(np.median(clip.mask(k).sum((1, 2))))


def test_a_seed_gives_the_same_bytes() -> None:
    for seed, world in ((3, SMALL), (4, EASY), (10**12, replace(FULL, frames=1))):
        first, second = render_clip(seed, world), render_clip(seed, world)
        assert np.array_equal(first.frames, second.frames) and np.array_equal(first.labels, second.labels)
        assert (first.things, first.expressions) == (second.things, second.expressions)
    assert render_clip(1, SMALL).frames.tobytes() != render_clip(2, SMALL).frames.tobytes()


def test_arrays_have_the_stated_form(clips: list[SyntheticClip]) -> None:
    for clip in clips:
        frames, height, width, channels = clip.frames.shape
        assert (frames, channels) == (SMALL.frames, 3) and clip.labels.shape == (frames, height, width)
        assert clip.frames.dtype == np.uint8 and clip.labels.dtype == np.uint8
        assert 72 <= height <= 96 and height % 2 == width % 2 == 0
        assert 0.75 * height - 2 <= width <= 1.78 * height + 2
        assert 1 <= len(clip.things) <= 5 and clip.labels.max() <= len(clip.things)
        assert clip.seen.shape == (frames, len(clip.things)) and clip.seen.dtype == np.float32
        assert 1 <= len(named(clip)) <= SMALL.sentences
        assert len({expression.text for expression in clip.expressions}) == len(clip.expressions)
        assert all(expression.kind in KINDS for expression in clip.expressions)


def test_a_mask_is_where_the_thing_covers_half_of_the_pixel() -> None:
    world = replace(FULL, frames=2, height=(96, 96), objects=(1, 1), kinds=(("appearance", 1.0),), **QUIET)
    for seed in range(24):
        clip = render_clip(seed, world)
        for frame, mask in zip(clip.frames.astype(float), clip.mask(0), strict=True):
            inside, outside = np.median(frame[mask], axis=0), np.median(frame[~mask], axis=0)
            coverage = (frame - outside) @ (inside - outside) / np.sum((inside - outside) ** 2)
            assert (
                np.array_equal(coverage > 0.5, mask) or not ((coverage > 0.5) ^ mask)[abs(coverage - 0.5) > 0.02].any()
            )
            assert set(np.unique(coverage.round(2))) > {0.0, 1.0}, "edges are smooth"


def test_the_topmost_thing_owns_the_pixel() -> None:
    world = replace(FULL, frames=1, occlusion=1.0, objects=(3, 4), kinds=(("appearance", 1.0),), **QUIET)
    hidden = 0
    for seed in range(40):
        clip = render_clip(seed, world)
        for k in range(len(clip.things)):
            core = cv2.erode(clip.mask(k)[0].astype(np.uint8), np.ones((5, 5), np.uint8)).astype(bool)
            pixels = clip.frames[0][core]
            # all but where another thing's tip covers less than half of a pixel
            assert (pixels == np.median(pixels, axis=0)).all(1).mean() > 0.97, "a flat thing is of one colour"
        touching = cv2.dilate(clip.mask(0)[0].astype(np.uint8), np.ones((3, 3), np.uint8)).astype(bool)
        hidden += (clip.labels[0][touching] > 1).any()
    assert hidden > 3, "things do hide each other"


def test_easy_things_keep_apart() -> None:
    for seed in range(30):
        clip = render_clip(seed, EASY)
        for frame in clip.labels:
            grown = [
                cv2.dilate((frame == k + 1).astype(np.uint8), np.ones((3, 3), np.uint8))
                for k in range(len(clip.things))
            ]
            assert sum(grown).max() <= 1


def test_every_thing_named_can_be_seen(clips: list[SyntheticClip]) -> None:
    for clip in clips:
        smallest = 60 * (clip.labels.shape[1] / 256) ** 2
        for expression in named(clip):
            areas = clip.mask(expression.target).sum((1, 2))
            brief = done(expression.text) & set(EVENTS)
            assert (areas >= smallest).mean() >= (0.35 if brief else 0.5) or areas[[0, -1]].min() < smallest


def test_noun_phrases_fit_the_target_and_appearance_nothing_else(clips: list[SyntheticClip]) -> None:
    for clip in clips:
        for expression in named(clip):
            if expression.kind == "relation":
                continue
            matches = matching(clip, expression.text)
            assert expression.target in matches, expression
            sizes = {SIZE_WORDS[word] for word in expression.text.split() if word in SIZE_WORDS}
            if "smaller" in expression.text or "larger" in expression.text or "bigger" in expression.text:
                sizes = set()
            for size in sizes:
                assert clip.things[expression.target].size == size
            if expression.kind == "appearance":
                if sizes:
                    matches = [k for k in matches if {clip.things[k].size} == sizes]
                assert matches == [expression.target], (expression, clip.things)


def test_sizes_are_clear() -> None:
    world = replace(SMALL, frames=1, border=0.0, occlusion=0.0, kinds=(("appearance", 1.0),))
    said = 0
    for seed in range(120):
        clip = render_clip(seed, world)
        for expression in named(clip):
            size = next((SIZE_WORDS[word] for word in expression.text.split() if word in SIZE_WORDS), None)
            if size is None:
                continue
            others = [k for k in matching(clip, expression.text) if k != expression.target]
            for k in others:
                ratio = area(clip, k) / area(clip, expression.target)
                # areas of different shapes at one radius differ by up to 1.7, and edges may cut things
                if (
                    clip.things[k].shape == clip.things[expression.target].shape
                    and min(area(clip, k), area(clip, expression.target)) > 60
                ):
                    assert ratio > 1.3 if size == "small" else ratio < 0.77, (seed, expression)
                    said += 1
    assert said > 10


def test_positions_are_clear_and_mostly_needed(clips: list[SyntheticClip]) -> None:
    needed, checked = 0, 0
    axes = {"left": (0, 1), "right": (0, -1), "top": (1, 1), "bottom": (1, -1)}
    for clip in clips:
        for expression in named(clip):
            if expression.kind != "position":
                continue
            if any(word in SIZE_WORDS for word in expression.text.split()):
                continue
            target, rivals = expression.target, [k for k in matching(clip, expression.text) if k != expression.target]
            needed, checked = needed + bool(rivals), checked + 1
            extreme = meanings(words.EXTREME_ADJECTIVES, expression.text) | meanings(words.EXTREMES, expression.text)
            halves = meanings(words.POSITIONS, expression.text) or meanings(words.POSITION_ADJECTIVES, expression.text)
            (name,) = extreme or halves
            place = centroids(clip, target)
            if name == "middle":
                assert np.median(np.abs(place - 0.5).max(1)) < 0.12
                assert all(np.median(np.abs(centroids(clip, k) - 0.5).max(1)) > 0.19 for k in rivals)
                continue
            axis, sign = axes[name]

            def along(k: int, clip: SyntheticClip = clip, axis: int = axis, sign: int = sign) -> float:
                """Median distance from the edge in question, in parts of the frame."""
                middle = float(np.median(centroids(clip, k)[:, axis]))
                return middle if sign > 0 else 1 - middle

            if extreme:
                assert rivals and all(along(k) - along(target) > 0.08 for k in rivals), expression
            else:
                assert along(target) < 0.43 and all(along(k) > 0.54 for k in rivals), expression
    assert checked > 80 and needed > 0.75 * checked


def test_relations_are_clear(clips: list[SyntheticClip]) -> None:
    directions = {"left": (-1, 0), "right": (1, 0), "top": (0, -1), "bottom": (0, 1)}
    checked = 0
    for clip in clips:
        size = np.array(clip.labels.shape[:0:-1])
        for expression in named(clip):
            if expression.kind != "relation":
                continue
            name, head, anchor_text = relation_parts(expression.text)
            if name not in directions or any(word in SIZE_WORDS for word in expression.text.split()):
                continue
            (anchor,) = matching(clip, anchor_text)
            candidates = matching(clip, head)
            assert expression.target in candidates and expression.target != anchor

            def way(k: int, clip: SyntheticClip = clip, anchor: int = anchor, size: np.ndarray = size) -> np.ndarray:
                """Median way from the anchor to a thing in shorter sides, over frames that show both."""
                ways = []
                for label in clip.labels:
                    here, there = np.argwhere(label == k + 1), np.argwhere(label == anchor + 1)
                    if len(here) > 8 and len(there) > 8:
                        ways.append((here.mean(0) - there.mean(0))[::-1] / size.min())
                return np.median(ways, axis=0)

            direction = np.array(directions[name])
            assert way(expression.target) @ direction > 0.11, expression
            assert all(way(k) @ direction < 0.04 for k in candidates if k not in (anchor, expression.target)), (
                expression
            )
            checked += 1
    assert checked > 30


def test_motions_are_true_and_told_apart(clips: list[SyntheticClip]) -> None:
    ways = {"left": (-1, 0), "right": (1, 0), "up": (0, -1), "down": (0, 1)}
    needed, checked = 0, 0
    for clip in clips:
        for expression in named(clip):
            if expression.kind != "motion" or any(word in SIZE_WORDS for word in expression.text.split()):
                continue
            target, rivals = expression.target, [k for k in matching(clip, expression.text) if k != expression.target]
            motions = done(expression.text)
            if motions & set(EVENTS):
                continue
            assert clip.things[target].motion in motions or ("moving" in motions and clip.things[target].motion in ways)
            if motions == {"moving"}:
                assert all(clip.things[k].motion == "still" for k in rivals)
            else:
                assert all(clip.things[k].motion != clip.things[target].motion for k in rivals), expression
            needed, checked = needed + bool(rivals), checked + 1
            place, motion = centroids(clip, target), clip.things[target].motion
            if motion in ways:
                assert (place[-1] - place[0]) @ np.array(ways[motion]) > 0.04, expression
    assert checked > 60 and needed > 0.75 * checked


@pytest.mark.parametrize(("motion", "least"), [("left", 0.19), ("right", 0.19), ("up", 0.19), ("down", 0.19)])
def test_things_move_as_said(motion: str, least: float) -> None:
    still = replace(EASY, frames=6, height=(96, 96), motions=(motion,), kinds=(("appearance", 1.0),))
    way = {"left": (-1, 0), "right": (1, 0), "up": (0, -1), "down": (0, 1)}[motion]
    for seed in range(6):
        clip = render_clip(seed, still)
        for k in range(len(clip.things)):
            whole = not (clip.labels[:, [0, -1]] == k + 1).any() and not (clip.labels[:, :, [0, -1]] == k + 1).any()
            if whole:
                place = centroids(clip, k)
                assert (place[-1] - place[0]) @ np.array(way) > least


def test_things_grow_and_shrink() -> None:
    world = replace(EASY, frames=6, motions=("growing", "shrinking"), kinds=(("motion", 1.0),))
    for seed in range(10):
        clip = render_clip(seed, world)
        for k, thing in enumerate(clip.things):
            areas = clip.mask(k).sum((1, 2))
            assert areas[-1] > 1.5 * areas[0] if thing.motion == "growing" else areas[0] > 1.5 * areas[-1]


def test_spinning_is_seen() -> None:
    world = replace(EASY, frames=6, height=(96, 96), motions=("spinning",), textures=("plain", "striped"))
    turned = 0
    for seed in range(12):
        clip = render_clip(seed, world)
        for k, thing in enumerate(clip.things):
            assert thing.motion == ("still" if (thing.shape, thing.texture) == ("circle", "plain") else "spinning")
            if thing.motion == "spinning" and thing.shape != "circle":
                middles = [np.argwhere(mask).mean(0) for mask in clip.mask(k)]
                first = set(map(tuple, np.rint(np.argwhere(clip.mask(k)[0]) - middles[0]).tolist()))
                overlap = [
                    len(first & set(map(tuple, np.rint(np.argwhere(mask) - middle).tolist()))) / len(first)
                    for mask, middle in zip(clip.mask(k), middles, strict=True)
                ]
                assert min(overlap) < 0.93, (seed, thing)
                turned += 1
    assert turned > 12


def test_events_are_seen(eventful: list[SyntheticClip]) -> None:
    """What comes in is outside at first, what leaves at last, what is hidden in between; its like does not do so."""
    told = dict.fromkeys(EVENTS, 0)
    for clip in eventful:
        for expression in named(clip):
            (event,) = done(expression.text) & set(EVENTS) or {None}
            if event is None or any(word in SIZE_WORDS for word in expression.text.split()):
                continue
            told[event] += 1
            target, rivals = expression.target, [k for k in matching(clip, expression.text) if k != expression.target]
            areas, seen = clip.mask(target).sum((1, 2)), clip.seen[:, target]
            if event == "hidden":
                (gone,) = np.nonzero(seen <= 0.1)
                assert len(gone) >= 2 and gone[0] > 0 and gone[-1] < len(seen) - 1, expression
                assert areas[: gone[0]].max() > 0 < areas[gone[-1] :].max()
                assert all(clip.seen[:, k].min() >= 0.75 for k in rivals), expression
                continue
            outside, inside = (0, -1) if event == "entering" else (-1, 0)
            assert areas[outside] < 0.25 * areas[inside], expression
            rim = np.ones(clip.labels.shape[1:], bool)
            rim[1:-1, 1:-1] = False
            assert clip.mask(target)[:, rim].any(), "it passes the edge of the frame"
            assert all(clip.mask(k)[outside].any() for k in rivals), expression
    assert min(told.values()) > 15, told


def test_what_is_absent_is_absent(
    clips: list[SyntheticClip], talk: list[SyntheticClip], eventful: list[SyntheticClip]
) -> None:
    """A sentence that names nothing matches nothing, or is false of all that it matches, as measured on the labels."""
    axes = {"left": (0, 1), "right": (0, -1), "top": (1, 1), "bottom": (1, -1)}

    def is_false(clip: SyntheticClip, expression: Expression, k: int) -> bool:
        text = expression.text
        if expression.kind == "position":
            (name,) = meanings(words.POSITIONS, text) or meanings(words.POSITION_ADJECTIVES, text)
            place = centroids(clip, k)
            if name == "middle":
                return np.median(np.abs(place - 0.5).max(1)) > 0.19
            axis, sign = axes[name]
            return sign * (np.median(place[:, axis]) - 0.5) > 0.04
        motions, own = done(text), clip.things[k].motion
        if motions & set(EVENTS):
            areas = clip.mask(k).sum((1, 2))
            return {
                "entering": areas[0] > 0,
                "leaving": areas[-1] > 0,
                "hidden": clip.seen[:, k].min() >= 0.75,
            }[motions.pop()]
        return own == "still" if motions == {"moving"} else own not in motions

    checked, untrue = 0, 0
    for clip in (*clips, *talk, *eventful):
        for expression in clip.expressions:
            if expression.target is not None:
                continue
            assert expression is clip.expressions[-1] and not clip.mask(expression.target).any()
            checked += 1
            if expression.kind != "relation":
                matches = matching(clip, expression.text)
                assert not matches if expression.kind == "appearance" else True, expression
                assert all(is_false(clip, expression, k) for k in matches), (expression, clip.things)
                untrue += bool(matches)
                continue
            name, *said = relation_parts(expression.text)
            heads, anchors = (matching(clip, part) for part in said)
            if heads and len(anchors) == 1 and name in axes:
                axis, sign = axes[name]
                (anchor,) = anchors
                height, width = clip.labels.shape[1:]
                for k in heads:
                    gaps = [
                        (np.argwhere(label == k + 1).mean(0) - np.argwhere(label == anchor + 1).mean(0))[1 - axis]
                        for label in clip.labels
                        if min((label == k + 1).sum(), (label == anchor + 1).sum()) > 4
                    ]
                    assert sign * np.median(gaps) / min(height, width) > -0.04, expression
                untrue += 1
    assert checked > 150 and 0.1 * checked < untrue < 0.5 * checked


def test_absence_cannot_be_told_from_the_kind_or_the_length(talk: list[SyntheticClip]) -> None:
    lengths: dict[bool, list[int]] = {True: [], False: []}
    for clip in talk:
        for expression in clip.expressions:
            lengths[expression.target is None].append(len(expression.text.split()))
    assert 0.2 < len(lengths[True]) / len(talk) < 0.4
    assert abs(np.mean(lengths[True]) - np.mean(lengths[False])) < 1
    assert not any(e.target is None for seed in range(20) for e in render_clip(seed, EASY).expressions)


def shape_of_sentence(text: str) -> str:
    """A sentence in which words are replaced by their class, and any number of adjectives by one."""
    tables = {
        "P": (words.POSITIONS, words.EXTREMES),
        "R": (words.RELATIONS,),
        "M": (words.MOTION_PARTICIPLES, words.MOTION_VERBS),
        "X": (words.POSITION_ADJECTIVES, words.EXTREME_ADJECTIVES, words.MOTION_ADJECTIVES),
    }
    phrases = [(p, c) for c, group in tables.items() for table in group for own in table.values() for p in own]
    phrases += [(p, "") for texture in TEXTURES.values() for p in texture.with_words]
    text = f" {text.replace(',', '').replace(' ', '  ')} "
    for phrase, kind in sorted(phrases, key=lambda x: -len(x[0].split())):
        text = text.replace(f" {phrase.replace(' ', '  ')} ", f" {kind} ")
    classes = dict.fromkeys((*NOUNS, *words.GENERIC_NOUNS, words.PRONOUN), "n")
    classes |= dict.fromkeys(words.ARTICLES, "d") | dict.fromkeys(words.RELATIVE_PRONOUNS, "that")
    classes |= dict.fromkeys((*COLOUR_WORDS, *TEXTURE_WORDS, *SIZE_WORDS), "j")
    kinds = [classes.get(word, word) for word in text.split()]
    return " ".join(kind for kind, _ in itertools.groupby(kinds))


def test_as_many_sentences_name_nothing_as_wanted() -> None:
    def mean(absent: float) -> float:
        clips = [render_clip(seed, replace(SMALL, frames=1, absent=absent)) for seed in range(60)]
        return float(np.mean([sum(e.target is None for e in clip.expressions) for clip in clips]))

    assert mean(0.0) == 0
    assert 0.3 < mean(0.5) < 0.7
    assert 1.2 < mean(1.5) < 1.6


def test_visitors_sentences_are_worded_in_many_ways(talk: list[SyntheticClip]) -> None:
    said = "\n".join(expression.text for clip in talk for expression in clip.expressions)
    ways = [r"^show me ", r" in this clip$", r"^on the left .*(there is|you see) ", r" and it is ", r" in red\b"]
    ways += [r" (object|thing) (that|which) is a (circle|square|star|triangle)", r" on the left (that|which) is a"]
    assert [way for way in ways if not re.search(way, said, re.M)] == []


def test_held_out_sentences_are_built_as_no_usual_one(talk: list[SyntheticClip]) -> None:
    world = replace(HELD_OUT, frames=3, height=(48, 48), usual=0.0, sentences=8)
    usual = {shape_of_sentence(e.text) for clip in talk for e in clip.expressions}
    texts = [e.text for seed in range(80) for e in render_clip(seed, world).expressions]
    assert not {shape_of_sentence(text) for text in texts} & usual
    assert {word.strip(",") for text in texts for word in text.split()} <= set(VOCABULARY)


def test_tiny_things_exist_where_wanted() -> None:
    def smallest(tiny: float, seed: int) -> float:
        """Radius of a disc as large as the smallest thing that nothing hides, in shorter sides."""
        world = replace(FULL, frames=1, height=(96, 96), border=0.0, occlusion=0.0, tiny=tiny)
        clip = render_clip(seed, world)
        sizes = [clip.mask(k).sum() for k in range(len(clip.things))]
        return float(np.sqrt(min(sizes) / np.pi) / min(clip.labels.shape[1:]))

    tiny, usual = (np.array([smallest(share, seed) for seed in range(50)]) for share in (1.0, 0.0))
    assert 0.02 < tiny.min() < 0.04 and np.mean(tiny < 0.06) > 0.3
    assert np.mean(usual < 0.06) < 0.1


def test_seen_is_the_part_that_nothing_hides(eventful: list[SyntheticClip]) -> None:
    partly = 0
    for clip in eventful:
        assert clip.seen.min() >= 0 and clip.seen.max() <= 1
        assert set(clip.seen[:, -1].tolist()) <= {0.0, 1.0}, "nothing is in front of the last"
        for k, thing in enumerate(clip.things):
            mask, seen = clip.mask(k), clip.seen[:, k]
            assert np.array_equal(seen > 0, mask.any((1, 2)))
            at_rim = mask[:, [0, -1]].any() or mask[:, :, [0, -1]].any()
            if not at_rim and thing.motion not in ("growing", "shrinking") and mask.sum((1, 2)).max() > 60:
                whole = mask.sum((1, 2))[seen > 0.3] / seen[seen > 0.3]
                assert np.ptp(whole) < 0.1 * whole.mean() + 6, "the same thing is as large in every frame"
                partly += ((seen > 0.3) & (seen < 0.9)).any()
    assert partly > 10, partly


def test_as_many_things_as_wanted() -> None:
    counts = [len(render_clip(seed, replace(SMALL, frames=1)).things) for seed in range(150)]
    assert set(counts) == {1, 2, 3, 4, 5} and counts.count(1) < min(counts.count(k) for k in (2, 3, 4, 5))
    assert {len(render_clip(seed, replace(HALFWAY, frames=1)).things) for seed in range(40)} == {2, 3, 4}


def test_twins_are_told_apart_by_motion_alone() -> None:
    world = replace(SMALL, kinds=(("motion", 1.0),))
    twins = 0
    for seed in range(60):
        clip = render_clip(seed, world)
        looks = [(thing.shape, thing.colour, thing.texture) for thing in clip.things]
        twins += any(looks.count(looks[expression.target]) > 1 for expression in named(clip))
    assert twins > 15


def test_every_word_said_is_in_the_vocabulary_and_every_word_in_it_is_said(
    talk: list[SyntheticClip], eventful: list[SyntheticClip]
) -> None:
    texts = [expression.text for clip in (*talk, *eventful) for expression in clip.expressions]
    assert all(text == text.lower() for text in texts)
    assert {word for text in texts for word in text.split()} == set(SHAPE_VOCABULARY)
    assert list(VOCABULARY) == sorted(set(VOCABULARY))
    assert set(SHAPE_VOCABULARY) < set(VOCABULARY)


def test_the_words_that_must_exist_are_said(talk: list[SyntheticClip]) -> None:
    required = """
        red green blue yellow purple orange white black circle square triangle star object thing shape small large
        striped dotted plain leftmost rightmost topmost lowest above below growing shrinking rising falling
    """.split()  # noqa: SIM905
    assert set(required) <= set(VOCABULARY)
    phrases = ["on the left", "on the right", "at the top", "at the bottom", "in the middle", "next to", "not moving"]
    phrases += ["moving to the left", "moving to the right", "moving up", "moving down", "left of", "right of"]
    said = "\n".join(expression.text for clip in talk for expression in clip.expressions)
    assert [phrase for phrase in (*phrases, *required) if phrase not in said] == []


def test_single_frames_know_no_motion() -> None:
    world = replace(SMALL, frames=1)
    kinds = {e.kind for seed in range(60) for e in render_clip(seed, world).expressions}
    assert kinds == {"appearance", "position", "relation"}
    clip = render_clip(0, world)
    assert len(clip.frames) == 1 and all(thing.motion == "still" for thing in clip.things)


def test_a_single_thing_can_be_named() -> None:
    world = replace(SMALL, objects=(1, 1))
    for seed in range(20):
        clip = render_clip(seed, world)
        assert len(clip.things) == 1 and all(expression.target == 0 for expression in named(clip))


def test_targets_are_balanced(talk: list[SyntheticClip]) -> None:
    targets, kinds = [], []
    for clip in talk:
        targets += [(clip.things[e.target], e.target) for e in named(clip)]
        kinds += [e.kind for e in clip.expressions]
    for attribute, names in (("shape", SHAPES), ("colour", COLOURS)):
        counts = np.array([sum(getattr(thing, attribute) == name for thing, _ in targets) for name in names])
        assert counts.min() > 0.65 * counts.mean() and counts.max() < 1.4 * counts.mean(), dict(
            zip(names, counts, strict=True)
        )
    shares = {kind: kinds.count(kind) / len(kinds) for kind in KINDS if kind != "name"}
    assert all(share > 0.12 for share in shares.values()), shares


def test_colours_keep_apart() -> None:
    rng = random.Random(0)
    samples = {name: to_lab(np.array([colour.sample(rng) for _ in range(150)])) for name, colour in COLOURS.items()}
    for first, second in itertools.combinations(samples, 2):
        distance = np.linalg.norm(samples[first][:, None] - samples[second], axis=-1).min()
        assert distance > 14, (first, second, distance)


def test_things_stand_out_from_the_background() -> None:
    world = replace(FULL, frames=1, height=(96, 96), **QUIET)
    for seed in range(60):
        clip = render_clip(seed, world)
        ground = to_lab(np.median(clip.frames[0][clip.labels[0] == 0], axis=0)[None])
        for k in range(len(clip.things)):
            colour = to_lab(np.median(clip.frames[0][clip.mask(k)[0]], axis=0)[None])
            assert np.linalg.norm(colour - ground) > 25


@pytest.mark.parametrize(
    "wrong",
    [
        {"shapes": ("blob",)},
        {"colours": ()},
        {"kinds": (("rhyme", 1.0),)},
        {"kinds": (("motion", 1.0),), "frames": 1},
        {"frames": 0},
        {"radius": (0.3, 0.1)},
        {"smallest": 0.1},
        {"events": ("vanishing",)},
        {"wording": "rude"},
    ],
)
def test_impossible_worlds_are_refused(wrong: dict) -> None:
    with pytest.raises(InputError):
        replace(World(), **wrong)


def test_a_world_without_words_is_refused() -> None:
    world = replace(EASY, shapes=("circle",), colours=("red",), kinds=(("appearance", 1.0),), radius=(0.2, 0.2))
    with pytest.raises(InputError, match="without doubt"):
        render_clip(0, world)
