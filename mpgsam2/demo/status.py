"""Where a run stands, in words."""

from __future__ import annotations

import html
from collections.abc import Mapping
from typing import Any

import gradio as gr

from mpgsam2.demo.later_files import Writing
from mpgsam2.demo.run import Finished, Started, Step
from mpgsam2.demo.scheduler import Opening, Waiting
from mpgsam2.export.pipeline import Progress

IDLE = "Choose a clip and write what to look for."
WAITING = "Waiting for a free slot …"


def summary(end: Finished) -> str:
    """Return what a run concludes: "Found in frames 3–40 of 48. I am 98 % sure.", after its letter if it has one."""
    if end.record is None:
        return "Stopped before the first frame."
    why = ", because others wait" if end.hurried else ""
    stopped = "" if end.done == end.frames else f"Stopped after {end.done} of {_frames(end.frames)}{why}. "
    return stopped + verdicts(end.record)


def verdicts(record: Mapping[str, Any]) -> str:
    """Return what a run found, by its record: a verdict, after its letter where there are several."""
    queries = record["queries"]
    told = [f"{query['letter']}: {query['summary']}" if len(queries) > 1 else query["summary"] for query in queries]
    return " ".join(told)


def in_words(step: Waiting | Opening | Step | Writing) -> str:
    """Return one step of a run in a line of text."""
    match step:
        case Waiting():
            return WAITING
        case Opening():
            return f"Looking at the clip{_so_far(step.seconds)} …"
        case Started():
            return f"Reading the sentence together with {_all_frames(step.frames)} …"
        case Progress():
            pace = f"Frame {step.index + 1} of {step.total} · {step.frames_per_second:.1f} frames/s"
            return pace if step.seconds_left is None else f"{pace} · {step.seconds_left:.0f} s left"
        case Writing():
            return f"Writing the files: frame {step.done} of {step.frames} …"
        case Finished():
            return summary(step)


def wait_in_words(step: Waiting) -> str:
    """Return how long a run may still wait: "2 go before you; about 50 s"."""
    before = "One goes before you" if step.before == 1 else f"{step.before} go before you"
    if not step.before:
        before = "You are next"
    return before if step.seconds is None else f"{before}; about {_about(step.seconds)}"


def status_html(
    text: str, *, done: int | None = None, total: int = 1, warning: str | None = None, remark: str = ""
) -> str:
    """Return the status as the page shows it.

    Args:
        text: the line.
        done: frames done, for a progress bar that tells; None for no bar.
        total: frames in all; 0 for a bar that only moves.
        warning: a second line.
        remark: one more that is no warning.
    """
    bar = ""
    if done is not None:
        value = f'value="{done}" max="{total}"' if total else ""
        bar = f'<progress {value} aria-label="Progress of the run"></progress>'
    note = f'<p class="warning">{html.escape(warning)}</p>' if warning else ""
    if remark:
        note += f'<p class="remark">{html.escape(remark)}</p>'
    return f'<p class="line" role="status">{html.escape(text)}</p>{bar}{note}'


def notice_html(text: str) -> str:
    """Return a remark on the frames that are used, as the page shows it."""
    return f'<p class="notice">{html.escape(text)}</p>' if text else ""


def error_html(error: gr.Error) -> str:
    """Return the status after a run that ended with an error."""
    return f'<p class="line error" role="alert">{error.message}</p>'


def _so_far(seconds: float) -> str:
    return f", {seconds:.0f} s so far" if seconds >= 1 else ""


def _about(seconds: float) -> str:
    return f"{max(1, round(seconds))} s" if seconds < 90 else f"{round(seconds / 60)} min"


def _frames(number: int) -> str:
    return f"{number} frame" if number == 1 else f"{number} frames"


def _all_frames(number: int) -> str:
    return "the only frame" if number == 1 else f"all {number} frames"
