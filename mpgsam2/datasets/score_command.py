"""`python -m mpgsam2 score`: masks that anybody's program wrote, measured by a benchmark's protocol."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from tqdm import tqdm


def add_score(commands: argparse._SubParsersAction) -> None:
    """Add the command to the command line's."""
    parser = commands.add_parser(
        "score",
        help="score the masks that any program wrote for a benchmark",
        description="Score the masks that any program wrote for a benchmark, by its protocol.",
    )
    parser.add_argument(
        "results",
        metavar="RESULTS",
        help="a folder or zip: id maps anno_0…3/VIDEO/FRAME.png for ref-davis17, masks VIDEO/EXPRESSION/FRAME.png else",
    )
    parser.add_argument("--dataset", choices=["ref-davis17", "mevis", "own"], required=True)
    parser.add_argument("--data", required=True, metavar="ROOT", help="the data set's folder, laid out as released")
    parser.add_argument("--split", help="of mevis: valid_u (the usual one) or train")
    parser.add_argument(
        "--json", type=Path, metavar="FILE", help="write all figures, the whole set's at the top, in 0..1"
    )
    parser.add_argument("--csv", type=Path, metavar="FILE", help="write a row of figures for each sequence")
    parser.set_defaults(run=_score)


def _score(args: argparse.Namespace) -> None:
    from mpgsam2.datasets.protocols import score
    from mpgsam2.datasets.registry import open_data_set
    from mpgsam2.export.writable import check_writable

    check_writable(args.json, args.csv)
    data_set = open_data_set(args.dataset, args.data, args.split)
    scores = score(data_set, args.results, lambda videos: tqdm(videos, unit="video", delay=1))
    print(scores.table())
    if args.json:
        args.json.write_text(json.dumps(scores.to_dict()) + "\n", encoding="utf-8")
    if args.csv:
        args.csv.write_text(scores.csv(), encoding="utf-8", errors="replace")
