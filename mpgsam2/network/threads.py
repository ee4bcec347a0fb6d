"""How torch's threads share a processor with others: our own video encoders, and whoever else works on the machine.

A network's parallel regions are many and short. By OpenMP's default a thread that has done its part of one spins until
the others have done theirs. Where one of them has no core, because another process has it, the rest spin for the length
of a time slice, thousands of times a clip.
"""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import TypeVar

from mpgsam2.stages import each_within

Item = TypeVar("Item")

ONE_THREAD_PARAMETERS = 20_000_000
"""A network of fewer has arrays so small that a second thread saves no time."""


def sleep_while_waiting() -> None:
    """Make waiting threads sleep. Heeded if torch has not been imported yet; what the user has set stays."""
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


@contextmanager
def one_thread() -> Iterator[None]:
    """Let torch compute with one thread within this context; then its setting is as before."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def on_one_thread(items: Generator[Item]) -> Generator[Item]:
    """Compute each item with one thread of torch's, and leave torch's setting to others between them."""
    return each_within(one_thread, items)
