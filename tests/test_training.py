"""Training: its targets and losses say what they should, and a run can be stopped and taken up again."""

from __future__ import annotations

import copy
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from mpgsam2 import InputError, load_model
from mpgsam2.checkpoint.tokenizer import WordTokenizer
from mpgsam2.inference.segmenter import Segmenter
from mpgsam2.nano import synthetic
from mpgsam2.nano.drawings.atlas import load_atlas
from mpgsam2.nano.evaluation import EVALUATION_SEED_OFFSET
from mpgsam2.nano.training import losses as nano_losses
from mpgsam2.nano.training import targets
from mpgsam2.nano.training.command import export, main
from mpgsam2.nano.training.data import Batch, ClipStream
from mpgsam2.nano.training.growth import grown
from mpgsam2.nano.training.progress import heaviest
from mpgsam2.nano.training.rare_words import common_words, read_as_common
from mpgsam2.nano.training.recipe import STAGES, Stage
from mpgsam2.nano.training.refit import refit
from mpgsam2.nano.training.stage import StageTask
from mpgsam2.nano.training.trainee import attend_alike, in_words, new_network
from mpgsam2.network.config import NANO
from mpgsam2.network.model import MPGSAM2
from mpgsam2.training import losses
from mpgsam2.training.accelerator import make_accelerator
from mpgsam2.training.loop import CHECKPOINT, train
from mpgsam2.training.optimisation import Optimisation

pytestmark = pytest.mark.usefixtures("accelerate_state")

ROOT = Path(__file__).parents[1]
SMALL = {
    name: replace(
        stage,
        steps=3,
        refit=min(stage.refit, 1),
        frames=max(4, min(stage.lengths)),
        lengths=(min(stage.lengths),),
        sentences=1,
    )
    for name, stage in STAGES.items()
}


def test_coverage_is_the_share_of_a_patch() -> None:
    labels = np.zeros((1, 8, 8), np.uint8)
    labels[0, :4, :2] = 1  # half of the upper left patch
    labels[0, 4:, 4:] = 2
    covered = targets.coverage(labels, things=2, grid=2)
    assert covered[0, 0].tolist() == [[0.5, 0], [0, 0]]
    assert covered[1, 0].tolist() == [[0, 0], [0, 1]]


def test_patches_are_asked_about_the_thing_that_owns_them() -> None:
    clip = synthetic.render_clip(3, replace(synthetic.EASY, frames=2, height=(128, 128), aspect=(1, 1)))
    covered = targets.coverage(clip.labels, len(clip.things), 8)
    answers = targets.attributes(clip, covered)
    for k, thing in enumerate(clip.things):
        own = covered[k] > 0.9
        assert own.any()
        for name, values in targets.ATTRIBUTES.items():
            assert {values[i] for i in answers[name][own]} == {getattr(thing, name)}
    empty = covered.max(axis=0) == 0
    assert (answers["colour"][empty] == -1).all()


def test_a_small_thing_owns_the_patch_that_holds_it() -> None:
    labels = np.zeros((1, 16, 16), np.uint8)
    labels[0, 1:3, 1:3] = 1  # a sixteenth of the upper left patch
    clip = replace(synthetic.render_clip(0), labels=labels, things=synthetic.render_clip(0).things[:1])
    owned = targets.attributes(clip, targets.coverage(labels, things=1, grid=2))["colour"] >= 0
    assert owned.tolist() == [[[True, False], [False, False]]]


def test_doubtful_words_light_nothing(atlas: Path) -> None:
    world = replace(synthetic.THINGS, frames=1, height=(96, 96), aspect=(1, 1))
    for seed in range(12):
        clip = synthetic.render_clip(seed, world)
        covered = targets.coverage(clip.labels, len(clip.things), 8)
        places = targets.word_places(clip, covered, "name")
        for thing, whole in zip(clip.things, covered, strict=True):
            assert not {value for name in ("shape", "colour") for value in thing.doubtful(name)} & set(places)
            if thing.shape in places:
                assert (places[thing.shape] >= whole - 1e-6).all()


