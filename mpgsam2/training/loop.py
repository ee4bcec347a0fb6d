"""One stage of training, from its last checkpoint to its end."""

from __future__ import annotations

import argparse
import copy
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from itertools import zip_longest
from pathlib import Path

import torch
from sam2.modeling.position_encoding import PositionEmbeddingSine
from torch import Tensor, nn
from tqdm import tqdm

from mpgsam2.checkpoint import check_replaceable, load_model, save_checkpoint
from mpgsam2.checkpoint.tokenizer import WordTokenizer
from mpgsam2.errors import InputError
from mpgsam2.inference.config import InferenceConfig
from mpgsam2.inference.segmenter import Segmenter
from mpgsam2.interruption import Interrupted, Interruption
from mpgsam2.nano.calibration import calibrate
from mpgsam2.nano.drawings.atlas import load_atlas
from mpgsam2.nano.evaluation import VALIDATION_CLIPS, calibration_clips, validation_clips
from mpgsam2.nano.synthetic import VOCABULARY, Clip, render_clip
from mpgsam2.network.beit3 import EncoderOutput
from mpgsam2.network.config import NANO
from mpgsam2.network.images import normalise
from mpgsam2.network.model import MPGSAM2
from mpgsam2.network.prior import ClipContext
from mpgsam2.network.tracker import ImageFeatures, MemoryBank
from mpgsam2.training.data import Batch, ClipStream, loader
from mpgsam2.training.growth import grown
from mpgsam2.training.losses import Helpers, mask_loss, prior_loss
from mpgsam2.training.progress import progress
from mpgsam2.training.recipe import STAGES, Stage
from mpgsam2.training.refit import refit

WINDOW = 16  # frames that nano encodes together: more were never seen in training
_AVERAGE = 0.998  # decay of the moving average of the weights, which is what is scored and shipped
_TOLD = 0.3  # share of the pairs of joint training whose tracker is told the true mask as prior
_WARM_UP = 100  # steps
_EVERY = 50  # steps between lines of the log
_CALIBRATION = 100  # clips on which the scores of what is shipped are calibrated
_SCORED = 24  # clips on which every checkpoint is scored for the log
_SAVE_EVERY = 250  # steps between checkpoints


def new_network() -> MPGSAM2:
    """Nano with fresh weights, set where learning is quickest."""
    net = MPGSAM2(NANO)
    d, grid = NANO.encoder.width, NANO.encoder.grid
    with torch.no_grad():
        # Coordinates at full strength: a table that starts as noise loses them on the way through the layers.
        sine = PositionEmbeddingSine(d, temperature=20, warmup_cache=False)(torch.zeros(1, d, grid, grid))
        net.mm_extractor["beit3"].encoder.embed_positions["A"].weight[3:] = sine[0].flatten(1).T
        net.vmtoken.multihead_attn.out_proj.bias.fill_(1)  # the gate starts open,
        net.mask_product.bias.fill_(-3)  # the prior nearly empty,
        net.visual_model.sam_mask_decoder.pred_obj_score_head.layers[-1].bias.fill_(2)  # and the object present
        if net.config.prior.frame_positions:
            net.frame_position_linear.weight.zero_()
    return net


def in_words(net: MPGSAM2) -> Segmenter:
    """Nano as it is asked sentences."""
    return Segmenter(net, WordTokenizer(VOCABULARY), "nano", InferenceConfig(WINDOW, interleaved=True))


def attend_alike(net: MPGSAM2) -> None:
    """Let every patch attend to those like it, in all frames, when training of the frame-joint layer begins.

    Queries equal keys, so a patch of a moving thing finds the thing's other places, and pe(t) tells their order. From
    random weights attention is nearly even over all patches of a clip, and motion was not learned in 3,000 steps.
    """
    d = net.config.encoder.width
    with torch.no_grad():
        attention = net.visual_ifi.self_attn
        alike = 1.6 * torch.linalg.qr(torch.randn(d, d))[0]
        attention.in_proj_weight[: 2 * d] = alike.repeat(2, 1)
        attention.in_proj_bias[: 2 * d] = 0
        net.frame_position_linear.weight.copy_(0.5 * torch.eye(d))


