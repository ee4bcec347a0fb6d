"""What happens when a visitor presses a button."""

from __future__ import annotations

import functools
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from threading import Event
from typing import Any

import gradio as gr
from gradio.components import Component
from gradio.events import Dependency

from mpgsam2.demo.clip_inspection import MOST_INSPECTORS, ClipInspectors
from mpgsam2.demo.errors import errors_for_visitors, message_of
from mpgsam2.demo.home import home
from mpgsam2.demo.later_files import Writing
from mpgsam2.demo.layers import KeptAnswers
from mpgsam2.demo.page import Page, event_of
from mpgsam2.demo.player_values import live, result
from mpgsam2.demo.request_parsing import parse_file, parse_settings
from mpgsam2.demo.run import Finished, Started, Step
from mpgsam2.demo.run_queue import FULL
from mpgsam2.demo.scheduler import Opening, Scheduler, StopSignal, Waiting
from mpgsam2.demo.sessions import Sessions, session_of
from mpgsam2.demo.settings import Settings
from mpgsam2.demo.shown_result import LOOK, ShownResult
from mpgsam2.demo.status import WAITING, error_html, in_words, notice_html, status_html, wait_in_words
from mpgsam2.demo.trim import FROM_HANDLES, TO_HANDLES, remark_html
from mpgsam2.errors import InputError
from mpgsam2.export.pipeline import Progress
from mpgsam2.settings import SETTINGS

OWN_QUEUE: dict[str, Any] = {"concurrency_limit": None, "preprocess": False}
"""Of every event that runs the model: it begins at once and waits in our own line, and its input is checked by us."""

_INSPECTING: dict[str, Any] = {"concurrency_limit": MOST_INSPECTORS, "concurrency_id": "looking", "preprocess": False}
_QUIET: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
_FRAMES = ("first", "last", "every", "longest_side")  # settings that choose frames
_WORK = ("model", "without", "compare", "dtype")  # settings on which it depends how many can be done
_SHOW_PROGRESS = "() => { document.getElementById('progress').scrollIntoView({ block: 'start' }); return []; }"
# Not where they are made for the overlay's video, which the player then takes home.
_TAKE_HOME = """(zip) => {
  const { videoOnly } = document.body.dataset;
  delete document.body.dataset.videoOnly;
  if (zip && !videoOnly) {
    Object.assign(document.createElement("a"), { href: zip.url, download: "results.zip" }).click();
  }
  return [];
}"""
_LIVE_SECONDS = 0.1  # between live pictures

Updates = dict[Component, Any]


def connect(page: Page, scheduler: Scheduler, inspectors: ClipInspectors, sessions: Sessions) -> Dependency:
    """Give the page its behaviour: Run, Stop, all files of a result, and the remark on the clip's frames.

    Stop asks the run to end after the frame at work, so that it can finish its files and show them; before the first
    frame there are none, and what was shown before stays. The run itself tells the page of its end, however it comes:
    if the browser gave it up, what it told last could come after that.

    Returns:
        The event after which all files of a result that is to be shared are there.
    """
    stop_signal = gr.State()  # a `StopSignal`
    settings = list(page.settings.values())

    def prepare() -> Updates:
        return {stop_signal: StopSignal(), **_prepared(page)}

    async def show_run(
        request: gr.Request, clip: Any, stop: StopSignal | None, *values: Any
    ) -> AsyncGenerator[Updates]:
        try:
            with errors_for_visitors():
                asked = parse_settings(dict(zip(SETTINGS, values, strict=True)))
                path = parse_file(clip)
                turn = scheduler.take(
                    session_of(request), path, asked, stop or StopSignal(), explained=True, extras=False
                )
                async with aclosing(turn) as steps, aclosing(_updates(page, path, asked, steps)) as updates:
                    async for update in updates:
                        yield update
        except gr.Error as error:  # told here alone: a pop-up would lie over it
            yield {page.status: error_html(error), **_at_rest(page)}

    async def make_files(
        request: gr.Request, shown: ShownResult | None, stop: StopSignal | None, *look: Any
    ) -> AsyncGenerator[Updates]:
        """Yield all files of the result that is shown, and their zip, in the look chosen since; in its own if none.

        In its own they join those that its run has written. In any other, and for a result that came with the page, all
        of them are made in a folder of their own.
        """
        try:
            with errors_for_visitors():
                if shown is None:
                    raise InputError("There is no result yet: press Run.")
                session, stop = session_of(request), stop or StopSignal()
                kept = KeptAnswers(shown.folder)
                chosen = parse_settings(dict(zip(LOOK, look, strict=True))) if look else shown.settings
                joining = shown.looks(chosen) and shown.folder.parent == home()
                steps: AsyncGenerator[Any]
                if joining:
                    asked, steps = shown.settings, scheduler.complete(session, shown, stop)
                else:
                    asked = shown.again(chosen)
                    steps = scheduler.take(session, shown.clip, asked, stop, kept)
                async with aclosing(steps), aclosing(_updates(page, shown.clip, asked, steps)) as updates:
                    async for update in updates:
                        if joining:  # what is shown stays
                            update.pop(page.player, None)
                        if update.get(page.shown) or page.player not in update:  # no live pictures: all were seen
                            yield update
        except gr.Error as error:
            yield {page.status: error_html(error), **_at_rest(page)}

    async def look(request: gr.Request, clip: Any, *values: Any) -> AsyncGenerator[str]:
        if not clip:
            yield ""
            return
        try:
            path = parse_file(clip)
            sessions.file(session_of(request), path)
            asked = parse_settings(dict(zip(SETTINGS, values, strict=True)))
            async with aclosing(inspectors.take(path, asked.selection(), scheduler.fitting(asked))) as remarks:
                async for sentence, whole in remarks:
                    yield remark_html(sentence, whole)
        except InputError as error:
            yield notice_html(message_of(error))

    def refused(stop: StopSignal) -> Updates:
        """Say so if not even a place in Gradio's queue was free; a run that was begun has told why it failed."""
        return {page.status: gr.skip() if stop.in_queue else status_html(FULL), **_at_rest(page)}

    prepared = gr.on(
        [page.run.click, event_of(page.settings["sentences"], "submit")],
        prepare,
        outputs=[stop_signal, *_prepared(page)],
        queue=False,
        js=_SHOW_PROGRESS,
        **_QUIET,
    )
    running = prepared.then(
        show_run,
        [page.clip, stop_signal, *settings],
        [page.notice, *_of_a_result(page), *_prepared(page)],
        **OWN_QUEUE,
        **_QUIET,
    )
    made = []
    for button, look_too in ((page.files, [page.settings[name] for name in LOOK]), (page.share, [])):
        asked_for = button.click(
            lambda: {**prepare(), page.bundle: gr.update(value=None)},
            outputs=[stop_signal, page.bundle, *_prepared(page)],
            queue=False,
            **_QUIET,
        )
        made.append(
            asked_for.then(
                make_files,
                [page.shown, stop_signal, *look_too],
                [page.notice, *_of_a_result(page), *_prepared(page)],
                **OWN_QUEUE,
                **_QUIET,
            )
        )
    made_for_visitor, made_for_others = made
    made_for_visitor.then(None, page.bundle, None, js=_TAKE_HOME, **_QUIET)
    for begun in (running, *made):
        begun.failure(refused, stop_signal, [page.status, *_at_rest(page)], queue=False, **_QUIET)
    page.stop.click(Event.set, stop_signal, queue=False, **_QUIET)
    looked_at = [page.clip.change, *(event_of(page.settings[name], "change") for name in _FRAMES)]
    if scheduler.limited:
        looked_at += [
            event_of(page.settings["sentences"], "blur"),
            *(event_of(page.settings[name], "change") for name in _WORK),
        ]
    ends = [page.settings["first"], page.settings["last"]]
    trimmed = page.trim.input(None, None, ends, js=FROM_HANDLES, **_QUIET)
    gr.on([event_of(end, "change") for end in ends], None, ends, None, js=TO_HANDLES, **_QUIET)
    for event in (functools.partial(gr.on, looked_at), trimmed.then):  # folded away the numbers tell of no change
        event(
            look,
            [page.clip, *settings],
            page.notice,
            trigger_mode="always_last",
            **_INSPECTING,
            **_QUIET,
        )
    return made_for_others


