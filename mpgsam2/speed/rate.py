"""What the machine can do at best: the rate of one large matrix product."""

from __future__ import annotations

import time
from statistics import median

import torch

_SIDE = {"cpu": 2048, "cuda": 8192}
_PRODUCTS = 7


def matrix_product_rate(device: torch.device, dtype: torch.dtype) -> float:
    """Return floating-point operations a second in the product of two large square matrices: the median of several."""
    side = _SIDE.get(device.type, 2048)
    a, b = (torch.rand(side, side, device=device, dtype=dtype) for _ in range(2))
    seconds = []
    for _ in range(_PRODUCTS + 1):
        start = clock(device)
        a @ b
        seconds.append(clock(device) - start)
    return 2 * side**3 / median(seconds[1:])


def clock(device: torch.device) -> float:
    """Return seconds, read when the device has done all that it was asked."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter()
