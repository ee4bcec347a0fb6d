"""The paper's training: its clips, augmentation, loss, what learns, and that a run goes on where it was stopped."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest
import torch
from released import box, run_lengths, write_index, write_jpg, write_json, write_png

from mpgsam2 import InputError, load_model
from mpgsam2.datasets.truth import Truth
from mpgsam2.network.config import NANO
from mpgsam2.training.augmentation import Distortion, flip
from mpgsam2.training.clip_batches import Clips, keys
from mpgsam2.training.clip_frames import choose_frames
from mpgsam2.training.held_out import open_sources
from mpgsam2.training.losses import clip_losses
from mpgsam2.training.sources import Example, VideoSource

pytestmark = pytest.mark.usefixtures("accelerate_state")

ROOT = Path(__file__).parents[1]
SIZE = (48, 64)
COLOURS = {"red": (220, 40, 40), "green": (40, 180, 60), "blue": (50, 80, 220), "yellow": (230, 210, 50)}


@pytest.fixture(scope="session")
def youtube(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four videos of six frames in Ref-YouTube-VOS's layout: two squares each, whose colours nano calls otherwise."""
    root = tmp_path_factory.mktemp("sets") / "ref-youtube-vos"
    names = [f"{5 * t:05}" for t in range(6)]
    videos = {}
    for number, colour in enumerate(COLOURS):
        other = list(COLOURS)[number - 1]
        asked = {
            "0": {"exp": f"The {colour} square", "obj_id": "1"},
            "1": {"exp": f"the {other} square", "obj_id": "2"},
        }
        videos[f"video {number}"] = names, asked
        for t, name in enumerate(names):
            ids, frame = np.zeros(SIZE, np.uint8), np.full((*SIZE, 3), 110, np.uint8)
            for identity, left, shown in ((1, 6 + t, other), (2, 36 - t, colour)):
                mask = box(SIZE, 12 + 4 * number, left, 30 + 4 * number, left + 18)
                ids[mask], frame[mask] = identity, COLOURS[shown]
            write_jpg(root / f"train/JPEGImages/video {number}/{name}.jpg", frame)
            write_png(root / f"train/Annotations/video {number}/{name}.png", ids, palette=True)
    write_index(root / "meta_expressions/train/meta_expressions.json", videos)
    return root


# ------------------------------------------------------------------------------------------------- clips of a video


@pytest.mark.parametrize(
    ("count", "at", "length"),
    [(30, 0, 5), (30, 29, 8), (30, 15, 3), (30, 15, 8), (8, 5, 5), (6, 0, 8), (2, 0, 8), (1, 0, 5), (9, 4, 1)],
)
def test_a_clip_is_a_frame_its_neighbours_and_others_from_outside(count: int, at: int, length: int) -> None:
    for seed in range(50):
        frames = choose_frames(count, at, length, random.Random(seed))
        assert len(frames) == length and frames == sorted(frames) and at in frames
        assert set(frames) <= set(range(count))
        if length == 1:
            continue
        near = [frame for frame in frames if abs(frame - at) <= 3]
        assert len(near) >= 3
        if at == 15:  # neighbours on both sides, and the others neither between them nor twice
            assert near[0] < at < near[-1] and len(set(frames)) == length
        if count <= length - 3:  # as a whole, before any frame comes again
            assert set(frames) == set(range(count))


def test_every_nth_frame_of_every_sentence_is_an_example(youtube: Path) -> None:
    source, _ = open_sources("ref-youtube-vos", youtube, 5, 0)
    assert len(source) == 4 * 2 * 2  # videos, sentences, frames 0 and 5
    example = source.draw(0, random.Random(0))
    assert example.text == "the red square" and len(example.frames) == len(example.truths) == 5
    assert [int(truth.mask.sum()) for truth in example.truths] == [18 * 18] * 5
    images, _ = open_sources("ref-youtube-vos", youtube, 1, 0)
    assert len(images) == 4 * 2 * 6


def test_a_clip_without_its_object_is_drawn_again(youtube: Path) -> None:
    class Sometimes:
        def __len__(self) -> int:
            return 2

        def draw(self, index: int, rng: random.Random) -> Example:
            mask = np.full((4, 4), index == 1)
            return Example(f"the {('red', 'blue')[index]} square", [np.zeros((4, 4, 3), np.uint8)], [Truth(mask)])

    key = next(keys(2, 2, 0, 0, 1))
    tokenizer = load_model("nano").tokenizer
    for item in map(Clips(Sometimes(), NANO, tokenizer).__getitem__, key):
        assert item["masks"].all() and item["input_ids"].tolist() == tokenizer.encode("the blue square")

    class Never(Sometimes):
        def draw(self, index: int, rng: random.Random) -> Example:
            return super().draw(0, rng)

    with pytest.raises(InputError, match="none shows"):
        Clips(Never(), NANO, tokenizer)[key[0]]


