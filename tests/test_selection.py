"""A part of a clip is a clip: the frames asked for, at the size asked for, and no work for the others."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

import mpgsam2
from mpgsam2 import InputError, Selection
from mpgsam2.video import Clip, VideoWriter, open_clip, select
from mpgsam2.video.display import Display
from mpgsam2.video.file import _Decoding

FRAMES, WIDTH, HEIGHT = 10, 90, 60


def picture(number: int) -> np.ndarray:
    """A frame whose grey tells its number, with a black right half."""
    frame = np.full((HEIGHT, WIDTH, 3), 25 * number, np.uint8)
    frame[:, WIDTH // 2 :] = 0
    return frame


@pytest.fixture(scope="module", params=["video", "folder"])
def clip(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Clip:
    """Ten frames of a video file or a folder of images."""
    path = tmp_path_factory.mktemp("clips") / ("clip.mp4" if request.param == "video" else "clip")
    if request.param == "video":
        with VideoWriter(path, WIDTH, HEIGHT, Fraction(30000, 1001)) as writer:
            for number in range(FRAMES):
                writer.write(picture(number))
    else:
        path.mkdir()
        for number in range(FRAMES):
            cv2.imwrite(str(path / f"{number}.png"), picture(number))
    return open_clip(path)


def numbers(frames: Clip) -> list[int]:
    """Those that the frames' greys tell."""
    return [round(float(frame[5, 5].mean()) / 25) for frame in frames]


@pytest.mark.parametrize(
    ("selection", "expected"),
    [
        (Selection(), range(10)),
        (Selection(first=3), range(3, 10)),
        (Selection(last=0), range(1)),
        (Selection(first=9, last=9), [9]),
        (Selection(first=2, last=7, every=2), [2, 4, 6]),
        (Selection(every=4), [0, 4, 8]),
        (Selection(first=1, every=50), [1]),
    ],
)
def test_the_frames_asked_for_and_no_others(clip: Clip, selection: Selection, expected: range) -> None:
    part = select(clip, selection)
    assert numbers(part) == numbers(part) == list(part.numbers) == list(expected)
    assert part.frame_count == len(expected)
    assert part.fps == clip.fps / selection.every
    assert part.duration == pytest.approx(len(expected) * selection.every / float(clip.fps))
    assert (part.width, part.height) == (WIDTH, HEIGHT)
    for frame, number in zip(part, part.numbers, strict=True):
        assert np.array_equal(frame, list(clip)[number])


def test_what_it_is_a_part_of_stays_known(clip: Clip) -> None:
    selection = Selection(first=1, longest_side=30)
    part = select(clip, selection)
    assert isinstance(part, Clip)
    assert (part.source, part.selection) == (clip, selection)
    assert (part.path, part.name, part.variable_rate) == (clip.path, clip.name, False)
    assert part.sha256() == clip.sha256()


@pytest.mark.parametrize(
    ("longest", "size"), [(45, (45, 30)), (40, (40, 27)), (16, (16, 11)), (90, (90, 60)), (500, (90, 60))]
)
def test_frames_are_scaled_down_and_never_up(clip: Clip, longest: int, size: tuple[int, int]) -> None:
    part = select(clip, Selection(longest_side=longest))
    assert (part.width, part.height) == size
    for frame, whole in zip(part, clip, strict=True):
        assert frame.shape == (*size[::-1], 3) and frame.dtype == np.uint8
        assert np.array_equal(frame, cv2.resize(whole, size, interpolation=cv2.INTER_AREA))


def test_a_part_of_a_part(clip: Clip) -> None:
    part = select(select(clip, Selection(first=1, every=2, longest_side=60)), Selection(first=1, last=3, every=2))
    assert numbers(part) == [3, 7]
    assert (part.width, part.fps) == (60, clip.fps / 4)


def test_it_crosses_to_another_process_and_is_left_half_way(clip: Clip) -> None:
    part = pickle.loads(pickle.dumps(select(clip, Selection(first=4, every=3, longest_side=45))))
    frames = iter(part)
    assert next(frames).shape == (30, 45, 3)
    frames.close()
    assert next(frames, None) is None
    assert numbers(part) == [4, 7]


def test_images_that_are_not_taken_are_not_read(tmp_path: Path) -> None:
    for number in range(FRAMES):
        cv2.imwrite(str(tmp_path / f"{number}.png"), picture(number))
    part = select(open_clip(tmp_path), Selection(first=2, last=6, every=2))
    for number in (0, 1, 3, 5, 7, 8, 9):
        (tmp_path / f"{number}.png").write_bytes(b"no picture")
    assert numbers(part) == [2, 4, 6]


def test_a_video_is_converted_only_where_taken_and_read_no_further(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    decoded, converted = [], []
    frames, convert = _Decoding.frames, Display.picture

    def counted(decoding: _Decoding) -> Iterator[av.VideoFrame]:
        for frame in frames(decoding):
            decoded.append(frame.pts)
            yield frame

    def noted(display: Display, frame: av.VideoFrame) -> np.ndarray:
        converted.append(frame.pts)
        return convert(display, frame)

    with VideoWriter(tmp_path / "clip.mp4", WIDTH, HEIGHT, Fraction(30)) as writer:
        for number in range(FRAMES):
            writer.write(picture(number))
    part = select(open_clip(tmp_path / "clip.mp4"), Selection(first=1, last=6, every=3))
    monkeypatch.setattr(_Decoding, "frames", counted)
    monkeypatch.setattr(Display, "picture", noted)
    assert numbers(part) == [1, 4]
    assert (len(decoded), len(converted)) == (5, 2)


@pytest.mark.parametrize(
    ("selection", "sentence"),
    [
        (Selection(first=10), "no frame 10 in “clip"),
        (Selection(first=-1), "no frame -1"),
        (Selection(last=10), "which has 10 frames: they are counted from 0 to 9"),
        (Selection(first=5, last=4), "The last frame, 4, lies before the first, 5"),
        (Selection(every=0), "step of 0"),
        (Selection(every=-2), "step of -2"),
        (Selection(longest_side=15), "15 pixels are too small"),
    ],
)
def test_what_cannot_be_taken_is_refused(clip: Clip, selection: Selection, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        select(clip, selection)


def test_the_model_sees_the_part(model: mpgsam2.Segmenter, clip_file: Path) -> None:
    part = select(open_clip(clip_file), Selection(first=1, every=2, longest_side=40))
    results = list(model.segment(part, "the red circle"))
    assert [result.index for result in results] == [0, 1]
    assert results[0].mask.shape == (part.height, part.width)
    assert part.width == 40
