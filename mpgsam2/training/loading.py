"""Batches made by worker processes, in their order."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Any

import cv2
import torch
from torch.utils.data import DataLoader, Dataset

from mpgsam2.errors import InputError


def loader(data: Dataset, workers: int, **options: Any) -> DataLoader:
    """Load batches.

    Args:
        data: see torch's `DataLoader`.
        workers: processes that make them; 0: this one.
        options: of the `DataLoader`, which say how items become batches.
    """
    if workers:  # before they are forked: in a fork OpenCV waits for threads that only its parent has
        cv2.setNumThreads(1)
    return DataLoader(
        data,
        num_workers=workers,
        prefetch_factor=2 if workers else None,
        pin_memory=torch.cuda.is_available(),
        worker_init_fn=_begin,
        generator=torch.Generator(),  # its own, so that training draws the same numbers wherever it goes on from
        **options,
    )


def load_by_key(
    data: Dataset, keys: Iterable[Sequence[Any]], collate: Callable[[Sequence[Any]], Any], workers: int
) -> Iterator[Any]:
    """Load the batches of items that keys name.

    Args:
        data: items by key.
        keys: of the items of each batch.
        collate: makes a batch of items.
        workers: see `loader`.

    Raises:
        InputError: as `data` does, in the same words, also where a worker process met it.
    """
    batches = loader(_Telling(data), workers, batch_sampler=keys, collate_fn=partial(_collate_or_tell, collate))
    for batch in batches:
        if isinstance(batch, InputError):
            raise batch
        yield batch


class _Telling(Dataset):
    """Items, or why there is none: an exception that leaves a worker process becomes its traceback."""

    def __init__(self, data: Dataset) -> None:
        self._data = data

    def __getitem__(self, key: Any) -> Any:
        try:
            return self._data[key]
        except InputError as error:
            return error


def _collate_or_tell(collate: Callable[[Sequence[Any]], Any], items: Sequence[Any]) -> Any:
    errors = [item for item in items if isinstance(item, InputError)]
    return errors[0] if errors else collate(items)


def _begin(_: int) -> None:
    """Leave Ctrl-C, which reaches all processes of a terminal, to the training process; that then ends the others."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