def test_mevis_takes_the_union_of_the_frames_that_are_drawn(tmp_path: Path) -> None:
    frames = [f"{t:05}" for t in range(9)]
    asked = {"0": {"exp": "both", "anno_id": [0, 1], "obj_id": [0, 1]}}
    for split in ("train", "valid_u"):
        write_index(tmp_path / f"{split}/meta_expressions.json", {"v": (frames, asked)})
        masks = [box(SIZE, 0, 0, 4, t + 1) for t in range(9)]
        tracks = {"0": [run_lengths(mask) for mask in masks], "1": [run_lengths(box(SIZE, 8, 0, 9, 1))] + [None] * 8}
        write_json(tmp_path / f"{split}/mask_dict.json", tracks)
    for t, name in enumerate(frames):
        write_jpg(tmp_path / f"train/JPEGImages/v/{name}.jpg", np.full((*SIZE, 3), 20 * t, np.uint8))
        write_jpg(tmp_path / f"valid_u/JPEGImages/v/{name}.jpg", np.full((*SIZE, 3), 20 * t, np.uint8))
    source, scored = open_sources("mevis", tmp_path, 8, 0.02)
    assert len(source) == 2
    example = source.draw(0, random.Random(1))
    for frame, truth in zip(example.frames, example.truths, strict=True):
        t = round(frame.mean() / 20)
        assert truth.mask.sum() == 4 * (t + 1) + (t == 0)
    (clip,) = scored()
    assert clip.window == 24 and len(list(clip.frames)) == len(list(clip.truths[0])) == 9
    assert not list(open_sources("mevis", tmp_path, 8, 0)[1]())


def test_own_frames_without_a_mask_are_not_trained_on_and_undecided_pixels_do_not_count(tmp_path: Path) -> None:
    write_json(tmp_path / "sentences.json", {"clip": [{"sentence": "the red square", "objects": [3]}]})
    for t in range(7):
        write_jpg(tmp_path / f"clip/frames/{t}.jpg", np.full((*SIZE, 3), 30 * t, np.uint8))
    for t in (1, 4, 6):
        ids = 3 * box(SIZE, 0, 0, 10, 10).astype(np.uint8)
        ids[20:] = 255
        write_png(tmp_path / f"clip/masks/{t}.png", ids)
    source, scored = open_sources("own", tmp_path, 5, 0)
    assert len(source) == 1 and not list(scored())
    shown = {round(frame.mean() / 30) for seed in range(9) for frame in source.draw(0, random.Random(seed)).frames}
    assert shown == {1, 4, 6}
    item = Clips(source, NANO, load_model("nano").tokenizer)[next(keys(1, 1, 0, 0, 1))[0]]
    assert item["masks"].shape == item["counts"].shape == (5, 256, 256)
    assert item["counts"][:, :100].all() and not item["counts"][:, 110:].any()


# ------------------------------------------------------------------------------------------------------ augmentation


@pytest.mark.parametrize(
    ("text", "mirrored"),
    [
        ("the dog on the left", "the dog on the right"),
        ("right cat left of the left dog", "left cat right of the right dog"),
        ("leftmost, right-hand and rightwards", "rightmost, left-hand and leftwards"),
        ("the upright bright copyright of cleft", "the upright bright copyright of cleft"),
    ],
)
def test_left_and_right_change_places(text: str, mirrored: str) -> None:
    frame, mask = np.arange(24, dtype=np.uint8).reshape(2, 4, 3), np.array([[1, 0, 0, 0], [0, 1, 0, 0]], bool)
    flipped = flip(Example(text, [frame], [Truth(mask, mask)]))
    assert flipped.text == mirrored
    assert np.array_equal(flipped.frames[0], frame[:, ::-1])
    assert np.array_equal(flipped.truths[0].mask, mask[:, ::-1]) and flipped.truths[0].counts[0, 3]


def test_distortions_do_what_they_are_named_for() -> None:
    frame = np.random.default_rng(0).integers(40, 120, (4, 5, 3)).astype(np.uint8)
    same = Distortion(0, 1, 1, 0, True)
    assert np.array_equal(same(frame), frame)
    assert np.array_equal(same._replace(brightness=10)(frame), frame + 10)
    assert np.array_equal(same._replace(contrast=2)(frame), frame * 2)
    grey = same._replace(saturation=0)(frame).astype(int)
    assert np.ptp(grey, axis=2).max() == 0 and np.abs(grey[..., 0] - frame.max(axis=2)).max() <= 1
    turned = same._replace(hue=120)(frame).astype(int)
    assert np.abs(turned - np.roll(frame, 1, axis=2)).max() <= 1  # red becomes green, green blue
    drawn = [Distortion.draw(random.Random(seed)) for seed in range(400)]
    for name, least, most, nothing in (
        ("brightness", -32, 32, 0),
        ("contrast", 0.5, 1.5, 1),
        ("saturation", 0.5, 1.5, 1),
        ("hue", -18, 18, 0),
    ):
        values = np.array([getattr(distortion, name) for distortion in drawn])
        assert least <= values.min() < values.max() <= most and 0.4 < (values == nothing).mean() < 0.6


