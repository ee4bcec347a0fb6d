"""The contract of the Python interface, and the way from a clip file to results on disk, with the nano model."""

from __future__ import annotations

import shutil
import weakref
from collections import namedtuple
from collections.abc import Callable, Iterable, Iterator
from errno import EDQUOT, EIO, ENOSPC, EROFS
from fractions import Fraction
from pathlib import Path
from zipfile import ZipFile

import cv2
import numpy as np
import pytest
import torch
import torch.nn.functional as F

import mpgsam2
from mpgsam2 import InputError, Query, Selection
from mpgsam2.export import read_record, verdict_record, why_unwritten
from mpgsam2.export.drawing import Look
from mpgsam2.export.pipeline import Progress, check_request, segment_file, warn_unknown, write_results
from mpgsam2.inference.capacity import bytes_per_frame, frames_that_fit
from mpgsam2.inference.segmenter import Answer
from mpgsam2.inference.verdict import conclude
from mpgsam2.metrics import contour_accuracy, region_similarity
from mpgsam2.nano import synthetic
from mpgsam2.network.ahead import in_one_thread
from mpgsam2.network.beit3 import BEiT3, VisionEmbedding
from mpgsam2.network.parts import Part
from mpgsam2.network.tracker import Tracker
from mpgsam2.video import EncoderError, VideoWriter, open_clip, select
from mpgsam2.video.ground_truth import GroundTruth

SENTENCE = "the red circle"
SEVERAL = (
    Query("the yellow star"),
    Query("a star"),
    Query("the yellow star", frozenset({"global_context"})),
    Query("the star that is yellow and not moving at all"),
)
"""Sentences of several lengths, one of them with a part switched off."""


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
def idle(model: mpgsam2.Segmenter, monkeypatch: pytest.MonkeyPatch) -> mpgsam2.Segmenter:
    """The model, but it must not be run."""

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("the model was run")

    monkeypatch.setattr(VisionEmbedding, "forward", refuse)
    monkeypatch.setattr(Tracker, "image_features", refuse)
    return model


def count_calls(monkeypatch: pytest.MonkeyPatch, *methods: tuple[type, str]) -> dict[str, int]:
    """How often each method is called from now on, by its name."""
    calls = dict.fromkeys((name for _, name in methods), 0)

    def counted(name: str, method: Callable) -> Callable:
        def call(*args: object) -> object:
            calls[name] += 1
            return method(*args)

        return call

    for kind, name in methods:
        monkeypatch.setattr(kind, name, counted(name, getattr(kind, name)))
    return calls


# ---------------------------------------------------------------------------------------------------------- contract


