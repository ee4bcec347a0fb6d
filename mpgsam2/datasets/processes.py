"""One process, or those that `accelerate launch` has started."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import TypeVar

from mpgsam2.errors import InputError

T = TypeVar("T")

_PROCESS_TIMEOUT = timedelta(days=7)  # for the slowest process; half an hour is usual, and a video may take that long

_SIZES = (
    "WORLD_SIZE",
    "PMI_SIZE",
    "OMPI_COMM_WORLD_SIZE",
    "MV2_COMM_WORLD_SIZE",
)  # as torch's launcher and MPI's say it


class Processes:
    """The processes that share a task, seen from one of them. Without `accelerate launch` it is alone.

    Attributes:
        number: of this process, from 0.
        count: of all.

    Args:
        device: what the user asked for, such as "cpu" or "cuda".

    Raises:
        InputError: there are several, and accelerate is not installed.
    """

    def __init__(self, device: str) -> None:
        self.number, self.count, self.device = 0, 1, device
        self._state = None
        if any(int(os.environ.get(name, "1")) > 1 for name in _SIZES):
            try:
                from accelerate import PartialState
            except ImportError as error:
                raise InputError("Several processes need accelerate: pip install accelerate.") from error
            self._state = PartialState(cpu=device == "cpu", timeout=_PROCESS_TIMEOUT)
            self.number, self.count = self._state.process_index, self._state.num_processes
            if device == "cuda":  # each its own
                self.device = str(self._state.device)

    @property
    def is_first(self) -> bool:
        """Whether this process is the one that tells the user and writes what is written once."""
        return self.number == 0

    def wait(self) -> None:
        """Wait until all processes have come here."""
        if self._state is not None:
            self._state.wait_for_everyone()

    def share(self, items: Sequence[T], cost: Callable[[T], float]) -> list[T]:
        """Return the items of this process, in their order: the dearest go first, each to whom has least so far.

        Args:
            items: the same in all processes.
            cost: how long one takes, in any unit.
        """
        taken, load = [], [0.0] * self.count
        for index in sorted(range(len(items)), key=lambda index: -cost(items[index])):
            process = load.index(min(load))
            load[process] += cost(items[index])
            if process == self.number:
                taken.append(index)
        return [items[index] for index in sorted(taken)]

    def end(self) -> None:
        """Take leave of the others."""
        if self._state is not None:
            self._state.destroy_process_group()
