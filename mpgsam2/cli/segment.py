"""`python -m mpgsam2 segment`: the files of one run."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, closing, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from tqdm import tqdm

from mpgsam2.cli.options import add_setting, load, model_options, part_options
from mpgsam2.errors import InputError
from mpgsam2.inference.query import Query
from mpgsam2.interruption import Interruption
from mpgsam2.network.parts import Part

if TYPE_CHECKING:
    from mpgsam2.inference.segmenter import Segmenter
    from mpgsam2.video import Clip
    from mpgsam2.video.ground_truth import GroundTruth


def add_segment(commands: argparse._SubParsersAction) -> None:
    """Add the command to the command line's."""
    parser = commands.add_parser(
        "segment", parents=[model_options(), part_options()], help="write masks, overlay and mask prior of a clip"
    )
    parser.add_argument("clip", metavar="CLIP", help="a video file or a folder of images")
    parser.add_argument("expression", metavar="SENTENCE", help='which object, such as "the red circle"')
    parser.add_argument(
        "--expression",
        dest="more_expressions",
        action="append",
        default=[],
        metavar="SENTENCE",
        help="one more object, found in the same run (may be repeated; up to four in all)",
    )
    parser.add_argument(
        "--compare",
        nargs="+",
        action="extend",
        default=[],
        metavar="PART",
        help=f"ask the same once more with parts of the network switched off: {', '.join(Part)}",
    )
    add_setting(parser, "first", type=int, default=0, metavar="N", usual="0, from which frames are counted")
    add_setting(parser, "last", type=int, metavar="N")
    add_setting(parser, "every", type=int, metavar="N")
    add_setting(parser, "longest_side", type=int, metavar="PIXELS")
    parser.add_argument(
        "--span",
        type=int,
        metavar="N",
        help="cut the clip in parts of at most N frames, which know nothing of each other (default: as the model does "
        "it, or as the free memory demands)",
    )
    add_setting(parser, "threshold", type=float, metavar="P")
    add_setting(parser, "ground_truth", metavar="ZIP")
    add_setting(parser, "object", type=int, metavar="N")
    parser.add_argument(
        "--out", type=Path, metavar="DIR", help="where the results go (default: out/<name of the clip>)"
    )
    parser.set_defaults(run=_segment)


def _segment(args: argparse.Namespace) -> None:
    from mpgsam2.export.pipeline import check_request, write_results
    from mpgsam2.video import Selection, hold, open_clip, select

    queries = _queries(args)
    clip = hold(select(open_clip(args.clip), Selection(args.first, args.last, args.every, args.longest_side)))
    interruption = Interruption()
    with interruption.heeded(), _truth(args, clip) as truth:
        model = load(args.model, args).configured(span=args.span)
        folder = args.out or Path("out", clip.path.resolve().stem)
        request = {"queries": queries, "threshold": args.threshold}
        check_request(model, **request)
        results = interruption.between(model.segment_several(clip, **request))
        with closing(write_results(clip, results, folder, model=model, truth=truth, **request)) as steps:
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
