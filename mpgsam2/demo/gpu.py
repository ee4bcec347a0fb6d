"""The model's pass over a clip: the only part of a run that holds a GPU."""

from __future__ import annotations

import math
from collections.abc import Callable, Generator
from dataclasses import replace

import numpy as np
import spaces

from mpgsam2.demo.errors import told_to_visitor
from mpgsam2.network.model import MPGSAM2
from mpgsam2.results import FrameResult
from mpgsam2.video import Clip

FrameLoop = Callable[[Clip, str], Generator[FrameResult]]

# An estimate for ZeroGPU, generous because a pass that outlives its slot is cut off: moving the model and reading the
# clip, and per frame what any frame costs and what each parameter adds.
_START_SECONDS = 10.0
_FRAME_SECONDS = 0.02
_SECONDS_PER_PARAMETER = 1.5e-10


def seconds(parameters: int, frames: int) -> int:
    """How long the pass of a model of that many parameters over that many frames may take on ZeroGPU."""
    return math.ceil(_START_SECONDS + (_FRAME_SECONDS + _SECONDS_PER_PARAMETER * parameters) * frames)


def frame_loop(model: MPGSAM2) -> FrameLoop:
    """`model.segment` as ZeroGPU can run it, in a worker process that lives as long as the GPU is lent.

    The clip goes in as its path and sizes; its frames are decoded in the worker, one at a time, because an iterator
    cannot be sent there. The results come back pickled, so probabilities are narrowed to float16: 2⁻¹¹ off at most, an
    eighth of a grey level, and half the bytes. The masks are those of the full precision.

    Returns:
        A generator function of clip and expression that yields one result per frame.
    """
    parameters = sum(parameter.numel() for parameter in model.parameters())

    @spaces.GPU(duration=lambda clip, expression: seconds(parameters, clip.frame_count))
    def frames(clip: Clip, expression: str) -> Generator[FrameResult]:
        with told_to_visitor():  # only the text of a gr.Error comes back from the worker
            for result in model.segment(clip, expression):
                yield replace(result, probability=result.probability.astype(np.float16))

    return frames
