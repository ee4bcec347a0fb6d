from __future__ import annotations

import random
from dataclasses import replace

import numpy as np
import pytest

from mpgsam2.errors import InputError
from mpgsam2.nano.synthetic import FULL, World, render_clip
from mpgsam2.nano.synthetic.background import FAMILIES, HELD_OUT_FAMILIES
from mpgsam2.nano.synthetic.camera import GAIN, WHITE_BALANCE
from mpgsam2.nano.synthetic.colours import COLOURS, to_lab
from mpgsam2.nano.synthetic.motion_blur import smear

SHARP = replace(
    FULL,
    frames=4,
    height=(96, 96),
    aspect=(1.0, 1.0),
    textures=("plain",),
    backgrounds=("plain",),
    spin=0.0,
    shading=0.0,
    shadow=0.0,
    pan=0.0,
    shake=0.0,
    blur=0.0,
    noise=0.0,
    compression=0.0,
    h264=0.0,
    motion_blur=0.0,
    exposure=0.0,
)


def with_and_without(seed: int, **fields: float) -> tuple[np.ndarray, np.ndarray]:
    """Frames of a clip in a world with these fields and of the same clip without, whose labels must be the same."""
    changed, plain = render_clip(seed, replace(SHARP, **fields)), render_clip(seed, SHARP)
    assert np.array_equal(changed.labels, plain.labels) and changed.expressions == plain.expressions
    return changed.frames, plain.frames


@pytest.mark.parametrize("way", [(9.0, 0.0), (0.0, 9.0), (-9.0, 0.0)])
def test_a_smear_lies_along_the_way_alone(way: tuple[float, float]) -> None:
    picture = np.zeros((31, 31), np.uint8)
    picture[15, 15] = 255
    rows, columns = np.nonzero(smear(picture, np.array(way)))
    along, across = (columns, rows) if way[0] else (rows, columns)
    assert set(across) == {15} and along.min() == 11 and along.max() == 19


def test_motion_blur_smears_what_moves_and_nothing_else() -> None:
    moving = replace(SHARP, motions=("right",), kinds=(("appearance", 1.0),), occlusion=0.0, border=0.0)
    still = replace(moving, motions=("still",))
    smeared = 0
    for seed in range(12):
        sharp, blurred = render_clip(seed, moving), render_clip(seed, replace(moving, motion_blur=1.0))
        assert np.array_equal(sharp.labels, blurred.labels)
        changed = np.abs(sharp.frames.astype(int) - blurred.frames).max(-1) > 40
        smeared += changed.sum()
        rows = np.flatnonzero((sharp.labels > 0).any((0, 2)))
        near = np.isin(np.arange(96), [rows + shift for shift in range(-4, 5)])  # things drift a little
        assert not changed[:, ~near].any()
        rest = render_clip(seed, still), render_clip(seed, replace(still, motion_blur=1.0))
        assert np.abs(rest[0].frames.astype(int) - rest[1].frames).mean() < 0.5  # trembling alone
    assert smeared > 2000


def test_a_panning_camera_smears_the_ground() -> None:
    panning = replace(SHARP, motions=("still",), kinds=(("appearance", 1.0),), backgrounds=("grain",), pan=0.5)
    sharpness = []
    for share in (0.0, 1.0):
        frames = np.concatenate([render_clip(seed, replace(panning, motion_blur=share)).frames for seed in range(8)])
        sharpness.append(np.abs(np.diff(frames.astype(int), axis=2)).mean())
    assert sharpness[1] < 0.85 * sharpness[0]


def test_h264_changes_little_and_always_the_same() -> None:
    for seed in range(3):
        coded, plain = with_and_without(seed, h264=1.0)
        assert coded.shape == plain.shape and coded.dtype == np.uint8
        assert not np.array_equal(coded, plain)
        assert np.abs(coded.astype(int) - plain).mean() < 6
        assert np.array_equal(coded, with_and_without(seed, h264=1.0)[0])


def test_short_clips_are_pictures_and_no_video() -> None:
    short = replace(SHARP, frames=3)
    assert np.array_equal(render_clip(0, replace(short, h264=1.0)).frames, render_clip(0, short).frames)


def test_exposure_leaves_colours_nearest_to_their_own_name() -> None:
    rng = random.Random(0)
    samples = {name: np.array([colour.sample(rng) for _ in range(200)]) for name, colour in COLOURS.items()}
    tones = [np.array([rng.choice(GAIN)] * 3) * [rng.choice(WHITE_BALANCE) for _ in range(3)] for _ in range(20)]
    for name, colours in samples.items():
        for tone in tones:
            exposed = to_lab(np.clip(colours * tone, 0, 255))
            nearest = {
                other: np.linalg.norm(exposed[:, None] - to_lab(others), axis=-1).min(1)
                for other, others in samples.items()
            }
            assert all((nearest[name] < nearest[other]).all() for other in COLOURS if other != name)
    dark, plain = with_and_without(5, exposure=1.0)
    assert 0 < np.abs(dark.astype(int) - plain).mean() < 25


@pytest.mark.parametrize("family", HELD_OUT_FAMILIES)
def test_held_out_grounds_are_drawn_and_never_in_training(family: str) -> None:
    assert family not in FAMILIES and family not in World().backgrounds
    field = HELD_OUT_FAMILIES[family](random.Random(1), 72, 96)
    assert field.shape == (72, 96) and field.dtype == np.uint8 and np.ptp(field) > 100
    assert np.array_equal(field, HELD_OUT_FAMILIES[family](random.Random(1), 72, 96))
    clip = render_clip(1, replace(SHARP, backgrounds=(family,)))
    assert len(np.unique(clip.frames[0][clip.labels[0] == 0], axis=0)) > 1


def test_unknown_grounds_are_refused() -> None:
    with pytest.raises(InputError, match="bricks"):
        replace(FULL, backgrounds=("sea",))
