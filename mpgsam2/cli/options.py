"""What several commands take, and the model that they ask for."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from mpgsam2.network.dtype import DTYPES
from mpgsam2.settings import SETTINGS

if TYPE_CHECKING:
    from mpgsam2.inference.segmenter import Segmenter


def model_options(dtype: str = "auto") -> argparse.ArgumentParser:
    """Return the options that say which model runs, and how; `dtype` is the usual one."""
    model = argparse.ArgumentParser(add_help=False)
    model.add_argument(
        "--model",
        default="nano",
        metavar="NAME",
        help="nano, large-ytvos, large-mevis, tiny-ytvos, tiny-mevis, a folder, a file or a hub id (default: nano)",
    )
    model.add_argument("--device", default="cpu", help="cpu, cuda, … (default: cpu)")
    add_setting(model, "dtype", choices=DTYPES, default=dtype, usual=dtype)
    return model


def add_setting(parser: argparse.ArgumentParser, name: str, *, usual: str = "", **more: Any) -> None:
    """Add one of `SETTINGS`; `usual` says what the default is where it is not the table's."""
    setting = SETTINGS[name]
    help = f"{setting.help} (default: {usual or setting.usual})"
    parser.add_argument(f"--{name.replace('_', '-')}", **{"default": setting.default, "help": help} | more)


def part_options() -> argparse.ArgumentParser:
    """Return the option that switches off parts of the network."""
    parts = argparse.ArgumentParser(add_help=False)
    add_setting(parts, "without", nargs="+", action="extend", default=[], metavar="PART")
    return parts


def load(name: str, args: argparse.Namespace) -> Segmenter:
    """Load the model of a name as `model_options` say it."""
    import torch

    from mpgsam2.checkpoint import load_model
    from mpgsam2.network.dtype import choose_dtype

    torch.set_float32_matmul_precision("high")  # TF32 on a GPU; a processor computes as before
    model = load_model(name, args.device)
    return model.configured(dtype=choose_dtype(args.dtype, model.device))
