"""The same run for programs: the endpoint `/segment`, and a tool of the same name where `gradio[mcp]` is installed."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import closing
from threading import Event
from typing import Any

import gradio as gr

from mpgsam2.demo.errors import told_to_visitor
from mpgsam2.demo.gpu import FrameLoop
from mpgsam2.demo.handlers import ONE_AT_A_TIME
from mpgsam2.demo.page import Page
from mpgsam2.demo.run import Finished, Started, Step, run
from mpgsam2.demo.sessions import Sessions
from mpgsam2.demo.settings import Settings
from mpgsam2.demo.show import videos
from mpgsam2.demo.status import line
from mpgsam2.network.model import MPGSAM2
from mpgsam2.pipeline import Progress

Answer = tuple[str | None, str | None, str | None, str | None, dict[str, Any]]


def serve(page: Page, models: Mapping[str, MPGSAM2], frame_loop: FrameLoop, sessions: Sessions) -> None:
    """Offer `/segment` beside the page; programs and visitors share the one slot of the model."""

    def segment(
        request: gr.Request,
        clip: str,
        expression: str,
        model: str = "",
        first: int = 1,
        last: int | None = None,
        every: int = 1,
        longest_side: int | None = None,
        threshold: float = 0.5,
        opacity: float = 0.4,
        pattern: bool = False,
        without: list[str] | None = None,
        compare: bool = True,
        ground_truth: str | None = None,
        object: int | None = None,
        scored: str = "",
        dtype: str = "auto",
    ) -> Generator[Answer]:
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
            opacity: of the colour in the overlay, 0 to 1.
            pattern: hatch the masks.
            without: parts to switch off, of "prior", "global_context" and "history".
            compare: ask the whole network as well (A) and the rest of it beside it (B); only where parts are off.
            ground_truth: zip of PNG masks, one a frame of the clip or for frames by their numbers, for J and F.
            object: number of the object in these masks; null unless they hold several.
            scored: the one sentence that these masks are of; empty to score all.
            dtype: of matrix products, "bfloat16", "float32" or "auto" for what suits the device.

        Returns:
            The first query's mask prior over the clip; its mask's probability; the clip with all answers marked; a zip
            of everything (masks, cut-outs, figure strip, run.json); and the record, which is run.json with a line of
            text, the frames done, which frames are used, and a warning about words that the model does not know. While
            the run goes on the files are null and the record says how far it is.
        """
        asked = Settings(
            expression,
            model,
            first,
            last,
            every,
            longest_side,
            threshold,
            opacity,
            pattern,
            tuple(without or ()),
            compare,
            ground_truth,
            object,
            scored,
            dtype,
        )
        sessions.keep(request.session_hash, clip)
        sessions.keep(request.session_hash, ground_truth)
        with (
            told_to_visitor(),
            sessions.folder(request.session_hash) as folder,
            closing(run(models, frame_loop, clip, asked, folder, Event())) as steps,
        ):
            for step in steps:
                yield _answer(step)

    answers = [gr.Video(visible=False, label=name) for name in ("Mask prior", "Per-frame masks", "Final overlay")]
    answers += [gr.File(visible=False, label="All files"), gr.JSON(visible=False, label="Record")]
    gr.Button(visible=False).click(
        segment,
        [page.clip, *page.settings.values()],
        answers,
        api_name="segment",
        show_progress="hidden",
        **ONE_AT_A_TIME,
    )


def _answer(step: Step) -> Answer:
    record: dict[str, Any] = {"text": line(step)}
    match step:
        case Started():
            record |= {"done": 0, "frames": step.frames, "notice": step.notice, "warning": step.warning}
            return None, None, None, None, record
        case Progress():
            return None, None, None, None, record | {"done": step.index + 1, "frames": step.total}
        case Finished():
            record |= {"done": step.done, "notice": step.notice, "warning": step.warning, **(step.record or {})}
            if step.record is None:
                return None, None, None, None, record
            prior, masks = videos(step.record, step.folder)[0]
            return str(prior), str(masks), str(step.folder / "overlay.mp4"), str(step.bundle), record