class Trainee(nn.Module):
    """The network with its training-only heads; its forward pass is a stage's loss."""

    def __init__(self, net: MPGSAM2, trains: str) -> None:
        super().__init__()
        self.net = net
        self.helpers = Helpers(net.config.encoder)
        self.trains = trains
        net.visual_ifi.register_forward_hook(self._keep_joint)

    def forward(self, batch: Batch) -> dict[str, Tensor]:
        """Scalar losses by name; their sum is what is minimised."""
        losses = {}
        frames = batch.small.shape[1]
        if self.trains == "tracker":
            context, words = self._told_context(batch), None
        else:
            encoded = self._encode(batch)
            logits, context = self.net.generate_prior(encoded, frames)
            classes, patches, words = (x.unflatten(0, (-1, frames)) for x in encoded)
            shown = (batch.coverage.sum(dim=(-2, -1)) > 0).float()
            asked = {name: answer[batch.pair_clip] for name, answer in batch.attributes.items()}
            losses["prior"] = prior_loss(logits.squeeze(2), batch.coverage)
            losses["helpers"] = self.helpers(
                classes, patches, self._joint.view_as(patches), words, shown, asked, batch.places
            )
        if self.trains != "prior":
            if words is not None:
                told = torch.rand(len(batch.pair_clip), device=batch.coverage.device) < _TOLD
                prior = torch.where(told[:, None, None, None, None], batch.coverage[:, :, None], context.prior)
                context = context._replace(prior=prior)
            losses["mask"] = self._track(batch, context)
        return losses

    def _keep_joint(self, layer: nn.Module, given: tuple[Tensor, ...], joint: Tensor) -> None:
        self._joint = joint

    def _encode(self, batch: Batch) -> EncoderOutput:
        clips, frames = batch.small.shape[:2]
        beit3 = self.net.mm_extractor["beit3"]
        vision = beit3.vision_embed(normalise(batch.small.flatten(0, 1))).unflatten(0, (clips, frames))
        return beit3.fuse(vision[batch.pair_clip].flatten(0, 1), batch.input_ids.repeat_interleave(frames, dim=0))

    def _told_context(self, batch: Batch) -> ClipContext:
        """The true mask as an imperfect prior, and nothing else: the tracker's own training."""
        covered = batch.coverage[:, :, None]
        pairs, frames, grid = covered.shape[0], covered.shape[1], covered.shape[-1]
        c = self.net.config.tracker.width
        sure = torch.empty(pairs, frames, 1, 1, 1, device=covered.device).uniform_(0.4, 1)
        missed = torch.rand_like(sure) < 0.15
        missed[:, 0] = False
        prior = (covered * sure * ~missed + 0.1 * torch.rand_like(covered)).clamp(0, 1)
        return ClipContext(
            prior,
            covered.new_zeros(pairs, frames * grid**2, c),
            covered.new_zeros(pairs, frames, 1, c),
            covered.new_zeros(pairs, frames, batch.input_ids.shape[1], c),
        )

    def _track(self, batch: Batch, context: ClipContext) -> Tensor:
        tracker = self.net.visual_model
        clips, frames = batch.large.shape[:2]
        features = tracker.image_features(normalise(batch.large.flatten(0, 1)))
        features = ImageFeatures(*(x.unflatten(0, (clips, frames))[batch.pair_clip] for x in features))
        keys = tracker.sam_mask_decoder.project_context(context)
        bank = MemoryBank(self.net.config.tracker, frames)
        outputs = [
            tracker.step(
                ImageFeatures(*(x[:, t] for x in features)),
                context.prior[:, t],
                context.sparse_prompts[:, t],
                keys.frame(t),
                bank,
            )
            for t in range(frames)
        ]
        sentence = self.net.text2one_linear(context.text_features[:, :, 0]).squeeze(-1)  # P × T
        return mask_loss(
            torch.stack([output.candidate_logits for output in outputs], dim=1),
            torch.stack([output.iou for output in outputs], dim=1),
            torch.stack([output.object_score_logit for output in outputs], dim=1),
            batch.masks,
            sentence,
        )


def rate_at(step: int, stage: Stage, part: float | None = None) -> float:
    """Learning rate of a step: a short rise, a plateau, and a linear fall over the last quarter.

    part: of the stage that is over, 0..1; by default as many of its steps.
    """
    part = step / stage.steps if part is None else part
    return stage.rate * min((step + 1) / _WARM_UP, 1) * min(4 * (1 - part), 1)


