"""A visitor's turn, from the line to the last file, for the page and for programs alike."""

from __future__ import annotations

import time
from asyncio import sleep
from collections.abc import AsyncGenerator, Callable, Generator, Mapping
from contextlib import ExitStack, aclosing
from dataclasses import dataclass, replace
from threading import Event
from typing import Any

import gradio as gr

from mpgsam2.demo.gpu import FrameLoop
from mpgsam2.demo.home import before_leaving
from mpgsam2.demo.later_files import Writing, complete
from mpgsam2.demo.layers import KeptAnswers
from mpgsam2.demo.run import Finished, Step, fitting, run
from mpgsam2.demo.run_queue import RunQueue
from mpgsam2.demo.sessions import Sessions, session_of
from mpgsam2.demo.settings import Settings, choose_model
from mpgsam2.demo.shown_result import ShownResult
from mpgsam2.demo.throughput import Throughput
from mpgsam2.demo.worker import TICK, Worker
from mpgsam2.export.pipeline import Progress
from mpgsam2.inference.segmenter import Segmenter
from mpgsam2.video import Clip

_POLL_SECONDS = 0.05  # between looks whether it is one's turn
_CLOSING_SECONDS = 3.0  # that a run has to end its files when the process ends


@dataclass(frozen=True)
class Waiting:
    """Others go first."""

    before: int  # how many
    seconds: float | None  # that it may take, None if nobody knows


@dataclass(frozen=True)
class Opening:
    """The clip and the ground truth are looked at."""

    seconds: float  # since the turn began
    again: bool = False  # whether it was said before


class StopSignal(Event):
    """Set when a visitor's run is to end.

    Attributes:
        in_queue: whether the run has come so far that it waits for its turn, or for a place in our line to be refused.
    """

    in_queue = False


class Scheduler:
    """Runs, one after the other.

    Args:
        models: by name.
        frame_loop: see `gpu.frame_loop`.
        sessions: which own the files.
    """

    def __init__(self, models: Mapping[str, Segmenter], frame_loop: FrameLoop, sessions: Sessions) -> None:
        self._models, self._frame_loop, self._sessions = models, frame_loop, sessions
        self._queue, self._worker, self._files = RunQueue(), Worker(), Worker()
        self._pace = Throughput(lambda: self._queue.crowded)
        self._stops: dict[Event, str] = {}  # with the session whose run it stops
        before_leaving(self._end_all)

    async def take(
        self,
        session: str,
        clip: str | None,
        settings: Settings,
        stop: StopSignal,
        kept: KeptAnswers | None = None,
        *,
        explained: bool = False,
        extras: bool = True,
    ) -> AsyncGenerator[Waiting | Opening | Step | None]:
        """Wait for the slot, and run.

        Closing the iterator, or cancelling who reads it, gives the slot back: at once if the run still waits, and else
        as soon as it has ended, which `stop` then asks of it.

        Args:
            session: whose turn it is.
            clip: its path.
            settings: what is asked.
            stop: ends the run after the frame at work, or the wait.
            kept: the answers of an earlier run, in the place of the model's.
            explained, extras: see `run.run`.

        Yields:
            `Waiting` as long as others go first; `Opening` when the turn has come, before anything is read; then as
            `run.run` does, and None whenever a step takes long.

        Raises:
            InputError: there is no place, or the clip or the settings cannot be used.
        """
        stop.in_queue = True
        model = choose_model(self._models, settings.model, settings.dtype)
        settings.queries(model), settings.selection()  # nobody waits to be told of a slip of the pen
        path, truth = (self._sessions.file(session, given) for given in (clip, settings.ground_truth))
        held = ExitStack()
        work: Generator[Step] | None = None
        try:
            ticket = self._queue.join(session)
            held.callback(self._queue.leave, ticket)
            folder = held.enter_context(self._sessions.run(session, path, truth))
            self._stops[stop] = session
            while not self._queue.begin(ticket):
                if stop.is_set():
                    yield Finished(0, 0, "", None)
                    return
                yield Waiting(self._queue.before(ticket), self._queue.seconds(ticket))
                since = time.monotonic()
                while not self._queue.begin(ticket) and not stop.is_set() and time.monotonic() - since < TICK:
                    await sleep(_POLL_SECONDS)
            yield Opening(0.0)
            began, opened = time.monotonic(), False
            chosen = replace(settings, ground_truth=str(truth) if truth else None)
            loop, pace = (kept, None) if kept else (self._frame_loop, self._pace)
            clip = str(path) if path else None
            asked_for = {"explained": explained, "extras": extras}
            work = run(self._models, loop, clip, chosen, folder, stop, pace, **asked_for)
            async with aclosing(self._worker.steps(work)) as steps:
                async for step in steps:
                    opened = opened or step is not None
                    if isinstance(step, Progress):
                        ticket.left = step.seconds_left
                    yield step if opened else Opening(time.monotonic() - began, again=True)
        finally:
            self._leave(self._worker, stop, work, held)

    async def complete(
        self, session: str, shown: ShownResult, stop: StopSignal
    ) -> AsyncGenerator[Writing | Finished | None]:
        """Write the files of a result that its run has left for later, beside whatever run goes on.

        Closing the iterator gives them up; see `take`.

        Args:
            session: whose result it is.
            shown: the result.
            stop: gives them up after the frame at work.

        Yields:
            As `later_files.complete` does, and None whenever a step takes long.

        Raises:
            InputError: see `later_files.complete`.
        """
        stop.in_queue = True
        held = ExitStack()
        work: Generator[Writing | Finished] | None = None
        try:
            held.enter_context(self._sessions.again(session, shown.folder, self._sessions.file(session, shown.clip)))
            self._stops[stop] = session
            work = complete(self._models, shown, stop)
            async with aclosing(self._files.steps(work)) as steps:
                async for step in steps:
                    yield step
        finally:
            self._leave(self._files, stop, work, held)

    def _leave(self, worker: Worker, stop: StopSignal, work: Generator[Any] | None, held: ExitStack) -> None:
        """End work, if it was begun, where it is done, and let go what it held."""
        stop.set()
        self._stops.pop(stop, None)
        if work is None:
            held.close()
        else:
            worker.submit(lambda: _end(work, held))

    @property
    def limited(self) -> bool:
        """Whether a run must be done in the time for which a GPU is lent."""
        return self._frame_loop.limited

    def fitting(self, settings: Settings) -> Callable[[Clip], int]:
        """See `run.fitting`, of the models that run here."""
        return fitting(self._models, self._frame_loop, settings)

    def ended(self, request: gr.Request) -> None:
        """Stop what the session of a request still runs; for the page's unload."""
        for stop, session in list(self._stops.items()):
            if session == session_of(request):
                stop.set()

    def _end_all(self) -> None:
        for stop in list(self._stops):
            stop.set()
        deadline = time.monotonic() + _CLOSING_SECONDS
        while self._queue.busy and time.monotonic() < deadline:
            time.sleep(_POLL_SECONDS)


def _end(work: Generator[Any], held: ExitStack) -> None:
    with held:
        work.close()
