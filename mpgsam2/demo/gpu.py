"""The model's pass over a clip: the only part of a run that holds a GPU."""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import replace

import numpy as np
import spaces

from mpgsam2.demo.errors import told_to_visitor
from mpgsam2.network.model import MPGSAM2
from mpgsam2.query import Query
from mpgsam2.results import FrameResult
from mpgsam2.video import Clip

FrameLoop = Callable[[str, Clip, Sequence[Query], float], Generator[tuple[FrameResult, ...]]]

# An estimate for ZeroGPU, generous because a pass that outlives its slot is cut off: moving the model and reading the
# clip, and per frame what any frame costs and what each parameter adds. A query beyond the first shares the image
# features and costs about a third of the first.
_START_SECONDS = 10.0
_FRAME_SECONDS = 0.02
_SECONDS_PER_PARAMETER = 1.5e-10
_NEXT_QUERY = 0.4


def seconds(parameters: int, frames: int, queries: int = 1) -> int:
    """How long the pass of a model of that many parameters over that many frames may take on ZeroGPU."""
    share = 1 + _NEXT_QUERY * (queries - 1)
    return math.ceil(_START_SECONDS + (_FRAME_SECONDS + _SECONDS_PER_PARAMETER * parameters) * frames * share)


def frame_loop(models: Mapping[str, MPGSAM2]) -> FrameLoop:
    """`MPGSAM2.segment_several` as ZeroGPU can run it, in a worker process that lives as long as the GPU is lent.

    The clip goes in as its path and sizes; its frames are decoded in the worker, one at a time, because an iterator
    cannot be sent there. The results come back pickled, so probabilities are narrowed to float16: 2⁻¹¹ off at most, an
    eighth of a grey level, and half the bytes. The masks are those of the full precision.

    Args:
        models: by name, each on the device where it runs.

    Returns:
        A generator function of a model's name, a clip, queries and the masks' threshold that yields, per frame, one
        result for each query.
    """
    parameters = {name: sum(p.numel() for p in model.parameters()) for name, model in models.items()}

    def duration(model: str, clip: Clip, queries: Sequence[Query], threshold: float) -> int:
        return seconds(parameters[model], clip.frame_count, len(queries))

    @spaces.GPU(duration=duration)
    def frames(
        model: str, clip: Clip, queries: Sequence[Query], threshold: float
    ) -> Generator[tuple[FrameResult, ...]]:
        with told_to_visitor():  # only the text of a gr.Error comes back from the worker
            for results in models[model].segment_several(clip, queries, threshold=threshold):
                yield tuple(replace(result, probability=result.probability.astype(np.float16)) for result in results)

    return frames