def _prepared(page: Page) -> Updates:
    """Return the page before a run's turn: earlier results stay until there is a picture; only Stop can be pressed."""
    return {
        page.status: status_html(WAITING, done=0, total=0),
        page.run: gr.update(interactive=False),
        page.stop: gr.update(visible=True),
        page.files: gr.update(interactive=False),
        page.settings["sentences"]: gr.update(interactive=False),
    }


def _at_rest(page: Page) -> Updates:
    """Return the page when nothing runs."""
    return {
        page.run: gr.update(interactive=True),
        page.stop: gr.update(visible=False),
        page.files: gr.update(interactive=True),
        page.settings["sentences"]: gr.update(interactive=True),
    }


async def _updates(
    page: Page, clip: str | None, asked: Settings, steps: AsyncIterator[Waiting | Opening | Step | Writing | None]
) -> AsyncGenerator[Updates]:
    """Yield what the page shows at each step of a run that it is told of."""
    warning, shown = None, -_LIVE_SECONDS
    update: Updates = {}
    async for step in steps:
        match step:
            case None:  # the last one once more
                update = {part: value for part, value in update.items() if part not in _of_a_result(page)}
            case Waiting():
                update = {page.status: status_html(in_words(step), done=0, total=0, remark=wait_in_words(step))}
            case Opening():
                update = {page.status: status_html(in_words(step), done=0, total=0)}
            case Started():
                warning = step.warning
                update = {
                    page.status: status_html(in_words(step), done=0, total=0, warning=warning),
                    page.notice: notice_html(step.notice),
                }
            case Progress():
                update = {
                    page.status: status_html(in_words(step), done=step.index + 1, total=step.total, warning=warning)
                }
                if step.seconds - shown >= _LIVE_SECONDS:
                    shown = step.seconds
                    update |= {page.player: live(step), page.bundle: gr.update(visible=False, value=None)}
                    update |= {page.files: gr.update(visible=False), page.share: gr.update(visible=False)}
            case Writing():
                update = {page.status: status_html(in_words(step), done=step.done, total=step.frames)}
            case Finished():
                update = {page.status: status_html(in_words(step), warning=warning)}
                update |= {page.notice: notice_html(step.notice)} if step.notice else {}
                update |= {**_at_rest(page), **_results(page, clip, asked, step)}
        yield dict(update)


def _of_a_result(page: Page) -> tuple[Component, ...]:
    return page.player, page.bundle, page.share, page.shown


def _results(page: Page, clip: str | None, asked: Settings, end: Finished) -> Updates:
    """Return the videos in place of the live pictures, if there are any."""
    if clip is None or end.record is None or end.folder is None:
        return {}
    return {
        page.player: result(end.record, end.folder),
        page.bundle: gr.update(visible=False, value=end.bundle and str(end.bundle)),
        page.files: gr.update(visible=True, interactive=True),
        page.share: gr.update(visible=True),
        page.shown: ShownResult(clip, asked, end.folder),
    }
