"""Train nano from scratch on the synthetic world, or go on with it."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import chain, zip_longest
from pathlib import Path

import torch

from mpgsam2.checkpoint import check_replaceable, load_model, save_checkpoint
from mpgsam2.interruption import Interruption
from mpgsam2.nano.calibration import calibrate
from mpgsam2.nano.drawings.atlas import load_atlas
from mpgsam2.nano.evaluation import VALIDATION_CLIPS, calibration_clips, validation_clips
from mpgsam2.nano.synthetic import SyntheticClip
from mpgsam2.nano.training.rare_words import read_as_common
from mpgsam2.nano.training.recipe import STAGES
from mpgsam2.nano.training.stage import StageTask
from mpgsam2.training.accelerator import make_accelerator
from mpgsam2.training.loop import CHECKPOINT, train

_CALIBRATION_CLIPS = 100  # on which the scores of what is shipped are calibrated
_SCORED_CLIPS = 24  # of every checkpoint, for the log


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
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu", help="cpu or cuda")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads(), help="threads of the training process")
    parser.add_argument("--workers", type=int, default=1, help="processes that make clips")
    parser.add_argument("--out", type=Path, help="write the last stage's averaged weights here as a checkpoint folder")
    options = parser.parse_args(arguments)
    if options.out:
        check_replaceable(options.out)

    torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    stages = options.stage or list(STAGES)
    if any(world.drawn for name in stages for world in (STAGES[name].easy, STAGES[name].full)):
        load_atlas()  # now rather than after hours
    scored = validation_clips(_SCORED_CLIPS, seed=VALIDATION_CLIPS)  # not the published ones
    torch.set_float32_matmul_precision("high")  # TF32 on a GPU; a processor computes as before
    for name, seconds in zip_longest(stages, options.seconds or ()):
        accelerator = make_accelerator(options.device, options.run / name)
        stage = STAGES[name] if options.steps is None else replace(STAGES[name], steps=options.steps)
        start = options.start if name == stages[0] else None
        task = StageTask(name, stage, options.run, options.workers, scored, start)
        train(task, options.run / name, accelerator, seconds=seconds, interruption=interruption)
    if options.out and accelerator.is_main_process:
        families = ("seen", "things") if STAGES[stages[-1]].full.drawn else ("seen",)
        clips = [calibration_clips(_CALIBRATION_CLIPS // len(families), family=family) for family in families]
        export(options.run / stages[-1] / CHECKPOINT, options.out, chain.from_iterable(clips))
    accelerator.end_training()


def export(checkpoint: Path, folder: Path, clips: Iterable[SyntheticClip] | None) -> None:
    """Write a trained network as a checkpoint folder in float16, with rare words read as common ones.

    Args:
        checkpoint: the folder of the network.
        folder: where it goes.
        clips: on which its scores are calibrated; None: they stay as trained.
    """
    model = load_model(checkpoint)
    read_as_common(model)
    if clips is not None:
        print(f"Training is done; its scores are now calibrated on {_CALIBRATION_CLIPS} clips.", flush=True)
        model = calibrate(model, clips)
    save_checkpoint(model, folder, dtype=torch.float16)
