"""Between the host and a GPU: frames go up and answers come down without either of them waiting for the other."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from mpgsam2.config import TrackerConfig

MOST_IMAGES = 8
"""That go through the image encoder at once; more make a large one no faster."""
_WIDE_ARRAYS = 4  # of the size of the widest one, that the image encoder holds at a time


def upload(images: Tensor, device: torch.device) -> Tensor:
    """Copy a tensor from the host to a device; to a GPU from pinned memory, so that the host goes on at once."""
    if device.type != "cuda":
        return images.to(device)
    return images.pin_memory().to(device, non_blocking=True)


def images_at_once(config: TrackerConfig, device: torch.device) -> int:
    """How many frames should go through the image encoder together: on a GPU what its free memory holds, 1 to 8.

    A processor is as fast with one, which needs the least memory and gives the first mask soonest.
    """
    if device.type != "cuda":
        return 1
    places = (config.image_size // 4) ** 2
    widest = places * 4 * config.hiera.embed_dim * torch.float32.itemsize  # of a block's feed-forward at a quarter
    free, _ = torch.cuda.mem_get_info(device)
    return min(max(1, free // (_WIDE_ARRAYS * widest)), MOST_IMAGES)


class Download:
    """Tensors on their way to the host, where they are awaited only when they are asked for."""

    def __init__(self, tensors: Sequence[Tensor]) -> None:
        self._tensors, self._arrived = list(tensors), None
        if self._tensors[0].is_cuda:
            pinned = [torch.empty(x.shape, dtype=x.dtype, pin_memory=True) for x in self._tensors]
            self._tensors = [to.copy_(x, non_blocking=True) for to, x in zip(pinned, self._tensors, strict=True)]
            self._arrived = torch.cuda.Event()
            self._arrived.record()

    def tensors(self) -> list[Tensor]:
        """The tensors in the host's memory, in their order."""
        if self._arrived is not None:
            self._arrived.synchronize()
        return [x.cpu() for x in self._tensors]
