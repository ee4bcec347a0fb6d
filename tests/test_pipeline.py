"""The contract of the Python interface, and the way from a clip file to results on disk, with the nano model."""

from __future__ import annotations

import json
import shutil
import weakref
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch.nn.functional as F

import mpgsam2
from mpgsam2 import InputError, synthetic
from mpgsam2.config import CalibrationConfig
from mpgsam2.export import rle_decode, verdict_record
from mpgsam2.metrics import contour_accuracy, region_similarity
from mpgsam2.network.model import PARTS
from mpgsam2.pipeline import check_request, segment_file, tell, warn_unknown, write_results
from mpgsam2.verdict import conclude
from mpgsam2.video import VideoWriter, open_clip

SENTENCE = "the red circle"


class CountedFrames:
    """Frames that count how many of them each pass has read, and how many are still held by somebody."""

    def __init__(self, frames: np.ndarray) -> None:
        self.frames = frames
        self.read: list[int] = []
        self.held: weakref.WeakValueDictionary[tuple[int, int], np.ndarray] = weakref.WeakValueDictionary()

    def __iter__(self) -> Iterator[np.ndarray]:
        number = len(self.read)
        self.read.append(0)
        for i in range(len(self.frames)):
            self.read[number] += 1
            frame = self.frames[i].copy()
            self.held[number, i] = frame
            yield frame
            del frame


@pytest.fixture
def idle(model: mpgsam2.MPGSAM2, monkeypatch: pytest.MonkeyPatch) -> mpgsam2.MPGSAM2:
    """The model, but it must not be run."""

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("the model was run")

    monkeypatch.setattr(model, "encode_clip", refuse)
    monkeypatch.setattr(model, "track", refuse)
    return model


def record(folder: Path) -> dict:
    return json.loads((folder / "result.json").read_text(encoding="utf-8"))


# ---------------------------------------------------------------------------------------------------------- contract


def test_segment_gives_one_result_per_frame_in_the_frames_own_size(
    model: mpgsam2.MPGSAM2, scene: synthetic.Clip
) -> None:
    frames = scene.frames[:, :61, :53]
    grid = model.config.encoder.grid
    results = list(model.segment(frames, SENTENCE))
    assert [r.index for r in results] == list(range(len(frames)))
    for r in results:
        assert isinstance(r, mpgsam2.FrameResult)
        assert r.mask.shape == r.probability.shape == (61, 53)
        assert (r.mask.dtype, r.probability.dtype, r.prior.dtype) == (bool, np.float32, np.float32)
        assert r.prior.shape == (grid, grid)
        assert r.prior.min() >= 0 and r.prior.max() <= 1
        assert r.probability.min() >= 0 and r.probability.max() <= 1
        assert np.array_equal(r.mask, r.probability >= 0.5)
        assert 0 <= r.object_score <= 1
        assert isinstance(r.object_score, float) and isinstance(r.iou, float)


def test_a_level_below_tensors_have_the_contracts_shapes(model: mpgsam2.MPGSAM2, scene: synthetic.Clip) -> None:
    net = mpgsam2.MPGSAM2.from_state_dict(model.state_dict())
    assert net.config == replace(model.config, calibration=CalibrationConfig())  # which no tensor's shape tells
    ids = model.tokenizer.encode(SENTENCE)
    count, c, g = len(scene.frames), net.config.tracker.width, net.config.encoder.grid
    h = net.config.tracker.grid

    context = net.encode_clip(scene.frames, ids)
    assert context.prior.shape == (count, 1, g, g)
    assert context.global_context.shape == (count * g * g, c)
    assert context.sparse_prompts.shape == (count, 1, c)
    assert context.text_features.shape == (count, len(ids), c)

    outputs = list(net.track(scene.frames, context))
    assert len(outputs) == count
    for out in outputs:
        assert out.low_res_logits.shape == (4 * h, 4 * h)
        assert out.object_pointer.shape == (c,)
        assert out.object_score_logit.shape == ()
        assert out.iou.shape == (3,)
        assert out.memory_conditioned_features.shape == (c, h, h)


def test_segment_is_encode_clip_then_track(model: mpgsam2.MPGSAM2, scene: synthetic.Clip) -> None:
    context = model.encode_clip(scene.frames, model.tokenizer.encode(SENTENCE))
    outputs = list(model.track(scene.frames, context))
    for r, out, prior in zip(model.segment(scene.frames, SENTENCE), outputs, context.prior[:, 0].numpy(), strict=True):
        assert np.array_equal(r.prior, prior)
        temperatures = model.config.calibration
        score = (out.object_score_logit / temperatures.object_temperature).sigmoid()
        iou = (out.iou.max().logit() / temperatures.iou_temperature).sigmoid()
        assert (r.object_score, r.iou) == (pytest.approx(float(score)), pytest.approx(float(iou), abs=1e-6))
        logits = out.low_res_logits[None, None]
        for size in ((model.config.tracker.image_size,) * 2, scene.frames.shape[1:3]):
            logits = F.interpolate(logits, size, mode="bilinear")
        np.testing.assert_allclose(r.probability, logits[0, 0].sigmoid(), atol=1e-6)


