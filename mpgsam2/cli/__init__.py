"""The command line: `python -m mpgsam2 COMMAND`."""

from __future__ import annotations

import argparse
import json
import os
import socket
import sys
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, closing, nullcontext
from errno import EADDRINUSE
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tqdm import tqdm

from mpgsam2 import __version__
from mpgsam2.cli.plain_text import never_fail
from mpgsam2.datasets.convert_command import add_convert
from mpgsam2.datasets.evaluate_command import add_data_set_options, evaluate_on_data_set, refuse_data_set_options
from mpgsam2.datasets.score_command import add_score
from mpgsam2.errors import InputError
from mpgsam2.inference.query import Query
from mpgsam2.interruption import Interrupted, Interruption
from mpgsam2.network.dtype import DTYPES
from mpgsam2.network.parts import Part
from mpgsam2.settings import SETTINGS
from mpgsam2.training.command import add_train

if TYPE_CHECKING:
    from mpgsam2.inference.segmenter import Segmenter
    from mpgsam2.video import Clip
    from mpgsam2.video.ground_truth import GroundTruth

# Commands import what needs torch or OpenCV themselves, so that `--help` and wrong arguments answer at once.


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command.

    Args:
        argv: the arguments after the program's name; None for the process's own.

    Returns:
        The exit code: 0, 2 with one sentence on stderr if something given cannot be used, 130 if stopped by Ctrl-C, and
        for `segment`, `train` and `train-nano`, which finish the files of what is done, 143 if stopped by SIGTERM.
        As argparse does, it exits by itself with 2 for arguments it does not know and with 0 after `--help`; with 1
        where `benchmark --check` finds other masks.
    """
    for stream in (sys.stdout, sys.stderr):
        never_fail(stream)
    parser = _parser()
    args, rest = parser.parse_known_args(argv)
    if args.command == "train-nano":
        args.arguments = rest
    elif rest:
        parser.error(f"unrecognized arguments: {' '.join(rest)}")
    try:
        args.run(args)
        sys.stdout.flush()
    except BrokenPipeError:  # whoever read the output, such as `head`, has enough of it
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except InputError as error:
        print(error, file=sys.stderr)
        return 2
    except (KeyboardInterrupt, Interrupted) as stop:
        print("Stopped.", file=sys.stderr)
        return stop.exit_code if isinstance(stop, Interrupted) else 130
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m mpgsam2", description="Segment in a clip what a sentence names.")
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    model = _model_arguments("auto")
    parts = argparse.ArgumentParser(add_help=False)
    _add_setting(parts, "without", nargs="+", action="extend", default=[], metavar="PART")

    segment = commands.add_parser(
        "segment", parents=[model, parts], help="write masks, overlay and mask prior of a clip"
    )
    segment.add_argument("clip", metavar="CLIP", help="a video file or a folder of images")
    segment.add_argument("expression", metavar="SENTENCE", help='which object, such as "the red circle"')
    segment.add_argument(
        "--expression",
        dest="more_expressions",
        action="append",
        default=[],
        metavar="SENTENCE",
        help="one more object, found in the same run (may be repeated; up to four in all)",
    )
    segment.add_argument(
        "--compare",
        nargs="+",
        action="extend",
        default=[],
        metavar="PART",
        help=f"ask the same once more with parts of the network switched off: {', '.join(Part)}",
    )
    _add_setting(segment, "first", type=int, default=0, metavar="N", usual="0, from which frames are counted")
    _add_setting(segment, "last", type=int, metavar="N")
    _add_setting(segment, "every", type=int, metavar="N")
    _add_setting(segment, "longest_side", type=int, metavar="PIXELS")
    segment.add_argument(
        "--span",
        type=int,
        metavar="N",
        help="cut the clip in parts of at most N frames, which know nothing of each other (default: as the model does "
        "it, or as the free memory demands)",
    )
    _add_setting(segment, "threshold", type=float, metavar="P")
    _add_setting(segment, "ground_truth", metavar="ZIP")
    _add_setting(segment, "object", type=int, metavar="N")
    segment.add_argument(
        "--out", type=Path, metavar="DIR", help="where the results go (default: out/<name of the clip>)"
    )
    segment.set_defaults(run=_segment)

    evaluate = commands.add_parser(
        "evaluate",
        parents=[_model_arguments("float32"), parts],
        help="score a model: J&F by kind of sentence and size, and its verdicts",
    )
    evaluate.add_argument(
        "--dataset",
        choices=["synthetic", "ref-davis17", "mevis", "ref-youtube-vos", "own"],
        default="synthetic",
        help="the clips: those of nano's world, or a benchmark's, whose folder --data names (default: synthetic)",
    )
    add_data_set_options(evaluate)
    evaluate.add_argument(
        "--family",
        choices=["seen", "held-out", "things", "things-held-out"],
        default="seen",
        help="clips of shapes or, with an atlas, of everyday things, as in training or as it never shows them "
        "(default: seen)",
    )
    evaluate.add_argument("--seed", type=int, default=0, help="of the first clip (default: 0)")
    evaluate.add_argument("--clips", type=int, default=300, metavar="N", help="how many clips (default: 300)")
    evaluate.add_argument(
        "--frames", type=int, metavar="T", help="frames of each clip (default: 16; of things 16, 32, 48 in turn)"
    )
    evaluate.add_argument(
        "--expressions",
        type=int,
        default=1,
        metavar="K",
        help="at most so many that name something a clip, besides the one that names nothing (default: 1)",
    )
    evaluate.add_argument("--oracle-prior", action="store_true", help="give the tracker the true mask as its prior")
    evaluate.add_argument("--out", type=Path, metavar="FILE", help="write all figures and every sentence's, as JSON")
    evaluate.add_argument("--sheet", type=Path, metavar="FILE", help="write a picture of bad and typical answers, JPEG")
    evaluate.set_defaults(run=_evaluate)

    add_score(commands)
    add_convert(commands)

    demo = commands.add_parser(
        "demo",
        parents=[model],
        help="open the page on this machine",
        description="Open the page on this machine. Several models are separated by commas, the usual one first.",
    )
    demo.add_argument("--port", type=int, help="default: the first free one from 7860")
    demo.add_argument("--share", action="store_true", help="also at a public address for a while")
    demo.set_defaults(run=_demo)

    benchmark = commands.add_parser(
        "benchmark",
        parents=[model],
        help="measure speed and memory, stage by stage; --model also takes tiny and large, with weights made by rule",
    )
    benchmark.add_argument(
        "--frames", type=_numbers, default=[8], metavar="N,…", help="frames of the clip, such as 8,32,128 (default: 8)"
    )
    benchmark.add_argument(
        "--expressions", type=_numbers, default=[1], metavar="K,…", help="asked in one run, such as 1,4 (default: 1)"
    )
    benchmark.add_argument("--compile", action="store_true", help="with torch.compile, which needs a C++ compiler")
    benchmark.add_argument("--repeats", type=int, default=3, metavar="N", help="timed runs of each (default: 3)")
    benchmark.add_argument(
        "--plain", action="store_true", help="in turns with the plain float32 network, and tell the ratio of the times"
    )
    benchmark.add_argument(
        "--check", action="store_true", help="compare the masks with the plain float32 network's instead of measuring"
    )
    benchmark.add_argument("--json", type=Path, metavar="FILE", help="write every run's figures")
    benchmark.set_defaults(run=_benchmark)

    add_train(commands)
    train_nano = commands.add_parser(
        "train-nano", add_help=False, help="train the nano checkpoint (--help for its options)"
    )
    train_nano.set_defaults(run=_train_nano)
    return parser


def _model_arguments(dtype: str) -> argparse.ArgumentParser:
    """The arguments that say which model runs, and how; `dtype` is the usual one."""
    model = argparse.ArgumentParser(add_help=False)
    model.add_argument(
        "--model",
        default="nano",
        metavar="NAME",
        help="nano, large-ytvos, large-mevis, tiny-ytvos, tiny-mevis, a folder, a file or a hub id (default: nano)",
    )
    model.add_argument("--device", default="cpu", help="cpu, cuda, … (default: cpu)")
    _add_setting(model, "dtype", choices=DTYPES, default=dtype, usual=dtype)
    return model


def _add_setting(parser: argparse.ArgumentParser, name: str, *, usual: str = "", **more: Any) -> None:
    """Add one of `SETTINGS`; `usual` says what the default is where it is not the table's."""
    setting = SETTINGS[name]
    help = f"{setting.help} (default: {usual or setting.usual})"
    parser.add_argument(f"--{name.replace('_', '-')}", **{"default": setting.default, "help": help} | more)


