"""What each stage of a run takes: seconds, or operations."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Lock, get_ident

from mpgsam2.stages import STAGES


@dataclass
class _Thread:
    """The stages that a thread is in, the innermost last, and what the meter showed when it was booked last."""

    stages: list[str] = field(default_factory=list)
    last: float = 0


class Ledger:
    """Books what a meter shows on stages; what happens in a stage within another goes to the inner one alone.

    Threads are booked apart: the stages of one add up to its own time, those of all of them to more than went by.

    Args:
        meter: a reading that never falls, such as `time.perf_counter`.

    Attributes:
        totals: by stage, in the meter's unit.
    """

    def __init__(self, meter: Callable[[], float]) -> None:
        self.totals: dict[str, float] = dict.fromkeys(STAGES, 0)
        self._meter = meter
        self._booking = Lock()
        self._threads: defaultdict[int, _Thread] = defaultdict(_Thread)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Count what is spent within this context for the stage of that name."""
        thread = self._threads[get_ident()]
        self._book(thread)
        thread.stages.append(name)
        try:
            yield
        finally:
            self._book(thread)
            thread.stages.pop()

    def _book(self, thread: _Thread) -> None:
        now = self._meter()
        if thread.stages:
            with self._booking:
                self.totals[thread.stages[-1]] += now - thread.last
        thread.last = now
