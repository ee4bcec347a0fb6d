"""The paper's training: its clips, augmentation, loss, what learns, and that a run goes on where it was stopped."""

from __future__ import annotations

import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from released import box, run_lengths, write_index, write_jpg, write_json, write_parts, write_png
from safetensors.torch import load_file

from mpgsam2 import InputError, load_model
from mpgsam2.cli import main
from mpgsam2.datasets.truth import Truth
from mpgsam2.network.config import NANO, ModelConfig
from mpgsam2.network.images import resize
from mpgsam2.training.accelerator import make_accelerator
from mpgsam2.training.augmentation import Distortion, flip
from mpgsam2.training.clip_batches import ClipBatch, Clips, Key, collate, keys, steps_per_epoch
from mpgsam2.training.clip_frames import choose_frames
from mpgsam2.training.held_out import hold_out, open_sources
from mpgsam2.training.losses import clip_losses, object_score_loss
from mpgsam2.training.objective import PaperTrainee
from mpgsam2.training.paper import PaperTask
from mpgsam2.training.recipes import FROZEN, NEW_PARTS, RECIPES
from mpgsam2.training.sentences import check_sentences
from mpgsam2.training.sources import Example
from mpgsam2.training.start import NEW, load_start
from mpgsam2.training.trainer import Trainer

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
                if identity == 1 or t >= number:  # the second one comes in later and later
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
    assert not Clips(Never(), NANO, tokenizer, draws_absent=True)[key[0]]["masks"].any()  # of one's own data


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
    assert clip.window == RECIPES["mevis"].window == 24 and len(list(clip.frames)) == len(list(clip.truths[0])) == 9
    assert not list(open_sources("mevis", tmp_path, 8, 0)[1]())


def test_images_are_clips_of_one_frame_and_none_is_trained_and_scored_on(tmp_path: Path) -> None:
    for part in ("refcoco", "refcoco+", "refcocog"):
        images, annotations = [], []
        for number in range(4):
            name, left = f"COCO_train2014_{number}.jpg", 5 + number
            write_jpg(tmp_path / f"coco/train2014/{name}", np.full((*SIZE, 3), 60 * number, np.uint8))
            size = {"height": SIZE[0], "width": SIZE[1]}
            images.append({"id": number, **size, "file_name": name, "caption": f"{number} of {part}"})
            outline = [[left, 10, left + 20, 10, left + 20, 30, left, 30]]
            annotations.append({"id": number, "image_id": number, "segmentation": outline})
        index = {"images": images, "annotations": annotations}
        write_json(tmp_path / f"coco/{part}/instances_{part}_train.json", index)
    source, scored = open_sources("refcoco", tmp_path, 1, 0.25)
    examples, held_out = [source.draw(index, random.Random(0)) for index in range(len(source))], list(scored())
    assert len(examples) == 9 and len(held_out) == 3
    for example in examples:
        assert round(example.frames[0].mean() / 60) == int(example.text[0])
        assert example.truths[0].mask.sum() == 400
    assert not {example.text[0] for example in examples} & {clip.texts[0][0] for clip in held_out}
    assert {clip.truths[0][0].mask.sum() for clip in held_out} == {400}


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


def test_both_copies_are_flipped_alike_and_one_is_distorted() -> None:
    frame = np.random.default_rng(0).integers(40, 200, (*SIZE, 3)).astype(np.uint8)
    mask = box(SIZE, 0, 0, SIZE[0], 20)
    tokenizer = load_model("nano").tokenizer

    class Same:
        def draw(self, index: int, rng: random.Random) -> Example:
            return Example("the left square", [frame] * 2, [Truth(mask)] * 2)

    clips, flipped, distorted = Clips(Same(), NANO, tokenizer), 0, 0
    for seed in range(40):
        item = clips[Key(0, str(seed))]
        turned = bool(item["masks"][0, :, -1].all())
        shown = np.ascontiguousarray(frame[:, ::-1]) if turned else frame
        assert torch.equal(item["small"], resize(shown, 192)[None].expand(2, -1, -1, -1))
        assert item["input_ids"].tolist() == tokenizer.encode(f"the {'right' if turned else 'left'} square")
        assert item["masks"].sum() == 2 * 80 * 256
        difference = (item["large"].float() - resize(shown, 256).float()).abs()
        assert torch.equal(difference[0], difference[1])  # one distortion for the clip
        flipped, distorted = flipped + turned, distorted + bool(difference.mean() > 1)
    assert 10 <= flipped <= 30 and 25 <= distorted < 40


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


