"""How long a run will hold a GPU: reckoned from its work and the device, then learned from the runs of this process."""

from __future__ import annotations

import math
from collections import defaultdict, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch

from mpgsam2.inference.query import Query
from mpgsam2.inference.segmenter import Segmenter
from mpgsam2.speed.operations import Operations, count_operations
from mpgsam2.video import Clip, SelectedClip

LENT_SECONDS = 120
"""Seconds for which ZeroGPU lends a GPU to visitors who are not signed in."""

# What a run takes where nothing is known yet. Measured on an H200 with large and tiny (854 × 480, bfloat16, see
# docs/speed.md): 14 ms a frame for the host, which launches the kernels and scales the pictures, 1 to 2 ms for each
# further query, and 1e12 operations a second for each multiprocessor, a third to a half of that in TF32; large goes to
# the GPU at 4.6 GB/s. Half of that speed is assumed, because a run that outlives its slot is cut off.
_START_SECONDS = 4.0  # until a worker has the GPU and its libraries
_BYTES_A_SECOND = 2.3e9  # at which the weights of all models follow
_WARM_UP_SECONDS = 1.0
_FRAME_SECONDS = 0.028
_QUERY_SECONDS = 0.003  # in each frame
_READ_PIXEL_SECONDS = 6e-9  # every frame is decoded twice
_SCALED_PIXEL_SECONDS = 1e-8  # to the sizes of the two branches
_ANSWERED_PIXEL_SECONDS = 1e-8  # for each query
_RATES = {torch.bfloat16: 0.5e12, torch.float32: 0.18e12}  # operations a second and multiprocessor

_RUNS_TO_KNOW_A_KIND = 3  # after which they alone count
_MARGIN = 1.2  # over the slowest of the last ones
_UNKNOWN_KIND_MARGIN = 1.5  # over the slowest of any kind, while the kind has fewer


@dataclass(frozen=True)
class Work:
    """One run, as far as its time depends on it.

    Attributes:
        model: its name.
        dtype: of its matrix products.
        frames: of the clip.
        pixels: of a frame.
        read: pixels that are decoded for each of them, those of frames left out included.
        sentences: different ones.
        queries: sentences and ways to answer them.
    """

    model: str
    dtype: torch.dtype
    frames: int
    pixels: int
    read: int
    sentences: int
    queries: int

    @classmethod
    def of(cls, model: str, dtype: torch.dtype, clip: Clip, queries: Sequence[Query]) -> Work:
        """Return the work of asking queries of a clip."""
        pixels = read = clip.width * clip.height
        if isinstance(clip, SelectedClip):
            read = clip.source.width * clip.source.height * clip.selection.every
        sentences = len({query.expression for query in queries})
        return cls(model, dtype, clip.frame_count, pixels, read, sentences, len(queries))

    @property
    def kind(self) -> tuple[Any, ...]:
        """What runs have in common that differ from the reckoning by much the same factor."""
        size, length = round(math.log2(self.pixels + self.read)), round(math.log(self.frames, 4))
        return self.model, self.dtype, self.sentences, self.queries, size, length


class Estimate:
    """Seconds that runs take on one device; learns from those that were made.

    The reckoning is the same throughout; what is learned is by what factor runs of a kind differ from it.
    """

    def __init__(self, models: Mapping[str, Segmenter], processors: int) -> None:
        """Count the models' operations, a second or two for each size.

        Args:
            models: by name, all of which a worker moves to the GPU.
            processors: multiprocessors of the device.
        """
        self._processors = processors
        self._operations: dict[str, tuple[Operations, int | None]] = {
            name: (count_operations(model.config), model.window) for name, model in models.items()
        }
        bytes_ = sum(p.numel() * p.element_size() for model in models.values() for p in model.network.parameters())
        self._starts = deque([_START_SECONDS + bytes_ / _BYTES_A_SECOND], maxlen=_RUNS_TO_KNOW_A_KIND)
        self._paces: dict[Any, deque[float]] = defaultdict(lambda: deque(maxlen=_RUNS_TO_KNOW_A_KIND))
        self._any_pace: deque[float] = deque(maxlen=10)

    def seconds(self, work: Work) -> int:
        """Return for how long a GPU should be asked for, so that the run is not cut off."""
        paces = self._paces[work.kind]
        start, running = max(self._starts), self._reckoned(work)
        if len(paces) == _RUNS_TO_KNOW_A_KIND:
            return math.ceil(_MARGIN * (start + max(paces) * running))
        seen = [_UNKNOWN_KIND_MARGIN * pace for pace in (*paces, *self._any_pace)]
        return math.ceil(_MARGIN * start + max(1.0, *seen, 0.0) * running)

    def frames_within(self, work: Work, seconds: float) -> int:
        """Return the longest beginning of the clip, in frames, for which that much time is enough; at least 1."""
        enough, too_many = 1, work.frames + 1
        while enough + 1 < too_many:
            frames = (enough + too_many) // 2
            if self.seconds(replace(work, frames=frames)) <= seconds:
                enough = frames
            else:
                too_many = frames
        return enough

    def learn(self, work: Work, start: float | None, running: float) -> None:
        """Take account of a run, or of the part of it that was made.

        Args:
            work: what was asked; of a run that ended early, the frames that were done.
            start: seconds from the worker's beginning until the model began; None where the worker was there already.
            running: seconds from then until the last frame was done.
        """
        if start is not None:
            self._starts.append(start)
        pace = running / self._reckoned(work)
        self._paces[work.kind].append(pace)
        self._any_pace.append(pace)

    def _reckoned(self, work: Work) -> float:
        operations, window = self._operations[work.model]
        computing = operations.of_run(work.frames, window, work.sentences, work.queries)
        rate = _RATES.get(work.dtype, min(_RATES.values())) * self._processors
        pixels = _SCALED_PIXEL_SECONDS * work.pixels + _READ_PIXEL_SECONDS * work.read
        queries = work.queries * (_QUERY_SECONDS + _ANSWERED_PIXEL_SECONDS * work.pixels)
        return _WARM_UP_SECONDS + computing / rate + work.frames * (_FRAME_SECONDS + queries + pixels)