def _segment(args: argparse.Namespace) -> None:
    from mpgsam2.export.pipeline import check_request, write_results
    from mpgsam2.video import Selection, hold, open_clip, select

    queries = _queries(args)
    clip = hold(select(open_clip(args.clip), Selection(args.first, args.last, args.every, args.longest_side)))
    interruption = Interruption()
    with interruption.heeded(), _truth(args, clip) as truth:
        model = _load(args.model, args).configured(span=args.span)
        folder = args.out or Path("out", clip.path.resolve().stem)
        asked = {"queries": queries, "threshold": args.threshold}
        check_request(model, **asked)
        results = interruption.between(model.segment_several(clip, **asked))
        with closing(write_results(clip, results, folder, model=model, truth=truth, **asked)) as steps:
            for _ in tqdm(steps, total=clip.frame_count, desc=clip.name, unit="frame"):
                pass
    _report(model, folder)


def _truth(args: argparse.Namespace, clip: Clip) -> AbstractContextManager[GroundTruth | None]:
    from mpgsam2.video.ground_truth import GroundTruth

    if args.ground_truth is not None:
        return GroundTruth.open(args.ground_truth, clip, object=args.object)
    if args.object is not None:
        raise InputError("An object is one of the ground truth's: give --ground-truth, or leave out --object.")
    return nullcontext()


