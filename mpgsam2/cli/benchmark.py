"""`python -m mpgsam2 benchmark`: speed and memory, or the check of fast ways against plain ones."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from mpgsam2.cli.options import model_options


def add_benchmark(commands: argparse._SubParsersAction) -> None:
    """Add the command to the command line's."""
    parser = commands.add_parser(
        "benchmark",
        parents=[model_options()],
        help="measure speed and memory, stage by stage; --model also takes tiny and large, with weights made by rule",
    )
    parser.add_argument(
        "--frames", type=_numbers, default=[8], metavar="N,…", help="frames of the clip, such as 8,32,128 (default: 8)"
    )
    parser.add_argument(
        "--expressions", type=_numbers, default=[1], metavar="K,…", help="asked in one run, such as 1,4 (default: 1)"
    )
    parser.add_argument("--compile", action="store_true", help="with torch.compile, which needs a C++ compiler")
    parser.add_argument("--repeats", type=int, default=3, metavar="N", help="timed runs of each (default: 3)")
    parser.add_argument(
        "--plain", action="store_true", help="in turns with the plain float32 network, and tell the ratio of the times"
    )
    parser.add_argument(
        "--check", action="store_true", help="compare the masks with the plain float32 network's instead of measuring"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every run's figures")
    parser.set_defaults(run=_benchmark)


def _numbers(text: str) -> list[int]:
    return [int(number) for number in text.split(",")]


def _benchmark(args: argparse.Namespace) -> None:
    import torch

    from mpgsam2.export.writable import check_writable
    from mpgsam2.network.dtype import choose_dtype
    from mpgsam2.speed import cases, compare, load_or_make, measure, record, table

    check_writable(args.json)
    torch.set_float32_matmul_precision("high")
    dtype = str(choose_dtype(args.dtype, args.device)).removeprefix("torch.")
    options = {"dtype": dtype, "device": args.device, "compiled": args.compile}
    measurements, comparisons = [], []
    for case in cases(args.model, args.frames, args.expressions, **options):
        model = load_or_make(case.model, case.device)
        if args.check:
            comparisons.append(compare(model, case))
            print(comparisons[-1], flush=True)
        else:
            measurements.append(measure(model, case, args.repeats, against_plain=args.plain))
            print(f"{table(measurements[-1])}\n", flush=True)
    if args.json:
        args.json.write_text(json.dumps(record(measurements)) + "\n", encoding="utf-8")
    if not all(comparison.holds for comparison in comparisons):
        raise SystemExit(1)