def test_words_light_their_places() -> None:
    clip = synthetic.render_clip(3, replace(synthetic.EASY, frames=2, height=(128, 128), aspect=(1, 1)))
    covered = targets.coverage(clip.labels, len(clip.things), 8)
    places = targets.word_places(clip, covered, "position")
    thing = clip.things[0]
    assert (places[thing.colour] >= covered[0] - 1e-6).all()
    assert places["left"][..., :4].min() == 1 and places["left"][..., 4:].max() == 0
    assert places["top"][:, :4].min() == 1 and places["top"][:, 4:].max() == 0
    assert set(places) <= set(synthetic.VOCABULARY)
    assert "left" not in targets.word_places(clip, covered, "motion")  # a direction there, not a place


def test_losses_by_hand() -> None:
    target = torch.zeros(1, 4, 4)
    target[0, :2] = 1
    right, wrong = 20 * (2 * target - 1), 20 * (1 - 2 * target)
    assert losses.dice(right, target).item() == pytest.approx(0, abs=1e-4)
    assert losses.dice(wrong, target).item() == pytest.approx(1 - 1 / 17, abs=1e-4)
    assert losses.focal(right, target).item() == pytest.approx(0, abs=1e-6)
    assert losses.focal(wrong, target).item() == pytest.approx(20 * 0.5, rel=1e-3)  # mean of α·20 and (1 - α)·20
    unsure = losses.focal(torch.zeros(1, 4, 4), target).item()
    assert unsure == pytest.approx(0.5 * 0.25 * np.log(2), rel=1e-4)
    sentence = torch.tensor([0.7])
    assert losses.similarity(right, target, sentence).item() == pytest.approx(0, abs=1e-6)
    everything = losses.similarity(torch.full((1, 4, 4), 20.0), target, sentence).item()
    assert everything == pytest.approx((1 - 0.5**0.5) ** 2, rel=1e-3)


def test_only_the_best_candidate_and_present_frames_count() -> None:
    target = torch.zeros(1, 2, 8, 8)
    target[:, 0, 2:6, 2:6] = 1  # in the second frame the object is absent
    logits = 20 * (2 * target - 1)
    candidates = torch.stack([logits, -logits, -logits], dim=2)
    iou = torch.tensor([[[1.0, 0.0, 0.0], [0.0, 0.0, 0.0]]])
    score = torch.tensor([[20.0, -20.0]])
    good = nano_losses.mask_loss(candidates, iou, score, target, torch.ones(1, 2))
    changed = candidates.clone()
    changed[:, 1] = 20  # nobody asks for a mask where nothing is
    assert nano_losses.mask_loss(changed, iou, score, target, torch.ones(1, 2)) == good
    assert (
        nano_losses.mask_loss(-candidates[:, :, :1].expand_as(candidates), iou, score, target, torch.ones(1, 2)) > good
    )
    assert nano_losses.mask_loss(candidates, iou, -score, target, torch.ones(1, 2)) > good + 10


def test_the_prior_is_scored_by_the_thing_it_lies_on() -> None:
    labels = np.zeros((1, 16, 16), np.uint8)
    labels[0, :8, :8], labels[0, 8:, 8:] = 1, 2
    prior = np.array([[[0.2, 0.0], [0.9, 0.3]]], np.float32)  # most of it lies on nothing
    assert heaviest(prior, labels, things=2) == 1


def test_alike_patches_attend_to_each_other() -> None:
    net = new_network()
    attend_alike(net)
    tokens = torch.randn(40, NANO.encoder.width, generator=torch.Generator().manual_seed(0))
    tokens[20:] = tokens[:20] + 0.1 * tokens[20:]  # everything twice, as in two frames
    query, key = (tokens @ net.visual_ifi.self_attn.in_proj_weight.chunk(3)[i].T for i in (0, 1))
    scores = query @ key.T
    scores.fill_diagonal_(float("-inf"))
    assert (scores.argmax(dim=1) == torch.arange(40).roll(20)).all()