def train(
    name: str,
    stage: Stage,
    run: Path,
    device: torch.device,
    workers: int,
    save_every: int = _SAVE_EVERY,
    clips: Sequence[Clip] = (),
    start: Path | None = None,
    seconds: float | None = None,
    out: Path | None = None,
    interruption: Interruption | None = None,
) -> None:
    """Train one stage, or what is left of it.

    Args:
        name: of the stage; its checkpoint is `run/name.pt`, its log `run/name.jsonl`.
        run: folder of this training run.
        device: where to train.
        workers: processes that make clips.
        save_every: steps between checkpoints.
        clips: on which every checkpoint is scored for the log.
        start: a nano checkpoint folder to begin at, in place of the earlier stages; its training-only heads are new.
        seconds: end the stage after so long, whatever the steps: for a machine that is lent for a time. The learning
            rate then falls by the clock.
        out: also write every checkpoint's averaged weights here, as `export` does.
        interruption: what may stop it, after the step at work and with a checkpoint.

    Raises:
        Interrupted: it was stopped.
        InputError: an earlier stage that this one starts from has no checkpoint in `run`.
    """
    net = new_network()
    average = copy.deepcopy(net).to(device)
    trainee = Trainee(net, stage.trains).to(device)
    if start:
        net.load_state_dict(grown(load_model(start), in_words(net)))
    else:
        for earlier in stage.starts_from:
            trainee.load_state_dict(_trained_by(earlier, run), strict=False)
    if stage.alike:
        attend_alike(net)
    average.load_state_dict(net.state_dict())
    before = copy.deepcopy(average).eval() if stage.refit else None
    for prefix in stage.frozen:
        net.get_submodule(prefix).requires_grad_(False)
    learners = [parameter for parameter in trainee.parameters() if parameter.requires_grad]
    fused = device.type == "cuda"
    optimiser = torch.optim.AdamW(learners, lr=stage.rate, betas=(0.9, 0.98), weight_decay=0.01, fused=fused)
    step, file = 0, run / f"{name}.pt"
    if file.exists():
        saved = torch.load(file, map_location=device, weights_only=True)
        trainee.load_state_dict(saved["trainee"])
        average.load_state_dict(saved["average"])
        optimiser.load_state_dict(saved["optimiser"])
        step = saved["step"]

    stream = ClipStream(stage, net.config, WordTokenizer(VOCABULARY), step)
    sums, since, waited = {}, time.monotonic(), 0.0
    batches = iter(loader(stream, workers))
    interruption = interruption or Interruption()
    bar = tqdm(total=stage.steps if seconds is None else None, initial=step, desc=name, unit="step")
    begun, part = time.monotonic(), step / stage.steps
    while part < 1:
        try:
            interruption.release()
        except Interrupted:
            bar.close()
            _save(file, step, trainee=trainee, average=average, optimiser=optimiser)
            raise
        interruption.keep()
        asked = time.monotonic()
        batch = next(batches).to(device)
        waited += time.monotonic() - asked
        for group in optimiser.param_groups:
            group["lr"] = rate_at(step, stage, part)
        losses = trainee(batch)
        sum(losses.values()).backward()
        if nn.utils.clip_grad_norm_(learners, 1.0).isfinite():
            optimiser.step()
        optimiser.zero_grad()
        step += 1
        part = step / stage.steps if seconds is None else (time.monotonic() - begun) / seconds
        decay = min(_AVERAGE, step / (step + 10))
        with torch.no_grad():
            torch._foreach_lerp_(list(average.parameters()), list(net.parameters()), 1 - decay)
        for loss, value in losses.items():
            sums[loss] = sums.get(loss, 0.0) + value.detach()
        if bar.update():  # often enough to be looked at, so that a GPU is not waited for at every step
            bar.set_postfix(loss=f"{sum(losses.values()).item():.3f}")
        if step % _EVERY == 0:
            took = time.monotonic() - since
            line = {"step": step, **{loss: round(float(value) / _EVERY, 4) for loss, value in sums.items()}}
            line |= {"seconds_a_step": round(took / _EVERY, 3), "waiting": round(waited / took, 3)}
            _log(run / f"{name}.jsonl", line)
            sums, since, waited = {}, time.monotonic(), 0.0
        if part >= 1 and before:
            seeds = range(stage.seed - stage.refit, stage.seed)
            refit(in_words(average), in_words(before), (render_clip(seed, stage.easy) for seed in seeds))
        if step % save_every == 0 or part >= 1:
            _save(file, step, trainee=trainee, average=average, optimiser=optimiser)
            if out:
                save_checkpoint(in_words(average), out, dtype=torch.float16)
            if clips and (scores := progress(in_words(average), stage.trains, clips)):
                _log(run / f"{name}.jsonl", {"step": step, **scores})
            since = time.monotonic()
    bar.close()
    interruption.release()


