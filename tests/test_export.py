"""A run's files, and COCO run lengths against pycocotools' own."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest
from pycocotools import mask as coco

from mpgsam2.export import Exporter, rle_decode, rle_encode, verdict_record
from mpgsam2.results import FrameResult
from mpgsam2.verdict import conclude
from mpgsam2.video import Clip, VideoWriter, open_clip

FRAMES, WIDTH, HEIGHT = 7, 65, 47


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Clip:
    path = tmp_path_factory.mktemp("secret place") / "a red ball.mp4"
    with VideoWriter(path, WIDTH - 1, HEIGHT - 1, Fraction(30000, 1001)) as writer:
        for index in range(FRAMES):
            writer.write(np.full((HEIGHT - 1, WIDTH - 1, 3), 30 * index, np.uint8))
    return open_clip(path)


def results(clip: Clip) -> list[FrameResult]:
    rows, columns = np.mgrid[: clip.height, : clip.width]
    answers = []
    for index in range(clip.frame_count):
        probability = np.exp(-((rows - 20) ** 2 + (columns - 8 * index) ** 2) / 100).astype(np.float32)
        prior = cv2.resize(probability, (14, 14), interpolation=cv2.INTER_AREA)
        answers.append(FrameResult(index, probability > 0.5, probability, prior, 1 / (index + 1), np.float32(1 / 3)))
    return answers


def export(folder: Path, clip: Clip, count: int | None = None) -> dict:
    with Exporter(folder, clip, expression="der rote Bär", model="nano", parameters={"without": ["prior"]}) as exporter:
        for frame, result in list(zip(clip, results(clip), strict=True))[:count]:
            exporter.add(frame, result)
    return json.loads((folder / "result.json").read_text(encoding="utf-8"))


def test_a_run_leaves_its_files_and_nothing_else(tmp_path: Path, clip: Clip) -> None:
    export(tmp_path / "out", clip)
    names = sorted(str(path.relative_to(tmp_path / "out")) for path in (tmp_path / "out").rglob("*"))
    pngs = [f"masks/{index:05d}.png" for index in range(FRAMES)]
    assert names == sorted(["masks", *pngs, "masks.mp4", "overlay.mp4", "prior.mp4", "result.json"])


def test_the_videos_have_the_clip_s_frames_size_and_rate(tmp_path: Path, clip: Clip) -> None:
    export(tmp_path, clip)
    for name in ("overlay.mp4", "prior.mp4", "masks.mp4"):
        video = open_clip(tmp_path / name)
        assert (video.width, video.height, video.fps) == (clip.width, clip.height, clip.fps)
        assert video.frame_count == FRAMES


def test_the_videos_show_what_they_should(tmp_path: Path, clip: Clip) -> None:
    export(tmp_path, clip)
    answer = results(clip)[3]
    overlay, prior, masks = (list(open_clip(tmp_path / f"{name}.mp4"))[3] for name in ("overlay", "prior", "masks"))
    far_off = np.s_[30:, 50:]
    np.testing.assert_allclose(overlay[far_off], 90, atol=3)
    assert np.abs(np.int16(overlay[answer.mask]) - 90).mean() > 20
    for picture in (prior, masks):
        assert picture[answer.mask].mean() > picture[~answer.mask].mean() + 50
    assert masks[far_off].mean() < 5 < prior[far_off].mean()


def test_masks_are_0_and_255_in_the_clip_s_size(tmp_path: Path, clip: Clip) -> None:
    export(tmp_path, clip)
    for result in results(clip):
        image = cv2.imread(str(tmp_path / f"masks/{result.index:05d}.png"), cv2.IMREAD_UNCHANGED)
        assert image.shape == (clip.height, clip.width) and image.dtype == np.uint8
        np.testing.assert_array_equal(image, result.mask * np.uint8(255))


def test_the_record_of_a_whole_run(tmp_path: Path, clip: Clip) -> None:
    record = export(tmp_path, clip)
    assert record["complete"] is True
    assert record["expression"] == "der rote Bär"
    assert record["clip"] == {
        "name": "a red ball.mp4",
        "sha256": clip.sha256(),
        "width": 64,
        "height": 46,
        "frames": FRAMES,
        "fps": "30000/1001",
        "variable_rate": False,
    }
    assert record["model"] == "nano"
    assert record["parameters"] == {"without": ["prior"]}
    assert {"python", "torch", "sam2", "numpy"} <= record["versions"].keys()
    for entry, result in zip(record["frames"], results(clip), strict=True):
        assert entry["index"] == result.index
        assert entry["area"] == result.mask.sum()
        assert entry["object_score"] == pytest.approx(result.object_score, abs=1e-4)
        assert entry["iou"] == 0.3333
        np.testing.assert_array_equal(rle_decode(entry["rle"]), result.mask)
    sentence = f"Found in all {FRAMES} frames."
    found = [[0, FRAMES - 1]]
    assert record["verdict"] == {"sentence": sentence, "present": True, "confidence": 1.0, "found": found}


def test_a_verdict_is_recorded_with_the_first_and_last_frames_of_its_runs() -> None:
    assert verdict_record(conclude([False, True, True, False, True], [0.0, 0.876543, 0.7, 0.3, 0.6])) == {
        "sentence": "Found in frames 2–3 and 5 of 5.",
        "present": True,
        "confidence": 0.8765,
        "found": [[1, 2], [4, 4]],
    }


def test_the_record_gives_nothing_of_the_machine_away(tmp_path: Path, clip: Clip) -> None:
    export(tmp_path, clip)
    text = (tmp_path / "result.json").read_text(encoding="utf-8")
    assert "secret place" not in text
    assert str(tmp_path) not in text


def test_a_run_that_is_stopped_keeps_what_it_has(tmp_path: Path, clip: Clip) -> None:
    record = export(tmp_path, clip, count=3)
    assert record["complete"] is False
    assert [entry["index"] for entry in record["frames"]] == [0, 1, 2]
    assert record["verdict"]["sentence"] == "Found in all 3 frames."
    assert open_clip(tmp_path / "overlay.mp4").frame_count == 3
    assert len(list((tmp_path / "masks").iterdir())) == 3


def test_a_run_that_fails_keeps_what_it_has(tmp_path: Path, clip: Clip) -> None:
    with pytest.raises(RuntimeError), Exporter(tmp_path, clip, expression="x", model="nano") as exporter:
        exporter.add(next(iter(clip)), results(clip)[0])
        raise RuntimeError
    record = json.loads((tmp_path / "result.json").read_text())
    assert record["complete"] is False and len(record["frames"]) == 1
    assert open_clip(tmp_path / "prior.mp4").frame_count == 1


def test_a_run_stopped_before_its_first_frame(tmp_path: Path, clip: Clip) -> None:
    record = export(tmp_path, clip, count=0)
    assert (record["complete"], record["frames"], record["verdict"]) == (False, [], None)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["masks", "result.json"]


def test_a_second_run_replaces_the_first(tmp_path: Path, clip: Clip) -> None:
    export(tmp_path, clip)
    (tmp_path / "notes.txt").write_text("mine")
    record = export(tmp_path, clip, count=2)
    assert record["complete"] is False
    assert sorted(path.name for path in (tmp_path / "masks").iterdir()) == ["00000.png", "00001.png"]
    assert open_clip(tmp_path / "masks.mp4").frame_count == 2
    assert (tmp_path / "notes.txt").read_text() == "mine"


def test_odd_sizes_keep_their_masks(tmp_path: Path) -> None:
    (tmp_path / "frames").mkdir()
    for index in range(2):
        cv2.imwrite(str(tmp_path / f"frames/{index}.png"), np.zeros((HEIGHT, WIDTH, 3), np.uint8))
    clip = open_clip(tmp_path / "frames")
    record = export(tmp_path / "out", clip)
    assert record["frames"][0]["rle"]["size"] == [HEIGHT, WIDTH]
    assert cv2.imread(str(tmp_path / "out/masks/00001.png"), cv2.IMREAD_UNCHANGED).shape == (HEIGHT, WIDTH)
    assert open_clip(tmp_path / "out/overlay.mp4").width == WIDTH + 1


# ------------------------------------------------------------------------------------------------------ run lengths


def masks() -> list[np.ndarray]:
    generator = np.random.default_rng(7)
    noise = [generator.random(generator.integers(1, 120, 2)) < generator.random() for _ in range(60)]
    blob = np.zeros((480, 854), bool)
    blob[100:300, 200:700] = True
    corner = np.zeros((5, 4), bool)
    corner[0, 0] = corner[-1, -1] = True
    return [*noise, blob, ~blob, corner, ~corner, np.zeros((3, 7), bool), np.ones((3, 7), bool), np.ones((1, 1), bool)]


def test_run_lengths_are_pycocotools_own() -> None:
    for mask in masks():
        theirs = coco.encode(np.asfortranarray(mask, np.uint8))
        assert rle_encode(mask) == {"size": theirs["size"], "counts": theirs["counts"].decode()}


def test_run_lengths_give_the_mask_back() -> None:
    for mask in masks():
        decoded = rle_decode(rle_encode(mask))
        assert decoded.dtype == bool
        np.testing.assert_array_equal(decoded, mask)


def test_run_lengths_of_another_size_are_refused() -> None:
    with pytest.raises(ValueError, match="runs of 12 pixels in a mask of 3 × 5"):
        rle_decode({**rle_encode(np.ones((3, 4), bool)), "size": [3, 5]})
