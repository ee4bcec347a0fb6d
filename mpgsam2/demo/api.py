"""The same run for programs: the endpoint `/segment`, and a tool of the same name where MCP is wanted."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from inspect import Parameter, Signature
from typing import Any

import gradio as gr
from gradio.components import Component

from mpgsam2.demo.errors import errors_for_visitors
from mpgsam2.demo.handlers import OWN_QUEUE
from mpgsam2.demo.page import Page
from mpgsam2.demo.player_values import videos
from mpgsam2.demo.request_parsing import parse_file, parse_settings
from mpgsam2.demo.run import Finished, Started
from mpgsam2.demo.scheduler import Opening, Scheduler, StopSignal, Waiting
from mpgsam2.demo.sessions import session_of
from mpgsam2.demo.status import in_words, wait_in_words
from mpgsam2.export.pipeline import Progress
from mpgsam2.settings import SETTINGS, Setting

_DOCUMENTATION = """Segment in every frame of a clip the object that a sentence names.

Args:
    clip: video file (MP4, MOV, WebM, MKV, AVI, GIF ...).
{settings}

Returns:
    The first query's mask prior over the clip; its mask's probability; the clip with all answers marked; a zip of
    everything (masks, cut-outs, figure strip, run.json); and the record, which is run.json with a line of text, the
    frames done, which frames are used, and a warning about words that the model does not know. While the run waits and
    goes on the files are null and the record says how far it is.
"""

Answer = tuple[str | None, str | None, str | None, str | None, dict[str, Any]]


def serve(page: Page, scheduler: Scheduler) -> None:
    """Offer `/segment` beside the page; programs and visitors share the one line and the one slot of the model."""

    async def segment(request: gr.Request, clip: str, *values: Any) -> AsyncGenerator[Answer]:
        with errors_for_visitors():
            settings = parse_settings(dict(zip(SETTINGS, values, strict=True)))
            async with aclosing(scheduler.take(session_of(request), parse_file(clip), settings, StopSignal())) as steps:
                said: dict[str, Any] = {}
                async for step in steps:
                    match step:
                        case None | Opening(again=True):  # nothing new
                            continue
                        case Started():  # said with every frame from now on
                            said = {"notice": step.notice, "warning": step.warning}
                        case _:
                            yield _answer(step, said)

    segment.__signature__, segment.__doc__ = _signature(), _documentation()  # type: ignore[attr-defined]
    answers: list[Component] = [
        gr.Video(visible=False, label=name) for name in ("Mask prior", "Per-frame masks", "Final overlay")
    ]
    answers += [gr.File(visible=False, label="All files"), gr.JSON(visible=False, label="Record")]
    gr.Button(visible=False).click(
        segment,
        [page.clip, *page.settings.values()],
        answers,
        api_name="segment",
        show_progress="hidden",
        **OWN_QUEUE,
    )


def _name(setting: Setting) -> str:
    """Return what programs call a setting."""
    return "expression" if setting.name == "sentences" else setting.name


def _signature() -> Signature:
    """Return what Gradio tells programs of the parameters of `/segment`; only clip and expression have no default."""
    parameters = [Parameter(name, Parameter.POSITIONAL_OR_KEYWORD) for name in ("request", "clip", "expression")]
    for setting in list(SETTINGS.values())[1:]:
        default = None if setting.default == () else setting.default
        parameters.append(Parameter(setting.name, Parameter.POSITIONAL_OR_KEYWORD, default=default))
    return Signature(parameters)


def _documentation() -> str:
    """Return what MCP's clients are told of `/segment`, as a docstring."""
    lines = [f"    {_name(setting)}: {_help(setting)}." for setting in SETTINGS.values()]
    return _DOCUMENTATION.format(settings="\n".join(lines))


def _help(setting: Setting) -> str:
    origin = "counted from 1" if setting.name == "first" else ""
    empty = f"null or empty for {setting.unset}" if setting.unset else ""
    return "; ".join(filter(None, (setting.help, setting.range, origin, empty)))


def _answer(step: Waiting | Opening | Progress | Finished, said: dict[str, Any]) -> Answer:
    record: dict[str, Any] = {"text": in_words(step), "done": 0, **said}
    match step:
        case Waiting():
            record |= {
                "text": f"{in_words(step)} {wait_in_words(step)}.",
                "before": step.before,
                "seconds": step.seconds,
            }
        case Progress():
            record |= {"done": step.index + 1, "frames": step.total}
        case Finished():
            record |= {"done": step.done, "notice": step.notice, "warning": step.warning, **(step.record or {})}
            if step.record is not None and step.folder is not None:
                prior, masks = videos(step.record, step.folder)[0]
                return str(prior), str(masks), str(step.folder / "overlay.mp4"), str(step.bundle), record
    return None, None, None, None, record