def _load(name: str, args: argparse.Namespace) -> Segmenter:
    import torch

    from mpgsam2.checkpoint import load_model
    from mpgsam2.network.dtype import choose_dtype

    torch.set_float32_matmul_precision("high")  # TF32 on a GPU; a processor computes as before
    model = load_model(name, args.device)
    return model.configured(dtype=choose_dtype(args.dtype, model.device))


def _queries(args: argparse.Namespace) -> list[Query]:
    without = frozenset(args.without)
    queries = [Query(expression, without) for expression in (args.expression, *args.more_expressions)]
    if not args.compare:
        return queries
    if len(queries) > 1:
        raise InputError("Only one sentence can be compared with itself: leave out --expression or --compare.")
    return [*queries, Query(args.expression, without | set(args.compare))]


def _report(model: Segmenter, folder: Path) -> None:
    """Print what the record of a run says, and which words were not understood."""
    from mpgsam2.export import read_record, results_in
    from mpgsam2.export.pipeline import warn_unknown
    from mpgsam2.inference.understanding import doubt

    record = read_record(folder)
    queries = record["queries"]
    for query in queries:
        letter = f"{query['letter']} " if len(queries) > 1 else ""
        without = f" without {', '.join(query['without'])}" if query["without"] else ""
        scores = [
            f"Mean object score {_mean(query['frames'], 'object_score'):.2f}",
            f"mean predicted IoU {_mean(query['frames'], 'iou'):.2f}",
            *(f"{name} {100 * value:.1f}" for name, value in query.get("mean", {}).items()),
        ]
        scored = sum("J" in frame for frame in query["frames"])
        part = f" (over {scored} of {record['frames']} frames)" if 0 < scored < record["frames"] else ""
        print(f"{letter}“{query['expression']}”{without}: {query['summary']}\n{', '.join(scores)}{part}")
    if difference := record.get("difference"):
        print(f"Masks of {' and '.join(difference['queries'])}: mean IoU {_mean(difference['frames'], 'iou'):.2f}")
    if record["cut"]:
        print(record["cut"])
    if not record["complete"]:
        print(f"Stopped after {record['frames']} of {record['asked']} frames.")
    files = dict.fromkeys(file.name if file.parent == folder else "masks/" for file in results_in(folder))
    print(f"{folder}: {', '.join(files)}")
    for expression in dict.fromkeys(query["expression"] for query in queries):
        warning = warn_unknown(model, expression)
        if warning and not doubt(model.tokenizer, expression):  # which the verdict has told
            print(warning)


def _mean(frames: Sequence[Mapping[str, float]], score: str) -> float:
    return sum(frame[score] for frame in frames) / len(frames)


def _evaluate(args: argparse.Namespace) -> None:
    if args.dataset != "synthetic":
        return evaluate_on_data_set(args, lambda: _load(args.model, args))
    refuse_data_set_options(args)
    from mpgsam2.export.tiles import write_sheet
    from mpgsam2.export.writable import check_writable
    from mpgsam2.nano.evaluation import contact_sheet, evaluate, summarise, table, validation_clips

    check_writable(args.out, args.sheet)
    clips = validation_clips(args.clips, family=args.family, seed=args.seed, frames=args.frames)
    model = _load(args.model, args)
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


def _demo(args: argparse.Namespace) -> None:
    if args.port is not None:
        _check_port(args.port)
    if not all(map(find_spec, ("gradio", "spaces"))):
        raise InputError("The page needs the packages gradio and spaces: install mpgsam2[demo].")
    from mpgsam2.demo import build_demo, launch_options
    from mpgsam2.demo.opening import open_page

    models = [_load(name, args) for name in dict.fromkeys(name.strip() for name in args.model.split(","))]
    demo = build_demo(models)
    open_page(demo, server_port=args.port, share=args.share, **launch_options())


def _check_port(port: int) -> None:
    """Say before any model is loaded that a port cannot be had."""
    with socket.socket() as one:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # what has just been left can be had
        try:
            one.bind(("127.0.0.1", port))
        except (OSError, OverflowError) as error:
            taken = isinstance(error, OSError) and error.errno == EADDRINUSE
            why = "is taken by another program" if taken else "cannot be used"
            raise InputError(f"Port {port} {why}: choose another one, or leave out --port.") from error


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


def _train_nano(args: argparse.Namespace) -> None:
    from mpgsam2.nano.training.command import main as train_nano

    interruption = Interruption()
    with interruption.heeded():
        train_nano(args.arguments, interruption)