def test_the_object_score_is_told_what_every_known_frame_shows() -> None:
    logits = torch.tensor([[2.0, -1.0, 0.5], [0.0, 3.0, -4.0]])
    shown = torch.tensor([[True, True, False], [False, True, True]])
    known = torch.tensor([[True, True, True], [True, True, False]])
    p = 1 / (1 + np.exp(-np.array([2.0, -1.0, -0.5, 0.0, 3.0])))  # of what is right
    loss = object_score_loss(logits, shown, known, torch.tensor(5.0))
    assert loss.item() == pytest.approx(-np.log(p).mean(), abs=1e-6)
    assert object_score_loss(logits, shown, known & False, torch.tensor(0.0)).item() == 0


# ------------------------------------------------------------------------------------- what it starts from, and learns


@pytest.fixture(scope="session")
def parts(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """BEiT-3's and SAM 2's files, of nano's sizes."""
    return write_parts(tmp_path_factory.mktemp("parts"), NANO)


@pytest.fixture(scope="session")
def batch(youtube: Path) -> ClipBatch:
    """Two clips of two frames."""
    return two_clips(youtube, NANO)


def two_clips(youtube: Path, config: ModelConfig) -> ClipBatch:
    source, _ = open_sources("ref-youtube-vos", youtube, 3, 0)
    clips = Clips(source, config, load_model("nano").tokenizer)
    whole = collate([clips[key] for key in next(keys(len(source), 2, 0, 0, 1))])
    shorter = {name: getattr(whole, name)[:, 1:] for name in ("small", "large", "masks", "counts")}
    return replace(whole, **shorter)


def test_training_starts_from_two_files_in_either_order(parts: tuple[Path, Path]) -> None:
    one, other = (load_start([str(file) for file in order]) for order in (parts, parts[::-1]))
    given = torch.load(parts[0])["model"] | torch.load(parts[1])["model"]
    weights = one.state_dict()
    for name, tensor in other.state_dict().items():
        if name.startswith(NEW):
            assert tensor.shape == weights[name].shape and "beit3" not in name
        else:
            assert torch.equal(tensor, given[name.removeprefix("mm_extractor.").removeprefix("visual_model.")])
    assert one.network.visual_ifi.linear1.out_features == 4096  # the published one, which no file tells
    assert one.tokenizer.encode("red")


def test_files_that_do_not_fit_are_refused(parts: tuple[Path, Path], tmp_path: Path) -> None:
    def with_sam2(change: Callable[[dict], object]) -> list[str]:
        weights = torch.load(parts[1])["model"]
        change(weights)
        file = tmp_path / f"sam2_{len(weights)}.pt"
        torch.save({"model": weights}, file)
        return [str(parts[0]), str(file)]

    for names, why in (
        (with_sam2(lambda w: w.update(no_obj_embed_spatial=torch.zeros(1, 64))), "unexpected.*no_obj_embed_spatial"),
        (with_sam2(lambda w: w.pop("no_obj_ptr")), "missing.*no_obj_ptr"),
        ([str(parts[0])] * 2, "Neither .* SAM 2's"),
        ([str(parts[1])] * 2, "Neither .* BEiT-3's"),
        ([str(parts[0]), "nowhere.pt"], "no file “nowhere.pt”"),
        ([*map(str, parts), "nano"], "one checkpoint, or at two files"),
    ):
        with pytest.raises(InputError, match=why):
            load_start(names)


def test_gradients_reach_what_is_trained_and_nothing_that_is_frozen(
    parts: tuple[Path, Path], batch: ClipBatch, tmp_path: Path
) -> None:
    torch.manual_seed(0)
    net = load_start([str(file) for file in parts]).network
    before = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    recipe = replace(RECIPES["ref-youtube-vos"], rate=1e-3, new_rate=1e-3)
    trainer = Trainer(trainee := PaperTrainee(net), recipe.optimisation, make_accelerator("cpu", tmp_path))
    sum(trainee(batch).values()).backward()
    reached = {name for name, parameter in net.named_parameters() if parameter.grad is not None}
    named = {name for name, _ in net.named_parameters()}
    frozen = {name for name in named if name.startswith(FROZEN)}
    assert {name.split(".")[1] for name in frozen if name.startswith("visual_model")} == {
        *("image_encoder", "memory_attention", "memory_encoder", "mask_downsample", "obj_ptr_proj"),
        *("maskmem_tpos_enc", "no_mem_embed", "no_mem_pos_enc", "no_obj_ptr"),
    }
    assert not reached & frozen
    decoder, prompts = "visual_model.sam_mask_decoder.", "visual_model.sam_prompt_encoder."
    without_a_loss = (  # no path leads from the paper's loss to these
        "mm_extractor.beit3.vision_embed.mask_token",  # of BEiT-3's pretraining
        f"{prompts}point_embeddings",  # of clicks, boxes and no mask, which are not asked with
        f"{prompts}no_mask_embed",
        f"{decoder}output_hypernetworks_mlps.0.",  # of SAM's single mask, which is not asked for
        f"{decoder}iou_prediction_head",
        f"{decoder}pred_obj_score_head",
    )
    assert named - frozen - reached == {name for name in named if name.startswith(without_a_loss)}

    # The similarity loss does not depend on its sentence's number but for the sign: what comes through it is rounding.
    trainee.weights = replace(recipe.losses, similarity=0)
    gradients = []
    for trainee.checkpointing in (True, False):  # activations computed again, or kept: the same gradients
        net.zero_grad()
        sum(trainee(batch).values()).backward()
        gradients.append({name: p.grad.clone() for name, p in net.named_parameters() if p.grad is not None})
    assert gradients[0].keys() == gradients[1].keys()
    for name, gradient in gradients[0].items():
        difference = gradients[1][name] - gradient
        assert difference.norm() <= 1e-3 * gradient.norm() + 1e-5, name  # sums in another order

    net.zero_grad()
    trainee.weights = recipe.losses
    trainer.step(batch, 0.0)
    changed = {name for name, tensor in net.state_dict().items() if not torch.equal(tensor, before[name])}
    assert changed == reached


@pytest.fixture
def blind() -> PaperTrainee:
    """Nano, told that nothing is ever there; its objective is that of the recipe `own`."""
    net = load_model("nano").network
    with torch.no_grad():
        net.visual_model.sam_mask_decoder.pred_obj_score_head.layers[-1].bias.fill_(-9)
    return PaperTrainee(net, RECIPES["own"].losses, checkpointing=False)


def test_only_own_data_teach_the_object_score(blind: PaperTrainee, youtube: Path) -> None:
    batch = two_clips(youtube, blind.net.config)
    own = blind(batch)
    assert own["object_score"] > 1  # wrongly absent
    own["object_score"].backward()
    assert blind.net.visual_model.sam_mask_decoder.pred_obj_score_head.layers[-1].bias.grad.abs().sum() > 0
    blind.weights = RECIPES["mevis"].losses
    papers = blind(batch)
    assert list(papers) == ["focal", "dice", "similarity"]
    assert all(torch.equal(loss, own[name]) for name, loss in papers.items())
    assert all(recipe.losses.object_score == 0 for name, recipe in RECIPES.items() if name != "own")


def test_an_object_that_the_start_calls_absent_is_found(blind: PaperTrainee, youtube: Path, tmp_path: Path) -> None:
    batch = two_clips(youtube, blind.net.config)
    recipe = replace(RECIPES["own"], rate=5e-4, new_rate=5e-4)
    trainer = Trainer(blind, recipe.optimisation, make_accelerator("cpu", tmp_path))
    with torch.no_grad():
        assert (blind.answer(batch)[2] < 0).all()
    for _ in range(12):
        trainer.step(batch, 0.0)
    with torch.no_grad():
        score = blind.answer(batch)[2]
    assert torch.equal(score > 0, batch.masks.flatten(2).any(dim=2))  # two frames show it, two do not


def test_new_parts_have_their_own_rate(parts: tuple[Path, Path]) -> None:
    trainee = PaperTrainee(load_start([str(file) for file in parts]).network)
    for name, rate in (("refcoco", 1e-5), ("ref-youtube-vos", 2e-6), ("mevis", 2e-6)):
        usual, new = RECIPES[name].optimisation.groups(trainee)
        assert usual["lr"] == rate and new["lr"] == 5e-5
        fast = {id(parameter) for parameter in new["params"]}
        names = {name for name, parameter in trainee.named_parameters() if id(parameter) in fast}
        assert names == {name for name, _ in trainee.named_parameters() if any(part in name for part in NEW_PARTS)}
        assert len(names) == 4 + 4 + 3 * 12  # two linear layers, one attention, three fusion blocks
        assert len(fast) + len(usual["params"]) == len(list(trainee.parameters()))


def test_bfloat16_learns_in_float32(parts: tuple[Path, Path], batch: ClipBatch, tmp_path: Path) -> None:
    net = load_start([str(file) for file in parts]).network
    exact = PaperTrainee(net)(batch)
    trainer = Trainer(PaperTrainee(net), RECIPES["own"].optimisation, make_accelerator("cpu", tmp_path, torch.bfloat16))
    rounded = trainer.step(batch, 0.0)
    assert {x.dtype for x in (*net.parameters(), *rounded.values())} == {torch.float32}
    for name, loss in exact.items():
        assert rounded[name].item() == pytest.approx(loss.item(), rel=0.05, abs=0.01)


# ---------------------------------------------------------------------------------------------- order of the examples


def test_two_processes_take_what_one_with_a_doubled_batch_takes() -> None:
    one = keys(11, 4, 0, 0, 1)
    two = [keys(11, 2, 0, process, 2) for process in (0, 1)]
    steps = [next(one) for _ in range(7)]
    assert steps == [[*next(two[0]), *next(two[1])] for _ in range(7)]
    assert steps_per_epoch(11, 4, 1) == steps_per_epoch(11, 2, 2) == 3
    assert {key.index for step in steps[:3] for key in step} == set(range(11))  # an epoch sees all
    assert [key.index for key in steps[0]] != [key.index for key in steps[3]]  # in another order than the next one
    assert len({key.seed for step in steps for key in step}) == 7 * 4
    later = keys(11, 4, 5, 0, 1)
    assert [next(later), next(later)] == steps[5:]


def test_what_is_held_out_is_always_the_same() -> None:
    names = [f"video {number}" for number in range(100)]
    some = hold_out(names, 0.05)
    assert len(some) == 5 and some == hold_out(reversed(names), 0.05) and some < hold_out(names, 0.2)
    assert not hold_out(names, 0) and not hold_out(names[:1], 0.5) and len(hold_out(names[:3], 0.01)) == 1


# ---------------------------------------------------------------------------------------------------------- the command


def arguments(youtube: Path, run: Path, *more: str) -> list[str]:
    asked = {"--recipe": "ref-youtube-vos", "--data": youtube, "--start": "nano", "--run": run, "--steps": 3}
    asked |= {"--dtype": "float32", "--device": "cpu", "--workers": 0, "--held-out": 0}
    return ["train", *(str(word) for pair in asked.items() for word in pair), *more]


def curve(run: Path) -> list[dict[str, float]]:
    lines = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    return [{k: v for k, v in line.items() if k not in ("seconds_a_step", "waiting")} for line in lines]


def test_a_stopped_run_goes_on_with_the_same_curve(
    youtube: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(PaperTask, "log_every", 1)
    monkeypatch.setitem(RECIPES, "ref-youtube-vos", replace(RECIPES["ref-youtube-vos"], frames=3))
    whole, stopped = tmp_path / "whole", tmp_path / "stopped"
    assert main(arguments(youtube, whole, "--held-out", "0.2")) == 0
    *losses, scores = curve(whole)
    assert [line["step"] for line in losses] == [1, 2, 3]
    assert all(line.keys() == {"step", "focal", "dice", "similarity"} for line in losses)
    assert scores["step"] == 3 and 0 <= scores["J"] <= 100
    assert scores["J&F"] == pytest.approx((scores["J"] + scores["F"]) / 2, abs=1e-3)
    assert list((whole / "tensorboard").glob("events*"))
    net = load_model(whole / "checkpoint")
    assert (net.window, net.interleaved) == (None, False)

    step = Trainer.step

    def until_ctrl_c(trainer: Trainer, *inputs: object) -> dict[str, torch.Tensor]:
        losses = step(trainer, *inputs)
        if trainer.steps == 2:
            os.kill(os.getpid(), signal.SIGINT)
        return losses

    with monkeypatch.context() as patch:
        patch.setattr(Trainer, "step", until_ctrl_c)
        assert main(arguments(youtube, stopped, "--held-out", "0.2")) == 130
    assert [path.name for path in (stopped / "states").iterdir()] == ["state-2"]
    assert main(arguments(youtube, stopped, "--held-out", "0.2")) == 0
    assert curve(stopped) == curve(whole)
    assert [path.name for path in (stopped / "states").iterdir()] == ["state-3"]
    ours, theirs = (load_file(run / "checkpoint/model.safetensors") for run in (stopped, whole))
    assert all(torch.equal(tensor, theirs[name]) for name, tensor in ours.items())

    assert main(arguments(youtube, stopped, "--held-out", "0.2")) == 0  # nothing is left to do
    assert curve(stopped) == curve(whole)
    capsys.readouterr()
    assert main(arguments(youtube, stopped, "--held-out", "0.2", "--batch", "2")) == 2
    assert "begun with other settings (batch" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("more", "why"),
    [
        (("--held-out", "1"), "held out is 1.0"),
        (("--batch", "0"), "--batch is 0"),
        (("--rate", "-1"), "--rate is -1"),
        (("--data", "nowhere"), "no folder “nowhere”"),
        (("--run", "file/run"), "“file/run” cannot be written"),
    ],
)
def test_what_cannot_be_trained_is_refused(
    more: tuple[str, ...],
    why: str,
    youtube: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("file").touch()
    assert main(arguments(youtube, tmp_path / "run", *more)) == 2
    assert why in capsys.readouterr().err and not (tmp_path / "run").exists()


def test_a_missing_accelerate_is_told(
    youtube: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "accelerate", None)
    assert main(arguments(youtube, tmp_path / "run")) == 2
    assert capsys.readouterr().err == "Training needs accelerate and TensorBoard: pip install accelerate tensorboard.\n"


@pytest.mark.parametrize("workers", [0, 1])
def test_a_broken_file_is_told_in_a_sentence(
    workers: int, youtube: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    copy = shutil.copytree(youtube, tmp_path / "ref-youtube-vos")
    for mask in copy.rglob("00010.png"):
        mask.write_bytes(b"no picture")
    asked = arguments(copy, tmp_path / "run", "--steps", "1", "--batch", "16", "--workers", str(workers))
    assert main(asked) == 2
    assert re.fullmatch(r"“train/Annotations/video \d/00010.png” is not a PNG.*\.", last_line(capsys.readouterr().err))


def last_line(text: str) -> str:
    return text.strip().splitlines()[-1]


def test_it_learns(youtube: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Colours have changed their names: what is named is not what it was."""
    monkeypatch.setattr(PaperTask, "log_every", 4)
    monkeypatch.setitem(RECIPES, "ref-youtube-vos", replace(RECIPES["ref-youtube-vos"], frames=3))
    more = ("--steps", "16", "--batch", "1", "--rate", "1e-3", "--new-rate", "1e-3", "--workers", "1")
    assert main(arguments(youtube, tmp_path, *more)) == 0
    first, *_, last = ((line["focal"] + line["dice"]) for line in curve(tmp_path))
    assert last < first / 2


def test_two_processes_learn_as_one_with_a_doubled_batch(youtube: Path, tmp_path: Path) -> None:
    asked = arguments(youtube, tmp_path / "one", "--steps", "2", "--rate", "1e-4")
    assert main([*asked, "--batch", "2"]) == 0
    launch = ["-m", "accelerate.commands.launch", "--multi_gpu", "--num_processes", "2", "--num_machines", "1"]
    launch += ["--mixed_precision", "no", "--dynamo_backend", "no", "--main_process_port", "0", "-m", "mpgsam2"]
    told = subprocess.run(
        [sys.executable, *launch, *asked, "--run", str(tmp_path / "two"), "--batch", "1"],
        env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert told.returncode == 0, told.stderr
    (one,), (two,) = (curve(tmp_path / name) for name in ("one", "two"))
    assert two == pytest.approx(one, rel=1e-3)
    ours, theirs = (load_file(tmp_path / name / "checkpoint/model.safetensors") for name in ("one", "two"))
    before = load_model("nano").state_dict()
    for name in ("mask_linear.weight", "visual_ifi.linear1.weight", "mm_extractor.beit3.text_embed.weight"):
        moved, other = ours[name] - before[name], theirs[name] - before[name]
        assert torch.nn.functional.cosine_similarity(moved.flatten(), other.flatten(), dim=0) > 0.99


def test_sentences_are_read_before_training() -> None:
    tokenizer = load_model("nano").tokenizer
    assert check_sentences(["the red circle", "the blue square"], tokenizer) is None
    told = check_sentences(["the red zeppelin", "a zeppelin left of the ocarina"], tokenizer)
    assert told is not None and "does not know “zeppelin” and “ocarina”; training adds no words" in told
    for text, why in (("?!", "“?!” cannot be learned from. The sentence holds no word"), ("red " * 100, "too long")):
        with pytest.raises(InputError, match=re.escape(why)):
            check_sentences([text], tokenizer)
