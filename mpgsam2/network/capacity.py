"""How long a clip may be that is encoded as one."""

from __future__ import annotations

import psutil
import torch

from mpgsam2.config import ModelConfig

_PART = 0.5  # of the free memory; the tracker, the program's other work and rough reckoning have the rest
_WIDE, _HIDDEN = 8, 2  # arrays of the patches' tokens, and of the feed-forward's hidden ones, that are held at a time


def bytes_per_frame(config: ModelConfig, sentences: int) -> int:
    """Memory that one more frame takes while a clip is encoded, in bytes, by reckoning.

    Held are the tokens of every frame, twice for each sentence while they are put together, and in the frame-joint
    layer what attention and feed-forward work on. The attention itself holds no scores, so this is linear in frames.
    """
    encoder, patches = config.encoder, config.encoder.grid**2
    tokens = 2 * sentences * encoder.width
    joint = _WIDE * encoder.width + _HIDDEN * config.prior.feed_forward
    image = 3 * encoder.image_size**2  # uint8
    return patches * (tokens + joint) * torch.float32.itemsize + image


def frames_that_fit(config: ModelConfig, sentences: int, device: torch.device) -> int:
    """The longest clip in frames that may be encoded as one with the memory that is free now; at least 1.

    Args:
        config: the network's sizes.
        sentences: asked at once.
        device: where the network is.
    """
    if device.type == "cuda":
        free, _ = torch.cuda.mem_get_info(device)
    else:
        free = psutil.virtual_memory().available
    return max(1, int(_PART * free) // bytes_per_frame(config, sentences))
