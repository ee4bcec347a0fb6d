"""Where a run stands, in words."""

from __future__ import annotations

import html

import gradio as gr

from mpgsam2.demo.run import Finished, Started, Step
from mpgsam2.pipeline import Progress

IDLE = "Choose a clip, say what to look for, and run."
WAITING = "Waiting for a free slot …"
FULL = "Too many visitors are waiting already: please try again in a minute."


def summary(end: Finished) -> str:
    """What a run concludes: "Found in frames 3–40 of 48. I am 98 % sure.", after its letter where several are asked."""
    if end.record is None:
        return "Stopped before the first frame."
    queries = end.record["queries"]
    told = [f"{query['letter']}: {query['told']}" if len(queries) > 1 else query["told"] for query in queries]
    stopped = "" if end.done == end.frames else f"Stopped after {end.done} of {_frames(end.frames)}. "
    return stopped + " ".join(told)


def line(step: Step) -> str:
    """One step of a run in a line of text."""
    match step:
        case Started():
            return f"Reading the sentence together with {_all_frames(step.frames)} …"
        case Progress():
            pace = f"Frame {step.index + 1} of {step.total} · {step.frames_per_second:.1f} frames/s"
            return pace if step.seconds_left is None else f"{pace} · {step.seconds_left:.0f} s left"
        case Finished():
            return summary(step)


def status_html(text: str, *, done: int | None = None, total: int = 1, warning: str | None = None) -> str:
    """The status as the page shows it.

    Args:
        text: the line.
        done: frames done, for a progress bar that tells; None for no bar.
        total: frames in all; 0 for a bar that only moves.
        warning: a second line.
    """
    bar = ""
    if done is not None:
        value = f'value="{done}" max="{total}"' if total else ""
        bar = f'<progress {value} aria-label="Progress of the run"></progress>'
    note = f'<p class="warning">{html.escape(warning)}</p>' if warning else ""
    return f'<p class="line" role="status">{html.escape(text)}</p>{bar}{note}'


def notice_html(text: str) -> str:
    """A remark on the frames that are used, as the page shows it."""
    return f'<p class="notice">{html.escape(text)}</p>' if text else ""


def error_html(error: gr.Error) -> str:
    """The status after a run that ended with an error."""
    return f'<p class="line error" role="alert">{error.message}</p>'


def _frames(number: int) -> str:
    return f"{number} frame" if number == 1 else f"{number} frames"


def _all_frames(number: int) -> str:
    return "the only frame" if number == 1 else f"all {number} frames"
