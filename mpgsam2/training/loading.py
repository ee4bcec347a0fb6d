"""Batches made by worker processes, in their order."""

from __future__ import annotations

import signal
from typing import Any

import torch
from torch.utils.data import DataLoader, Dataset


def loader(data: Dataset, workers: int, **options: Any) -> DataLoader:
    """Load batches.

    Args:
        data: see torch's `DataLoader`.
        workers: processes that make them; 0: this one.
        options: of the `DataLoader`, which say how items become batches.
    """
    return DataLoader(
        data,
        num_workers=workers,
        prefetch_factor=2 if workers else None,
        pin_memory=torch.cuda.is_available(),
        worker_init_fn=_leave_signals,
        generator=torch.Generator(),  # its own, so that training draws the same numbers wherever it goes on from
        **options,
    )


def _leave_signals(_: int) -> None:
    """Ctrl-C reaches all processes of a terminal: the training process alone heeds it, and then ends the others."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
