"""The stages of a run, and what each of them takes: seconds, or operations."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from threading import Lock, get_ident
from typing import Any

from mpgsam2.export import Exporter
from mpgsam2.network.model import MPGSAM2
from mpgsam2.network.tracker import Tracker
from mpgsam2.speed.replace import replaced
from mpgsam2.video import Clip, VideoWriter

READING, ENCODING, FEATURES, TRACKING, DRAWING, WRITING = STAGES = (
    "read",
    "clip encoding",
    "image features",
    "tracking",
    "drawing",
    "writing",
)

_CALLS: tuple[tuple[type, str, str], ...] = (
    (MPGSAM2, "_encode", ENCODING),
    (Tracker, "image_features", FEATURES),
    (Exporter, "add", DRAWING),
    (Exporter, "__init__", WRITING),
    (Exporter, "close", WRITING),
    (VideoWriter, "write", WRITING),
)
_ITERATIONS: tuple[tuple[type, str, str], ...] = ((Clip, "read", READING), (MPGSAM2, "_segment", TRACKING))


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
        self.totals = dict.fromkeys(STAGES, 0)
        self._meter = meter
        self._booking = Lock()
        self._threads: defaultdict[int, _Thread] = defaultdict(_Thread)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Within this context goes by the stage of that name."""
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

    @contextmanager
    def watch(self) -> Iterator[None]:
        """Within this context every run is booked."""
        with ExitStack() as watched:
            for kind, name, stage in _CALLS:
                watched.enter_context(replaced(kind, name, self._called(getattr(kind, name), stage)))
            for kind, name, stage in _ITERATIONS:
                watched.enter_context(replaced(kind, name, self._iterated(getattr(kind, name), stage)))
            yield

    def _called(self, method: Callable[..., Any], stage: str) -> Callable[..., Any]:
        def call(*args: object, **kwargs: object) -> object:
            with self.stage(stage):
                return method(*args, **kwargs)

        return call

    def _iterated(self, method: Callable[..., Any], stage: str) -> Callable[..., Any]:
        def iterate(*args: object, **kwargs: object) -> Generator[object]:
            items = method(*args, **kwargs)
            try:
                while True:
                    with self.stage(stage):
                        item = next(items, None)
                    if item is None:
                        return
                    yield item
            finally:
                items.close()

        return iterate
