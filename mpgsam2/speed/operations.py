"""Floating-point operations of runs that have not been made: counted once for each network, on the meta device."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeVar

import numpy as np
import torch

from mpgsam2.network.config import ModelConfig
from mpgsam2.network.model import MPGSAM2
from mpgsam2.network.tracker import ImageFeatures
from mpgsam2.network.walk import Walk
from mpgsam2.speed.flops import FlopCounter

T = TypeVar("T")

_SENTENCE_TOKENS = 16  # the count hardly depends on them
_ANY_FRAME = np.zeros((8, 8, 3), np.uint8)  # of any size: the network scales it


@dataclass(frozen=True)
class Operations:
    """What each part of a run asks for; a multiplication and the addition after it are two.

    Attributes:
        image: of one frame, whatever is asked.
        sentence: of one frame for each sentence, until clip and sentence are read together.
        pair: for each sentence and each pair of frames that are encoded together, since all attend to all.
        query: of one frame for each query, with the memory full.
        context: of one frame for each query and each frame of the global context.
    """

    image: int
    sentence: int
    pair: int
    query: int
    context: int

    def of_run(self, frames: int, window: int | None, sentences: int, queries: int) -> int:
        """Return those of a whole run.

        Args:
            frames: of the clip.
            window: longest part of it that is encoded as one, None for all of it.
            sentences: different ones.
            queries: sentences and ways to answer them.
        """
        together = min(frames, window or frames)
        encoding = sentences * frames * (self.sentence + self.pair * together)
        return encoding + frames * (self.image + queries * (self.query + self.context * together))


@cache
def count_operations(config: ModelConfig) -> Operations:
    """Count the operations of a network of those sizes, in a second or two and without memory for its weights."""
    with torch.device("meta"):
        network = MPGSAM2(config).eval()
    with torch.inference_mode():
        side = config.tracker.image_size
        image, features = _counted(network.visual_model.image_features, torch.empty(1, 3, side, side, device="meta"))
        one, (alone,) = _run(network, features, 1)
        three, (first, second, third) = _run(network, features, 3)
    pair = (three - 3 * one) // 6  # as t frames take t·sentence + t²·pair
    # From the third frame on each adds a memory, until there are all of them.
    full = third + (third - second) * (config.tracker.max_memories - 2)
    context = (first - alone) // 2
    return Operations(image, one - pair, pair, full - 3 * context, context)


def _run(network: MPGSAM2, features: ImageFeatures, frames: int) -> tuple[int, list[int]]:
    """Return what reading the clip and the sentence takes, and then each of the frames beside its image features."""
    encoding, context = _counted(network.encode_clip, [_ANY_FRAME] * frames, [0] * _SENTENCE_TOKENS)
    walk = Walk(network.visual_model, [context], frozenset())
    return encoding, [_counted(walk.step, t, features)[0] for t in range(frames)]


def _counted(function: Callable[..., T], *arguments: Any) -> tuple[int, T]:
    """Return the operations of a call, and what it returns."""
    with FlopCounter() as counter:
        result = function(*arguments)
    return counter.total, result
