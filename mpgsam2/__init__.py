"""MPG-SAM 2: a clip and a sentence in, the masks of what it names out."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from mpgsam2 import metrics
from mpgsam2.errors import InputError
from mpgsam2.results import FrameResult

if TYPE_CHECKING:
    from mpgsam2.checkpoint import load_model
    from mpgsam2.network.model import MPGSAM2

__version__ = "0.1.0"

__all__ = ["MPGSAM2", "FrameResult", "InputError", "__version__", "load_model", "metrics"]


def __getattr__(name: str) -> object:
    """Import torch and the network only when they are asked for, so that `--help` and bad arguments answer at once."""
    match name:
        case "MPGSAM2":
            return import_module("mpgsam2.network.model").MPGSAM2
        case "load_model":
            return import_module("mpgsam2.checkpoint").load_model
    raise AttributeError(f"module 'mpgsam2' has no attribute {name!r}")
