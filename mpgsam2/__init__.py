"""MPG-SAM 2: a clip and a sentence in, the masks of what it names out."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from mpgsam2.errors import InputError
from mpgsam2.inference.query import Query
from mpgsam2.inference.results import FrameResult
from mpgsam2.network import threads
from mpgsam2.network.parts import Part

if TYPE_CHECKING:
    from mpgsam2 import metrics
    from mpgsam2.checkpoint import load_model
    from mpgsam2.checkpoint.auto_model import MPGSAM2Config, MPGSAM2Model
    from mpgsam2.inference.segmenter import Segmenter
    from mpgsam2.network.model import MPGSAM2
    from mpgsam2.video import Selection

__version__ = "0.1.0"

threads.sleep_while_waiting()  # before anything here imports torch

__all__ = [
    "MPGSAM2",
    "FrameResult",
    "InputError",
    "MPGSAM2Config",
    "MPGSAM2Model",
    "Part",
    "Query",
    "Segmenter",
    "Selection",
    "__version__",
    "load_model",
    "metrics",
]


def __getattr__(name: str) -> object:
    """Import what takes long only when it is asked for, so that `--help` and bad arguments answer at once."""
    match name:
        case "MPGSAM2":
            return import_module("mpgsam2.network.model").MPGSAM2
        case "MPGSAM2Config" | "MPGSAM2Model":
            return getattr(import_module("mpgsam2.checkpoint.auto_model"), name)
        case "load_model":
            return import_module("mpgsam2.checkpoint").load_model
        case "Segmenter":
            return import_module("mpgsam2.inference.segmenter").Segmenter
        case "metrics":
            return import_module("mpgsam2.metrics")
        case "Selection":
            return import_module("mpgsam2.video").Selection
    raise AttributeError(f"module 'mpgsam2' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