def test_frames_are_read_once_for_the_prior_and_then_one_at_a_time(
    model: mpgsam2.MPGSAM2, scene: synthetic.Clip, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(model, "window", None)
    frames = CountedFrames(scene.frames)
    results = model.segment(frames, SENTENCE)
    next(results)
    next(results)
    assert sorted(frames.read) == [2, len(scene.frames)]
    assert len(list(results)) == len(scene.frames) - 2
    assert frames.read == [len(scene.frames)] * 2


def test_frames_are_let_go_when_read(model: mpgsam2.MPGSAM2, scene: synthetic.Clip) -> None:
    frames = CountedFrames(np.concatenate([scene.frames, scene.frames]))
    # Of each pass the frame just read, and the first one of the window, whose size the results take.
    assert max(len(frames.held) for _ in model.segment(frames, SENTENCE)) <= 3


def test_frames_that_can_be_read_only_once_give_the_same(model: mpgsam2.MPGSAM2, scene: synthetic.Clip) -> None:
    again = model.segment(scene.frames, SENTENCE)
    for a, b in zip(model.segment(iter(scene.frames), SENTENCE), again, strict=True):
        assert np.array_equal(a.probability, b.probability)


def test_a_clip_longer_than_the_window_is_cut_in_windows(
    model: mpgsam2.MPGSAM2, scene: synthetic.Clip, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(model, "window", 2)
    frames = CountedFrames(scene.frames)
    whole = list(model.segment(frames, SENTENCE))
    parts = [r for start in (0, 2, 4) for r in model.segment(scene.frames[start : start + 2], SENTENCE)]
    assert frames.read == [5, 5]
    assert [r.index for r in whole] == [0, 1, 2, 3, 4]
    for a, b in zip(whole, parts, strict=True):
        assert np.array_equal(a.prior, b.prior) and np.array_equal(a.probability, b.probability)


def test_a_window_longer_than_the_clip_changes_nothing(
    model: mpgsam2.MPGSAM2, scene: synthetic.Clip, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = []
    for window in (None, 50):
        monkeypatch.setattr(model, "window", window)
        answers.append([r.probability for r in model.segment(scene.frames, SENTENCE)])
    assert np.array_equal(*answers)


@pytest.mark.parametrize("part", sorted(PARTS))
def test_without_a_part_the_masks_are_others_and_the_prior_is_the_same(
    model: mpgsam2.MPGSAM2, scene: synthetic.Clip, part: str
) -> None:
    present = "the yellow star"  # what is judged absent has no mask to change
    whole = list(model.segment(scene.frames, present))
    less = list(model.segment(scene.frames, present, without=frozenset({part})))
    differs = [not np.array_equal(a.probability, b.probability) for a, b in zip(whole, less, strict=True)]
    # The first frame has no history to go without.
    assert differs == [part != "history", *[True] * (len(whole) - 1)]
    assert all(np.array_equal(a.prior, b.prior) for a, b in zip(whole, less, strict=True))


def test_without_history_every_frame_is_a_first_one(model: mpgsam2.MPGSAM2, scene: synthetic.Clip) -> None:
    context = model.encode_clip(scene.frames, model.tokenizer.encode(SENTENCE))
    forgetful = list(model.track(scene.frames, context, without=frozenset({"history", "global_context"})))
    alone = context._replace(prior=context.prior[3:], sparse_prompts=context.sparse_prompts[3:])
    first = next(iter(model.track(scene.frames[3:], alone, without=frozenset({"global_context"}))))
    np.testing.assert_allclose(forgetful[3].low_res_logits, first.low_res_logits, atol=1e-5)


def test_metrics_take_a_frame_or_a_clip(scene: synthetic.Clip) -> None:
    truth = scene.mask(0)
    for score in (region_similarity, contour_accuracy):
        assert score(truth[0], truth[0]) == 1.0
        assert score(truth, truth).shape == (len(truth),)


# ---------------------------------------------------------------------------------------------------------- on disk


def test_segment_file_writes_what_segment_yields(model: mpgsam2.MPGSAM2, clip_file: Path, tmp_path: Path) -> None:
    folder = tmp_path / "new" / "results"
    clip = open_clip(clip_file)
    steps = list(segment_file(model, clip_file, SENTENCE, folder, without={"history"}))
    direct = list(model.segment(clip, SENTENCE, without=frozenset({"history"})))

    assert [step.index for step in steps] == [0, 1, 2, 3, 4]
    assert {step.total for step in steps} == {5}
    assert {path.name for path in folder.iterdir()} == {"overlay.mp4", "prior.mp4", "masks.mp4", "masks", "result.json"}
    written = record(folder)
    assert written["complete"] is True
    assert (written["expression"], written["model"]) == (SENTENCE, model.name)
    assert written["parameters"] == {"without": ["history"], "window": model.window}
    assert written["versions"]["mpgsam2"] == mpgsam2.__version__
    assert len(list((folder / "masks").iterdir())) == len(written["frames"]) == 5
    for step, r, entry, frame in zip(steps, direct, written["frames"], clip, strict=True):
        assert np.array_equal(step.frame, frame)
        assert np.array_equal(step.result.probability, r.probability)
        picture = cv2.imread(str(folder / "masks" / f"{r.index:05d}.png"), cv2.IMREAD_UNCHANGED)
        assert np.array_equal(picture, np.where(r.mask, 255, 0))
        assert np.array_equal(rle_decode(entry["rle"]), r.mask)
        assert entry["area"] == r.mask.sum()
    for name in ("overlay.mp4", "prior.mp4", "masks.mp4"):
        video = open_clip(folder / name)
        assert (video.width, video.height, video.frame_count) == (clip.width, clip.height, 5)
        assert video.fps == Fraction(30000, 1001)


def test_the_verdict_is_that_of_the_masks_so_far(model: mpgsam2.MPGSAM2, tmp_path: Path) -> None:
    clip, folder = tmp_path / "red circle.mp4", tmp_path / "results"
    with VideoWriter(clip, 96, 72, Fraction(12)) as writer:
        for i in range(6):
            frame = np.full((72, 96, 3), 190, np.uint8)
            writer.write(cv2.circle(frame, (20 + 10 * i, 36), 15, (220, 20, 20), -1))
    steps = list(segment_file(model, clip, SENTENCE, folder))

    pictures = [cv2.imread(str(path), cv2.IMREAD_UNCHANGED) for path in sorted((folder / "masks").iterdir())]
    found = [bool(picture.any()) for picture in pictures]
    scores = [round(step.result.object_score, 4) for step in steps]
    assert [step.verdict for step in steps] == [conclude(found[:n], scores[:n]) for n in range(1, 7)]
    verdict = record(folder)["verdict"]
    assert verdict == verdict_record(steps[-1].verdict)
    assert verdict["present"] and verdict["sentence"].startswith("Found in ")
    inside = {i for first, last in verdict["found"] for i in range(first, last + 1)}
    assert inside == {i for i, mask in enumerate(found) if mask}


@pytest.mark.parametrize(
    ("found", "scores", "told"),
    [
        ("0110", [0.1, 0.98, 0.9, 0.1], "Found in frames 2–3 of 4. I am 98 % sure."),
        ("1111", [1.0] * 4, "Found in all 4 frames. I am 99 % sure."),
        ("0110", [0.1, 0.2, 0.3, 0.1], "Probably not in this clip. I am 70 % sure, but it may be in frames 2–3 of 4."),
        ("1111", [0.4] * 4, "Probably not in this clip. I am 60 % sure, but it may be in all 4 frames."),
        ("0000", [0.1] * 4, "Probably not in this clip. I am 90 % sure."),
    ],
)
def test_a_verdict_is_told_with_how_sure_it_is(found: str, scores: list[float], told: str) -> None:
    assert tell(conclude([mask == "1" for mask in found], scores)) == told


def test_progress_tells_the_time(model: mpgsam2.MPGSAM2, clip_file: Path, tmp_path: Path) -> None:
    steps = list(segment_file(model, clip_file, SENTENCE, tmp_path))
    seconds = [step.seconds for step in steps]
    assert seconds[0] > 0 and seconds == sorted(seconds)
    assert steps[0].seconds_left is None
    assert all(step.seconds_left > 0 for step in steps[1:-1]) and steps[-1].seconds_left == 0
    assert steps[-1].frames_per_second == pytest.approx(5 / seconds[-1])


def test_closing_early_keeps_what_is_done_and_stops_the_model(
    model: mpgsam2.MPGSAM2, clip_file: Path, tmp_path: Path
) -> None:
    clip = open_clip(clip_file)
    results = model.segment(clip, SENTENCE)
    steps = write_results(clip, results, tmp_path, model=model, expression=SENTENCE)
    next(steps)
    next(steps)
    steps.close()
    assert next(results, None) is None
    written = record(tmp_path)
    assert written["complete"] is False and len(written["frames"]) == 2
    done = [entry["area"] > 0 for entry in written["frames"]]
    assert written["verdict"] == verdict_record(conclude(done, [entry["object_score"] for entry in written["frames"]]))
    assert sorted(path.name for path in (tmp_path / "masks").iterdir()) == ["00000.png", "00001.png"]
    assert open_clip(tmp_path / "overlay.mp4").frame_count == 2


def test_a_frame_lost_on_the_way_is_said_and_what_is_done_stays(
    model: mpgsam2.MPGSAM2, scene: synthetic.Clip, tmp_path: Path
) -> None:
    frames, folder = tmp_path / "frames", tmp_path / "results"
    frames.mkdir()
    for i, frame in enumerate(scene.frames):
        cv2.imwrite(str(frames / f"{i}.png"), frame)
    steps = segment_file(model, frames, SENTENCE, folder)
    next(steps)
    (frames / "3.png").unlink()
    with pytest.raises(InputError, match=r"“3\.png”"):
        list(steps)
    assert record(folder)["complete"] is False
    assert [entry["index"] for entry in record(folder)["frames"]] == [0, 1, 2]


def test_results_that_can_no_longer_be_written_are_an_input_error(
    model: mpgsam2.MPGSAM2, clip_file: Path, tmp_path: Path
) -> None:
    steps = segment_file(model, clip_file, SENTENCE, tmp_path / "results")
    next(steps)
    shutil.rmtree(tmp_path / "results")
    with pytest.raises(InputError, match="make room"):
        list(steps)


def test_a_second_run_replaces_the_first(model: mpgsam2.MPGSAM2, clip_file: Path, tmp_path: Path) -> None:
    list(segment_file(model, clip_file, SENTENCE, tmp_path))
    steps = segment_file(model, clip_file, "the blue square", tmp_path)
    next(steps)
    steps.close()
    assert record(tmp_path)["expression"] == "the blue square"
    assert len(list((tmp_path / "masks").iterdir())) == 1


# ---------------------------------------------------------------------------------------------------------- bad input


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"expression": "  "}, "empty"),
        ({"expression": "?!"}, "no word"),
        ({"expression": "red " * 60}, "too long"),
        ({"clip": ""}, "No clip"),
        ({"clip": "nowhere.mp4"}, "no clip “nowhere.mp4”"),
        ({"clip": __file__}, "not a video"),
        ({"without": {"prior", "memory"}}, "'memory'"),
    ],
)
def test_bad_input_is_refused_at_the_call(
    idle: mpgsam2.MPGSAM2, clip_file: Path, tmp_path: Path, changes: dict, message: str
) -> None:
    request = {"clip": clip_file, "expression": SENTENCE, "folder": tmp_path / "results", **changes}
    with pytest.raises(InputError, match=message) as caught:
        segment_file(idle, **request)
    assert str(tmp_path) not in str(caught.value)
    assert not (tmp_path / "results").exists()


