"""The components that the handlers speak to."""

from __future__ import annotations

from dataclasses import dataclass

import gradio as gr

from mpgsam2.demo.panes import Pane


@dataclass(frozen=True)
class Page:
    """What a visitor fills in, presses and sees."""

    clip: gr.Video
    expression: gr.Textbox
    run: gr.Button
    leave: gr.Button  # "Stop" while the run waits for its turn
    stop: gr.Button  # "Stop" once it works
    status: gr.HTML
    panes: tuple[Pane, Pane, Pane]  # prior, masks, overlay
    bundle: gr.DownloadButton
    record: gr.JSON  # unseen: what programs get
