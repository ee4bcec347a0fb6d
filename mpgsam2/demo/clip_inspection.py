"""Looks at clips: which frames a run would use. They need no place in the line of the runs."""

from __future__ import annotations

from asyncio import sleep
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import aclosing, suppress
from queue import Empty, SimpleQueue
from threading import Event

from mpgsam2.demo.frames import choose_frames
from mpgsam2.demo.worker import TICK, Worker
from mpgsam2.errors import Stopped
from mpgsam2.video import Clip, Selection

MOST_INSPECTORS = 2
"""Clips that are looked at at the same time; each is decoded once."""

INSPECTING = "Looking at the clip …"


class ClipInspectors:
    """The threads in which clips are looked at."""

    def __init__(self) -> None:
        self._idle: SimpleQueue[Worker] = SimpleQueue()
        for _ in range(MOST_INSPECTORS):
            self._idle.put(Worker())

    async def take(
        self, path: str | None, selection: Selection, fitting: Callable[[Clip], int] | None = None
    ) -> AsyncGenerator[tuple[str, Clip | None]]:
        """Yield what `frames.choose_frames` says, with the whole clip; `INSPECTING` as long as that takes, with None.

        Raises:
            InputError: the clip cannot be used, or the selection does not fit it.
        """
        while (worker := self._free()) is None:
            yield INSPECTING, None
            await sleep(TICK)
        stop = Event()
        try:
            async with aclosing(worker.steps(_remarks(path, selection, stop, fitting))) as remarks:
                async for remark in remarks:
                    yield remark or (INSPECTING, None)
        finally:
            stop.set()
            worker.submit(lambda: self._idle.put(worker))  # when its work has ended, though given up

    def _free(self) -> Worker | None:
        try:
            return self._idle.get_nowait()
        except Empty:
            return None


def _remarks(
    path: str | None, selection: Selection, stop: Event, fitting: Callable[[Clip], int] | None
) -> Generator[tuple[str, Clip]]:
    with suppress(Stopped):
        used, sentence = choose_frames(path, selection, stop, fitting)
        yield sentence, used.source