def test_both_copies_are_flipped_alike_and_one_is_distorted(youtube: Path) -> None:
    source = VideoSource(*_opened(youtube), 5)
    clips, tokenizer = Clips(source, NANO, (net := load_model("nano")).tokenizer), net.tokenizer
    flips = 0
    for step in zip(keys(len(source), 1, 0, 0, 1), range(12), strict=False):
        item = clips[step[0][0]]
        text = source.draw(step[0][0].index, random.Random(0)).text
        assert item["input_ids"].tolist() == tokenizer.encode(text)
        for small, mask in zip(item["small"].float(), item["masks"], strict=True):
            # The object is where the undistorted copy is not grey.
            coloured = torch.nn.functional.interpolate(
                (small.amax(0) - small.amin(0) > 60).float()[None, None], (256, 256)
            )
            assert (coloured[0, 0][mask]).mean() > 0.9
        flips += bool(item["masks"][0, :, :128].sum() < item["masks"][0, :, 128:].sum()) == ("red" in text)
    assert clips[step[0][0]]["large"].equal(clips[step[0][0]]["large"])


def _opened(youtube: Path) -> tuple:
    from mpgsam2.datasets.ref_youtube_vos import RefYouTubeVOS

    data_set = RefYouTubeVOS.open(youtube, "train")
    return data_set, data_set.videos


# ------------------------------------------------------------------------------------------------------------- loss


def plain_loss(logits: np.ndarray, target: np.ndarray, number: np.ndarray, visible: float) -> float:
    """§2's objective on one clip, term by term, in plain loops over what stands there."""
    x, y = logits.ravel(), target.ravel()
    p = 1 / (1 + np.exp(-x))
    cross_entropy = -(y * np.log(p) + (1 - y) * np.log(1 - p))
    p_true = np.where(y == 1, p, 1 - p)
    alpha = np.where(y == 1, 0.25, 0.75)
    focal = (alpha * (1 - p_true) ** 2 * cross_entropy).mean()
    dice = 1 - (2 * (p * y).sum() + 1) / (p.sum() + y.sum() + 1)
    differences = []
    for frame, truth, s in zip(logits, target, number, strict=True):
        row = np.full(frame.size, s)

        def cosine(a: np.ndarray, b: np.ndarray = row) -> float:
            product = np.linalg.norm(a) * np.linalg.norm(b)
            return float(a @ b / product) if product else 0.0

        differences.append((cosine(1 / (1 + np.exp(-frame.ravel()))) - cosine(truth.ravel())) ** 2)
    return 2 * focal / visible + 5 * dice / visible + 2 * float(np.mean(differences))


@pytest.mark.parametrize("seed", range(6))
def test_the_loss_is_that_of_a_plain_reading(seed: int) -> None:
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, 3, (5, 24, 32))
    target = (rng.random((5, 24, 32)) < 0.3).astype(float)
    target[: rng.integers(0, 3)] = 0  # absent in some
    number = rng.normal(0, 1, 5)
    visible = float(max(target.any(axis=(1, 2)).sum(), 1))
    as_batch = (torch.tensor(x)[None] for x in (logits, target, number))
    losses = clip_losses(*as_batch, torch.tensor(visible))
    assert set(losses) == {"focal", "dice", "similarity"}
    ours = 2 * losses["focal"] + 5 * losses["dice"] + 2 * losses["similarity"]
    assert ours.item() == pytest.approx(plain_loss(logits, target, number, visible), abs=1e-6)


def test_a_batch_divides_by_all_of_its_visible_frames() -> None:
    rng = torch.Generator().manual_seed(0)
    logits, target = torch.randn(2, 3, 8, 8, generator=rng), (torch.rand(2, 3, 8, 8, generator=rng) < 0.4).float()
    number = torch.randn(2, 3, generator=rng)
    both = clip_losses(logits, target, number, torch.tensor(6.0))
    alone = [clip_losses(logits[i : i + 1], target[i : i + 1], number[i : i + 1], torch.tensor(3.0)) for i in (0, 1)]
    for name, loss in both.items():
        assert loss.item() == pytest.approx((alone[0][name] + alone[1][name]).item() / 2, abs=1e-6)
    nothing = clip_losses(logits, torch.zeros_like(target), number, torch.tensor(0.0))
    assert all(loss.isfinite() for loss in nothing.values())  # N is at least 1
