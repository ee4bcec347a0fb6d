"""The same run for programs: the endpoint `/segment`, and a tool of the same name where MCP is wanted."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

import gradio as gr
from gradio.components import Component

from mpgsam2.demo.errors import told_to_visitor
from mpgsam2.demo.given import file_of, settings_of
from mpgsam2.demo.handlers import OWN_LINE
from mpgsam2.demo.page import Page
from mpgsam2.demo.run import Finished, Started
from mpgsam2.demo.sessions import session_of
from mpgsam2.demo.settings import NAMES
from mpgsam2.demo.show import videos
from mpgsam2.demo.status import line, wait
from mpgsam2.demo.turns import Opening, StopSignal, Turns, Waiting
from mpgsam2.export.pipeline import Progress

Answer = tuple[str | None, str | None, str | None, str | None, dict[str, Any]]


def serve(page: Page, turns: Turns) -> None:
    """Offer `/segment` beside the page; programs and visitors share the one line and the one slot of the model."""

    async def segment(
        request: gr.Request,
        clip: str,
        expression: str,
        model: str = "",
        first: int = 1,
        last: int | None = None,
        every: int = 1,
        longest_side: int | None = None,
        threshold: float = 0.5,
        opacity: float = 0.0,
        pattern: bool = False,
        without: list[str] | None = None,
        compare: bool = True,
        ground_truth: str | None = None,
        object: int | None = None,
        scored: str = "",
        dtype: str = "auto",
        dimmed: float = 0.8,
        colours: list[int] | None = None,
    ) -> AsyncGenerator[Answer]:
        """Segment in every frame of a clip the object that a sentence names.

        Args:
            clip: video file (MP4, MOV, WebM, MKV, AVI, GIF ...).
            expression: English sentence that names one object, such as "the red circle"; up to four, one a line.
            model: name of a model that runs here; empty for the usual one.
            first: first frame to use, counted from 1.
            last: last frame to use; null for the clip's last.
            every: use every n-th of these frames.
            longest_side: scale larger frames down to this many pixels; null for their own size.
            threshold: probability from which a pixel belongs to the mask, 0 to 1.
            opacity: of the colour in the overlay, 0 to 1; 0 leaves the object its own colours.
            pattern: hatch the masks.
            without: parts to switch off, of "prior", "global_context" and "history".
            compare: ask the whole network as well (A) and the rest of it beside it (B); only where parts are off.
            ground_truth: zip of PNG masks, one a frame of the clip or for frames by their numbers, for J and F.
            object: number of the object in these masks; null unless they hold several.
            scored: the one sentence that these masks are of; empty to score all.
            dtype: of matrix products, "bfloat16", "float32" or "auto" for what suits the device.
            dimmed: how far the overlay darkens and greys everything else, 0 to 1.
            colours: of the answers' masks, in their order: 0 for one that stands out, which is what missing ones get,
                1 sky blue, 2 orange, 3 bluish green, 4 reddish purple, 5 yellow, 6 blue, 7 vermilion.

        Returns:
            The first query's mask prior over the clip; its mask's probability; the clip with all answers marked; a zip
            of everything (masks, cut-outs, figure strip, run.json); and the record, which is run.json with a line of
            text, the frames done, which frames are used, and a warning about words that the model does not know. While
            the run waits and goes on the files are null and the record says how far it is.
        """
        values = (
            *(expression, model, first, last, every, longest_side),
            *(threshold, opacity, pattern, without, compare, ground_truth, object, scored, dtype, dimmed, colours),
        )
        with told_to_visitor():
            asked = settings_of(dict(zip(NAMES, values, strict=True)))
            async with aclosing(turns.take(session_of(request), file_of(clip), asked, StopSignal())) as steps:
                said: dict[str, Any] = {}
                async for step in steps:
                    match step:
                        case None | Opening(again=True):  # nothing new
                            continue
                        case Started():  # said with every frame from now on
                            said = {"notice": step.notice, "warning": step.warning}
                        case _:
                            yield _answer(step, said)

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
        **OWN_LINE,
    )


def _answer(step: Waiting | Opening | Progress | Finished, said: dict[str, Any]) -> Answer:
    record: dict[str, Any] = {"text": line(step), "done": 0, **said}
    match step:
        case Waiting():
            record |= {"text": f"{line(step)} {wait(step)}.", "before": step.before, "seconds": step.seconds}
        case Progress():
            record |= {"done": step.index + 1, "frames": step.total}
        case Finished():
            record |= {"done": step.done, "notice": step.notice, "warning": step.warning, **(step.record or {})}
            if step.record is not None and step.folder is not None:
                prior, masks = videos(step.record, step.folder)[0]
                return str(prior), str(masks), str(step.folder / "overlay.mp4"), str(step.bundle), record
    return None, None, None, None, record
