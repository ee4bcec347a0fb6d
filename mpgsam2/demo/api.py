"""The same run for programs: the endpoint `/segment`."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import closing
from threading import Event
from typing import Any

import gradio as gr

from mpgsam2.demo.errors import told_to_visitor
from mpgsam2.demo.gpu import FrameLoop
from mpgsam2.demo.handlers import ONE_AT_A_TIME
from mpgsam2.demo.page import Page
from mpgsam2.demo.run import Finished, Started, run
from mpgsam2.demo.status import line
from mpgsam2.export import verdict_record
from mpgsam2.network.model import MPGSAM2
from mpgsam2.pipeline import Progress

Answer = tuple[str | None, str | None, str | None, str | None, dict[str, Any]]


def serve(page: Page, model: MPGSAM2, frame_loop: FrameLoop) -> None:
    """Offer `/segment` beside the page; programs and visitors share the one slot of the model."""

    def segment(clip: str, expression: str) -> Generator[Answer]:
        """Segment in every frame of a clip the object that a sentence names.

        Args:
            clip: video file (MP4, MOV, WebM, MKV, AVI, GIF ...).
            expression: English sentence that names one object, such as "the red circle".

        Returns:
            Video of the mask prior over the clip; video of the mask's probability; video of the clip with the object
            marked; zip of the masks as PNG (0 and 255, in the clip's own size) and of result.json; record with a line
            of text, the frames done, the frames in all, a warning about words that the model does not know, and the
            verdict as in result.json. While the run goes on the files are null and the record tells how far it is.
        """
        with told_to_visitor(), closing(run(model, frame_loop, clip, expression, Event())) as steps:
            for step in steps:
                yield _answer(step)

    gr.Button(visible=False).click(
        segment,
        [page.clip, page.expression],
        [*(pane.video for pane in page.panes), page.bundle, page.record],
        api_name="segment",
        show_progress="hidden",
        **ONE_AT_A_TIME,
    )


def _answer(step: Started | Progress | Finished) -> Answer:
    record: dict[str, Any] = {"text": line(step)}
    match step:
        case Started():
            return None, None, None, None, record | {"done": 0, "frames": step.frames, "warning": step.warning}
        case Progress():
            return None, None, None, None, record | {"done": step.index + 1, "frames": step.total}
        case Finished():
            record |= {
                "done": step.done,
                "frames": step.frames,
                "warning": step.warning,
                "verdict": verdict_record(step.verdict),
            }
            return str(step.prior), str(step.masks), str(step.overlay), str(step.bundle), record
