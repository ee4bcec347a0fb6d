"""What happens when a visitor presses a button."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import closing
from threading import Event
from typing import Any

import gradio as gr
from gradio.components import Component

from mpgsam2.demo.errors import told_to_visitor
from mpgsam2.demo.frames import choose_frames
from mpgsam2.demo.gpu import FrameLoop
from mpgsam2.demo.page import Page
from mpgsam2.demo.run import Finished, Started, Step, fitting, run
from mpgsam2.demo.sessions import Sessions
from mpgsam2.demo.settings import NAMES, Settings
from mpgsam2.demo.show import live, result
from mpgsam2.demo.status import FULL, IDLE, WAITING, error_html, line, notice_html, status_html
from mpgsam2.errors import InputError
from mpgsam2.network.model import MPGSAM2
from mpgsam2.pipeline import Progress
from mpgsam2.render import Look

ONE_AT_A_TIME: dict[str, Any] = {"concurrency_limit": 1, "concurrency_id": "gpu"}
"""Of every event that runs the model: they share one slot."""

_LOOKING = {"concurrency_limit": 2, "concurrency_id": "looking"}  # at clips, which decodes them once
_QUIET: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
_FRAMES = ("first", "last", "every", "longest_side")  # settings that choose frames
_WORK = ("model", "without", "compare", "dtype")  # settings on which it depends how many can be done
_SHOW_PROGRESS = "() => { document.getElementById('progress').scrollIntoView({ block: 'start' }); return []; }"
_LIVE_EVERY = 0.2  # seconds between live pictures; the line of text follows every frame

Updates = dict[Component, Any]


def connect(page: Page, models: Mapping[str, MPGSAM2], frame_loop: FrameLoop, sessions: Sessions) -> None:
    """Give the page its behaviour: Run, Stop, and the remark on the clip's frames.

    Stop asks the run to end after the frame at work, so that it can finish its files and show them. A run that still
    waits for its turn is taken out of the queue.
    """
    stop_signal = gr.State()
    settings = list(page.settings.values())

    def prepare() -> Updates:
        return {stop_signal: Event(), **_prepared(page)}

    def show_run(request: gr.Request, clip: str | None, stop: Event, *values: Any) -> Generator[Updates]:
        asked = Settings(**dict(zip(NAMES, values, strict=True)))
        sessions.keep(request.session_hash, clip)
        sessions.keep(request.session_hash, asked.ground_truth)
        try:
            with (
                told_to_visitor(),
                sessions.folder(request.session_hash) as folder,
                closing(run(models, frame_loop, clip, asked, folder, stop)) as steps,
            ):
                yield from _updates(page, asked.look, steps)
        except gr.Error as error:  # stands on the page after the pop-up is gone
            yield {page.status: error_html(error), **_at_rest(page)}
            raise

    def look(request: gr.Request, clip: str | None, *values: Any) -> str:
        if not clip:
            return ""
        sessions.keep(request.session_hash, clip)
        asked = Settings(**dict(zip(NAMES, values, strict=True)))
        try:
            return notice_html(choose_frames(clip, asked.selection(), fitting=fitting(models, frame_loop, asked))[1])
        except InputError as error:
            return notice_html(str(error))

    def refused(status: str) -> Updates:
        """Where not even a place in the queue was free, nothing of the run has reached the page."""
        return {page.status: status_html(FULL) if WAITING in status else status, **_at_rest(page)}

    prepared = gr.on(
        [page.run.click, page.settings["sentences"].submit],
        prepare,
        outputs=[stop_signal, *_prepared(page)],
        queue=False,
        js=_SHOW_PROGRESS,
        **_QUIET,
    )
    running = prepared.then(
        show_run,
        [page.clip, stop_signal, *settings],
        [page.notice, *_prepared(page)],
        **ONE_AT_A_TIME,
        **_QUIET,
    )
    running.failure(refused, page.status, [page.status, *_at_rest(page)], queue=False, **_QUIET)
    rest = {page.status: status_html(IDLE), **_at_rest(page)}
    page.leave.click(lambda: rest, outputs=list(rest), cancels=[running], queue=False, **_QUIET)
    page.stop.click(Event.set, stop_signal, queue=False, **_QUIET)
    looked_at = [page.clip.change, *(page.settings[name].change for name in _FRAMES)]
    if frame_loop.limited:
        looked_at += [page.settings["sentences"].blur, *(page.settings[name].change for name in _WORK)]
    gr.on(
        looked_at,
        look,
        [page.clip, *settings],
        page.notice,
        trigger_mode="always_last",
        **_LOOKING,
        **_QUIET,
    )


def _prepared(page: Page) -> Updates:
    """The page before a run's turn: earlier results gone, nothing to press but Stop."""
    return {
        page.status: status_html(WAITING, done=0, total=0),
        page.run: gr.update(interactive=False),
        page.leave: gr.update(visible=True),
        page.stop: gr.update(visible=False),
        page.settings["sentences"]: gr.update(interactive=False),
        page.bundle: gr.update(visible=False, value=None),
        page.player: None,
    }


def _at_rest(page: Page) -> Updates:
    """The page when nothing runs."""
    return {
        page.run: gr.update(interactive=True),
        page.leave: gr.update(visible=False),
        page.stop: gr.update(visible=False),
        page.settings["sentences"]: gr.update(interactive=True),
    }


def _updates(page: Page, look: Look, steps: Generator[Step]) -> Generator[Updates]:
    """What the page shows at each step of a run. One update per frame, so that a closed tab is noticed as soon."""
    warning, shown = None, -_LIVE_EVERY
    for step in steps:
        match step:
            case Started():
                warning = step.warning
                yield {
                    page.status: status_html(line(step), done=0, total=0, warning=warning),
                    page.notice: notice_html(step.notice),
                    page.leave: gr.update(visible=False),
                    page.stop: gr.update(visible=True),
                }
            case Progress():
                updates = {page.status: status_html(line(step), done=step.index + 1, total=step.total, warning=warning)}
                if step.seconds - shown >= _LIVE_EVERY:
                    shown = step.seconds
                    updates[page.player] = live(step, look)
                yield updates
            case Finished():
                yield {page.status: status_html(line(step), warning=warning), **_results(page, step), **_at_rest(page)}


def _results(page: Page, end: Finished) -> Updates:
    """The videos in place of the live pictures, if there are any."""
    if end.record is None:
        return {}
    return {
        page.player: result(end.record, end.folder),
        page.bundle: gr.update(visible=True, value=str(end.bundle)),
    }
