"""`python -m mpgsam2 demo`: the page on this machine."""

from __future__ import annotations

import argparse
import socket
from errno import EADDRINUSE
from importlib.util import find_spec

from mpgsam2.cli.options import load, model_options
from mpgsam2.errors import InputError


def add_demo(commands: argparse._SubParsersAction) -> None:
    """Add the command to the command line's."""
    parser = commands.add_parser(
        "demo",
        parents=[model_options()],
        help="open the page on this machine",
        description="Open the page on this machine. Several models are separated by commas, the usual one first.",
    )
    parser.add_argument("--port", type=int, help="default: the first free one from 7860")
    parser.add_argument("--share", action="store_true", help="also at a public address for a while")
    parser.set_defaults(run=_demo)


def _demo(args: argparse.Namespace) -> None:
    if args.port is not None:
        _check_port(args.port)
    if not all(map(find_spec, ("gradio", "spaces"))):
        raise InputError("The page needs the packages gradio and spaces: install mpgsam2[demo].")
    from mpgsam2.demo import build_demo, launch_options
    from mpgsam2.demo.launching import open_page

    models = [load(name, args) for name in dict.fromkeys(name.strip() for name in args.model.split(","))]
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
