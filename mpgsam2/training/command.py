"""`python -m mpgsam2 train`."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mpgsam2.datasets.json_file import read_json_object
from mpgsam2.errors import InputError
from mpgsam2.interruption import Interruption
from mpgsam2.training.recipes import RECIPES, Recipe

if TYPE_CHECKING:
    from accelerate import Accelerator

_SETTINGS = "settings.json"


def add_train(commands: argparse._SubParsersAction) -> None:
    """Add the command."""
    train = commands.add_parser(
        "train",
        help="train by one of the paper's recipes, on its data sets or your own",
        description="Train by one of the paper's recipes, on as many GPUs as `accelerate launch` starts it on. A run "
        "that was stopped goes on with the same command.",
    )
    train.add_argument("--recipe", choices=RECIPES, required=True, help="one of the paper's stages, or your own data")
    train.add_argument("--data", type=Path, metavar="ROOT", required=True, help="the data set's folder")
    train.add_argument(
        "--start",
        nargs="+",
        metavar="NAME",
        required=True,
        help="what --model takes elsewhere, or two files: beit3_*_patch16_224.pth and sam2_hiera_*.pt",
    )
    train.add_argument("--run", dest="folder", type=Path, metavar="DIR", help="of the run (default: runs/<recipe>)")
    train.add_argument("--epochs", type=int, metavar="N", help="in place of the recipe's")
    train.add_argument("--steps", type=int, metavar="N", help="in place of epochs")
    train.add_argument("--batch", type=int, metavar="N", help="clips a step and GPU, in place of the recipe's")
    train.add_argument("--rate", type=float, help="learning rate of what was trained before, in place of the recipe's")
    train.add_argument("--new-rate", type=float, metavar="RATE", help="learning rate of the new parts, likewise")
    train.add_argument(
        "--held-out", type=float, metavar="SHARE", help="of the videos or images, to be scored on; 0: none is"
    )
    train.add_argument("--save-every", type=int, default=1000, metavar="N", help="steps between states (default: 1000)")
    train.add_argument(
        "--workers", type=int, default=2, metavar="N", help="processes a GPU that read clips (default: 2)"
    )
    train.add_argument("--device", choices=["cpu", "cuda"], help="default: cuda where there is a GPU")
    train.add_argument(
        "--dtype", choices=["bfloat16", "float32"], default="bfloat16", help="of matrix products (default: bfloat16)"
    )
    train.set_defaults(run=_train)


def _train(args: argparse.Namespace) -> None:
    import torch

    from mpgsam2.inference.tokenizer import quoted
    from mpgsam2.training.accelerator import make_accelerator
    from mpgsam2.training.held_out import open_sources
    from mpgsam2.training.loop import train
    from mpgsam2.training.paper import PaperTask
    from mpgsam2.training.sentences import check_sentences
    from mpgsam2.training.start import load_start

    recipe = _recipe(args)
    folder = args.folder or Path("runs", args.recipe)
    source, scored = open_sources(args.recipe, args.data, recipe.frames, recipe.held_out)
    device = args.device or ("cuda" if torch.cuda.is_available() else "cpu")
    accelerator = make_accelerator(device, folder, getattr(torch, args.dtype))
    settings = {"recipe": args.recipe, **asdict(recipe), "start": args.start, "steps": args.steps}
    settings |= {"dtype": args.dtype, "examples": len(source), "processes": accelerator.num_processes}
    _check_settings(folder, settings, accelerator)
    torch.set_float32_matmul_precision("high")  # TF32 on a GPU; a processor computes as before
    torch.manual_seed(0)  # what is new begins alike in all processes
    model = load_start(args.start)
    if args.recipe == "own":
        notice = check_sentences([*source.texts, *scored.texts], model.tokenizer)
        if accelerator.is_main_process:
            held_out = f"Scored and not trained on: {quoted(scored.names)}." if scored.names else "Nothing is held out."
            print(*filter(None, [held_out, notice]), sep="\n", file=sys.stderr)
    task = PaperTask(
        args.recipe,
        recipe,
        model,
        source,
        scored,
        processes=accelerator.num_processes,
        workers=args.workers,
        steps=args.steps,
        save_every=args.save_every,
    )
    interruption = Interruption()
    with interruption.heeded():
        train(task, folder, accelerator, interruption=interruption)
    accelerator.end_training()


def _recipe(args: argparse.Namespace) -> Recipe:
    """Return the recipe, with what was asked for in its place."""
    for name in ("epochs", "steps", "batch", "save_every", "rate", "new_rate"):
        value = getattr(args, name)
        if value is not None and not value > 0:
            raise InputError(f"--{name.replace('_', '-')} is {value}: give a number above 0.")
    if args.workers < 0:
        raise InputError(f"--workers is {args.workers}: give 0 or more.")
    given = {name: getattr(args, name) for name in ("epochs", "batch", "rate", "new_rate", "held_out")}
    return replace(RECIPES[args.recipe], **{name: value for name, value in given.items() if value is not None})


def _check_settings(folder: Path, settings: Mapping[str, Any], accelerator: Accelerator) -> None:
    """Note a run's settings in its folder.

    Raises:
        InputError: it was begun with others, or the folder cannot be used.
    """
    file = folder / _SETTINGS
    settings = json.loads(json.dumps(settings))
    before = read_json_object(file, _SETTINGS) if file.exists() else None
    accelerator.wait_for_everyone()
    if before is None:
        if accelerator.is_main_process:
            _write(file, settings)
    elif changed := [name for name, value in settings.items() if before.get(name) != value]:
        raise InputError(
            f"The run in “{folder}” was begun with other settings ({', '.join(changed)}): give those, or another --run."
        )


def _write(file: Path, settings: Mapping[str, Any]) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(settings) + "\n", encoding="utf-8")
    except OSError as error:
        raise InputError(f"“{file.parent}” cannot be written ({error.strerror}): name another folder.") from None