def test_seeds_never_meet() -> None:
    ends = sorted((stage.seed, stage.seed + stage.steps * stage.frames) for stage in STAGES.values())
    assert all(end <= start for (_, end), (start, _) in pairwise(ends))
    assert ends[-1][1] < EVALUATION_SEED_OFFSET


def test_rates_rise_stay_and_fall_to_zero() -> None:
    learning = Optimisation(rate=1, weight_decay=0, clip_norm=1, warm_up=100, plateau=0.75)
    assert learning.factor(1000, 0.75) == 1 and learning.factor(1000, 0.875) == 0.5
    factors = [learning.factor(step, step / 2000) for step in range(2000)]
    assert factors[0] == 0.01 and factors[50] < max(factors) == 1
    assert factors[1999] < 0.01
    forever = Optimisation(rate=1, weight_decay=0, clip_norm=1)
    assert {forever.factor(step, step / 10) for step in range(10)} == {1}


def test_stages_start_from_earlier_ones_and_freeze_what_there_is() -> None:
    names, net = list(STAGES), new_network()
    for name, stage in STAGES.items():
        assert all(names.index(earlier) < names.index(name) for earlier in stage.starts_from)
        Optimisation(rate=1, weight_decay=0, clip_norm=1, frozen=stage.frozen).freeze(net.requires_grad_(True))
        assert {parameter.requires_grad for parameter in net.parameters()} == {True, not stage.frozen}
    with pytest.raises(ValueError, match="mm_extractr"):
        Optimisation(rate=1, weight_decay=0, clip_norm=1, frozen=("mm_extractr",)).freeze(net)


def test_batches_are_made_again_from_their_step() -> None:
    stream = ClipStream(SMALL["joint"], NANO, WordTokenizer(synthetic.VOCABULARY), 0)
    once, again, other = stream.batch(1), stream.batch(1), stream.batch(2)
    assert torch.equal(once.small, again.small) and torch.equal(once.input_ids, again.input_ids)
    assert once.small.shape != other.small.shape or not torch.equal(once.small, other.small)
    pairs, length = once.input_ids.shape
    assert once.coverage.shape == (pairs, 4, NANO.encoder.grid, NANO.encoder.grid)
    assert once.places.shape[:3] == (pairs, length, 4)
    assert once.masks.shape[-1] == NANO.tracker.image_size // 2
    assert once.masks.amax().item() == pytest.approx(1)


def stopped_at(last: int, batch: Callable[[ClipStream, int], Batch]) -> Callable[[ClipStream, int], Batch]:
    """`ClipStream.batch` until somebody presses Ctrl-C."""

    def until_stopped(stream: ClipStream, step: int) -> Batch:
        if step == last:
            raise KeyboardInterrupt
        return batch(stream, step)

    return until_stopped


def train_stage(name: str, stage: Stage, run: Path, save_every: int = 250, **options: Any) -> None:
    """A stage on this process, with clips that it makes itself."""
    clips, start, seconds = (options.get(key) for key in ("clips", "start", "seconds"))
    accelerator = make_accelerator("cpu", run / name)
    train(StageTask(name, stage, run, 0, clips or (), start, save_every), run / name, accelerator, seconds=seconds)


def test_a_stopped_run_ends_as_an_unstopped_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stage = SMALL["prior"]
    weights = []
    for name in ("whole", "stopped"):
        run = tmp_path / name
        torch.manual_seed(0)
        if name == "stopped":
            with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
                patch.setattr(ClipStream, "batch", stopped_at(2, ClipStream.batch))
                train_stage("prior", stage, run, save_every=1)
            assert [path.name for path in (run / "prior/states").iterdir()] == ["state-2"]
        train_stage("prior", stage, run)
        weights.append(load_file(run / "prior" / CHECKPOINT / "model.safetensors"))
    assert all(torch.equal(weights[0][name], weights[1][name]) for name in weights[0])


def test_a_stage_ends_by_the_clock(atlas: Path, tmp_path: Path) -> None:
    stage = replace(SMALL["things_prior"], steps=10**6, starts_from=())
    train_stage("things_prior", stage, tmp_path, save_every=10**6, seconds=0.01)
    assert [path.name for path in (tmp_path / "things_prior/states").iterdir()] == ["state-1"]
    assert load_model(tmp_path / "things_prior" / CHECKPOINT).config == NANO


