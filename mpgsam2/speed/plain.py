"""The network as it was first written: the reference that every faster way is held against."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from mpgsam2.network.ways import plain_ways


@contextmanager
def plain() -> Iterator[None]:
    """Let networks compute in the plain ways within this context, and what is in float32 not in TF32."""
    precision = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("highest")
    try:
        with plain_ways():
            yield
    finally:
        torch.set_float32_matmul_precision(precision)
