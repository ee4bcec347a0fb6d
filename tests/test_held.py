"""Frames are decoded once in a run."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

import mpgsam2
from mpgsam2.export.pipeline import segment_file
from mpgsam2.video import Selection, VideoWriter, clip, held, hold, open_clip, select

FRAMES, BYTES = 9, 40 * 48 * 3


@pytest.fixture
def path(tmp_path: Path) -> Path:
    with VideoWriter(tmp_path / "clip.mp4", 48, 40, Fraction(12)) as writer:
        for index in range(FRAMES):
            writer.write(np.full((40, 48, 3), 25 * index, np.uint8))
    return tmp_path / "clip.mp4"


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The numbers of the frames that are decoded from now on."""
    numbers_decoded: list[int] = []
    decode = clip.file_frames

    def counting(path: Path, numbers: range) -> Iterator[np.ndarray]:
        for number, frame in zip(numbers, decode(path, numbers), strict=True):
            numbers_decoded.append(number)
            yield frame

    monkeypatch.setattr(clip, "file_frames", counting)
    return numbers_decoded


def test_a_run_decodes_each_frame_once(
    model: mpgsam2.Segmenter, path: Path, decoded: list[int], tmp_path: Path
) -> None:
    part = select(open_clip(path), Selection(first=1, every=2))
    assert len(list(segment_file(model, part, "the red circle", tmp_path / "out"))) == 4
    assert decoded == [1, 3, 5, 7]


def test_of_a_long_clip_it_holds_the_newest(
    model: mpgsam2.Segmenter, path: Path, decoded: list[int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    together = [step.results[0].mask for step in segment_file(model, path, "the red circle", tmp_path / "all")]
    monkeypatch.setattr(held, "HELD_BYTES", 5 * BYTES)
    decoded.clear()
    in_parts = [step.results[0].mask for step in segment_file(model, path, "the red circle", tmp_path / "newest")]
    np.testing.assert_array_equal(in_parts, together)
    assert 2 * FRAMES <= len(decoded) <= 3 * FRAMES


@pytest.mark.parametrize("frames_held", [0, 1, 4, FRAMES])
def test_frames_are_those_of_the_clip_in_whatever_order(
    path: Path, frames_held: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(held, "HELD_BYTES", frames_held * BYTES)
    plain = open_clip(path)
    expected, clip = list(plain), hold(plain)
    for numbers in (range(FRAMES), range(FRAMES), range(3, 7), range(0, FRAMES, 2), range(5, 5), range(8, 9)):
        assert [np.array_equal(a, expected[n]) for a, n in zip(clip.read(numbers), numbers, strict=True)] == (
            [True] * len(numbers)
        )
    behind, ahead = iter(clip), iter(clip)
    next(ahead)
    for one, (earlier, later) in zip(ahead, pairwise(expected), strict=True):
        np.testing.assert_array_equal(one, later)
        np.testing.assert_array_equal(next(behind), earlier)


def test_who_follows_closely_decodes_nothing(path: Path, decoded: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(held, "HELD_BYTES", 2 * BYTES)
    clip = hold(open_clip(path))
    for one, other in zip(clip, clip, strict=True):
        assert one is other
    assert decoded == list(range(FRAMES))


def test_it_goes_to_another_process_without_its_frames(path: Path) -> None:
    clip = hold(select(open_clip(path), Selection(first=2, longest_side=24)))
    frames = list(clip)
    sent = pickle.dumps(clip)
    assert len(sent) < BYTES / 2
    arrived = pickle.loads(sent)
    assert arrived.numbers == clip.numbers and (arrived.width, arrived.height) == (24, 20)
    np.testing.assert_array_equal(list(arrived), frames)
    assert select(clip, Selection(first=1)).numbers == range(3, FRAMES)
