"""What happens when a visitor presses a button."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import closing
from threading import Event
from typing import Any

import gradio as gr
from gradio.components import Component

from mpgsam2.demo.errors import told_to_visitor
from mpgsam2.demo.gpu import FrameLoop
from mpgsam2.demo.page import Page
from mpgsam2.demo.panes import blank, stills
from mpgsam2.demo.run import Finished, Started, run
from mpgsam2.demo.status import IDLE, WAITING, error_html, line, status_html
from mpgsam2.network.model import MPGSAM2
from mpgsam2.pipeline import Progress

ONE_AT_A_TIME: dict[str, Any] = {"concurrency_limit": 1, "concurrency_id": "gpu"}
"""Of every event that runs the model: they share one slot."""

_QUIET: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
_SHOW_PROGRESS = "() => { document.getElementById('progress').scrollIntoView({ block: 'start' }); return []; }"
_STILLS_EVERY = 0.2  # seconds between live pictures; the line of text follows every frame

Updates = dict[Component, Any]


def connect(page: Page, model: MPGSAM2, frame_loop: FrameLoop) -> None:
    """Give the page its behaviour: Run (or Enter) and Stop.

    Stop asks the run to end after the frame at work, so that it can finish its files and show them. A run that still
    waits for its turn is taken out of the queue.
    """
    stop_signal = gr.State()

    def prepare() -> Updates:
        return {stop_signal: Event(), **_prepared(page)}

    def show_run(clip: str | None, expression: str, stop: Event) -> Generator[Updates]:
        try:
            with told_to_visitor(), closing(run(model, frame_loop, clip, expression, stop)) as steps:
                yield from _updates(page, steps)
        except gr.Error as error:  # stands on the page after the pop-up is gone
            yield {page.status: error_html(error), **_at_rest(page)}
            raise

    prepared = gr.on(
        [page.run.click, page.expression.submit],
        prepare,
        outputs=[stop_signal, *_prepared(page)],
        queue=False,
        js=_SHOW_PROGRESS,
        **_QUIET,
    )
    running = prepared.then(
        show_run,
        [page.clip, page.expression, stop_signal],
        list(_prepared(page)),
        **ONE_AT_A_TIME,
        **_QUIET,
    )
    rest = {page.status: status_html(IDLE), **_at_rest(page)}
    page.leave.click(lambda: rest, outputs=list(rest), cancels=[running], queue=False, **_QUIET)
    page.stop.click(Event.set, stop_signal, queue=False, **_QUIET)


def _prepared(page: Page) -> Updates:
    """The page before a run's turn: earlier results gone, nothing to press but Stop."""
    updates: Updates = {
        page.status: status_html(WAITING, done=0, total=0),
        page.run: gr.update(interactive=False),
        page.leave: gr.update(visible=True),
        page.stop: gr.update(visible=False),
        page.expression: gr.update(interactive=False),
        page.bundle: gr.update(visible=False, value=None),
    }
    for pane in page.panes:
        updates |= {
            pane.still: gr.update(visible=True, value=blank()),
            pane.video: gr.update(visible=False, value=None),
        }
    return updates


def _at_rest(page: Page) -> Updates:
    """The page when nothing runs."""
    return {
        page.run: gr.update(interactive=True),
        page.leave: gr.update(visible=False),
        page.stop: gr.update(visible=False),
        page.expression: gr.update(interactive=True),
    }


def _updates(page: Page, steps: Generator[Started | Progress | Finished]) -> Generator[Updates]:
    """What the page shows at each step of a run. One update per frame, so that a closed tab is noticed as soon."""
    warning, shown = None, -_STILLS_EVERY
    for step in steps:
        match step:
            case Started():
                warning = step.warning
                yield {
                    page.status: status_html(line(step), done=0, total=0, warning=warning),
                    page.leave: gr.update(visible=False),
                    page.stop: gr.update(visible=True),
                }
            case Progress():
                updates = {page.status: status_html(line(step), done=step.index + 1, total=step.total, warning=warning)}
                if step.seconds - shown >= _STILLS_EVERY:
                    shown = step.seconds
                    updates |= dict(zip((pane.still for pane in page.panes), stills(step), strict=True))
                yield updates
            case Finished():
                yield {page.status: status_html(line(step), warning=warning), **_results(page, step), **_at_rest(page)}


def _results(page: Page, end: Finished) -> Updates:
    """The videos in place of the stills, if there are any."""
    if not end.done:
        return {}
    updates: Updates = {page.bundle: gr.update(visible=True, value=str(end.bundle))}
    for pane, video in zip(page.panes, (end.prior, end.masks, end.overlay), strict=True):
        updates |= {pane.still: gr.update(visible=False), pane.video: gr.update(visible=True, value=str(video))}
    return updates
