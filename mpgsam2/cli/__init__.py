"""The command line: `python -m mpgsam2 COMMAND`."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from mpgsam2 import __version__
from mpgsam2.cli.benchmark import add_benchmark
from mpgsam2.cli.demo import add_demo
from mpgsam2.cli.evaluate import add_evaluate
from mpgsam2.cli.plain_text import never_fail
from mpgsam2.cli.segment import add_segment
from mpgsam2.datasets.convert_command import add_convert
from mpgsam2.datasets.score_command import add_score
from mpgsam2.errors import InputError
from mpgsam2.interruption import Interrupted, Interruption
from mpgsam2.training.command import add_train

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
    add_segment(commands)
    add_evaluate(commands)
    add_score(commands)
    add_convert(commands)
    add_demo(commands)
    add_benchmark(commands)
    add_train(commands)
    train_nano = commands.add_parser(
        "train-nano", add_help=False, help="train the nano checkpoint (--help for its options)"
    )
    train_nano.set_defaults(run=_train_nano)
    return parser


def _train_nano(args: argparse.Namespace) -> None:
    from mpgsam2.nano.training.command import main as train_nano

    interruption = Interruption()
    with interruption.heeded():
        train_nano(args.arguments, interruption)
