"""How long a clip may be that is encoded as one."""

from __future__ import annotations

import torch

from mpgsam2.inference.memory import free_memory
from mpgsam2.network.config import ModelConfig

_MEMORY_FRACTION = 0.5  # of what is free; the tracker, the program's other work and rough reckoning have the rest


def bytes_per_frame(config: ModelConfig, sentences: int) -> int:
    """Return the memory that one more frame takes while a clip is encoded, in bytes, by reckoning.

    Of every patch there are held the encoder's tokens for each sentence, once more while they are put together, and
    again as they leave the frame-joint layer, whose attention works on one head's projections at a time and keeps no
    scores; then the global context of each sentence, and what it was made of. All of it is linear in frames.
    """
    encoder = config.encoder
    tokens = (sentences + 2) * encoder.width
    head = 4 * encoder.width // config.prior.heads  # queries, keys, values, and what is attended
    contexts = 2 * sentences * config.tracker.width
    return encoder.grid**2 * (tokens + head + contexts) * torch.float32.itemsize + 3 * encoder.image_size**2


def frames_that_fit(config: ModelConfig, sentences: int, device: torch.device) -> int:
    """Return the longest clip in frames that may be encoded as one with the memory that is free now; at least 1.

    Args:
        config: the network's sizes.
        sentences: asked at once.
        device: where the network is.
    """
    return max(1, int(_MEMORY_FRACTION * free_memory(device)) // bytes_per_frame(config, sentences))
