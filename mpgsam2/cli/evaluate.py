"""`python -m mpgsam2 evaluate`: a model's scores on nano's clips, or on a data set."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from tqdm import tqdm

from mpgsam2.cli.options import load, model_options, part_options
from mpgsam2.datasets.evaluate_command import add_data_set_options, evaluate_on_data_set, refuse_data_set_options


def add_evaluate(commands: argparse._SubParsersAction) -> None:
    """Add the command to the command line's."""
    parser = commands.add_parser(
        "evaluate",
        parents=[model_options("float32"), part_options()],
        help="score a model: J&F by kind of sentence and size, and its verdicts",
    )
    parser.add_argument(
        "--dataset",
        choices=["synthetic", "ref-davis17", "mevis", "ref-youtube-vos", "own"],
        default="synthetic",
        help="the clips: those of nano's world, or a benchmark's, whose folder --data names (default: synthetic)",
    )
    add_data_set_options(parser)
    parser.add_argument(
        "--family",
        choices=["seen", "held-out", "things", "things-held-out"],
        default="seen",
        help="clips of shapes or, with an atlas, of everyday things, as in training or as it never shows them "
        "(default: seen)",
    )
    parser.add_argument("--seed", type=int, default=0, help="of the first clip (default: 0)")
    parser.add_argument("--clips", type=int, default=300, metavar="N", help="how many clips (default: 300)")
    parser.add_argument(
        "--frames", type=int, metavar="T", help="frames of each clip (default: 16; of things 16, 32, 48 in turn)"
    )
    parser.add_argument(
        "--expressions",
        type=int,
        default=1,
        metavar="K",
        help="at most so many that name something a clip, besides the one that names nothing (default: 1)",
    )
    parser.add_argument("--oracle-prior", action="store_true", help="give the tracker the true mask as its prior")
    parser.add_argument("--out", type=Path, metavar="FILE", help="write all figures and every sentence's, as JSON")
    parser.add_argument("--sheet", type=Path, metavar="FILE", help="write a picture of bad and typical answers, JPEG")
    parser.set_defaults(run=_evaluate)


def _evaluate(args: argparse.Namespace) -> None:
    if args.dataset != "synthetic":
        return evaluate_on_data_set(args, lambda: load(args.model, args))
    refuse_data_set_options(args)
    from mpgsam2.export.tiles import write_sheet
    from mpgsam2.export.writable import check_writable
    from mpgsam2.nano.evaluation import contact_sheet, evaluate, summarise, table, validation_clips

    check_writable(args.out, args.sheet)
    clips = validation_clips(args.clips, family=args.family, seed=args.seed, frames=args.frames)
    model = load(args.model, args)
    options = {"oracle_prior": args.oracle_prior, "without": frozenset(args.without)}
    bar = tqdm(clips, unit="clip", delay=1)  # so that a refusal stands alone
    scores = evaluate(model, bar, expressions=args.expressions, **options)
    print(table(scores))
    if args.out:
        settings = ("dataset", "family", "seed", "clips", "frames", "expressions", "oracle_prior", "without")
        record = {
            "model": model.name,
            **{name: getattr(args, name) for name in settings},
            "percent": summarise(scores),
            "sentences": [sentence.to_dict() for sentence in scores.sentences],
        }
        args.out.write_text(json.dumps(record) + "\n", encoding="utf-8")
    if args.sheet:
        write_sheet(args.sheet, contact_sheet(model, clips, scores, **options))