def test_the_stage_after_a_fitted_prior_begins_with_the_tracker_that_it_was_fitted_to(
    atlas: Path, tmp_path: Path
) -> None:
    train_stage("things_prior", replace(SMALL["things_prior"], steps=1, starts_from=()), tmp_path)
    train_stage("things_answers", replace(SMALL["things_answers"], steps=1, rate=0.0), tmp_path)
    fitted, gone_on = (load_model(tmp_path / f"things_{x}" / CHECKPOINT).state_dict() for x in ("prior", "answers"))
    tracker = [name for name in fitted if name.startswith("visual_model.")]
    assert tracker and all(torch.equal(gone_on[name], fitted[name]) for name in tracker)


def test_the_tracker_is_told_again_what_it_was_told_before(model: Segmenter) -> None:
    net = copy.deepcopy(model)
    clips = [synthetic.render_clip(seed, replace(synthetic.EASY, frames=3, height=(64, 64))) for seed in range(24)]
    for layer in (net.network.meo_linear, net.network.text_feat_linear, net.network.text_hidden_fcs[0][-1]):
        torch.nn.init.normal_(layer.weight)
    ids = net.tokenizer.encode(clips[0].expressions[0].text)

    def error(name: str) -> float:
        ours, theirs = (getattr(network.encode_clip(clips[0].frames, ids), name) for network in (net, model))
        return float((ours - theirs).norm() / theirs.norm())

    names = ("global_context", "sparse_prompts", "text_features")
    assert min(map(error, names)) > 0.5
    refit(net, model, clips)
    assert max(map(error, names)) < 0.1
    assert torch.equal(net.network.mask_linear.weight, model.network.mask_linear.weight)


def test_a_missing_atlas_is_told_before_the_first_stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MPGSAM2_ATLAS", str(tmp_path))
    load_atlas.cache_clear()
    with pytest.raises(InputError, match="make atlas"):
        main(["--run", str(tmp_path / "run"), "--stage", "prior", "--stage", "things_prior"])
    assert not (tmp_path / "run").exists()
    load_atlas.cache_clear()


def test_a_smaller_network_grows_without_forgetting() -> None:
    torch.manual_seed(0)
    net = new_network()
    older = MPGSAM2(replace(NANO, encoder=replace(NANO.encoder, image_size=64, depth=2, vocabulary_size=16))).eval()
    words = in_words(net).tokenizer
    net.load_state_dict(grown(Segmenter(older, WordTokenizer(["red", "circle"])), in_words(net)))
    net.eval()
    rows = {word: net.mm_extractor["beit3"].text_embed.weight[words.encode(word)[1]] for word in ("red", "dog")}
    assert torch.equal(rows["red"], older.mm_extractor["beit3"].text_embed.weight[4])
    assert not torch.equal(rows["dog"], older.mm_extractor["beit3"].text_embed.weight[5])
    layers = net.mm_extractor["beit3"].encoder.layers
    x = torch.randn(1, 9, NANO.encoder.width)
    mask = torch.ones(1, 1, 1, 9, dtype=torch.bool)
    assert all(torch.equal(layer(x, 5, mask), x) for layer in layers[2:])
    assert not torch.equal(layers[1](x, 5, mask), x)
    positions = net.mm_extractor["beit3"].encoder.embed_positions["A"].weight[3:].reshape(12, 12, -1)
    corners = older.mm_extractor["beit3"].encoder.embed_positions["A"].weight[3:].reshape(4, 4, -1)
    assert torch.allclose(positions[::11, ::11], corners[::3, ::3], atol=1e-6)


