"""Between the host and a GPU: frames go up and answers come down without either of them waiting for the other."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
import torch
from torch import Tensor

from mpgsam2.network.config import TrackerConfig
from mpgsam2.network.images import resize

MOST_IMAGES = 8
"""That go through the image encoder at once; more make a large one no faster."""
_RESIZE_THREADS = 4  # one alone resizes fewer frames a second than a GPU segments
_WIDE_ARRAYS = 4  # of the size of the widest one, that the image encoder holds at a time


def upload(images: Sequence[Tensor], device: torch.device) -> Tensor:
    """Put images on a device, as one batch; to a GPU from pinned memory, so that the host goes on at once.

    Args:
        images: B of 3 × S × S, as `resize` gives them: colours side by side in memory, which the batch keeps.
        device: where they go.

    Returns:
        B × 3 × S × S.
    """
    batch = torch.stack([image.permute(1, 2, 0) for image in images])
    batch = batch.pin_memory().to(device, non_blocking=True) if device.type == "cuda" else batch.to(device)
    return batch.permute(0, 3, 1, 2)


def resized(frames: Iterable[np.ndarray], side: int, device: torch.device) -> Generator[Tensor]:
    """Yield frames as `resize` gives them; for a GPU by threads that run ahead, so that it need not wait.

    Args:
        frames: H × W × 3 uint8 RGB each, read once; for a GPU two batches of images before they are asked for.
        side: see `resize`.
        device: where they are needed.
    """
    if device.type != "cuda":
        for frame in frames:
            yield resize(frame, side)
        return
    coming: deque[Future[Tensor]] = deque()
    with ThreadPoolExecutor(_RESIZE_THREADS) as pool:
        for frame in frames:
            coming.append(pool.submit(resize, frame, side))
            if len(coming) > 2 * MOST_IMAGES:
                yield coming.popleft().result()
        while coming:
            yield coming.popleft().result()


def images_at_once(config: TrackerConfig, device: torch.device) -> int:
    """Return how many frames should go through the image encoder together: on a GPU what its free memory holds, 1 to 8.

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
        """Return the tensors in the host's memory, in their order.

        They are in ordinary memory, however long they are kept: pinned memory is the whole system's and scarce.
        """
        if self._arrived is None:
            return [x.cpu() for x in self._tensors]
        self._arrived.synchronize()
        return [x.clone() for x in self._tensors]
