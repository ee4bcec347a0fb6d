"""`python -m mpgsam2 evaluate --dataset …` on a benchmark's data set."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from tqdm import tqdm

from mpgsam2.errors import InputError

if TYPE_CHECKING:
    from mpgsam2.datasets.data_set import DataSet
    from mpgsam2.inference.segmenter import Segmenter

_SYNTHETIC_OPTIONS = ("family", "seed", "clips", "frames", "expressions", "oracle_prior")


def add_data_set_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that only concern data sets from disk."""
    parser.add_argument("--data", type=Path, metavar="ROOT", help="the data set's folder, laid out as released")
    parser.add_argument("--split", help="of the data set (default: valid, of mevis valid_u)")
    parser.add_argument(
        "--results",
        type=Path,
        metavar="DIR",
        help="where the masks go, and the submission; a run that was stopped goes on there "
        "(default: out/<data set>-<split>-<model>)",
    )
    parser.add_argument("--csv", type=Path, metavar="FILE", help="write a row of figures for each sequence")
    parser.set_defaults(parser=parser)


def refuse_data_set_options(args: argparse.Namespace) -> None:
    """Raise InputError if one of them was given though the clips are synthetic."""
    for name in ("data", "split", "results", "csv"):
        if getattr(args, name) is not None:
            raise InputError(f"--{name} is for data sets from disk: name one with --dataset.")


def evaluate_on_data_set(args: argparse.Namespace, load: Callable[[], Segmenter]) -> None:
    """Run the command.

    Args:
        args: the command's; `device` becomes that of this process.
        load: loads the model that they name.

    Raises:
        InputError: something given cannot be used.
    """
    import torch

    from mpgsam2.datasets.evaluate import Evaluation
    from mpgsam2.datasets.processes import Processes
    from mpgsam2.datasets.registry import open_data_set
    from mpgsam2.datasets.submission import write_submission

    data_set = _data_set(args, open_data_set)
    processes = Processes(args.device)
    args.device = processes.device
    model = load()
    torch.set_float32_matmul_precision("highest")  # published figures are of float32 and not of TF32
    folder = args.results or Path("out", f"{data_set.NAME}-{data_set.split}-{model.name}")
    evaluation = Evaluation(model, data_set, folder, processes, frozenset(args.without))
    for _ in tqdm(evaluation, unit="mask", delay=1, disable=not processes.is_first):
        pass
    if processes.is_first:
        if data_set.is_scored:
            _score(args, data_set, folder, model)
        else:
            path = folder / "submission.zip"
            write_submission(data_set, folder, path, lambda videos: tqdm(videos, "zip", unit="video", delay=1))
            print(f"{path}: hand this in at the server of {data_set.NAME}.")
    processes.end()


def _data_set(args: argparse.Namespace, open_data_set: Callable[..., DataSet]) -> DataSet:
    from mpgsam2.export.writable import check_writable

    for name in _SYNTHETIC_OPTIONS:
        if getattr(args, name) != args.parser.get_default(name):
            raise InputError(f"--{name.replace('_', '-')} is for the synthetic clips: leave it out.")
    if args.data is None:
        raise InputError(f"Where is {args.dataset}? Give its folder with --data.")
    check_writable(args.out, args.csv, args.sheet)
    data_set = open_data_set(args.dataset, args.data, args.split)
    if not data_set.is_scored and (args.out or args.csv or args.sheet):
        raise InputError(
            f"The split {data_set.split} of {data_set.NAME} is scored on its server: leave out --out, --csv and "
            "--sheet."
        )
    return data_set


def _score(args: argparse.Namespace, data_set: DataSet, folder: Path, model: Segmenter) -> None:
    from mpgsam2.datasets.protocols import score
    from mpgsam2.datasets.sheet import contact_sheet
    from mpgsam2.export.tiles import write_sheet

    scores = score(data_set, folder, lambda videos: tqdm(videos, "score", unit="video", delay=1))
    print(scores.table())
    if args.out:
        record = {**scores.to_dict(), "model": model.name, "without": sorted(args.without)}
        args.out.write_text(json.dumps(record) + "\n", encoding="utf-8")
    if args.csv:
        args.csv.write_text(scores.csv(), encoding="utf-8", errors="replace")
    if args.sheet:
        write_sheet(args.sheet, contact_sheet(data_set, folder, scores))