def test_rare_words_get_the_rows_of_common_ones() -> None:
    """And nothing else changes, words that the vocabulary lacks are left out, and no word is read as a rare one."""
    words = common_words()
    assert not set(words) & set(words.values()) and set(words) | set(words.values()) <= set(synthetic.VOCABULARY)
    assert (words["runs"], words["dogs"], words["mice"], words["creams"]) == ("moves", "dog", "mouse", "cream")
    assert not {"going", "leaves", "leaf", "moving", "bird", "orange", "puppy"} & set(words)
    model = Segmenter(new_network(), WordTokenizer(["dog", "walks", "puppy", "red", "moves", "dogs", "cats"]))
    before = {name: x.clone() for name, x in model.state_dict().items()}
    read_as_common(model)
    changed = [name for name, x in model.state_dict().items() if not torch.equal(x, before[name])]
    (name,) = changed
    after, rows = model.state_dict()[name], torch.arange(len(before[name]))
    (dog, walks, _, _, moves, dogs, _) = model.tokenizer.encode("dog walks puppy red moves dogs cats")[1:-1]
    rows[[dogs, walks]] = torch.tensor([dog, moves])
    assert torch.equal(after, before[name][rows])


def test_ctrl_c_ends_training_after_the_step_at_work_with_a_checkpoint(tmp_path: Path) -> None:
    asked = ["train-nano", "--run", "run", "--stage", "prior", "--steps", "10000", "--threads", "1"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
    command = [sys.executable, "-m", "mpgsam2", *asked]
    run = subprocess.Popen(command, cwd=tmp_path, env=environment, stderr=subprocess.PIPE, start_new_session=True)
    told = b""
    while not re.search(rb"prior: .* [1-9]/10000 .*loss=", told):  # a bar from the first step on, with time left
        read = os.read(run.stderr.fileno(), 4096)
        assert read, told.decode()
        told += read
    os.killpg(run.pid, signal.SIGINT)  # as a terminal does, to the processes that make clips, too
    told += run.stderr.read()
    assert run.wait() == 130
    assert told.endswith(b"Stopped.\n") and b"Traceback" not in told, told.decode()
    (state,) = (tmp_path / "run/prior/states").iterdir()
    assert re.fullmatch("state-[1-9]", state.name)


def test_stages_train_one_after_the_other_and_the_result_loads(atlas: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="prior"):
        train_stage("joint", SMALL["joint"], tmp_path)
    torch.manual_seed(0)
    clips = [synthetic.render_clip(EVALUATION_SEED_OFFSET, replace(synthetic.FULL, frames=2, absent=1.0))]
    chain = {"prior": SMALL["prior"], "tracker": SMALL["tracker"], "joint": replace(SMALL["joint"], refit=1)}
    for name, stage in chain.items():
        train_stage(name, replace(stage, steps=1), tmp_path, clips=() if name == "tracker" else clips)
    logged = [json.loads(line) for line in (tmp_path / "joint/log.jsonl").read_text().splitlines()]
    kind = clips[0].expressions[0].kind
    assert logged[0].keys() >= {"step", "prior", "helpers", "mask"}
    assert logged[-1]["step"] == 1 and 0 <= logged[-1][f"J&F, {kind}"] <= 100
    export(tmp_path / "joint" / CHECKPOINT, tmp_path / "nano", None)
    net, before = load_model(tmp_path / "nano"), in_words(new_network())
    assert (net.window, net.interleaved, net.config) == (before.window, True, NANO)
    average = load_file(tmp_path / "joint" / CHECKPOINT / "model.safetensors")
    assert torch.equal(net.network.mask_linear.weight, average["mask_linear.weight"].half().float())
    result = next(iter(net.segment([np.zeros((40, 50, 3), np.uint8)] * 2, "the red circle")))
    assert result.mask.shape == (40, 50)

    stage = replace(SMALL["motion"], steps=1, rate=0.0, alike=False)
    train_stage("motion", stage, tmp_path / "again", start=tmp_path / "nano")
    weights = load_file(tmp_path / "again/motion" / CHECKPOINT / "model.safetensors")
    known = len(synthetic.VOCABULARY) + 4  # the table's other rows are no word's
    for key, value in net.state_dict().items():
        rows = slice(known if "text_embed" in key else None)
        assert value.ndim == 0 or torch.equal(weights[key][rows], value[rows]), key