def test_check_request_says_the_same_without_a_clip(idle: mpgsam2.MPGSAM2) -> None:
    check_request(idle, SENTENCE, {"prior"})
    with pytest.raises(InputError, match="empty"):
        check_request(idle, "")
    with pytest.raises(InputError, match="'memory'"):
        check_request(idle, SENTENCE, {"memory"})


def test_a_folder_that_cannot_be_one_is_refused(idle: mpgsam2.MPGSAM2, clip_file: Path, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file")
    for folder in (tmp_path / "taken", tmp_path / "taken" / "below", tmp_path / ("x" * 300)):
        with pytest.raises(InputError, match="choose another folder") as caught:
            segment_file(idle, clip_file, SENTENCE, folder)
        assert str(tmp_path) not in str(caught.value)


def test_results_never_replace_their_own_clip(
    idle: mpgsam2.MPGSAM2, clip_file: Path, scene: synthetic.Clip, tmp_path: Path
) -> None:
    overlay, masks = tmp_path / "overlay.mp4", tmp_path / "masks"
    shutil.copy(clip_file, overlay)
    masks.mkdir()
    cv2.imwrite(str(masks / "00000.png"), scene.frames[0])
    for clip in (overlay, masks):
        with pytest.raises(InputError, match="replace the clip"):
            segment_file(idle, clip, SENTENCE, tmp_path)
    assert overlay.is_file() and (masks / "00000.png").is_file()


def test_a_model_without_a_tokenizer_says_so(model: mpgsam2.MPGSAM2, scene: synthetic.Clip) -> None:
    net = mpgsam2.MPGSAM2.from_state_dict(model.state_dict())
    with pytest.raises(InputError, match="load_model"):
        net.segment(scene.frames, SENTENCE)


def test_unknown_words_are_named(model: mpgsam2.MPGSAM2) -> None:
    assert warn_unknown(model, "the red circle on the left") is None
    assert "the word “dog” " in warn_unknown(model, "the red dog")
    assert "the words “barking” and “dog” " in warn_unknown(model, "the barking black dog, a dog")
