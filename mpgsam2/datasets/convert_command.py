"""`python -m mpgsam2 convert`: folders in the style of YouTube-VOS become data of one's own."""

from __future__ import annotations

import argparse
from pathlib import Path

from tqdm import tqdm


def add_convert(commands: argparse._SubParsersAction) -> None:
    """Add the command to the command line's."""
    parser = commands.add_parser(
        "convert",
        help="make data of your own out of folders in YouTube-VOS's style",
        description="Make data of your own, see docs/benchmarks.md, out of folders in YouTube-VOS's style.",
    )
    parser.add_argument("source", type=Path, metavar="SOURCE", help="holds meta_expressions and the split's folder")
    parser.add_argument("folder", type=Path, metavar="DIR", help="for the data; empty or not there yet")
    parser.add_argument("--split", default="train", help="which one (default: train)")
    parser.set_defaults(run=_convert)


def _convert(args: argparse.Namespace) -> None:
    from mpgsam2.datasets.convert import convert

    convert(args.source, args.split, args.folder, lambda videos: tqdm(videos, unit="video", delay=1))