def test_segment_gives_one_result_per_frame_in_the_frames_own_size(
    model: mpgsam2.Segmenter, scene: synthetic.SyntheticClip
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


def test_a_level_below_tensors_have_the_contracts_shapes(
    model: mpgsam2.Segmenter, scene: synthetic.SyntheticClip
) -> None:
    net = mpgsam2.MPGSAM2.from_state_dict(model.state_dict())
    assert net.config == model.config
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


def test_what_is_loaded_gives_the_network_and_its_weights(model: mpgsam2.Segmenter) -> None:
    assert isinstance(model, mpgsam2.Segmenter) and isinstance(model.network, mpgsam2.MPGSAM2)
    assert model.state_dict().keys() == model.network.state_dict().keys() and model.config is model.network.config
    assert model.to("cpu") is model and model.configured(dtype=torch.float32) is model
    other = model.configured(dtype=torch.bfloat16, span=7)
    assert (other.dtype, other.inference.span) == (torch.bfloat16, 7)
    assert (model.dtype, model.inference.span) == (torch.float32, None)
    assert other.fingerprint == model.fingerprint
    assert {"MPGSAM2", "Segmenter", "Selection", "load_model", "metrics"} <= set(dir(mpgsam2))
    assert not any(hasattr(model.network, name) for name in ("tokenizer", "window", "name", "segment"))


def test_sam2s_own_pass_of_the_decoder_is_refused(model: mpgsam2.Segmenter) -> None:
    with pytest.raises(NotImplementedError, match="decode"):
        model.network.visual_model.sam_mask_decoder(*[None] * 6)


def test_segment_is_encode_clip_then_track(model: mpgsam2.Segmenter, scene: synthetic.SyntheticClip) -> None:
    context = model.encode_clip(scene.frames, model.tokenizer.encode(SENTENCE))
    outputs = list(model.track(scene.frames, context))
    for r, out, prior in zip(model.segment(scene.frames, SENTENCE), outputs, context.prior[:, 0].numpy(), strict=True):
        assert np.array_equal(r.prior, prior)
        temperatures = model.inference.calibration
        score = (out.object_score_logit / temperatures.object_temperature).sigmoid()
        iou = (out.iou.max().logit() / temperatures.iou_temperature).sigmoid()
        assert (r.object_score, r.iou) == (pytest.approx(float(score)), pytest.approx(float(iou), abs=1e-6))
        logits = out.low_res_logits[None, None]
        for size in ((model.config.tracker.image_size,) * 2, scene.frames.shape[1:3]):
            logits = F.interpolate(logits, size, mode="bilinear")
        np.testing.assert_allclose(r.probability, logits[0, 0].sigmoid(), atol=1e-6)


def test_frames_are_read_once_for_the_prior_and_then_one_at_a_time(
    model: mpgsam2.Segmenter, scene: synthetic.SyntheticClip
) -> None:
    model = model.configured(window=None)
    frames = CountedFrames(scene.frames)
    with in_one_thread():
        results = model.segment(frames, SENTENCE)
        next(results)
        next(results)
        assert sorted(frames.read) == [2, len(scene.frames)]
        assert len(list(results)) == len(scene.frames) - 2
    assert frames.read == [len(scene.frames)] * 2


def test_a_small_network_reads_a_few_frames_ahead(model: mpgsam2.Segmenter, scene: synthetic.SyntheticClip) -> None:
    frames = CountedFrames(np.concatenate([scene.frames] * 8))
    results = model.segment_several(frames, [Query(SENTENCE)])
    next(results)
    assert frames.read[0] == 40 and frames.read[1] < 30
    results.close()
    assert frames.read[1] < 30 and not frames.held


def test_frames_are_let_go_when_read(model: mpgsam2.Segmenter, scene: synthetic.SyntheticClip) -> None:
    frames = CountedFrames(np.concatenate([scene.frames, scene.frames]))
    # Of each pass the frame just read, and the first one of the window, whose size the results take.
    assert max(len(frames.held) for _ in model.segment(frames, SENTENCE)) <= 3


def test_frames_that_can_be_read_only_once_give_the_same(
    model: mpgsam2.Segmenter, scene: synthetic.SyntheticClip
) -> None:
    again = model.segment(scene.frames, SENTENCE)
    for a, b in zip(model.segment(iter(scene.frames), SENTENCE), again, strict=True):
        assert np.array_equal(a.probability, b.probability)


def test_a_clip_longer_than_the_window_is_cut_in_windows(
    model: mpgsam2.Segmenter, scene: synthetic.SyntheticClip
) -> None:
    model = model.configured(window=2, interleaved=False)
    frames = CountedFrames(scene.frames)
    whole = list(model.segment(frames, SENTENCE))
    parts = [r for start in (0, 2, 4) for r in model.segment(scene.frames[start : start + 2], SENTENCE)]
    assert frames.read == [5, 5]
    assert [r.index for r in whole] == [0, 1, 2, 3, 4]
    for a, b in zip(whole, parts, strict=True):
        assert np.array_equal(a.prior, b.prior) and np.array_equal(a.probability, b.probability)


def test_interleaved_windows_each_span_the_whole_clip(model: mpgsam2.Segmenter, scene: synthetic.SyntheticClip) -> None:
    model = model.configured(window=2, interleaved=True)
    ids = model.tokenizer.encode(SENTENCE)
    dealt = [scene.frames[[0, 3]], scene.frames[[1, 4]], scene.frames[[2]]]
    apart = [model.encode_clip(frames, ids) for frames in dealt]
    whole = model.encode_clip(scene.frames, ids)
    for t in range(5):
        part, row = apart[t % 3], t // 3
        assert torch.allclose(whole.prior[t], part.prior[row], atol=1e-6)
        assert torch.allclose(whole.sparse_prompts[t], part.sparse_prompts[row], atol=1e-5)
        assert torch.allclose(whole.text_features[t], part.text_features[row], atol=1e-5)
        ours, theirs = (
            whole.global_context.unflatten(0, (5, -1)),
            part.global_context.unflatten(0, (len(part.prior), -1)),
        )
        assert torch.allclose(ours[t], theirs[row], atol=1e-5)
    # The tracker walks through them without a break.
    for result, output in zip(model.segment(scene.frames, SENTENCE), model.track(scene.frames, whole), strict=True):
        assert np.array_equal(result.prior, whole.prior[result.index, 0])
        answer = Answer(result.index, range(5), (8, 8), result.prior, output)
        assert result.object_score == model.result(answer).object_score and result.span == range(5)


def test_very_long_clips_are_cut_also_where_windows_are_interleaved(
    model: mpgsam2.Segmenter, scene: synthetic.SyntheticClip, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mpgsam2.inference.config.MOST_INTERLEAVED", 2)
    model = model.configured(window=2, interleaved=True)
    frames = CountedFrames(scene.frames)
    whole = list(model.segment(frames, SENTENCE))
    assert frames.read == [5, 5] and model.longest_span() == 4
    parts = [*model.segment(scene.frames[:4], SENTENCE), *model.segment(scene.frames[4:], SENTENCE)]
    for a, b in zip(whole, parts, strict=True):
        assert np.array_equal(a.prior, b.prior) and np.array_equal(a.probability, b.probability)


def test_without_a_window_memory_sets_the_limit(
    model: mpgsam2.Segmenter, scene: synthetic.SyntheticClip, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = model.configured(window=None)
    free = namedtuple("Memory", ["available"])(4 * bytes_per_frame(model.config, sentences=1))
    monkeypatch.setattr("psutil.virtual_memory", lambda: free)
    assert frames_that_fit(model.config, 1, torch.device("cpu")) == 2  # half the memory is left to others
    assert frames_that_fit(model.config, 4, torch.device("cpu")) == 1
    short = list(model.segment(scene.frames, SENTENCE))
    monkeypatch.undo()
    parts = [result for start in (0, 2, 4) for result in model.segment(scene.frames[start : start + 2], SENTENCE)]
    for a, b in zip(short, parts, strict=True):
        assert np.array_equal(a.prior, b.prior) and np.array_equal(a.probability, b.probability)


def test_the_span_is_chosen_once_and_every_frame_says_it(
    model: mpgsam2.Segmenter, scene: synthetic.SyntheticClip, monkeypatch: pytest.MonkeyPatch
) -> None:
    free = iter([4 * bytes_per_frame(model.config, sentences=1), 0, 0])
    monkeypatch.setattr("mpgsam2.inference.capacity.free_memory", lambda device: next(free))
    asked = model.configured(window=None)
    assert [r.span for r in asked.segment(scene.frames, SENTENCE)] == [range(2)] * 2 + [range(2, 4)] * 2 + [range(4, 5)]
    # What is given is not asked of the memory, and a window may cut the clip shorter than it.
    for window, interleaved, span, lengths in (
        (None, False, 4, [4, 1]),
        (2, False, 4, [2, 2, 1]),
        (2, True, 3, [3, 2]),
    ):
        asked = model.configured(window=window, interleaved=interleaved, span=span)
        spans = dict.fromkeys(r.span for r in asked.segment(scene.frames, SENTENCE))
        assert [len(span) for span in spans] == lengths
    for wrong in (0, -3, 1.5, True, "2"):
        with pytest.raises(InputError, match="it must be a number of frames"):
            model.configured(span=wrong)


def test_where_a_clip_was_cut_is_recorded_and_can_be_repeated(
    model: mpgsam2.Segmenter, clip_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = model.configured(window=None)
    last(segment_file(whole, clip_file, SENTENCE, tmp_path / "whole"))
    record = read_record(tmp_path / "whole")
    assert (record["settings"]["span"], record["spans"], record["cut"]) == (5, [[0, 4]], None)
    assert "--span" not in record["command"]

    monkeypatch.setattr("mpgsam2.inference.segmenter.frames_that_fit", lambda *_: 2)
    steps = segment_file(whole, clip_file, SENTENCE, tmp_path / "short of memory")
    next(steps)
    early = read_record(tmp_path / "short of memory")
    assert early["cut"] is None and early["settings"]["span"] is None  # as long as no frame is there
    last(steps)
    record = read_record(tmp_path / "short of memory")
    assert (record["settings"]["span"], record["spans"]) == (2, [[0, 1], [2, 3], [4, 4]])
    assert record["cut"].startswith("The clip was cut after every 2 frames, because no more fit into the memory")
    assert " --span 2" in record["command"]

    last(segment_file(model.configured(window=2, interleaved=False), clip_file, SENTENCE, tmp_path / "windows"))
    windows = read_record(tmp_path / "windows")
    assert "as this model works" in windows["cut"] and "--span" not in windows["command"]
    assert windows["queries"] == record["queries"]


@pytest.mark.parametrize("interleaved", [False, True])
def test_a_window_longer_than_the_clip_changes_nothing(
    model: mpgsam2.Segmenter, scene: synthetic.SyntheticClip, interleaved: bool
) -> None:
    answers = []
    for window in (None, 50):
        asked = model.configured(window=window, interleaved=interleaved)
        answers.append([r.probability for r in asked.segment(scene.frames, SENTENCE)])
    assert np.array_equal(*answers)


@pytest.mark.parametrize(("window", "interleaved"), [(None, False), (2, False), (2, True)])
def test_several_queries_are_answered_as_each_alone(
    model: mpgsam2.Segmenter,
    scene: synthetic.SyntheticClip,
    window: int | None,
    interleaved: bool,
) -> None:
    model = model.configured(window=window, interleaved=interleaved)
    together = list(model.segment_several(scene.frames, SEVERAL))
    assert len(together) == len(scene.frames)
    for query, results in zip(SEVERAL, zip(*together, strict=True), strict=True):
        alone = list(model.segment(scene.frames, query.expression, without=query.without))
        assert [result.index for result in results] == [result.index for result in alone]
        for ours, theirs in zip(results, alone, strict=True):
            # Memories are stored in bfloat16: where float32's rounding tips one over, it differs by a whole 1/256.
            np.testing.assert_allclose(ours.probability, theirs.probability, atol=5e-4)
            np.testing.assert_allclose(ours.prior, theirs.prior, atol=1e-6)
            assert (ours.mask ^ theirs.mask).mean() < 1e-3
            assert (ours.object_score, ours.iou) == pytest.approx((theirs.object_score, theirs.iou), abs=5e-4)
    answers = {result.object_score for result in together[0]}
    assert len(answers) == len(SEVERAL) and max(answers) > 0.5  # or else equality would show nothing


def test_several_queries_share_what_does_not_depend_on_them(
    model: mpgsam2.Segmenter, scene: synthetic.SyntheticClip, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = count_calls(
        monkeypatch, (VisionEmbedding, "forward"), (BEiT3, "fuse"), (Tracker, "image_features"), (Tracker, "segment")
    )
    assert len(list(model.segment_several(scene.frames, SEVERAL))) == 5
    # All five frames go through the encoder at once, and but for the first through the image encoder; two of the four
    # queries have the same sentence, three the same parts.
    assert calls == {"forward": 1, "fuse": 3, "image_features": 2, "segment": 2 * 5}


@pytest.mark.parametrize("threshold", [0.02, 0.9])
def test_masks_are_cut_at_the_threshold(
    model: mpgsam2.Segmenter, scene: synthetic.SyntheticClip, threshold: float
) -> None:
    for usual, (result,) in zip(
        model.segment(scene.frames, "the yellow star"),
        model.segment_several(scene.frames, SEVERAL[:1], threshold=threshold),
        strict=True,
    ):
        assert np.array_equal(result.probability, usual.probability)
        assert np.array_equal(result.mask, result.probability >= threshold)
        assert not np.array_equal(result.mask, usual.mask)


@pytest.mark.parametrize("part", Part)
def test_without_a_part_the_masks_are_others_and_the_prior_is_the_same(
    model: mpgsam2.Segmenter, scene: synthetic.SyntheticClip, part: Part
) -> None:
    present = "the yellow star"  # what is judged absent has no mask to change
    whole = list(model.segment(scene.frames, present))
    less = list(model.segment(scene.frames, present, without=frozenset({part})))
    differs = [not np.array_equal(a.probability, b.probability) for a, b in zip(whole, less, strict=True)]
    # The first frame has no history to go without.
    assert differs == [part != Part.HISTORY, *[True] * (len(whole) - 1)]
    assert all(np.array_equal(a.prior, b.prior) for a, b in zip(whole, less, strict=True))


def test_without_history_every_frame_is_a_first_one(model: mpgsam2.Segmenter, scene: synthetic.SyntheticClip) -> None:
    context = model.encode_clip(scene.frames, model.tokenizer.encode(SENTENCE))
    forgetful = list(model.track(scene.frames, context, without=frozenset({"history", Part.GLOBAL_CONTEXT})))
    alone = context._replace(prior=context.prior[3:], sparse_prompts=context.sparse_prompts[3:])
    first = next(iter(model.track(scene.frames[3:], alone, without=frozenset({"global_context"}))))
    np.testing.assert_allclose(forgetful[3].low_res_logits, first.low_res_logits, atol=1e-5)


def test_metrics_take_a_frame_or_a_clip(scene: synthetic.SyntheticClip) -> None:
    truth = scene.mask(0)
    for score in (region_similarity, contour_accuracy):
        assert score(truth[0], truth[0]) == 1.0
        assert score(truth, truth).shape == (len(truth),)


# ---------------------------------------------------------------------------------------------------------- on disk


def last(steps: Iterable[Progress]) -> Progress:
    """A run's last step, the others being done."""
    *_, step = steps
    return step


def test_segment_file_writes_what_segment_yields(model: mpgsam2.Segmenter, clip_file: Path, tmp_path: Path) -> None:
    folder = tmp_path / "new" / "results"
    clip = open_clip(clip_file)
    query = Query(SENTENCE, frozenset({"history"}))
    steps = list(segment_file(model, clip_file, [query], folder, threshold=0.3))
    direct = list(model.segment_several(clip, [query], threshold=0.3))

    assert [step.index for step in steps] == [0, 1, 2, 3, 4]
    assert {step.total for step in steps} == {5}
    written = read_record(folder)
    assert (written["complete"], written["frames"]) == (True, 5)
    assert written["model"]["name"] == model.name
    assert (written["settings"]["threshold"], written["settings"]["window"]) == (0.3, model.window)
    assert written["versions"]["mpgsam2"] == mpgsam2.__version__
    (told,) = written["queries"]
    assert (told["expression"], told["without"]) == (SENTENCE, ["history"])
    assert len(list((folder / "masks").iterdir())) == len(told["frames"]) == 5
    for step, results, entry, frame in zip(steps, direct, told["frames"], clip, strict=True):
        assert np.array_equal(step.frame, frame)
        (ours,), (theirs,) = step.results, results
        assert np.array_equal(ours.probability, theirs.probability)
        picture = cv2.imread(str(folder / "masks" / f"{theirs.index:05d}.png"), cv2.IMREAD_UNCHANGED)
        assert np.array_equal(picture, np.where(theirs.mask, 255, 0))
        assert entry["area"] == theirs.mask.sum()
    for name in ("overlay.mp4", "prior.mp4", "masks.mp4"):
        video = open_clip(folder / name)
        assert (video.width, video.height, video.frame_count) == (clip.width, clip.height, 5)
        assert video.fps == Fraction(30000, 1001)


def test_a_sentence_is_a_query(model: mpgsam2.Segmenter, clip_file: Path, tmp_path: Path) -> None:
    step = last(segment_file(model, clip_file, SENTENCE, tmp_path))
    (result,), (again,) = step.results, [*model.segment_several(open_clip(clip_file), [Query(SENTENCE)])][-1]
    assert np.array_equal(result.mask, again.mask)


def test_a_sentence_is_tokenised_once_a_run(
    model: mpgsam2.Segmenter, clip_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    encode = model.tokenizer.encode

    def counted(expression: str) -> list[int]:
        asked.append(expression)
        return encode(expression)

    monkeypatch.setattr(model.tokenizer, "encode", counted)
    queries = [Query("the red star"), Query("the star"), Query("the red star", frozenset({"history"}))]
    next(segment_file(model, clip_file, queries, tmp_path / "one"))
    assert asked == ["the red star", "the star"]
    next(segment_file(model, clip_file, "the circle", tmp_path / "two"))
    assert asked == ["the red star", "the star", "the circle"]


def test_several_queries_go_to_one_folder(model: mpgsam2.Segmenter, clip_file: Path, tmp_path: Path) -> None:
    look = Look(opacity=0.7)
    step = last(segment_file(model, clip_file, SEVERAL, tmp_path, look=look))
    assert len(step.results) == len(step.verdicts) == 4
    written = read_record(tmp_path)
    assert [query["letter"] for query in written["queries"]] == ["A", "B", "C", "D"]
    assert [Query(query["expression"], frozenset(query["without"])) for query in written["queries"]] == list(SEVERAL)
    assert written["settings"]["opacity"] == 0.7
    for letter, result in zip("ABCD", step.results, strict=True):
        picture = cv2.imread(str(tmp_path / "masks" / letter / "00004.png"), cv2.IMREAD_UNCHANGED)
        assert np.array_equal(picture > 0, result.mask)


def test_a_part_of_a_clip(model: mpgsam2.Segmenter, clip_file: Path, tmp_path: Path) -> None:
    part = select(open_clip(clip_file), Selection(first=1, every=2, longest_side=40))
    steps = list(segment_file(model, part, SENTENCE, tmp_path))
    assert [step.frame.shape for step in steps] == [(part.height, 40, 3)] * 2
    assert {step.total for step in steps} == {2}
    written = read_record(tmp_path)
    assert written["complete"] is True
    assert [entry["source_index"] for entry in written["queries"][0]["frames"]] == [1, 3]
    overlay = open_clip(tmp_path / "overlay.mp4")
    assert (overlay.frame_count, overlay.fps) == (2, Fraction(15000, 1001))


def test_masks_are_scored_against_the_truth(
    model: mpgsam2.Segmenter, scene: synthetic.SyntheticClip, clip_file: Path, tmp_path: Path
) -> None:
    truths = scene.mask(0)
    with ZipFile(tmp_path / "truth.zip", "w") as archive:
        for index, mask in enumerate(truths):
            archive.writestr(f"{index}.png", cv2.imencode(".png", 255 * mask.astype(np.uint8))[1].tobytes())
    clip = open_clip(clip_file)
    with GroundTruth.open(tmp_path / "truth.zip", clip) as truth:
        steps = list(segment_file(model, clip, SEVERAL[:2], tmp_path / "results", truth=truth))
    for number, query in enumerate(read_record(tmp_path / "results")["queries"]):
        masks = np.stack([step.results[number].mask for step in steps])
        j, f = region_similarity(masks, truths), contour_accuracy(masks, truths)
        assert [entry["J"] for entry in query["frames"]] == pytest.approx(j, abs=1e-4)
        assert query["mean"]["J&F"] == pytest.approx((j.mean() + f.mean()) / 2, abs=2e-4)


def test_the_verdict_comes_with_the_last_frame(model: mpgsam2.Segmenter, tmp_path: Path) -> None:
    clip, folder = tmp_path / "red circle.mp4", tmp_path / "results"
    with VideoWriter(clip, 96, 72, Fraction(12)) as writer:
        for i in range(6):
            frame = np.full((72, 96, 3), 190, np.uint8)
            writer.write(cv2.circle(frame, (20 + 10 * i, 36), 15, (220, 20, 20), -1))
    steps = list(segment_file(model, clip, SENTENCE, folder))

    assert [step.verdicts for step in steps[:-1]] == [()] * 5
    found = [bool(step.results[0].mask.any()) for step in steps]
    scores = [round(step.results[0].object_score, 4) for step in steps]
    (verdict,) = steps[-1].verdicts
    assert verdict == conclude(found, scores, model.inference.calibration)
    assert verdict.present and any(found)
    (query,) = read_record(folder)["queries"]
    assert (query["verdict"], query["summary"]) == (verdict_record(verdict), verdict.summary)


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
    assert conclude([mask == "1" for mask in found], scores).summary == told


def test_progress_tells_the_time(model: mpgsam2.Segmenter, clip_file: Path, tmp_path: Path) -> None:
    steps = list(segment_file(model, clip_file, SENTENCE, tmp_path))
    seconds = [step.seconds for step in steps]
    assert seconds[0] > 0 and seconds == sorted(seconds)
    assert steps[0].seconds_left is None
    assert all(step.seconds_left > 0 for step in steps[1:-1]) and steps[-1].seconds_left == 0
    assert steps[-1].frames_per_second == pytest.approx(5 / seconds[-1])


def test_closing_early_keeps_what_is_done_and_stops_the_model(
    model: mpgsam2.Segmenter, clip_file: Path, tmp_path: Path
) -> None:
    clip, queries = open_clip(clip_file), SEVERAL[:2]
    results = model.segment_several(clip, queries)
    steps = write_results(clip, results, tmp_path, model=model, queries=queries)
    next(steps)
    next(steps)
    steps.close()
    assert next(results, None) is None
    written = read_record(tmp_path)
    assert (written["complete"], written["frames"]) == (False, 2)
    for query in written["queries"]:
        done = [entry["area"] > 0 for entry in query["frames"]]
        scores = [entry["object_score"] for entry in query["frames"]]
        assert query["verdict"] == verdict_record(conclude(done, scores, model.inference.calibration))
        names = sorted(path.name for path in (tmp_path / "masks" / query["letter"]).iterdir())
        assert names == ["00000.png", "00001.png"]
    assert open_clip(tmp_path / "overlay.mp4").frame_count == 2


def test_a_frame_lost_on_the_way_is_said_and_what_is_done_stays(
    model: mpgsam2.Segmenter, scene: synthetic.SyntheticClip, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mpgsam2.video.held.HELD_BYTES", 0)  # as with a clip that is too long to be held
    frames, folder = tmp_path / "frames", tmp_path / "results"
    frames.mkdir()
    for i, frame in enumerate(scene.frames):
        cv2.imwrite(str(frames / f"{i}.png"), frame)
    steps = segment_file(model, frames, SENTENCE, folder)
    next(steps)
    (frames / "3.png").unlink()
    with pytest.raises(InputError, match=r"“3\.png”"):
        list(steps)
    written = read_record(folder)
    assert (written["complete"], written["frames"]) == (False, 3)
    assert [entry["index"] for entry in written["queries"][0]["frames"]] == [0, 1, 2]


def test_results_that_can_no_longer_be_written_are_an_input_error(
    model: mpgsam2.Segmenter, clip_file: Path, tmp_path: Path
) -> None:
    steps = segment_file(model, clip_file, SENTENCE, tmp_path / "results")
    next(steps)
    shutil.rmtree(tmp_path / "results" / "masks")  # where no encoder writes meanwhile
    with pytest.raises(InputError, match="removed during the run"):
        list(steps)
    steps = segment_file(model, clip_file, SENTENCE, tmp_path / "again")
    next(steps)
    (tmp_path / "again").rename(tmp_path / "elsewhere")
    with pytest.raises(InputError, match="removed during the run"):
        list(steps)


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (OSError(ENOSPC, "No space left on device"), "make room on the disk"),
        (OSError(EDQUOT, "Disk quota exceeded"), "make room on the disk"),
        (OSError(EROFS, "Read-only file system"), "may no longer be written"),
        (EncoderError("was ended from outside"), "because the video encoder was ended from outside: run again"),
        (EncoderError("came to a standstill"), "because the video encoder came to a standstill: run again"),
        (OSError(EIO, "Input/output error"), "Input/output error"),
    ],
)
def test_why_results_ended_is_told_rightly(tmp_path: Path, error: OSError, told: str) -> None:
    assert told in why_unwritten(error, tmp_path)
    assert "was removed" in why_unwritten(error, tmp_path / "gone")


def test_a_second_run_replaces_the_first(model: mpgsam2.Segmenter, clip_file: Path, tmp_path: Path) -> None:
    list(segment_file(model, clip_file, SEVERAL, tmp_path))
    steps = segment_file(model, clip_file, "the blue square", tmp_path)
    next(steps)
    steps.close()
    assert [query["expression"] for query in read_record(tmp_path)["queries"]] == ["the blue square"]
    assert [path.name for path in (tmp_path / "masks").iterdir()] == ["00000.png"]


# ---------------------------------------------------------------------------------------------------------- bad input


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"queries": "  "}, "empty"),
        ({"queries": "?!"}, "no word"),
        ({"queries": "red " * 60}, "too long"),
        ({"queries": []}, "0 sentences: ask 1 to 4"),
        ({"queries": [Query(SENTENCE)] * 5}, "5 sentences: ask 1 to 4"),
        ({"queries": [Query(SENTENCE), Query("")]}, "empty"),
        ({"queries": [Query(SENTENCE, frozenset({"prior", "memory"}))]}, "'memory'"),
        ({"threshold": 0.0}, "threshold is 0.0"),
        ({"threshold": 1.0}, "between 0 and 1"),
        ({"threshold": float("nan")}, "threshold is nan"),
        ({"clip": ""}, "No clip"),
        ({"clip": "nowhere.mp4"}, "no clip “nowhere.mp4”"),
        ({"clip": __file__}, "not a video"),
    ],
)
def test_bad_input_is_refused_at_the_call(
    idle: mpgsam2.Segmenter, clip_file: Path, tmp_path: Path, changes: dict, message: str
) -> None:
    request = {"clip": clip_file, "queries": SENTENCE, "folder": tmp_path / "results", **changes}
    with pytest.raises(InputError, match=message) as caught:
        segment_file(idle, **request)
    assert str(tmp_path) not in str(caught.value)
    assert not (tmp_path / "results").exists()


def test_check_request_says_the_same_without_a_clip(idle: mpgsam2.Segmenter) -> None:
    check_request(idle, SEVERAL, 0.3)
    for queries, message in (([Query("")], "empty"), ([Query(SENTENCE, frozenset({"memory"}))], "'memory'")):
        with pytest.raises(InputError, match=message):
            check_request(idle, queries)
    with pytest.raises(InputError, match="threshold"):
        check_request(idle, SEVERAL, 50)


def test_a_folder_that_cannot_be_one_is_refused(idle: mpgsam2.Segmenter, clip_file: Path, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file")
    for folder in (tmp_path / "taken", tmp_path / "taken" / "below", tmp_path / ("x" * 300)):
        with pytest.raises(InputError, match="choose another folder") as caught:
            segment_file(idle, clip_file, SENTENCE, folder)
        assert str(tmp_path) not in str(caught.value)


def test_results_never_replace_their_own_clip(
    idle: mpgsam2.Segmenter, clip_file: Path, scene: synthetic.SyntheticClip, tmp_path: Path
) -> None:
    overlay, masks = tmp_path / "overlay.mp4", tmp_path / "masks"
    shutil.copy(clip_file, overlay)
    (masks / "B").mkdir(parents=True)
    for folder in (masks, masks / "B"):
        cv2.imwrite(str(folder / "00000.png"), scene.frames[0])
    for clip, folder in ((overlay, tmp_path), (masks, tmp_path), (masks / "B", tmp_path), (masks, masks)):
        with pytest.raises(InputError, match="replace the clip"):
            segment_file(idle, clip, SENTENCE, folder)
    part = select(open_clip(overlay), Selection(first=1))
    with pytest.raises(InputError, match="replace the clip"):
        segment_file(idle, part, SENTENCE, tmp_path)
    assert overlay.is_file() and (masks / "00000.png").is_file()


def test_unknown_words_are_named(model: mpgsam2.Segmenter) -> None:
    assert warn_unknown(model, "the red circle on the left") is None
    assert "the word “wombat” " in warn_unknown(model, "the red wombat")
    assert "the words “barking” and “wombat” " in warn_unknown(model, "the barking black wombat, a wombat")


@pytest.mark.parametrize("frames", [["0.png", "1.png"], [[[0, 0, 0]]], [None]])
def test_what_is_no_frame_is_refused(model: mpgsam2.Segmenter, frames: object) -> None:
    with pytest.raises(InputError, match="A frame must be an array"):
        list(model.segment(frames, SENTENCE))


def test_a_frame_of_another_size_is_refused_and_gets_no_mask_of_the_first_one_s(
    model: mpgsam2.Segmenter, scene: synthetic.SyntheticClip
) -> None:
    frames = [*scene.frames[:2], scene.frames[2][:-1]]
    for given in (frames, iter(frames)):
        with pytest.raises(InputError, match=r"^Frame 2 has height and width .* give frames of one size"):
            list(model.segment(given, SENTENCE))


@pytest.mark.parametrize("queries", [SENTENCE, [SENTENCE], (SENTENCE, Query(SENTENCE)), [None]])
def test_sentences_are_no_queries(model: mpgsam2.Segmenter, scene: synthetic.SyntheticClip, queries: object) -> None:
    with pytest.raises(InputError, match="The sentences are no queries"):
        model.segment_several(scene.frames, queries)


@pytest.mark.parametrize("expression", [5, ["a"], SENTENCE.encode(), Query(SENTENCE)])
def test_what_is_no_sentence_is_refused(
    model: mpgsam2.Segmenter, scene: synthetic.SyntheticClip, expression: object
) -> None:
    with pytest.raises(InputError, match=f"The expression is one {type(expression).__name__}: give a sentence"):
        model.segment(scene.frames, expression)
