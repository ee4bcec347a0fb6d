"""What is done for a GPU's sake changes no answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import spaces
import torch
from torch.utils._pytree import tree_leaves, tree_map

import mpgsam2
from mpgsam2 import InputError
from mpgsam2.demo.ahead_of_time import compile_ahead, export_trunk
from mpgsam2.inference.config import InferenceConfig
from mpgsam2.inference.query import Query
from mpgsam2.inference.segmenter import Answer, Segmenter
from mpgsam2.nano import synthetic
from mpgsam2.network.config import NANO, PRESETS
from mpgsam2.network.cuda_graph import Graphed
from mpgsam2.network.device import MOST_IMAGES, Download, images_at_once, resized, upload
from mpgsam2.network.images import normalise
from mpgsam2.network.model import MPGSAM2
from mpgsam2.network.tracker import Tracker
from mpgsam2.network.walk import Walk

QUERIES = [Query("the red circle"), Query("the yellow star")]
CPU, CUDA = torch.device("cpu"), torch.device("cuda")


@pytest.fixture(scope="module")
def scene() -> synthetic.SyntheticClip:
    return synthetic.render_clip(2**41 + 3, synthetic.World(frames=5, height=(96, 96)))


def test_frames_that_go_through_the_image_encoder_together(
    model: mpgsam2.Segmenter, scene: synthetic.SyntheticClip, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mpgsam2.network.model.ONE_THREAD_PARAMETERS", 0)  # what is smaller has its own ways
    apart = list(model.segment_several(scene.frames, QUERIES))
    batches = []
    features = Tracker.image_features
    monkeypatch.setattr("mpgsam2.network.model.images_at_once", lambda config, device: 3)
    monkeypatch.setattr(Tracker, "image_features", lambda self, x: batches.append(len(x)) or features(self, x))
    together = list(model.segment_several(scene.frames, QUERIES))
    assert batches == [3, 2] and len(together) == len(apart) == 5
    for ours, theirs in zip(sum(together, ()), sum(apart, ()), strict=True):
        assert ours.index == theirs.index
        np.testing.assert_allclose(ours.probability, theirs.probability, atol=2e-3)
        assert ours.object_score == pytest.approx(theirs.object_score, abs=2e-3)


def test_answers_that_come_one_frame_late(
    model: mpgsam2.Segmenter, scene: synthetic.SyntheticClip, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_once = list(model.segment_several(scene.frames, QUERIES))
    asked = []
    begin = Segmenter._coming_result

    def counted(self: Segmenter, answer: Answer, threshold: float) -> Callable[[], mpgsam2.FrameResult]:
        asked.append(answer.index)
        return begin(self, answer, threshold)

    monkeypatch.setattr(Segmenter, "_coming_result", counted)
    monkeypatch.setattr(Segmenter, "_lag", 1)
    late = model.segment_several(scene.frames, QUERIES)
    results = [next(late)]
    assert asked == [0, 0, 1, 1]  # frame 1 is asked for before frame 0 is awaited
    results += late
    assert [answers[0].index for answers in results] == [0, 1, 2, 3, 4]
    for ours, theirs in zip(sum(results, ()), sum(at_once, ()), strict=True):
        assert np.array_equal(ours.probability, theirs.probability)


@pytest.mark.parametrize(("free", "images"), [(0, 1), (2**30, 1), (2 * 2**30, 3), (100 * 2**30, 8)])
def test_as_many_images_as_a_gpus_memory_holds(monkeypatch: pytest.MonkeyPatch, free: int, images: int) -> None:
    monkeypatch.setattr("torch.cuda.mem_get_info", lambda device: (free, 200 * 2**30))
    assert images_at_once(PRESETS["large"].tracker, CUDA) == images
    assert images_at_once(NANO.tracker, CPU) == 1


@pytest.mark.parametrize(("dtype", "error"), [(torch.float32, 1e-5), (torch.bfloat16, 0.03)])
def test_the_exported_image_encoder_is_the_image_encoder(
    model: mpgsam2.Segmenter, dtype: torch.dtype, error: float
) -> None:
    net = Segmenter(
        MPGSAM2.from_state_dict(model.state_dict()), model.tokenizer, inference=InferenceConfig(dtype=dtype)
    )
    images = torch.randn(3, 3, 256, 256, generator=torch.Generator().manual_seed(0))
    exported = export_trunk(net).module()(images)
    with torch.inference_mode(), net.network.visual_model.autocast():
        for ours, theirs in zip(exported, net.network.visual_model.image_encoder.trunk(images), strict=True):
            assert ours.dtype == theirs.dtype
            assert (ours - theirs).float().norm() < error * theirs.float().norm()


def test_what_is_compiled_ahead_takes_the_image_encoders_place(
    model: mpgsam2.Segmenter, scene: synthetic.SyntheticClip, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The compiler itself needs a GPU's torch; what it is given and what becomes of its program do not.
    monkeypatch.setattr(spaces, "aoti_compile", lambda program: partial(program.module()))
    monkeypatch.setattr(spaces, "aoti_apply", lambda program, module: setattr(module, "forward", program))
    net = Segmenter(MPGSAM2.from_state_dict(model.state_dict()), model.tokenizer, inference=model.inference)
    before = list(net.segment(scene.frames, "the yellow star"))
    compile_ahead(net)
    assert isinstance(net.network.visual_model.image_encoder.trunk.forward, partial)  # no longer a method
    for ours, theirs in zip(net.segment(scene.frames, "the yellow star"), before, strict=True):
        np.testing.assert_allclose(ours.probability, theirs.probability, atol=2e-3)
        assert ours.object_score == pytest.approx(theirs.object_score, abs=2e-3)


def test_tensors_go_up_and_come_down_unchanged() -> None:
    images = torch.arange(24, dtype=torch.uint8).view(2, 3, 2, 2)
    assert torch.equal(upload(list(images), CPU), images)
    down = Download([images, torch.tensor(0.5)]).tensors()
    assert torch.equal(down[0], images) and float(down[1]) == 0.5


def test_what_came_from_a_gpu_does_not_stay_in_pinned_memory() -> None:
    download = Download([torch.arange(6.0)])
    (pinned,) = download._tensors
    download._arrived = SimpleNamespace(synchronize=lambda: None)  # as after a copy from a GPU
    (arrived,) = download.tensors()
    assert torch.equal(arrived, pinned) and arrived.data_ptr() != pinned.data_ptr()


def test_threads_that_resize_ahead_keep_the_frames_in_order(scene: synthetic.SyntheticClip) -> None:
    frames, taken = list(scene.frames) * 8, []

    def read() -> Iterator[np.ndarray]:
        for number, frame in enumerate(frames):
            taken.append(number)
            yield np.full_like(frame, number)

    ahead = resized(read(), 8, CUDA)  # the images stay on the host until `upload`
    first = next(ahead)
    assert first.unique().tolist() == [0] and len(taken) <= 2 * MOST_IMAGES + 1 < len(frames)
    assert [image.unique().tolist() for image in ahead] == [[number] for number in range(1, len(frames))]
    alone = list(resized(scene.frames, 8, CPU))
    assert all(map(torch.equal, alone, resized(scene.frames, 8, CUDA)))


def test_a_frame_that_cannot_be_read_is_told_by_the_threads_too(scene: synthetic.SyntheticClip) -> None:
    with pytest.raises(InputError, match="A frame must be"):
        list(resized([*scene.frames, scene.frames[0][0]], 8, CUDA))


def test_steps_are_recorded_once_their_shapes_stay(
    model: mpgsam2.Segmenter, scene: synthetic.SyntheticClip, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What records them needs a GPU; when it does, and that it is told all a step depends on, does not.
    frames = [*scene.frames, *scene.frames[::-1]] * 4
    recorded = []

    class Recorded(Graphed):
        def __init__(self, function: Callable[..., Any], *arguments: Any) -> None:
            recorded.append([leaf.shape for leaf in tree_leaves(arguments) if isinstance(leaf, torch.Tensor)])
            self.function = function

        def __call__(self, *arguments: Any) -> Any:
            assert [leaf.shape for leaf in tree_leaves(arguments) if isinstance(leaf, torch.Tensor)] == recorded[-1]
            return self.function(*tree_map(lambda x: x.clone() if isinstance(x, torch.Tensor) else x, arguments))

    for without in (frozenset(), frozenset({"history"})):
        context = model.encode_clip(frames, [0, 5, 2])
        usual = [output.low_res_logits for output in model.track(frames, context, without=without)]
        with monkeypatch.context() as patched:
            patched.setattr("mpgsam2.network.walk.Graphed", Recorded)
            patched.setattr(Walk, "on_gpu", True)
            steps = [output.low_res_logits for output in model.track(frames, context, without=without)]
        assert all(map(torch.equal, usual, steps)) and len(steps) == len(frames)
    assert len(recorded) == 2


@pytest.mark.parametrize("shape", [(1, 3, 5, 7), (2, 3, 16, 16)])
def test_pixels_that_are_looked_up_are_those_that_are_computed(shape: tuple[int, ...]) -> None:
    images = torch.arange(np.prod(shape), dtype=torch.int64).mul(37).remainder(256).to(torch.uint8).view(shape)
    mean, deviation = (torch.tensor(x)[:, None, None] for x in ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)))
    assert torch.equal(normalise(images), (images.float() / 255 - mean) / deviation)