def _trained_by(stage: str, run: Path) -> dict[str, Tensor]:
    """The weights of a `Trainee` that a stage trained, averaged, and no others.

    A prior that was fitted to a tracker is of no use without it, so the two are handed on together.
    """
    if not (run / f"{stage}.pt").exists():
        raise InputError(f"Stage {stage} has not been trained in this run: train it first, or all stages in order.")
    saved = torch.load(run / f"{stage}.pt", map_location="cpu", weights_only=True)
    trained = "joint" if STAGES[stage].refit else STAGES[stage].trains
    parts = {"prior": (False,), "tracker": (True,), "joint": (False, True)}[trained]  # of the SAM 2 branch or not
    weights = {f"net.{k}": x for k, x in saved["average"].items() if k.startswith("visual_model.") in parts}
    if trained != "tracker":
        weights |= {name: x for name, x in saved["trainee"].items() if name.startswith("helpers.")}
    return weights


def _save(file: Path, step: int, **states: nn.Module | torch.optim.Optimizer) -> None:
    """Write a checkpoint that training goes on from, whole or not at all."""
    part = file.with_suffix(".part")
    torch.save({"step": step, **{key: value.state_dict() for key, value in states.items()}}, part)
    part.replace(file)


def _log(file: Path, line: dict[str, float]) -> None:
    tqdm.write(json.dumps(line), file=sys.stdout)
    sys.stdout.flush()
    with file.open("a") as log:
        log.write(json.dumps(line) + "\n")


def export(stage: str, run: Path, folder: Path, clips: Sequence[Clip] = ()) -> None:
    """Write the averaged weights of a stage as a checkpoint folder that `load_model` reads, in float16.

    Args:
        stage: whose checkpoint is in `run`.
        run: folder of the training run.
        folder: where the checkpoint goes.
        clips: on which its scores are calibrated; none: they stay as trained.
    """
    net = new_network().eval()
    net.load_state_dict(torch.load(run / f"{stage}.pt", map_location="cpu", weights_only=True)["average"])
    model = in_words(net)
    if clips:
        print(f"Training is done; its scores are now calibrated on {len(clips)} clips.", flush=True)
        model = calibrate(model, clips)
    save_checkpoint(model, folder, dtype=torch.float16)


def main(arguments: Sequence[str] | None = None, interruption: Interruption | None = None) -> None:
    """Train nano: `python -m mpgsam2 train-nano`; what may stop it is heeded by the caller."""
    parser = argparse.ArgumentParser(prog="python -m mpgsam2 train-nano", description=__doc__)
    parser.add_argument("--run", type=Path, default=Path("runs/nano"), help="folder of checkpoints and logs")
    parser.add_argument("--stage", choices=STAGES, action="append", help="only this stage (repeatable); default all")
    parser.add_argument("--start", type=Path, help="begin the first stage at this checkpoint folder")
    parser.add_argument("--steps", type=int, help="optimiser steps instead of the recipe's")
    parser.add_argument(
        "--seconds", type=float, action="append", help="of each stage instead of its steps (repeatable)"
    )
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads(), help="threads of the training process")
    parser.add_argument("--workers", type=int, default=1, help="processes that make clips")
    parser.add_argument("--out", type=Path, help="write the last stage's averaged weights here as a checkpoint folder")
    options = parser.parse_args(arguments)
    if options.out:
        check_replaceable(options.out)

    torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    options.run.mkdir(parents=True, exist_ok=True)
    stages = options.stage or list(STAGES)
    if any(world.drawn for name in stages for world in (STAGES[name].easy, STAGES[name].full)):
        load_atlas()  # now rather than after hours
    scored = validation_clips(_SCORED, seed=VALIDATION_CLIPS)  # not the published ones
    torch.set_float32_matmul_precision("high")  # TF32 on a GPU; a processor computes as before
    for name, seconds in zip_longest(stages, options.seconds or ()):
        stage = STAGES[name] if options.steps is None else replace(STAGES[name], steps=options.steps)
        start = options.start if name == stages[0] else None
        train(
            name,
            stage,
            options.run,
            torch.device(options.device),
            options.workers,
            clips=scored,
            start=start,
            seconds=seconds,
            out=options.out,
            interruption=interruption,
        )
    if options.out:
        export(stages[-1], options.run, options.out, calibration_clips(_CALIBRATION))
